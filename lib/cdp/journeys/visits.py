"""Who is in which journey: those who were in on the eve, under the id they have now, and those who come in."""

from collections.abc import Mapping
from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from cdp.journeys.config import Journey, Reentry
from cdp.journeys.moves import place

_ALWAYS = date(9999, 12, 31)
"""A visit that goes on ends on this day."""


def eve(history: DataFrame, *, as_of: date) -> DataFrame:
    """`gold.journey_history` as it was before the run's date: what runs of the date or later found is taken back."""
    was_left = F.coalesce(F.col("left_on") < F.lit(as_of), F.lit(False))
    known = history.where(F.col("arrived_on") < F.lit(as_of))
    return known.withColumns({name: F.when(was_left, F.col(name)) for name in ("until", "left_on", "outcome")})


def standing(before: DataFrame, former: DataFrame) -> DataFrame:
    """Those who were in, under the id that they have now.

    Of one person who was in under several ids the oldest visit goes on, and the others end: `merge`. Where the records of an
    id went to several customers nobody can tell whose visit it is, and it ends: `split`.

    Args:
        before: `eve`, of the journeys concerned.
        former: `cdp.segments.past.former_ids`.

    Returns:
        The rows where somebody stands, with held_as (the id so far), customer_id (the one now; of a visit that ends as so far)
        and fate (merge or split; null: it goes on).
    """
    heirs = former.groupBy(F.col("former").alias("held_as")).agg(F.collect_set("customer_id").alias("heirs"))
    open_ = before.where("left_on IS NULL").withColumnRenamed("customer_id", "held_as")
    now = F.when(F.col("heirs").isNull(), F.col("held_as")).when(F.size("heirs") == 1, F.col("heirs")[0])
    named = open_.join(heirs, on="held_as", how="left").withColumn("now", now)
    by_person = Window.partitionBy("journey", "now").orderBy(
        "entered_on", (F.col("held_as") != F.col("now")).cast("int"), "entered_as"
    )
    oldest = F.row_number().over(by_person) == 1
    fate = F.when(F.col("now").isNull(), "split").when(~oldest, "merge")
    return (
        named.withColumn("fate", fate)
        .withColumn("customer_id", F.when(F.col("fate").isNull(), F.col("now")).otherwise(F.col("held_as")))
        .drop("now", "heirs")
    )


def entrants(
    members: DataFrame, before: DataFrame, former: DataFrame, journeys: Mapping[str, Journey], *, as_of: date
) -> DataFrame:
    """Who may come in: members of the entry segment who were never in, or left long enough ago, under whatever id.

    Args:
        members: segment, customer_id and entered_on of `gold.segment_members`.
        before: `eve`, of the journeys concerned.
        former: `cdp.segments.past.former_ids`.
        journeys: by name.
        as_of: the run's date.

    Returns:
        journey, customer_id.
    """
    rows = [(name, j.entry.segment, j.entry.since, *_again(j)) for name, j in journeys.items()]
    entries = members.sparkSession.createDataFrame(
        rows, "journey string, segment string, from_on date, again boolean, months int, days int"
    )
    asking = members.join(F.broadcast(entries), on="segment", how="inner").where(
        "from_on IS NULL OR entered_on >= from_on"
    )
    ids = former.select(F.col("former").alias("customer_id"), F.col("customer_id").alias("now"))
    was_in = before.join(ids, on="customer_id", how="left").withColumn("customer_id", F.coalesce("now", "customer_id"))
    last = was_in.groupBy("journey", "customer_id").agg(F.max(F.coalesce("until", F.lit(_ALWAYS))).alias("last"))
    is_over = F.col("last").isNull() | (
        F.col("again")
        & (F.col("last") < F.lit(_ALWAYS))
        & (F.expr("date_add(add_months(last, months), days)") <= F.lit(as_of))
    )
    return asking.join(last, on=["journey", "customer_id"], how="left").where(is_over).select("journey", "customer_id")


def visits(standing_: DataFrame, entrants_: DataFrame, journeys: Mapping[str, Journey], *, as_of: date) -> DataFrame:
    """Both together.

    Returns:
        A row a visit: journey, customer_id, held_as (null: comes in now), entered_as, entered_on, position, version and
        arrived_on of where they stand, start (struct of at, since, reason: where), fate.
    """
    first = {name: place(name, j.steps[0].name) for name, j in journeys.items()}
    at_first = F.coalesce(*[F.when(F.col("journey") == name, at) for name, at in first.items()], F.lit(None))
    come = entrants_.select(
        "journey",
        "customer_id",
        F.lit(None).cast("string").alias("held_as"),
        F.col("customer_id").alias("entered_as"),
        F.lit(as_of).alias("entered_on"),
        F.lit(1).alias("position"),
        F.lit(None).cast("string").alias("version"),
        F.lit(as_of).alias("arrived_on"),
        _start(at_first, F.lit(as_of), F.lit("data")),
        F.lit(None).cast("string").alias("fate"),
    )
    stand = standing_.select(
        *come.columns[:8],
        _start(F.concat_ws(".", "journey", "step"), F.col("since"), F.col("reason")),
        "fate",
    )
    return stand.unionByName(come)


def _start(at: Column, since: Column, reason: Column) -> Column:
    return F.struct(at.cast("string").alias("at"), since.alias("since"), reason.alias("reason")).alias("start")


def _again(journey: Journey) -> tuple[bool, int, int]:
    """Whether who was in may come in again, and so many months and days after leaving."""
    if not isinstance(journey.reentry, Reentry):
        return False, 0, 0
    return True, journey.reentry.after.months, journey.reentry.after.days
