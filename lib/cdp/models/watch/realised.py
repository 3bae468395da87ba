"""What came true of predictions whose horizon has passed, brought down to counts by score."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

CHURN_STEPS = 100_000
"""A probability is told to this part of one: what is computed from counts is exact to it."""
_LTV_STEPS = 5_000
"""A value is told to a fiftieth of a per cent."""


class Kept(NamedTuple):
    """Predictions of one day over one horizon, as they lie in `gold.prediction_snapshots`."""

    scored_on: date
    horizon_days: int

    @property
    def ends_on(self) -> date:
        """The last day of the horizon."""
        return self.scored_on + timedelta(days=self.horizon_days)


@dataclass(frozen=True)
class Realised:
    """What came true of the predictions of one day over one horizon.

    Attributes:
        kept: which.
        ltv_model, churn_model: who made them.
        churn: key (probability times `CHURN_STEPS`), customers, churned; by key, lowest first.
        ltv: key (step of the predicted value), customers, predicted and actual (sums in the reporting currency); likewise.
        actual: key (step of the actual value), customers, actual; likewise.
        left_out: customers who are known no more, so that what they did is not.
        merged: people who were several customers when the predictions were made.
        with_interval, covered: customers with an interval of ltv, and those whose value came to lie in it.
    """

    kept: Kept
    ltv_model: str
    churn_model: str
    churn: pd.DataFrame
    ltv: pd.DataFrame
    actual: pd.DataFrame
    left_out: int
    merged: int
    with_interval: int
    covered: int

    @property
    def customers(self) -> int:
        return int(self.churn["customers"].sum())


def realised(snapshots: DataFrame, days: DataFrame, ids: DataFrame, kept: Sequence[Kept], *, as_of: date) -> DataFrame:
    """Hold predictions against what their customers did in the horizon after them, and count.

    A customer has churned without a completed order in (scored_on, scored_on + horizon]; the actual value is what was
    spent in that time, returns taken off, and at least 0. Several customers who have since been found to be one person are
    one: their expected values are added up, their probabilities of no order multiplied, an interval they have none. Whoever
    has neither order nor return in `days` is known no more (erased, or split away) and left out.

    Args:
        snapshots: `gold.prediction_snapshots`.
        days: `activity.daily_orders` as of the run's date.
        ids: `ids.present_ids`.
        kept: which snapshots, all with a horizon that has passed.
        as_of: the run's date.

    Returns:
        scored_on, horizon_days, measure (churn, ltv, actual, left_out, merged, interval), key, customers, churned,
        predicted and actual (cents), covered, ltv_model, churn_model. At most some 100,000 rows a measure.
    """
    late = [one for one in kept if one.ends_on > as_of]
    if late:
        raise ValueError(f"the horizon of {late[0].scored_on}, {late[0].horizon_days} days, ends after {as_of}")
    people = _people(snapshots, ids, kept).join(_outcomes(days, kept), on="customer_id", how="left")
    told = people.withColumn("was", F.expr("get(outcomes, place)")).withColumn(
        "actual", F.expr("greatest(was.cents, 0)")
    )
    churn_key = f"bigint(round(churn_probability * {CHURN_STEPS}))"
    rows = {
        "churn": (churn_key, "was IS NOT NULL"),
        "ltv": (_step("predicted"), "was IS NOT NULL"),
        "actual": (_step("actual"), "was IS NOT NULL"),
        "left_out": ("0L", "was IS NULL"),
        "merged": ("0L", "was IS NOT NULL AND ids > 1"),
        "interval": ("0L", "was IS NOT NULL AND low IS NOT NULL AND high IS NOT NULL"),
    }
    wanted = [
        f"CASE WHEN {when} THEN struct('{name}' AS measure, {key} AS key) END" for name, (key, when) in rows.items()
    ]
    return (
        told.withColumn("row", F.explode(F.expr(f"array_compact(array({', '.join(wanted)}))")))
        .groupBy("scored_on", "horizon_days", "row.measure", "row.key")
        .agg(
            F.count(F.lit(1)).alias("customers"),
            F.expr("count_if(was.order_days = 0)").alias("churned"),
            F.sum("predicted").alias("predicted"),
            F.sum("actual").alias("actual"),
            F.expr("count_if(actual BETWEEN low AND high)").alias("covered"),
            F.max("ltv_model").alias("ltv_model"),
            F.max("churn_model").alias("churn_model"),
        )
    )


def collect(rows: DataFrame) -> list[Realised]:
    """`realised` on the driver, in the order of day and horizon."""
    table = rows.toPandas()
    table["scored_on"] = pd.to_datetime(table["scored_on"]).dt.date
    found = []
    table = table.sort_values("key")
    for kept in sorted({Kept(day, int(horizon)) for day, horizon in table[["scored_on", "horizon_days"]].to_numpy()}):
        part = table[(table["scored_on"] == kept.scored_on) & (table["horizon_days"] == kept.horizon_days)]
        of = {name: part[part["measure"] == name].reset_index(drop=True) for name in part["measure"].unique()}
        nothing = part.iloc[:0]

        def total(name: str, column: str, of: dict[str, pd.DataFrame] = of) -> int:
            return int(of[name][column].sum()) if name in of else 0

        ltv = of.get("ltv", nothing)[["key", "customers", "predicted", "actual"]]
        found.append(
            Realised(
                kept,
                str(part["ltv_model"].max()),
                str(part["churn_model"].max()),
                of.get("churn", nothing)[["key", "customers", "churned"]],
                ltv.assign(predicted=ltv["predicted"] / 100, actual=ltv["actual"] / 100),
                of.get("actual", nothing)[["key", "customers", "actual"]].assign(actual=lambda t: t["actual"] / 100),
                total("left_out", "customers"),
                total("merged", "customers"),
                total("interval", "customers"),
                total("interval", "covered"),
            )
        )
    return found


def probabilities(churn: pd.DataFrame) -> np.ndarray:
    """The probabilities that the keys stand for."""
    return np.asarray(churn["key"].to_numpy(float) / CHURN_STEPS)


def _people(snapshots: DataFrame, ids: DataFrame, kept: Sequence[Kept]) -> DataFrame:
    """A row a person, day and horizon, in cents and with the place of day and horizon in `kept`."""
    places = " ".join(
        f"WHEN scored_on = DATE'{one.scored_on}' AND horizon_days = {one.horizon_days} THEN {i}"
        for i, one in enumerate(kept)
    )
    days = ", ".join(f"DATE'{day}'" for day in sorted({one.scored_on for one in kept}))
    chosen = (
        snapshots.where(f"scored_on IN ({days})").withColumn("place", F.expr(f"CASE {places} END")).where("place >= 0")
    )
    now = ids.select(F.col("previous_customer_id").alias("customer_id"), F.col("customer_id").alias("now"))
    each = chosen.join(now, on="customer_id", how="left")
    each = each.withColumn("customer_id", F.coalesce("now", "customer_id"))
    is_one = F.count(F.lit(1)) == 1
    # By the customer alone, as orders are: the join with them has nothing more to shuffle.
    groups = each.repartition("customer_id").groupBy("scored_on", "horizon_days", "place", "customer_id")
    return groups.agg(
        F.count(F.lit(1)).alias("ids"),
        F.round(F.product("churn_probability"), 9).alias("churn_probability"),
        F.sum(F.expr("bigint(round(ltv * 100))")).alias("predicted"),
        F.when(is_one, F.expr("max(bigint(round(ltv_low * 100)))")).alias("low"),
        F.when(is_one, F.expr("max(bigint(round(ltv_high * 100)))")).alias("high"),
        F.max("ltv_model").alias("ltv_model"),
        F.max("churn_model").alias("churn_model"),
    )


def _outcomes(days: DataFrame, kept: Sequence[Kept]) -> DataFrame:
    """customer_id, outcomes: order_days and cents of each of `kept`, in its order."""
    aggregates = []
    for i, one in enumerate(kept):
        within = f"on > DATE'{one.scored_on}' AND on <= DATE'{one.ends_on}'"
        aggregates += [
            f"count_if(orders > 0 AND {within}) AS order_days_{i}",
            f"coalesce(sum(if({within}, cents, 0)), 0) AS cents_{i}",
        ]
    structs = [f"struct(order_days_{i} AS order_days, cents_{i} AS cents)" for i in range(len(kept))]
    summed = days.groupBy("customer_id").agg(*[F.expr(text) for text in aggregates])
    return summed.selectExpr("customer_id", f"array({', '.join(structs)}) AS outcomes")


def _step(cents: str) -> str:
    return f"bigint(floor(log1p({cents} / 100D) * {_LTV_STEPS}))"
