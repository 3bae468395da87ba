"""How alike two values are, in a few levels for each kind of field.

A level stands for what people and keyboards do to a value: one letter wrong, day and month swapped, a short form, a
truncated code. 0 is missing, 1 equal, and what follows grows less alike; the last one is everything else.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from zlib import crc32

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from rapidfuzz.distance import OSA, JaroWinkler, Levenshtein
from rapidfuzz.process import cpdist

from cdp.identity.blocks import slices_of
from cdp.identity.names import are_one_name, first_word, initials_of, is_form, is_given_name, stands_for
from cdp.identity.sounds import are_spellings, sound_of

MISSING = 0
EQUAL = 1
SAME_LOCAL_PART = 3
"""The level of e-mail addresses that differ behind the @ alone."""
BOTH_SWAPPED, ONE_SWAPPED = 7, 8
"""The levels of names that stand in each other's place, both or one of them."""
SIMILAR_NAME, ANOTHER_NAME = 9, 12
"""The last level of names that may be one, and that of two names that are both in use."""
SAME_YEAR = 6
"""The first level of dates that are two, and not one written wrongly."""
SEPARATOR = "\n"
"""Between the values of a field that holds several: the two that are most alike are compared."""
_COMBINATIONS_AT_ONCE = 400_000

Strings = npt.NDArray[np.object_]
Levels = npt.NDArray[np.uint8]
Codes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Made = TypeVar("Made")

NAMES: dict[str, tuple[str, ...]] = {
    "name": (
        *("missing", "equal", "short form of one name", "nearly equal", "sounds alike", "one is part of the other"),
        *("initial agrees", "both names swapped", "is the other's other name", "similar", "same first letter", "different"),
        "another name",
    ),
    "date": (
        *("missing", "equal", "day and month swapped", "one digit wrong", "same day and month", "two digits wrong"),
        *("same year", "a year apart", "different"),
    ),
    "email": (
        *("missing", "equal", "one or two letters wrong", "same name before the @"),
        *("nearly equal before the @", "other digits before the @", "similar before the @", "different"),
    ),
    "phone": ("missing", "equal", "one digit wrong", "same last seven digits", "different"),
    "street": ("missing", "equal", "same words", "nearly equal", "same number and a word", "similar", "different"),
    "postal_code": ("missing", "equal", "one character wrong or cut off", "same district", "same area", "different"),
    "text": ("missing", "equal", "nearly equal", "one is part of the other", "same letters", "similar", "different"),
    "code": ("missing", "equal", "one character wrong", "two characters wrong", "different"),
    "number": ("missing", "equal", "within a hundredth", "within a tenth", "different"),
    "category": ("missing", "equal", "different"),
    "exact": ("missing", "equal", "different"),
}
"""The levels of each kind, by their number."""


@dataclass(frozen=True)
class Values:
    """A column by its distinct values: what is derived of a text is derived once, however many pairs it is in.

    Attributes:
        distinct: the values, without None.
        codes: of each row the place of its value in `distinct`, -1 where it is missing.
    """

    distinct: Strings
    codes: Codes
    _kept: dict[object, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, column: pa.ChunkedArray | pa.Array) -> "Values":
        """A column of text as Arrow holds it."""
        whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        encoded = whole.dictionary_encode()
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        return cls(_strings(encoded.dictionary.to_pylist()), codes)

    def derived(self, function: Callable[[str], object]) -> Codes:
        """A number for each distinct value, the same for two whose `function` is the same."""

        def numbered(distinct: Strings) -> Codes:
            known: dict[object, int] = {}
            return np.array([known.setdefault(function(value), len(known)) for value in distinct], np.int64)

        return self._once(("derived", function), numbered)

    def measured(self, function: Callable[[str], int]) -> Codes:
        """`function` of each distinct value."""
        return self._once(("measured", function), lambda distinct: np.array([function(value) for value in distinct], np.int64))

    def whole(self, function: Callable[[Strings], Made]) -> Made:
        """`function` of all distinct values."""
        return self._once(function, function)

    def _once(self, key: object, make: Callable[[Strings], Made]) -> Made:
        if key not in self._kept:
            self._kept[key] = make(self.distinct)
        made: Made = self._kept[key]
        return made


