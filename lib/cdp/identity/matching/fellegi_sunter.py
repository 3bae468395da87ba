"""What likeness is worth, learnt from the pairs themselves, without labels.

u comes from random pairs, m by expectation maximisation from the pairs that meet; each field is learnt from pairs that would have
met without it, or blocking would flatter it. Fields that depend on each other (a name and the e-mail made of it, city and postal
code) form a tree, and each field may have one more parent. Two people of one household share family name, address and contact
points, and have given name and birth date as strangers have. Where identifiers have linked pairs already, these say how the
records of one person differ.

Source:
    Fellegi and Sunter (1969), A Theory for Record Linkage, JASA 64; Winkler (1988), expectation maximisation for its
    parameters; Chow and Liu (1968), Approximating Discrete Probability Distributions with Dependence Trees.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from cdp.identity.matching.levels import BOTH_SWAPPED, EQUAL, MISSING, NAMES, ONE_SWAPPED
from cdp.identity.matching.parameters import CLASSES, HOMES, LEVELS, RARE, WORLD, Floats, Parameters, Patterns, chances
from cdp.identity.matching.usual import OF_TWO, PRIOR_MATCHES, imagined_matches, imagined_strangers, presumed
from cdp.identity.sets import DisjointSets

_LEAST_EQUAL = 0.25
"""Share of equal values below which what was learnt is no match: in every set with duplicates it is above 0.4."""
_ROUNDS = 300
_CLOSE = 0.002
"""Change of a share, in parts of itself, below which it has settled; of those that are no rarer than the next figure."""
_RARELY = 1e-4
_LEAST_BITS = 0.002
"""Mutual information from which two fields depend on each other."""
_PRESENT = 3000.0
"""Imagined pairs that have both of two fields: that few pairs have both says little while there are few pairs."""
_SURELY = 2.0
"""Standard deviations by which strangers must be more than by chance."""
_PRIOR_HOMES = 300.0
"""Imagined pairs of one household, as alike in what they share as one person's records, that real ones must outvote."""
_LINKING = ("email", "phone", "code", "exact")
"""Kinds of fields that link records when they are equal, before anything is compared."""
_ENOUGH = 300.0
"""Known matches that have a field from which they alone say how it differs."""
_SHRINK = 40.0
"""Pairs of a parent's level from which what is seen in them counts more than what holds for all."""


@dataclass(frozen=True)
class Problem:
    """What the parameters are learnt from.

    Attributes:
        kinds: of each field, a key of `levels.NAMES`.
        of_home: of each field, whether a household shares it.
        of_name: of each field, whether two of a household who have one name share it.
        met: pairs that met; each stands for as many as there are.
        random: random pairs.
        made_of: of each way to meet, the numbers of the fields it is made of.
        pairs: all pairs of records there are.
        records: how many records.
        is_once: of each field, whether a person has one value of it (`linkage.CONTRADICTIONS`); empty: of none.
    """

    kinds: tuple[str, ...]
    of_home: tuple[bool, ...]
    of_name: tuple[bool, ...]
    met: Patterns
    random: Patterns
    made_of: tuple[frozenset[int], ...]
    pairs: float
    records: int
    is_once: tuple[bool, ...] = ()

    @property
    def sizes(self) -> tuple[int, ...]:
        """Of each field, levels with the missing one."""
        return tuple(len(NAMES[kind]) for kind in self.kinds)


def learnt(problem: Problem) -> Parameters:
    """Learn m, u, the tree of dependences and the prior."""
    now = _at_first(problem)
    for _ in range(2):
        # Dependences first: taken as independent, two fields that say the same would make a match of all that agree in them.
        now = _maximised(problem, replace(now, parents=_parents(problem, now), classes=_classes(now)))
    if _equal_share(problem, now) < _LEAST_EQUAL:
        # Where nobody is there twice, what is learnt are two people whose names are a little alike.
        return _maximised(problem, _at_first(problem), learns_m=False)
    return now


def _equal_share(problem: Problem, now: Parameters) -> float:
    """Of the values that matches have on both sides, the share that is equal; of what a household does not share."""
    matches, _, _ = _expected(problem, now)
    own = ~np.array(problem.of_home)
    levels = problem.met.levels[:, own] if own.any() else problem.met.levels
    equal, there = ((levels == EQUAL) * matches[:, None]).sum(), ((levels != MISSING) * matches[:, None]).sum()
    return float(equal / max(there, 1e-9))


def _classes(now: Parameters) -> npt.NDArray[np.uint8]:
    """A level is alike where it speaks for a match."""
    found = np.where(now.weights[:, 0] > 0, 2, 3).astype(np.uint8)
    found[:, MISSING], found[:, EQUAL] = 0, 1
    return found


