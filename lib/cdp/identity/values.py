"""Which identifiers count, and what each of them joins."""

import hashlib
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from cdp.identity.config import IdentityConfig
from cdp.identity.ledger import Rule
from cdp.identity.names import folded, name_key

_DEVICES = ("anonymous_id", "device_id", "advertising_id", "idfa", "gaid", "cookie_id", "ga_client_id", "session_id")
_CONTACTS = ("email", "phone")

# What forms and clerks write for "nothing": local parts of e-mails, and digits that are no number.
_NOTHING = r"^(?:na|n/a|n\.a|none|null|nil|no|noemail|no-email|test|unknown|anonymous|void|noreply|no-reply|example|xxx*|undefined|-*)$"
_NO_NUMBER = r"^\+?\d{0,3}?(\d)\1{6,}$|1234567890?$"


@dataclass(frozen=True)
class Values:
    """Identifiers, judged.

    Attributes:
        usable: source, record_key, record_type, id_type, id_value, first_seen_at, last_seen_at, given_name, is_device.
        blocked: id_type, id_value, records, reason.
    """

    usable: DataFrame
    blocked: DataFrame


def is_device(id_type: Column, config: IdentityConfig) -> Column:
    """Whether an identifier names a device or browser in place of a person."""
    said = {t.name: t.is_device for t in config.id_types if t.is_device is not None}
    devices = [name for name in _DEVICES if said.get(name, True)] + [name for name, yes in said.items() if yes]
    return id_type.isin(sorted(set(devices)))


def judged(identifiers: DataFrame, records: DataFrame, config: IdentityConfig, rules: tuple[Rule, ...]) -> Values:
    """Set aside identifiers that identify nobody.

    Blocked are: values that stand for nothing; values a steward blocked; values on more records than ten clusters may
    hold; and values that go with too many names (`bad_values`).

    Args:
        identifiers: `silver.identifiers`.
        records: `silver.customer_records`.
        config: settings.
        rules: the steward's ledger.
    """
    names = records.select("source", "record_key", "given_name", "family_name")
    rows = identifiers.join(names, on=["source", "record_key"], how="left")
    per_value = rows.groupBy("id_type", "id_value").agg(
        F.count(F.lit(1)).alias("records"),
        F.count_distinct(folded(F.col("given_name"))).alias("given_name_count"),
        F.count_distinct(folded(F.col("family_name"))).alias("family_name_count"),
    )
    reasons = [
        F.when(_stands_for_nothing(config), "stands for nothing"),
        F.when(_is_blocked(rules), "blocked by a steward"),
        F.when(F.col("records") > config.max_cluster_size * 10, "on too many records"),
    ]
    for bad in config.bad_values:
        too_many = (F.col("id_type") == bad.column) & (F.col(f"{bad.distinct}_count") > bad.threshold)
        reasons.append(F.when(too_many, f"more than {bad.threshold} values of {bad.distinct}"))
    blocked = per_value.withColumn("reason", F.coalesce(*reasons)).where("reason is not null")
    blocked = blocked.select("id_type", "id_value", "records", "reason")
    usable = rows.join(blocked.select("id_type", "id_value"), on=["id_type", "id_value"], how="left_anti")
    return Values(usable.withColumn("is_device", is_device(F.col("id_type"), config)), blocked)


def joined_by(usable: DataFrame, config: IdentityConfig) -> DataFrame:
    """What identifiers of people join: `node` is the same for records that share one.

    A contact point whose records carry clearly different given names is one of a family, or a number that has moved on:
    it joins those of one name. Records of it without a name join the one group there is; with several groups,
    `shared_identifier_policy` decides.

    Args:
        usable: `Values.usable`.
        config: settings.

    Returns:
        The rows of people's identifiers with `node` (null: joins nothing) and `group` (null: one for all).
    """
    people = usable.where(~F.col("is_device")).withColumn(
        "own_group", F.when(F.col("id_type").isin(*_CONTACTS), name_key(F.col("given_name")))
    )
    value = Window.partitionBy("id_type", "id_value")
    groups = F.array_sort(F.collect_set("own_group").over(value))
    latest = F.max_by("own_group", F.struct("last_seen_at", "own_group")).over(value)
    first = F.min_by("own_group", F.struct("first_seen_at", "own_group")).over(value)
    by_policy = {"ambiguous": F.lit(None).cast("string"), "most_recent": latest, "existing": first}
    adopted = by_policy[config.shared_identifier_policy]
    named = people.withColumns({"groups": groups, "adopted": adopted})
    group = F.when(F.size("groups") == 0, F.lit("")).when(F.size("groups") == 1, F.get("groups", F.lit(0)))
    named = named.withColumn("group", F.coalesce("own_group", group, "adopted"))
    node = F.when(F.col("group").isNotNull(), F.xxhash64("id_type", "id_value", "group"))
    return named.withColumn("node", node)


def _stands_for_nothing(config: IdentityConfig) -> Column:
    word = F.lower(F.substring_index("id_value", "@", 1))
    nothing = F.when(F.col("id_type") == "email", word.rlike(_NOTHING))
    nothing = nothing.when(F.col("id_type") == "phone", F.col("id_value").rlike(_NO_NUMBER))
    nothing = nothing.otherwise(F.lower("id_value").rlike(_NOTHING) | F.col("id_value").rlike(r"^[0\-]*$"))
    for kind in config.id_types:
        if kind.invalid:
            listed = F.lower("id_value").isin([value.lower() for value in kind.invalid])
            nothing = nothing | ((F.col("id_type") == kind.name) & listed)
    return nothing


def _is_blocked(rules: tuple[Rule, ...]) -> Column:
    blocked = [rule.left for rule in rules if rule.action == "block"]
    # As a hash: the values are personal, and plans are logged.
    return F.sha2(F.concat_ws("=", "id_type", "id_value"), 256).isin([_sha256(value) for value in blocked] or [""])


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
