"""Computed traits: what a customer bought and did, in numbers, as of the run's date."""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.gold.computed.columns import column_of, value_if_none
from cdp.gold.computed.config import NO_TRAITS, TraitsConfig
from cdp.gold.rfm import Bounds, rfm
from cdp.gold.times import day, days_before_end
from cdp.tables.gold import TRAITS

_IDLE = 30 * 60  # seconds of silence that end a session
_BY_OTHERS = (
    *("Email Sent", "Email Delivered", "Email Deferred", "Email Bounced", "Email Opened"),
    *("SMS Sent", "SMS Delivered", "Push Notification Sent", "Push Notification Received", "Ticket Solved"),
)
"""Events that are no act of the person. Opening is none: mail programs open by themselves."""

_ZERO_WITHOUT = (
    *("orders", "order_days", "revenue", "orders_90d", "orders_365d", "revenue_90d", "revenue_365d", "returns"),
    *("events", "sessions_30d", "products_viewed_30d", "products_added_30d", "tickets", "open_tickets"),
    *("emails_delivered_90d", "emails_opened_90d", "emails_clicked_90d", "emails_opened_30d", "emails_clicked_30d"),
)
"""Counts and sums, which are 0 for who did nothing of the kind; averages, shares and times are missing."""


def buying(orders: DataFrame, *, as_of: date) -> DataFrame:
    """Traits of `gold.orders`, one row a customer with any: also `_last_bought_at`, the last order or return.

    A cancelled order counts for nothing; a return takes its amount off the revenue.
    """
    status, at, amount = F.col("status"), F.col("ordered_at"), F.col("amount")
    done = status == "completed"
    last_90, last_365 = at >= days_before_end(as_of, 90), at >= days_before_end(as_of, 365)
    money = "decimal(18,2)"
    summed = (
        orders.where("customer_id is not null")
        .groupBy("customer_id")
        .agg(
            F.count_if(done).alias("orders"),
            F.size(F.collect_set(F.when(done, F.col("ordered_on")))).cast("bigint").alias("order_days"),
            F.sum(amount).cast(money).alias("revenue"),
            F.sum(F.when(done, amount)).alias("_of_completed"),
            F.array_sort(F.collect_list(F.when(done, at))).alias("_times"),
            F.max(F.when(status != "cancelled", at)).alias("_last_bought_at"),
            F.max(F.when((status != "cancelled") & (F.col("channel") == "store"), at)).alias("last_store_at"),
            F.count_if(done & last_90).alias("orders_90d"),
            F.count_if(done & last_365).alias("orders_365d"),
            F.coalesce(F.sum(F.when(last_90, amount)), F.lit(0)).cast(money).alias("revenue_90d"),
            F.coalesce(F.sum(F.when(last_365, amount)), F.lit(0)).cast(money).alias("revenue_365d"),
            F.count_if(status == "returned").alias("returns"),
            F.count_if(done & (F.col("discount") > 0)).alias("_discounted"),
            F.mode(F.when(done, F.col("channel")), True).alias("preferred_channel"),
            F.mode(F.when(done, F.col("store_id")), True).alias("preferred_store"),
        )
    )
    orders_ = F.col("orders")
    return summed.withColumns(
        {
            "average_order_value": F.try_divide("_of_completed", orders_).cast(money),
            "first_order_at": F.get("_times", 0),
            "second_order_at": F.get("_times", 1),
            "last_order_at": F.try_element_at("_times", F.lit(-1)),
            "days_since_last_order": F.datediff(day(as_of), F.try_element_at("_times", F.lit(-1))),
            "days_between_orders": F.try_divide(
                F.datediff(F.try_element_at("_times", F.lit(-1)), F.get("_times", 0)), F.col("order_days") - 1
            ),
            "return_rate": F.try_divide("returns", orders_),
            "discounted_order_share": F.try_divide("_discounted", orders_),
        }
    ).drop("_times", "_of_completed", "_discounted")


def assortment(lines: DataFrame) -> DataFrame:
    """Traits of `gold.order_lines`, one row a customer with any: margin, preferred_category, categories."""
    done = F.col("status") == "completed"
    by_category = (
        lines.where("customer_id is not null and status <> 'cancelled'")
        .groupBy("customer_id", "category")
        .agg(
            F.sum(F.when(F.col("cost").isNotNull(), F.col("amount") - F.col("cost"))).alias("margin"),
            F.sum(F.when(done, F.col("quantity"))).alias("pieces"),
        )
    )
    is_bought = F.col("pieces").isNotNull() & F.col("category").isNotNull()
    most_first = F.when(is_bought, F.struct(-F.col("pieces"), F.col("category")))
    return by_category.groupBy("customer_id").agg(
        F.sum("margin").cast("decimal(18,2)").alias("margin"),
        F.min_by("category", most_first).alias("preferred_category"),
        F.array_sort(F.collect_list(F.when(is_bought, F.col("category")))).alias("categories"),
    )


