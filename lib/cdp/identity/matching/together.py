"""What all pairs of two clusters say together: every field once, however many of the pairs compare it.

Averages of whole scores would let pairs that say little (a name, and nothing else) outvote the one that says much (the name and
a passport). So it is averaged by field, over the pairs that compare the field. That is right for what a person has once, and for a
number or an e-mail address, which nearly always stay; where people live changes, and two records that share one home are not told
apart by the homes before and after it: there one of the pairs says it, any of them, so that not bits are averaged but likelihoods.
What a field says given another one (an e-mail address made of the name) is taken pair by pair. What a pair says is summed in whole
numbers, the same in whatever order.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cdp.identity.matching.fields import Field
from cdp.identity.matching.levels import BOTH_SWAPPED, EQUAL, MISSING, SAME_YEAR, SIMILAR_NAME
from cdp.identity.matching.linkage import CONTRADICTIONS, Numbers
from cdp.identity.matching.model import Model
from cdp.identity.matching.parameters import Floats, Patterns
from cdp.identity.matching.usual import OF_TWO, PRESUMED, imagined_matches

MILLI = 1000
"""Scores in whole numbers are thousandths of a bit."""
_LEAST, MOST, _UNIT = -15.0, 22.0, 1 << 20
"""Bits of a likelihood ratio, at least and at most, and its unit: so bounded, those of a million pairs have a sum in 64 bits."""
_OF_ONE_OR_TWO = {
    "birth_date": (range(EQUAL, SAME_YEAR), OF_TWO["date"]),
    "given_name": (range(EQUAL, SIMILAR_NAME + 1), OF_TWO["name"]),
}
"""Levels of values that may be one written in two ways, and of values that are two."""
_HARDLY_EVER = 0.03
"""Share of matches below which two birth dates, or given names, are a contradiction, and not a slip of the finger."""


class Together:
    """Puts the pairs of two clusters together.

    Args:
        model: what likeness is worth.
    """

    def __init__(self, model: Model) -> None:
        self._parameters = model.parameters
        self._telling = {name: _telling(model, name) for name in CONTRADICTIONS}
        self._topics = _topics(model.fields)
        places = {field.name: place for place, field in enumerate(model.fields)}
        self._other = {place: places[field.other] for place, field in enumerate(model.fields) if field.other in places}
        self._is_place = np.array([model.fields[topic[0]].of_place for topic in self._topics], bool)

    @property
    def columns(self) -> int:
        """Of `told`."""
        return len(self._parameters.log_priors) * len(self._topics)

    def said(self, patterns: Patterns) -> Numbers:
        """Of each pair, two columns for each of `CONTRADICTIONS`: 1 where its values may be one, and where they are two."""
        levels = patterns.levels
        columns = [
            np.isin(levels[:, self._telling[name]], kinds).any(axis=1) for name in CONTRADICTIONS for kinds in _OF_ONE_OR_TWO[name]
        ]
        return np.stack(columns, axis=1).astype(np.int64)

    def told(self, patterns: Patterns) -> Numbers:
        """Of each pair what it says, in columns that add up; `bits` reads the sums.

        Returns:
            For each field, an address being one, its evidence against each other kind of pair (`Parameters.fields`), and whether
            the pair compares it.
        """
        one, *others = self._parameters.fields(patterns)
        found = np.zeros((len(patterns.levels), len(self._topics), len(others) + 1), np.int64)
        for place, topic in enumerate(self._topics):
            compares = (patterns.levels[:, topic] != MISSING).any(axis=1) | self._is_swapped(patterns, topic[0])
            for column, other in enumerate(others):
                bits = (one - other)[:, topic].sum(axis=1)
                whole = np.exp2(np.clip(bits, _LEAST, MOST)) * _UNIT if self._is_place[place] else bits * MILLI
                found[:, place, column] = np.where(compares, np.rint(whole), 0)
            found[:, place, -1] = compares
        return found.reshape(len(found), -1)

    def _is_swapped(self, patterns: Patterns, field: int) -> npt.NDArray[np.bool_]:
        """Where the other name says it for this one, too: the pair compares both."""
        other = self._other.get(field)
        return np.zeros(len(patterns.levels), bool) if other is None else patterns.levels[:, other] == BOTH_SWAPPED

    def bits(self, told: Numbers) -> Numbers:
        """The score of pairs together, in thousandths of a bit.

        Args:
            told: sums of rows of `told`, a row a pair of clusters.
        """
        sums = told.reshape(len(told), len(self._topics), len(self._parameters.log_priors))
        pairs = sums[:, :, -1:]
        evidence = sums[:, :, :-1] / (np.maximum(pairs, 1) * MILLI)
        # What no pair compares has neither weight nor likelihood.
        of_place = evidence[:, self._is_place] * (MILLI / _UNIT)
        evidence[:, self._is_place] = np.log2(np.where(pairs[:, self._is_place] > 0, of_place, 1.0))
        one, *others = self._parameters.log_priors
        scores: Floats = -np.logaddexp2.reduce(others - one - evidence.sum(axis=1), axis=1)
        found: Numbers = np.rint(scores * MILLI).astype(np.int64)
        return found


def _topics(fields: Sequence[Field]) -> list[list[int]]:
    """Places of the fields that are one thing: an address as a whole, a birth date or its year, every other field by itself."""
    topics: dict[str, list[int]] = {}
    for i, field in enumerate(fields):
        name = "an address" if field.of_place else "birth_date" if field.name == "birth_year" else field.name
        topics.setdefault(name, []).append(i)
    return list(topics.values())


def _telling(model: Model, name: str) -> list[int]:
    """Places of a field, if the values of one person hardly ever differ here: then two of them are two people."""
    matches = model.parameters.seen(model.records)[1]
    imagined = PRESUMED / (matches + PRESUMED)
    of_two = list(_OF_ONE_OR_TWO[name][1])
    places = [i for i, field in enumerate(model.fields) if field.name == name]
    # Of the imagined matches none counts as two here: a small file is presumed to be right.
    share = {
        i: model.parameters.m[i, 0, of_two].sum() - imagined * imagined_matches(model.fields[i].kind)[of_two].sum() for i in places
    }
    return [i for i in places if share[i] < _HARDLY_EVER]
