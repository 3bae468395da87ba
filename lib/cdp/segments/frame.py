"""One wide frame: a row a customer, a column for everything that rules or destinations ask."""

from collections.abc import Iterable, Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.conditions.clock import Clock
from cdp.segments.attributes import Attribute
from cdp.segments.behavior import behavior, value_if_none
from cdp.segments.config import BehaviorCondition


def customer_frame(
    tables: Mapping[str, DataFrame],
    *,
    attributes: Iterable[Attribute],
    behaviors: Mapping[str, BehaviorCondition],
    clock: Clock,
) -> DataFrame:
    """Everything wanted of every customer.

    Args:
        tables: `gold` tables by source: profile, traits, predictions, propensities, household, consent, timeline. Only
            those that something is wanted of are used.
        attributes: what is wanted of the tables.
        behaviors: what is wanted of the timeline, by column name.
        clock: the run's date.

    Returns:
        One row a row of `gold.profiles`: customer_id, is_anonymous, a column `Attribute.column` for each attribute and
        one for each behaviour. Consent is true or false; counts and sums of behaviour are 0 for those without any.
    """
    wanted = sorted(set(attributes), key=lambda a: a.column)
    by_source = {source: [a for a in wanted if a.source == source] for source in {a.source for a in wanted}}
    profile = [_plain(a) for a in by_source.get("profile", [])]
    frame = tables["profile"].select("customer_id", "is_anonymous", *profile)
    parts = {
        "traits": _traits,
        "predictions": _predictions,
        "propensities": _propensities,
        "household": _household,
        "consent": _consent,
    }
    for source, part in parts.items():
        if source in by_source:
            frame = frame.join(part(tables[source], by_source[source]), on="customer_id", how="left")
    if behaviors:
        frame = frame.join(behavior(tables["timeline"], behaviors, clock), on="customer_id", how="left")
    filled = {a.column: F.coalesce(F.col(a.column), F.lit(False)) for a in by_source.get("consent", [])}
    for name, condition in behaviors.items():
        if value_if_none(condition) is not None:
            filled[name] = F.coalesce(F.col(name), F.lit(value_if_none(condition)))
    return frame.withColumns(filled) if filled else frame


def _plain(attribute: Attribute) -> Column:
    column = F.col(attribute.name)
    return (column[attribute.key] if attribute.key else column).alias(attribute.column)


def _traits(traits: DataFrame, wanted: list[Attribute]) -> DataFrame:
    return traits.select("customer_id", *[_plain(a) for a in wanted])


def _predictions(predictions: DataFrame, wanted: list[Attribute]) -> DataFrame:
    horizons = sorted({a.horizon_days for a in wanted if a.horizon_days is not None})
    rows = predictions.where(F.col("horizon_days").isin(horizons))
    if len(horizons) == 1:  # the usual case: a row a customer, and nothing to sort
        return rows.select("customer_id", *[_plain(a) for a in wanted])
    # One row a customer and horizon: `max` picks the only value of the horizon.
    of_horizon = [
        F.max(F.when(F.col("horizon_days") == F.lit(a.horizon_days), F.col(a.name))).alias(a.column) for a in wanted
    ]
    return rows.groupBy("customer_id").agg(*of_horizon)


def _propensities(propensities: DataFrame, wanted: list[Attribute]) -> DataFrame:
    # One row a customer and model: `max` picks the only value of the model.
    scores = [(a.column, *a.score) for a in wanted if a.score is not None]
    of_model = [F.max(F.when(F.col("model") == model, F.col(score))).alias(name) for name, model, score in scores]
    models = sorted({model for _, model, _ in scores})
    return propensities.where(F.col("model").isin(models)).groupBy("customer_id").agg(*of_model)


def _household(households: DataFrame, wanted: list[Attribute]) -> DataFrame:
    of_member = households.withColumn("customer_id", F.explode("customer_ids"))
    # A person with two homes belongs to the larger one; ties by id.
    best = F.max_by(F.struct(*[F.col(a.name).alias(a.column) for a in wanted]), F.struct("size", "household_id")).alias(
        "home"
    )
    return of_member.groupBy("customer_id").agg(best).select("customer_id", "home.*")


def _consent(consent: DataFrame, wanted: list[Attribute]) -> DataFrame:
    allowed = [F.max((F.col("purpose") == a.name) & F.col("is_allowed")).alias(a.column) for a in wanted]
    return consent.where(F.col("purpose").isin([a.name for a in wanted])).groupBy("customer_id").agg(*allowed)
