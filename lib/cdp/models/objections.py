"""Those who object to profiling: nobody learns from them, and no score is made of them."""

from pyspark.sql import DataFrame


def objectors(consents: DataFrame, purpose: str) -> DataFrame:
    """Customers who do not allow a purpose: denied, withdrawn, expired or in conflict. Who said nothing is not among them.

    Args:
        consents: `gold.effective_consent`.
        purpose: e.g. `profiling`.

    Returns:
        customer_id.
    """
    return consents.where((consents["purpose"] == purpose) & ~consents["is_allowed"]).select("customer_id")


def without(rows: DataFrame, objectors: DataFrame | None) -> DataFrame:
    """The rows of everybody else, and those of nobody known."""
    return rows if objectors is None else rows.join(objectors, on="customer_id", how="left_anti")
