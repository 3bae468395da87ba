"""How far from its expectation a customer's revenue may fall: intervals that hold four of five outcomes.

A customer buys nothing with a known probability, else spends log-normally around what is expected of a buyer. Middle and
spread are measured on back-tests among buyers of whom about as much was expected, then the spread is stretched or narrowed
until four of five of the buyers' outcomes lie within: a split-conformal step (Vovk, Gammerman and Shafer 2005). Those who
bought nothing say nothing of it: they lie within however narrow it is.
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri

from cdp.models.likelihood import Floats

COVERAGE = 0.8
_TAIL = (1 - COVERAGE) / 2
_GROUPS = 5
_LEAST = 30  # buyers in a group
_SCALES = np.geomspace(0.25, 4, 81)


class Interval:
    """The spread of outcomes around expectations.

    Args:
        edges: limits between groups, on the logarithm of what a buyer is expected to spend.
        middles: mean of the logarithm of spending, less that of what was expected, by group.
        spreads: standard deviation of it, by group.
        scale: stretches the spreads.
    """

    def __init__(
        self,
        edges: Sequence[float] = (),
        middles: Sequence[float] = (-0.5,),
        spreads: Sequence[float] = (1.0,),
        scale: float = 1.0,
    ) -> None:
        self.edges = list(edges)
        self.middles = list(middles)
        self.spreads = list(spreads)
        self.scale = scale

    @classmethod
    def fitted(cls, buys: Floats, revenue: Floats, actual: Floats) -> "Interval":
        """On what was expected on back-tests, and what came. Raises ValueError where too few bought."""
        spent = actual > 0
        if spent.sum() < _LEAST:
            raise ValueError(f"intervals need {_LEAST} outcomes with revenue, found {spent.sum()}")
        centre = _log_if_buying(buys, revenue)[spent]
        groups = int(min(_GROUPS, spent.sum() // _LEAST))
        edges = np.unique(np.quantile(centre, np.linspace(0, 1, groups + 1)[1:-1], method="lower"))
        edges = edges[edges > centre.min()]  # where many are expected to spend the same, no group is empty
        group = np.searchsorted(edges, centre, side="right")
        off = np.log(actual[spent]) - centre
        middles = [float(off[group == g].mean()) for g in range(len(edges) + 1)]
        spreads = [max(float(np.std(off[group == g])), 0.05) for g in range(len(edges) + 1)]
        limits = [float(edge) for edge in edges]
        certain, amount = np.ones(len(centre)), np.exp(centre)
        shares = [
            covered(actual[spent], *cls(limits, middles, spreads, scale).bounds(certain, amount)) for scale in _SCALES
        ]
        # The narrowest that holds enough; where nothing does, the widest.
        enough = [scale for scale, share in zip(_SCALES, shares, strict=True) if share >= COVERAGE]
        return cls(limits, middles, spreads, float(enough[0] if enough else _SCALES[-1]))

    def bounds(self, buys: Floats, revenue: Floats) -> tuple[Floats, Floats]:
        """The 80 % interval of each customer's revenue.

        Args:
            buys: probability of an order.
            revenue: expected.
        """
        centre = _log_if_buying(buys, revenue)
        group = np.searchsorted(self.edges, centre, side="right")
        middle, spread = centre + np.asarray(self.middles)[group], np.asarray(self.spreads)[group] * self.scale
        nothing = 1 - buys
        # Nothing is the least there is: where it is likely enough, the whole fifth that is left out lies above.
        from_zero = nothing >= _TAIL
        highest = np.where(from_zero, COVERAGE, 1 - _TAIL)
        low = np.where(from_zero, 0.0, np.exp(middle + spread * _quantile(_TAIL, nothing, buys)))
        high = np.where(nothing >= highest, 0.0, np.exp(middle + spread * _quantile(highest, nothing, buys)))
        return low, np.maximum(high, low)


def covered(actual: Floats, low: Floats, high: Floats) -> float:
    """Share of outcomes within their intervals."""
    return float(((actual >= low - 0.005) & (actual <= high + 0.005)).mean())


def _log_if_buying(buys: Floats, revenue: Floats) -> Floats:
    return np.asarray(np.log(np.maximum(revenue, 1e-6) / np.maximum(buys, 1e-6)))


def _quantile(share: "Floats | float", nothing: Floats, buys: Floats) -> Floats:
    """Standard normal quantile, among buyers, of a quantile among all."""
    return np.asarray(ndtri(np.clip((share - nothing) / np.maximum(buys, 1e-6), 1e-4, 1 - 1e-4)))
