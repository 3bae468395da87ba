"""Who is in which segment, by the rules."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.conditions.clock import Clock
from cdp.conditions.operators import AttributeReference
from cdp.segments.attributes import BUILT_IN, Attribute, Catalogue
from cdp.segments.caps import with_caps
from cdp.segments.compile import condition_holds, in_segment
from cdp.segments.config import AttributeCondition, BehaviorCondition, Segment
from cdp.segments.facts import Fact, fact_of, joined
from cdp.segments.limits import Ranking

Expand = Callable[[DataFrame, str], DataFrame]
"""Adds the column `in_segment(name)` of a lookalike segment to the frame, which has those of all segments before it."""


@dataclass(frozen=True)
class Needs:
    """What the rules of some segments ask for; behaviours and facts by the name of their column."""

    attributes: frozenset[Attribute]
    behaviors: Mapping[str, BehaviorCondition]
    facts: Mapping[str, Fact] = field(default_factory=dict)


def needs_of(segments: Sequence[Segment], catalogue: Catalogue = BUILT_IN) -> Needs:
    """What the rules, purposes and limits included, ask for; what several ask for is there once."""
    attributes = {Attribute("consent", s.purpose, "boolean") for s in segments if s.purpose}
    behaviors: dict[str, BehaviorCondition] = {}
    facts: dict[str, Fact] = {}
    for segment in segments:
        if segment.limit and isinstance(segment.limit.by, Ranking):
            attributes.add(catalogue.find(segment.limit.by.attribute, segment.limit.by.horizon_days))
        for _, condition in segment.conditions():
            if isinstance(condition, AttributeCondition):
                attributes.add(catalogue.find(condition.attribute, condition.horizon_days))
            if isinstance(condition, BehaviorCondition):
                behaviors[condition.aggregate] = condition
            if fact := fact_of(condition):
                facts[fact.outcome] = joined(fact, facts.get(fact.outcome))
            reference = getattr(getattr(condition, "operator", None), "value", None)
            if isinstance(reference, AttributeReference):
                attributes.add(catalogue.find(reference.attribute, reference.horizon_days))
    return Needs(frozenset(attributes), behaviors, facts)


def with_membership(
    frame: DataFrame,
    segments: Mapping[str, Segment],
    clock: Clock,
    catalogue: Catalogue = BUILT_IN,
    expand: Expand | None = None,
) -> DataFrame:
    """Judge every customer by every rule.

    Args:
        frame: `cdp.segments.frame.customer_frame` with all that the rules need.
        segments: by name, each after those it refers to.
        clock: the run's date.
        catalogue: what there is to ask.
        expand: finds the members of lookalike segments; wanted where there is one.

    Returns:
        The frame with a column `in_segment(name)` for each segment, true or false. Limits are found by counting.
    """
    waiting = dict(segments)
    while waiting:
        # All segments whose references are there already, in one select.
        ready = {n: s for n, s in waiting.items() if not set(s.references) & set(waiting)}
        by_rule = {in_segment(n): may_be_in(s, clock, catalogue) for n, s in ready.items() if not s.lookalike}
        frame = frame.withColumns(by_rule) if by_rule else frame
        limited = {n: s for n, s in ready.items() if s.limit}
        frame = with_caps(frame, limited, catalogue) if limited else frame
        for name, segment in ready.items():
            if segment.lookalike and expand:
                frame = expand(frame, name)
        waiting = {n: s for n, s in waiting.items() if n not in ready}
    return frame


def may_be_in(segment: Segment, clock: Clock, catalogue: Catalogue = BUILT_IN) -> Column:
    """Who meets the rule of a segment and is in none that comes before it: its members, if it has no limit; of a lookalike,
    those who may become members."""
    rule = condition_holds(segment.rule, clock, catalogue) if segment.rule else F.lit(True)
    for name in sorted(segment.shared.barred):
        rule &= ~F.col(in_segment(name))
    return rule if segment.include_anonymous else rule & ~F.col("is_anonymous")
