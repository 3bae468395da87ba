"""Random choices that belong to the records: who comes or goes changes only what is drawn of itself.

A file that has grown by a few records teaches the same, to the last draw, as far as they do not say otherwise; by place in the
file, one record more would be another sample, and borderline customers would come and go from day to day.
"""

import hashlib

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]
_Words = npt.NDArray[np.uint64]

_MORE = 1.2
"""Pairs that are looked at for each one wanted: their number is one of chance."""


def pairs_of(nodes: Numbers, wanted: int) -> tuple[Numbers, Numbers]:
    """Random pairs of different rows, each at most once.

    Each pair has a number, the sum of the two records' hashes; those with the smallest are drawn.

    Args:
        nodes: of each row its record, no two the same.
        wanted: how many pairs; all there are, where there are fewer.

    Returns:
        The two rows of each pair, in an order that does not depend on other records.
    """
    size = len(nodes)
    every = size * (size - 1) // 2
    hashes = _mixed(nodes.astype(np.uint64))
    order = np.argsort(hashes, kind="stable")
    looked_at = int(wanted * _MORE) + 100
    if every <= looked_at:
        left, right = np.triu_indices(size, 1)
        left, right = order[left], order[right]
    else:
        left, right = _below(hashes, order, 2**64 * looked_at // every)
    sums = hashes[left] + hashes[right]
    chosen = np.argsort(sums, kind="stable")[:wanted]
    return left[chosen].astype(np.int64), right[chosen].astype(np.int64)


def chances_of(left: Numbers, right: Numbers, what: str) -> npt.NDArray[np.float64]:
    """A number from 0 to 1 for each pair of records, for each thing that may happen to it another one.

    Args:
        left: record of each pair.
        right: the other one.
        what: may happen.
    """
    salt = np.uint64(int.from_bytes(hashlib.sha256(what.encode()).digest()[:8], "big"))
    words = _mixed(_mixed(left.astype(np.uint64) ^ salt) + right.astype(np.uint64))
    return (words >> np.uint64(11)).astype(np.float64) / 2.0**53


def _below(hashes: _Words, order: Numbers, bound: int) -> tuple[Numbers, Numbers]:
    """Pairs of rows whose hashes have a sum, modulo 2 to the 64th, below the bound."""
    ranked = hashes[order]
    size = len(ranked)
    start = np.uint64(0) - ranked
    end = start + np.uint64(bound)
    first, last = np.searchsorted(ranked, start), np.searchsorted(ranked, end)
    # Where the interval goes round the end of the numbers it goes on at the start.
    length = last - first + np.where(end < start, size, 0)
    left = np.repeat(np.arange(size), length)
    ends = np.cumsum(length)
    right = (np.repeat(first, length) + np.arange(len(left)) - np.repeat(ends - length, length)) % size
    kept = left < right
    return order[left[kept]], order[right[kept]]


def _mixed(words: _Words) -> _Words:
    """Each word's bits spread over all of it.

    Source:
        Steele, Lea and Flood (2014), Fast Splittable Pseudorandom Number Generators: SplitMix64.
    """
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
