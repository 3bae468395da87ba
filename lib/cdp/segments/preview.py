"""What a dry run of chosen segments shows: how large each is, what shapes it, whom it reaches, with whom it overlaps.

Two queries, however many segments and conditions there are: one over everybody, one over the members.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.base.masks import masked_row
from cdp.base.stage import Run
from cdp.conditions.clock import Clock
from cdp.segments.attributes import Catalogue
from cdp.segments.compile import condition_holds, in_segment
from cdp.segments.config import Segment
from cdp.segments.evaluate import Judged
from cdp.segments.load import catalogue_of
from cdp.segments.plan import Plan
from cdp.segments.words import said_condition
from cdp.tables.gold import CUSTOMER_IDENTIFIERS, PROFILES, SEGMENT_MEMBERS

EXAMPLES, OVERLAPS = 10, 10
DEVICES = ("device_id", "idfa", "gaid", "push_token")
"""Types of identifiers that an app is reached by; a cookie is none."""

_SHOWN = ("full_name", "email", "phone", "city", "country")
_REACH: Mapping[str, str] = {
    "e-mail": "email IS NOT NULL",
    "phone": "phone IS NOT NULL",
    "device or push": "has_device",
    "address": "street IS NOT NULL AND postal_code IS NOT NULL",
}


@dataclass(frozen=True)
class Shown:
    """A table for a person: title, names of columns, rows."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[Any]]


def preview(run: Run, work: Plan, judged: Judged, before: Mapping[str, Mapping[str, Any]]) -> list[Shown]:
    """What the chosen segments would be.

    Args:
        run: the run.
        work: the plan, with the chosen segments.
        judged: everybody.
        before: `gold.segment_status` by segment.
    """
    chosen = {name: s for name, s in work.good.items() if name in work.selected}
    if not chosen or judged.frame is None:
        return []
    profiles, identifiers, others = (
        run.lake.read(table) for table in (PROFILES, CUSTOMER_IDENTIFIERS, SEGMENT_MEMBERS)
    )
    members = judged.stand.where(F.col("version").isNotNull())
    return [
        _sizes(chosen, judged.counts, before),
        *shaping(judged.frame, chosen, Clock(run.as_of), catalogue_of(run.config)),
        *membership(members, profiles, identifiers, others, chosen),
    ]


def _sizes(
    names: Iterable[str], counts: Mapping[str, Mapping[str, int]], before: Mapping[str, Mapping[str, Any]]
) -> Shown:
    rows = []
    for name in names:
        now, then = counts.get(name, {}), before.get(name)
        size = now.get("size", 0)
        last = (then["computed_on"], then["size"], size - then["size"]) if then else (None, None, None)
        rows.append((name, size, *last, now.get("entered", 0), now.get("exited", 0)))
    return Shown("Dry run", ("segment", "members", "last run", "members then", "change", "in", "out"), rows)


def shaping(frame: DataFrame, segments: Mapping[str, Segment], clock: Clock, catalogue: Catalogue) -> list[Shown]:
    """What each condition of the rules does. One query over everybody, one row.

    Of a rule that is an And each of its conditions, else the rule as a whole; with them the exclusions and priorities. Limits come
    after all of these, so those who meet the rule are counted, not the members.

    Args:
        frame: customers with the membership of all segments that those chosen refer to.
        segments: those to show.
        clock: the run's date.
        catalogue: what there is to ask.
    """
    parts = {name: _parts(segment, clock, catalogue) for name, segment in segments.items()}
    counts: dict[str, Column] = {}
    for name, conditions in parts.items():
        may_be = F.lit(True) if segments[name].include_anonymous else ~F.col("is_anonymous")
        missed = reduce(lambda a, b: a + b, [(~part).cast("int") for _, part in conditions], F.lit(0))
        counts[f"{name}|people"] = F.count_if(may_be)
        counts[f"{name}|meet"] = F.count_if(may_be & (missed == 0))
        for i, (_, part) in enumerate(conditions):
            counts[f"{name}|{i}|more"] = F.count_if(may_be & (missed == 1) & ~part)
            counts[f"{name}|{i}|alone"] = F.count_if(may_be & part)
    row = frame.agg(*[count.alias(key) for key, count in counts.items()]).first()
    found = row.asDict() if row else {}
    return [_shaped(name, [text for text, _ in conditions], found) for name, conditions in parts.items()]


def _parts(segment: Segment, clock: Clock, catalogue: Catalogue) -> list[tuple[str, Column]]:
    rule = segment.rule
    conditions: Sequence[Any] = () if rule is None else rule.conditions if rule.type == "And" else (rule,)
    parts = [(said_condition(c), condition_holds(c, clock, catalogue)) for c in conditions]
    barred = segment.shared.barred.items()
    return [*parts, *((f"not in {other} ({key})", ~F.col(in_segment(other))) for other, key in barred)]


