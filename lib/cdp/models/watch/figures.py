"""How good predictions turned out to be, from counts by score. None where there is nothing to tell, never NaN."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cdp.models.watch.realised import Realised, probabilities

TENTHS = 10


@dataclass(frozen=True)
class Tenth:
    """A tenth of the customers, by what was predicted of them.

    Attributes:
        number: 1: the highest predictions.
        customers: how many; those with the same prediction stay together, so tenths may differ in size.
        predicted, actual: means.
    """

    number: int
    customers: int
    predicted: float
    actual: float


def auc(churn: pd.DataFrame) -> float | None:
    """ROC AUC: the share of pairs in which who churned had the higher probability; ties count half. None without both."""
    churned = churn["churned"].to_numpy(float)
    stayed = churn["customers"].to_numpy(float) - churned
    pairs = churned.sum() * stayed.sum()
    if not pairs:
        return None
    below = np.cumsum(stayed) - stayed
    return float((churned * (below + stayed / 2)).sum() / pairs)


def brier(churn: pd.DataFrame) -> float | None:
    """Mean squared difference of probability and outcome."""
    p, churned, customers = probabilities(churn), churn["churned"].to_numpy(float), churn["customers"].to_numpy(float)
    total = customers.sum()
    return float((customers * p**2 - 2 * p * churned + churned).sum() / total) if total else None


def brier_of_the_mean(churn: pd.DataFrame) -> float | None:
    """The Brier score of whoever says the same of everybody: how many did churn."""
    total = float(churn["customers"].sum())
    share = churn["churned"].sum() / total if total else 0.0
    return float(share * (1 - share)) if total else None


def calibration_error(tenths: list[Tenth]) -> float | None:
    """Mean distance of predicted and actual over bins of equal counts, weighted by customers (ECE)."""
    total = sum(t.customers for t in tenths)
    return sum(t.customers * abs(t.predicted - t.actual) for t in tenths) / total if total else None


def chance_of_calibration_error(tenths: list[Tenth]) -> float:
    """The calibration error that right probabilities hardly exceed: its mean plus three standard deviations.

    The distance of a bin is the absolute value of about a normal error, with mean 0.798 and deviation 0.603 times its own.
    """
    total = sum(t.customers for t in tenths)
    errors = [math.sqrt(t.customers * t.predicted * (1 - t.predicted)) / total for t in tenths] if total else []
    return math.sqrt(2 / math.pi) * sum(errors) + 3 * math.sqrt((1 - 2 / math.pi) * sum(e**2 for e in errors))


def value_error(ltv: pd.DataFrame) -> float | None:
    """Predicted by actual value of all customers together, less 1. None where nothing was spent."""
    actual = float(ltv["actual"].sum())
    return float(ltv["predicted"].sum() / actual - 1) if actual > 0 else None


def value_gini(found: Realised) -> float | None:
    """Normalised Gini: that of the ranking by predicted value as a share of the best possible one; exact to the steps.

    None where all are equal.
    """
    best = _gini(found.actual)
    return _gini(found.ltv) / best if best > 0 else None


def churn_tenths(churn: pd.DataFrame) -> list[Tenth]:
    """Tenths by churn probability: mean probability and share that churned."""
    sums = pd.DataFrame(
        {
            "customers": churn["customers"],
            "predicted": probabilities(churn) * churn["customers"],
            "actual": churn["churned"],
        }
    )
    return _tenths(sums)


def value_tenths(ltv: pd.DataFrame) -> list[Tenth]:
    """Tenths by predicted value: means of predicted and actual value."""
    return _tenths(ltv[["customers", "predicted", "actual"]])


def _tenths(sums: pd.DataFrame) -> list[Tenth]:
    """Each key goes to the tenth that the middle of its customers lies in. Rows come lowest key first."""
    customers = sums["customers"].to_numpy(float)
    above = customers.sum() - np.cumsum(customers) + customers / 2
    number = np.minimum((TENTHS * above / max(customers.sum(), 1)).astype(int), TENTHS - 1) + 1
    found = []
    for tenth, part in sums.groupby(number):
        count = int(part["customers"].sum())
        found.append(
            Tenth(int(tenth), count, float(part["predicted"].sum() / count), float(part["actual"].sum() / count))
        )
    return found


def _gini(by_key: pd.DataFrame) -> float:
    """Gini coefficient of the actual values in the order of the keys, highest first; within a key all are equal."""
    customers = by_key["customers"].to_numpy(float)[::-1]
    actual = by_key["actual"].to_numpy(float)[::-1]
    total, n = actual.sum(), customers.sum()
    if total <= 0:
        return 0.0
    before = np.cumsum(actual) - actual
    # The sum of the running totals within a key of n customers and a total of a is n times what came before + a (n + 1) / 2.
    area = (customers * before + actual * (customers + 1) / 2).sum()
    return float(2 * (area / n / total - (n + 1) / (2 * n)))
