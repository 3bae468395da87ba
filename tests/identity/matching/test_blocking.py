"""Rules are chosen for what they reach, within a budget."""

from collections import Counter

import numpy as np
import pytest

from cdp.identity.matching import blocking
from cdp.identity.matching.blocking import chosen_rules
from cdp.identity.matching.fields import Piece

GIVEN = Piece("given_name", ("given_name",), 0.0)
PREFIX = Piece("given_name_prefix", ("given_name",), 0.6, alone=False)
BORN = Piece("birth_date", ("birth_date",), 0.0)
CITY = Piece("city", ("city",), 0.0)


def codes(size: int) -> dict[Piece, np.ndarray]:
    random = np.random.default_rng(1)
    given = random.integers(1, 400, size)
    born = random.integers(1, 20_000, size)
    born[random.random(size) < 0.3] = 0
    return {GIVEN: given, PREFIX: given // 10 + 1, BORN: born, CITY: random.integers(1, 3, size)}


def left_of(rule: blocking.Rule, values: dict[Piece, np.ndarray], records: int) -> int:
    """Pairs of a sample that meet, one value after the other."""
    blocks: dict[tuple[int, ...], list[int]] = {}
    for number, row in enumerate(zip(*[values[p].tolist() for p in rule.pieces], strict=True)):
        if 0 not in row:
            blocks.setdefault(row, []).append(number)

    def is_crowd(size: int) -> bool:
        return size > 3 and (size - 1) * records / len(values[GIVEN]) + 1 > blocking.MOST_IN_BLOCK

    sizes = []
    for members in blocks.values():
        if not is_crowd(len(members)):
            sizes.append(len(members))
        elif rule.refined_by:
            finer = Counter(values[rule.refined_by][members].tolist())
            sizes += [size for size in finer.values() if not is_crowd(size)]
    return sum(size * (size - 1) // 2 for size in sizes)


@pytest.mark.parametrize(("size", "records"), [(2000, 2000), (1500, 1500), (2000, 100_000)])
def test_the_cost_of_a_rule_is_counted_before_a_pair_is_made(size: int, records: int):
    values = codes(size)
    chosen = chosen_rules(values, np.arange(size), records, wanted=[(CITY,), (PREFIX,)])
    scale = records * (records - 1) / (size * (size - 1))
    assert chosen.rules[0].pairs < scale * (size / 2) ** 2 / 2  # each city has half of the records: they are told apart
    for rule in chosen.rules:
        assert rule.pairs == pytest.approx(scale * left_of(rule, values, records))
    assert chosen.pairs == sum(rule.pairs for rule in chosen.rules)


def test_a_placeholder_does_not_cost_a_rule_its_other_records():
    values, crowded = codes(2000), codes(2000)
    crowded[BORN] = np.where(np.arange(2000) % 10 == 0, 19_000, crowded[BORN])  # a tenth is born on one day
    chosen, despite = (chosen_rules(v, np.arange(2000), 200_000) for v in (values, crowded))
    assert {rule.name for rule in chosen.rules} - {rule.name for rule in despite.rules} == set()


def test_what_the_configuration_adds_takes_nothing_from_the_other_rules():
    values = codes(2000)
    plain, added = (chosen_rules(values, np.arange(2000), 1_000_000, wanted=wanted) for wanted in ([], [(CITY,)]))
    assert len(plain.rules) > 1
    assert added.rules[0].name == "city"
    assert {rule.name for rule in plain.rules} <= {rule.name for rule in added.rules}


def test_a_rule_of_a_common_value_is_not_worth_its_pairs_and_rules_survive_a_missing_field():
    chosen = chosen_rules(codes(5000), np.arange(5000), 1_000_000)
    names = [rule.name for rule in chosen.rules]
    assert "city" not in names  # half of all records each
    assert any(name != "birth_date" for name in names)
    assert chosen.pairs <= blocking.PAIRS_A_RECORD * 1_000_000
    assert 0.3 < chosen.reach <= 1


def test_a_configured_rule_is_taken_in_any_case():
    chosen = chosen_rules(codes(500), np.arange(500), 500_000, wanted=[(CITY, PREFIX)])
    assert chosen.rules[0].pieces == (CITY, PREFIX)


def test_a_configured_rule_is_not_taken_once_more_with_its_pieces_in_another_order():
    chosen = chosen_rules(codes(500), np.arange(500), 500, wanted=[(BORN, GIVEN)])
    combinations = [frozenset(rule.pieces) for rule in chosen.rules]
    assert len(combinations) > 1
    assert combinations.count(frozenset({BORN, GIVEN})) == 1


def test_nothing_to_compare_and_the_same_rules_each_time():
    assert chosen_rules({}, np.arange(0), 0).rules == ()
    again = [chosen_rules(codes(1000), np.arange(1000), 1000) for _ in range(2)]
    assert again[0] == again[1]
