"""The counted traits of conf/traits.yaml: one pass over each input, whatever their number."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from typing import Literal

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import DataType, StructType

from cdp.conditions.clock import Clock
from cdp.conditions.columns import Named, number_in
from cdp.conditions.filters import filter_holds
from cdp.conditions.holds import literal
from cdp.gold.computed.columns import type_of
from cdp.gold.computed.config import (
    MOMENT,
    Aggregation,
    Chosen,
    Counted,
    EventCounter,
    First,
    Last,
    MostFrequent,
    OfProperty,
    UniqueList,
    UniqueListCount,
)
from cdp.gold.computed.measures import Kind, Measure, measured

_ORDER = {
    "timeline": ("kind", "source", "reference"),
    "orders": ("source", "order_id"),
    "order_lines": ("source", "order_id", "line_no"),
}
"""What tells entries of one moment apart, so that first and last are always the same ones."""

Form = Literal["number", "integer", "text"]
_TYPES: dict[Form, str] = {"number": "double", "integer": "bigint", "text": "string"}


@dataclass(frozen=True)
class _Value:
    """A column of the input as it travels to Python and back: numbers, whole numbers and texts only.

    Attributes:
        found: the column.
        form: what it travels as.
    """

    found: Named
    form: Form

    @property
    def sent(self) -> Column:
        value, type_ = self.found.value, self.found.type
        if self.form == "text":
            text = value.cast("string")
            # Blank is no value, as in the golden record.
            return F.when(text.rlike(r"\S"), text)
        if self.form == "number":
            return number_in(value)
        if type_ == "timestamp":
            return F.unix_micros(value)
        if type_ == "date":
            return F.unix_date(value).cast("bigint")
        return (value * F.lit(Decimal(10 ** _scale(type_)))).cast("bigint") if _scale(type_) else value.cast("bigint")

    def back(self, name: str, type_: str) -> Column:
        """The column `name` of the outcome, as Spark type `type_`."""
        column, sent_as = F.col(name), self.found.type
        if self.form == "integer" and sent_as == "timestamp":
            return F.timestamp_micros(column)
        if self.form == "integer" and sent_as == "date":
            return F.date_from_unix_date(column.cast("int"))
        if self.form == "integer" and _scale(sent_as):
            return (column.cast("decimal(20,0)") * F.lit(Decimal(1).scaleb(-_scale(sent_as)))).cast(type_)
        return column.cast(type_)


def computed(rows: DataFrame, traits: Sequence[Counted], input_: str, clock: Clock) -> DataFrame:
    """The traits of one input: customer_id and a column for each; only customers with an entry that may count.

    Args:
        rows: the table that `input_` names (`config.INPUTS`); rows without a customer are left out.
        traits: those of this input.
        input_: timeline, orders or order_lines.
        clock: the run's date.
    """
    conditions: dict[str, str] = {}
    values: dict[_Value, str] = {}
    columns: dict[str, Column] = {}
    measures: list[Measure] = []
    outcomes: list[Column] = []
    for trait in traits:
        condition = _condition(trait, clock, conditions, columns)
        own = _measures(trait, clock, condition, values, len(measures))
        measures += own
        outcomes.append(_outcome(trait, [m.name for m in own]).alias(trait.name))
    columns |= {name: value.sent for value, name in values.items()}
    at = F.col(MOMENT[input_])
    event = F.col("event") if input_ == "timeline" else F.lit(None).cast("string").alias("event")
    narrow = rows.where("customer_id is not null").where(_may_count(traits, at, clock))
    narrow = narrow.select(
        "customer_id", F.unix_micros(at).alias("at"), event, *_ORDER[input_], *[c.alias(n) for n, c in columns.items()]
    )
    ordered = narrow.repartition("customer_id").sortWithinPartitions("customer_id", "at", *_ORDER[input_])
    schema = _schema(measures, {name: value.form for value, name in values.items()})
    plan, arrow = tuple(measures), to_arrow_schema(schema)

    def measure_all(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return measured(batches, plan, arrow)

    found = ordered.drop(*_ORDER[input_]).mapInArrow(measure_all, schema)
    return found.select("customer_id", *outcomes)


def _condition(trait: Counted, clock: Clock, known: dict[str, str], columns: dict[str, Column]) -> str | None:
    """The column that says which entries pass the trait's filter; traits with one filter share it."""
    if trait.filter is None:
        return None
    key = json.dumps(trait.filter.model_dump(mode="json", by_alias=True), sort_keys=True)
    if key not in known:
        known[key] = f"c{len(known)}"
        columns[known[key]] = filter_holds(trait.filter, clock, trait.column)
    return known[key]


