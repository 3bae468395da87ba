"""Attribution: each completed order's credit, shared out among the touches before it under several models at once."""

from collections.abc import Mapping
from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from cdp.measure.config import MODELS, AttributionConfig

NO_TOUCH = "none"
_MICROS_PER_DAY = 86_400 * 1_000_000
_ORDER = ("customer_id", "source", "order_id")
_TOUCH = ("touched_at", "touch_source", "reference")


def attribution(orders: DataFrame, touches: DataFrame, settings: AttributionConfig, *, as_of: date) -> DataFrame:
    """Credit of every touch for every completed order, under each model. The credits of an order add up to 1.

    A touch counts for an order that follows it at once or within the lookback. An order without a touch, or of
    nobody known, is one row a model: touch_no 0, channel `none`, all the credit. Touches without credit are no rows.

    Args:
        orders: `gold.orders`; uses source, order_id, customer_id, ordered_at, ordered_on, status, amount.
        touches: of `touches.touches`.
        settings: lookback and the models' numbers.
        as_of: last day of data to use.

    Returns:
        `gold.attribution`.

    Source:
        The models' names and shares are those of Google Analytics before 2023 (position based 40/20/40, time decay with
        a half-life of 7 days). Two touches under position_based share in proportion to first and last.
    """
    conversions = orders.where((F.col("status") == "completed") & (F.col("ordered_on") <= F.lit(as_of))).select(
        *_ORDER, F.col("ordered_at").alias("converted_at"), "amount"
    )
    known = F.col("customer_id").isNotNull()
    # Orders of nobody known take no part in the join and the windows: all would fall into one partition.
    journeys = _journeys(conversions.where(known), touches, settings)
    unknown = conversions.where(~known).select(
        "*", F.lit(0).alias("touch_no"), F.lit(0).cast("bigint").alias("touches")
    )
    rows = journeys.unionByName(unknown, allowMissingColumns=True)
    credits = F.array(
        *[F.struct(F.lit(name).alias("model"), credit.alias("credit")) for name, credit in _models(settings).items()]
    )
    return (
        rows.withColumn("share", F.explode(credits))
        .where("share.credit > 0")
        .select(
            "share.model",
            "source",
            "order_id",
            "customer_id",
            "touch_no",
            F.coalesce("channel", F.lit(NO_TOUCH)).alias("channel"),
            "campaign",
            "touched_at",
            "converted_at",
            "share.credit",
            (F.col("share.credit") * F.col("amount").cast("double")).alias("revenue"),
        )
    )


def _journeys(conversions: DataFrame, touches: DataFrame, settings: AttributionConfig) -> DataFrame:
    """Each order with each of its touches, or once without one, and what the models need to know of the whole journey."""
    oldest = F.col("converted_at") - F.make_dt_interval(days=F.lit(settings.lookback_days))
    touched = touches.withColumnRenamed("customer_id", "touched_customer_id")
    counts = (
        (F.col("customer_id") == F.col("touched_customer_id"))
        & (F.col("touched_at") <= F.col("converted_at"))
        & (F.col("touched_at") >= oldest)
    )
    in_turn = Window.partitionBy(*_ORDER).orderBy(*_TOUCH)
    whole = in_turn.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    # Measured from the last touch, not from the order: the shares are the same, and their sum is never 0.
    last_at = F.unix_micros(F.max("touched_at").over(whole))
    age_days = (last_at - F.unix_micros("touched_at")) / F.lit(_MICROS_PER_DAY)
    return (
        conversions.join(touched, on=counts, how="left")
        .withColumn("touches", F.count("touched_at").over(whole))
        .withColumn("touch_no", F.when(F.col("touched_at").isNull(), 0).otherwise(F.row_number().over(in_turn)))
        .withColumn(
            "last_campaign_touch", F.last(F.when(~F.col("is_direct"), F.struct(*_TOUCH)), ignorenulls=True).over(whole)
        )
        .withColumn("decay", F.pow(F.lit(2.0), -age_days / F.lit(float(settings.half_life_days))))
        .withColumn("decay_in_all", F.sum("decay").over(whole))
        .drop("touched_customer_id")
    )


def _models(settings: AttributionConfig) -> Mapping[str, Column]:
    number, touches = F.col("touch_no"), F.col("touches")
    is_last = number == touches
    share = settings.position_based
    ends = share.first + share.last
    middle = (1 - ends) / (touches - 2)
    credits = {
        "first_touch": _whole(number == 1),
        "last_touch": _whole(is_last),
        # Where every touch is direct the last one has it, as in Google Analytics.
        "last_non_direct": F.when(F.col("last_campaign_touch").isNull(), _whole(is_last)).otherwise(
            _whole(F.col("last_campaign_touch") == F.struct(*_TOUCH))
        ),
        "linear": 1 / touches,
        "position_based": F.when(touches == 1, 1.0)
        .when(touches == 2, F.when(is_last, share.last / ends).otherwise(share.first / ends))
        .otherwise(F.when(number == 1, share.first).when(is_last, share.last).otherwise(middle)),
        "time_decay": F.col("decay") / F.col("decay_in_all"),
    }
    return {name: F.when(touches == 0, F.lit(1.0)).otherwise(credits[name].cast("double")) for name in MODELS}


def _whole(condition: Column) -> Column:
    return F.when(condition, 1.0).otherwise(0.0)
