"""Texts read in Python just as Spark casts them: written examples, and thousands of texts made of pieces of them."""

import random
from datetime import datetime
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from cdp.conditions.columns import number_in
from cdp.conditions.reading import UnsureError, number_of, time_of, truth_of

WRITTEN = """
1|+1|-1.5|1.|.5|.|1e3|1E-3|1e|1e400|-1e-400|1f|1.5d|1L|1_000|1,5|0x10|0x1p3|0x1.8P1d|NaN|-NaN|inf|Infinity|+Infinity| 7|7 |\t7\n
١|７|\u00a07|\u00857|\x007|t|T|true|TRUE| true |yes|Y|no|0|1|on|off|f|False|tru|\u00a0true|\x7ftrue|truе
2026|26|202603|2026-3|2026-03|2026-3-1|2026-03-31|2026-03-31 |2026-03-31T|2026-03-31 x|2026-03-31x|2026-02-30|2026-13-01|2026-00-01
+2026-03-31|02026-03-31|2026-03-31T10|2026-03-31 10:2|2026-03-31T10:20|2026-03-31T10:20:3|2026-03-31T10:20:30|2026-03-31T10:20:30.|2026-03-31T10:20:30.123456789
2026-03-31T10:20:30.5Z|2026-03-31T10:20:30Z|2026-03-31 10:20:30 UTC|2026-03-31 10:20:30+01:00|2026-03-31 10:20:30 +1:00|2026-03-31 10:20:30+0130|2026-03-31 10:20:30-18:00
2026-03-31 10:20:30+19:00|2026-03-31 10:20:30+01:60|2026-03-31 10:20:30 Europe/Paris|2026-03-29 02:30:00 Europe/Paris|2026-10-25 02:30:00 Europe/Paris|2026-03-31 10:20:30 CET
2026-03-31 10:20:30 Nowhere/Town|2026-03-31 10:20:30GMT+2|2026-03-31 10:20:30UTC+02:00|2026-03-31 24:00:00|2026-03-31 10:60:00|2026-03-31 10:20:60|2026-03-31  10:20:30
2026-03-31t10:20:30|2026-03-31 10:20Z|2026-03-31 10Z|2026-03-31T10:20:30.123Z |2026-03-31T10:20:30 PST|2026-03-31T10:20:30z|2026-03-31T10:20:30+01|2026-03-31T10:20:30+1|2026-03-31T10:20:30+01:00:30
20260331|2026/03/31|31.03.2026|2026-03-31T10:20:30.abc|2026-03-31 10.20.30|-2026-03-31|0000-01-01|10000-01-01|123456-01-01|10:20|T10:20:30|10|T10|-1||  |x|2026-03-31 10:20:30,5
""".replace("\n", "|").split("|")  # fmt: skip
PIECES = [
    *"0123456789",
    *"+-.:TZ eEfd/",
    "2026",
    "-03",
    "-31",
    "T10",
    ":20",
    ":30",
    ".5",
    "+01:00",
    "true",
    "UTC",
    "Europe/Paris",
]


def made() -> list[str]:
    chance = random.Random(9)
    found = []
    for _ in range(6000):
        text = (
            chance.choice(WRITTEN) if chance.random() < 0.5 else "".join(chance.choices(PIECES, k=chance.randint(1, 7)))
        )
        at = chance.randint(0, len(text))
        found.append(text[:at] + chance.choice(PIECES) * chance.randint(0, 1) + text[at + chance.randint(0, 1) :])
    return found


def told(read: Any, text: str) -> Any:
    try:
        return read(text)
    except UnsureError:
        return UnsureError


def test_texts_are_read_as_spark_casts_them(spark: SparkSession) -> None:
    texts = sorted({*WRITTEN, *made(), "\t7\n", "true\n"})
    text = F.col("text")
    rows = (
        spark.createDataFrame([(t,) for t in texts], "text string")
        .select(
            "text",
            number_in(text).alias("number"),
            text.try_cast("boolean").alias("truth"),
            text.try_cast("timestamp").cast("string").alias("time"),
        )
        .collect()
    )

    wrong, unsure = [], 0
    for row in rows:
        t = row["text"]
        at = told(time_of, t)
        unsure += at is UnsureError
        pairs = [(number_of(t), row["number"]), (truth_of(t), row["truth"])]
        pairs += [(at, row["time"] and datetime.fromisoformat(row["time"]))] if at is not UnsureError else []
        wrong += [(t, mine, sparks) for mine, sparks in pairs if mine != sparks or type(mine) is not type(sparks)]
    assert not wrong, wrong[:40]
    assert unsure < len(rows) / 5
