"""What speaks for and against an e-mail address or a phone number: whether messages arrive, are read, and are wanted."""

from collections.abc import Mapping
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.gold.times import end_of

_EVENTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "email": {
        "reached": ("Email Delivered", "Email Opened", "Email Link Clicked"),
        "engaged": ("Email Opened", "Email Link Clicked"),
        "failed": ("Email Bounced",),
    },
    "phone": {
        "reached": ("SMS Delivered", "SMS Link Clicked", "SMS Inbound Received"),
        "engaged": ("SMS Link Clicked", "SMS Inbound Received"),
        "failed": ("SMS Rejected",),
    },
}
"""By kind of contact point, what shows that a message arrived, that somebody cared for it, and that none will arrive."""

_PURPOSES = {"email": "email_marketing", "phone": "sms_marketing"}
_TRANSIENT = "soft|temporary|transient|block|delay"
"""A bounce of these kinds (`properties.bounce_type`) says nothing of the address; any other, and one without a kind, does."""

SIGNS = ("reached_at", "failed_at", "engaged_at", "statement")
"""Fields of a contact point's signs. statement is the latest word on being written to, a bigint that grows with time:
microseconds times four, and 2 for one against it, 1 for one that has ended. So Spark needs not sort events to find it, as it
would for a struct."""


def contact_signs(events: DataFrame, consents: DataFrame, *, as_of: date) -> DataFrame:
    """source, record_key, email, phone (structs of SIGNS): what is known of a record's contact points by the run's date.

    A message's events and a statement stand in the record of the address that they name, or in the customer record that
    they came with. They are summed up by record, before anything else is asked of them: there may be hundreds a customer.

    Args:
        events: `silver.events`.
        consents: `silver.consents`.
        as_of: the run's date.
    """
    end = end_of(as_of)
    name, purpose = F.col("event"), F.col("purpose")
    names = sorted({n for outcomes in _EVENTS.values() for words in outcomes.values() for n in words})
    is_transient = F.coalesce(F.lower(F.col("properties")["bounce_type"]).rlike(_TRANSIENT), F.lit(False))
    failed = [n for outcomes in _EVENTS.values() for n in outcomes["failed"]]
    told = events.where(name.isin(names) & (F.col("occurred_at") < end) & F.col("record_key").isNotNull())
    told = told.where(~(name.isin(failed) & is_transient)).select("source", "record_key", "event", F.col("occurred_at").alias("at"))
    is_against, has_ended = F.col("status") != "granted", F.col("expires_at") < end
    stated = consents.where(purpose.isin(*_PURPOSES.values()) & (F.col("captured_at") < end) & F.col("record_key").isNotNull())
    stated = stated.select(
        "source",
        "record_key",
        "purpose",
        (F.unix_micros("captured_at") * 4 + F.when(is_against, 2).otherwise(0) + F.when(has_ended, 1).otherwise(0)).alias("said"),
    )
    rows = told.unionByName(stated, allowMissingColumns=True)
    return rows.groupBy("source", "record_key").agg(*[_signs(kind).alias(kind) for kind in _EVENTS])


def _signs(kind: str) -> Column:
    last = {
        f"{outcome}_at": F.max(F.when(F.col("event").isin(*words), F.col("at"))) for outcome, words in _EVENTS[kind].items()
    }
    # Of statements of one instant the one against counts, as the greater.
    statement = F.max(F.when(F.col("purpose") == _PURPOSES[kind], F.col("said")))
    return F.struct(*[{**last, "statement": statement}[sign].alias(sign) for sign in SIGNS])
