"""The rows of `gold.segment_members`, from the frame of customers with the membership of all segments."""

from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.conditions.holds import any_of
from cdp.segments.attributes import Attribute
from cdp.segments.compile import in_segment
from cdp.segments.config import Segment
from cdp.segments.sequence import SequenceCondition

MEMBER = (
    "segment string, version string, customer_id string, is_suppressed boolean, is_held_out boolean,"
    " matched map<string,array<string>>"
)
"""What `member_rows` gives."""

_NOBODY = -1

Kept = Mapping[str, Sequence[SequenceCondition]]
"""Columns, each with the sequences that keep it."""


def member_rows(frame: DataFrame, segments: Mapping[str, Segment], versions: Mapping[str, str]) -> DataFrame:
    """The members of every segment.

    Args:
        frame: customers with the membership of all segments (`with_membership`).
        segments: by name.
        versions: of each segment.

    Returns:
        A row for each customer and segment the customer is in: segment, version, customer_id, is_suppressed (no
        consent for the purpose), is_held_out (in the control group), matched (what sequences of the rule keep; null:
        nothing).
    """
    # What there is to say of a segment is looked up by its place: that costs a row of a member, not each customer as many
    # times as there are segments. `array_remove` is compiled and a column is worked out apart from `explode`; what is
    # exploded at once Spark may interpret, all rules inside it, and what takes a lambda, with all that is said of a member
    # beside it. Ahead of an `explode` that is not `outer` it looks whether there is something to explode, and judges
    # everybody twice for it.
    several = list(segments.values())
    places = [F.when(F.col(in_segment(s.name)), place).otherwise(_NOBODY) for place, s in enumerate(several)]
    purposes = sorted({s.purpose for s in several if s.purpose})
    keeping = {place: s.kept for place, s in enumerate(several) if s.kept}
    kept = {sequence.kept for of in keeping.values() for sequences in of.values() for sequence in sequences}
    found = frame.select(
        "customer_id",
        *[_allows(purpose) for purpose in purposes],
        *sorted(kept),
        F.array_remove(F.array(*places), _NOBODY).alias("place"),
    ).withColumn("place", F.explode_outer("place"))
    own = [(s.holdout.salt or s.name, s.holdout.percent) for s in several]
    everybody = [(s.shared.holdout.salt, s.shared.holdout.percent) for s in several]
    return found.where("place IS NOT NULL").select(
        _of_place([s.name for s in several]).alias("segment"),
        _of_place([versions[s.name] for s in several]).alias("version"),
        "customer_id",
        _is_suppressed(several, purposes).alias("is_suppressed"),
        (_is_drawn(own) | _is_drawn(everybody)).alias("is_held_out"),
        _matched(keeping).alias("matched"),
    )


def _of_place(values: Sequence[Any]) -> Column:
    return F.get(F.lit(list(values)), F.col("place"))


def _is_suppressed(segments: Sequence[Segment], purposes: Sequence[str]) -> Column:
    purpose = _of_place([s.purpose or "" for s in segments])
    return F.coalesce(*[F.when(purpose == name, ~F.col(_allows(name))) for name in purposes], F.lit(False))


def _allows(purpose: str) -> str:
    return Attribute("consent", purpose, "boolean").column


def is_suppressed(segment: Segment) -> Column:
    """Whether a customer does not allow what a segment is for."""
    return F.lit(False) if segment.purpose is None else ~F.col(_allows(segment.purpose))


def held_out(segment: Segment) -> Column:
    """Whether a customer is in a segment's control group, or in the universal one."""
    groups = ((segment.holdout.salt or segment.name, segment.holdout.percent),
              (segment.shared.holdout.salt, segment.shared.holdout.percent))  # fmt: skip
    drawn = [_draw(F.lit(salt), F.lit(_below(percent))) for salt, percent in groups if percent]
    return any_of([F.lit(False), *drawn])


def _is_drawn(groups: Sequence[tuple[str, float]]) -> Column:
    """Whether a member is in a control group.

    Args:
        groups: salt and percent of the segment at each place.
    """
    drawn = [percent > 0 for _, percent in groups]
    if not any(drawn):
        return F.lit(False)
    below = _of_place([_below(percent) for _, percent in groups])
    return _of_place(drawn) & _draw(_of_place([salt for salt, _ in groups]), below)


def _draw(salt: Column, below: Column) -> Column:
    """A stable share: the first 8 hexadecimal digits of SHA-256 of `salt|customer_id` lie below a number, as text."""
    return F.substring(F.sha2(F.concat_ws("|", salt, F.col("customer_id")), 256), 1, 8) < below


def _below(percent: float) -> str:
    """The number with 8 hexadecimal digits that the share ends at; after all of them for everybody."""
    number = round(percent / 100 * 16**8)
    return f"{number:08x}" if number < 16**8 else "g"


def _matched(keeping: Mapping[int, Kept]) -> Column:
    """What is kept of a member, by column: of several sequences what the first has that holds."""
    chosen = F.lit(None).cast("map<string,array<string>>")
    nothing = F.create_map().cast("map<string,array<string>>")
    for place, kept in keeping.items():
        found = {path: F.coalesce(*[F.col(s.kept)[path] for s in several]) for path, several in kept.items()}
        each = [F.when(v.isNotNull(), F.create_map(F.lit(path), v)).otherwise(nothing) for path, v in found.items()]
        some = F.map_concat(*each)
        chosen = F.when(F.col("place") == place, F.when(F.size(some) > 0, some)).otherwise(chosen)
    return chosen
