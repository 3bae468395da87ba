"""What each input adds to the answer of small boosted trees: exact Shapley values, read from a table of decisions.

A tree of six leaves decides at most five times, so that all customers have one of 32 patterns of decisions in it. What an
input adds is worked out once for each pattern; a customer's share is then looked up. This gives the values of TreeSHAP
(Lundberg and others 2020, path-dependent) to the last digits, at a fraction of its time.
"""

from dataclasses import dataclass
from functools import cache
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
    patterns, subsets = np.arange(2 ** len(inner)), np.arange(2 ** len(columns))
    goes_left = {node: (patterns >> i & 1).astype(bool) for i, node in enumerate(inner)}
    is_known = {column: (subsets >> i & 1).astype(bool)[:, None] for i, column in enumerate(columns)}

    def answers(place: int) -> Floats:
        """Mean answer below a node, by subset of known inputs and pattern: where an input is not known, customers are
        spread as those learned from were."""
        node = nodes[place]
        if node["is_leaf"]:
            return np.full((1, 1), float(node["value"]))
        left, right = answers(int(node["left"])), answers(int(node["right"]))
        share = nodes[node["left"]]["count"] / node["count"]
        decided = np.where(goes_left[place], left, right)
        return np.where(is_known[int(node["feature_idx"])], decided, share * left + (1 - share) * right)

    known = np.broadcast_to(answers(0), (len(subsets), len(patterns)))
    return _Table(decisions, columns, _weights(len(columns)) @ known), float(known[0, 0])


@cache
def _weights(inputs: int) -> Floats:
    """What makes Shapley values of the answers by subset: what an input adds to those told before it, as the mean over all
    orders in which they are told. A row an input, a column a subset."""
    subsets = np.arange(2**inputs)
    found = np.zeros((inputs, len(subsets)))
    for subset in subsets:
        size = int(subset).bit_count()
        for i in range(inputs):
            before = size - (subset >> i & 1)
            weight = factorial(before) * factorial(inputs - before - 1) / factorial(inputs)
            found[i, subset] = weight if subset >> i & 1 else -weight
    return found
