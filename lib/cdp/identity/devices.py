"""Browsers, apps and devices: they bring a stranger's history to the person who logs in, and never join two people."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from cdp.identity.config import DEVICE_TYPES, IdentityConfig

_VALUE = ["id_type", "id_value"]


def is_device_type() -> Column:
    return F.col("id_type").isin(*DEVICE_TYPES) | F.col("id_type").rlike(r"\A(?:android|ios)\.")


def touched(seen: DataFrame, components: DataFrame, config: IdentityConfig) -> DataFrame:
    """Say whose each device is.

    A person is a component (by identifiers of people) with at least one such identifier or a customer record. A device
    that one person was seen with brings all its records to that person. One that two or more were seen with is
    ambiguous and joins none of them; a record that carries nothing else stays with its kind, or goes to whom the
    policy says.

    Args:
        seen: rows of device types of `groups.grouped`, with is_person: whether the record is somebody's by itself.
        components: node, component, by identifiers of people.
        config: policy.

    Returns:
        `seen` with own (the record's component), persons (1, or 2 for two and more) and target: the component that the
        record is linked to by this device; null where to none.
    """
    own = seen.join(components, on="node", how="left").withColumn("own", F.coalesce("component", "node"))
    person = F.when(F.col("is_person"), F.col("own"))
    value = Window.partitionBy(*_VALUE)
    low, high = F.min(person).over(value), F.max(person).over(value)
    last = F.max_by(person, F.when(person.isNotNull(), F.struct("last_seen_at", person))).over(value)
    first = F.min_by(person, F.when(person.isNotNull(), F.struct("first_seen_at", person))).over(value)
    kin = F.min(F.when(~F.col("is_person") & (F.col("ids") == 1), F.col("own"))).over(value)
    nobody = F.min("own").over(value)
    policy = {"most_recent": last, "existing": first}.get(config.shared_identifier_policy)
    rows = own.drop("component").select(
        "*", low.alias("_low"), high.alias("_high"), kin.alias("_kin"), nobody.alias("_nobody"),
        (policy if policy is not None else F.lit(None).cast("bigint")).alias("_policy"),
    )  # fmt: skip
    persons = F.when(F.col("_low").isNull(), 0).when(F.col("_low") == F.col("_high"), 1).otherwise(2)
    # Where another device of the record says clearly whose it is, an ambiguous one has no say.
    rows = rows.withColumn("persons", persons)
    is_clear = F.max((F.col("persons") == 1).cast("int")).over(Window.partitionBy("node")) == 1
    leftover = F.coalesce("_policy", F.when(F.col("ids") == 1, F.col("_kin")))
    target = (
        F.when(F.col("persons") == 0, F.col("_nobody"))
        .when(F.col("persons") == 1, F.col("_low"))
        .when(~F.col("is_person") & ~is_clear, leftover)
    )
    return rows.withColumn("target", target).drop("_low", "_high", "_kin", "_nobody", "_policy")
