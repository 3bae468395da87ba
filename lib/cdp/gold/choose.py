"""How one value is chosen among those that the records of a customer hold.

All of it is Spark SQL over two arrays of a customer's row, in text: a tenth of the calls to the JVM that columns would take.

    known_records  source, record_key, at (when its version was made), the columns of `config.GROUPS`, emails, email_flags,
                   phones, attributes
    contacts       id_type, id_value, is_record, source, record_key, at, `contacts.SIGNS`: identifiers that are e-mail
                   addresses or phones

A claim is a value with what speaks for it. The greatest claim wins, and as it ends with source, key and value, the order
is total. Claims are sorted, the greatest first, and of those with one value the first stays: the first is the winner, those
behind it the runners-up.
"""

from collections.abc import Callable

from cdp.base.sql import literal
from cdp.gold.config import ATTRIBUTES, LISTS, ProfilesConfig, Strategy
from cdp.silver.emails import DISPOSABLE

# What makes a group worth more than a newer one in part, with how much it weighs: any of the columns counts.
_ESSENTIAL = ((("given_name",), 1), (("family_name",), 1), (("street",), 2), (("postal_code", "city"), 1))

_NUMBER = "decimal(38,10)"
"""What a text is compared as that is to be a number."""


def group_claims(columns: tuple[str, ...], strategy: Strategy) -> str:
    """Claims of a group of columns that move together: complete, score, at, source, record_key, value (a struct of them).

    A name with both parts, and an address with street and place, come before one in part; then the strategy decides.
    """
    agrees = " AND ".join(f"o.{c} <=> r.{c}" for c in columns)
    score = _score(
        strategy,
        "r",
        held=f"size(filter(known_records, o -> {agrees}))",
        filled=_filled(columns),
        smaller=f"size(filter(known_records, o -> o.{columns[0]} < r.{columns[0]}))",
    )
    values = ", ".join(f"'{c}', r.{c}" for c in columns)
    is_filled = " OR ".join(f"r.{c} IS NOT NULL" for c in columns)
    claim = f"named_struct('complete', {_completeness(columns)}, 'score', {score}, {_ties('r')}, 'value', named_struct({values}))"
    return f"sort_array(transform(filter(known_records, r -> {is_filled}), r -> {claim}), false)"


def contacts_by_value(kind: str) -> str:
    """The contacts of a kind, those of one value together: an array of arrays."""
    values = f"array_distinct(transform(filter(contacts, c -> c.id_type = '{kind}'), c -> c.id_value))"
    return f"transform({values}, v -> filter(contacts, c -> c.id_type = '{kind}' AND c.id_value = v))"


def contact_claims(kind: str, strategy: Strategy, by_value: str) -> str:
    """A claim for each e-mail address or phone number: .., of (the record that speaks for it), value.

    One that cannot be reached comes last whatever the strategy. Then what stands in a customer record comes before what
    was only seen with an activity, then the strategy decides, then the record's own order; for `best` permission and
    engagement stand before these.

    Args:
        kind: email or phone.
        strategy: how the best is chosen.
        by_value: column of `contacts_by_value`.
    """
    score = _score(strategy, "c", held="size(g)")
    is_its_first = f"r.source = c.source AND r.record_key = c.record_key AND get(r.{LISTS[kind]}, 0) <=> c.id_value"
    of = (
        f"named_struct('is_record', c.is_record, 'score', {score}, 'at', c.at,"
        f" 'is_preferred', exists(known_records, r -> {is_its_first}), 'source', c.source, 'record_key', c.record_key)"
    )
    lead = [f"'is_reachable', {_is_reachable(kind)}"]
    if strategy.strategy == "best":
        lead += [f"'permission', {_permission()}", "'engaged_at', array_max(transform(g, c -> c.engaged_at))"]
    claim = f"named_struct({', '.join(lead)}, 'of', array_max(transform(g, c -> {of})), 'value', get(g, 0).id_value)"
    return f"sort_array(transform({by_value}, g -> {claim}), false)"


def attribute_entries() -> str:
    """Every further column of every record, as an array of at, source, record_key, key, value; blanks left out."""
    entry = f"named_struct({_ties('r')}, 'key', e.key, 'value', e.value)"
    of_record = f"transform(map_entries(coalesce(r.attributes, map())), e -> {entry})"
    return rf"filter(flatten(transform(known_records, r -> {of_record})), e -> e.value RLIKE '\\S')"


