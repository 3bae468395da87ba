"""What the pairs of two clusters say together is what an obvious way makes of it."""

from math import log2

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdp.identity.matching.blocking import Blocking
from cdp.identity.matching.candidates import BITS
from cdp.identity.matching.clusters import edges_of
from cdp.identity.matching.fields import STANDARD, Field
from cdp.identity.matching.levels import ANOTHER_NAME, BOTH_SWAPPED, EQUAL, MISSING, NAMES
from cdp.identity.matching.linkage import CONTRADICTIONS, TOLD, average_linkage, evidence_of
from cdp.identity.matching.model import Model
from cdp.identity.matching.parameters import LEVELS, NAMESAKES, Parameters, Patterns
from cdp.identity.matching.together import MILLI, MOST, Together
from tests.identity.matching.test_linkage import Free

FIELDS: tuple[Field, ...] = (
    *(field for field in STANDARD if field.name in ("given_name", "family_name", "email", "birth_date", "birth_year", "street", "city")),
    Field("identifiers.passport", "code"),
)
PLACES = {field.name: place for place, field in enumerate(FIELDS)}
GIVEN, FAMILY, EMAIL, BIRTH, YEAR = (PLACES[n] for n in ("given_name", "family_name", "email", "birth_date", "birth_year"))
STREET, CITY, PASSPORT = PLACES["street"], PLACES["city"], PLACES["identifiers.passport"]


def model(seed: int = 3) -> Model:
    """Shares drawn by chance; an e-mail address depends on both names, one of which depends on the other."""
    random = np.random.default_rng(seed)
    shape = len(FIELDS), LEVELS, LEVELS
    m, u, home = (random.dirichlet(np.ones(LEVELS), shape[:2]) * 0.999 + 1e-6 for _ in range(3))
    classes = np.ones((len(FIELDS), LEVELS), np.uint8) * 3
    classes[:, MISSING], classes[:, EQUAL] = 0, 1
    depends = {FAMILY: (GIVEN,), EMAIL: (GIVEN, FAMILY)}
    parents = tuple(depends.get(place, ()) for place in range(len(FIELDS)))
    of_home, of_name = tuple(field.of_home for field in FIELDS), tuple(field.of_name for field in FIELDS)
    parameters = Parameters(m, u, parents, classes, 0.001, of_home, of_name, home, 0.0005)
    return Model(FIELDS, Blocking((), 0.0, 0.0), parameters, (), 1000)


def patterns(levels: list[list[int]], rarity: list[float] | None = None) -> Patterns:
    rows = np.array(levels, np.uint8)
    rare = np.tile(np.array(rarity or [0.0] * len(FIELDS)), (len(rows), 1)) * (rows == EQUAL)
    nothing = np.zeros(len(rows), np.int64)
    return Patterns(rows, np.ones(len(rows)), rare, nothing, nothing.astype(bool))


some_levels = st.tuples(*(st.integers(0, len(NAMES[field.kind]) - 1) for field in FIELDS)).map(list)


def slow(pairs: list[list[int]], known: Model) -> float:
    """Bits, field by field and pair by pair."""
    parameters = known.parameters
    scores = []
    home = parameters.home_prior
    shares = {"u": 1 - parameters.prior - home, "home": home * (1 - NAMESAKES), "namesakes": home * NAMESAKES}
    for other, share in shares.items():
        bits = log2(parameters.prior) - log2(share)

        def evidence(pair: list[int], field: int, other: str = other) -> float:
            level = pair[field]
            said = sum(int(parameters.classes[p, pair[p]]) * 4**i for i, p in enumerate(parameters.parents[field]))
            if level == MISSING or (other == "namesakes" and FIELDS[field].of_name):
                return 0.0
            others = parameters.u if other == "u" else parameters.home
            return log2(parameters.m[field, said, level] / others[field, said, level])

        other_name = {(GIVEN,): (FAMILY,), (FAMILY,): (GIVEN,)}  # which says of both that they stand in each other's place
        for topic in ((GIVEN,), (FAMILY,), (EMAIL,), (BIRTH, YEAR), (PASSPORT,)):
            told = [
                sum(evidence(pair, field) for field in topic)
                for pair in pairs
                if any(pair[field] != MISSING for field in topic) or any(pair[f] == BOTH_SWAPPED for f in other_name.get(topic, ()))
            ]
            bits += sum(told) / max(len(told), 1)
        homes = [
            2 ** min(max(evidence(pair, STREET) + evidence(pair, CITY), -15), MOST)
            for pair in pairs
            if pair[STREET] != MISSING or pair[CITY] != MISSING
        ]
        if homes:
            bits += log2(sum(homes) / len(homes))
        scores.append(bits)
    return -log2(sum(2**-score for score in scores))


