"""What is counted of each table. Keys and sums of every tally are listed in its docstring, in order."""

from collections.abc import Mapping
from datetime import date, timedelta

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from cdp.measure.tallies import Part, part

PROFILE_FIELDS: Mapping[str, str] = {
    "name": "full_name IS NOT NULL",
    "e-mail": "email IS NOT NULL",
    "phone": "phone IS NOT NULL",
    "address": "street IS NOT NULL AND postal_code IS NOT NULL",
    "birth date": "birth_date IS NOT NULL",
    "country": "country IS NOT NULL",
    "language": "language IS NOT NULL",
}
"""Field of a profile to the condition under which it is filled."""

PROSPECT = "prospect"
"""Tier in `gold.predictions` of those who have not ordered yet."""

MOST_RECORDS = 6
"""Customers with this many records or more are counted together."""

DELIVERY_DAYS = 31
"""A segment's last delivery is looked for in so many days."""


def month_of(day: Column) -> Column:
    """The first day of the month, as text."""
    return F.date_format(F.trunc(day, "month"), "yyyy-MM-dd")


def orders(rows: DataFrame, *, as_of: date) -> Part:
    """Purchases by month, by channel, by both and in all (a missing key: not split by it).

    Keys: month, channel. Sums: completed orders, their amount, returns, their amount (negative), customers who ordered,
    of these for the first time ever, of these with an earlier day of ordering. Low, high: first and last order.

    Args:
        rows: `gold.orders`.
        as_of: last day of data to use.
    """
    is_order, is_return = F.col("status") == "completed", F.col("status") == "returned"
    # An order of nobody known is its own buyer here: one partition of all of them would hold up the rest.
    buyer = (F.col("customer_id"), F.when(F.col("customer_id").isNull(), F.struct("source", "order_id")))
    placed = F.struct("ordered_at", "source", "order_id")
    first = F.min(F.when(is_order, placed)).over(Window.partitionBy(*buyer))
    seen = (
        rows.where((F.col("ordered_on") <= F.lit(as_of)) & (is_order | is_return))
        .withColumn("first", first)
        .select(
            month_of(F.col("ordered_on")).alias("month"),
            F.coalesce("channel", F.lit("unknown")).alias("channel"),
            "customer_id",
            "ordered_at",
            is_order.alias("is_order"),
            "amount",
            (is_order & (F.col("first") == placed)).alias("is_new"),
            (is_order & (F.col("ordered_on") > F.to_date("first.ordered_at"))).alias("is_repeat"),
        )
    )
    splits = [["month", "channel"], ["month"], ["channel"], []]
    sets = [[F.col(c) for c in [*split, "customer_id"]] for split in splits]
    by_customer = seen.groupingSets(sets, "month", "channel", "customer_id").agg(
        F.count_if("is_order").alias("orders"),
        F.sum(F.when(F.col("is_order"), F.col("amount"))).alias("sold"),
        F.count_if(~F.col("is_order")).alias("returns"),
        F.sum(F.when(~F.col("is_order"), F.col("amount"))).alias("given_back"),
        F.max("is_new").alias("is_new"),
        F.max("is_repeat").alias("is_repeat"),
        F.min("ordered_at").alias("first_at"),
        F.max("ordered_at").alias("last_at"),
    )
    is_customer = F.col("customer_id").isNotNull() & (F.col("orders") > 0)
    sums = [*[F.col(c) for c in ("orders", "sold", "returns", "given_back")], is_customer]
    sums += [is_customer & F.col("is_new"), is_customer & F.col("is_repeat")]
    return part(by_customer, [F.col("month"), F.col("channel")], sums, low=F.col("first_at"), high=F.col("last_at"))


def mails(timeline: DataFrame, *, as_of: date) -> Part:
    """E-mails by the month in which they were delivered; an open or click counts once a mail, whenever it came.

    A mail is known by the customer and `properties.email_id`, else its campaign. What was opened without having been
    delivered is not counted, so a rate is never above 1.

    Keys: month. Sums: delivered, opened, clicked.
    """
    what = {"Email Delivered": "delivered", "Email Opened": "opened", "Email Link Clicked": "clicked"}
    mail = F.coalesce(F.col("properties")["email_id"], "campaign", F.lit(""))
    each = (
        timeline.where(
            (F.col("kind") == "event") & F.col("event").isin(list(what)) & (F.to_date("occurred_at") <= F.lit(as_of))
        )
        .groupBy("customer_id", mail.alias("mail"))
        .agg(*[F.min(F.when(F.col("event") == e, F.col("occurred_at"))).alias(name) for e, name in what.items()])
        .where("delivered IS NOT NULL")
    )
    return part(each, [month_of(F.col("delivered"))], [F.col(name).isNotNull() for name in what.values()])


