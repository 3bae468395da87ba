"""Repeatable chance: uniform numbers from hashes of (seed, purpose, keys), for numpy and for Spark SQL.

A draw depends on nothing but its keys, so results do not change with partitions, batches or the order of calls.
"""

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_SCRAMBLE = np.uint64(2_654_435_761)
_FORTY_BITS = np.uint64((1 << 40) - 1)


def _mix(x: Array) -> Array:
    """The finaliser of SplitMix64 (Steele, Lea and Flood, 2014)."""
    x = (x ^ (x >> np.uint64(30))) * _MIX_1
    x = (x ^ (x >> np.uint64(27))) * _MIX_2
    mixed: Array = x ^ (x >> np.uint64(31))
    return mixed


def hashed(seed: int, purpose: str, ids: Array, k: int | Array = 0) -> Array:
    """64 random bits for each id (and repetition `k`)."""
    start = np.uint64(zlib.crc32(purpose.encode()) * 0x1_0000_0001 ^ (seed * 0x2545F491))
    with np.errstate(over="ignore"):
        x = _mix(ids.astype(np.uint64) * _GOLDEN + start)
        return _mix(x + np.asarray(k).astype(np.uint64) * _MIX_1 + _GOLDEN)


def uniform(seed: int, purpose: str, ids: Array, k: int | Array = 0) -> Array:
    """A number strictly between 0 and 1 for each id (and repetition `k`)."""
    return (hashed(seed, purpose, ids, k) >> np.uint64(11)).astype(np.float64) * 2.0**-53 + 2.0**-54


def scrambled(numbers: Array) -> Array:
    """Distinct numbers below 2^40 made to look unordered, still distinct (an odd multiplier modulo 2^40)."""
    with np.errstate(over="ignore"):
        return (((numbers.astype(np.uint64) + np.uint64(123_456_789)) * _SCRAMBLE) & _FORTY_BITS).astype(
            np.int64
        )


def present(values: Array) -> Array:
    """Where an array of objects holds something."""
    return np.array([value is not None for value in values], dtype=bool)


def only(values: Array, where: Array) -> Array:
    """The values where the mask says, nothing elsewhere."""
    kept = np.full(len(where), None, dtype=object)
    kept[where] = values[where]
    return kept


class Dice:
    """The same idea as Spark SQL text: expressions on `xxhash64`."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def bits(self, purpose: str, *keys: str) -> str:
        return f"xxhash64({self.seed}L, '{purpose}', {', '.join(keys)})"

    def uniform(self, purpose: str, *keys: str) -> str:
        return f"(shiftrightunsigned({self.bits(purpose, *keys)}, 11) * 1.1102230246251565E-16D)"

    def chance(self, rate: float, purpose: str, *keys: str) -> str:
        """True with probability `rate`; the literal `false` at 0, so that Spark drops what hangs on it."""
        return "false" if rate <= 0 else f"({self.uniform(purpose, *keys)} < {rate!r}D)"

    def below(self, n: int, purpose: str, *keys: str) -> str:
        """An int from 0 to n-1."""
        return f"cast(pmod({self.bits(purpose, *keys)}, {n}) as int)"

    def choice(self, values: Sequence[str], purpose: str, *keys: str) -> str:
        """One of a few words."""
        words = ", ".join(f"'{value}'" for value in values)
        return f"element_at(array({words}), {self.below(len(values), purpose, *keys)} + 1)"

    def uuid(self, *keys: str) -> str:
        """A UUID-shaped text that is the hash of the keys."""
        digest = f"md5(concat_ws('|', '{self.seed}', {', '.join(keys)}))"
        return f"regexp_replace({digest}, '^(.{{8}})(.{{4}})(.{{4}})(.{{4}})(.{{12}})', '$1-$2-$3-$4-$5')"
