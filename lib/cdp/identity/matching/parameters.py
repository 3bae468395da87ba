"""What likeness is worth, as numbers: the parameters of the Fellegi-Sunter model, and the scores they give to pairs.

The weight of a level is log2(m / u): how often it is seen in pairs of one person, against pairs of two. A field may depend on two
others: it counts for what it adds to what they have said. Two more kinds of pairs stand beside those of one person and of two
strangers: two people of one household, alike in what they share, and those of them who have one name as well.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from cdp.identity.matching.candidates import BITS, PARTS_OF_A_BIT
from cdp.identity.matching.levels import EQUAL, MISSING

LEVELS = 1 << BITS
CLASSES = 4
"""What a field may be told of one that it depends on; see `Parameters.classes`."""
WORLD = 20_000.0
RARE = 2.0**-14
"""What is known before a record is read: of so many pairs, that share are matches. Files of a few hundred records need it."""
NAMESAKES = 0.03
"""Of the pairs of one household those who have one name: father and son, a grandmother and her grandchild."""
HOMES = 1.0
"""Pairs of one household for each match, to begin with."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Patterns:
    """Pairs by what they look like.

    Attributes:
        levels: the level of each field, a row a pattern.
        count: pairs each stands for.
        rarity: of each field, average bits by which its equal values are rarer than usual, a row a pattern.
        rules: bit mask of the ways in which the pairs met (`ways_to_meet`); 0 for random ones.
        known: whether the pairs are known to be one person, by an identifier or a steward's word.
    """

    levels: npt.NDArray[np.uint8]
    count: Floats
    rarity: Floats
    rules: npt.NDArray[np.int64]
    known: npt.NDArray[np.bool_]

    @classmethod
    def of(
        cls, pattern: npt.NDArray[np.int64], fields: int, rarity: npt.NDArray[np.int8] | None = None,
        rules: npt.NDArray[np.int64] | None = None, known: npt.NDArray[np.bool_] | None = None, scale: float = 1.0,
    ) -> "Patterns":  # fmt: skip
        """Count equal patterns.

        Args:
            pattern: of each pair, as `candidates.compared_pairs` packs it.
            fields: how many it holds.
            rarity: of each pair, a column a field, as `candidates.patterns` has it.
            rules: of each pair.
            known: of each pair.
            scale: pairs that each one stands for.
        """
        nothing = np.zeros(len(pattern))
        ways, way = np.unique(nothing.astype(np.int64) if rules is None else rules, return_inverse=True)
        kinds, kind = np.unique(pattern, return_inverse=True)
        found, back, count = np.unique(
            (kind * len(ways) + way) * 2 + (nothing.astype(bool) if known is None else known),
            return_inverse=True,
            return_counts=True,
        )
        bits = np.zeros((len(found), fields))
        if rarity is not None:
            for field in range(fields):
                bits[:, field] = np.bincount(back, weights=rarity[:, field], minlength=len(found))
            bits /= count[:, None] * PARTS_OF_A_BIT
        of_kind, of_way = np.divmod(found // 2, len(ways))
        levels = unpacked(kinds[of_kind], fields)
        return cls(levels, (count * scale).astype(np.float64), bits, ways[of_way], found % 2 == 1)


def unpacked(pattern: npt.NDArray[np.int64], fields: int) -> npt.NDArray[np.uint8]:
    """The level of each field, a row a pattern."""
    places = np.arange(fields, dtype=np.int64) * BITS
    return ((pattern[:, None] >> places) & (LEVELS - 1)).astype(np.uint8)


@dataclass(frozen=True)
class Parameters:
    """What is known of the fields.

    Attributes:
        m: of each field, by what its parents say (`said`) and its own level: share of the matches.
        u: the same of pairs of two people.
        parents: of each field the numbers of its parents, at most two.
        classes: of each field and level: 0 missing, 1 equal, 2 alike, 3 unlike; what a child is told of its parent.
        prior: share of matches among all pairs of records.
        of_home: of each field, whether a household shares it.
        of_name: of each field, whether two of a household who have one name share it.
        home: of each field, what its parents say and its own level: share of the pairs of two people of one household.
        home_prior: share of such pairs among all.
    """

    m: Floats
    u: Floats
    parents: tuple[tuple[int, ...], ...]
    classes: npt.NDArray[np.uint8]
    prior: float
    of_home: tuple[bool, ...]
    of_name: tuple[bool, ...]
    home: Floats
    home_prior: float

    @cached_property
    def weights(self) -> Floats:
        """Bits by field, what its parents say, and own level."""
        return self._log_m - self._log_u

    @cached_property
    def _log_m(self) -> Floats:
        return _bits(self.m)

    @cached_property
    def _log_u(self) -> Floats:
        return _bits(self.u)

    @cached_property
    def _log_home(self) -> Floats:
        return _bits(self.home)

    @cached_property
    def _unsaid(self) -> Floats:
        """Of each field, by what its parents say: the part of an equal value's rarity that they have not said already.

        Who lives in the same street lives in the same town, rare or not: what is left of the surprise is left of its rarity.
        """
        surprise = self._log_u[:, :, EQUAL]
        found: Floats = np.clip(surprise / np.minimum(surprise[:, :1], -1e-9), 0.0, 1.0)
        return found

    @property
    def log_priors(self) -> Floats:
        """Of the four kinds of pairs (`fields`), in bits."""
        homes = self.home_prior * np.array([1 - NAMESAKES, NAMESAKES])
        found: Floats = np.log2([self.prior, 1 - self.prior - self.home_prior, *homes])
        return found

    @property
    def prior_bits(self) -> float:
        return float(np.log2(self.prior) - np.log2(1 - self.prior))

    def seen(self, records: int) -> tuple[float, float]:
        """Pairs of one household and matches that were found among so many records, without the imagined ones."""
        world = records * (records - 1) / 2 + WORLD
        imagined = WORLD * RARE
        return max(self.home_prior * world - imagined * HOMES, 0.0), max(self.prior * world - imagined, 0.0)

    def said(self, field: int, levels: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
        """What the parents of a field say, by pattern: the class of the first and four times that of the second."""
        found = np.zeros(len(levels), np.int64)
        for place, parent in enumerate(self.parents[field]):
            found += self.classes[parent, levels[:, parent]].astype(np.int64) * CLASSES**place
        return found

    def evidence(self, levels: npt.NDArray[np.uint8]) -> Floats:
        """Bits that each field adds, a row a pattern."""
        found = np.empty(levels.shape)
        for field in range(len(self.parents)):
            found[:, field] = self.weights[field, self.said(field, levels), levels[:, field]]
        return found

    def scores(self, patterns: Patterns) -> Floats:
        """log2 of the odds that a pair is one person, against two strangers and two of one household, of one name or not."""
        one, *others = self.likelihoods(self.fields(patterns))
        found: Floats = one - np.logaddexp2.reduce(others, axis=0)
        return found

    def explained(self, patterns: Patterns) -> Floats:
        """The parts of the scores, in bits: of each field, then rarity, prior and what a household would explain."""
        rarity = self.rarity(patterns).sum(axis=1)
        parts = [*self.evidence(patterns.levels).T, rarity, np.full(len(patterns.levels), self.prior_bits)]
        scores = self.scores(patterns)
        found: Floats = np.stack([*parts, scores - np.sum(parts, axis=0)], axis=1)
        return found

    def shares(self, patterns: Patterns) -> tuple[Floats, Floats, Floats]:
        """Chances that a pair is one person, two strangers, two of one household."""
        one, strangers, home, namesakes = chances(self.likelihoods(self.fields(patterns)))
        return one, strangers, home + namesakes

    def likelihoods(self, fields: Floats) -> Floats:
        """Bits of each kind of pair, by pattern, up to what all share; out of `fields`."""
        found: Floats = fields.sum(axis=2) + self.log_priors[:, None]
        return found

    def rarity(self, patterns: Patterns) -> Floats:
        """Bits by which equal values are rarer than usual, as far as a field's parents have not said it, by pattern and field."""
        found = np.empty(patterns.rarity.shape)
        for field in range(len(self.parents)):
            found[:, field] = patterns.rarity[:, field] * self._unsaid[field, self.said(field, patterns.levels)]
        return found

    def fields(self, patterns: Patterns) -> Floats:
        """Bits of one person, two strangers, two of one household, and two of one household and name, by pattern and field.

        Equal values that are rare are rarer among strangers, and so are those of a household that it does not share.
        """
        levels = patterns.levels
        found = np.empty((4, *levels.shape))
        for field in range(len(self.parents)):
            said, own = self.said(field, levels), levels[:, field]
            of_namesakes = self._log_m if self.of_name[field] else self._log_home
            for kind, bits in enumerate((self._log_m, self._log_u, self._log_home, of_namesakes)):
                found[kind, :, field] = bits[field, said, own]
        rarity = self.rarity(patterns)
        shared = np.array(self.of_home)
        found[1] -= rarity
        found[2] -= rarity * ~shared
        found[3] -= rarity * ~(shared | np.array(self.of_name))
        return found


def _bits(shares: Floats) -> Floats:
    bits = np.log2(shares)
    bits[..., MISSING] = 0
    found: Floats = bits
    return found


def chances(bits: Floats) -> Floats:
    """Of each column the chance of each row, from their bits."""
    found: Floats = np.exp2(bits - np.logaddexp2.reduce(bits, axis=0))
    return found


def probability(scores: Floats) -> Floats:
    return 1 / (1 + np.exp2(-np.clip(scores, -500, 500)))
