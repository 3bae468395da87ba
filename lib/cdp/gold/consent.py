"""What a customer allows, of all that was ever stated."""

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.gold.times import day, end_of


def effective_consent(consents: DataFrame, owners: DataFrame, *, as_of: date) -> DataFrame:
    """`gold.effective_consent`: the latest statement up to the run's date decides, by customer and purpose.

    Statements of one instant that grant and refuse are a `conflict`, which allows nothing; of several that grant, the
    one that ends first decides. A grant that has ended is `expired`: an older one does not come to life again.

    Args:
        consents: `silver.consents`.
        owners: `owners.current_owners`. A statement speaks for the customer of its own record and for nobody else
            that may share its e-mail address or phone.
        as_of: the run's date; what ends on it has ended.

    Source:
        privacy reference, section 4: latest statement, restrictive first at ties, expired is not allowed.
    """
    end = end_of(as_of)
    rows = consents.where(F.col("captured_at") < end).join(owners, on=["source", "record_key"], how="inner")
    restriction = F.when(F.col("status") == "withdrawn", 2).when(F.col("status") == "denied", 1).otherwise(0)
    # Earliest end first; a grant without one ends last.
    sooner = F.coalesce(-F.unix_micros("expires_at"), F.lit(-(2**63)))
    strictest = F.max(
        F.struct(
            "captured_at",
            restriction.alias("restriction"),
            sooner.alias("sooner"),
            "source",
            "record_key",
            "consent_id",
            "status",
            "expires_at",
            "legal_basis",
        )
    )
    mildest = F.max(F.struct("captured_at", (F.col("status") == "granted").alias("is_granted")))
    decided = rows.groupBy("customer_id", "purpose").agg(
        strictest.alias("said"), mildest.alias("mildest"), F.count("*").alias("statements")
    )
    is_conflict = (F.col("said.restriction") > 0) & F.col("mildest.is_granted")
    has_ended = (F.col("said.status") == "granted") & (F.col("said.expires_at") < end)
    status = F.when(is_conflict, "conflict").when(has_ended, "expired").otherwise(F.col("said.status"))
    return decided.select(
        "customer_id",
        "purpose",
        status.alias("status"),
        (status == "granted").alias("is_allowed"),
        F.col("said.captured_at").alias("captured_at"),
        F.col("said.expires_at").alias("expires_at"),
        F.col("said.source").alias("source"),
        F.col("said.legal_basis").alias("legal_basis"),
        "statements",
        day(as_of).alias("as_of"),
    )
