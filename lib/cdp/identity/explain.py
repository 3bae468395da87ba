"""Why two records are one person, or are not: read from the tables, without Spark."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from cdp.base.errors import UsageError
from cdp.identity.rules import side_of
from cdp.identity.sets import DisjointSets

if TYPE_CHECKING:
    import pyarrow.dataset as ds

Record = tuple[str, str]
"""Source and record_key."""

_SHOWN = (
    *("full_name", "given_name", "middle_name", "family_name", "name_suffix", "birth_date", "gender"),
    *("emails", "phones", "street", "city", "postal_code", "country", "identifiers"),
)


@dataclass(frozen=True)
class Link:
    """A row of `identity.links`."""

    left: Record
    right: Record
    rule: str
    weight: float | None
    probability: float
    evidence: tuple[tuple[str, float], ...]
    decision: str
    reason: str


@dataclass(frozen=True)
class Explanation:
    """What is known of two records, or of a customer's.

    Attributes:
        records: each with its fields, those that are empty left out, and its customer_id.
        links: between them, decided ones first.
        chain: accepted links that lead from the first record to the last one; empty where they are two people.
        met: of two records the blocking rules by which they were compared; None where that is not known.
    """

    records: Mapping[Record, Mapping[str, Any]]
    links: tuple[Link, ...]
    chain: tuple[Link, ...]
    met: tuple[str, ...] | None = None

    @property
    def is_one(self) -> bool:
        """Whether all records are one customer's."""
        return len({fields.get("customer_id") for fields in self.records.values()}) == 1


def explain_pair(lake: Path, left: Record, right: Record) -> Explanation:
    """Explain two records.

    Raises:
        UsageError: no such lake, table or record.
    """
    owners = {record: _customer_of(lake, record) for record in (left, right)}
    same = owners[left] == owners[right]
    members = _members(lake, owners[left]) if same else [left, right]
    links = _links(lake, members)
    direct = tuple(link for link in links if {link.left, link.right} == {left, right})
    return Explanation(
        {record: {**_fields(lake, record), "customer_id": owners[record]} for record in (left, right)},
        direct,
        _path(links, left, right) if same else (),
        _met(lake, left, right),
    )


def explain_customer(lake: Path, customer_id: str) -> Explanation:
    """Explain how a customer's records came together: the links that suffice, strongest first.

    Raises:
        UsageError: no such lake, table or customer.
    """
    members = _members(lake, customer_id)
    if not members:
        raise UsageError(f"{customer_id}: no customer has this id now; identity.changes says what became of it")
    links = _links(lake, members)
    people = [record for record in members if not record[1].startswith("ids:")] or members[:1]
    return Explanation(
        {record: {**_fields(lake, record), "customer_id": customer_id} for record in people},
        tuple(link for link in links if link.decision != "accepted"),
        _spanning(links),
    )


def steps(link: Link) -> list[tuple[str, float, float]]:
    """Label, where a step begins and where it ends, in bits: the prior first, then fields by how much they say."""
    prior = [(name, bits) for name, bits in link.evidence if name == "prior"]
    others = sorted((e for e in link.evidence if e[0] != "prior"), key=lambda e: -abs(e[1]))
    found, at = [], 0.0
    for name, bits in (*prior, *others):
        found.append((name, at, at + bits))
        at += bits
    return found


def check_known(lake: Path, side: str) -> None:
    """Check that a side of a steward's rule names something.

    Raises:
        UsageError: no such record or identifier in the lake; without the value, which may be a person's.
    """
    is_record, first, second = side_of(side)
    if is_record:
        _customer_of(lake, (first, second))
        return
    wanted = (pc.field("id_type") == first) & (pc.field("id_value") == second)
    if not dataset(lake, "silver.identifiers").count_rows(filter=wanted):
        raise UsageError(f"--lake {lake}: no record has this {first}")


def dataset(lake: Path, table: str) -> "ds.Dataset":
    """A table of a lake, read without Spark.

    Raises:
        UsageError: there is no such table.
    """
    from deltalake import DeltaTable
    from deltalake.exceptions import TableNotFoundError

    path = lake / table.replace(".", "/")
    try:
        return DeltaTable(path).to_pyarrow_dataset()
    except (TableNotFoundError, OSError):
        raise UsageError(f"--lake {lake}: found no table {table}; `./spark-submit.sh pipeline` makes it") from None


