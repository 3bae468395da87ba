"""What pydantic cannot see of a propensity: names of columns, and operators and values that do not go with them."""

from collections.abc import Iterator, Sequence

from cdp.base.contracts import Table
from cdp.base.settings import did_you_mean
from cdp.conditions.check import operator_problems
from cdp.conditions.columns import named, names_of
from cdp.conditions.filters import ColumnCondition, Filter, filter_problems
from cdp.conditions.operators import In
from cdp.models.features import FEATURES
from cdp.models.propensity.config import PropensityConfig, names_twice
from cdp.models.propensity.eligible import column_of
from cdp.models.propensity.history import OWN_FEATURES, TIMELINE_COLUMNS, event_features
from cdp.models.propensity.snapshot import profile_features, target_column, target_feature, trait_features
from cdp.tables.gold import PROFILES


def propensity_problems(propensities: Sequence[PropensityConfig], traits: Table) -> Iterator[str]:
    """What is wrong with well-formed propensities, as lines `key: text`.

    Args:
        propensities: of conf/models.yaml.
        traits: `gold.traits` with own traits.
    """
    for name in names_twice(tuple(propensities)):
        yield f"propensities: {name} is there twice, among names and output columns"
    for i, propensity in enumerate(propensities):
        yield from (f"propensities.{i}.training.{line}" for line in _problems(propensity, traits))


def _problems(propensity: PropensityConfig, traits: Table) -> Iterator[str]:
    training = propensity.training
    predict = training.predict
    if predict.filter is not None:
        yield from filter_problems(predict.filter, "predict.filter", lambda path: named(path, TIMELINE_COLUMNS))
    if not predict.is_of_time:
        target = target_column(predict, traits)
        columns = (PROFILES if predict.kind == "profile" else traits).columns
        path = target_feature(predict)
        if target is None:
            yield f"predict.{predict.kind}: unknown column {path}{did_you_mean(path, names_of(columns))}"
        else:
            key = "equals" if predict.kind == "profile" else "becomes"
            operator = In(type="In", value=predict.values)
            yield from (f"predict.{key}: {line}" for line in operator_problems(operator, target.kind, path))
    if training.eligible_users is not None:
        condition = training.eligible_users
        group = condition if isinstance(condition, Filter) else _alone(condition)
        lines = filter_problems(group, "eligible_users", lambda path: column_of(path, predict, traits))
        is_group = isinstance(condition, Filter)
        yield from (
            line if is_group else line.replace("eligible_users.conditions.0", "eligible_users", 1) for line in lines
        )
    known = [*FEATURES, *OWN_FEATURES] if predict.is_of_time else [*trait_features(traits), *profile_features(())]
    prefix, shown = ("event.", "event.NAME") if predict.is_of_time else ("attributes.", "attributes.NAME")
    for key in ("ignore_features", "keep_features"):
        for j, name in enumerate(getattr(training, key)):
            if name not in known and not name.startswith(prefix):
                yield f"{key}.{j}: unknown feature {name}{did_you_mean(name, [*known, shown])}"


def ignored_features(ignored: Sequence[str], events: Sequence[str]) -> tuple[str, ...]:
    """`ignore_features` with every feature of an event that is named as a whole."""
    of_events = [name for event in events if f"event.{event}" in ignored for name in event_features([event])]
    return (*ignored, *of_events)


def _alone(condition: ColumnCondition) -> Filter:
    return Filter(type="And", conditions=(condition,))
