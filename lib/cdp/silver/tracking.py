"""Events held to the tracking plan: each violation named on its row, and what the plan's switches make of it."""

from collections.abc import Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.silver.tracking_plan import Enforcement, PlannedEvent, TrackingPlan

_PROPERTY = "struct<name:string,type:string,required:boolean,enum:array<string>,pattern:string>"
_RULE = f"struct<allow_unplanned:boolean,properties:array<{_PROPERTY}>>"
_UNPLANNED_EVENT = "event: UnplannedEvent"
_UNPLANNED_PROPERTY = "UnplannedProperty"


def held_to_plan(candidates: DataFrame, plan: TrackingPlan) -> DataFrame:
    """Name what events violate, and apply the plan's switches.

    Args:
        candidates: `candidates` of kind event: `event`, `properties`, `_failed`, `_taken`.
        plan: a plan with rules.

    Returns:
        The candidates with `violations` (`<field>: <violation>`, by Segment's names of violations: Required, Type, Enum,
        Pattern, UnplannedEvent, UnplannedProperty; null where there is none). Those to set aside have them in
        `_failed` too, those to drop are not `_taken`, and unplanned properties to omit are gone.
    """
    rule = F.try_element_at(_plan_map(plan.rules), F.col("event"))
    planned = F.coalesce(F.transform(F.col("_rule.properties"), lambda p: p["name"]), F.array().cast("array<string>"))
    strict = F.col("_rule").isNotNull() & ~F.col("_rule.allow_unplanned")
    unplanned = F.array_except(F.coalesce(F.map_keys("properties"), F.array().cast("array<string>")), planned)
    rows = candidates.withColumn("_rule", rule).withColumns(
        {
            "_broken": F.array_compact(F.transform(F.col("_rule.properties"), _violation)),
            "_unplanned": F.when(strict, unplanned),
            "_stranger": F.when(F.col("_rule").isNull(), F.array(F.lit(_UNPLANNED_EVENT))),
        }
    )
    named = F.transform("_unplanned", lambda name: F.concat(name, F.lit(f": {_UNPLANNED_PROPERTY}")))
    nothing = F.array().cast("array<string>")
    found = F.concat(*[F.coalesce(part, nothing) for part in (F.col("_stranger"), F.col("_broken"), named)])
    is_violating = F.col("_taken") & (F.size(found) > 0)  # other rows are not meant to be this event
    rows = rows.withColumn("violations", F.when(is_violating, F.array_sort(found)))
    return _enforced(rows, plan.enforcement).drop("_rule", "_broken", "_unplanned", "_stranger")


def _plan_map(rules: Sequence[PlannedEvent]) -> Column:
    entries: list[Column] = []
    for rule in rules:
        properties = [
            F.struct(
                F.lit(p.name).alias("name"),
                F.lit(p.type).alias("type"),
                F.lit(p.required).alias("required"),
                F.array(*map(F.lit, p.enum)).cast("array<string>").alias("enum"),
                F.lit(p.pattern).cast("string").alias("pattern"),
            )
            for p in rule.properties
        ]
        listed = F.array(*properties).cast(f"array<{_PROPERTY}>") if properties else F.lit(None).cast(f"array<{_PROPERTY}>")
        whole = F.struct(F.lit(rule.allow_unplanned).alias("allow_unplanned"), listed.alias("properties"))
        entries += [F.lit(rule.event), whole.cast(_RULE)]
    return F.create_map(*entries)


def _violation(planned: Column) -> Column:
    """What a planned property of the row violates, as `<field>: <violation>`; null where nothing."""
    value = F.try_element_at(F.col("properties"), planned["name"])
    kind = (
        F.when(value.isNull(), F.when(planned["required"], "Required"))
        .when(~_is_of_type(value, planned["type"]), "Type")
        .when((F.size(planned["enum"]) > 0) & ~F.array_contains(planned["enum"], value), "Enum")
        .when(planned["pattern"].isNotNull() & ~F.rlike(value, planned["pattern"]), "Pattern")
    )
    return F.concat(planned["name"], F.lit(": "), kind)


def _is_of_type(value: Column, kind: Column) -> Column:
    # Properties are text by now, so a number is what can be read as one.
    return (
        F.when(kind == "number", value.try_cast("double").isNotNull())
        .when(kind == "integer", value.rlike(r"\A[+-]?[0-9]+(\.0+)?\z"))
        .when(kind == "boolean", F.lower(value).isin("true", "false"))
        .when(kind == "datetime", value.try_cast("timestamp").isNotNull())
        .when(kind == "array", F.startswith(value, F.lit("[")))
        .when(kind == "object", F.startswith(value, F.lit("{")))
        .otherwise(F.lit(True))
    )


def _enforced(rows: DataFrame, enforcement: Enforcement) -> DataFrame:
    is_stranger, is_broken = F.col("_stranger").isNotNull(), F.coalesce(F.size("_broken") > 0, F.lit(False))
    conditions = [(enforcement.unplanned_event, is_stranger), (enforcement.violation, is_broken)]
    for action, condition in conditions:
        if action == "quarantine":
            reasons = F.transform(F.when(is_stranger, F.col("_stranger")).otherwise(F.col("_broken")), _as_reason)
            rows = rows.withColumn("_failed", F.when(condition, F.concat("_failed", reasons)).otherwise(F.col("_failed")))
        elif action == "drop":
            rows = rows.withColumn("_taken", F.col("_taken") & ~condition)
    if enforcement.unplanned_property == "omit":
        known = F.map_filter("properties", lambda name, _: ~F.array_contains("_unplanned", name))
        rows = rows.withColumn("properties", F.when(F.size("_unplanned") > 0, known).otherwise(F.col("properties")))
    return rows


def _as_reason(violation: Column) -> Column:
    return F.concat(F.lit("event."), violation)


def violation_counts(events: Sequence[DataFrame]) -> DataFrame:
    """Violations by source, event, field and kind.

    Args:
        events: frames of source, event, violations.

    Returns:
        source, event, field, violation_type, rows.
    """
    every = reduce(DataFrame.unionByName, [frame.select("source", "event", "violations") for frame in events])
    one = every.select("source", "event", F.explode("violations").alias("violation"))
    kind = F.substring_index("violation", ": ", -1)
    field = F.substring("violation", F.lit(1), F.length("violation") - F.length(kind) - 2)
    named = one.select("source", "event", field.alias("field"), kind.alias("violation_type"))
    return named.groupBy("source", "event", "field", "violation_type").agg(F.count(F.lit(1)).alias("rows"))