def behaviour(timeline: DataFrame, *, as_of: date) -> DataFrame:
    """Traits of the events in `gold.timeline`, one row a customer with any: also `_last_act_at`."""
    event, at, channel, detail = F.col("event"), F.col("occurred_at"), F.col("channel"), F.col("properties")
    last_30, last_90 = at >= days_before_end(as_of, 30), at >= days_before_end(as_of, 90)
    is_visit = channel.isin("web", "app")
    score = detail["csat"].try_cast("double")
    ticket = F.coalesce(detail["ticket_id"], F.col("reference"))
    summed = (
        timeline.where("kind = 'event'")
        .groupBy("customer_id")
        .agg(
            F.count("*").alias("events"),
            F.array_sort(F.collect_list(F.when(is_visit & last_30, F.struct(channel, at)))).alias("_visits"),
            F.count_if((event == "Product Viewed") & last_30).alias("products_viewed_30d"),
            F.count_if((event == "Product Added") & last_30).alias("products_added_30d"),
            F.max(F.when(event == "Product Added", at)).alias("last_product_added_at"),
            F.max(F.when(channel == "web", at)).alias("last_web_at"),
            F.max(F.when(channel == "app", at)).alias("last_app_at"),
            F.max(F.when(~event.isin(*_BY_OTHERS), at)).alias("_last_act_at"),
            F.count_if((event == "Email Delivered") & last_90).alias("emails_delivered_90d"),
            F.count_if((event == "Email Opened") & last_90).alias("emails_opened_90d"),
            F.count_if((event == "Email Link Clicked") & last_90).alias("emails_clicked_90d"),
            F.count_if((event == "Email Opened") & last_30).alias("emails_opened_30d"),
            F.count_if((event == "Email Link Clicked") & last_30).alias("emails_clicked_30d"),
            F.max(F.when(event == "Email Link Clicked", at)).alias("last_email_click_at"),
            F.max(F.when((channel == "service") & ~event.isin(*_BY_OTHERS), at)).alias("last_service_at"),
            F.collect_set(F.when(event == "Ticket Created", ticket)).alias("_opened"),
            F.collect_set(F.when(event == "Ticket Solved", ticket)).alias("_solved"),
            F.max_by(score, F.when(score.isNotNull(), F.struct(at, F.col("reference")))).alias("last_csat"),
        )
    )
    return summed.withColumns(
        {
            "sessions_30d": _sessions(F.col("_visits")),
            "tickets": F.size("_opened").cast("bigint"),
            "open_tickets": F.size(F.array_except("_opened", "_solved")).cast("bigint"),
        }
    ).drop("_visits", "_opened", "_solved")


def allowed(consent: DataFrame) -> DataFrame:
    """Traits of `gold.effective_consent`, one row a customer who allows anything: allowed_purposes, by name."""
    purposes = F.sort_array(F.collect_set("purpose")).alias("allowed_purposes")
    return consent.where("is_allowed").groupBy("customer_id").agg(purposes)


def traits(
    profiles: DataFrame,
    parts: Sequence[DataFrame],
    limits: Bounds,
    config: TraitsConfig = NO_TRAITS,
    *,
    as_of: date,
) -> DataFrame:
    """`gold.traits`, a row for every profile; without those of `config` that are expressions of other traits.

    Args:
        profiles: `gold.profiles`; uses customer_id and first_seen_at.
        parts: what `buying`, `assortment`, `behaviour` and `allowed` give, and the traits of `config`.
        limits: `rfm.bounds` of `buying`.
        config: the company's own traits.
        as_of: the run's date.
    """
    # What is no trait has a name that none can have.
    joined = profiles.select("customer_id", F.col("first_seen_at").alias("_first_seen_at"))
    for part in parts:
        joined = joined.join(part, on="customer_id", how="left")
    found = (*config.counted, *config.queries)
    columns = [*TRAITS.columns, *[column_of(t) for t in found]]
    types = {c.name: c.type for c in columns}
    zero = [*_ZERO_WITHOUT, *[t.name for t in found if value_if_none(t) is not None]]
    filled = joined.withColumns({c: F.coalesce(F.col(c), F.lit(0)).cast(types[c]) for c in zero})
    made = {
        "as_of": day(as_of),
        "last_active_at": F.greatest("_last_bought_at", "_last_act_at"),
        "tenure_days": F.datediff(day(as_of), "_first_seen_at"),
        **rfm(limits),
    }
    return filled.withColumns(made).select([c.name for c in columns])


def _sessions(visits: Column) -> Column:
    """How many of the sorted visits (channel, at) begin a session: the first, another channel, or after a silence."""

    def begins(visit: Column, position: Column) -> Column:
        before = F.get(visits, position - 1)
        silence = F.unix_seconds(visit["occurred_at"]) - F.unix_seconds(before["occurred_at"])
        return (position == 0) | (before["channel"] != visit["channel"]) | (silence > _IDLE)

    return F.size(F.filter(visits, begins)).cast("bigint")
