"""What people did and said: events, orders, consents, and whose they are."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from cdp.silver.contacts import identifier_form
from cdp.silver.money import Rates, with_rate

_NEWEST_FIRST = ("_updated_at", "_file_modified_at", "_file", "_file_row", "_position")
STATUSES = ("completed", "cancelled", "returned")


def with_owner(candidates: DataFrame, default_country: str | None) -> DataFrame:
    """Say whose each row is.

    Identifiers of its own make the row's record (`ids:<hash of them>`), whose identifiers link it to a person; a row
    without any belongs to the customer record it stands in; failing that, to nobody.

    Args:
        candidates: `identifiers` as sent, `_row_key`.
        default_country: country of phone numbers without a country code.

    Returns:
        The rows with `identifiers` in their one form (null where there are none) and `record_key`.
    """
    formed = candidates.withColumn("identifiers", identifier_form(F.col("identifiers"), default_country))
    entries = F.array_sort(F.map_entries("identifiers"))
    own = F.when(F.size("identifiers") > 0, F.concat(F.lit("ids:"), F.sha2(F.to_json(entries), 256)))
    return formed.withColumns(
        {
            "record_key": F.coalesce(own, F.col("_row_key")),
            "identifiers": F.when(F.size("identifiers") > 0, F.col("identifiers")),
        }
    )


def newest(rows: DataFrame, *key: str) -> DataFrame:
    """The newest row of each key, by a total order."""
    versions = Window.partitionBy(*key).orderBy(*[F.col(c).desc() for c in _NEWEST_FIRST])
    return rows.withColumn("_version", F.row_number().over(versions)).where("_version = 1").drop("_version")


def with_event_id(candidates: DataFrame) -> DataFrame:
    """Give events without an id of their own one that repeats with the event."""
    content = F.to_json(
        F.struct(
            "event",
            "occurred_at",
            F.array_sort(F.map_entries("identifiers")).alias("who"),
            F.array_sort(F.map_entries("properties")).alias("what"),
        )
    )
    return candidates.withColumn("event_id", F.coalesce("event_id", F.sha2(content, 256)))


def events(rows: DataFrame) -> DataFrame:
    """`silver.events` from owned candidates, one row an event."""
    return rows.select(
        "source",
        "event_id",
        "event",
        "occurred_at",
        "record_key",
        F.lower("channel").alias("channel"),
        "campaign",
        "session_id",
        "identifiers",
        "properties",
        "violations",
    )


def order_status(status: Column, total: Column) -> Column:
    """completed, cancelled or returned; what sources call the same is understood, anything else is kept as it is."""
    word = F.lower(status)
    return (
        F.when(status.isNull(), F.when(total < 0, "returned").otherwise("completed"))
        .when(word.isin("canceled", "cancelled", "voided", "void"), "cancelled")
        .when(word.isin("return", "returned", "refunded", "refund"), "returned")
        .when(word.isin("complete", "completed", "paid", "fulfilled", "shipped", "closed", "delivered"), "completed")
        .otherwise(word)
    )


def orders(rows: DataFrame, line_totals: DataFrame | None) -> DataFrame:
    """`silver.orders` from owned candidates, one row an order; refunded and net_amount are for `netting.netted`.

    Args:
        rows: candidates with `_rate`; `total` null where the source maps none.
        line_totals: source, order_id, `_lines_total` in the order's currency; None where no source has lines.
    """
    if line_totals is not None:
        rows = rows.join(line_totals, on=["source", "order_id"], how="left")
        rows = rows.withColumn("total", F.coalesce("total", "_lines_total"))
    sent = {"amount": "total", "discount": "discount", "shipping": "shipping", "tax": "tax", "stated_refund": "refunded"}
    in_reporting = {name: (F.col(source) * F.col("_rate")).cast("decimal(18,2)").alias(name) for name, source in sent.items()}
    return rows.select(
        "source",
        "order_id",
        "ordered_at",
        "record_key",
        F.lower("channel").alias("channel"),
        "store_id",
        order_status(F.col("status"), F.col("total")).alias("status"),
        "refers_to",
        F.upper("currency").alias("currency"),
        "total",
        in_reporting["amount"],
        in_reporting["discount"],
        in_reporting["shipping"],
        in_reporting["tax"],
        "coupon",
        "campaign",
        "identifiers",
        F.abs(in_reporting["stated_refund"]).alias("stated_refund"),
    )


def order_lines(rows: DataFrame, silver_orders: DataFrame, rates: Rates) -> DataFrame:
    """`silver.order_lines`: lines numbered within their order, money in the reporting currency.

    Args:
        rows: candidates.
        silver_orders: `silver.orders`, for the currency and the day.
        rates: what is known of exchange rates.
    """
    # A file of lines has no number of its own for them: its order in the file is one.
    position = Window.partitionBy("source", "order_id").orderBy(
        F.col("line_no").asc_nulls_last(), "_file_modified_at", "_file", "_file_row", "_position"
    )
    numbered = rows.withColumn("line_no", F.row_number().over(position))
    of_order = silver_orders.select("source", "order_id", "currency", "ordered_at")
    priced = with_rate(numbered.join(of_order, on=["source", "order_id"], how="left"), F.to_date("ordered_at"), rates)
    rate = F.col("_rate")
    amount = F.coalesce("amount", F.col("quantity") * F.col("unit_price"))
    return priced.select(
        "source",
        "order_id",
        "line_no",
        "product_id",
        "quantity",
        (F.col("unit_price") * rate).cast("decimal(18,2)").alias("unit_price"),
        (F.col("discount") * rate).cast("decimal(18,2)").alias("discount"),
        (amount * rate).cast("decimal(18,2)").alias("amount"),
    )


def line_totals(lines: DataFrame) -> DataFrame:
    """Sum of the lines of each order, in the order's own currency."""
    amount = F.coalesce("amount", F.col("quantity") * F.col("unit_price"))
    return lines.groupBy("source", "order_id").agg(F.sum(amount).cast("decimal(18,2)").alias("_lines_total"))


