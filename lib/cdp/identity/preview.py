"""What a run would do to the customers, before it does: who would merge, who would split."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

_EXAMPLES = 5


@dataclass(frozen=True)
class Changed:
    """What happens to ids that there are already.

    Attributes:
        created: ids for records that had none.
        merged: ids that are no more, their records being another customer's.
        split: ids that some records leave, for a new id.
        moved: ids that some records leave, for an old one.
        records: that get another customer.
    """

    created: int
    merged: int
    split: int
    moved: int
    records: int


def summed(changes: DataFrame) -> Changed:
    """Sum the `identity.changes` of a run."""
    is_other = F.col("change") != "created"
    kinds = ("created", "merged", "split", "moved")
    row = changes.agg(
        *[F.count_distinct(F.when(F.col("change") == kind, F.col("previous_customer_id"))).alias(kind) for kind in kinds],
        F.coalesce(F.sum(F.when(is_other, F.col("records"))), F.lit(0)).alias("records"),
    ).first()
    assert row is not None
    return Changed(*(row[name] for name in (*kinds, "records")))


def examples(changes: DataFrame) -> list[tuple[str, str, str, int]]:
    """Of each kind of change but new customers the largest: change, id before, id now, records."""
    kinds = ("merged", "split", "moved")
    largest = [
        changes.where(F.col("change") == kind)
        .orderBy(F.desc("records"), "previous_customer_id", "customer_id")
        .limit(_EXAMPLES)
        .select("change", "previous_customer_id", "customer_id", "records")
        for kind in kinds
    ]
    return [tuple(row) for part in largest for row in part.collect()]


def preview(changed: Changed, found: Sequence[tuple[str, str, str, int]]) -> list[str]:
    """The lines of a dry run; ids alone, no personal data."""
    lines = [
        f"would create {changed.created:,} customers, merge {changed.merged:,} into others, split {changed.split:,},"
        f" move records of {changed.moved:,}: {changed.records:,} records get another customer"
    ]
    for change, before, now, records in found:
        verb = {"merged": "into", "split": "of it a new", "moved": "to"}[change]
        lines.append(f"{change}: {before} {verb} {now}, {records:,} records (`cdp explain {before}`)")
    return lines
