"""Addresses read in Python just as Spark reads them: written examples, and thousands of texts made of pieces of them."""

import random

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from cdp.silver.email_reading import address_in
from cdp.silver.emails import email_form

WRITTEN = r"""
ann@example.com|ANN@Example.COM| ann@example.com |"Ann" <ann@example.com>|Ann Lee <ANN@example.com>;|<ann@example.com>.|mailto:ann@example.com?subject=hi
(ann@example.com)|'ann@example.com'|[ann@example.com],|"ann@example.com"|"ann.lee"@example.com|"ann lee"@example.com|"a""b"@example.com|"a\b"@example.com
ann@example|ann@example.c|ann@@example.com|a@b@example.com|@example.com|ann@|ann|.ann@example.com|ann.@example.com|a..n@example.com|ann@.example.com
ann@example..com|ann@-example.com|ann@example-.com|ann@ex_ample.com|ann@example.com.|ann@example.123|ann@123.com|ann@[127.0.0.1]|ann@xn--mller-kva.de
ann@müller.de|ann@MÜLLER.de|ann@faß.de|ann@ελλάς.gr|ann@例え.jp|ann@ｅxample.com|ann@example。com|ann@exa\u200dmple.com|ann@ɂx.com|ann@😀.com|änn@example.com|😀@example.com
ann@пример.рф|ann@x.xn--p1ai|ann@ﬁsch.de|ann@e\u0301x.fr|ann@x\u0301.fr|ann@x.f\u0301|ann@\u0301x.fr|ann@عربي.com|ann@عa.com|a!#$%&'*+/=?^_`{|}~-b@example.com|İnn@example.com
\xa0ann@example.com\u200b|ann\xad@example.com|ann@example.com\xad|ann @example.com|ann@ example.com|a,b@example.com|ann@example.com, bob@example.com|ann@example.com?x
""".strip().encode("ascii", "backslashreplace").decode("unicode_escape").replace("\n", "|").split("|")  # fmt: skip
PIECES = [
    *"aZ9.@@<>\"'()[],;: ?-+_",
    "ann",
    "example",
    ".com",
    "@x.fr",
    "mailto:",
    "ü",
    "ß",
    "例",
    "\u0301",
    "\u200b",
    "\xa0",
    "xn--",
    "\n",
]


def made() -> list[str]:
    chance = random.Random(8)
    found = []
    for _ in range(6000):
        text = (
            chance.choice(WRITTEN) if chance.random() < 0.6 else "".join(chance.choices(PIECES, k=chance.randint(2, 8)))
        )
        for _ in range(chance.randint(0, 2)):
            at = chance.randint(0, len(text))
            text = text[:at] + chance.choice(PIECES) * chance.randint(0, 1) + text[at + chance.randint(0, 1) :]
        found.append(text)
    return found


def test_addresses_are_read_as_spark_reads_them(spark: SparkSession) -> None:
    long = [f"{'a' * n}@{'b' * m}.{'c' * 60}.com" for n in (1, 64, 65) for m in (1, 62, 63, 64)]
    long += [f"a@{'b' * 61}.{'c' * 61}.{'d' * 61}.{'e' * n}.com" for n in (58, 59, 60, 61, 62)]
    texts = sorted({*WRITTEN, *made(), *long})
    rows = (
        spark.createDataFrame([(t,) for t in texts], "text string").select("text", email_form(F.col("text"))).collect()
    )

    wrong = [(text, address_in(text), sparks) for text, sparks in rows if address_in(text) != sparks]

    assert not wrong, wrong[:40]
    assert sum(sparks is not None for _, sparks in rows) > len(rows) / 10