def _at_first(problem: Problem) -> Parameters:
    fields = len(problem.kinds)
    m, u = np.ones((fields, LEVELS, LEVELS)), np.ones((fields, LEVELS, LEVELS))
    for field, kind in enumerate(problem.kinds):
        m[field] = imagined_matches(kind)
        # Not from the random pairs, some of which are matches: in a small file most equal addresses are.
        u[field] = _shares(imagined_strangers(kind))
    prior = min(max(problem.records / 3 / problem.pairs, 1e-12), 0.1)
    nobody = np.zeros((fields, LEVELS), np.uint8)
    home = np.where(np.array(problem.of_home)[:, None, None], m, u)
    return Parameters(m, u, ((),) * fields, nobody, prior, problem.of_home, problem.of_name, home, prior * HOMES)


def _marginal(
    patterns: Patterns, weight: Floats, field: int, size: int, start: Floats, of_two: Sequence[int] = ()
) -> Floats:
    """Shares of a field's levels, `start` imagined pairs added; those `of_two` as `presumed`."""
    seen = np.bincount(patterns.levels[:, field], weights=weight, minlength=LEVELS)[:LEVELS].astype(np.float64)
    seen[MISSING] = 0
    counts = seen + start
    counts[size:] = 0
    found = _shares(counts)
    return presumed(found, seen, _shares(start.copy()), of_two)


def _levels_of_two(problem: Problem, field: int) -> Sequence[int]:
    """Levels that say two people, of a field that a person has one value of."""
    return OF_TWO.get(problem.kinds[field], ()) if problem.is_once and problem.is_once[field] else ()


def _shares(counts: Floats) -> Floats:
    counts[MISSING] = 0
    found: Floats = np.maximum(counts / max(counts.sum(), 1e-12), 1e-12)
    return found


def _maximised(problem: Problem, start: Parameters, *, learns_m: bool = True) -> Parameters:
    now = start
    for _ in range(_ROUNDS):
        after = _step(problem, now)
        if not learns_m:
            after = replace(after, m=start.m)
        # In ratios: a level that is rare among matches may be on its way to being less so, a few thousandths a round.
        moved = np.abs(np.log(after.m) - np.log(now.m))[now.m > _RARELY].max()
        drift = abs(np.log(after.prior) - np.log(now.prior))
        now = after
        if moved < _CLOSE and drift < _CLOSE:
            break
    return now


def _step(problem: Problem, now: Parameters) -> Parameters:
    matches, _, homes = _expected(problem, now)
    all_others = _strangers(problem, now)
    m, u, home = np.empty_like(now.m), np.empty_like(now.u), np.empty_like(now.home)
    for field, size in enumerate(problem.sizes):
        telling, start = _telling(problem, matches, field)
        of_two = _levels_of_two(problem, field)
        m[field] = _marginal(problem.met, telling * _fair(problem, field), field, size, start, of_two)
        others = all_others[field]
        u[field] = _marginal(problem.random, others, field, size, imagined_strangers(problem.kinds[field]))
        told = {(parent,) for parent in now.parents[field]} | {now.parents[field]}
        fair = {some: telling * _fair(problem, field, *some) for some in told}
        m[field] = _by_parents(now, problem.met, fair, field, m[field], of_two)
        u[field] = _by_parents(now, problem.random, dict.fromkeys(told, others), field, u[field])
        # No likeness says more than equality: whose values are equal by chance have them mistyped as often as one person has.
        bound = u[field, :, EQUAL, None] * m[field] / m[field, :, EQUAL, None]
        u[field] = np.maximum(u[field], bound)
        if problem.of_home[field]:
            of_homes = homes * _fair(problem, field)
            home[field] = _marginal(problem.met, of_homes, field, size, m[field, 0] * _PRIOR_HOMES)
        else:
            home[field] = u[field, 0]
        if problem.kinds[field] == "name":
            # Too rare to be seen by chance: as two names that stand in the other's place independently of each other.
            u[field, :, BOTH_SWAPPED] = np.maximum(u[field, :, BOTH_SWAPPED], (u[field, :, ONE_SWAPPED] / 2) ** 2)
    world = problem.pairs + WORLD
    prior = min(float(matches.sum() + WORLD * RARE) / world, 0.4)
    home_prior = min(float(homes.sum() + WORLD * RARE * HOMES) / world, 0.4)
    return replace(now, m=m, u=u, prior=prior, home=home, home_prior=home_prior)


