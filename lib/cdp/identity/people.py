"""Who shares a contact point: whether two people may be one person, from given name, birth date and suffix."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

from cdp.identity.config import Policy
from cdp.identity.names import are_one_name, first_word, is_given_name
from cdp.identity.sounds import sound_of

_GENERATION = 12
"""Years between two birth dates from which another day and month, too, mean another person."""
_LAST_VOWEL = re.compile(r"[aeo]s?$")
_BEGUN = re.compile(r" [a-z]$")
_VOWEL = re.compile(r"[aeiou]")
_FEW_SOUNDS = 2
"""Consonants that too many names have: mr is Omar, and Amr."""


class Who(NamedTuple):
    """What a record says of a person.

    Attributes:
        given: the given name in small Latin letters, whatever its script; None where there is none.
        words: all words of the name likewise, sorted; None where no customer record says who it is.
        birth_date: yyyy-mm-dd.
        suffix: in small letters.
    """

    given: str | None
    words: str | None
    birth_date: str | None
    suffix: str | None


class Described(NamedTuple):
    """The records of one contact point that say the same of their person.

    Attributes:
        who: what they say.
        records: how many they are.
        first_at: when the first one was first seen; microseconds.
        last_at: when the last one was last seen; microseconds.
    """

    who: Who
    records: int
    first_at: int
    last_at: int


class Place(NamedTuple):
    """Where the records of a `Described` belong.

    Attributes:
        group: number of the person, from 0; None where it could be any of several.
        by_policy: where there is no group, the one that the policy chooses; None where it chooses none.
    """

    group: int | None
    by_policy: int | None = None


def told_apart(described: Sequence[Described], policy: Policy) -> tuple[list[Place], int]:
    """Put the people of one contact point into groups that may be one person each.

    Args:
        described: each distinct description.
        policy: whose what could be several people's is.

    Returns:
        The place of each, in order, and how many groups there are.
    """
    leaders: list[Described] = []
    for item in sorted(described, key=_says_most):
        if not any(may_be_one(item.who, leader.who) for leader in leaders):
            leaders.append(item)
    return [_place(item, leaders, policy) for item in described], len(leaders)


def _says_most(item: Described) -> tuple[object, ...]:
    """Those who say most come first: the others join them."""
    given, words, birth_date, suffix = item.who
    is_full = given is not None and len(given) > 1
    return (
        not is_full, birth_date is None, given is None, suffix is None, -item.records,
        words is None, words or "", birth_date or "", given or "", suffix or "",
    )  # fmt: skip


def _place(item: Described, leaders: Sequence[Described], policy: Policy) -> Place:
    fits = [i for i, leader in enumerate(leaders) if len(leaders) == 1 or may_be_one(item.who, leader.who)]
    if len(fits) == 1:
        return Place(fits[0])
    firm = [i for i in fits if is_firm(item.who, leaders[i].who)]
    if len(firm) == 1:
        return Place(firm[0])
    if policy == "most_recent":
        return Place(None, max(fits, key=lambda i: (leaders[i].last_at, i), default=None))
    if policy == "existing":
        return Place(None, min(fits, key=lambda i: (leaders[i].first_at, i), default=None))
    return Place(None)


def may_be_one(a: Who, b: Who) -> bool:
    """Whether nothing speaks against two people being one, and something for it.

    Against: different suffixes (Jr, Sr), or births a generation apart. For: given names that agree (missing, equal but
    for the order of the name's words, a short form, an initial, one more word, written without vowels, nearly equal); two
    slips in one are believed where the births are equal. One birth date alone says nothing: twins share it, and all that a
    family shares.
    """
    if a.suffix and b.suffix and a.suffix != b.suffix:
        return False
    near_births = _near_births(a.birth_date, b.birth_date) if a.birth_date and b.birth_date else None
    if near_births is False and _generation_apart(a.birth_date or "", b.birth_date or ""):
        return False
    if a.given is None or b.given is None:
        return True
    return (
        _same_name(a.given, b.given)
        or (a.words is not None and a.words == b.words and " " in a.words)
        or _initial(a.given, b.given)
        or _begins(a.given, b.given)
        or _begins(b.given, a.given)
        or (near_births is not False and _without_vowels(a.given, b.given))
        or (near_births is not False and _near(a.given, b.given))
        or (a.birth_date is not None and a.birth_date == b.birth_date and _two_slips(a.given, b.given))
    )


def is_firm(a: Who, b: Who) -> bool:
    """Whether given name or birth date say positively that both are one, so that it decides between several."""
    if a.birth_date != b.birth_date:
        return False
    if a.birth_date is not None:
        return True
    if a.given is None or b.given is None:
        return False
    first, other = first_word(a.given), first_word(b.given)
    return min(len(first), len(other)) > 1 and are_one_name(first, other)


def _same_name(a: str, b: str) -> bool:
    # Jean and Jean Paul may be one, Jean Paul and Jean Pierre are brothers.
    return are_one_name(first_word(a), first_word(b)) and (" " not in a or " " not in b or a == b)


def _begins(long: str, short: str) -> bool:
    """Whether `long` goes on from `short`: Jean Paul from Jean, John Andrew from John A."""
    return long.startswith(f"{short} ") or (_BEGUN.search(short) is not None and long.startswith(short))


def _without_vowels(a: str, b: str) -> bool:
    """Whether one is of a script that writes few vowels (mhmd of Arabic), and the other sounds like it.

    Of two such names letters alone can be compared: as they sound, Mohamed is Mahmoud.
    """
    is_bare = [_VOWEL.search(name) is None and not is_given_name(name) for name in (a, b)]
    if is_bare[0] == is_bare[1]:
        return False
    # Nor is a vowel written that begins a name: Omar is mr.
    sound, other = (sound_of(name).removeprefix("a") for name in (a, b))
    return len(sound) > _FEW_SOUNDS and sound == other


def _near(a: str, b: str) -> bool:
    """One slip of the finger apart, in names of five letters and more; two letters swapped count as one slip.

    The last vowel is no slip: Daniel and Daniela, Mario and Maria, Andrea and Andreas are two people.
    """
    shorter = min(len(a), len(b))
    if shorter < 4 or _LAST_VOWEL.sub("", a) == _LAST_VOWEL.sub("", b):
        return False
    distance = Levenshtein.distance(a, b, score_cutoff=2)
    return (distance <= 1 and shorter >= 5) or (distance == 2 and sorted(a) == sorted(b))


def _two_slips(a: str, b: str) -> bool:
    return min(len(a), len(b)) >= 5 and Levenshtein.distance(a, b, score_cutoff=2) <= 2


def _initial(a: str, b: str) -> bool:
    return (len(a) == 1 or len(b) == 1) and a[:1] == b[:1]


def _near_births(a: str, b: str) -> bool:
    """Equal, one digit wrong, or day and month swapped."""
    (year, month, day), (other_year, other_month, other_day) = a.split("-"), b.split("-")
    swapped = year == other_year and month == other_day and day == other_month
    return swapped or Levenshtein.distance(a, b, score_cutoff=1) <= 1


def _generation_apart(a: str, b: str) -> bool:
    (year, month_day), (other_year, other_month_day) = a.split("-", 1), b.split("-", 1)
    return abs(int(year) - int(other_year)) >= _GENERATION and month_day != other_month_day
