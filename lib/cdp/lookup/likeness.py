"""How much a name that somebody typed is like a name that a customer has."""

from collections.abc import Collection, Sequence

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA, JaroWinkler

from cdp.gold.search_keys import words_of
from cdp.identity.names import are_one_name

ENOUGH = 0.75
"""Names less alike than this are another person's."""
_BEHIND = 0.1
"""So much less alike than the best one, and they are not meant."""
_LOOKED_AT = 300
_LEAST_WEIGHT = 3
"""Letters that a word counts for at least: the wrong initial is no small thing."""
_INITIAL, _SHORT_FORM, _FURTHER_WORD = 0.9, 0.95, 0.01


def alike(asked: str, names: Collection[str]) -> dict[str, float]:
    """Of folded names those like the asked one, and how much: 1 for the same words in any order;
    not those far behind the likeliest.

    A rough measure chooses which of very many are compared word by word.
    """
    rough = process.extract(asked, list(names), scorer=fuzz.token_set_ratio, limit=_LOOKED_AT)
    words = words_of(asked)
    scores = {name: max(likeness(words, words_of(name)), _run_together(asked, name)) for name, _, _ in rough}
    least = max(ENOUGH, max(scores.values(), default=0) - _BEHIND)
    return {name: score for name, score in scores.items() if score >= least}


def likeness(asked: Sequence[str], words: Sequence[str]) -> float:
    """How much of the asked words is found: each goes to another word of the name, the most alike ones first."""
    pairs = sorted(((_of_words(a, b), a, b) for a in asked for b in words), key=lambda pair: (-pair[0], pair[1], pair[2]))
    taken: dict[str, float] = {}
    used: set[str] = set()
    for score, a, b in pairs:
        if a not in taken and b not in used:
            taken[a] = score
            used.add(b)
    weights = {a: max(len(a), _LEAST_WEIGHT) for a in asked}
    found = sum(score * weights[a] for a, score in taken.items())
    return found / sum(weights.values()) - _FURTHER_WORD * max(0, len(words) - len(asked))


def _run_together(asked: str, name: str) -> float:
    """Of names with a space too many or too few."""
    if asked.count(" ") == name.count(" "):
        return 0.0
    return float(OSA.normalized_similarity(asked.replace(" ", ""), name.replace(" ", ""))) - _FURTHER_WORD


def _of_words(a: str, b: str) -> float:
    if a == b:
        return 1.0
    if min(len(a), len(b)) == 1:
        return _INITIAL if a[0] == b[0] else 0.0
    if are_one_name(a, b):
        return _SHORT_FORM
    return max(OSA.normalized_similarity(a, b), JaroWinkler.similarity(a, b) - 0.1)
