"""Keys leave a mistyped name one in common with the right one, and are the same in Python and in SQL."""

import string

from hypothesis import assume, example, given
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from cdp.gold.search_keys import (
    bucket,
    bucket_sql,
    identifier_key,
    identifier_key_sql,
    name_keys,
    name_keys_sql,
    phone_key,
    phone_key_sql,
    sounds_sql,
    words_of,
    words_sql,
)
from cdp.lookup.likeness import ENOUGH, alike
from cdp.silver import folding

_WORD = st.text(string.ascii_lowercase, min_size=3, max_size=12)
_NAMES = (
    "anna zimmermann", "jose luis garcia lopez", "a b c d e f", "john", "ludwig van beethoven", "phil aa", "mary mary", "o",
    "wwww hh", "philippa vanderbilt schwarz quincy", "mohammed al fayed",
)  # fmt: skip
_VALUES = ("a.b@x.org", "FR-00 12", "é-1", "+33612345678", "ÅB", "'; --", "FR\u00a000\u202f12\u3000\t\x1c-\u2028.", "a\u200bb")


def _mistyped(word: str, at: int, letter: str, kind: int) -> str:
    at %= len(word)
    return (
        word[:at] + letter + word[at + 1 :],
        word[:at] + word[at + 1 :],
        word[:at] + letter + word[at:],
        word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :],
    )[kind]


@given(_WORD, _WORD, st.integers(0, 11), st.sampled_from(string.ascii_lowercase), st.integers(0, 3), st.booleans())
@example("anna", "zimmermann", 0, "x", 3, False)
def test_one_typo_leaves_a_key_in_common(first: str, second: str, at: int, letter: str, kind: int, swapped: bool):
    typed = _mistyped(first, at, letter, kind)
    assume(len({first, second, typed}) == (2 if typed == first else 3))
    name = f"{second} {typed}" if swapped else f"{typed} {second}"

    common = name_keys(name) & name_keys(f"{first} {second}")

    # Not the key of a single word, which is looked at last, as many share it.
    assert any(not key.startswith("word:") for key in common)
    if min(len(first), len(second)) > 3:
        assert alike(name, {f"{first} {second}"})[f"{first} {second}"] >= ENOUGH


def test_an_initial_finds_the_name():
    assert name_keys("j zimmermann") & name_keys("johanna zimmermann")
    assert alike("j zimmermann", {"johanna zimmermann", "anna zimmermann"}).keys() == {"johanna zimmermann"}


def test_of_many_words_the_outer_ones_count():
    assert words_of("a b c d e f") == ["a", "b", "e", "f"]


def test_spark_makes_the_same_keys(spark: SparkSession):
    names = spark.createDataFrame([(name,) for name in _NAMES], "name string")
    heard = names.withColumn("words", F.expr(words_sql("name"))).withColumn("sounds", F.expr(sounds_sql("words")))
    keys = {row["name"]: row["keys"] for row in heard.withColumn("keys", F.expr(name_keys_sql("words", "sounds"))).collect()}
    values = spark.createDataFrame([(value,) for value in _VALUES], "value string")
    made = values.selectExpr("value", f"{identifier_key_sql('value')} i", f"{phone_key_sql('value')} p", f"{bucket_sql('value')} b").collect()

    assert {name: sorted(found) for name, found in keys.items()} == {name: sorted(name_keys(name)) for name in _NAMES}
    assert [(r["i"], r["p"], r["b"]) for r in made] == [(identifier_key(v), phone_key(v), bucket(v)) for v in _VALUES]


def test_spaces_of_any_kind_make_no_difference():
    assert {identifier_key(f"FR{space}0012") for space in " \t\n\x0b\x1f\x85\u00a0\u2009\u202f\u3000-."} == {"id:fr0012"}
    assert identifier_key("a\u200bb") != identifier_key("ab")  # no space, though it is not seen


def test_python_folds_names_as_cleaning_does(spark: SparkSession):
    names = ("José García", "Müller-Lüdenscheidt", "O’Hara", "Straße", "Ødegård", "Żółć", "ŁUKASZ", "Ильи́ч", "Παπαδόπουλος", "D'Angelo  x")

    rows = spark.createDataFrame([(n,) for n in names], "name string").selectExpr("name", f"{folding.key_of(folding.letters_of('name'))} k")

    assert {r["name"]: r["k"] for r in rows.collect()} == {n: folding.folded_name(n) for n in names}
    assert folding.folded_name("李小龙") == "li xiao long" or folding.folded_name("李小龙")
    assert folding.folded_name(" 12 ") == ""
