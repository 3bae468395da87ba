"""Which records meet: many narrow rules, chosen from what the fields hold, within a budget of pairs.

A rule is a combination of pieces (two letters of the given name and the year of birth); records that agree in all of them
are compared. What a rule costs follows from how its values repeat in a sample. What it brings is tried on imagined
matches: pairs of records of one person in which each field is missing as often as in the data and mistyped by chance.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import numpy.typing as npt

from cdp.identity.config import MOST_BLOCKING_RULES
from cdp.identity.matching.draws import chances_of, pairs_of
from cdp.identity.matching.fields import Piece

SURVIVES = 0.75
"""Chance that a field of a match was written alike twice. A guess that decides how many rules are taken, and no score."""
_AGAIN = 0.5
"""What it is worth to reach a match once more: the guess may be wrong, and then the second rule has it."""
MOST_RULES = 40
"""Rules beside those of the configuration."""
PAIRS_A_RECORD = 40
"""More pairs than this make people of strangers before they find a friend (measured on public sets)."""
FREE_PAIRS = 200_000
"""So few that no rule is worth leaving out for them."""
PAIRS_FOR_A_MATCH = 4000
"""Pairs that one more match may cost."""
MOST_IN_BLOCK = 400
"""Records that meet by one value of a rule; more are told apart by another piece."""
_NO_CHANCE = 4
"""Records of a value in the sample that are not together by chance, however large the whole."""
_LEAST_GAIN = 0.001
_IMAGINED = 4000

Codes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Rule:
    """Records that agree in all pieces are compared.

    Attributes:
        pieces: what must agree.
        refined_by: piece that tells apart the records of a value that too many have.
        pairs: expected number of pairs it yields.
        share: share of the imagined matches that it reaches first.
    """

    pieces: tuple[Piece, ...]
    refined_by: Piece | None
    pairs: float
    share: float

    @property
    def name(self) -> str:
        return " + ".join(piece.name for piece in self.pieces)

    @property
    def fields(self) -> frozenset[str]:
        return frozenset(name for piece in self.pieces for name in piece.fields)


@dataclass(frozen=True)
class Blocking:
    """The chosen rules and what is expected of them.

    Attributes:
        rules: in the order in which they were found worth their pairs.
        pairs: expected number of pairs, each counted once a rule that yields it.
        reach: share of the imagined matches that they reach.
    """

    rules: tuple[Rule, ...]
    pairs: float
    reach: float


def chosen_rules(
    codes: dict[Piece, Codes], nodes: Codes, records: int, *, wanted: Sequence[tuple[Piece, ...]] = ()
) -> Blocking:
    """Choose the rules that reach most matches for their pairs.

    Args:
        codes: of each piece the sample's values as numbers, 0 where missing; all of one length.
        nodes: the sample's records.
        records: records in all, of which the sample is a part.
        wanted: rules that the configuration adds, no two of the same pieces; they are always taken.
    """
    size = len(next(iter(codes.values()))) if codes else 0
    if size < 2:
        return Blocking((), 0, 0)
    own = list(wanted)
    is_own = {frozenset(pieces) for pieces in own}
    others = [pieces for pieces in _combinations(codes) if frozenset(pieces) not in is_own]
    imagined = _imagined(codes, nodes)
    best_refined = _refinement(codes)
    options = []
    for number, pieces in enumerate([*own, *others]):
        meets = np.logical_and.reduce([imagined.survived[piece] for piece in pieces])
        if number < len(own) or meets.any():
            priced = _priced(pieces, best_refined(pieces), meets, codes, imagined, records)
            if number < len(own) or priced.reaches.any():
                options.append(priced)
    # As numbers: what each option would gain is one product of a matrix (a row an option) and a vector.
    reached = np.array([option.reaches for option in options], np.float64)
    prices = np.array([option.rule.pairs for option in options])
    is_left = np.ones(len(options), bool)
    open_ = np.ones(_IMAGINED)
    rules = list[Rule]()

    def take(option: int) -> None:
        nonlocal open_
        meets = options[option].reaches
        rules.append(replace(options[option].rule, share=float((meets & (open_ == 1)).mean())))
        open_ = np.where(meets, open_ * _AGAIN, open_)
        is_left[option] = False

    for option in range(len(own)):
        take(option)
    # What the configuration adds costs the others nothing of their budget.
    budget, spent = max(PAIRS_A_RECORD * records, FREE_PAIRS), 0.0
    most = min(len(own) + MOST_RULES, MOST_BLOCKING_RULES)
    while is_left.any() and len(rules) < most:
        gains = reached @ open_ / _IMAGINED
        # A third of the records in a match each: what a usual source holds.
        is_worth = (prices <= PAIRS_FOR_A_MATCH * gains * records / 3) | (spent + prices <= FREE_PAIRS)
        is_worth &= is_left & (gains > _LEAST_GAIN) & (spent + prices <= budget)
        if not is_worth.any():
            break
        worth = np.where(is_worth, gains / (prices + records / 3), -1)
        best = int(worth.argmax())
        spent += float(prices[best])
        take(best)
    return Blocking(tuple(rules), sum(rule.pairs for rule in rules), float((open_ < 1).mean()))


@dataclass(frozen=True)
class _Option:
    """A rule that may be taken, its `share` not known yet, and which imagined matches it reaches."""

    rule: Rule
    reaches: Flags


def _priced(
    pieces: tuple[Piece, ...],
    refined_by: Piece | None,
    meets: Flags,
    codes: dict[Piece, Codes],
    imagined: "_Imagined",
    records: int,
) -> _Option:
    """What a rule costs when values that too many have are told apart by `refined_by`, and reaches without those."""
    size = len(next(iter(codes.values())))
    scale = records * max(records - 1, 1) / (size * (size - 1))
    values = combined([codes[piece] for piece in pieces])
    found, counts = np.unique(values[values != 0], return_counts=True)
    is_crowd = _are_crowds(counts, records / size)
    pairs = _pairs(counts[~is_crowd])
    if is_crowd.any():
        crowd = np.isin(values, found[is_crowd])
        meets = meets & ~crowd[imagined.left]
        if refined_by is not None:
            finer = combined([values[crowd], or_none(codes[refined_by][crowd])])
            counts = np.unique(finer, return_counts=True)[1]
            pairs += _pairs(counts[~_are_crowds(counts, records / size)])
    return _Option(Rule(pieces, refined_by, scale * pairs, 0.0), meets)


def _are_crowds(counts: Codes, one_of: float) -> Flags:
    """Of values whose records in a sample (one of `one_of`) are counted, whether too many have them in all."""
    found: Flags = (counts >= _NO_CHANCE) & ((counts - 1) * one_of + 1 > MOST_IN_BLOCK)
    return found


def _combinations(codes: dict[Piece, Codes]) -> Iterable[tuple[Piece, ...]]:
    yield from ((p,) for p in codes if p.alone)
    for one, other in combinations(codes, 2):
        if not set(one.fields) & set(other.fields):
            yield (one, other)
    initials = [p for p in codes if p.name.endswith("_initial")]
    for one, other in combinations([p for p in codes if p not in initials], 2):
        for third in initials:
            if len({*one.fields, *other.fields, *third.fields}) == len(one.fields) + len(other.fields) + 1:
                yield (one, other, third)


@dataclass(frozen=True)
class _Imagined:
    """Imagined matches.

    Attributes:
        left: row of the record that each is a match of.
        survived: of each piece, whether it is there on both sides and agrees.
    """

    left: Codes
    survived: dict[Piece, Flags]


def _imagined(codes: dict[Piece, Codes], nodes: Codes) -> _Imagined:
    # Of few records each pair stands for several matches, to which other things happen.
    pairs = pairs_of(nodes, _IMAGINED)
    copies = np.arange(_IMAGINED) // len(pairs[0])
    left, right = (np.resize(rows, _IMAGINED) for rows in pairs)
    ends = nodes[left] + copies, nodes[right]
    names = sorted({name for piece in codes for name in piece.fields})
    kept = {name: chances_of(*ends, name) < SURVIVES for name in names}
    survived = {}
    for piece, values in codes.items():
        is_there = (values[left] != 0) & (values[right] != 0)
        luck = chances_of(*ends, f"piece {piece.name}") < piece.survival
        whole = np.logical_and.reduce([kept[name] for name in piece.fields])
        survived[piece] = is_there & (whole | luck)
    return _Imagined(left, survived)


def combined(columns: Sequence[Codes]) -> Codes:
    """One number for each combination of values; 0 where one is missing."""
    total = columns[0].astype(np.uint64)
    is_there = total != 0
    for column in columns[1:]:
        is_there &= column != 0
        total = (total ^ (total >> np.uint64(29))) * _ODD + column.astype(np.uint64)
    total[total == 0] = 1
    return np.where(is_there, total.astype(np.int64), 0)


_ODD = np.uint64(0x9E3779B97F4A7C15)
_NONE = 1


def or_none(codes: Codes) -> Codes:
    """To have no value is one, too: who lacks the piece by which a common value is told apart is left with those who do."""
    return np.where(codes == 0, _NONE, codes)


def _pairs(counts: Codes) -> int:
    return int((counts * (counts - 1) // 2).sum())


def _refinement(codes: dict[Piece, Codes]):  # type: ignore[no-untyped-def]
    """The piece that divides best, by what share of a value's records it leaves together; missing counts as together."""
    size = len(next(iter(codes.values())))
    left = {}
    for piece, values in codes.items():
        counts = np.unique(values[values != 0], return_counts=True)[1] / size
        left[piece] = float((counts**2).sum() + (values == 0).mean() ** 0.5)

    def best(pieces: tuple[Piece, ...]) -> Piece | None:
        used = {name for piece in pieces for name in piece.fields}
        others = [p for p in codes if not used & set(p.fields)]
        return min(others, key=lambda p: (left[p], p.name), default=None)

    return best
