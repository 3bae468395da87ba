"""How good predictions are: ranking, calibration and level."""

from collections.abc import Mapping

import numpy as np

from cdp.models.likelihood import Floats

_CLIP = 1e-6


def log_losses(happened: Floats, probability: Floats) -> Floats:
    """Log-loss of each row."""
    p = np.clip(probability, _CLIP, 1 - _CLIP)
    return np.asarray(-np.where(happened > 0, np.log(p), np.log1p(-p)))


def deviances(actual: Floats, expected: Floats) -> Floats:
    """Poisson deviance of each row: least, in the mean, for the true expectation, whatever the distribution.

    The mean absolute error would choose whoever predicts the median, which is 0. Expectations below a hundredth of the
    mean outcome count as that, or one buyer written off would decide everything.
    """
    expected = np.maximum(expected, max(float(actual.mean()) / 100, _CLIP))
    ratio = np.where(actual > 0, actual / expected, 1)
    return np.asarray(2 * (actual * np.log(ratio) - actual + expected))


def churn_metrics(churned: Floats, probability: Floats) -> Mapping[str, float]:
    """ROC AUC (NaN where all or none churned), log-loss, Brier score, and the mean predicted and found."""
    from sklearn.metrics import roc_auc_score

    both = 0 < churned.sum() < len(churned)
    return {
        "roc_auc": float(roc_auc_score(churned, probability)) if both else float("nan"),
        "log_loss": float(log_losses(churned, probability).mean()),
        "brier": float(((probability - churned) ** 2).mean()),
        "mean_predicted": float(probability.mean()),
        "mean_actual": float(churned.mean()),
    }


def value_metrics(actual: Floats, expected: Floats) -> Mapping[str, float]:
    """Mean absolute error, normalised Gini, total error as a share, Poisson deviance."""
    total = float(actual.sum())
    return {
        "mae": float(np.abs(actual - expected).mean()),
        "normalised_gini": normalised_gini(actual, expected),
        "total_bias": float(expected.sum() / total - 1) if total > 0 else float("nan"),
        "deviance": float(deviances(actual, expected).mean()),
    }


def normalised_gini(actual: Floats, score: Floats) -> float:
    """Gini coefficient of the ranking by `score`, as a share of the best possible one; NaN where all are equal."""
    best = _gini(actual, actual)
    return _gini(actual, score) / best if best > 0 else float("nan")


def _gini(actual: Floats, score: Floats) -> float:
    _, group = np.unique(-score, return_inverse=True)
    size = np.bincount(group)
    # Within ties the order is nobody's merit: each gets the mean.
    level = np.bincount(group, weights=actual) / size
    ordered = np.repeat(level, size)
    total, n = ordered.sum(), len(ordered)
    if total <= 0:
        return 0.0
    return float(2 * (np.cumsum(ordered).mean() / total - (n + 1) / (2 * n)))
