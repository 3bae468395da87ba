"""What each input adds to the answer of small boosted trees: exact Shapley values, read from a table of decisions.

A tree of six leaves decides at most five times, so that all customers have one of 32 patterns of decisions in it. What an
input adds is worked out once for each pattern; a customer's share is then looked up. This gives the values of TreeSHAP
(Lundberg and others 2020, path-dependent) to the last digits, at a fraction of its time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import factorial
from typing import Any

import numpy as np

from cdp.models.likelihood import Floats

_MOST_DECISIONS = 10
"""A table has two to the power of it rows."""


@dataclass(frozen=True)
class _Decision:
    """One inner node: left where the input is at most so much, or missing and the missing go left."""

    column: int
    most: float
    missing_left: bool


@dataclass(frozen=True)
class _Table:
    """What the inputs of one tree add, by pattern of decisions.

    Attributes:
        decisions: bit i of the pattern is set where decision i is to go left.
        columns: inputs that the tree asks for.
        parts: a row an input, a column a pattern.
    """

    decisions: tuple[_Decision, ...]
    columns: tuple[int, ...]
    parts: Floats


class TreeShapley:
    """Shapley values of one ensemble.

    Args:
        trees: `HistGradientBoostingClassifier` of two classes or `...Regressor`, fitted, all inputs numbers.

    Attributes:
        usual: mean of the raw answer over the customers learned from, to which the shares add.

    Raises:
        ValueError: a tree decides more often than a table is good for.
    """

    def __init__(self, trees: Any) -> None:
        self.usual = float(np.ravel(trees._baseline_prediction)[0])
        self._tables: list[_Table] = []
        for (predictor,) in trees._predictors:
            table, usual = _table(predictor.nodes)
            self._tables.append(table)
            self.usual += usual

    def of(self, matrix: Floats) -> Floats:
        """What each input adds to `usual`: a row a customer, a column an input."""
        columns = np.ascontiguousarray(matrix.T)
        missing = np.isnan(columns)
        found = np.zeros_like(columns)
        for table in self._tables:
            pattern = np.zeros(columns.shape[1], dtype=np.intp)
            for i, decision in enumerate(table.decisions):
                left = columns[decision.column] <= decision.most
                if decision.missing_left:
                    left |= missing[decision.column]
                pattern += left.astype(np.intp) << i
            for column, parts in zip(table.columns, table.parts, strict=True):
                found[column] += parts[pattern]
        return found.T


def _table(nodes: np.ndarray) -> tuple[_Table, float]:
    """The table of one tree, and its mean answer."""
    inner = [int(i) for i in np.flatnonzero(nodes["is_leaf"] == 0)]
    if len(inner) > _MOST_DECISIONS:
        raise ValueError(f"a tree of {len(inner)} decisions; tables are for {_MOST_DECISIONS} at most")
    decisions = tuple(
        _Decision(int(n["feature_idx"]), float(n["num_threshold"]), bool(n["missing_go_to_left"])) for n in nodes[inner]
    )
    columns = tuple(sorted({decision.column for decision in decisions}))
    patterns = np.arange(2 ** len(inner))
    goes_left = {node: (patterns >> i & 1).astype(bool) for i, node in enumerate(inner)}
    known = {
        subset: _answers(nodes, 0, goes_left, set(subset))
        for size in range(len(columns) + 1)
        for subset in combinations(columns, size)
    }
    parts = np.array([_share(column, columns, known) for column in columns]).reshape(len(columns), len(patterns))
    return _Table(decisions, columns, parts), float(known[()][0])


def _answers(nodes: np.ndarray, place: int, goes_left: dict[int, np.ndarray], known: set[int]) -> Floats:
    """Mean answer below a node, by pattern, of those of whom some inputs are known: the others are spread as the customers
    learned from were."""
    node = nodes[place]
    if node["is_leaf"]:
        return np.full(len(next(iter(goes_left.values()), np.zeros(1))), node["value"])
    left, right = (_answers(nodes, int(node[side]), goes_left, known) for side in ("left", "right"))
    if int(node["feature_idx"]) in known:
        return np.where(goes_left[place], left, right)
    share = nodes[node["left"]]["count"] / node["count"]
    return np.asarray(share * left + (1 - share) * right)


def _share(column: int, columns: Sequence[int], known: dict[tuple[int, ...], Floats]) -> Floats:
    """Shapley value of an input: what it adds to what others tell, the mean over all orders in which they are told."""
    n = len(columns)
    total = np.zeros_like(known[()])
    for subset in known:
        if column not in subset:
            weight = factorial(len(subset)) * factorial(n - len(subset) - 1) / factorial(n)
            total = total + weight * (known[tuple(sorted((*subset, column)))] - known[subset])
    return total