def compared(kind: str, values: Values, left: Codes, right: Codes, other: Values | None = None) -> Levels:
    """The level of each pair of rows.

    Args:
        kind: a key of `NAMES`.
        values: the column; several values in one are separated by `SEPARATOR`.
        left: rows.
        right: as many other rows.
        other: for names, the other name of the same persons (the family name beside a given name).
    """
    found = np.full(len(left), MISSING, np.uint8)
    a, b = values.codes[left], values.codes[right]
    here = (a >= 0) & (b >= 0)
    same = here & (a == b)
    found[same] = EQUAL
    rest = np.flatnonzero(here & ~same)
    if not len(rest):
        return found
    a, b = a[rest], b[rest]
    several = values.measured(_has_several).astype(bool)
    many = several[a] | several[b]
    if many.any():
        found[rest[many]] = _best_of_several(kind, values, a[many], b[many])
        rest, a, b = rest[~many], a[~many], b[~many]
    if kind == "name" and other is not None:
        found[rest] = _name(values, a, b, other, other.codes[left[rest]], other.codes[right[rest]])
    else:
        found[rest] = _OF_KIND[kind](values, a, b)
    return found


def _strings(values: Sequence[str]) -> Strings:
    found = np.empty(len(values), object)
    found[:] = values
    return found


def _has_several(value: str) -> bool:
    return SEPARATOR in value


@dataclass(frozen=True)
class _Single:
    """The values of rows that hold several, one by one.

    Attributes:
        values: each of them once, a row each.
        rows: of these, what each distinct value of the column holds, one behind the other.
        starts: of each distinct value of the column where its own begin in `rows`.
        counts: of each, how many they are.
    """

    values: Values
    rows: Codes
    starts: Codes
    counts: Codes


def _singled(distinct: Strings) -> _Single:
    parts = [value.split(SEPARATOR) for value in distinct]
    counts = np.array([len(mine) for mine in parts], np.int64)
    known: dict[str, int] = {}
    rows = np.array([known.setdefault(part, len(known)) for mine in parts for part in mine], np.int64)
    values = Values(_strings(list(known)), np.arange(len(known)))
    return _Single(values, rows, np.cumsum(counts) - counts, counts)


def _best_of_several(kind: str, values: Values, a: Codes, b: Codes) -> Levels:
    """The best level of any value of one and any of the other; for each two rows that say the same it is found once."""
    single = values.whole(_singled)
    pairs, back = np.unique(a * len(values.distinct) + b, return_inverse=True)
    one, other = np.divmod(pairs, len(values.distinct))
    best = np.full(len(pairs), len(NAMES[kind]) - 1, np.uint8)
    combinations = single.counts[one] * single.counts[other]
    for first, last in slices_of(np.cumsum(combinations), _COMBINATIONS_AT_ONCE):
        some = combinations[first:last]
        pair = np.repeat(np.arange(first, last), some)
        place = np.arange(len(pair)) - np.repeat(np.cumsum(some) - some, some)
        of_one, of_other = np.divmod(place, single.counts[other[pair]])
        x, y = single.rows[single.starts[one[pair]] + of_one], single.rows[single.starts[other[pair]] + of_other]
        best[pair[x == y]] = EQUAL
        rest = best[pair] != EQUAL
        np.minimum.at(best, pair[rest], compared(kind, single.values, x[rest], y[rest]))
    return best[back]


def _first(*conditions: Flags, start: int = 2) -> Levels:
    """The number of the first condition that holds, from `start`; one past the last where none does."""
    found = np.full(len(conditions[0]), start + len(conditions), np.uint8)
    for number in reversed(range(len(conditions))):
        found[conditions[number]] = start + number
    return found


def _alike(a: Strings, b: Strings) -> npt.NDArray[np.float32]:
    """Jaro-Winkler similarity; 0 below 0.8."""
    return cpdist(a, b, scorer=JaroWinkler.normalized_similarity, score_cutoff=0.8, dtype=np.float32)


