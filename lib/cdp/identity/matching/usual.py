"""What is known of people and files before one is read: shares of the levels among imagined matches and strangers."""

from collections.abc import Sequence

import numpy as np

from cdp.identity.matching.levels import ANOTHER_NAME, EQUAL, NAMES, SAME_YEAR
from cdp.identity.matching.parameters import LEVELS, Floats

PRIOR_MATCHES = 30.0
"""Imagined matches a field starts with: what a few real ones must outvote."""
_USUAL = {
    "name": (0.75, 0.05, 0.08, 0.01, 0.04, 0.02, 0.01, 0.01, 0.01, 0.005, 0.005, 0.01),
    "date": (0.88, 0.01, 0.05, 0.01, 0.01, 0.01, 0.01, 0.02),
    "email": (0.7, 0.07, 0.05, 0.03, 0.02, 0.03, 0.1),
    "phone": (0.7, 0.04, 0.03, 0.23),
    "street": (0.6, 0.03, 0.12, 0.05, 0.05, 0.15),
    "postal_code": (0.75, 0.08, 0.05, 0.02, 0.1),
    "text": (0.75, 0.08, 0.04, 0.01, 0.02, 0.1),
}
"""Shares of the levels from equal to different among imagined matches: people move and have two addresses, but one birth
date."""
_STRANGERS = 2000.0
_EQUAL_BY_CHANCE = {
    "name": 0.01, "date": 0.0005, "email": 1e-6, "phone": 1e-6, "street": 0.0005, "postal_code": 0.01, "text": 0.05,
    "code": 1e-5, "number": 0.05, "category": 0.5, "exact": 1e-4,
}  # fmt: skip
"""Share of strangers whose values are equal, as imagined for so many pairs of them."""
_UNLIKE_LEVELS = {"name": 2}
"""Of kinds where strangers may have more than the last level: how many levels at the end."""
OF_TWO = {"name": (ANOTHER_NAME,), "date": tuple(range(SAME_YEAR, len(NAMES["date"])))}
"""Levels of values that are two people's, where a person has one."""
PRESUMED = 300.0
"""Imagined matches for those: a given name and a birth date are believed until enough people have two."""


def imagined_strangers(kind: str) -> Floats:
    """Imagined pairs of strangers: what a file of a few records cannot tell of the world it comes from."""
    size, unlike = len(NAMES[kind]), _UNLIKE_LEVELS.get(kind, 1)
    equal = _EQUAL_BY_CHANCE[kind]
    found = np.zeros(LEVELS)
    found[EQUAL + 1 : size - unlike] = 0.5
    found[EQUAL] = equal * _STRANGERS
    found[size - unlike : size] = (1 - equal) * _STRANGERS / unlike
    return found


def imagined_matches(kind: str) -> Floats:
    """Imagined matches: what people do to values of a kind, before a file says how often."""
    size = len(NAMES[kind])
    usual = _USUAL.get(kind, (0.88, *[0.09 / (size - 3)] * (size - 3), 0.03) if size > 3 else (0.9, 0.1))
    found = np.full(LEVELS, 1e-9)
    found[EQUAL:size] = usual
    return found


def presumed(found: Floats, seen: Floats, usual: Floats, of_two: Sequence[int]) -> Floats:
    """Shares of levels, those that are two people's drawn to what is usual until `PRESUMED` pairs say otherwise.

    In a file of a few hundred records the couples of one family name would pass for matches, and make it usual that
    one person has two given names. As this goes for each thing that a field is told by others, too, such levels depend on
    them only where there are many matches.

    Args:
        found: shares, a row or several.
        seen: pairs by level.
        usual: shares.
        of_two: levels.
    """
    if not of_two:
        return found
    levels = list(of_two)
    two = (seen[..., levels] + PRESUMED * usual[..., levels]) / (seen.sum(axis=-1, keepdims=True) + PRESUMED)
    rest = np.delete(np.arange(LEVELS), levels)
    made = found.copy()
    made[..., levels] = two
    made[..., rest] *= (1 - two.sum(axis=-1, keepdims=True)) / found[..., rest].sum(axis=-1, keepdims=True)
    return made
