"""The golden record: one profile per customer out of everything that is known."""

from datetime import date
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.base.sql import literal
from cdp.gold.choose import (
    attribute_claims,
    attribute_entries,
    by_key,
    contact_claims,
    contacts_by_value,
    first_of_each_value,
    group_claims,
    joined,
)
from cdp.gold.config import GROUPS, LISTS, ProfilesConfig, Strategy
from cdp.gold.contacts import SIGNS
from cdp.gold.times import end_of
from cdp.identity.devices import is_device_type
from cdp.silver.flags import BEFORE_1900
from cdp.tables.gold import PROFILES

RUNNERS_UP = 10
"""Values kept of each attribute beside the one chosen."""


def profiles(
    records: DataFrame,
    seen: DataFrame,
    signs: DataFrame,
    timeline: DataFrame,
    owners: DataFrame,
    config: ProfilesConfig,
    *,
    as_of: date,
) -> DataFrame:
    """`gold.profiles`: every customer with a trace up to the run's date.

    Args:
        records: `silver.customer_records`.
        seen: `identifiers.seen_identifiers`.
        signs: `contacts.contact_signs`.
        timeline: `gold.timeline`, for the first and last trace.
        owners: `owners.current_owners`.
        config: how values are chosen.
        as_of: the run's date. Of a record changed since, only the newer version is known; it counts with its values,
            not with its time.
    """
    # One row a customer before it meets the records: a row of the union is wide, whatever it holds.
    of_timeline = timeline.groupBy("customer_id").agg(F.min("occurred_at").alias("first_at"), F.max("occurred_at").alias("last_at"))
    traces = reduce(
        lambda a, b: a.unionByName(b, allowMissingColumns=True),
        [_of_records(records, owners, as_of), _of_identifiers(seen, signs), of_timeline],
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
    made_at = F.col("updated_at").alias("at")
    # Kept to tell records apart, and no customer's.
    is_old = F.coalesce(F.array_contains("flags", BEFORE_1900), F.lit(False))
    born = F.when(~is_old, F.col("birth_date")).alias("birth_date")
    record = F.struct("source", "record_key", made_at, born, *fields, *LISTS.values(), "email_flags", "attributes")
    there = records.where(began < end).join(owners, on=["source", "record_key"], how="inner")
    last = F.when(F.col("updated_at") < end, F.col("updated_at")).otherwise(began)
    return there.select("customer_id", "source", record.alias("record"), began.alias("first_at"), last.alias("last_at"))


def _of_identifiers(seen: DataFrame, signs: DataFrame) -> DataFrame:
    is_email = F.col("id_type") == "email"
    contact = F.struct(
        "id_type",
        "id_value",
        (F.col("record_type") == "customer_record").alias("is_record"),
        "source",
        "record_key",
        F.col("last_seen_at").alias("at"),
        *[F.when(is_email, F.col("email")[s]).otherwise(F.col("phone")[s]).alias(s) for s in SIGNS],
    )
    is_contact = F.col("id_type").isin(*LISTS) & ~F.col("is_blocked")
    return seen.join(signs, on=["source", "record_key"], how="left").select(
        "customer_id",
        "source",
        F.when(is_contact, contact).alias("contact"),
        (~is_device_type() & ~F.col("is_blocked")).alias("is_named"),
        F.col("first_seen_at").alias("first_at"),
        F.col("last_seen_at").alias("last_at"),
    )


def _with_claims(known: DataFrame, config: ProfilesConfig) -> DataFrame:
    """Adds for each group, list, and for the further columns together (`_attributes`: key, claims) the claims, best first.

    In steps, as Spark computes an expression anew wherever a lambda names it.
    """
    gathered = {f"_{kind}_by_value": contacts_by_value(kind) for kind in LISTS}
    rows = _step(known, entries=attribute_entries(), **gathered)
    made = {f"_all_{name}": group_claims(columns, config.strategy(name)) for name, columns in GROUPS.items()}
    made |= {f"_{kind}": contact_claims(kind, config.strategy(kind), f"_{kind}_by_value") for kind in LISTS}
    rows = _step(rows, **made, _all_attributes=attribute_claims(config))
    of_key = f"named_struct('key', a.key, 'claims', {first_of_each_value('a.claims')})"
    chosen = {f"_{name}": first_of_each_value(f"_all_{name}") for name in GROUPS}
    return _step(rows, **chosen, _attributes=f"transform(_all_attributes, a -> {of_key})")


def _step(rows: DataFrame, **made: str) -> DataFrame:
    return rows.selectExpr("*", *[f"{sql} AS {name}" for name, sql in made.items()])


def _shaped(claims: DataFrame, config: ProfilesConfig) -> DataFrame:
    made = {c: f"get(_{name}, 0).value.{c}" for name, group in GROUPS.items() for c in group}
    whole_name = "nullif(concat_ws(' ', get(_name, 0).value.given_name, get(_name, 0).value.family_name), '')"
    made["full_name"] = f"coalesce(get(_name, 0).value.full_name, {whole_name})"
    for kind, name in LISTS.items():
        limit = config.strategy(kind).limit
        made[kind] = f"get(_{kind}, 0).value"
        made[name] = f"transform({f'slice(_{kind}, 1, {limit})' if limit else f'_{kind}'}, c -> c.value)"
    made["attributes"] = f"map_from_entries(transform(_attributes, a -> struct(a.key, {_attribute_value(config)})))"
    made["records"] = "size(known_records)"
    made["is_anonymous"] = "size(known_records) = 0 AND NOT is_named"
    made["provenance"] = _provenance(config)
    made["runners_up"] = _runners_up(config)
    return claims.selectExpr(*[f"{made.get(c.name, c.name)} AS {c.name}" for c in PROFILES.columns])


def _attribute_value(config: ProfilesConfig) -> str:
    def value(strategy: Strategy) -> str:
        return joined("a.claims", strategy) if strategy.strategy == "union" else "get(a.claims, 0).value"

    return by_key(config, "a.key", value)


def _provenance(config: ProfilesConfig) -> str:
    """For each attribute that has a value: source, record_key, at, strategy."""

    def entry(name: str, claim: str, strategy: str) -> str:
        return f"struct({name}, named_struct({_origin(claim)}, 'strategy', {strategy}))"

    entries = []
    for group, columns in GROUPS.items():
        best, strategy = f"get(_{group}, 0)", literal(config.strategy(group).strategy)
        entries += [f"IF({best}.value.{c} IS NOT NULL, {entry(literal(c), best, strategy)}, NULL)" for c in columns]
    for kind in LISTS:
        best, strategy = f"get(_{kind}, 0).of", literal(config.strategy(kind).strategy)
        entries.append(f"IF({best} IS NOT NULL, {entry(literal(kind), best, strategy)}, NULL)")
    strategy = by_key(config, "a.key", lambda s: literal(s.strategy))
    further = f"transform(_attributes, a -> {entry(_name_of('a'), 'get(a.claims, 0)', strategy)})"
    return f"map_from_entries(concat(array_compact(array({', '.join(entries)})), {further}))"


def _runners_up(config: ProfilesConfig) -> str:
    """For each group, list and further column with more than one value: those that were not chosen, the best first."""

    def beside(claims: str, values: str, origin: str, first: str = "2") -> str:
        shown = f"named_struct('values', {values}, {origin})"
        return f"transform(slice({claims}, {first}, {RUNNERS_UP}), c -> {shown})"

    def entry(name: str, claims: str, values: str, origin: str) -> str:
        return f"IF(size({claims}) > 1, struct({literal(name)}, {beside(claims, values, origin)}), NULL)"

    entries = []
    for group, columns in GROUPS.items():
        values = ", ".join(f"'{c}', CAST(c.value.{c} AS string)" for c in columns)
        filled = f"map_filter(map({values}), (k, v) -> v IS NOT NULL)"
        entries.append(entry(group, f"_{group}", filled, _origin("c")))
    entries += [entry(kind, f"_{kind}", f"map('{kind}', c.value)", _origin("c.of")) for kind in LISTS]

    def chosen(strategy: Strategy) -> str:
        if strategy.strategy != "union":
            return "1"
        return str(strategy.limit) if strategy.limit else "size(a.claims)"

    first, name = by_key(config, "a.key", chosen), _name_of("a")
    of_key = f"struct({name}, {beside('a.claims', f'map({name}, c.value)', _origin('c'), f'({first}) + 1')})"
    further = f"transform(filter(_attributes, a -> size(a.claims) > ({first})), a -> {of_key})"
    return f"map_from_entries(concat(array_compact(array({', '.join(entries)})), {further}))"


def _origin(claim: str) -> str:
    return ", ".join(f"'{c}', {claim}.{c}" for c in ("source", "record_key", "at"))


def _name_of(attribute: str) -> str:
    return f"concat('attributes.', {attribute}.key)"
