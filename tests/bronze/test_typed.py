"""A value is of its declared type or it is none: a table of texts, all judged in one query."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from cdp.base.errors import ConfigError
from cdp.base.settings import parse
from cdp.bronze.columns import SourceColumn
from cdp.bronze.typed import is_broken, typed

BROKEN = "broken"
UTC, PARIS = "UTC", "Europe/Paris"
MONEY, GERMAN, FRENCH = "decimal(12,2)", "1.234,56", "1 234,56 €"
NOON = datetime(2026, 1, 31, 12)

# type, format, zone, text, value (None: nothing was sent)
TABLE: list[tuple[str, str | None, str, str | None, Any]] = [
    (MONEY, None, UTC, "12.3", Decimal("12.30")),
    (MONEY, None, UTC, "-.5", Decimal("-0.50")),
    (MONEY, None, UTC, "12.3400", Decimal("12.34")),
    (MONEY, None, UTC, " 12\u00a0", Decimal("12.00")),
    (MONEY, None, UTC, "1.25E3", Decimal("1250.00")),
    (MONEY, None, UTC, "\u00a0 \t", None),
    (MONEY, None, UTC, None, None),
    (MONEY, None, UTC, "12.345", BROKEN),
    (MONEY, None, UTC, "1.2345E1", BROKEN),
    (MONEY, None, UTC, "12345678901", BROKEN),
    (MONEY, None, UTC, "12,5", BROKEN),
    (MONEY, None, UTC, "1 234", BROKEN),
    (MONEY, None, UTC, "1\u00a0234", BROKEN),
    (MONEY, None, UTC, "12 €", BROKEN),
    (MONEY, None, UTC, "12-", BROKEN),
    (MONEY, None, UTC, "(12)", BROKEN),
    (MONEY, None, UTC, "٣", BROKEN),
    (MONEY, None, UTC, ".", BROKEN),
    ("decimal(38,18)", None, UTC, "1.123456789012345678", Decimal("1.123456789012345678")),
    ("decimal(10,0)", None, UTC, ".5", BROKEN),
    (MONEY, GERMAN, UTC, "1.234,50", Decimal("1234.50")),
    (MONEY, GERMAN, UTC, "-1234,5", Decimal("-1234.50")),
    (MONEY, GERMAN, UTC, "1.234", Decimal("1234.00")),
    (MONEY, GERMAN, UTC, "12.50", BROKEN),
    (MONEY, GERMAN, UTC, "1,234.50", BROKEN),
    (MONEY, GERMAN, UTC, "1.23.4", BROKEN),
    (MONEY, FRENCH, UTC, "1\u202f234,50 €", Decimal("1234.50")),
    (MONEY, FRENCH, UTC, "1 234 567,5", Decimal("1234567.50")),
    (MONEY, FRENCH, UTC, "12,5 $", BROKEN),
    (MONEY, "$1,234.56", UTC, "-$1,234.5", Decimal("-1234.50")),
    (MONEY, "$1,234.56", UTC, "$-1", Decimal("-1.00")),
    (MONEY, "12,5", UTC, "12,75", Decimal("12.75")),
    (MONEY, "1,23,456.78", UTC, "12,34,567.8", Decimal("1234567.80")),
    (MONEY, "1'234.50", UTC, "1'234.5", Decimal("1234.50")),
    ("int", None, UTC, "12", 12),
    ("int", None, UTC, "1.0", BROKEN),
    ("int", None, UTC, "1e3", BROKEN),
    ("int", None, UTC, "3000000000", BROKEN),
    ("int", None, UTC, "1_000", BROKEN),
    ("int", "1.234", UTC, "3.000", 3000),
    ("bigint", None, UTC, "9223372036854775808", BROKEN),
    ("double", None, UTC, "-1.5e3", -1500.0),
    ("double", None, UTC, "1d", BROKEN),
    ("double", None, UTC, "0x1p3", BROKEN),
    ("double", None, UTC, "NaN", BROKEN),
    ("double", None, UTC, "1e999", BROKEN),
    ("boolean", None, UTC, "TRUE", True),
    ("boolean", None, UTC, "n", False),
    ("boolean", None, UTC, "ja", BROKEN),
    ("boolean", "ja/nein", UTC, "Ja", True),
    ("boolean", "ja/nein", UTC, "true", BROKEN),
    ("date", None, UTC, "2026-01-31", date(2026, 1, 31)),
    ("date", None, UTC, "2026-1-5", date(2026, 1, 5)),
    ("date", None, UTC, "0001-01-01", date(1, 1, 1)),
    ("date", None, UTC, "2026-01-31 00:00:00", date(2026, 1, 31)),
    ("date", None, UTC, "2026-01-31 10:00:00", BROKEN),
    ("date", None, UTC, "2026-02-30", BROKEN),
    ("date", None, UTC, "0000-00-00", BROKEN),
    ("date", None, UTC, "2026", BROKEN),
    ("date", None, UTC, "2026-01", BROKEN),
    ("date", None, UTC, "26-01-31", BROKEN),
    ("date", None, UTC, "12026-01-01", BROKEN),
    ("date", None, UTC, "2026-W05-6", BROKEN),
    ("date", "dd/MM/yyyy", UTC, "31/01/2026", date(2026, 1, 31)),
    ("date", "dd/MM/yyyy", UTC, "30/02/2026", BROKEN),
    ("date", "dd/MM/yyyy", UTC, "31/01/26", BROKEN),
    ("date", "dd/MM/yyyy", UTC, "31/01/2026 10:00", BROKEN),
    ("date", "dd/MM/yy", UTC, "31/01/26", date(2026, 1, 31)),
    ("date", "epoch", UTC, "1769860800", date(2026, 1, 31)),
    ("timestamp", None, UTC, "2026-01-31 12:00", NOON),
    ("timestamp", None, UTC, "2026-01-31", datetime(2026, 1, 31)),
    ("timestamp", None, UTC, "2026-01-31T12:00:00.123456789Z", datetime(2026, 1, 31, 12, 0, 0, 123456)),
    ("timestamp", None, UTC, "2026-01-31T12:00:00+01:00", datetime(2026, 1, 31, 11)),
    ("timestamp", None, UTC, "24:00", BROKEN),
    ("timestamp", None, UTC, "10:30", BROKEN),
    ("timestamp", None, UTC, "2026-01-31 24:00:00", BROKEN),
    ("timestamp", None, UTC, "2026", BROKEN),
    ("timestamp", None, UTC, "1769860800", BROKEN),
    ("timestamp", None, PARIS, "2026-01-31 12:00:00", datetime(2026, 1, 31, 11)),
    ("timestamp", None, PARIS, "2026-01-31 12:00:00Z", NOON),
    ("timestamp", None, PARIS, "2026-01-31 12:00:00 -0500", datetime(2026, 1, 31, 17)),
    ("timestamp", None, PARIS, "2026-01-31 12:00:00 America/New_York", datetime(2026, 1, 31, 17)),
    ("timestamp", None, PARIS, "2026-01-31", datetime(2026, 1, 30, 23)),
    ("timestamp", None, PARIS, "2026-03-29 02:30:00", BROKEN),
    ("timestamp", None, PARIS, "2026-10-25 02:30:00", datetime(2026, 10, 25, 0, 30)),
    ("timestamp", None, "America/New_York", "2026-03-08 02:30:00", BROKEN),
    ("timestamp", "dd.MM.yyyy HH:mm", PARIS, "31.01.2026 12:00", datetime(2026, 1, 31, 11)),
    ("timestamp", "dd.MM.yyyy HH:mm", PARIS, "31.01.2026 24:00", BROKEN),
    ("timestamp", "dd.MM.yyyy HH:mm", PARIS, "29.03.2026 02:30", BROKEN),
    ("timestamp", "'Z'yyyy-MM-dd HH:mm XXX", PARIS, "Z2026-01-31 12:00 +00:00", NOON),
    ("timestamp", "epoch_millis", PARIS, "1769860800500", datetime(2026, 1, 31, 12, 0, 0, 500000)),
    ("timestamp", "epoch", PARIS, "1769860800.25", datetime(2026, 1, 31, 12, 0, 0, 250000)),
    ("timestamp", "epoch", PARIS, "1769860800500", BROKEN),  # milliseconds
    ("timestamp_ntz", None, PARIS, "2026-01-31 12:00:00", NOON),
    ("timestamp_ntz", None, PARIS, "2026-01-31 12:00:00Z", BROKEN),
    ("varchar(3)", None, UTC, "abc", "abc"),
    ("varchar(3)", None, UTC, "abcd", BROKEN),
    ("struct<a:int,b:string>", None, UTC, '{"a":1,"b":2}', (1, "2")),
    ("struct<a:int>", None, UTC, '{"a":"x"}', BROKEN),
    ("struct<a:int>", None, UTC, '{"a":1.5}', BROKEN),
    ("struct<a:struct<b:int>>", None, UTC, '{"a":{"b":"x"}}', BROKEN),
    ("struct<a:decimal(5,2)>", None, UTC, '{"a":1.25}', (Decimal("1.25"),)),
    ("struct<a:decimal(5,2)>", None, UTC, '{"a":null}', (None,)),
    ("struct<a:decimal(5,2)>", None, UTC, '{"a":1.239}', BROKEN),
    ("array<struct<a:decimal(5,2)>>", None, UTC, '[{"a":1.2},{"a":1.239}]', BROKEN),
    ("array<int>", None, UTC, "[1,2]", [1, 2]),
    ("array<int>", None, UTC, '[1,"x"]', BROKEN),
    ("array<int>", None, UTC, "1", BROKEN),
    ("map<string,int>", None, UTC, '{"a":1}', {"a": 1}),
    ("map<string,int>", None, UTC, "{bad", BROKEN),
]


@pytest.fixture(scope="module")
def found(spark: SparkSession) -> list[Any]:
    names = [f"c{number}" for number in range(len(TABLE))]
    texts = spark.createDataFrame([tuple(row[3] for row in TABLE)], ", ".join(f"{name} string" for name in names))
    selected = []
    for name, (kind, form, zone, _, _) in zip(names, TABLE, strict=True):
        column = parse(SourceColumn, {"name": name, "type": kind, "format": form}, "test.yaml")
        value = typed(column, zone)
        selected.append(F.struct(value.alias("value"), is_broken(column, value).alias("broken")).alias(name))
    return list(texts.select(*selected).collect()[0])


@pytest.mark.parametrize("number", range(len(TABLE)), ids=[f"{t} {f} {z}: {x!r}" for t, f, z, x, _ in TABLE])
def test_a_text_is_a_value_or_broken(found: list[Any], number: int):
    expected, (value, broken) = TABLE[number][4], found[number]

    assert (BROKEN if broken else value) == expected


@pytest.mark.parametrize(
    ("column", "problem"),
    [
        ({"type": "date", "format": "YYYY-MM-dd"}, "has Y, which Spark does not read (yyyy is the year, dd the day)"),
        ({"type": "timestamp", "format": "yyyy-MM-ddTHH:mm"}, "has T, which Spark does not read"),
        ({"type": "boolean", "format": "yes"}, "wanted the words for true and false, such as ja/nein"),
    ],
)
def test_a_format_that_cannot_be_read_is_an_error_of_the_configuration(column: dict[str, Any], problem: str):
    with pytest.raises(ConfigError) as caught:
        parse(SourceColumn, {"name": "at", **column}, "test.yaml")

    assert problem in str(caught.value)
