"""Features of customers as of a day, declared once for training and scoring, and the outcomes after it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

WINDOWS = (30, 90, 180, 365)
"""Days before the cut-off over which orders and spending are summed up."""

SEASON_WINDOWS = (30, 90, 180)
"""Days after the same day a year earlier over which they are, too."""

_TOTALS: Mapping[str, str] = {
    "recency_days": "min(if(orders > 0, age, null))",
    "first_age": "max(if(orders > 0, age, null))",
    "order_days": "count_if(orders > 0)",
    "cents": "coalesce(sum(cents), 0)",
    "first_cents": "max_by(cents, if(orders > 0, age, null))",
    "last_cents": "min_by(cents, if(orders > 0, age, null))",
    **{f"cents_{days}d": f"coalesce(sum(if(age < {days}, cents, 0)), 0)" for days in WINDOWS},
    **{f"order_days_{days}d": f"count_if(orders > 0 AND age < {days})" for days in WINDOWS},
    **{
        f"cents_year_ago_{days}d": f"coalesce(sum(if(age BETWEEN {365 - days} AND 364, cents, 0)), 0)"
        for days in SEASON_WINDOWS
    },
    **{
        f"order_days_year_ago_{days}d": f"count_if(orders > 0 AND age BETWEEN {365 - days} AND 364)"
        for days in SEASON_WINDOWS
    },
    "orders": "coalesce(sum(orders), 0)",
    "lines": "coalesce(sum(lines), 0)",
    "thousandths": "coalesce(sum(thousandths), 0)",
    "returns": "coalesce(sum(returns), 0)",
    "discounted_orders": "coalesce(sum(discounted_orders), 0)",
    "store_orders": "coalesce(sum(store_orders), 0)",
    "categories": "bit_count(bit_or(categories))",
    "channels": "bit_count(bit_or(channels))",
    "emails_delivered_90d": "coalesce(sum(if(age < 90, emails_delivered, 0)), 0)",
    "emails_opened_90d": "coalesce(sum(if(age < 90, emails_opened, 0)), 0)",
    "emails_clicked_90d": "coalesce(sum(if(age < 90, emails_clicked, 0)), 0)",
    "days_since_email_click": "min(if(emails_clicked > 0, age, null))",
    "visit_days_30d": "count_if(visits > 0 AND age < 30)",
    "visit_days_90d": "count_if(visits > 0 AND age < 90)",
    "days_since_visit": "min(if(visits > 0, age, null))",
    "products_viewed_30d": "coalesce(sum(if(age < 30, products_viewed, 0)), 0)",
    "products_added_30d": "coalesce(sum(if(age < 30, products_added, 0)), 0)",
    "products_added_90d": "coalesce(sum(if(age < 90, products_added, 0)), 0)",
    "tickets_365d": "coalesce(sum(if(age < 365, tickets, 0)), 0)",
    "days_known": "max(age)",
}
"""Aggregates over the days of a customer up to the cut-off; `age` is the number of days before it, 0 on it."""

_OF_ORDERS: Mapping[str, str] = {
    # What BG/NBD and Gamma-Gamma are made of: repeat days, first to last, first to the end of the cut-off's day.
    "repeat_days": "order_days - 1",
    "active_days": "first_age - recency_days",
    "age_days": "first_age + 1",
    "repeat_value": "try_divide((cents - first_cents) / 100D, order_days - 1)",
    "recency_days": "recency_days",
    "revenue": "cents / 100D",
    "mean_day_value": "cents / 100D / order_days",
    "last_day_value": "last_cents / 100D",
    **{f"revenue_{days}d": f"cents_{days}d / 100D" for days in WINDOWS},
    **{f"order_days_{days}d": f"order_days_{days}d" for days in WINDOWS},
    **{f"revenue_year_ago_{days}d": f"cents_year_ago_{days}d / 100D" for days in SEASON_WINDOWS},
    **{f"order_days_year_ago_{days}d": f"order_days_year_ago_{days}d" for days in SEASON_WINDOWS},
    "order_days_trend": "2 * order_days_90d - order_days_180d",
    "revenue_trend": "(2 * cents_90d - cents_180d) / 100D",
    "gap_days": "try_divide(double(first_age - recency_days), order_days - 1)",
    "overdue": "try_divide(double(recency_days * (order_days - 1)), first_age - recency_days)",
    "orders_per_day": "double(orders) / order_days",
    "pieces_per_order": "thousandths / 1000D / orders",
    "lines_per_order": "double(lines) / orders",
    "return_rate": "double(returns) / orders",
    "discounted_share": "double(discounted_orders) / orders",
    "store_share": "double(store_orders) / orders",
    "categories": "categories",
    "channels": "channels",
}
_OF_BEHAVIOUR: Mapping[str, str] = {
    "emails_delivered_90d": "emails_delivered_90d",
    "emails_opened_90d": "emails_opened_90d",
    "emails_clicked_90d": "emails_clicked_90d",
    "email_open_rate_90d": "try_divide(double(emails_opened_90d), emails_delivered_90d)",
    "days_since_email_click": "days_since_email_click",
    "visit_days_30d": "visit_days_30d",
    "visit_days_90d": "visit_days_90d",
    "days_since_visit": "days_since_visit",
    "products_viewed_30d": "products_viewed_30d",
    "products_added_30d": "products_added_30d",
    "products_added_90d": "products_added_90d",
    "tickets_365d": "tickets_365d",
    "days_known": "days_known",
}
_FEATURES: Mapping[str, str] = {
    # Without an order these have no meaning, and would divide by none.
    **{name: f"if(order_days > 0, {expression}, null)" for name, expression in _OF_ORDERS.items()},
    **_OF_BEHAVIOUR,
}

FEATURES: tuple[str, ...] = tuple(_FEATURES)
"""Names of the features, in the order in which models take them; each is a double, null where it has no meaning."""

BEHAVIOUR: tuple[str, ...] = tuple(_OF_BEHAVIOUR)
"""Those of them that need no order."""

HISTORY = ("repeat_days", "active_days", "age_days", "repeat_value")
"""The features that orders alone give, for BG/NBD and Gamma-Gamma."""

HORIZON = "horizon_days"
"""Beside the features: which horizon a row asks for."""

_HISTORY_TOTALS = ("recency_days", "first_age", "order_days", "cents", "first_cents")


def features(days: DataFrame, cutoffs: Sequence[date], *, everybody: bool = False) -> DataFrame:
    """Features of every customer with an order by the cut-off, for each cut-off.

    Args:
        days: `activity.daily_activity`.
        cutoffs: last days of data to use; nothing after one enters its features.
        everybody: also of those with any other activity by the cut-off; all but `BEHAVIOUR` is null for them.

    Returns:
        One row a customer and cut-off: customer_id, cutoff (date), and `FEATURES`.
    """
    return _computed(days, cutoffs, _TOTALS, FEATURES, everybody=everybody)


def has_ordered() -> Column:
    """Whether a row of `features` is that of a customer with an order by its cut-off."""
    return F.col("repeat_days").isNotNull()


def order_history(days: DataFrame, cutoffs: Sequence[date]) -> DataFrame:
    """The part of `features` that BG/NBD and Gamma-Gamma need, from `activity.daily_orders`.

    Returns:
        One row a customer with an order by the cut-off, and cut-off: customer_id, cutoff, and `HISTORY`.
    """
    return _computed(days, cutoffs, {name: _TOTALS[name] for name in _HISTORY_TOTALS}, HISTORY)


def outcomes(days: DataFrame, cutoffs: Sequence[date], horizons: Sequence[int]) -> DataFrame:
    """What happened after each cut-off.

    Args:
        days: `activity.daily_orders`.
        cutoffs: last days before the outcome.
        horizons: days of outcome. Where a horizon ends after the last day of data, the outcome is not whole; such
            pairs of cut-off and horizon are the caller's to leave out.

    Returns:
        One row a customer and cut-off with anything in the longest horizon after it: customer_id, cutoff; for each
        horizon H order_days_next_H (days with an order) and revenue_next_H (returns taken off), as doubles.
    """
    longest = max(horizons)
    after = for_each_cutoff(days, cutoffs, lambda day: F.datediff("on", day).between(1, longest))
    after = after.withColumn("ahead", F.datediff("on", "cutoff"))
    measures = {
        name: expression
        for horizon in horizons
        for name, expression in (
            (f"order_days_next_{horizon}", f"double(count_if(orders > 0 AND ahead <= {horizon}))"),
            (f"revenue_next_{horizon}", f"coalesce(sum(if(ahead <= {horizon}, cents, 0)), 0) / 100D"),
        )
    }
    return after.groupBy("customer_id", "cutoff").agg(*_named(measures))


def _computed(
    days: DataFrame,
    cutoffs: Sequence[date],
    totals: Mapping[str, str],
    wanted: Sequence[str],
    *,
    everybody: bool = False,
) -> DataFrame:
    up_to = for_each_cutoff(days, cutoffs, lambda day: F.col("on") <= day).withColumn("age", F.datediff("cutoff", "on"))
    summed = up_to.groupBy("customer_id", "cutoff").agg(*_named(totals))
    summed = summed if everybody else summed.where("order_days > 0")
    return summed.selectExpr("customer_id", "cutoff", *[f"double({_FEATURES[name]}) AS {name}" for name in wanted])


def for_each_cutoff(days: DataFrame, cutoffs: Sequence[date], concerns: Callable[[Column], Column]) -> DataFrame:
    """A row of `days` for each cut-off that it concerns, which is in the column `cutoff`."""
    # Of an array that is filtered by a lambda Spark would interpret what a row of nulls is compiled for.
    reached = [F.when(concerns(F.lit(day)), F.lit(day)) for day in sorted(set(cutoffs))]
    return days.withColumn("cutoff", F.explode(F.array(*reached))).where("cutoff IS NOT NULL")


def _named(expressions: Mapping[str, str]) -> list[Column]:
    return [F.expr(expression).alias(name) for name, expression in expressions.items()]