def _telling(problem: Problem, matches: Floats, field: int) -> tuple[Floats, Floats]:
    """The matches that say how a field of one person differs, and imagined ones to begin with.

    These are the known ones, where there are enough of them: among the others people of one household, or of one name,
    would pass for matches, and what they are called for what one person is. They say nothing of a field that has linked
    them by being equal.
    """
    kind = problem.kinds[field]
    start = imagined_matches(kind) * PRIOR_MATCHES
    if kind in _LINKING:
        return matches, start
    is_there = problem.met.known & (problem.met.levels[:, field] != MISSING) & _fair(problem, field)
    if float(problem.met.count[is_there].sum()) < _ENOUGH:
        return matches, start
    return np.where(problem.met.known, matches, 0.0), start


def _expected(problem: Problem, now: Parameters) -> tuple[Floats, Floats, Floats]:
    """Matches among the pairs that met, strangers among the random ones, households among those that met, by pattern."""
    matches, _, homes = now.shares(problem.met)
    matches, homes = np.where(problem.met.known, 1.0, matches), np.where(problem.met.known, 0.0, homes)
    strangers = now.shares(problem.random)[1]
    return problem.met.count * matches, problem.random.count * strangers, problem.met.count * homes


def _strangers(problem: Problem, now: Parameters) -> list[Floats]:
    """Of each field, how many of the random pairs of each pattern are strangers.

    By their chances, and at least as many as are left when those are taken away that, by the other fields, are matches or
    households and have such a level: a likeness that is rarely seen together with what its parents say would else make
    matches of the strangers who have it, and so become rarer with each round.
    """
    random = problem.random
    parts = now.fields(random)
    bits = now.likelihoods(parts)
    by_chance = random.count * chances(bits)[1]
    found = []
    for field in range(len(problem.kinds)):
        own, said = random.levels[:, field], now.said(field, random.levels)
        matches, _, homes, namesakes = chances(bits - parts[:, :, field]) * (random.count * (own != MISSING))
        cell = said * LEVELS + own

        def in_cells(weight: Floats, where: npt.NDArray[np.int64]) -> Floats:
            return np.bincount(where, weights=weight, minlength=LEVELS * LEVELS).astype(np.float64)

        like_matches = matches + namesakes if now.of_name[field] else matches
        like_homes = homes if now.of_name[field] else homes + namesakes
        one = in_cells(like_matches, said * LEVELS).reshape(LEVELS, LEVELS)[:, :1] * now.m[field]
        home = in_cells(like_homes, said * LEVELS).reshape(LEVELS, LEVELS)[:, :1] * now.home[field]
        others = (one + home).ravel()
        seen = in_cells(random.count, cell)
        least = seen - others - _SURELY * np.sqrt(others)
        more = least > in_cells(by_chance, cell)
        found.append(np.where(more[cell], random.count * (least / np.maximum(seen, 1e-9))[cell], by_chance))
    return found


def _fair(problem: Problem, *fields: int) -> npt.NDArray[np.bool_]:
    """Patterns of pairs that met in a way without these fields: they say how those are where nobody asked for them."""
    bits = sum(1 << way for way, made_of in enumerate(problem.made_of) if not made_of & set(fields))
    found: npt.NDArray[np.bool_] = (problem.met.rules & np.int64(bits)) != 0
    return found


def _by_parents(
    now: Parameters,
    patterns: Patterns,
    weight: Mapping[tuple[int, ...], Floats],
    field: int,
    alone: Floats,
    of_two: Sequence[int] = (),
) -> Floats:
    """Shares of a field's levels by what its parents say.

    What few pairs say of both parents is drawn to what more say of the first (of the second, where the first is missing), and
    that to what all say.

    Args:
        now: parents and classes.
        patterns: pairs.
        weight: how much each pattern says of the field and some of its parents: of each, and of all.
        field: number.
        alone: shares whatever the parents say, the same row for each.
        of_two: levels that are two people's.
    """
    parents = now.parents[field]
    classes = [now.classes[parent, patterns.levels[:, parent]].astype(np.int64) for parent in parents]
    by_one = [
        _conditional(patterns, weight[(parent,)], field, said, alone, of_two)
        for parent, said in zip(parents, classes, strict=True)
    ]
    if len(parents) < 2:
        return by_one[0] if by_one else alone
    second, first = np.divmod(np.arange(LEVELS), CLASSES)
    less = np.where((first == MISSING)[:, None], by_one[1][second], by_one[0][first])
    return _conditional(patterns, weight[parents], field, now.said(field, patterns.levels), less, of_two)


def _conditional(
    patterns: Patterns, weight: Floats, field: int, said: npt.NDArray[np.int64], above: Floats, of_two: Sequence[int]
) -> Floats:
    """Shares of a field's levels by what is said, drawn to the rows above where few pairs are seen."""
    cells = said * LEVELS + patterns.levels[:, field]
    counts = np.bincount(cells, weights=weight, minlength=LEVELS * LEVELS).reshape(LEVELS, LEVELS).astype(np.float64)
    counts[:, MISSING] = 0
    found: Floats = (counts + _SHRINK * above) / (counts.sum(axis=1, keepdims=True) + _SHRINK)
    return presumed(found, counts, above, of_two)