def with_consent_id(candidates: DataFrame) -> DataFrame:
    """Give statements an id, and the time of their row where they have none.

    A statement is that of its row, whose newest version takes the place of older ones; in a source without a primary key
    rows that say the same are one statement.

    Args:
        candidates: with their owner.
    """
    captured_at = F.coalesce("captured_at", "_updated_at")
    content = F.struct("source", "record_key", "purpose", consent_status(F.col("status")), captured_at)
    of_row = F.struct("source", "_origin", "_entity", "_position")
    same = F.when(F.col("_is_keyed"), F.to_json(of_row)).otherwise(F.to_json(content))
    return candidates.withColumns({"consent_id": F.sha2(same, 256), "captured_at": captured_at})


def consents(rows: DataFrame) -> DataFrame:
    """`silver.consents` from owned candidates with their id, one row a statement."""
    return rows.select(
        "consent_id",
        "source",
        "record_key",
        F.lower("purpose").alias("purpose"),
        consent_status(F.col("status")).alias("status"),
        "captured_at",
        "legal_basis",
        F.upper("jurisdiction").alias("jurisdiction"),
        "proof",
        "expires_at",
        "identifiers",
    )


def consent_status(status: Column) -> Column:
    """granted, denied or withdrawn; what sources call the same is understood, anything else is kept as it is."""
    word = F.lower(status)
    return (
        F.when(word.isin("granted", "opted_in", "opt_in", "opt-in", "subscribed", "yes", "true"), "granted")
        .when(word.isin("denied", "declined", "no", "false", "did_not_subscribe"), "denied")
        .when(word.isin("withdrawn", "revoked", "opted_out", "opt_out", "opt-out", "unsubscribed"), "withdrawn")
        .otherwise(word)
    )


def campaign_costs(rows: DataFrame) -> DataFrame:
    """`silver.campaign_costs` from candidates with their key and `_rate`, one row a campaign, channel and day."""
    cost = (F.col("cost") * F.col("_rate")).cast("decimal(18,2)").alias("cost")
    return rows.select("source", "campaign", "channel", "day", cost, "impressions", "clicks")
