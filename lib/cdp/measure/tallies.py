"""Tallies: small counts and sums of the lake's tables, all of one shape, so that several come to the driver in one query.

Their number grows with months, channels, campaigns, segments and runs shown, never with customers.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from functools import reduce
from typing import NamedTuple

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

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

MOST_RECORDS = 6
"""Customers with this many records or more are counted together."""


class Tally(NamedTuple):
    """One line of a tally: what it is of, and the figures."""

    keys: tuple[str | None, ...]
    values: tuple[float | None, ...]


Tallies = Mapping[str, Sequence[Tally]]


def tally(rows: DataFrame, by: Sequence[Column | str], values: Sequence[Column]) -> DataFrame:
    """Group and aggregate into keys (array of string) and values (array of double)."""
    keys = [F.col(k) if isinstance(k, str) else k for k in by]
    named = [k.cast("string").alias(f"key{i}") for i, k in enumerate(keys)]
    grouped = rows.groupBy(*named).agg(F.array(*[v.cast("double") for v in values]).alias("values"))
    names = [F.col(f"key{i}") for i in range(len(keys))]
    return grouped.select((F.array(*names) if names else F.array().cast("array<string>")).alias("keys"), "values")


def collect(tallies: Mapping[str, DataFrame]) -> dict[str, list[Tally]]:
    """All of them in one query, in the order of their keys."""
    named = [frame.select(F.lit(name).alias("what"), "keys", "values") for name, frame in tallies.items()]
    found: dict[str, list[Tally]] = defaultdict(list)
    for row in reduce(DataFrame.unionByName, named).collect():
        found[row["what"]].append(Tally(tuple(row["keys"]), tuple(row["values"])))
    return {name: sorted(found[name], key=lambda t: [(k is not None, k or "") for k in t.keys]) for name in tallies}


def month_of(day: str) -> Column:
    """The first day of the month, as text."""
    return F.date_format(F.trunc(day, "month"), "yyyy-MM-dd")


def orders(rows: DataFrame, *, as_of: date) -> DataFrame:
    """Purchases by month, by channel, by both and in all (a null key: not split by it).

    Keys: month, channel. Values: completed orders, their amount, returns, their amount (negative), customers who
    ordered, of these for the first time ever, of these with an earlier day of ordering; first and last order (epoch).

    Args:
        rows: `gold.orders`.
        as_of: last day of data to use.
    """
    is_order = F.col("status") == "completed"
    is_return = F.col("status") == "returned"
    # An order of nobody known is its own buyer here: one partition of all of them would hold up the rest.
    buyer = (F.col("customer_id"), F.when(F.col("customer_id").isNull(), F.struct("source", "order_id")))
    placed = F.struct("ordered_at", "source", "order_id")
    first = F.min(F.when(is_order, placed)).over(Window.partitionBy(*buyer))
    seen = (
        rows.where((F.col("ordered_on") <= F.lit(as_of)) & (is_order | is_return))
        .withColumn("first", first)
        .select(
            month_of("ordered_on").alias("month"),
            F.coalesce("channel", F.lit("unknown")).alias("channel"),
            "customer_id",
            "ordered_at",
            is_order.cast("int").alias("orders"),
            is_return.cast("int").alias("returns"),
            "amount",
            F.coalesce(is_order & (F.col("first") == placed), F.lit(False)).alias("is_new"),
            F.coalesce(is_order & (F.col("ordered_on") > F.to_date("first.ordered_at")), F.lit(False)).alias("is_repeat"),
        )
    )
    splits = [["month", "channel"], ["month"], ["channel"], []]
    sets = [[F.col(c) for c in [*split, "customer_id"]] for split in splits]
    by_customer = seen.groupingSets(sets, "month", "channel", "customer_id").agg(
        F.sum("orders").alias("orders"),
        F.sum(F.when(F.col("orders") == 1, F.col("amount"))).alias("sold"),
        F.sum("returns").alias("returns"),
        F.sum(F.when(F.col("returns") == 1, F.col("amount"))).alias("given_back"),
        F.max("is_new").alias("is_new"),
        F.max("is_repeat").alias("is_repeat"),
        F.min("ordered_at").alias("first_at"),
        F.max("ordered_at").alias("last_at"),
    )
    is_customer = F.col("customer_id").isNotNull() & (F.col("orders") > 0)
    values = [
        F.sum("orders"),
        F.coalesce(F.sum("sold"), F.lit(0)),
        F.sum("returns"),
        F.coalesce(F.sum("given_back"), F.lit(0)),
        F.count_if(is_customer),
        F.count_if(is_customer & F.col("is_new")),
        F.count_if(is_customer & F.col("is_repeat")),
        F.min("first_at"),
        F.max("last_at"),
    ]
    return tally(by_customer, ["month", "channel"], values)


def mails(timeline: DataFrame, *, as_of: date) -> DataFrame:
    """E-mails by the month in which they were delivered; an open or click counts once a mail, whenever it came.

    A mail is known by the customer and `properties.email_id`, else its campaign. What was opened without having been
    delivered is not counted, so a rate is never above 1.

    Keys: month. Values: delivered, opened, clicked.
    """
    what = {"Email Delivered": "delivered", "Email Opened": "opened", "Email Link Clicked": "clicked"}
    mail = F.coalesce(F.col("properties")["email_id"], "campaign", F.lit(""))
    flags = [F.min(F.when(F.col("event") == event, F.col("occurred_at"))).alias(name) for event, name in what.items()]
    each = (
        timeline.where(
            (F.col("kind") == "event")
            & F.col("event").isin(list(what))
            & (F.to_date("occurred_at") <= F.lit(as_of))
        )
        .groupBy("customer_id", mail.alias("mail"))
        .agg(*flags)
        .where("delivered IS NOT NULL")
    )
    return tally(each, [month_of("delivered")], [F.count("delivered"), F.count("opened"), F.count("clicked")])


def profiles(rows: DataFrame) -> dict[str, DataFrame]:
    """people (key is_anonymous; customers, records, filled fields in the order of PROFILE_FIELDS, first and last trace),
    records (key number of records; customers), sources (key source; customers it knows)."""
    filled = [F.count_if(F.expr(condition)) for condition in PROFILE_FIELDS.values()]
    seen = [F.min("first_seen_at"), F.max("last_seen_at")]
    count = F.count(F.lit(1))
    known = rows.where("NOT is_anonymous")
    return {
        "people": tally(rows, ["is_anonymous"], [count, F.sum("records"), *filled, *seen]),
        "records": tally(known, [F.least("records", F.lit(MOST_RECORDS))], [count]),
        "sources": tally(known.select(F.explode("sources").alias("source")), ["source"], [count]),
    }


def consent(rows: DataFrame) -> DataFrame:
    """Keys: purpose, status. Values: customers, of these allowed."""
    return tally(rows, ["purpose", "status"], [F.count(F.lit(1)), F.count_if("is_allowed")])


def predictions(rows: DataFrame) -> DataFrame:
    """Keys: horizon in days, tier, tenth of the churn probability (0 to 9). Values: customers, ltv, churn, orders in all."""
    tenth = F.least(F.floor(F.col("churn_probability") * 10), F.lit(9))
    sums = [F.sum("ltv"), F.sum("churn_probability"), F.sum("expected_orders")]
    return tally(rows, ["horizon_days", "tier", tenth], [F.count(F.lit(1)), *sums])


def costs(rows: DataFrame, *, as_of: date) -> DataFrame:
    """Keys: month, channel, campaign. Values: cost."""
    return tally(rows.where(F.col("day") <= F.lit(as_of)), [month_of("day"), "channel", "campaign"], [F.sum("cost")])


def credits(attribution: DataFrame, *, model: str) -> DataFrame:
    """Keys: model, channel, month, campaign (these two for `model` only). Values: orders, revenue."""
    is_model = F.col("model") == model
    by: list[Column | str] = ["model", "channel", F.when(is_model, month_of("converted_at")), F.when(is_model, F.col("campaign"))]
    return tally(attribution, by, [F.sum("credit"), F.sum("revenue")])


def changes(rows: DataFrame, *, as_of: date) -> DataFrame:
    """Keys: what happened to customer ids. Values: how often."""
    return tally(rows.where(F.to_date("changed_at") <= F.lit(as_of)), ["change"], [F.count(F.lit(1))])


def segments(rows: DataFrame) -> DataFrame:
    """Keys: segment, status. Values: size, suppressed, held out, size before."""
    return tally(rows, ["segment", "status"], [F.max(c) for c in ("size", "suppressed", "held_out", "previous_size")])


def deliveries(rows: DataFrame, *, as_of: date) -> DataFrame:
    """The last run of each segment at each destination.

    Keys: destination, segment, day, outcome, action. Values: members.
    """
    counted = (
        rows.where(F.col("delivered_on") <= F.lit(as_of))
        .groupBy("destination", "segment", "delivered_on", "run_id", "outcome", "action")
        .agg(F.count(F.lit(1)).alias("members"))
    )
    last = _last(counted, "destination", "segment", newest=("delivered_on", "run_id"))
    return tally(last, ["destination", "segment", "delivered_on", "outcome", "action"], [F.sum("members")])


def accounts(rows: DataFrame) -> DataFrame:
    """Each stage's last accounts. Keys: stage, subject. Values: rows in, out, refused, skipped, difference."""
    figures = ("rows_in", "rows_out", "rows_refused", "rows_skipped", "difference")
    last = _last(rows, "stage", newest=("run_id",))
    return tally(last, ["stage", "subject"], [F.sum(c) for c in figures])


def quality(rows: DataFrame) -> DataFrame:
    """Each table's last judgement. Keys: table. Values: expectations, critical ones not met, others not met."""
    last = _last(rows, "table", newest=("run_id",))
    is_critical = F.col("severity") == "critical"
    broken = [F.count_if(~F.col("is_met") & is_critical), F.count_if(~F.col("is_met") & ~is_critical)]
    return tally(last, ["table"], [F.count(F.lit(1)), *broken])


def stage_runs(rows: DataFrame) -> DataFrame:
    """Each stage's last run that did something. Keys: stage, start, run. Values: rows written, refused, seconds."""
    last = _last(rows.where("status = 'done'"), "stage", newest=("started_at", "run_id"))
    return tally(last, ["stage", "started_at", "run_id"], [F.max(c) for c in ("rows_out", "rows_refused", "seconds")])


def _last(rows: DataFrame, *by: str, newest: Sequence[str]) -> DataFrame:
    # A rank, not a row number: all rows of the newest run belong together.
    newest_first = Window.partitionBy(*by).orderBy(*[F.col(c).desc() for c in newest])
    return rows.withColumn("_rank", F.rank().over(newest_first)).where("_rank = 1").drop("_rank")