def _parents(problem: Problem, now: Parameters) -> tuple[tuple[int, ...], ...]:
    """The dependences that matter most: a forest, and for each field the second field that tells most of what it says.

    What two fields tell twice is their mutual information, in matches and in pairs of two people together; the heaviest
    tree of it loses least.
    """
    matches, others, _ = _expected(problem, now)
    fields = len(problem.kinds)
    gains = {}
    for one in range(fields):
        for other in range(one + 1, fields):
            of_matches = _information(problem.met, matches * _fair(problem, one, other), one, other)
            gains[one, other] = of_matches + _information(problem.random, others, one, other)
    order, first = _heaviest_forest(gains, fields, least=_LEAST_BITS)
    found: list[tuple[int, ...]] = []
    for field in range(fields):
        before = [p for p in order[: order.index(field)] if p != first[field]]
        second = max(before, key=lambda p: (gains[min(p, field), max(p, field)], -p), default=None)
        if first[field] < 0:
            found.append(())
        elif second is None or gains[min(second, field), max(second, field)] < _LEAST_BITS:
            found.append((first[field],))
        else:
            found.append((first[field], second))
    return tuple(found)


def _information(patterns: Patterns, weight: Floats, one: int, other: int) -> float:
    """Mutual information of two fields in bits, of a pair of all: it has none where one is missing; 0 where too few have both."""
    cells = patterns.levels[:, one].astype(np.int64) * LEVELS + patterns.levels[:, other]
    joint = np.bincount(cells, weights=weight, minlength=LEVELS * LEVELS).reshape(LEVELS, LEVELS)[1:, 1:]
    total = joint.sum()
    used = (joint.sum(axis=1) > 0).sum() * (joint.sum(axis=0) > 0).sum()
    if total < 50:
        return 0.0
    share = joint / total
    expected = share.sum(axis=1, keepdims=True) * share.sum(axis=0, keepdims=True)
    seen = share > 0
    bits = float((share[seen] * np.log2(share[seen] / expected[seen])).sum())
    # By chance alone it would not be 0 (Miller and Madow).
    told = max(0.0, bits - float(used / (2 * np.log(2) * total))) * min(1.0, float(total) / 1000)
    return told * float((total + _PRESENT) / (weight.sum() + _PRESENT))


def _heaviest_forest(
    gains: dict[tuple[int, int], float], fields: int, *, least: float
) -> tuple[list[int], tuple[int, ...]]:
    """The fields, each after its parent, and the parent of each (-1: none)."""
    trees: DisjointSets[int] = DisjointSets()
    neighbours: dict[int, list[int]] = {i: [] for i in range(fields)}
    for (one, other), gain in sorted(gains.items(), key=lambda item: (-item[1], item[0])):
        if gain >= least and trees.join(one, other):
            neighbours[one].append(other)
            neighbours[other].append(one)
    parents, order = [-1] * fields, list[int]()
    for start in range(fields):
        waiting = [] if start in order else [start]
        while waiting:
            field = waiting.pop(0)
            order.append(field)
            for child in sorted(set(neighbours[field]) - {*order, *waiting}):
                parents[child] = field
                waiting.append(child)
    return order, tuple(parents)


def ways_to_meet(
    rules: npt.NDArray[np.int64], made_of: Sequence[frozenset[str]], names: Sequence[str]
) -> tuple[npt.NDArray[np.int64], tuple[frozenset[int], ...]]:
    """Rules by the fields they are made of: how else a pair would have met is all that counts of them.

    Args:
        rules: of each pair the bit mask of the rules that made it.
        made_of: of each rule the names of its fields.
        names: of the fields.

    Returns:
        Of each pair the bit mask of its ways, without those that need more fields than another of its ways; and of each
        way the numbers of its fields.
    """
    place = {name: i for i, name in enumerate(names)}
    ways = list(dict.fromkeys(frozenset(place[name] for name in fields) for fields in made_of))
    way_of = [ways.index(frozenset(place[name] for name in fields)) for fields in made_of]
    masks, back = np.unique(rules, return_inverse=True)
    found = np.zeros(len(masks), np.int64)
    for i, mask in enumerate(masks.tolist()):
        there = {way_of[rule] for rule in range(len(made_of)) if mask >> rule & 1}
        found[i] = sum(1 << way for way in there if not any(ways[other] < ways[way] for other in there))
    return found[back], tuple(ways)
