"""Features that tell the outcome because they follow from it: a model that sees them only repeats what is known."""

import numpy as np
import pandas as pd

from cdp.models.likelihood import Floats
from cdp.models.metrics import roc_auc
from cdp.models.propensity.encoding import as_numbers

TELLS = 0.97
"""A feature that alone has a higher AUC is taken for a consequence of the outcome."""

_MOST_BINS = 100
_ROWS_OF_BIN = 20
_HALVES = 2


def leaking_features(table: pd.DataFrame, happened: Floats) -> dict[str, float]:
    """Features that alone tell nearly everything, with their AUC.

    A value counts by the share of those with the same, or nearly the same, value to whom it happened, learned from the other
    half of the rows; so one that tells by being missing, or by lying in between, is seen as well.

    Args:
        table: numbers and texts, a row a customer.
        happened: 1 or 0.
    """
    alone = {str(name): _alone(table[name], happened) for name in table}
    return {name: auc for name, auc in alone.items() if auc > TELLS}


def _alone(column: pd.Series, happened: Floats) -> float:
    group = _groups(column)
    half = np.arange(len(group)) % _HALVES
    overall = float(happened.mean())
    told = np.empty(len(group))
    for part in range(_HALVES):
        learn, judge = half != part, half == part
        size = np.bincount(group[learn], minlength=group.max() + 1)
        hits = np.bincount(group[learn], weights=happened[learn], minlength=group.max() + 1)
        told[judge] = ((hits + overall) / (size + 1))[group[judge]]
    auc = roc_auc(happened, told)
    return 0.0 if np.isnan(auc) else auc


def _groups(column: pd.Series) -> np.ndarray:
    """Numbers of groups of like values: equally large ones of numbers, one of each text, one of the missing."""
    numbers = as_numbers(column)
    if numbers is None:
        return np.asarray(pd.factorize(column.astype(object))[0] + 1)  # 0: missing
    known = numbers.dropna()
    if known.empty:
        return np.zeros(len(column), dtype=int)
    bins = min(max(len(known) // _ROWS_OF_BIN, 2), _MOST_BINS)
    edges = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1]))
    places = np.searchsorted(edges, numbers.to_numpy(), side="right")
    return np.where(numbers.isna(), len(edges) + 1, places)
