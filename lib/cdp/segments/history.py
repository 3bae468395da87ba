"""Membership through time. Every table is a function of what held before the run's date and of who is in now, so that a
rerun of a date gives the same tables, and a run of an earlier date takes back what came after it."""

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

_KEY = ["segment", "customer_id"]
_SPANS = "array<struct<since:date,until:date>>"


def standing(history: DataFrame, now: DataFrame, *, as_of: date) -> DataFrame:
    """Put who was in before the run's date beside who is in now.

    Args:
        history: `gold.segment_history` of the segments concerned.
        now: `cdp.segments.rows.member_rows`.
        as_of: the run's date.

    Returns:
        One row for each customer and segment, in before or now: segment, customer_id, since and since_version (begin
        and version of the open interval; null: not in before), spans (without consent for the purpose, as known on the eve;
        null: not in before, or not known), version, is_suppressed, is_held_out and matched (null: not in now).
    """
    before = history.where(_was_open(as_of)).select(
        *_KEY,
        F.col("entered_on").alias("since"),
        F.col("version").alias("since_version"),
        _spans_before(as_of).alias("spans"),
    )
    return before.join(now, on=_KEY, how="full")


def history_after(history: DataFrame, standing_: DataFrame, *, as_of: date) -> DataFrame:
    """`gold.segment_history` of the segments concerned: intervals closed before, and those of `standing_`.

    An interval keeps the version under which the customer came in.
    """
    started = F.col("entered_on") < F.lit(as_of)
    closed = history.where(started & ~_was_open(as_of))
    current = standing_.select(
        "segment",
        F.coalesce("since_version", "version").alias("version"),
        "customer_id",
        F.coalesce(F.col("since"), F.lit(as_of)).alias("entered_on"),
        F.when(F.col("version").isNull(), F.lit(as_of)).alias("exited_on"),
        _spans_after(as_of).alias("suppressed"),
    )
    return closed.select(*current.columns).unionByName(current)


def members_after(standing_: DataFrame, *, as_of: date) -> DataFrame:
    """`gold.segment_members` of the segments concerned."""
    return standing_.where(F.col("version").isNotNull()).select(
        "segment",
        "version",
        "customer_id",
        F.coalesce(F.col("since"), F.lit(as_of)).alias("entered_on"),
        "is_suppressed",
        "is_held_out",
        "matched",
    )


def changes(
    standing_: DataFrame,
    status: DataFrame,
    identity_changes: DataFrame,
    consent: DataFrame,
    *,
    as_of: date,
    run_id: str,
) -> DataFrame:
    """`gold.segment_changes` of the run's date: who came in and who went, whom the segment's purpose no longer or again
    allows to be sent anything, and why.

    Args:
        standing_: see `standing`.
        status: segment, current (its version; null: the segment is gone), version_since, purpose_since, demanded (see
            `cdp.segments.consents`). One row a segment, small.
        identity_changes: `identity.changes`.
        consent: `gold.effective_consent` of the purposes that some segment demands.
        as_of: the run's date.
        run_id: the run.

    The reason is `rule` for everything on the day on which a rule is new, changed or gone; `erasure` or `merge` where
    identity resolution ended the customer's id, or joined others to it that day; `consent` for an exit where the rule
    demands consent that is not there any more, as it was while the customer was in; else `data`. Members who stay and are
    `suppressed` or `released` are so by `rule` on the day on which the purpose is another, by `merge`, else by `consent`.
    """
    is_entry, is_exit = F.col("since").isNull(), F.col("version").isNull()
    moved = standing_.where(is_entry | is_exit | (F.col("is_suppressed") != _is_open(F.col("spans"))))
    change = (
        F.when(is_entry, "entered")
        .when(is_exit, "exited")
        .otherwise(F.when(F.col("is_suppressed"), "suppressed").otherwise("released"))
    )
    by_rule = F.col("current").isNull() | (F.col("version_since") == F.lit(as_of))
    by_purpose = F.coalesce(F.col("purpose_since") == F.lit(as_of), F.lit(False))
    lacks_consent = F.size(F.array_except("demanded", F.coalesce("allowed", F.array().cast("array<string>")))) > 0
    stays = (
        F.when(by_purpose, "rule").when(F.col("grew").isNotNull(), "merge").otherwise("consent")
    )  # a member who stays is here only for its consent
    reason = (
        F.when(~is_entry & ~is_exit, stays)
        .when(by_rule, "rule")
        .when(is_exit & F.coalesce(F.col("ended") == "erased", F.lit(False)), "erasure")
        .when(is_exit & (F.col("ended") == "merged"), "merge")
        .when(is_entry & F.col("grew").isNotNull(), "merge")
        .when(is_exit & lacks_consent, "consent")
        .otherwise("data")
    )
    allowed = consent.where("is_allowed").groupBy("customer_id").agg(F.collect_set("purpose").alias("allowed"))
    # Only why somebody went asks for consent, and most of those who moved on a day on which much changes have come.
    gone = moved.where(is_exit).join(allowed, on="customer_id", how="left")
    return (
        moved.where(~is_exit)
        .unionByName(gone, allowMissingColumns=True)
        .join(F.broadcast(status), on="segment", how="left")
        .join(_fates(identity_changes, as_of), on="customer_id", how="left")
        .select(
            F.lit(run_id).alias("run_id"),
            F.lit(as_of).alias("changed_on"),
            "segment",
            F.coalesce("version", "current", "since_version").alias("version"),
            "customer_id",
            change.alias("change"),
            reason.alias("reason"),
        )
    )