@given(st.lists(some_levels, min_size=1, max_size=6), st.integers(0, 20))
def test_the_fast_way_agrees_with_the_slow_one(pairs: list[list[int]], seed: int):
    known = model(seed)
    together = Together(known)
    told = together.told(patterns(pairs))
    assert told.shape == (len(pairs), together.columns)
    found = together.bits(told.sum(axis=0, keepdims=True))
    # Thousandths of a bit of each field are rounded.
    assert found[0] / MILLI == pytest.approx(slow(pairs, known), abs=0.02)


@given(some_levels, st.lists(st.floats(0, 4), min_size=len(FIELDS), max_size=len(FIELDS)))
def test_one_pair_is_worth_what_it_is_worth_by_itself(pair: list[int], rarity: list[float]):
    known = model()
    pattern = patterns([pair], rarity)
    found = Together(known).bits(Together(known).told(pattern))
    assert found[0] / MILLI == pytest.approx(known.parameters.scores(pattern)[0], abs=0.02)


def bits(pairs: list[list[int]], known: Model) -> float:
    together = Together(known)
    return float(together.bits(together.told(patterns(pairs)).sum(axis=0, keepdims=True))[0]) / MILLI


def telling() -> Model:
    """A passport and a home say much, names something, another town speaks against."""
    known = model()
    for shares in (known.parameters.u, known.parameters.home):
        shares[:] = known.parameters.m
        shares[GIVEN, :, EQUAL] = known.parameters.m[GIVEN, :, EQUAL] / 2**4
        shares[PASSPORT, :, EQUAL] = known.parameters.m[PASSPORT, :, EQUAL] / 2**16
        shares[CITY, :, EQUAL] = known.parameters.m[CITY, :, EQUAL] / 2**6
        shares[CITY, :, 2:] = known.parameters.m[CITY, :, 2:] * 2**5
    return known


def test_who_has_the_name_of_one_of_the_household_may_be_another_of_it():
    known = telling()
    known.parameters.home[STREET] = known.parameters.m[STREET]
    known.parameters.u[STREET, :, EQUAL] = known.parameters.m[STREET, :, EQUAL] / 2**12
    known.parameters.u[GIVEN, :, EQUAL] = known.parameters.home[GIVEN, :, EQUAL] = known.parameters.m[GIVEN, :, EQUAL] / 2**20
    strangers = [EQUAL, EQUAL, *[MISSING] * (len(FIELDS) - 2)]
    neighbours = strangers.copy()
    neighbours[STREET] = EQUAL
    # However rare the name: a father is as likely to have it as his son is to have it twice.
    at_most = log2(known.parameters.prior / (known.parameters.home_prior * NAMESAKES))
    assert bits([neighbours], known) == pytest.approx(at_most, abs=0.1)


def test_pairs_that_say_nothing_do_not_outvote_the_one_that_does():
    name = [EQUAL, EQUAL, *[MISSING] * (len(FIELDS) - 2)]
    passport = [*name[:-1], EQUAL]
    known = telling()
    assert bits([passport] + [name] * 7, known) == pytest.approx(bits([passport], known), abs=0.02)


def test_who_has_moved_is_known_by_one_of_the_homes():
    at_home, moved = ([EQUAL, EQUAL, *[MISSING] * (len(FIELDS) - 2)] for _ in range(2))
    at_home[CITY], moved[CITY] = EQUAL, 3
    known = telling()
    alone, among_four = bits([at_home], known), bits([at_home, moved, moved, moved], known)
    assert among_four == pytest.approx(alone - 2, abs=0.1)  # any of the four might have been the same by chance
    assert bits([moved] * 4, known) == pytest.approx(bits([moved], known), abs=0.02)


