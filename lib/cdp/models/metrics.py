"""How good predictions are: ranking, calibration and level."""

from collections.abc import Mapping

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit

from cdp.models.likelihood import Floats

_CLIP = 1e-6
_BINS = 10


def log_losses(happened: Floats, probability: Floats) -> Floats:
    """Log-loss of each row."""
    p = np.clip(probability, _CLIP, 1 - _CLIP)
    return np.asarray(-np.where(happened > 0, np.log(p), np.log1p(-p)))


def deviances(actual: Floats, expected: Floats) -> Floats:
    """Tweedie deviance of power 1.5 of each row, by the root of the mean outcome: least, in the mean, for the true expectation.

    It weighs rows as if their variance grew with the power 1.5 of the expectation, as it does where a number of orders
    and their values are both random (Smyth and Joergensen 2002). The mean absolute error would choose whoever predicts
    the median, which is 0; squares would hear the few largest customers only. Expectations below a hundredth of the mean
    outcome count as that, or one buyer written off would decide everything.
    """
    mean = float(actual.mean())
    root = np.sqrt(np.maximum(expected, max(mean / 100, _CLIP)))
    return np.asarray(4 * (root - np.sqrt(np.maximum(actual, 0))) ** 2 / root / max(np.sqrt(mean), _CLIP))


def shape_losses(actual: Floats, expected: Floats) -> Floats:
    """`deviances` of expectations that are scaled to the right total: how well it was shared out among customers."""
    total = float(expected.sum())
    return deviances(actual, expected * (actual.sum() / total) if total > 0 else expected)


def shape_log_losses(happened: Floats, probability: Floats) -> Floats:
    """`log_losses` of probabilities whose log-odds are moved, all alike, until as many are expected as it happened to."""
    share = float(happened.mean())
    if not 0 < share < 1:
        return log_losses(happened, probability)
    log_odds = logit(np.clip(probability, _CLIP, 1 - _CLIP))
    shift = brentq(lambda more: float(expit(log_odds + more).mean()) - share, -40, 40)
    return log_losses(happened, np.asarray(expit(log_odds + shift)))


def churn_metrics(churned: Floats, probability: Floats) -> Mapping[str, float]:
    """ROC AUC and PR AUC of those who churn (NaN where all or none did), log-loss, Brier score, `calibration_error`, and
    the mean predicted and found."""
    from sklearn.metrics import average_precision_score

    both = 0 < churned.sum() < len(churned)
    return {
        "roc_auc": roc_auc(churned, probability),
        "pr_auc": float(average_precision_score(churned, probability)) if both else float("nan"),
        "log_loss": float(log_losses(churned, probability).mean()),
        "brier": float(((probability - churned) ** 2).mean()),
        "calibration_error": calibration_error(churned, probability),
        "mean_predicted": float(probability.mean()),
        "mean_actual": float(churned.mean()),
    }


def value_metrics(actual: Floats, expected: Floats) -> Mapping[str, float]:
    """Mean absolute and root mean squared error, normalised Gini, Spearman's rank correlation, error of the total as a
    share, error by decile, share of revenue in the top tenth, Tweedie deviance."""
    from scipy.stats import spearmanr

    total = float(actual.sum())
    same = np.ptp(actual) == 0 or np.ptp(expected) == 0
    top = np.argsort(-expected, kind="stable")[: max(len(actual) // 10, 1)]
    return {
        "mae": float(np.abs(actual - expected).mean()),
        "rmse": float(np.sqrt(((actual - expected) ** 2).mean())),
        "normalised_gini": normalised_gini(actual, expected),
        "spearman": float("nan") if same else float(spearmanr(actual, expected).statistic),
        "total_bias": float(expected.sum() / total - 1) if total > 0 else float("nan"),
        "decile_error": decile_error(actual, expected) if total > 0 else float("nan"),
        "top_tenth_share": float(actual[top].sum() / total) if total > 0 else float("nan"),
        "deviance": float(deviances(actual, expected).mean()),
    }


def roc_auc(happened: Floats, score: Floats) -> float:
    """Probability that who it happened to has the higher score of two; NaN where it happened to all or to nobody."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(happened, score)) if 0 < happened.sum() < len(happened) else float("nan")


def calibration_error(happened: Floats, probability: Floats, bins: int = _BINS) -> float:
    """Mean gap between probability and share over bins of equally many rows, in the order of the probability (ECE)."""
    parts = np.array_split(np.argsort(probability, kind="stable"), min(bins, len(probability)))
    return float(np.mean([abs(happened[part].mean() - probability[part].mean()) for part in parts]))


def decile_error(actual: Floats, expected: Floats, bins: int = _BINS) -> float:
    """Sum of the gaps between mean outcome and expectation over tenths of customers by expectation, as a share of the
    sum of the mean outcomes (decWAPE)."""
    parts = np.array_split(np.argsort(expected, kind="stable"), min(bins, len(expected)))
    found = np.array([actual[part].mean() for part in parts])
    told = np.array([expected[part].mean() for part in parts])
    return float(np.abs(told - found).sum() / found.sum())


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
