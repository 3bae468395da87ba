"""Conditions on a customer as column expressions, true or false, never null."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from pyspark.sql import Column
from pyspark.sql import functions as F

from cdp.conditions.clock import Clock
from cdp.conditions.holds import Operand, holds, is_met, is_turned, together
from cdp.conditions.operators import AttributeReference, Equal, In, IsNull, NotEqual, NotIn, Operator
from cdp.segments.attributes import BUILT_IN, Catalogue
from cdp.segments.behavior import outcome_kind
from cdp.segments.config import AttributeCondition, BehaviorCondition, Condition, Group, Matching, SegmentCondition


def condition_holds(condition: Condition, clock: Clock, catalogue: Catalogue = BUILT_IN) -> Column:
    """A condition on the frame of customers (`cdp.segments.frame`), as a column that is true or false.

    Membership of another segment is read from the column `in_segment(name)`; what `cdp.segments.facts` finds out, from
    the column `outcome` of the condition.
    """
    if isinstance(condition, Group):
        return together(condition.type, [condition_holds(c, clock, catalogue) for c in condition.conditions])
    if isinstance(condition, AttributeCondition):
        found = catalogue.find(condition.attribute, condition.horizon_days)
        operand = Operand(F.col(found.column), found.kind, _others(condition.operator, catalogue))
        if found.is_array:
            return _elements_hold(condition, operand, clock)
        return holds(condition.operator, operand, clock)
    if isinstance(condition, BehaviorCondition):
        others = _others(condition.operator, catalogue)
        return holds(condition.operator, Operand(F.col(condition.aggregate), outcome_kind(condition), others), clock)
    if isinstance(condition, SegmentCondition):
        inside = _inside(condition)
        return inside if condition.type == "include" else ~inside
    return F.col(condition.outcome)


def _inside(condition: SegmentCondition) -> Column:
    now = F.col(in_segment(condition.segment))
    if condition.when == "now":
        return now
    was = F.col(condition.outcome)
    return now | was if condition.when == "ever" else was & ~now


def in_segment(name: str) -> str:
    """Column of the frame that says who is in a segment."""
    return f"segment__{name}"


def _elements_hold(condition: AttributeCondition, operand: Operand, clock: Clock) -> Column:
    """A condition on a list: `any` element, `all` of at least one, or a number of them must meet the operator.

    A negation turns the outcome of the whole condition round: by default "no element is ...".
    """
    operator = condition.operator
    elements = F.coalesce(operand.column, F.array().cast("array<string>"))
    texts = _texts(operator)
    if isinstance(operator, IsNull):
        met = F.size(elements) == 0
    elif condition.arrayMatching == "any" and texts:
        # What nearly all rules on lists ask is compiled; Spark interprets what takes a lambda.
        one_of = F.arrays_overlap(elements, F.array(*[F.lit(text) for text in texts]))
        met = F.coalesce(F.array_contains(elements, texts[0]) if len(texts) == 1 else one_of, F.lit(False))
    elif condition.arrayMatching == "any":
        met = F.exists(elements, lambda e: is_met(operator, replace(operand, column=e), clock))
    else:
        meeting = F.filter(elements, lambda e: is_met(operator, replace(operand, column=e), clock))
        met = _enough(F.size(meeting), F.size(elements), condition.arrayMatching)
    return ~met if is_turned(operator) else met


def _texts(operator: Operator) -> list[str]:
    """The texts that an element is to be one of; none where that is not what the operator asks."""
    values: list[Any] = []
    if isinstance(operator, In | NotIn):
        values = list(operator.value)
    elif isinstance(operator, Equal | NotEqual):
        values = [operator.value]
    texts = [value for value in values if isinstance(value, str)]
    return texts if len(texts) == len(values) else []


def _enough(meeting: Column, of: Column, matching: Literal["all"] | Matching) -> Column:
    if isinstance(matching, str):
        return (meeting > 0) & (meeting == of)
    if matching.atLeast is not None:
        return meeting >= F.lit(matching.atLeast)
    return meeting <= F.lit(matching.atMost) if matching.atMost is not None else meeting == F.lit(matching.exactly)


def _others(operator: Operator, catalogue: Catalogue) -> Mapping[AttributeReference, Column]:
    value = getattr(operator, "value", None)
    if not isinstance(value, AttributeReference):
        return {}
    return {value: F.col(catalogue.find(value.attribute, value.horizon_days).column)}