def test_what_one_pair_says_once_is_not_said_again_by_another():
    known = model()
    nothing = [MISSING] * len(FIELDS)
    dated, swapped, same = nothing.copy(), nothing.copy(), nothing.copy()
    dated[BIRTH], swapped[GIVEN], same[GIVEN], same[FAMILY] = EQUAL, BOTH_SWAPPED, EQUAL, EQUAL
    year = nothing.copy()
    year[YEAR] = EQUAL
    for one, other in ((dated, year), (swapped, same)):
        between = sorted((bits([one], known), bits([other], known)))
        assert between[0] - 0.5 <= bits([one, other], known) <= between[1] + 0.5


def test_one_wrong_home_does_not_make_two_namesakes_one_who_differ_elsewhere():
    """Two people of one name, each with records of their own passports, one record at the other's home."""
    known = telling()
    known.parameters.u[PASSPORT, :, 2:] = known.parameters.m[PASSPORT, :, 2:] * 2**8
    together = Together(known)
    people = {node: node // 4 for node in range(8)}
    rows, ends = [], []
    for low in range(8):
        for high in range(low + 1, 8):
            one = people[low] == people[high]
            pair = [EQUAL, EQUAL, *[MISSING] * (len(FIELDS) - 2)]
            pair[CITY] = EQUAL if one or low == 3 else 3
            pair[PASSPORT] = EQUAL if one else len(NAMES["code"]) - 1
            rows.append(pair)
            ends.append((low, high))
    found, _ = average_linkage(
        edges_of(pair_table(ends, rows), known, together, 0.0),
        lambda nodes: np.ones(len(nodes), np.int64), together.bits, stop=0, unseen=-3000, limits=Free(),
    )  # fmt: skip
    assert found == {node: 4 * person for node, person in people.items()}


def pair_table(ends: list[tuple[int, int]], levels: list[list[int]]) -> pa.Table:
    pattern = (np.array(levels, np.int64) << (np.arange(len(FIELDS)) * BITS)).sum(axis=1)
    low, high = zip(*ends, strict=True)
    rarity = [bytes(len(FIELDS))] * len(ends)
    return pa.table({"low_atom": low, "high_atom": high, "pattern": pattern, "rarity": pa.array(rarity, pa.binary())})


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(4, 6), st.booleans(), some_levels), min_size=1, max_size=12), st.integers(1, 5))
def test_pairs_of_two_atoms_are_summed_whatever_their_order(pairs: list[tuple[int, int, bool, list[int]]], at_once: int):
    known = model()
    together = Together(known)
    table = pair_table([(b, a) if swap else (a, b) for a, b, swap, _ in pairs], [levels for *_, levels in pairs])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("cdp.identity.matching.clusters._PAIRS_AT_ONCE", at_once)
        edges = edges_of(table, known, together, 0.0)
    wanted: dict[tuple[int, int], np.ndarray] = {}
    for a, b, _, levels in pairs:
        one = patterns([levels])
        row = evidence_of(known.parameters.scores(one) >= 0.0, together.said(one), together.told(one))[0]
        wanted[a, b] = wanted.get((a, b), 0) + row
    assert list(zip(edges.low.tolist(), edges.high.tolist(), strict=True)) == sorted(wanted)
    assert edges.sums.tolist() == [wanted[ends].tolist() for ends in sorted(wanted)]
    assert edges.sums.shape[1] == TOLD + together.columns


def test_what_is_said_of_names_and_births():
    known = model()
    known.parameters.m[PLACES["given_name"], 0, ANOTHER_NAME] = 0.0
    pairs = [[EQUAL, *[MISSING] * (len(FIELDS) - 1)], [ANOTHER_NAME, *[MISSING] * (len(FIELDS) - 1)], [MISSING] * len(FIELDS)]
    said = Together(known).said(patterns(pairs))
    place = 2 * list(CONTRADICTIONS).index("given_name")
    assert said[:, place : place + 2].tolist() == [[1, 0], [0, 1], [0, 0]]
