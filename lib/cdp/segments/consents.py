"""Consent that a rule demands."""

from collections.abc import Mapping
from typing import Any

from cdp.conditions.operators import Equal, NotEqual
from cdp.segments.config import AttributeCondition, Group, Segment, SegmentCondition


def demanded(name: str, segments: Mapping[str, Segment]) -> frozenset[str]:
    """Consent purposes without which nobody is in a segment: those that every member allows, whatever else holds.

    Conditions of the rule's outermost And, of an And in it, and of segments that it includes there. A purpose in an Or is not
    demanded: others may be members without it.
    """
    rule = segments[name].rule
    return _demanded(rule, segments) if rule is not None else frozenset()


def _demanded(condition: Any, segments: Mapping[str, Segment]) -> frozenset[str]:
    if isinstance(condition, Group) and (
        condition.type == "And" or (condition.type == "Or" and len(condition.conditions) == 1)
    ):
        return frozenset().union(*(_demanded(inner, segments) for inner in condition.conditions))
    if isinstance(condition, SegmentCondition) and condition.type == "include":
        return demanded(condition.segment, segments)
    if isinstance(condition, AttributeCondition) and _wants_true(condition):
        source, _, purpose = condition.attribute.partition(".")
        return frozenset({purpose} if source == "consent" else ())
    return frozenset()


def _wants_true(condition: AttributeCondition) -> bool:
    operator = condition.operator
    if not isinstance(operator, Equal | NotEqual) or not isinstance(operator.value, bool):
        return False
    return operator.value != (operator.not_ != isinstance(operator, NotEqual))
