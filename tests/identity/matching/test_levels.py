"""What people and keyboards do to a value has a level of its own."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from cdp.identity.matching.levels import EQUAL, MISSING, NAMES, SEPARATOR, Values, compared
from cdp.identity.names import are_one_name, is_given_name, stands_for
from cdp.identity.sounds import sound_of

CASES = [
    ("name", "anna", "anna", "equal"),
    ("name", "robert", "bob", "short form of one name"),
    ("name", "catherine", "cathrine", "nearly equal"),
    ("name", "zara", "sahra", "sounds alike"),
    ("name", "sophia", "sofia", "sounds alike"),
    ("name", "philip", "filip", "sounds alike"),
    ("name", "john", "jane", "same first letter"),
    ("name", "sean", "shaun", "same first letter"),
    ("name", "cathryn", "katherine", "different"),
    ("name", "michael", "michelle", "same first letter"),
    ("name", "peter", "petra", "same first letter"),
    ("name", "geoffrey", "jefri", "sounds alike"),
    ("name", "cara", "sara", "similar"),
    ("name", "garcia", "garcia lopez", "one is part of the other"),
    ("name", "de la cruz", "cruz", "one is part of the other"),
    ("name", "meier schmidt", "schmidt", "one is part of the other"),
    ("name", "j", "jerome", "initial agrees"),
    ("name", "b", "robert", "initial agrees"),
    ("name", "b", "anna", "different"),
    ("name", "marthal", "mathias", "similar"),
    ("name", "sven", "sigrids", "same first letter"),
    ("name", "anna", "ooxx", "different"),
    ("name", "anna", "otto", "another name"),
    ("name", "martha", "mathias", "another name"),
    ("name", "darla", "darlene", "another name"),
    ("name", "mohammed amin", "mohammed hassan", "one is part of the other"),
    ("name", "kate", "kathryn", "similar"),
    ("name", "tasha", "natasha", "different"),
    ("name", "max", "maxwell", "similar"),
    ("name", "bill", "liam", "different"),
    ("name", "darlane", "darlene", "sounds alike"),
    ("name", "featherstone", "featherstonehaugh", "similar"),
    ("date", "1980-03-07", "1980-07-03", "day and month swapped"),
    ("date", "1980-03-07", "1988-03-07", "one digit wrong"),
    ("date", "1980-03-17", "1980-03-71", "one digit wrong"),
    ("date", "1980-03-07", "1955-03-07", "same day and month"),
    ("date", "1980-03-07", "1981-03-08", "two digits wrong"),
    ("date", "1980-03-07", "1980-11-28", "same year"),
    ("date", "1980-03-07", "1981-11-28", "a year apart"),
    ("date", "1980-03-07", "1955-11-28", "different"),
    ("email", "a.meier@web.de", "a.meyer@web.de", "one or two letters wrong"),
    ("email", "a.meier@web.de", "a.meier@work.example", "same name before the @"),
    ("email", "anna.smith82@web.de", "anna.smith91@work.example", "other digits before the @"),
    ("email", "anna.meier@web.de", "otto@else.org", "different"),
    ("phone", "+33612345678", "+33612345679", "one digit wrong"),
    ("phone", "+4912345678", "+3312345678", "same last seven digits"),
    ("street", "main street 12", "12 main street", "same words"),
    ("street", "12 main street", "12 main stret", "nearly equal"),
    ("street", "12 main street", "12 the old main rd", "same number and a word"),
    ("postal_code", "75011", "7501", "one character wrong or cut off"),
    ("postal_code", "75011", "75012", "one character wrong or cut off"),
    ("postal_code", "SW1A1AA", "SW1A2BB", "same district"),
    ("postal_code", "75011", "75999", "same area"),
    ("text", "newcastle", "newcastle upon tyne", "one is part of the other"),
    ("text", "paris", "le grand paris", "one is part of the other"),
    ("text", "london", "nodnol", "same letters"),
    ("code", "5219877", "5219878", "one character wrong"),
    ("code", "5219877", "5298177", "two characters wrong"),
    ("number", "1000", "1005", "within a hundredth"),
    ("number", "1000", "abc", "different"),
    ("category", "m", "f", "different"),
]


def level(kind: str, one: str | None, other: str | None) -> str:
    values = Values.of(pa.array([one, other], pa.string()))
    return NAMES[kind][compared(kind, values, np.array([0]), np.array([1]))[0]]


@pytest.mark.parametrize(("kind", "one", "other", "expected"), CASES)
def test_a_level_says_what_happened_to_a_value(kind: str, one: str, other: str, expected: str):
    assert level(kind, one, other) == level(kind, other, one) == expected


@pytest.mark.parametrize("kind", sorted(NAMES))
def test_missing_is_no_evidence_and_equal_is_equal(kind: str):
    value = "1980-03-07" if kind == "date" else "a b1"
    assert level(kind, value, None) == level(kind, None, None) == NAMES[kind][MISSING]
    assert level(kind, value, value) == NAMES[kind][EQUAL]


def test_names_that_changed_places():
    given = Values.of(pa.array(["harry", "walker", "harry"]))
    family = Values.of(pa.array(["walker", "harry", "potter"]))
    left, right = np.array([0, 1]), np.array([1, 2])

    found = [NAMES["name"][i] for i in compared("name", given, left, right, family)]

    assert found == ["both names swapped", "is the other's other name"]


def test_of_several_values_the_two_most_alike_are_compared():
    one = SEPARATOR.join(["a@x.org", "otto.meier@web.de"])
    assert level("email", one, "otto.meyer@web.de") == "one or two letters wrong"
    assert level("email", one, "a@x.org") == "equal"


@given(
    st.sampled_from(["name", "email", "phone", "text", "code"]),
    st.lists(st.none() | st.lists(st.text(st.sampled_from("ab1@"), max_size=4), min_size=1, max_size=4), min_size=1, max_size=8),
    st.integers(1, 30),
)
def test_several_values_are_compared_in_slices_as_one_by_one(kind: str, held: list[list[str] | None], at_once: int):
    column = Values.of(pa.array([values and SEPARATOR.join(values) for values in held], pa.string()))
    left, right = (rows.ravel() for rows in np.indices((len(held), len(held))))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("cdp.identity.matching.levels._COMBINATIONS_AT_ONCE", at_once)
        found = [NAMES[kind][i] for i in compared(kind, column, left, right)]

    def slow(one: list[str] | None, other: list[str] | None) -> str:
        if one is None or other is None:
            return NAMES[kind][MISSING]
        return min((level(kind, x, y) for x in one for y in other), key=NAMES[kind].index)

    assert found == [slow(held[one], held[other]) for one, other in zip(left, right, strict=True)]


names = st.sampled_from(
    ["amaya", "maya", "kim", "tim", "tom", "anna", "ana", "mhd", "mo", "muhammad", "alex", "alexander", "oleksandr", "bob", "rob"]
) | st.text(st.sampled_from("aemnt"), min_size=1, max_size=5)


@given(names, names)
def test_two_names_are_another_name_whatever_is_looked_at_first(one: str, other: str):
    found = level("name", one, other)

    short, long = sorted((one, other), key=len)
    are_two = is_given_name(one) and is_given_name(other) and OSA.distance(one, other) > 1
    are_two = are_two and not long.startswith(short) and not long.endswith(short) and not stands_for(one) & stands_for(other)
    if are_one_name(one, other):
        assert found in ("equal", "short form of one name")
    else:
        assert found != "short form of one name"
        assert (found == "another name") <= are_two
        assert are_two <= (found == "another name" or sound_of(one) == sound_of(other))


words = st.text(st.sampled_from("abcde 1"), min_size=1, max_size=8).map(str.strip).filter(bool)
dates = st.dates().map(str)


@given(st.sampled_from(sorted(NAMES)), st.data())
def test_it_does_not_matter_which_record_is_first(kind: str, data: st.DataObject):
    texts = dates if kind == "date" else words
    one, other = data.draw(texts), data.draw(texts)
    assert level(kind, one, other) == level(kind, other, one)
