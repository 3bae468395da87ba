"""The tables of journeys. Each follows from what held before the run's date and from what the run found, so that a rerun of a date
gives the same tables, and a run of an earlier date takes back what came after it."""

from collections.abc import Mapping
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.journeys.config import Journey
from cdp.journeys.steps import SendStep

_HISTORY = (
    "journey",
    "version",
    "customer_id",
    "entered_as",
    "entered_on",
    "position",
    "step",
    "since",
    "until",
    "arrived_on",
    "left_on",
    "reason",
    "outcome",
)


def stays(paths: DataFrame, journeys: Mapping[str, Journey], *, as_of: date) -> DataFrame:
    """The steps at which visits were and are: those where they stood on the eve, and those reached since.

    Args:
        paths: `cdp.journeys.paths.paths`.
        journeys: by name.
        as_of: the run's date.

    Returns:
        Rows of `gold.journey_history` with from_step (the step before, where this run found the move; null), is_suppressed and
        is_held_out.
    """
    day = f"DATE'{as_of.isoformat()}'"
    moved = "held_as IS NOT NULL AND held_as <> customer_id"
    is_last, is_old = "i = size(trail) - 1", f"i = 0 AND held_as IS NOT NULL AND NOT ({moved})"
    version = f"CASE journey {_versions(journeys)} ELSE version END" if journeys else "version"
    # The step of an id that is merged is left, and the same step goes on under the other id.
    left_behind = {
        "customer_id": "held_as",
        "position": "position",
        "step": _step_of("start.at"),
        "since": "start.since",
        "until": day,
        "arrived_on": "arrived_on",
        "left_on": day,
        "reason": "start.reason",
        "outcome": "'merge'",
        "from_step": "CAST(NULL AS string)",
        "version": "version",
    }
    ends = f"CASE WHEN outcome = 'ended' THEN s.since WHEN outcome IS NOT NULL THEN {day} END"
    passed = {
        "customer_id": "customer_id",
        "position": f"position + i + if({moved}, 1, 0)",
        "step": _step_of("s.at"),
        "since": "s.since",
        "until": f"if({is_last}, {ends}, get(trail, i + 1).since)",
        "arrived_on": f"if({is_old}, arrived_on, {day})",
        "left_on": f"if({is_last} AND outcome IS NULL, CAST(NULL AS date), {day})",
        "reason": f"if(i = 0 AND {moved}, 'merge', s.reason)",
        "outcome": f"if({is_last}, outcome, CAST(NULL AS string))",
        "from_step": _step_of("get(trail, i - 1).at"),
        "version": f"if({is_old}, version, {version})",
    }
    every = (
        f"concat(if({moved}, array({_struct(left_behind)}), array()), transform(trail, (s, i) -> {_struct(passed)}))"
    )
    of_visit = ("journey", "entered_as", "entered_on", "is_suppressed", "is_held_out")
    rows = paths.select(*of_visit, F.explode(F.expr(every)).alias("stay"))
    return rows.select(
        *[c if c in of_visit else f"stay.{c}" for c in (*_HISTORY, "from_step")], "is_suppressed", "is_held_out"
    )


def history_after(before: DataFrame, stays_: DataFrame) -> DataFrame:
    """`gold.journey_history` of the journeys concerned.

    Args:
        before: `cdp.journeys.visits.eve`.
        stays_: `stays`.
    """
    return before.where("left_on IS NOT NULL").select(*_HISTORY).unionByName(stays_.select(*_HISTORY))


def members_after(stays_: DataFrame, journeys: Mapping[str, Journey]) -> DataFrame:
    """`gold.journey_members` of the journeys concerned."""
    return stays_.where("left_on IS NULL").select(
        "journey",
        _version_now(journeys).alias("version"),
        "customer_id",
        "step",
        _is_send(journeys).alias("is_deliverable"),
        "since",
        "entered_on",
        "is_suppressed",
        "is_held_out",
    )


def changes(stays_: DataFrame, *, as_of: date, run_id: str) -> DataFrame:
    """`gold.journey_changes` of the run's date."""
    day = F.lit(as_of)
    is_entry = F.col("from_step").isNull()
    came = F.struct(
        F.when(is_entry, "entered").otherwise("moved").alias("change"),
        F.col("from_step"),
        F.col("step").alias("to_step"),
        F.when(is_entry, day).otherwise(F.col("since")).alias("moved_on"),
        F.col("reason"),
    )
    went = F.struct(
        F.lit("left").alias("change"),
        F.col("step").alias("from_step"),
        F.lit(None).cast("string").alias("to_step"),
        F.col("until").alias("moved_on"),
        F.col("outcome").alias("reason"),
    )
    both = F.array_compact(
        F.array(
            F.when(F.col("arrived_on") == day, came),
            F.when((F.col("left_on") == day) & F.col("outcome").isNotNull(), went),
        )
    )
    return stays_.withColumn("found", F.explode(both)).select(
        F.lit(run_id).alias("run_id"),
        day.alias("changed_on"),
        "journey",
        "version",
        "customer_id",
        "entered_as",
        "entered_on",
        "position",
        *[f"found.{c}" for c in ("change", "from_step", "to_step", "moved_on", "reason")],
    )


def tallies(history: DataFrame, stays_: DataFrame, *, as_of: date) -> DataFrame:
    """Counts of each step.

    Args:
        history: `history_after`.
        stays_: `stays`.
        as_of: the run's date.

    Returns:
        journey, step and size, suppressed, held_out, reached, converted, exited (as in `gold.journey_status`), entered (into
        the journey, in this run) and left (from here, in this run, ends included).
    """
    on = F.lit(as_of)
    is_here, is_over = F.col("left_on").isNull(), F.col("outcome").isNotNull()
    of_past = {
        "size": is_here,
        "reached": F.col("reason") != "merge",
        "converted": F.col("outcome") == "converted",
        "exited": F.col("outcome") == "exited",
        "entered": (F.col("arrived_on") == on) & (F.col("reason") == "data"),
        "left": (F.col("left_on") == on) & is_over,
    }
    of_now = {"suppressed": F.col("is_suppressed"), "held_out": F.col("is_held_out")}
    nothing = F.lit(False)
    past = history.select(
        "journey", "step", *[flag.alias(c) for c, flag in of_past.items()], *[nothing.alias(c) for c in of_now]
    )
    now = stays_.where(is_here).select(
        "journey", "step", *[nothing.alias(c) for c in of_past], *[flag.alias(c) for c, flag in of_now.items()]
    )
    both = past.unionByName(now)
    return both.groupBy("journey", "step").agg(*[F.count_if(c).alias(c) for c in (*of_past, *of_now)])


def _struct(parts: Mapping[str, str]) -> str:
    return f"named_struct({', '.join(f'{name!r}, {value}' for name, value in parts.items())})"


def _step_of(at: str) -> str:
    return f"split_part({at}, '.', 2)"


def _versions(journeys: Mapping[str, Journey]) -> str:
    return " ".join(f"WHEN '{name}' THEN '{journey.hash}'" for name, journey in journeys.items())


def _version_now(journeys: Mapping[str, Journey]) -> Column:
    return F.expr(f"CASE journey {_versions(journeys)} ELSE version END") if journeys else F.col("version")


def _is_send(journeys: Mapping[str, Journey]) -> Column:
    sends = [(name, step.name) for name, j in journeys.items() for step in j.steps if isinstance(step, SendStep)]
    found = F.lit(False)
    for name, step in sends:
        found |= (F.col("journey") == name) & (F.col("step") == step)
    return found
