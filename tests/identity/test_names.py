"""Which names may be one person's."""

from datetime import date

import pytest
from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from cdp.identity.names import folded, may_be_one, root

Who = tuple[str | None, str | None, str | None, str | None]  # given name, family name, birth date, suffix

ONE: list[tuple[Who, Who]] = [
    (("Élodie", None, None, None), ("ELODIE", None, None, None)),
    (("Bob", None, None, None), ("Robert", None, None, None)),
    (("Jean Paul", None, None, None), ("Jean", None, None, None)),
    (("J", None, None, None), ("John", None, None, None)),
    (("Christina", None, None, None), ("Chirstina", None, None, None)),
    (("Martin", "Paul", None, None), ("Paul", "Martin", None, None)),
    ((None, None, None, None), ("Ann", None, None, None)),
    (("Søren", None, None, None), ("Soren", None, None, None)),
    (("Ann", None, "1980-02-01", None), ("Ann", None, "1980-01-02", None)),
    (("Grete", None, "1980-02-01", None), ("Margarete", None, "1980-02-01", None)),
    (("Susanne", None, "1980-02-01", None), ("Sussane", None, "1980-02-01", None)),
]
TWO: list[tuple[Who, Who]] = [
    (("Ann", None, None, None), ("Bob", None, None, None)),
    (("Daniel", None, None, None), ("Daniela", None, None, None)),
    (("Mario", None, None, None), ("Maria", None, None, None)),
    (("Jean Paul", None, None, None), ("Jean Pierre", None, None, None)),
    (("John", None, None, "Jr"), ("John", None, None, "Sr")),
    (("John", None, "1950-03-04", None), ("John", None, "1981-06-07", None)),
    (("J", None, None, None), ("Karl", None, None, None)),
    (("Tim", None, None, None), ("Tom", None, None, None)),
    (("Mark", None, "1997-09-28", None), ("Marsha", None, "1997-09-28", None)),  # twins
]


@pytest.mark.parametrize("is_one", [True, False])
def test_names_and_births_say_who_may_be_one(spark: SparkSession, is_one: bool):
    pairs = ONE if is_one else TWO
    both_ways = [*pairs, *((b, a) for a, b in pairs)]
    rows = [(i, *_row(a), *_row(b)) for i, (a, b) in enumerate(both_ways)]
    fields = ("given string", "family string", "born date", "suffix string")
    schema = "i int, " + ", ".join(f"{side}_{field}" for side in "ab" for field in fields)
    who = spark.createDataFrame(rows, schema).select("i", _who("a").alias("a"), _who("b").alias("b"))

    found = who.select("i", may_be_one(F.col("a"), F.col("b")).alias("is_one")).collect()

    assert [both_ways[row["i"]] for row in found if row["is_one"] is not is_one] == []
    assert len(found) == len(both_ways)


def _row(who: Who) -> tuple[str | None, str | None, date | None, str | None]:
    given, family, born, suffix = who
    return given, family, date.fromisoformat(born) if born else None, suffix


def _who(side: str) -> Column:
    """As `groups.described` makes it of a record."""
    given, family = folded(F.col(f"{side}_given")), folded(F.col(f"{side}_family"))
    words = F.array_join(F.array_sort(F.split(F.concat_ws(" ", given, family), " ")), " ")
    return F.struct(
        given.alias("given"),
        root(given).alias("root"),
        words.alias("words"),
        F.col(f"{side}_born").alias("birth_date"),
        F.lower(f"{side}_suffix").alias("suffix"),
    )
