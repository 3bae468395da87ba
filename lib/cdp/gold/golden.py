"""The golden record: one profile per customer out of everything that is known."""

from datetime import date
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.gold.choose import best_first, by_key, merged_attributes, winner
from cdp.gold.config import GROUPS, LISTS, ProfilesConfig
from cdp.gold.times import end_of
from cdp.identity.devices import is_device_type
from cdp.tables.gold import PROFILES


def profiles(
    records: DataFrame, seen: DataFrame, timeline: DataFrame, owners: DataFrame, config: ProfilesConfig, *, as_of: date
) -> DataFrame:
    """`gold.profiles`: every customer with a trace up to the run's date.

    Args:
        records: `silver.customer_records`.
        seen: `identifiers.seen_identifiers`.
        timeline: `gold.timeline`, for the first and last trace.
        owners: `owners.current_owners`.
        config: how values are chosen.
        as_of: the run's date. Of a record changed since, only the newer version is known; it counts with its values,
            not with its time.
    """
    at = F.col("occurred_at")
    of_timeline = timeline.select("customer_id", at.alias("first_at"), at.alias("last_at"))
    traces = reduce(
        lambda a, b: a.unionByName(b, allowMissingColumns=True),
        [_of_records(records, owners, as_of), _of_identifiers(seen), of_timeline],
    )
    # One shuffle brings all that is known of a customer together; of each kind that is a handful.
    known = traces.groupBy("customer_id").agg(
        F.collect_list("record").alias("known_records"),
        F.collect_list("contact").alias("contacts"),
        F.sort_array(F.collect_set("source")).alias("sources"),
        F.coalesce(F.bool_or("is_named"), F.lit(False)).alias("is_named"),
        F.min("first_at").alias("first_seen_at"),
        F.max("last_at").alias("last_seen_at"),
    )
    return _shaped(_with_claims(known, config), config)


def _of_records(records: DataFrame, owners: DataFrame, as_of: date) -> DataFrame:
    end = end_of(as_of)
    began = F.coalesce(F.least("created_at", "updated_at"), F.col("updated_at"))
    texts = [c for columns in GROUPS.values() for c in columns if c != "birth_date"]
    fields = [F.when(F.col(c).rlike(r"\S"), F.col(c)).alias(c) for c in texts]
    record = F.struct(
        "source", "record_key", F.col("updated_at").alias("at"), "birth_date", *fields, *LISTS.values(), "attributes"
    )
    there = records.where(began < end).join(owners, on=["source", "record_key"], how="inner")
    last = F.when(F.col("updated_at") < end, F.col("updated_at")).otherwise(began)
    return there.select(
        "customer_id", "source", record.alias("record"), began.alias("first_at"), last.alias("last_at")
    )


def _of_identifiers(seen: DataFrame) -> DataFrame:
    contact = F.struct(
        "id_type",
        "id_value",
        (F.col("record_type") == "customer_record").alias("is_record"),
        "source",
        "record_key",
        F.col("last_seen_at").alias("at"),
    )
    is_contact = F.col("id_type").isin(*LISTS) & ~F.col("is_blocked")
    return seen.select(
        "customer_id",
        "source",
        F.when(is_contact, contact).alias("contact"),
        (~is_device_type() & ~F.col("is_blocked")).alias("is_named"),
        F.col("first_seen_at").alias("first_at"),
        F.col("last_seen_at").alias("last_at"),
    )


def _with_claims(known: DataFrame, config: ProfilesConfig) -> DataFrame:
    records, contacts = F.col("known_records"), F.col("contacts")
    groups = {f"_{name}": winner(records, columns, config.strategy(name)) for name, columns in GROUPS.items()}
    lists = {f"_{kind}": best_first(records, contacts, kind, config.strategy(kind)) for kind in LISTS}
    return known.withColumns({**groups, **lists, "_attributes": merged_attributes(records, config)})


def _shaped(claims: DataFrame, config: ProfilesConfig) -> DataFrame:
    columns = {c: F.col(f"_{name}")["values"][c] for name, group in GROUPS.items() for c in group}
    for kind, name in LISTS.items():
        columns[kind] = F.get(F.col(f"_{kind}"), 0)["value"]
        columns[name] = F.array_distinct(F.transform(f"_{kind}", lambda claim: claim["value"]))
    written = F.nullif(F.concat_ws(" ", columns["given_name"], columns["family_name"]), F.lit(""))
    columns["full_name"] = F.coalesce(columns["full_name"], written)
    columns["attributes"] = F.transform_values("_attributes", lambda _, claim: claim["value"])
    columns["records"] = F.size("known_records")
    columns["is_anonymous"] = (F.size("known_records") == 0) & ~F.col("is_named")
    columns["provenance"] = _provenance(config)
    shaped = [columns.get(c.name, F.col(c.name)).alias(c.name) for c in PROFILES.columns if c.name != "customer_id"]
    return claims.select("customer_id", *shaped)


def _provenance(config: ProfilesConfig) -> Column:
    """For each attribute that has a value: source, record_key, at, strategy."""

    def entry(name: Column | str, claim: Column, strategy: Column) -> Column:
        label = F.lit(name) if isinstance(name, str) else name
        origin = F.struct(
            claim["source"].alias("source"), claim["record_key"].alias("record_key"), claim["at"].alias("at"),
            strategy.alias("strategy"),
        )  # fmt: skip
        return F.struct(label.alias("key"), origin.alias("value"))

    entries = []
    for group, columns in GROUPS.items():
        claim, strategy = F.col(f"_{group}"), F.lit(config.strategy(group).strategy)
        entries += [F.when(claim["values"][c].isNotNull(), entry(c, claim, strategy)) for c in columns]
    for kind in LISTS:
        best = F.get(F.col(f"_{kind}"), 0)
        entries.append(F.when(best.isNotNull(), entry(kind, best, F.lit(config.strategy(kind).strategy))))
    further = F.transform(
        F.map_entries("_attributes"),
        lambda e: entry(
            F.concat(F.lit("attributes."), e["key"]), e["value"], by_key(config, e["key"], lambda s: F.lit(s.strategy))
        ),
    )
    return F.map_from_entries(F.concat(F.array_compact(F.array(*entries)), further))
