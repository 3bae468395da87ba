"""What becomes of every visit in a run: whether it ends, and which steps it passes."""

from collections.abc import Mapping
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.journeys.config import EXIT, GOAL, Journey
from cdp.journeys.frame import EXCLUDED, HELD_OUT, SUPPRESSED
from cdp.journeys.moves import place, trail


def paths(
    visits: DataFrame, customers: DataFrame, erased: DataFrame, journeys: Mapping[str, Journey], *, as_of: date
) -> DataFrame:
    """Take every visit as far as it goes.

    Args:
        visits: `cdp.journeys.visits.visits`.
        customers: `cdp.journeys.frame.customers`.
        erased: customer_id of those whom identity resolution erased.
        journeys: by name.
        as_of: the run's date.

    Returns:
        The visits, with trail (steps passed: array of struct at, since, reason; the first is where they stood), outcome (why the
        visit ends; null: it goes on), is_suppressed and is_held_out. Who would come in and leave at once does not come in.
    """
    known = customers.withColumn("is_there", F.lit(True))
    gone = erased.select("customer_id").distinct().withColumn("is_erased", F.lit(True))
    judged = (
        visits.join(known, on="customer_id", how="left")
        .join(gone, on="customer_id", how="left")
        .withColumn("leaves", _leaves(journeys))
        .where("held_as IS NOT NULL OR leaves IS NULL")
    )
    passed = F.when(F.col("leaves").isNull(), trail("start", journeys, as_of=as_of)).otherwise(F.array("start"))
    ends = [place(name, step.name) for name, j in journeys.items() for step in j.steps if step.type == "end"]
    is_over = F.element_at("trail", -1)["at"].isin(ends)
    return (
        judged.withColumn("trail", passed)
        .withColumn("outcome", F.coalesce("leaves", F.when(is_over, F.lit("ended"))))
        .select(
            *visits.columns,
            "trail",
            "outcome",
            *[
                F.coalesce(F.array_contains(names, F.col("journey")), F.lit(False)).alias(flag)
                for flag, names in (("is_suppressed", SUPPRESSED), ("is_held_out", HELD_OUT))
            ],
        )
    )


def _leaves(journeys: Mapping[str, Journey]) -> Column:
    """Why somebody leaves before any step is taken; null: they do not."""
    gone = F.when(F.col("is_erased"), F.lit("erasure")).otherwise(F.lit("data"))
    found = F.when(F.col("fate").isNotNull(), F.col("fate")).when(F.col("is_there").isNull(), gone)
    stands = [place(name, step.name) for name, j in journeys.items() for step in j.steps]
    found = found.when(~F.col("start")["at"].isin(stands), F.lit("rule"))
    for name, journey in journeys.items():
        is_it, columns = F.col("journey") == name, journey.columns()
        if GOAL in columns:
            found = found.when(is_it & F.col(columns[GOAL]), F.lit("converted"))
        if EXIT in columns:
            found = found.when(is_it & F.col(columns[EXIT]), F.lit("exited"))
        if journey.excluded:
            found = found.when(is_it & F.col(EXCLUDED), F.lit("exited"))
    return found
