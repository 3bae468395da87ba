"""Whose a row is."""

from pyspark.sql import DataFrame


def current_owners(assignments: DataFrame) -> DataFrame:
    """source, record_key, customer_id: one row a record, as identity resolution sees it now."""
    return assignments.where("is_current").select("source", "record_key", "customer_id")


def with_customer(rows: DataFrame, owners: DataFrame) -> DataFrame:
    """Add customer_id to rows with source and record_key; null where nobody can be told. No row is lost."""
    return rows.join(owners, on=["source", "record_key"], how="left")
