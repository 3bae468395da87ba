"""Given names that are in use, and what they may be written as."""

from pathlib import Path

import pytest

import cdp.identity
from cdp.identity.names import also_called, are_one_name, initials_of, is_given_name


@pytest.mark.parametrize("name", ["anna", "robert", "mehmet", "joao", "bjorn", "wei", "aaliyah"])
def test_names_of_many_languages_are_in_use(name: str):
    assert is_given_name(name)


@pytest.mark.parametrize("name", ["annq", "rohert", "fernsby", "b", "", "anna maria"])
def test_slips_family_names_and_initials_are_no_given_name(name: str):
    assert not is_given_name(name)


def test_the_list_is_folded_and_in_order():
    lines = Path(cdp.identity.__file__).with_name("given_names.txt").read_text(encoding="ascii").splitlines()

    assert lines == sorted(set(lines))
    assert [line for line in lines if not (line.isalpha() and line.islower() and len(line) > 1)] == []


@pytest.mark.parametrize(
    ("one", "other"), [("mhd", "muhammed"), ("aliaksandr", "alexander"), ("mo", "mohamed"), ("alex", "oleksandr")]
)
def test_a_name_is_one_however_it_is_spelt(one: str, other: str):
    assert are_one_name(one, other)
    assert are_one_name(other, one)
    assert one in also_called(other)


def test_an_initial_is_that_of_a_short_form_too():
    assert {"r", "b"} <= initials_of("robert")  # Bob
    assert {"r", "b"} <= initials_of("bob")
    assert "a" not in initials_of("robert")