def attribute_claims(config: ProfilesConfig) -> str:
    """Claims by further column: an array of key, claims (score, at, source, record_key, value).

    Reads `entries`: `attribute_entries`.
    """
    # Numbers are compared as such where all that the customer's records hold are numbers.
    is_text = f"exists(g, o -> try_cast(o.value AS {_NUMBER}) IS NULL)"
    as_number = f"try_cast(o.value AS {_NUMBER}) < try_cast(e.value AS {_NUMBER})"

    def score(strategy: Strategy) -> str:
        return _score(
            strategy,
            "e",
            held="size(filter(g, o -> o.value = e.value))",
            filled="length(trim(e.value))",
            smaller=f"IF({is_text}, size(filter(g, o -> o.value < e.value)), size(filter(g, o -> {as_number})))",
        )

    claim = f"named_struct('score', {by_key(config, 'e.key', score)}, {_ties('e')}, 'value', e.value)"
    by_name = "transform(array_distinct(transform(entries, e -> e.key)), k -> filter(entries, e -> e.key = k))"
    claims = f"sort_array(transform(g, e -> {claim}), false)"
    return f"transform({by_name}, g -> named_struct('key', get(g, 0).key, 'claims', {claims}))"


def first_of_each_value(claims: str) -> str:
    """Of sorted claims the first of each value. What is named twice should be a column, not an expression."""
    is_first = f"array_position(transform({claims}, o -> o.value), c.value) = i + 1"
    return f"IF(size({claims}) < 2, {claims}, filter({claims}, (c, i) -> {is_first}))"


def joined(claims: str, strategy: Strategy) -> str:
    """The values of the first claims as one text, for `union`."""
    kept = f"slice({claims}, 1, {strategy.limit})" if strategy.limit else claims
    return f"array_join(transform({kept}, c -> c.value), {literal(strategy.separator or ', ')})"


def by_key(config: ProfilesConfig, key: str, outcome: Callable[[Strategy], str]) -> str:
    """`outcome` of the strategy of the further column whose name `key` gives."""
    own = "".join(
        f" WHEN {literal(name)} THEN {outcome(config.strategy(f'{ATTRIBUTES}.{name}'))}" for name in config.own_attributes
    )
    other = outcome(config.strategy(ATTRIBUTES))
    return f"CASE {key}{own} ELSE {other} END" if own else other


def _score(strategy: Strategy, claim: str, *, held: str, filled: str = "0", smaller: str = "0") -> str:
    """What the strategy gives a claim, a bigint; the greatest is the best.

    Args:
        strategy: which.
        claim: name of what has source and at.
        held: how many records hold its value.
        filled: how much of it is there.
        smaller: how many values of the customer are less.
    """
    if strategy.strategy == "source_priority":
        names = ", ".join(literal(name) for name in strategy.sources)
        position = f"array_position(array({names}), {claim}.source)"
        return f"-coalesce(nullif({position}, 0L), {len(strategy.sources) + 1}L)"
    measures = {"most_frequent": held, "most_complete": filled, "max": smaller, "min": f"-({smaller})"}
    if strategy.strategy in measures:
        return f"CAST({measures[strategy.strategy]} AS bigint)"
    sign = "-" if strategy.strategy == "oldest" else ""
    return f"{sign}unix_micros({claim}.at)"


def _is_reachable(kind: str) -> str:
    """Whether nothing says that the value of the contacts `g` cannot be reached: the last message failed, or it is
    an address that somebody took for minutes."""
    failed, reached = (f"array_max(transform(g, c -> c.{sign}))" for sign in ("failed_at", "reached_at"))
    is_failed = f"coalesce({failed} > coalesce({reached}, timestamp'0001-01-01'), false)"
    if kind != "email":
        return f"NOT {is_failed}"
    flag = "get(r.email_flags, CAST(array_position(r.emails, get(g, 0).id_value) AS int) - 1)"
    return f"NOT {is_failed} AND NOT exists(known_records, r -> coalesce({flag} LIKE '%{DISPOSABLE}%', false))"


def _permission() -> str:
    """1 where the latest statement of the records that carry a contact point allows to write to it, -1 where it refuses."""
    # A grant that has ended is no permission, and no refusal.
    return "CASE pmod(array_max(transform(g, c -> c.statement)), 4) WHEN 0 THEN 1 WHEN 2 THEN -1 WHEN 3 THEN -1 ELSE 0 END"


def _ties(claim: str) -> str:
    return ", ".join(f"'{name}', {claim}.{name}" for name in ("at", "source", "record_key"))


def _filled(columns: tuple[str, ...]) -> str:
    if len(columns) == 1:
        return f"length(trim(CAST(r.{columns[0]} AS string)))"
    return " + ".join(f"IF(r.{c} IS NOT NULL, 1, 0)" for c in columns)


def _completeness(columns: tuple[str, ...]) -> str:
    parts = [
        f"IF(coalesce({', '.join(f'r.{name}' for name in names)}) IS NOT NULL, {weight}, 0)"
        for names, weight in _ESSENTIAL
        if set(names) <= set(columns)
    ]
    return " + ".join(parts) or "0"