def _rows(lake: Path, table: str, condition: pc.Expression, columns: Sequence[str]) -> list[dict[str, Any]]:
    found: pa.Table = dataset(lake, table).to_table(columns=list(columns), filter=condition)
    rows: list[dict[str, Any]] = found.to_pylist()
    return rows


def _customer_of(lake: Path, record: Record) -> str:
    source, key = record
    is_it = (pc.field("source") == source) & (pc.field("record_key") == key) & pc.field("is_current")
    rows = _rows(lake, "identity.assignments", is_it, ["customer_id"])
    if not rows:
        raise UsageError(f"{source}|...: no such record in identity.assignments; wanted source|record_key as it stands there")
    return str(rows[0]["customer_id"])


def _members(lake: Path, customer_id: str) -> list[Record]:
    is_it = (pc.field("customer_id") == customer_id) & pc.field("is_current")
    rows = _rows(lake, "identity.assignments", is_it, ["source", "record_key"])
    return sorted((row["source"], row["record_key"]) for row in rows)


def _fields(lake: Path, record: Record) -> dict[str, Any]:
    is_it = (pc.field("source") == record[0]) & (pc.field("record_key") == record[1])
    rows = _rows(lake, "silver.customer_records", is_it, _SHOWN)
    return {name: value for name, value in (rows[0] if rows else {}).items() if value not in (None, [], "")}


def _met(lake: Path, left: Record, right: Record) -> tuple[str, ...] | None:
    """The blocking rules of which both records have the same value; None where one was not compared, or nothing is stored."""
    wanted = pc.field("record_key").isin(pa.array([left[1], right[1]], pa.string()))
    try:
        rows = _rows(lake, "identity.resolved_records", wanted, ["source", "record_key", "keys"])
    except UsageError:
        return None
    keys = {(row["source"], row["record_key"]): dict(row["keys"]) for row in rows if row["keys"] is not None}
    if left not in keys or right not in keys:
        return None
    return tuple(rule for rule, key in keys[left].items() if keys[right].get(rule) == key)


def _links(lake: Path, members: Sequence[Record]) -> list[Link]:
    keys = pa.array([key for _, key in members], pa.string())
    touches = pc.field("left_record_key").isin(keys) & pc.field("right_record_key").isin(keys)
    columns = [
        *("left_source", "left_record_key", "right_source", "right_record_key"),
        *("rule", "match_weight", "probability", "evidence", "decision", "reason"),
    ]
    wanted = set(members)
    links = []
    for row in _rows(lake, "identity.links", touches, columns):
        left, right = (row["left_source"], row["left_record_key"]), (row["right_source"], row["right_record_key"])
        if left in wanted and right in wanted:
            evidence = tuple(row["evidence"] or ())
            links.append(
                Link(left, right, row["rule"], row["match_weight"], row["probability"], evidence, row["decision"], row["reason"])
            )
    return sorted(links, key=_strength)


def _strength(link: Link) -> tuple[bool, bool, float, Record, Record, str]:
    """Accepted ones first, equal identifiers before likeness."""
    is_likeness = link.rule == "comparison"
    return link.decision != "accepted", is_likeness, -link.probability, link.left, link.right, link.rule


def _path(links: Iterable[Link], start: Record, end: Record) -> tuple[Link, ...]:
    """The fewest accepted links from one record to the other."""
    ways: dict[Record, list[tuple[Record, Link]]] = {}
    for link in links:
        if link.decision == "accepted":
            ways.setdefault(link.left, []).append((link.right, link))
            ways.setdefault(link.right, []).append((link.left, link))
    came: dict[Record, tuple[Record, Link]] = {}
    waiting = deque([start])
    while waiting:
        record = waiting.popleft()
        if record == end:
            break
        for other, link in ways.get(record, []):
            if other != start and other not in came:
                came[other] = record, link
                waiting.append(other)
    path = []
    record = end
    while record in came:
        record, link = came[record]
        path.append(link)
    return tuple(reversed(path))


def _spanning(links: Sequence[Link]) -> tuple[Link, ...]:
    """Links that join all records, strongest first, none that joins what is joined."""
    joined: DisjointSets[Record] = DisjointSets()
    return tuple(link for link in links if link.decision == "accepted" and joined.join(link.left, link.right))
