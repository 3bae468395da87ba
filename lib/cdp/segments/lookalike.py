"""Lookalike segments: from the members of a seed and the features of everybody to the members, and what to say of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.conditions.clock import Clock
from cdp.models.features import FEATURES
from cdp.models.lookalike import Evidence, Learned, Limits, learn, most_alike, scores
from cdp.models.objections import objectors
from cdp.segments.attributes import BUILT_IN, Catalogue
from cdp.segments.behavior import outcome_kind
from cdp.segments.compile import in_segment
from cdp.segments.config import Lookalike, Segment
from cdp.segments.limits import places
from cdp.segments.members import may_be_in, needs_of

PURPOSE = "profiling"
"""Consent purpose: who stated anything about it and does not allow it is neither learned from nor scored."""

_SHARES = (0.01, 0.05, 0.1)
_MOST_NAMED = 5


@dataclass(frozen=True)
class Known:
    """What lookalikes are found by.

    Attributes:
        features: customer_id and `FEATURES`; customers who never ordered have none.
        consent: `gold.effective_consent`.
    """

    features: DataFrame
    consent: DataFrame

    @property
    def objectors(self) -> DataFrame:
        """customer_id of those who do not allow profiling, one row each."""
        return objectors(self.consent, PURPOSE)


def with_lookalikes(
    frame: DataFrame,
    name: str,
    segments: Mapping[str, Segment],
    known: Known,
    clock: Clock,
    catalogue: Catalogue = BUILT_IN,
) -> tuple[DataFrame, str]:
    """Find the members of a lookalike segment. Learns, so it counts customers and collects a bounded sample of them.

    Args:
        frame: customers with the membership of all segments that the segment refers to.
        name: the segment, with a `lookalike`.
        segments: by name, all that it refers to included.
        known: features and consent.
        clock: the run's date.
        catalogue: what there is to ask.

    Returns:
        The frame with the column `in_segment(name)`, and what to say of the segment: how good it is, or why it is empty.
    """
    segment = segments[name]
    settings = segment.lookalike
    assert settings is not None
    asked = asked_by(settings.seed, segments, catalogue)
    people = frame.select(
        "customer_id",
        F.col(in_segment(settings.seed)).alias("is_seed"),
        may_be_in(segment, clock, catalogue).alias("may_be_in"),
        *[number.alias(column) for column, number in asked.items()],
    )
    table = _judged(people, known).persist()
    usable, counts = table.where("is_usable"), _counts(table)
    found = learn(
        usable,
        FEATURES,
        asked=list(asked),
        exclude=settings.exclude_features,
        counts=(counts["seed"], counts["others"]),
        limits=Limits(min_seed=settings.min_seed),
    )
    members = table.sparkSession.createDataFrame([], "customer_id string")
    is_good = found.evidence is not None and found.evidence.is_proven
    if found.model and (is_good or settings.if_unproven == "keep"):
        candidates = usable.where("may_be_in AND NOT is_seed")
        size = places(settings.size, counts["candidates"])
        # Read again for each use of the frame, so kept; the plan behind it has done its work.
        members = most_alike(scores(candidates, found.model), size).select("customer_id").localCheckpoint()
    table.unpersist()
    is_in = members.withColumn(in_segment(name), F.lit(True))
    joined = frame.join(is_in, on="customer_id", how="left")
    column = {in_segment(name): F.coalesce(F.col(in_segment(name)), F.lit(False))}
    return joined.withColumns(column), told(settings, found, counts)


def asked_by(name: str, segments: Mapping[str, Segment], catalogue: Catalogue = BUILT_IN) -> dict[str, Column]:
    """What the rule of a segment, and of those that it refers to, asks of a customer, as numbers, by column of the frame.

    Texts and lists have no order that a feature could follow.
    """
    reached: set[str] = set()
    waiting = {name}
    while waiting:
        reached |= waiting
        waiting = {n for of in waiting for n in segments[of].references} - reached
    # The purpose of a segment decides on delivery, not on membership.
    needs = needs_of([segments[n].model_copy(update={"purpose": None}) for n in sorted(reached)], catalogue)
    kinds = {a.column: a.kind for a in needs.attributes if not a.is_array}
    kinds |= {column: outcome_kind(condition) for column, condition in needs.behaviors.items()}
    kinds |= dict.fromkeys(needs.facts, "boolean")
    return {c: _number(c, kind) for c, kind in sorted(kinds.items()) if kind in ("number", "boolean", "time")}


def told(settings: Lookalike, found: Learned, counts: Mapping[str, int]) -> str:
    """How good the expansion is, or why there is none; for a person.

    Args:
        settings: of the segment.
        found: what was learned.
        counts: customers: members of the seed, candidates, and `unknown` who might be candidates but cannot be compared.
    """
    of = f"seed {settings.seed} with {found.seed:,}"
    if counts["members"] > found.seed:
        of += f" of its {counts['members']:,} members (the others never ordered or object to profiling)"
    if found.evidence is None:
        return f"lookalike is empty: {found.why_not}; {of}"
    verdict = _verdict(settings.if_unproven, found.evidence)
    return "; ".join([verdict, of, *_figures(settings, found.evidence, counts["candidates"]), *_limits(found, counts)])


def _judged(people: DataFrame, known: Known) -> DataFrame:
    features = known.features.select("customer_id", F.lit(True).alias("has_features"), *FEATURES)
    objectors = known.objectors.withColumn("objects", F.lit(True))
    joined = people.join(features, on="customer_id", how="left").join(objectors, on="customer_id", how="left")
    is_usable = F.col("has_features").isNotNull() & F.col("objects").isNull()
    return joined.withColumn("is_usable", is_usable).drop("has_features", "objects")


def _counts(table: DataFrame) -> dict[str, int]:
    is_candidate = F.expr("is_usable AND may_be_in AND NOT is_seed")
    row = table.agg(
        F.count_if("is_seed").alias("members"),
        F.count_if(F.expr("is_usable AND is_seed")).alias("seed"),
        F.count_if(F.expr("is_usable AND NOT is_seed")).alias("others"),
        F.count_if(is_candidate).alias("candidates"),
        F.count_if(F.expr("may_be_in AND NOT is_seed AND NOT is_usable")).alias("unknown"),
    ).first()
    return dict(row.asDict()) if row else {}


def _number(name: str, kind: str) -> Column:
    return (F.col(name).cast("timestamp") if kind == "time" else F.col(name)).cast("double")


def _verdict(if_unproven: str, evidence: Evidence) -> str:
    low, high = evidence.auc_interval
    figure = f"AUC {evidence.auc:.2f} ({low:.2f} to {high:.2f})"
    if evidence.is_proven:
        return f"lookalike finds hidden members with {figure}"
    outcome = "so it is empty" if if_unproven == "empty" else "kept all the same"
    return f"lookalike is not proven better than chance, {figure}, {outcome}"


def _figures(settings: Lookalike, evidence: Evidence, candidates: int) -> list[str]:
    lines = ["lift " + ", ".join(f"{evidence.lift(share):.1f} at {share:.0%}" for share in _SHARES)]
    if candidates:
        share = places(settings.size, candidates) / candidates
        low, high = evidence.lift_interval(share)
        at_size = f"{evidence.lift(share):.1f} ({low:.1f} to {high:.1f}) at its size"
        lines.append(f"{at_size}, {100 * share:.2g}% of {candidates:,} candidates")
    return lines


def _limits(found: Learned, counts: Mapping[str, int]) -> list[str]:
    lines = []
    if found.sampled < found.seed + found.others:
        lines.append(f"learned from {found.sampled:,} of {found.seed + found.others:,}, chosen by a hash of their id")
    if counts["unknown"]:
        lines.append(f"{counts['unknown']:,} others cannot be compared (never ordered, or object to profiling)")
    if found.left_out:
        named = [f"{name} ({_plain(why)})" for name, why in list(found.left_out.items())[:_MOST_NAMED]]
        more = len(found.left_out) - len(named)
        lines.append("left out " + ", ".join(named) + (f" and {more} more" if more else ""))
    return lines


def _plain(why: str) -> str:
    """Columns of the frame as rules name them."""
    if any(prefix in why for prefix in ("behavior_", "holds__", "was_in__")):
        return "says the same as what the rule counts"
    return why.replace("__", ".")
