"""Features that tell who is in a seed because they define it: a model that sees them only repeats the rule."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from cdp.models.likelihood import Floats
from cdp.models.ranking import Ranked, auc

SEPARATES = 0.95
"""A feature alone, in a small tree, with at least this AUC defines the seed."""
SAME = 0.95
"""A feature whose ranks correlate at least this much with what the rule asks says the same."""

_LEAVES = 8
_LEAST_KNOWN = 20


def defining_features(
    features: pd.DataFrame, is_seed: np.ndarray, asked: pd.DataFrame, names: Sequence[str]
) -> dict[str, str]:
    """Features that define the seed, and why each is taken for one.

    Args:
        features: at least the columns `names`; missing values are NaN.
        is_seed: which rows are the seed's.
        asked: what the seed's rule asks of each row, as numbers.
        names: the features to judge.

    Returns:
        By feature: what the rule asks that it says as well, or how well it separates the seed alone. A small tree also
        sees a seed that lies between two values, or where the feature is missing.
    """
    found: dict[str, str] = {}
    places = {str(name): _ranks(asked[name]) for name in asked.columns}
    for name in names:
        same = _same(_ranks(features[name]), places)
        if same:
            found[name] = f"says the same as {same}"
            continue
        alone = _separation(features[name].to_numpy(dtype=float), is_seed)
        if alone >= SEPARATES:
            found[name] = f"tells the seed alone, AUC {alone:.2f}"
    return found


def _ranks(values: pd.Series) -> Floats:
    return np.asarray(values.astype(float).rank(), dtype=float)


def _same(feature: Floats, places: Mapping[str, Floats]) -> str | None:
    for name, asked in places.items():
        known = ~np.isnan(feature) & ~np.isnan(asked)
        # Too few rows in common, or a feature that is mostly missing where the other is known, say nothing.
        if known.sum() < max(_LEAST_KNOWN, (~np.isnan(asked)).sum() / 2):
            continue
        a, b = feature[known], asked[known]
        if a.std() > 0 and b.std() > 0 and abs(np.corrcoef(a, b)[0, 1]) >= SAME:
            return name
    return None


def _separation(values: Floats, is_seed: np.ndarray) -> float:
    from sklearn.tree import DecisionTreeClassifier

    least = max(5, int(is_seed.sum() / 50))
    column = np.clip(values, -1e30, 1e30).reshape(-1, 1)  # the tree works in single precision
    tree = DecisionTreeClassifier(
        max_leaf_nodes=_LEAVES, min_samples_leaf=least, class_weight="balanced", random_state=0
    )
    told = tree.fit(column, is_seed).predict_proba(column)[:, list(tree.classes_).index(True)]
    return auc(Ranked.by(told, is_seed), np.ones(len(values)))
