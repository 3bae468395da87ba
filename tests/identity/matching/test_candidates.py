"""Pairs that meet are made once, by Spark, as two loops would make them."""

from itertools import combinations

import numpy as np
import pytest
from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from cdp.identity.config import MOST_BLOCKING_RULES, PIECES
from cdp.identity.matching.blocking import Rule
from cdp.identity.matching.candidates import Frequencies, compared_pairs, crowded, hashed, keyed, thinned
from cdp.identity.matching.fields import STANDARD, Field, Piece, pieces_of
from cdp.identity.matching.levels import NAMES
from cdp.identity.matching.parameters import unpacked

FIELDS = (Field("given_name", "name", other="family_name"), Field("family_name", "name", other="given_name"), Field("city", "text"))
GIVEN, CITY, INITIAL = (Piece(n, (f,), 0.0) for n, f in (("given", "given_name"), ("city", "city"), ("initial", "family_name")))
RULES = [Rule((GIVEN,), CITY, 0, 0), Rule((CITY, INITIAL), None, 0, 0)]
RARE = Frequencies({}, 0.1, 0.1)


@pytest.fixture(scope="module")
def people() -> list[tuple[int, int, str | None, str | None, str | None]]:
    random = np.random.default_rng(3)
    pick = lambda texts: None if random.random() < 0.2 else str(random.choice(texts))  # noqa: E731
    return [
        (n, n // 2, pick(["ann", "bob", "cleo"]), pick(["smith", "jones", "smyth"]), pick(["paris", "rome"]))
        for n in range(40)
    ]


@pytest.fixture
def pieces(spark: SparkSession) -> dict[Piece, Column]:
    return {GIVEN: F.col("f0"), CITY: F.col("f2"), INITIAL: F.substring("f1", 1, 1)}


def frame(spark: SparkSession, people: list[tuple[int, int, str | None, str | None, str | None]]):
    return spark.createDataFrame(people, "node bigint, atom bigint, f0 string, f1 string, f2 string")


def test_each_pair_is_made_once_with_all_rules_that_make_it(spark: SparkSession, people, pieces):
    pairs = compared_pairs(keyed(hashed(frame(spark, people), list(pieces.values())), RULES, list(pieces)), FIELDS, [RARE] * 3, 40).collect()

    expected = {}
    for one, other in combinations(people, 2):
        by_given = one[2] is not None and one[2] == other[2]
        by_city = None not in (one[4], one[3], other[3]) and one[4] == other[4] and one[3][0] == other[3][0]
        if by_given or by_city:
            expected[one[0], other[0]] = by_given + 2 * by_city
    assert {(r["low"], r["high"]): r["rules"] for r in pairs} == expected
    assert len(pairs) == len(expected)
    assert all((r["low_atom"], r["high_atom"]) == (r["low"] // 2, r["high"] // 2) for r in pairs)
    by_node = {p[0]: p for p in people}
    for row in pairs:
        levels = unpacked(np.array([row["pattern"]]), 3)[0]
        one, other = by_node[row["low"]], by_node[row["high"]]
        for field, place in enumerate((2, 3, 4)):
            is_equal = one[place] is not None and one[place] == other[place]
            assert (NAMES[FIELDS[field].kind][levels[field]] == "equal") == is_equal


def test_as_many_rules_as_a_configuration_may_have_make_each_pair_once(spark: SparkSession, pieces):
    last = MOST_BLOCKING_RULES - 1
    rules = [*[Rule((GIVEN,), None, 0, 0)] * last, Rule((CITY,), None, 0, 0)]
    by_all = [(1, 1, "ann", "smith", "paris"), (2, 2, "ann", "jones", "paris")]
    by_the_last = [(3, 3, "bob", "smith", "rome"), (4, 4, "cleo", "jones", "rome")]
    keys = keyed(hashed(frame(spark, [*by_all, *by_the_last]), list(pieces.values())), rules, list(pieces))

    pairs = compared_pairs(keys, FIELDS, [RARE] * 3, 4).collect()

    assert sorted((r["low"], r["high"], r["rules"]) for r in pairs) == [(1, 2, 2 ** (last + 1) - 1), (3, 4, 2**last)]


def test_a_value_that_too_many_have_is_told_apart_by_another_piece(spark: SparkSession, pieces):
    crowd = [(n, n, "john", "doe", "paris" if n % 2 else "rome") for n in range(12)]
    keys = keyed(hashed(frame(spark, crowd), list(pieces.values())), RULES[:1], list(pieces))
    many = [row["key"] for row in crowded(keys, most=10).collect()]
    assert len(many) == 1

    refined = thinned(keys, many, to_refined=True)
    assert crowded(refined, most=10).isEmpty()
    pairs = compared_pairs(refined, FIELDS, [RARE] * 3, 12).collect()
    assert {(r["low"] % 2, r["high"] % 2) for r in pairs} == {(0, 0), (1, 1)}
    assert len(pairs) == 2 * 15

    nothing = thinned(refined, [row["key"] for row in crowded(refined, most=5).collect()], to_refined=False)
    assert compared_pairs(nothing, FIELDS, [RARE] * 3, 12).isEmpty()


def test_two_records_of_a_source_that_has_one_a_person_are_not_compared(spark: SparkSession, pieces):
    rows = frame(spark, [(n, n, "ann", None, None) for n in range(6)]).withColumn("sole", (F.col("node") % 3).cast("int"))
    pairs = compared_pairs(keyed(hashed(rows, list(pieces.values())), RULES, list(pieces)), FIELDS, [RARE] * 3, 6).collect()
    within = {(1, 4), (2, 5)}
    assert {(r["low"], r["high"]) for r in pairs} == set(combinations(range(6), 2)) - within


def test_who_lacks_the_piece_that_tells_a_crowd_apart_meets_others_who_do(spark: SparkSession, pieces):
    crowd = [(n, n, "john", "doe", "paris" if n % 2 else None) for n in range(6)]
    keys = keyed(hashed(frame(spark, crowd), list(pieces.values())), RULES[:1], list(pieces))
    refined = thinned(keys, [row["key"] for row in crowded(keys, most=5).collect()], to_refined=True)
    pairs = compared_pairs(refined, FIELDS, [RARE] * 3, 6).collect()
    assert sorted((r["low"], r["high"]) for r in pairs) == [(0, 2), (0, 4), (1, 3), (1, 5), (2, 4), (3, 5)]


def test_the_pieces_that_a_configuration_may_name_are_those_there_are(spark: SparkSession):
    there = {piece.name for piece in pieces_of(STANDARD)}
    for field in STANDARD:
        assert {f"{field.name}{piece}" for piece in PIECES[field.kind]} <= there