def people(profiles: DataFrame) -> Part:
    """Keys: is_anonymous, number of records. Sums: customers, records, filled fields in the order of PROFILE_FIELDS.
    Low, high: first and last trace."""
    filled = [F.expr(condition) for condition in PROFILE_FIELDS.values()]
    by = [F.col("is_anonymous"), F.least("records", F.lit(MOST_RECORDS))]
    sums = [F.lit(1), F.col("records"), *filled]
    return part(profiles, by, sums, low=F.col("first_seen_at"), high=F.col("last_seen_at"))


def sources(profiles: DataFrame) -> Part:
    """Keys: source. Sums: customers it knows."""
    known = profiles.where("NOT is_anonymous").select(F.explode("sources").alias("source"))
    return part(known, [F.col("source")], [F.lit(1)])


def consent(rows: DataFrame) -> Part:
    """Keys: purpose, status. Sums: customers, of these allowed."""
    return part(rows, [F.col("purpose"), F.col("status")], [F.lit(1), F.col("is_allowed")])


def predictions(rows: DataFrame) -> Part:
    """Keys: horizon in days, tier, tenth of the churn probability (0 to 9). Sums: customers, ltv, churn, orders.

    Prospects are a tier of their own, without a churn.
    """
    tenth = F.when(F.col("churn_probability").isNotNull(), F.least(F.floor(F.col("churn_probability") * 10), F.lit(9)))
    sums = [F.lit(1), F.col("ltv"), F.col("churn_probability"), F.col("expected_orders")]
    return part(rows, [F.col("horizon_days"), F.col("tier"), tenth], sums)


def model_health(rows: DataFrame, *, as_of: date) -> Part:
    """The newest judgement of the models by the run's date.

    Keys: check, model, horizon in days, subject, status and the day of the predictions that came true as one (text).
    Sums: value, customers. Low: the day of the judgement.
    """
    until = rows.where(F.col("as_of") <= F.lit(as_of))
    newest = until.agg(F.max("as_of").alias("as_of"))
    status = F.concat_ws(" ", "status", F.col("scored_on").cast("string"))
    by = [*[F.col(c) for c in ("check", "model", "horizon_days", "subject")], status]
    judged = until.join(F.broadcast(newest), on="as_of", how="left_semi")
    return part(judged, by, [F.col("value"), F.col("customers")], low=F.col("as_of").cast("timestamp"))


def costs(rows: DataFrame, *, as_of: date) -> Part:
    """Keys: month, channel, campaign. Sums: cost."""
    until = rows.where(F.col("day") <= F.lit(as_of))
    return part(until, [month_of(F.col("day")), F.col("channel"), F.col("campaign")], [F.col("cost")])


def credits(attribution: DataFrame, *, model: str) -> Part:
    """Keys: model, channel, month, campaign (these two for `model` only). Sums: orders, revenue."""
    is_model = F.col("model") == model
    month = F.when(is_model, month_of(F.col("converted_at")))
    by = [F.col("model"), F.col("channel"), month, F.when(is_model, F.col("campaign"))]
    return part(attribution, by, [F.col("credit"), F.col("revenue")])


def changes(rows: DataFrame, *, as_of: date) -> Part:
    """Keys: what happened to customer ids. Sums: how often."""
    return part(rows.where(F.to_date("changed_at") <= F.lit(as_of)), [F.col("change")], [F.lit(1)])


def deliveries(rows: DataFrame, *, as_of: date) -> Part:
    """Keys: destination, segment, day and run as one (text that sorts), outcome, action. Sums: members."""
    recent = rows.where(F.col("delivered_on").between(F.lit(as_of - timedelta(days=DELIVERY_DAYS)), F.lit(as_of)))
    run = F.concat_ws(" ", F.col("delivered_on").cast("string"), "run_id")
    return part(recent, [F.col("destination"), F.col("segment"), run, F.col("outcome"), F.col("action")], [F.lit(1)])
