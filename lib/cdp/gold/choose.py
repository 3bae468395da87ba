"""How one value is chosen among those that the records of a customer hold.

All of it is Spark SQL over two arrays of a customer's row, in text: a tenth of the calls to the JVM that columns would take.

    known_records  source, record_key, at (when its version was made), the columns of `config.GROUPS`, emails, phones,
                   attributes
    contacts       id_type, id_value, is_record, source, record_key, at: identifiers that are e-mail addresses or phones

A claim is a value with what speaks for it. The greatest claim wins, and as it ends with source and key, the order is
total.
"""

from collections.abc import Callable

from cdp.gold.config import ATTRIBUTES, LISTS, ProfilesConfig, Strategy

# What makes a group worth more than a newer one in part, with how much it weighs: any of the columns counts.
_ESSENTIAL = ((("given_name",), 1), (("family_name",), 1), (("street",), 2), (("postal_code", "city"), 1))


def winner(columns: tuple[str, ...], strategy: Strategy) -> str:
    """The best claim of a group of columns that move together: complete, score, at, source, record_key, values.

    A name with both parts, and an address with street and place, come before one in part; then the strategy decides.
    Null where no record has any of the columns.
    """
    agrees = " AND ".join(f"o.{c} <=> r.{c}" for c in columns)
    score = _score(strategy, "r", f"size(filter(known_records, o -> {agrees}))")
    values = ", ".join(f"'{c}', r.{c}" for c in columns)
    is_filled = " OR ".join(f"r.{c} IS NOT NULL" for c in columns)
    claim = f"named_struct('complete', {_completeness(columns)}, 'score', {score}, {_ties('r')}, 'values', named_struct({values}))"
    return f"array_max(transform(filter(known_records, r -> {is_filled}), r -> {claim}))"


def best_first(kind: str, strategy: Strategy) -> str:
    """Claims of all e-mail addresses or phone numbers, the best first; a value may come again further down.

    What stands in a customer record comes before what was only seen with an activity; then the strategy decides, then
    the record's own order.

    Args:
        kind: email or phone.
        strategy: how the best is chosen.
    """
    score = _score(strategy, "c", f"size(filter(contacts, o -> o.id_type = '{kind}' AND o.id_value = c.id_value))")
    is_its_first = f"r.source = c.source AND r.record_key = c.record_key AND get(r.{LISTS[kind]}, 0) <=> c.id_value"
    claim = (
        f"named_struct('is_record', c.is_record, 'score', {score}, 'at', c.at,"
        f" 'is_preferred', exists(known_records, r -> {is_its_first}),"
        " 'source', c.source, 'record_key', c.record_key, 'value', c.id_value)"
    )
    return f"sort_array(transform(filter(contacts, c -> c.id_type = '{kind}'), c -> {claim}), false)"


def attribute_entries() -> str:
    """Every further column of every record, as an array of at, source, record_key, key, value; blanks left out."""
    entry = f"named_struct({_ties('r')}, 'key', e.key, 'value', e.value)"
    of_record = f"transform(map_entries(coalesce(r.attributes, map())), e -> {entry})"
    return rf"filter(flatten(transform(known_records, r -> {of_record})), e -> e.value RLIKE '\\S')"


def merged_attributes(config: ProfilesConfig) -> str:
    """The best claim of each further column: a map of its name to score, at, source, record_key, key, value.

    Reads `entries`: `attribute_entries`.
    """
    held = "size(filter(entries, o -> o.key = e.key AND o.value = e.value))"
    score = by_key(config, "e.key", lambda strategy: _score(strategy, "e", held))
    claim = f"named_struct('score', {score}, {_ties('e')}, 'key', e.key, 'value', e.value)"
    # The session lets the last one of a key win (`spark.sql.mapKeyDedupPolicy`): the greatest claim.
    return f"map_from_entries(transform(array_sort(transform(entries, e -> {claim})), c -> struct(c.key, c)))"


def by_key(config: ProfilesConfig, key: str, outcome: Callable[[Strategy], str]) -> str:
    """`outcome` of the strategy of the further column whose name `key` gives."""
    own = "".join(
        f" WHEN {text(name)} THEN {outcome(config.strategy(f'{ATTRIBUTES}.{name}'))}" for name in config.own_attributes
    )
    other = outcome(config.strategy(ATTRIBUTES))
    return f"CASE {key}{own} ELSE {other} END" if own else other


def text(value: str) -> str:
    """A word of the configuration as a SQL literal."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _score(strategy: Strategy, claim: str, times_held: str) -> str:
    """What the strategy gives a claim, a bigint; the greatest is the best."""
    if strategy.strategy == "most_frequent":
        return f"CAST({times_held} AS bigint)"
    if strategy.strategy == "source_priority":
        names = ", ".join(text(name) for name in strategy.sources)
        position = f"array_position(array({names}), {claim}.source)"
        return f"-coalesce(nullif({position}, 0L), {len(strategy.sources) + 1}L)"
    sign = "-" if strategy.strategy == "oldest" else ""
    return f"{sign}unix_micros({claim}.at)"


def _ties(claim: str) -> str:
    return ", ".join(f"'{name}', {claim}.{name}" for name in ("at", "source", "record_key"))


def _completeness(columns: tuple[str, ...]) -> str:
    parts = [
        f"IF(coalesce({', '.join(f'r.{name}' for name in names)}) IS NOT NULL, {weight}, 0)"
        for names, weight in _ESSENTIAL
        if set(names) <= set(columns)
    ]
    return " + ".join(parts) or "0"
