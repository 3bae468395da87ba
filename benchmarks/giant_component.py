"""What it costs when everybody hangs together: people in components of their own, and the same ones in a single component.

    python benchmarks/giant_component.py [--records 100000]

Records come five to a person, alike among themselves. In the second problem eight pairs a record are added between strangers,
most of them far from alike and some above the point of decision, so that all records are one connected component. The
people found must be the same. What counts is the ratio of the times.
"""

import argparse
import resource
import time
from collections import Counter

import numpy as np

from cdp.identity.matching.blocking import Blocking
from cdp.identity.matching.fields import STANDARD
from cdp.identity.matching.linkage import CONTRADICTIONS, Edges, average_linkage, evidence_of
from cdp.identity.matching.model import Model
from cdp.identity.matching.parameters import LEVELS, Parameters
from cdp.identity.matching.together import MILLI, Together

OF_A_PERSON = 5
STRANGERS_A_RECORD = 8
STOP, UNSEEN = -2500, -3000
"""Thousandths of a bit, as `resolve` has them where nobody looks like another."""


FIELDS = STANDARD  # the last of which are those of an address
_SHAPE = len(FIELDS), LEVELS, LEVELS
PARAMETERS = Parameters(
    np.full(_SHAPE, 0.1), np.full(_SHAPE, 0.1), ((),) * len(FIELDS), np.zeros((len(FIELDS), LEVELS), np.uint8),
    1e-4, tuple(field.of_home for field in FIELDS), np.full(_SHAPE, 0.1), 1e-5,
)  # fmt: skip
TOGETHER = Together(Model(FIELDS, Blocking((), 0.0, 0.0), PARAMETERS, (), 100_000))


class NoLimits:
    def broken(self, one: int, other: int) -> None:
        return None

    def join(self, one: int, other: int) -> None:
        return None


def edges(records: int, strangers: int) -> Edges:
    """Pairs of the people, and so many random ones."""
    random = np.random.default_rng(1)
    person = np.arange(records) // OF_A_PERSON
    low, high, weight = [], [], []
    for apart in range(1, OF_A_PERSON):
        first = np.flatnonzero(person[:-apart] == person[apart:])
        low.append(first)
        high.append(first + apart)
        weight.append(random.integers(2_000, 20_000, len(first)))
    one, other = random.integers(0, records, (2, strangers))
    is_pair = person[one] != person[other]
    low.append(np.minimum(one, other)[is_pair])
    high.append(np.maximum(one, other)[is_pair])
    weight.append(random.integers(-15_000, 1_000, int(is_pair.sum())))
    pairs, place = np.unique(np.concatenate(low) * records + np.concatenate(high), return_index=True)
    bits = np.concatenate(weight)[place]
    # The first field says all against strangers, and rules a household out; the others are compared, and say nothing.
    told = np.zeros((len(pairs), TOGETHER.columns // 3, 3), np.int64)
    told[:, :, 2] = 1
    told[:, 0, 0], told[:, 0, 1] = bits - round(PARAMETERS.prior_bits * MILLI), 60 * MILLI
    told[:, -1, :2] = 1 << 20  # of an address, likelihoods
    nothing = np.zeros((len(pairs), 2 * len(CONTRADICTIONS)), np.int64)
    return Edges(*np.divmod(pairs, records), evidence_of(bits >= STOP, nothing, told.reshape(len(pairs), -1)))


def linked(pairs: Edges, records: int) -> tuple[float, dict[int, int]]:
    """Seconds, and how many people have how many records."""
    began = time.monotonic()
    clusters, _ = average_linkage(
        pairs, lambda nodes: np.ones(len(nodes), np.int64), TOGETHER.bits, stop=STOP, unseen=UNSEEN, limits=NoLimits()
    )
    seconds = time.monotonic() - began
    return seconds, dict(Counter(Counter(clusters.get(i, i) for i in range(records)).values()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=100_000)
    records = parser.parse_args().records
    apart, together = edges(records, 0), edges(records, records * STRANGERS_A_RECORD)
    seconds_apart, people_apart = linked(apart, records)
    seconds_together, people_together = linked(together, records)
    assert people_apart == people_together, (people_apart, people_together)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(f"{records:,} records: {len(apart.low):,} pairs in components of their own {seconds_apart:.1f} s")
    print(f"one component of {len(together.low):,} pairs {seconds_together:.1f} s: {seconds_together / seconds_apart:.1f} times as long")
    print(f"{seconds_together / len(together.low) / (seconds_apart / len(apart.low)):.1f} times as long a pair; peak {peak:,} MiB")


if __name__ == "__main__":
    main()
