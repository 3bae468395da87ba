"""Types by values: each proposal reads every value, by Spark's own account."""

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from cdp.bronze.columns import SourceColumn
from cdp.bronze.describe.kinds import kind_of
from cdp.bronze.describe.words import _ACTS, _PEOPLE, _PERSONAL_ONLY, _TIMES, _TRADE, is_dated, meaning_of
from cdp.bronze.typed import is_broken, typed

COLUMNS = {
    "int": (["1", "-20", "+3"], ("int", None)),
    "bigint": (["1", "9876543210"], ("bigint", None)),
    "leading zeros": (["00501", "10115"], ("string", None)),
    "drawn numbers": (["2800536358895", "2800628815092", "2900812181012"], ("string", None)),
    "phones": (["+33613054507", "+33613054508"], ("string", None)),
    "too long": (["12345678901234567890", "1"], ("string", None)),
    "decimal": (["1.5", "-2", ".25", "3."], ("decimal(12,2)", None)),
    "four places": (["1.5", "2.1234"], ("decimal(12,4)", None)),
    "double": (["1e5", "2.5E-3", "1"], ("double", None)),
    "many places": (["0.123456789012", "1"], ("double", None)),
    "comma": (["1,5", "12,25", "3"], ("decimal(12,2)", "1.234,56")),
    "comma, no thousands": (["1,5", "1234,25"], ("decimal(12,2)", "1234,56")),
    "comma and dots": (["1.234,56", "12,5"], ("decimal(12,2)", "1.234,56")),
    "dot and commas": (["1,234.56", "12.5"], ("decimal(12,2)", "1,234.56")),
    "spaces": (["1 234,56", "12,5"], ("decimal(12,2)", "1 234,56")),
    "hard spaces": (["1\u00a0234,56", "12,5"], ("decimal(12,2)", "1\u00a0234,56")),
    "apostrophes": (["1'234.50", "12.50"], ("decimal(12,2)", "1'234.56")),
    "dollars": (["$1,234.50", "$2.00"], ("decimal(12,2)", "$1,234.56")),
    "dots of thousands": (["1.234.567", "2.500"], ("int", "1.234")),
    "mixed marks": (["1,5", "1.5"], ("string", None)),
    "truths": (["TRUE", "false"], ("boolean", None)),
    "yes": (["yes", "No"], ("boolean", None)),
    "no alone": (["no"], ("string", None)),
    "iso day": (["2024-02-29", "1970-01-01"], ("date", None)),
    "no such day": (["2023-02-29", "2024-01-01"], ("string", None)),
    "iso time": (["2024-02-29T10:00:00Z", "2024-02-29 10:00:00.123", "2024-02-29"], ("timestamp", None)),
    "days first": (["31/12/2024", "01/02/2024"], ("date", "dd/MM/yyyy")),
    "months first": (["12/31/2024", "01/02/2024"], ("date", "MM/dd/yyyy")),
    "single digits": (["3/10/17", "12/31/18"], ("date", "M/d/yy")),
    "dots": (["3.10.2017", "13.1.2018"], ("date", "d.M.yyyy")),
    "dots and time": (["03.10.2017 09:05:59", "13.01.2018 23:00:00"], ("timestamp", "dd.MM.yyyy HH:mm:ss")),
    "half days": (["10/03/2017 9:05 PM", "10/13/2017 11:05 am"], ("timestamp", "MM/dd/yyyy h:mm a")),
    "fractions": (["13.01.2018 09:05:59.5", "13.01.2018 09:05:59.123"], ("timestamp", "dd.MM.yyyy HH:mm:ss.SSS")),
    "zones": (["13.01.2018T09:05:59+01:00", "14.01.2018T09:05:59Z"], ("timestamp", "dd.MM.yyyy'T'HH:mm:ssXXX")),
    "named months": (["3 Jan 2024", "14 dec 2024"], ("date", "d MMM yyyy")),
    "named months first": (["Jan 3, 2024", "Dec 14, 2024"], ("date", "MMM d, yyyy")),
    "compact": ([f"202401{n:02}" for n in range(1, 15)], ("date", "yyyyMMdd")),
    "no minutes past 59": (["03.10.2017 09:65"], ("string", None)),
    "mixed": (["1", "a"], ("string", None)),
    "a tab is something": (["1", "\t"], ("string", None)),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_has_the_type_of_all_its_values(name: str):
    values, wanted = COLUMNS[name]

    found = kind_of(values, is_text=False, is_dated=False, day_first=None)

    assert (found.type, found.format) == wanted


def test_spark_reads_every_value_under_the_type_proposed(spark: SparkSession):
    height = max(len(values) for values, _ in COLUMNS.values())
    rows = [tuple(values[n % len(values)] for values, _ in COLUMNS.values()) for n in range(height)]
    frame = spark.createDataFrame(rows, [*COLUMNS])
    broken = []
    for name, (_, (kind, pattern)) in COLUMNS.items():
        column = SourceColumn(name=name, type=kind, format=pattern)
        broken.append(F.count_if(is_broken(column, typed(column, "UTC"))).alias(name))

    counts = frame.select(*broken).first().asDict()

    assert {name: n for name, n in counts.items() if n} == {}


def test_spark_reads_marked_numbers_as_what_they_are(spark: SparkSession):
    names = [name for name, (_, (kind, pattern)) in COLUMNS.items() if pattern and not kind.startswith(("date", "time"))]
    frame = spark.createDataFrame([tuple(COLUMNS[name][0][0] for name in names)], names)
    columns = [SourceColumn(name=n, type=COLUMNS[n][1][0], format=COLUMNS[n][1][1]) for n in names]

    found = frame.select(*[typed(c, "UTC").cast("double").alias(c.name) for c in columns]).first().asDict()

    assert found["comma"] == 1.5 and found["comma, no thousands"] == 1.5 and found["dots of thousands"] == 1234567
    assert {found[n] for n in ("comma and dots", "dot and commas", "spaces", "hard spaces")} == {1234.56}
    assert {found[n] for n in ("apostrophes", "dollars")} == {1234.5}


def test_which_comes_first_of_day_and_month_is_taken_from_another_column_or_to_be_checked():
    values = ["01/02/2024", "03/04/2024"]

    unsure = kind_of(values, is_text=False, is_dated=True, day_first=None)
    american = kind_of(values, is_text=False, is_dated=True, day_first=False)

    assert unsure.format == "dd/MM/yyyy" and unsure.note and "no value tells day from month" in unsure.note
    assert american.format == "MM/dd/yyyy" and american.note


def test_dates_with_a_few_broken_ones_stay_text_and_say_how_to_read_the_others():
    values = [f"1980{m:02}{d:02}" for m in range(1, 13) for d in range(1, 9)] + ["19801332"]

    found = kind_of(values, is_text=False, is_dated=True, day_first=None)

    assert (found.type, found.expression) == ("string", "try_to_date({}, 'yyyyMMdd')")
    assert found.note and "most values" in found.note


def test_a_number_since_1970_is_a_time_where_the_name_says_so():
    values = ["1700000000000", "1700000001000"]

    assert kind_of(values, is_text=False, is_dated=True, day_first=None).format == "epoch_millis"
    assert kind_of(values, is_text=False, is_dated=False, day_first=None).format is None


def test_no_word_has_two_meanings():
    words = [w for group in (_PEOPLE, _PERSONAL_ONLY, _TIMES, _TRADE, _ACTS) for text in group.values() for w in text.split()]

    assert sorted(w for w in set(words) if words.count(w) > 1) == []


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("DATE_OF_BIRTH", "birth_date"),
        ("dateOfBirth", "birth_date"),
        ("Waehrung", "currency"),
        ("Währung", "currency"),
        ("shippingPrice", "shipping"),
        ("customer_phone_2", "phone"),
        ("PRIMARY_NAME_LAST", "family_name"),
        ("email_status", None),
        ("", None),
        ("名前", None),
    ],
)
def test_a_name_means_the_same_however_it_is_written(name: str, meaning: str | None):
    assert meaning_of(name) == meaning


def test_names_that_speak_of_a_time_are_known():
    assert [n for n in ("sold_at", "orderDate", "Zeit", "cat", "station") if is_dated(n)] == ["sold_at", "orderDate", "Zeit"]