def _measures(
    trait: Counted, clock: Clock, condition: str | None, values: dict[_Value, str], number: int
) -> list[Measure]:
    """What is measured for a trait, under the names m and `number`, and on."""
    low, high = (None, None) if trait.window is None else (_micros(at) for at in trait.window.bounds(clock))
    value = None
    if isinstance(trait, OfProperty):
        value = values.setdefault(_value_of(trait), f"v{len(values)}")

    def measure(kind: Kind, at_least: int = 1, limit: int = 0, number: int = number) -> Measure:
        return Measure(f"m{number}", kind, trait.events, low, high, condition, value, at_least, limit)

    if isinstance(trait, EventCounter):
        return [measure("count")]
    if isinstance(trait, Aggregation):
        if trait.aggregation == "avg":
            return [measure("sum"), measure("values", number=number + 1)]
        return [measure(trait.aggregation)]
    if isinstance(trait, MostFrequent):
        return [measure("most_frequent", at_least=trait.at_least)]
    if isinstance(trait, UniqueList):
        return [measure("unique_list", limit=trait.limit)]
    if isinstance(trait, UniqueListCount):
        return [measure("unique_count")]
    assert isinstance(trait, First | Last)
    return [measure("first" if isinstance(trait, First) else "last")]


def _value_of(trait: OfProperty) -> _Value:
    found = trait.column(trait.property)
    if isinstance(trait, UniqueList | UniqueListCount) or found.kind in ("text", "boolean"):
        return _Value(found, "text")
    if found.kind == "loose":
        is_number = isinstance(trait, Aggregation) or (isinstance(trait, Chosen) and trait.value_type == "number")
        return _Value(found, "number" if is_number else "text")
    return _Value(found, "number" if found.type == "double" else "integer")


def _outcome(trait: Counted, names: Sequence[str]) -> Column:
    """The trait, from the columns that its measures left under these names."""
    type_ = type_of(trait)
    if isinstance(trait, Aggregation) and trait.aggregation == "avg":
        total = _value_of(trait).back(names[0], "decimal(38,3)" if type_.startswith("decimal") else "double")
        return F.try_divide(total, F.col(names[1])).cast(type_)
    if isinstance(trait, Aggregation | Chosen):
        return _value_of(trait).back(names[0], type_)
    return F.col(names[0])


def _may_count(traits: Sequence[Counted], at: Column, clock: Clock) -> Column:
    """Leaves out what counts for no trait, where that is cheap to say: before the shuffle."""
    keep = at < literal(clock.end)
    if all(t.window for t in traits):
        first = min(t.window.bounds(clock)[0] for t in traits if t.window)
        keep &= at >= literal(first)
    if all(t.events for t in traits):
        keep &= F.col("event").isin(*sorted({name for t in traits for name in t.events}))
    return keep


def _schema(measures: Sequence[Measure], forms: dict[str, Form]) -> StructType:
    def type_(measure: Measure) -> str:
        if measure.kind in ("count", "values", "unique_count"):
            return "bigint"
        assert measure.value is not None
        of_value = _TYPES[forms[measure.value]]
        return f"array<{of_value}>" if measure.kind == "unique_list" else of_value

    schema = StructType().add("customer_id", "string", nullable=False)
    for measure in measures:
        schema.add(measure.name, DataType.fromDDL(type_(measure)))
    return schema


def _micros(at: datetime) -> int:
    return int(at.replace(tzinfo=timezone.utc).timestamp()) * 1_000_000


def _scale(type_: str) -> int:
    """Digits behind the point of a decimal type; 0 for the others."""
    return int(type_.rstrip(")").split(",")[1]) if type_.startswith("decimal(") else 0
