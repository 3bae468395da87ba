"""Which rows of a database are new: a slice between two bounds of a watermark, or the whole table once more.

A slice is an extract like a file: its path says what it holds, such as
`public.members?updated_at=(2026-11-24T03:00:00Z,2026-11-25T03:00:00Z]`, and the ledger of extracts knows by it how far
the source has been read. A watermark is a number or a time, so that a path tells nothing about a person.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from pyspark.sql import SparkSession

from cdp.base.errors import UsageError
from cdp.base.files import FoundFile
from cdp.base.settings import did_you_mean
from cdp.bronze.config import SourceConfig
from cdp.bronze.database import Database
from cdp.bronze.jdbc import ServerColumn, connected, relation

Bound = datetime | Decimal
DIVIDER = '"cdp divider"'
"""Name of the dividing column in the conditions of parts."""


@dataclass(frozen=True)
class Slice(FoundFile):
    """Rows of a database that are read together. Its size is their number when it was planned.

    Attributes:
        columns: what the server has.
        where: the condition of its rows, in SQL.
        divider: column that the parts divide by.
        parts: conditions of `DIVIDER` in SQL, of which each row fulfils exactly one; none: one part.
    """

    columns: tuple[ServerColumn, ...] = ()
    where: str = "true"
    divider: ServerColumn | None = None
    parts: tuple[str, ...] = ()


def plan_slice(
    spark: SparkSession, source: SourceConfig, zone: str, done: Sequence[FoundFile], now: datetime
) -> tuple[Slice | None, list[str]]:
    """What is to be read of a database, by one query.

    Args:
        spark: session.
        source: of format jdbc.
        zone: of timestamps that carry none.
        done: what the ledger says was read.
        now: start of the run, UTC, without zone.

    Returns:
        The slice, None where nothing is new; and notes.

    Raises:
        UsageError: the server, or what it has, is not as the source says.
    """
    database = source.jdbc
    assert database is not None
    with connected(spark, source) as server:
        columns = server.columns(database)
        _check_twice(source, columns)
        mark = _column(source, columns, "watermark", database.watermark)
        divider = _column(source, columns, "partition_by", database.partition_by)
        if divider and not divider.is_number:
            raise UsageError(f"source {source.name}: jdbc.partition_by: found type {divider.type}, wanted a number")
        last = _last(done, database, mark) if mark else None
        lower = _lower(source, mark, last)
        is_new = f"{mark.quoted} > {_literal(lower, mark)}" if mark and lower is not None else "true"
        is_time = _is_readable(mark, zone) if mark else "true"
        asked = [
            "count(*)",
            *([f"min({divider.quoted})", f"max({divider.quoted})"] if divider else ["null", "null"]),
            *([_text(mark), f"(select exists(select 1 from {relation(database)} where ({is_time}) is not true))"] if mark else []),
        ]
        row = server.row(f"select {', '.join(asked)} from {relation(database)} where {is_new} and {is_time}", len(asked))
    notes = []
    if mark and row[4] == "t":
        notes.append(f"{source.name}: rows without {mark.name}, or with one that is still to come, are not read")
    path, where, at = database.origin, "true", now
    if mark:
        upper: Any = _bound(row[3], mark) if row[3] else None
        if upper is None or (last is not None and upper <= last):
            return None, notes
        path += f"?{mark.name}=({_shown(lower, mark)},{_shown(upper, mark)}]"
        where = f"{is_new} and {mark.quoted} <= {_literal(upper, mark)}"
        at = _instant(upper, mark, zone, now)
    parts = _parts(row[1], row[2], database.partitions) if divider else ()
    return Slice(path, int(row[0] or 0), at, tuple(columns), where, divider, parts), notes


def _check_twice(source: SourceConfig, columns: Sequence[ServerColumn]) -> None:
    names = [c.name for c in columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"source {source.name}: jdbc.query: two columns are named {twice[0]}; give one another name")


def _column(source: SourceConfig, columns: Sequence[ServerColumn], key: str, name: str | None) -> ServerColumn | None:
    if name is None:
        return None
    same = [c for c in columns if c.name == name] or [c for c in columns if c.name.lower() == name.lower()]
    if not same:
        known = did_you_mean(name, [c.name for c in columns])
        raise UsageError(f"source {source.name}: jdbc.{key}: there is no column {name}{known}")
    if same[0].kind is None:
        raise UsageError(
            f"source {source.name}: jdbc.{key}: {name} has the type {same[0].type}, wanted a number, a date or a timestamp"
        )
    return same[0]


def _is_readable(mark: ServerColumn, zone: str) -> str:
    """The condition of a watermark that can be an upper bound: one in the future would hide all rows that come before."""
    if mark.kind == "int8":
        return f"{mark.quoted} is not null"
    if mark.is_number:
        return f"{mark.quoted} <> 'NaN'"
    named = f"interval '{zone}'" if zone[0] in "+-" else f"'{zone}'"
    now = {"timestamptz": "now()", "timestamp": f"now() at time zone {named}"}
    return f"{mark.quoted} <= {now.get(str(mark.kind), f'(now() at time zone {named})::date')}"


def _text(mark: ServerColumn) -> str:
    greatest = f"max({mark.quoted})"
    if mark.is_number:
        return f"{greatest}::text"
    shown = f"{greatest} at time zone 'UTC'" if mark.kind == "timestamptz" else greatest
    return f"""to_char({shown}, 'YYYY-MM-DD"T"HH24:MI:SS.US')"""


def _bound(text: str, mark: ServerColumn) -> Bound | None:
    try:
        return Decimal(text) if mark.is_number else datetime.fromisoformat(text.removesuffix("Z"))
    except (ValueError, InvalidOperation):
        return None


def _last(done: Sequence[FoundFile], database: Database, mark: ServerColumn) -> Any:
    """How far the ledger says the source was read by this watermark; None where it never was."""
    begins = f"{database.origin}?{mark.name}=("
    slices = [f.path[:-1] for f in done if f.path.startswith(begins) and f.path.endswith("]")]
    uppers: list[Any] = [_bound(path.rpartition(",")[2], mark) for path in slices]
    return max((upper for upper in uppers if upper is not None), default=None)


def _lower(source: SourceConfig, mark: ServerColumn | None, last: Bound | None) -> Bound | None:
    lookback = source.jdbc.lookback if source.jdbc else None
    if lookback and mark and mark.is_number:
        raise UsageError(f"source {source.name}: jdbc.lookback: {mark.name} is a number, and a period fits only times")
    if lookback and isinstance(last, datetime):
        return last - timedelta(**{f"{lookback.period}s": lookback.count})
    return last


def _shown(bound: Bound | None, mark: ServerColumn) -> str:
    if bound is None:
        return ""
    if isinstance(bound, Decimal):
        return str(bound)
    if mark.kind == "date":
        return bound.date().isoformat()
    return bound.isoformat() + ("Z" if mark.kind == "timestamptz" else "")


def _literal(bound: Bound, mark: ServerColumn) -> str:
    return f"'{_shown(bound, mark)}'::{mark.kind}"


def _instant(upper: Bound, mark: ServerColumn, zone: str, now: datetime) -> datetime:
    """The time of a slice, in UTC: its upper bound where that is a time."""
    if not isinstance(upper, datetime):
        return now
    if mark.kind == "timestamptz":
        return upper
    there: tzinfo = ZoneInfo(zone) if zone[0] not in "+-" else datetime.strptime(zone, "%z").tzinfo or timezone.utc
    return upper.replace(tzinfo=there).astimezone(timezone.utc).replace(tzinfo=None)


def _parts(least: str | None, most: str | None, wanted: int) -> tuple[str, ...]:
    ends = [Decimal(end) for end in (least, most) if end is not None]
    if len(ends) < 2 or not all(end.is_finite() for end in ends):
        return ()
    first, last = int(ends[0]), int(ends[1])
    count = min(wanted, last - first)
    cuts = [first + (last - first) * i // count for i in range(1, count)]
    if not cuts:
        return ()
    between = [f"{DIVIDER} >= {low} and {DIVIDER} < {high}" for low, high in pairwise(cuts)]
    return (f"{DIVIDER} < {cuts[0]} or {DIVIDER} is null", *between, f"{DIVIDER} >= {cuts[-1]}")
