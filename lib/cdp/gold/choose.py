"""How one value is chosen among those that the records of a customer hold.

All of it works on arrays within a customer's row. A record is a struct of source, record_key, at (when its version was
made), the columns of `config.GROUPS`, emails, phones and attributes. A claim is a value with what speaks for it; the
greatest claim wins, and as it ends with source and key, the order is total.
"""

from collections.abc import Callable
from functools import reduce

from pyspark.sql import Column
from pyspark.sql import functions as F

from cdp.gold.config import ATTRIBUTES, LISTS, ProfilesConfig, Strategy

# What makes a group worth more than a newer one in part, with how much it weighs.
_ESSENTIAL: dict[tuple[str, ...], int] = {
    ("given_name",): 1,
    ("family_name",): 1,
    ("street",): 2,
    ("postal_code", "city"): 1,
}


def winner(records: Column, columns: tuple[str, ...], strategy: Strategy) -> Column:
    """The best claim of a group of columns that move together: complete, score, at, source, record_key, values.

    A name with both parts, and an address with street and place, come before one in part; then the strategy decides.
    Null where no record has any of the columns.
    """

    def claim(record: Column) -> Column:
        def agrees(other: Column) -> Column:
            return _all([other[c].eqNullSafe(record[c]) for c in columns])

        return F.struct(
            _completeness(record, columns).alias("complete"),
            _score(strategy, record, lambda: F.size(F.filter(records, agrees))).alias("score"),
            *_ties(record),
            F.struct(*[record[c].alias(c) for c in columns]).alias("values"),
        )

    filled = F.filter(records, lambda record: F.coalesce(*[record[c].cast("string") for c in columns]).isNotNull())
    return F.array_max(F.transform(filled, claim))


def best_first(records: Column, contacts: Column, kind: str, strategy: Strategy) -> Column:
    """Claims of all e-mail addresses or phone numbers, the best first; a value may come again further down.

    What stands in a customer record comes before what was only seen with an activity; then the strategy decides, then
    the record's own order.

    Args:
        records: array of records.
        contacts: array of id_type, id_value, is_record, source, record_key, at: the identifiers that are contact points.
        kind: email or phone.
        strategy: how the best is chosen.
    """

    def claim(contact: Column) -> Column:
        def agrees(other: Column) -> Column:
            return (other["id_type"] == kind) & (other["id_value"] == contact["id_value"])

        def prefers(record: Column) -> Column:
            is_its = (record["source"] == contact["source"]) & (record["record_key"] == contact["record_key"])
            return is_its & (F.get(record[LISTS[kind]], 0) == contact["id_value"])

        return F.struct(
            contact["is_record"].alias("is_record"),
            _score(strategy, contact, lambda: F.size(F.filter(contacts, agrees))).alias("score"),
            contact["at"].alias("at"),
            F.exists(records, prefers).alias("is_preferred"),
            contact["source"].alias("source"),
            contact["record_key"].alias("record_key"),
            contact["id_value"].alias("value"),
        )

    of_kind = F.filter(contacts, lambda contact: contact["id_type"] == kind)
    return F.sort_array(F.transform(of_kind, claim), asc=False)


def merged_attributes(records: Column, config: ProfilesConfig) -> Column:
    """The best claim of each further column: a map of its name to score, at, source, record_key, key, value."""
    nothing = F.create_map().cast("map<string,string>")

    def of_record(record: Column) -> Column:
        return F.transform(
            F.map_entries(F.coalesce(record["attributes"], nothing)),
            lambda entry: F.struct(*_ties(record), entry["key"].alias("key"), entry["value"].alias("value")),
        )

    # Blank, not only empty: what a source sends for nothing.
    entries = F.filter(F.flatten(F.transform(records, of_record)), lambda entry: entry["value"].rlike(r"\S"))

    def claim(entry: Column) -> Column:
        def agrees(other: Column) -> Column:
            return (other["key"] == entry["key"]) & (other["value"] == entry["value"])

        def score(strategy: Strategy) -> Column:
            return _score(strategy, entry, lambda: F.size(F.filter(entries, agrees)))

        return F.struct(
            by_key(config, entry["key"], score).alias("score"), *_ties(entry), entry["key"].alias("key"),
            entry["value"].alias("value"),
        )  # fmt: skip

    # The session lets the last one of a key win (`spark.sql.mapKeyDedupPolicy`): the greatest claim.
    claims = F.array_sort(F.transform(entries, claim))
    return F.map_from_entries(F.transform(claims, lambda entry: F.struct(entry["key"], entry)))


def by_key(config: ProfilesConfig, key: Column, outcome: Callable[[Strategy], Column]) -> Column:
    """`outcome` of the strategy of the further column named `key`."""
    other = outcome(config.strategy(ATTRIBUTES))
    own = [F.when(key == name, outcome(config.strategy(f"{ATTRIBUTES}.{name}"))) for name in config.own_attributes]
    return F.coalesce(*own, other)


def _score(strategy: Strategy, claim: Column, times_held: Callable[[], Column]) -> Column:
    """What the strategy gives a claim; the greatest is the best."""
    if strategy.strategy == "most_recent":
        return F.unix_micros(claim["at"])
    if strategy.strategy == "oldest":
        return -F.unix_micros(claim["at"])
    if strategy.strategy == "most_frequent":
        return times_held().cast("bigint")
    names = F.array(*[F.lit(name) for name in strategy.sources])
    position = F.array_position(names, claim["source"])
    return -F.when(position == 0, F.lit(len(strategy.sources) + 1)).otherwise(position).cast("bigint")


def _ties(claim: Column) -> list[Column]:
    return [claim[name].alias(name) for name in ("at", "source", "record_key")]


def _completeness(record: Column, columns: tuple[str, ...]) -> Column:
    parts = [
        F.when(F.coalesce(*[record[name] for name in names]).isNotNull(), weight).otherwise(0)
        for names, weight in _ESSENTIAL.items()
        if set(names) <= set(columns)
    ]
    return reduce(lambda a, b: a + b, parts) if parts else F.lit(0)


def _all(conditions: list[Column]) -> Column:
    return reduce(lambda a, b: a & b, conditions)