def _shaped(name: str, texts: Sequence[str], counts: Mapping[str, int]) -> Shown:
    rows = [(text, counts[f"{name}|{i}|more"], counts[f"{name}|{i}|alone"]) for i, text in enumerate(texts)]
    # The condition that keeps most people out comes first.
    ranked = sorted(rows, key=lambda r: (-r[1], r[2], r[0]))
    title = f"{name}: {counts[f'{name}|meet']:,} of {counts[f'{name}|people']:,} meet the rule"
    return Shown(title, ("condition", "more without it", "meet it"), ranked)


def membership(
    members: DataFrame, profiles: DataFrame, identifiers: DataFrame, others: DataFrame, segments: Mapping[str, Segment]
) -> list[Shown]:
    """Whom the segments reach, with whom they overlap, and some members. One query; at most some rows a segment.

    Args:
        members: segment, customer_id, is_suppressed, is_held_out: of the segments to show, as the rules find them now.
        profiles: `gold.profiles`.
        identifiers: `gold.customer_identifiers`.
        others: `gold.segment_members`, as of their last run.
        segments: those to show.
    """
    devices = (
        identifiers.where(F.col("is_current") & F.col("id_type").isin(list(DEVICES))).select("customer_id").distinct()
    )
    people = (
        members.join(profiles.select("customer_id", *_SHOWN, "street", "postal_code"), on="customer_id", how="inner")
        .join(devices.withColumn("has_device", F.lit(True)), on="customer_id", how="left")
        .withColumn("has_device", F.col("has_device").isNotNull())
    )
    rows = reduce(
        DataFrame.unionByName, [_reach(people), _overlap(members, others), *(_examples(people, n) for n in segments)]
    )
    found = rows.collect()
    shown = []
    for name, segment in segments.items():
        mine = [row for row in found if row["segment"] == name]
        shown += _told(name, segment, mine)
    return shown


def _reach(people: DataFrame) -> DataFrame:
    ways = [
        F.struct(F.lit(way).alias("key"), F.expr(has).alias("has")) for way, has in {"all": "true", **_REACH}.items()
    ]
    each = people.select("segment", "is_suppressed", "is_held_out", F.explode(F.array(*ways)).alias("way")).where(
        "way.has"
    )
    is_allowed = ~F.col("is_suppressed")
    counts = (F.count(F.lit(1)), F.count_if(is_allowed), F.count_if(is_allowed & ~F.col("is_held_out")))
    return _shape(each.groupBy("segment", F.col("way.key").alias("key")).agg(*_named(*counts)), "reach")


def _overlap(members: DataFrame, others: DataFrame) -> DataFrame:
    other = others.select(F.col("segment").alias("key"), "customer_id")
    both = members.join(other, on="customer_id", how="inner").where("segment <> key")
    return _shape(both.groupBy("segment", "key").agg(*_named(F.count(F.lit(1)))), "overlap")


def _examples(people: DataFrame, name: str) -> DataFrame:
    first = people.where(F.col("segment") == name).orderBy("customer_id").limit(EXAMPLES)
    return _shape(first.select("segment", F.col("customer_id").alias("key"), *_SHOWN), "example")


def _named(*counts: Column) -> list[Column]:
    return [count.alias(name) for name, count in zip(("n", "allowed", "sent"), counts, strict=False)]


def _shape(rows: DataFrame, what: str) -> DataFrame:
    """All parts in one shape, so that one query brings them."""
    of = {"n": "bigint", "allowed": "bigint", "sent": "bigint", **dict.fromkeys(_SHOWN, "string")}
    columns = [F.col(c) if c in rows.columns else F.lit(None).cast(type_).alias(c) for c, type_ in of.items()]
    return rows.select(F.lit(what).alias("what"), "segment", "key", *columns)


def _told(name: str, segment: Segment, rows: Sequence[Any]) -> list[Shown]:
    of = {what: [row for row in rows if row["what"] == what] for what in ("reach", "overlap", "example")}
    counted = {row["key"]: (row["n"], row["allowed"], row["sent"]) for row in of["reach"]}
    size = counted.get("all", (0, 0, 0))[0]
    purpose = f"allow {segment.purpose}" if segment.purpose else "no purpose: all"
    reach = [(way, *counted.get(way, (0, 0, 0))) for way in ("all", *_REACH)]
    overlap = sorted(of["overlap"], key=lambda row: (-row["n"], row["key"]))[:OVERLAPS]
    examples = sorted(of["example"], key=lambda row: row["key"])
    masked = [masked_row({c: row[c] for c in _SHOWN}, PROFILES) for row in examples]
    return [
        Shown(f"{name}: reach", ("members with", "members", purpose, "and not held out"), reach),
        Shown(
            f"{name}: overlap",
            ("segment", "members of both", "share"),
            [(r["key"], r["n"], f"{r['n'] / size:.1%}") for r in overlap],
        ),
        Shown(
            f"{name}: examples",
            ("customer_id", *_SHOWN),
            [(r["key"], *m.values()) for r, m in zip(examples, masked, strict=True)],
        ),
    ]
