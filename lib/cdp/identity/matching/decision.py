"""Where to stop: from how many bits on two clusters are one person, and a pair is worth a look."""

import numpy as np

from cdp.identity.config import IdentityConfig
from cdp.identity.matching.model import Model
from cdp.identity.matching.parameters import Parameters

STOP = -2.5
"""Bits: two clusters become one while their records are all in all at least that alike, where no two people are much alike. On
the public sets of that kind every value from -2.75 to -2 is within half a point of the best."""
LOOK_ALIKES = 700.0
"""How much a household counts for: each may hide people who differ by less than the model knows (an address that is not kept up, a
contact point of all). With a hundredth as many pairs of one household as matches the clusters must be some three bits more alike."""
_FEW_HOMES = 120.0
"""Pairs of one household from which their number says much."""
MOST_CAUTIOUS = 2.0
"""Bits at which `stop_bits` ends: where names and an address are all there is, one person's records are hardly more alike."""
REVIEW_FROM = -2.0
"""Bits below the point of decision from which a pair that was not linked is worth a look."""


def stop_of(model: Model, config: IdentityConfig) -> float:
    """Bits from which clusters are joined: what the configuration says, or `stop_bits`."""
    return threshold_bits(config.link_threshold, stop_bits(model.parameters, model.records))


def stop_bits(parameters: Parameters, records: int) -> float:
    """Where to stop joining, from how many pairs of one household there are for each match."""
    homes, matches = parameters.seen(records)
    look_alikes = LOOK_ALIKES * homes / max(matches, 1.0) * homes / (homes + _FEW_HOMES)
    return min(STOP + float(np.log2(1 + look_alikes)), MOST_CAUTIOUS)


def review_of(stop: float, config: IdentityConfig) -> float:
    """Bits from which a pair is kept in `identity.links`: what the configuration says, or a little below `stop`."""
    return threshold_bits(config.review_threshold, stop + REVIEW_FROM)


def threshold_bits(threshold: float | str, default: float) -> float:
    """A probability of the configuration as log2 odds."""
    if isinstance(threshold, str):
        return default
    bounded = min(max(threshold, 1e-9), 1 - 1e-9)
    return float(np.log2(bounded / (1 - bounded)))
