"""Members up to a limit: the place in the order at which a segment ends, found by counting.

No step brings more than a row to the driver, and none sorts everybody: a few counts, each of which leaves a small part of
those among whom the place still is.
"""

import math
from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.segments.attributes import Catalogue
from cdp.segments.compile import in_segment
from cdp.segments.config import Segment
from cdp.segments.limits import DRAW_DIGITS, DRAWS, Limit, Ranking, places, share_of

_ACCURACY = 10_000
"""Spark's quantiles are off by at most one part in so many."""
_SORTED = 10_000
"""So few are sorted."""


def draw(salt: str) -> Column:
    """A customer's own number, at least 0 and below `DRAWS`, the same for ever: the first 13 hexadecimal digits of SHA-256 of
    `limit|SALT|CUSTOMER_ID`. Holdouts hash another text, so that a sample has as large a control group as all have."""
    digest = F.sha2(F.concat(F.lit(f"limit|{salt}|"), F.col("customer_id")), 256)
    return F.conv(F.substring(digest, 1, DRAW_DIGITS), 16, 10).cast("double")


def with_caps(frame: DataFrame, segments: Mapping[str, Segment], catalogue: Catalogue) -> DataFrame:
    """Take those beyond their segment's limit out. Reads the frame once more, unless all limits are shares by chance.

    Args:
        frame: customers with `in_segment(name)`: who meets the rule.
        segments: with a limit, by name.
        catalogue: what there is to ask.

    Returns:
        The frame with `in_segment(name)`: who is a member.
    """
    limits = {name: s.limit for name, s in segments.items() if s.limit}
    keys = {name: _key(name, limit, catalogue) for name, limit in limits.items()}
    meets = {name: F.col(in_segment(name)) for name in limits}
    inside = {name: _drawn(name, limit) for name, limit in limits.items() if limit.is_own_draw}
    counted = [name for name in limits if name not in inside]
    if counted:
        narrow = frame.select(
            "customer_id", *[F.when(meets[name], keys[name]).alias(name) for name in counted]
        ).persist()
        for name in counted:
            those = narrow.where(F.col(name).isNotNull()).select(F.col(name).alias("key"), "customer_id")
            inside[name] = _until(those, limits[name], keys[name])
        narrow.unpersist()
    return frame.withColumns({in_segment(name): meets[name] & within for name, within in inside.items()})


def last_place(rows: DataFrame, place: int, *, enough: int = _SORTED) -> tuple[float, str]:
    """Who stands at a place, from 1, in the order of `key`, ties by customer_id.

    Args:
        rows: key (double), customer_id; at least `place` of them. Read several times.
        place: which.
        enough: where no more than so many are left they are sorted.
    """
    left = rows.withColumn("id_key", _prefix(F.col("customer_id")))
    count = left.count()
    for by in ("key", "id_key"):
        while count > enough:
            left, place, count, is_one = _narrowed(left, by, place, count)
            if is_one:
                break
    found = left.orderBy("key", "customer_id").offset(place - 1).limit(1).first()
    assert found is not None
    return found["key"], found["customer_id"]


def _narrowed(rows: DataFrame, by: str, place: int, count: int) -> tuple[DataFrame, int, int, bool]:
    """The part of the rows that holds the place, the place in it, its rows, and whether they are all alike."""
    shares = [min(max(place / count + step / _ACCURACY, 0.0), 1.0) for step in (-2, 2)]
    row = rows.agg(F.percentile_approx(by, shares, _ACCURACY)).first()
    low, high = row[0] if row else (0.0, 0.0)
    value = F.col(by)
    parts = [value < low, value == low, (value > low) & (value < high), (value == high) & (value > low), value > high]
    counts = rows.agg(*[F.count_if(part) for part in parts]).first() or [0] * len(parts)
    # Whatever the quantiles are worth, the place is in one of the five.
    for i, part in enumerate(parts):
        if place <= counts[i]:
            return rows.where(part), place, counts[i], i in (1, 3)
        place -= counts[i]
    raise AssertionError("the place lies beyond the last row")


def _key(name: str, limit: Limit, catalogue: Catalogue) -> Column:
    """A number by which the first come first; never null."""
    if not isinstance(limit.by, Ranking):
        return draw(limit.salt or name)
    found = catalogue.find(limit.by.attribute, limit.by.horizon_days)
    value = F.col(found.column)
    number = (value.cast("timestamp") if found.kind == "time" else value).cast("double")
    number = -number if limit.by.order == "descending" else number
    # A customer without a value comes last, and so does one with a value that is no number.
    return F.when(F.isnan(number), F.lit(math.inf)).otherwise(F.coalesce(number, F.lit(math.inf)))


def _drawn(name: str, limit: Limit) -> Column:
    share = share_of(limit.size)
    assert share is not None
    return draw(limit.salt or name) < F.lit(float(round(share * DRAWS)))


def _until(those: DataFrame, limit: Limit, key: Column) -> Column:
    count = those.count()
    size = places(limit.size, count)
    if size >= count:
        return F.lit(True)
    last, who = last_place(those, size)
    return (key < last) | ((key == last) & (F.col("customer_id") <= who))


def _prefix(text: Column) -> Column:
    """The first seven bytes of a text as a number: in the same order, and equal only where these bytes are."""
    return F.conv(F.rpad(F.substring(F.hex(text), 1, 14), 14, "0"), 16, 10).cast("double")
