"""The pairs worth a steward's eyes, those whose answer tells most first."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

MOST = 10_000
"""Pairs that are kept: more than anybody looks at."""
_NEAR = 3.0
"""Bits above the point of decision up to which a pair that was linked is worth a look, too."""


def review_rows(links: DataFrame, members: DataFrame, stop: float) -> DataFrame:
    """`identity.review`.

    What an answer tells is the entropy of the pair, its odds taken from the point of decision, times the logarithm of how many
    pairs of records it decides: of two clusters that stayed apart, all between them.

    Args:
        links: `identity.links`.
        members: source, record_key, component.
        stop: bits from which records are linked.

    Source:
        Settles (2009), Active Learning Literature Survey: uncertainty sampling, weighed by how many others the answer decides.
    """
    open_ = (F.col("decision") == "review") | ((F.col("decision") == "accepted") & (F.col("match_weight") < stop + _NEAR))
    pairs = links.where((F.col("rule") == "comparison") & open_)
    sizes = members.groupBy("component").agg(F.count("*").alias("records"))
    ends = members.join(sizes, on="component", how="inner")
    for side in ("left", "right"):
        names = {"source": f"{side}_source", "record_key": f"{side}_record_key", "records": f"_{side}_records"}
        end = ends.select(*[F.col(old).alias(new) for old, new in names.items()])
        pairs = pairs.join(end, on=[f"{side}_source", f"{side}_record_key"], how="inner")
    between = F.when(F.col("decision") == "review", F.col("_left_records") * F.col("_right_records")).otherwise(F.lit(1))
    told = pairs.withColumn("pairs", between).withColumn(
        "information", _entropy(F.col("match_weight") - stop) * F.log2(F.col("pairs") + 1)
    )
    order = [F.desc("information"), *map(F.col, ("left_source", "left_record_key", "right_source", "right_record_key"))]
    # At most MOST rows, so one task may number them.
    best = told.orderBy(*order).limit(MOST).withColumn("place", F.row_number().over(Window.orderBy(*order)))
    return best.select(
        "place", "left_source", "left_record_key", "right_source", "right_record_key", "decision", "match_weight",
        "probability", "evidence", "pairs", "information",
    )  # fmt: skip


def _entropy(bits: Column) -> Column:
    """Of log2 odds, in bits; 1 where both answers are as likely."""
    yes = 1 / (1 + F.pow(F.lit(2.0), -bits))
    no = 1 / (1 + F.pow(F.lit(2.0), bits))
    return -(yes * F.log2(F.greatest(yes, F.lit(1e-12))) + no * F.log2(F.greatest(no, F.lit(1e-12))))