def _edits(a: Strings, b: Strings, most: int) -> npt.NDArray[np.int32]:
    """Letters wrong, missing, too many or swapped with their neighbour; most + 1 where there are more."""
    return cpdist(a, b, scorer=OSA.distance, score_cutoff=most, dtype=np.int32)


def _test(values: Values, a: Codes, b: Codes, test: Callable[[str, str], bool], where: Flags) -> Flags:
    """`test` of some pairs of values, for what cannot be had for all of them at once; once for each two values."""
    found = np.zeros(len(a), bool)
    rows = np.flatnonzero(where)
    pairs, back = np.unique(a[rows] * len(values.distinct) + b[rows], return_inverse=True)
    one, other = values.distinct[pairs // len(values.distinct)], values.distinct[pairs % len(values.distinct)]
    found[rows] = np.fromiter(map(test, one, other), bool, len(pairs))[back]
    return found


def _agree(values: Values, a: Codes, b: Codes, function: Callable[[str], object]) -> Flags:
    derived = values.derived(function)
    found: Flags = derived[a] == derived[b]
    return found


def _name(
    values: Values, a: Codes, b: Codes, other: Values | None = None, other_a: Codes | None = None, other_b: Codes | None = None
) -> Levels:
    alike = _alike(values.distinct[a], values.distinct[b])
    spaced = values.measured(_has_space).astype(bool)
    part = _share_words(values, a, b, (spaced[a] | spaced[b]) & (alike < 0.92))
    first = _agree(values, a, b, _first_letter)
    length = values.measured(len)
    initial = _test(values, a, b, _is_initial, (length[a] == 1) | (length[b] == 1))
    one_way, other_way = np.zeros((2, len(a)), bool)
    if other is not None and other_a is not None and other_b is not None and len(other.distinct):
        one_way, other_way = _is_other(values, a, other, other_b), _is_other(values, b, other, other_a)
    forms = values.measured(is_form).astype(bool)
    short = _test(values, a, b, _are_forms, (forms[a] | forms[b]) & _may_share(values, a, b, _names_marked))
    swaps = one_way & other_way, one_way | other_way
    # Darla and Darlene are as much alike as names get, and two.
    edits = np.full(len(a), 3)
    near = np.flatnonzero((alike >= 0.80) | _may_be_one_edit(values, a, b))
    edits[near] = _edits(values.distinct[a[near]], values.distinct[b[near]], 2)
    in_use = values.measured(is_given_name).astype(bool)
    both = in_use[a] & in_use[b] & (edits > 1)
    may_be_one = _may_share(values, a, b, _names_marked) | _agree(values, a, b, _first_three) | _agree(values, a, b, _last_three)
    not_two = ~(both & ~_test(values, a, b, _may_be_one_name, both & may_be_one))
    nearly = (alike >= 0.92) & (edits <= 2) & not_two
    # Sophia and Sofia are one name; John and Jane, whose consonants are the same, are not, but Shaun and Sean may be.
    sound = _agree(values, a, b, sound_of)
    may_be = not_two | sound
    sound &= not_two | _test(values, a, b, are_spellings, sound & ~not_two)
    return _first(short, nearly, sound, part, initial, *swaps, (alike >= 0.80) & not_two, first & may_be, may_be)


def _is_other(values: Values, name: Codes, other: Values, theirs: Codes) -> Flags:
    """Whether a name is the other person's other name, a slip aside; the first letter is taken to be right."""
    letters = _code_points(values), _code_points(other)
    found: Flags = (theirs >= 0) & (letters[0][name] == letters[1][theirs])
    rows = np.flatnonzero(found)
    found[rows] = _alike(values.distinct[name[rows]], other.distinct[theirs[rows]]) >= 0.92
    return found


def _code_points(values: Values) -> Codes:
    return values.measured(_first_code_point)


def _first_code_point(text: str) -> int:
    return ord(text[0]) if text else 0


def _is_initial(a: str, b: str) -> bool:
    """Whether one, of a single letter, begins the other or what the other is called as well (B. for Robert)."""
    initial, name = sorted((a, b), key=len)
    return initial in initials_of(first_word(name))


def _has_space(text: str) -> bool:
    return " " in text


def _share_words(values: Values, a: Codes, b: Codes, where: Flags) -> Flags:
    """Whether they share a word, or are one without their spaces."""
    return _test(values, a, b, _shares_words, where & (_may_share(values, a, b, _words_marked) | _agree(values, a, b, _unspaced)))


def _may_share(values: Values, a: Codes, b: Codes, marked: Callable[[str], int]) -> Flags:
    """Whether two values may have something in common, by a mark for each thing; some have none in spite of it."""
    marks = values.measured(marked)
    found: Flags = (marks[a] & marks[b]) != 0
    return found


def _may_be_one_edit(values: Values, a: Codes, b: Codes) -> Flags:
    """Whether two values may be an edit apart: it makes one longer by a letter at most, and two letters come or go."""
    length, letters = values.measured(len), values.measured(_letters_marked)
    other = letters[a] ^ letters[b]
    but_one = other & (other - 1)
    found: Flags = (np.abs(length[a] - length[b]) <= 1) & (but_one & (but_one - 1) == 0)
    return found


def _letters_marked(text: str) -> int:
    return _marks(text)


def _marks(texts: Iterable[str]) -> int:
    found = 0
    for text in texts:
        found |= 1 << crc32(text.encode()) % 63
    return found


def _words_marked(text: str) -> int:
    return _marks(text.split())


def _names_marked(given: str) -> int:
    return _marks(stands_for(first_word(given)))


def _unspaced(text: str) -> str:
    return text.replace(" ", "")


def _shares_words(a: str, b: str) -> bool:
    one, other = set(a.split()), set(b.split())
    return any(len(word) > 1 for word in one & other) or _unspaced(a) == _unspaced(b)


def _are_forms(a: str, b: str) -> bool:
    one, other = first_word(a), first_word(b)
    # Ana may be Ana Maria; Ana Maria and Ana Luisa share a word, and are no forms of one name.
    return are_one_name(one, other) and (one != other or " " not in a or " " not in b)


def _may_be_one_name(a: str, b: str) -> bool:
    """Whether two names in use may be short for one: Kate and Kathryn, Max and Maxwell, Lena and Helena."""
    short, long = sorted((a, b), key=len)
    return long.startswith(short) or long.endswith(short) or not stands_for(a).isdisjoint(stands_for(b))


def _first_three(name: str) -> str:
    return name[:3]


def _last_three(name: str) -> str:
    return name[-3:]


def _first_letter(text: str) -> str:
    return text[:1]


def _date(values: Values, a: Codes, b: Codes) -> Levels:
    """Dates as yyyy-mm-dd."""
    digits = values.whole(_digits)
    one, other = digits[a], digits[b]
    wrong = one != other
    count = wrong.sum(axis=1)
    neighbours = (one[:, :-1] == other[:, 1:]) & (one[:, 1:] == other[:, :-1]) & wrong[:, :-1] & wrong[:, 1:]
    turned = (count == 2) & neighbours.any(axis=1)
    year, other_year = one[:, :4] @ _PLACES, other[:, :4] @ _PLACES
    same_year = year == other_year
    month_day = ~wrong[:, 4:].any(axis=1)
    swapped = same_year & (one[:, 4:6] == other[:, 6:8]).all(axis=1) & (one[:, 6:8] == other[:, 4:6]).all(axis=1)
    return _first(swapped, (count == 1) | turned, month_day, count == 2, same_year, np.abs(year - other_year) <= 1)


_PLACES = np.array([1000, 100, 10, 1], np.int16)


def _digits(dates: Strings) -> npt.NDArray[np.int16]:
    codes = np.array(dates, "U10").view(np.uint32).reshape(len(dates), 10)
    return codes[:, [0, 1, 2, 3, 5, 6, 8, 9]].astype(np.int16) - 48


def _email(values: Values, a: Codes, b: Codes) -> Levels:
    local = values.whole(local_parts)
    alike = _alike(local[a], local[b])
    # anna.smith82 and anna.smith91 are two people of one name, whom digits tell apart.
    same_digits = _agree(values, a, b, _digits_before_at)
    few_edits = _edits(values.distinct[a], values.distinct[b], 2) <= 2
    return _first(
        few_edits & same_digits, np.equal(local[a], local[b]), (alike >= 0.90) & same_digits, few_edits | (alike >= 0.90), alike >= 0.80
    )


def _digits_before_at(address: str) -> str:
    return "".join(c for c in address.split("@", 1)[0] if c.isdigit())


def local_parts(addresses: Strings) -> Strings:
    """What stands before the @."""
    return _strings([text.split("@", 1)[0] for text in addresses])


def _phone(values: Values, a: Codes, b: Codes) -> Levels:
    return _first(_edits(values.distinct[a], values.distinct[b], 1) <= 1, _agree(values, a, b, _last_seven))


def _last_seven(number: str) -> str:
    return number[-7:] if len(number) >= 7 else number


def _street(values: Values, a: Codes, b: Codes) -> Levels:
    scorer = Levenshtein.normalized_similarity
    alike = cpdist(values.distinct[a], values.distinct[b], scorer=scorer, score_cutoff=0.6, dtype=np.float32)
    words = _agree(values, a, b, _sorted_words)
    numbered = _agree(values, a, b, _numbers) & values.measured(_has_number).astype(bool)[a]
    shared = _share_words(values, a, b, numbered & (alike < 0.85))
    return _first(words, alike >= 0.85, shared, alike >= 0.6)


def _sorted_words(text: str) -> str:
    return " ".join(sorted(text.split()))


def _has_number(text: str) -> bool:
    return bool(_numbers(text))


def _numbers(text: str) -> str:
    return " ".join(word for word in text.split() if any(c.isdigit() for c in word))


def _postal_code(values: Values, a: Codes, b: Codes) -> Levels:
    length = values.measured(len)
    short = np.minimum(length[a], length[b]) != np.maximum(length[a], length[b])
    cut = _test(values, a, b, lambda x, y: x.startswith(y) or y.startswith(x), short)
    one = _edits(values.distinct[a], values.distinct[b], 1) <= 1
    return _first(one | cut, _agree(values, a, b, _district), _agree(values, a, b, _area))


def _district(code: str) -> str:
    return code[: max(3, len(code) - 3)]


def _area(code: str) -> str:
    return code[:2]


def _text(values: Values, a: Codes, b: Codes) -> Levels:
    alike = _alike(values.distinct[a], values.distinct[b])
    # One is part of the other only where they begin alike or share a word.
    spaced = values.measured(_has_space).astype(bool)
    near = _agree(values, a, b, _first_letter) | spaced[a] | spaced[b]
    part = _test(values, a, b, _is_part, near & (alike < 0.90))
    return _first(alike >= 0.90, part, _agree(values, a, b, _letters), alike >= 0.80)


def _is_part(a: str, b: str) -> bool:
    one, other = set(a.split()), set(b.split())
    return a in b or b in a or one <= other or other <= one


def _letters(text: str) -> str:
    return "".join(sorted(text.replace(" ", "")))


def _code(values: Values, a: Codes, b: Codes) -> Levels:
    edits = _edits(values.distinct[a], values.distinct[b], 2)
    return _first(edits <= 1, edits <= 2)


def _number(values: Values, a: Codes, b: Codes) -> Levels:
    numbers = np.array([_numeric(text) for text in values.distinct], np.float64)
    one, other = numbers[a], numbers[b]
    scale = np.maximum(np.abs(one), np.abs(other))
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = np.abs(one - other) / scale
    apart[scale == 0] = 0
    return _first(apart <= 0.01, apart <= 0.1)


def _numeric(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _exact(values: Values, a: Codes, b: Codes) -> Levels:
    return np.full(len(a), 2, np.uint8)


_OF_KIND: dict[str, Callable[[Values, Codes, Codes], Levels]] = {
    "name": _name, "date": _date, "email": _email, "phone": _phone, "street": _street, "postal_code": _postal_code,
    "text": _text, "code": _code, "number": _number, "category": _exact, "exact": _exact,
}  # fmt: skip
