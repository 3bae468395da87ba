"""Amounts in one currency: the rate of their own day, else the newest before it, else the undated one."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from chispa import assert_df_equality
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from cdp.silver.money import Rates, exchange_rates, rate_ranges, with_rate
from cdp.tables.silver import EXCHANGE_RATES

Fill = Callable[..., DataFrame]
UNDATED = {"GBP": Decimal("1.2"), "USD": Decimal("0.9")}
NEW_YEAR = date(2026, 1, 1)


def quoted(fill: Fill, *rates: tuple[str, date, str]) -> DataFrame:
    return fill(EXCHANGE_RATES, *[{"currency": c, "day": day, "rate": Decimal(rate)} for c, day, rate in rates])


def test_an_amount_has_the_rate_of_its_day_else_the_newest_before_else_the_undated_one(spark: SparkSession, fill: Fill):
    rates = quoted(
        fill,
        ("GBP", date(2026, 1, 10), "1.10"),
        ("GBP", date(2026, 1, 12), "1.12"),
        ("GBP", date(2026, 3, 1), "1.30"),
        ("CHF", date(2026, 1, 10), "1.05"),
        ("EUR", date(2026, 1, 10), "7"),
    )
    rows = [
        ("before all", "GBP", date(2026, 1, 9), "1.2"),
        ("its day", "GBP", date(2026, 1, 10), "1.10"),
        ("between", "GBP", date(2026, 1, 11), "1.10"),
        ("over months", "gbp", date(2026, 2, 28), "1.12"),
        ("its day again", "GBP", date(2026, 3, 1), "1.30"),
        ("years later", "GBP", date(2031, 7, 1), "1.30"),
        ("no day", "GBP", None, "1.2"),
        ("undated alone", "USD", date(2026, 1, 10), "0.9"),
        ("before all, no other", "CHF", date(2026, 1, 9), None),
        ("dated alone", "CHF", date(2026, 2, 1), "1.05"),
        ("none", "XTS", date(2026, 1, 10), None),
        ("own", "EUR", date(2026, 1, 10), "1"),
        ("unnamed", None, date(2026, 1, 10), "1"),
    ]
    schema = "what string, currency string, on date"
    amounts = spark.createDataFrame([row[:3] for row in rows], schema)

    actual = with_rate(amounts, F.col("on"), Rates("EUR", UNDATED, rate_ranges(rates)))

    wanted = [(*row[:3], row[3] and Decimal(row[3])) for row in rows]
    assert_df_equality(actual, spark.createDataFrame(wanted, f"{schema}, _rate decimal(18,10)"), ignore_row_order=True)


def test_nothing_is_joined_where_no_source_sends_rates(spark: SparkSession):
    amounts = spark.createDataFrame([("GBP",), ("XTS",), (None,)], "currency string")

    for undated, expected in ((UNDATED, {"GBP": Decimal("1.2"), "XTS": None, None: 1}), ({}, {"GBP": None, "XTS": None, None: 1})):
        actual = with_rate(amounts, F.lit(NEW_YEAR), Rates("EUR", undated))

        assert {row["currency"]: row["_rate"] for row in actual.collect()} == expected
        assert "Join" not in actual._jdf.queryExecution().toString()


def test_the_newest_row_of_a_currency_and_day_holds(spark: SparkSession):
    def candidate(source: str, currency: str, rate: str, at: datetime) -> tuple[Any, ...]:
        return source, currency, NEW_YEAR, Decimal(rate), at, at, "f", 1, 1

    early, late = datetime(2026, 1, 2), datetime(2026, 1, 3)
    rows = [
        candidate("bank", "gbp", "1.1", early),
        candidate("bank", "GBP", "1.2", late),
        candidate("a", "USD", "0.8", late),
        candidate("b", "USD", "0.7", late),  # the same file, read as two sources
    ]
    schema = (
        "source string, currency string, day date, rate decimal(18,10), _updated_at timestamp, _file_modified_at timestamp,"
        " _file string, _file_row int, _position int"
    )
    expected = [("GBP", NEW_YEAR, "bank", Decimal("1.2")), ("USD", NEW_YEAR, "b", Decimal("0.7"))]
    for order in (rows, rows[::-1]):
        actual = exchange_rates(spark.createDataFrame(order, schema))

        wanted = spark.createDataFrame(expected, "currency string, day date, source string, rate decimal(18,10)")
        assert_df_equality(actual, wanted, ignore_row_order=True)


def slow_rate(currency: str | None, day: date, rates: dict[tuple[str, date], Decimal]) -> Decimal | None:
    if currency in (None, "EUR"):
        return Decimal(1)
    while day >= date(2025, 1, 1):
        if (currency, day) in rates:
            return rates[currency, day]
        day -= timedelta(days=1)
    return UNDATED.get(currency)


CURRENCIES = ["GBP", "USD", "CHF", "EUR"]
DAYS = st.builds(lambda n: NEW_YEAR + timedelta(days=n), st.integers(0, 70) | st.integers(-300, 700))
RATES = st.dictionaries(
    st.tuples(st.sampled_from(CURRENCIES), DAYS), st.builds(lambda n: Decimal(n) / 1000, st.integers(1, 9999)), max_size=60
)
AMOUNTS = st.lists(st.tuples(st.sampled_from([*CURRENCIES, "XTS", None]), DAYS), min_size=100, max_size=300)


@settings(
    max_examples=4,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate),
)
@given(rates=RATES, amounts=AMOUNTS)
def test_rates_agree_with_the_slow_obvious_way(spark: SparkSession, fill: Fill, rates: Any, amounts: Any):
    rows = spark.createDataFrame([(i, *row) for i, row in enumerate(amounts)], "id int, currency string, on date")
    ranges = rate_ranges(quoted(fill, *[(*key, str(rate)) for key, rate in rates.items()]))

    found = with_rate(rows, F.col("on"), Rates("EUR", UNDATED, ranges)).collect()

    assert sorted(row["id"] for row in found) == list(range(len(amounts)))
    assert {row["id"]: row["_rate"] for row in found} == {
        i: slow_rate(currency, day, rates) for i, (currency, day) in enumerate(amounts)
    }
