"""The golden record: one profile per customer out of everything that is known."""

from datetime import date
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.gold.choose import attribute_entries, best_first, by_key, merged_attributes, text, winner
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
    return there.select("customer_id", "source", record.alias("record"), began.alias("first_at"), last.alias("last_at"))


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
    groups = {f"_{name}": winner(columns, config.strategy(name)) for name, columns in GROUPS.items()}
    lists = {f"_{kind}": best_first(kind, config.strategy(kind)) for kind in LISTS}
    claims = {**groups, **lists, "entries": attribute_entries()}
    with_claims = known.selectExpr("*", *[f"{claim} AS {name}" for name, claim in claims.items()])
    return with_claims.selectExpr("*", f"{merged_attributes(config)} AS _attributes")


def _shaped(claims: DataFrame, config: ProfilesConfig) -> DataFrame:
    made = {c: f"_{name}.values.{c}" for name, group in GROUPS.items() for c in group}
    made["full_name"] = (
        "coalesce(_name.values.full_name, nullif(concat_ws(' ', _name.values.given_name, _name.values.family_name), ''))"
    )
    for kind, name in LISTS.items():
        made[kind] = f"get(_{kind}, 0).value"
        made[name] = f"array_distinct(transform(_{kind}, c -> c.value))"
    made["attributes"] = "transform_values(_attributes, (k, c) -> c.value)"
    made["records"] = "size(known_records)"
    made["is_anonymous"] = "size(known_records) = 0 AND NOT is_named"
    made["provenance"] = _provenance(config)
    return claims.selectExpr(*[f"{made.get(c.name, c.name)} AS {c.name}" for c in PROFILES.columns])


def _provenance(config: ProfilesConfig) -> str:
    """For each attribute that has a value: source, record_key, at, strategy."""

    def entry(name: str, claim: str, strategy: str) -> str:
        origin = ", ".join(f"'{c}', {claim}.{c}" for c in ("source", "record_key", "at"))
        return f"struct({name}, named_struct({origin}, 'strategy', {strategy}))"

    entries = []
    for group, columns in GROUPS.items():
        strategy = text(config.strategy(group).strategy)
        entries += [
            f"IF(_{group}.values.{c} IS NOT NULL, {entry(text(c), f'_{group}', strategy)}, NULL)" for c in columns
        ]
    for kind in LISTS:
        best, strategy = f"get(_{kind}, 0)", text(config.strategy(kind).strategy)
        entries.append(f"IF({best} IS NOT NULL, {entry(text(kind), best, strategy)}, NULL)")
    strategy = by_key(config, "e.key", lambda s: text(s.strategy))
    named = entry("concat('attributes.', e.key)", "e.value", strategy)
    further = f"transform(map_entries(_attributes), e -> {named})"
    return f"map_from_entries(concat(array_compact(array({', '.join(entries)})), {further}))"