def tallies(standing_: DataFrame) -> DataFrame:
    """Counts of each segment: size, before, entered, exited, suppressed, held_out."""
    is_in, was_in = F.col("version").isNotNull(), F.col("since").isNotNull()
    return standing_.groupBy("segment").agg(
        F.count_if(is_in).alias("size"),
        F.count_if(was_in).alias("before"),
        F.count_if(is_in & ~was_in).alias("entered"),
        F.count_if(was_in & ~is_in).alias("exited"),
        F.count_if(F.col("is_suppressed")).alias("suppressed"),
        F.count_if(F.col("is_held_out")).alias("held_out"),
    )


def _was_open(as_of: date) -> Column:
    """The interval held on the eve of the run's date."""
    ends = F.coalesce(F.col("exited_on"), F.lit(date.max))
    return (F.col("entered_on") < F.lit(as_of)) & (ends >= F.lit(as_of))


def _spans_before(as_of: date) -> Column:
    """Spans without consent that began before the run's date; what the date or a later one ended is open again.

    Spans are in the order of time and none reaches into the next, so that this can only be true of the last one. What
    takes a lambda is not compiled, and nothing beside it is either.
    """
    on = F.array(F.lit(as_of))
    begun = F.array_position(F.sort_array(F.concat(F.col("suppressed")["since"], on)), F.lit(as_of)).cast("int") - 1
    known = F.slice("suppressed", 1, begun)
    until = _last(known)["until"]
    return F.when(until >= F.lit(as_of), _last_until(known, F.lit(None))).otherwise(known)


def _spans_after(as_of: date) -> Column:
    known = F.coalesce("spans", F.array().cast(_SPANS))
    begins = F.array(_span(F.lit(as_of), F.lit(None)))
    is_suppressed = F.coalesce("is_suppressed", F.lit(False))
    return (
        F.when(is_suppressed & ~_is_open(known), F.concat(known, begins))
        .when(~is_suppressed & _is_open(known), _last_until(known, F.lit(as_of)))
        .otherwise(known)
    )


def _last_until(spans: Column, until: Column) -> Column:
    """Spans of which the last lasts until a date."""
    return F.concat(F.slice(spans, 1, F.array_size(spans) - 1), F.array(_span(_last(spans)["since"], until)))


def _span(since: Column, until: Column) -> Column:
    return F.struct(since.alias("since"), until.cast("date").alias("until"))


def _is_open(spans: Column) -> Column:
    """Whether the last of the spans goes on; null where they are not known."""
    return (F.array_size(spans) > 0) & _last(spans)["until"].isNull()


def _last(spans: Column) -> Column:
    """The last of the spans; null where there is none."""
    return F.get(spans, F.array_size(spans) - 1)


def _fates(identity_changes: DataFrame, as_of: date) -> DataFrame:
    """What identity resolution did to an id: `ended` (merged into another, or erased), `grew` (took others in today)."""
    on = F.to_date("changed_at")
    past = identity_changes.where(on <= F.lit(as_of))
    ended = past.where(F.col("change").isin("merged", "erased")).select(
        F.col("previous_customer_id").alias("customer_id"), F.col("change").alias("ended"), F.lit(None).alias("grew")
    )
    grew = past.where((F.col("change") == "merged") & (on == F.lit(as_of))).select(
        "customer_id", F.lit(None).alias("ended"), F.lit(True).alias("grew")
    )
    # `erased` sorts before `merged`: the stronger reason wins.
    fates = [F.min("ended").alias("ended"), F.bool_or("grew").alias("grew")]
    return ended.unionByName(grew).groupBy("customer_id").agg(*fates)
