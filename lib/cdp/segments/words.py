"""Conditions in words, much as their files have them."""

from collections.abc import Mapping
from typing import Any

from cdp.conditions.operators import Ago, AttributeReference, Operator
from cdp.segments.config import AttributeCondition, BehaviorCondition, Group, Matching, SegmentCondition
from cdp.segments.lists import ListCondition
from cdp.segments.query import SqlCondition
from cdp.segments.sequence import SequenceCondition, Step

_GROUPS = {"And": "all of", "Or": "at least one of", "Not": "none of"}
_MOST_LISTED = 5


def said_condition(condition: Any) -> str:
    """A condition of a rule as one line; of a group only how its conditions go together."""
    if isinstance(condition, str):
        return condition
    if isinstance(condition, Group):
        return _GROUPS[condition.type]
    if isinstance(condition, SegmentCondition):
        when = {"now": "in", "ever": "in, now or ever,", "before": "formerly in"}[condition.when]
        return f"{'' if condition.type == 'include' else 'not '}{when} {condition.segment}"
    if isinstance(condition, AttributeCondition):
        matching = condition.arrayMatching
        elements = "" if matching == "any" else f"{_said_matching(matching)} of "
        return f"{elements}{_named(condition.attribute, condition.horizon_days)} {_said_operator(condition.operator)}"
    if isinstance(condition, BehaviorCondition):
        return f"{_said_aggregate(condition)} {_said_operator(condition.operator)}"
    if isinstance(condition, SequenceCondition):
        return ", then ".join(_said_step(step) for step in condition.steps)
    if isinstance(condition, Step):
        return _said_step(condition)
    if isinstance(condition, ListCondition):
        return f"{condition.identifier} in the list {condition.file}"
    return "the query finds the customer" if isinstance(condition, SqlCondition) else type(condition).__name__


def _said_step(step: Step) -> str:
    did = " or ".join(step.events) or ("order line" if step.source == "order_lines" else "anything")
    filtered = " that passes the filter" if step.filter else ""
    within = f" within {step.within.duration} {step.within.unit}" if step.within else ""
    return f"{'not ' if step.not_ else ''}{did}{filtered}{within}"


def _said_aggregate(condition: BehaviorCondition) -> str:
    aggregation = condition.aggregation
    column = f" of {aggregation.column}" if aggregation.column else ""
    events = f" in {_listed(condition.events)}" if condition.events else " in everything done"
    filtered = " that passes the filter" if condition.filter else ""
    window = condition.timeWindow
    return f"{aggregation.type}{column}{events}{filtered}" + (
        f" of the last {window.duration} {window.unit}" if window else ""
    )


def _said_operator(operator: Operator) -> str:
    kind = str(getattr(operator, "type", type(operator).__name__))
    parts = {f.alias or name: getattr(operator, name) for name, f in type(operator).model_fields.items()}
    texts = []
    for name, part in parts.items():
        if name not in ("type", "not") and part is not None:
            texts.append(_said_value(part) if name in ("value", "unit", "duration") else f"{name} {_said_value(part)}")
    return " ".join([*(["not"] if operator.not_ else []), kind, *texts])


def _said_value(value: Any) -> str:
    if isinstance(value, AttributeReference):
        return _named(value.attribute, value.horizon_days)
    if isinstance(value, list | tuple):
        return _listed(value)
    if isinstance(value, Ago):
        return f"{value.last} {value.unit} ago"
    if isinstance(value, Mapping):
        return " ".join(f"{count} {unit}" for unit, count in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)


def _listed(values: Any) -> str:
    more = len(values) - _MOST_LISTED
    return ", ".join(str(value) for value in values[:_MOST_LISTED]) + (f" and {more} more" if more > 0 else "")


def _named(path: str, horizon_days: int | None) -> str:
    return f"{path} ({horizon_days} days)" if horizon_days else path


def _said_matching(matching: str | Matching) -> str:
    if isinstance(matching, str):
        return matching
    if matching.atLeast is not None:
        return f"at least {matching.atLeast}"
    return f"at most {matching.atMost}" if matching.atMost is not None else f"exactly {matching.exactly}"
