"""How good predictions of the sample retailer are, and how good they could be: beside what its persons' true rates tell.

Who knows how often a person buys and how likely the person leaves after an order still cannot know whether a silent one has
left: that is what can be reached. Seasons, campaigns and complaints are not in it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cdp.base.errors import UsageError
from cdp.identity.explain import dataset
from cdp.models.intervals import covered
from cdp.models.likelihood import Floats
from cdp.models.metrics import churn_metrics, normalised_gini, roc_auc

_HORIZON_DAYS = 365
"""Days after the last day of history whose orders the truth holds."""
_PERSONS = ("person_id", "orders_per_year", "drop_chance", "spend_level")
_ORDERS = ("person_id", "ordered_at", "net_eur", "cancelled", "returned")


@dataclass(frozen=True)
class Reached:
    """How good the predictions over one horizon were.

    Attributes:
        customers: with an order, of a known person.
        auc, gini: of churn, and of value.
        best_auc, best_gini: what true rates reach.
        brier, calibration_error: of churn.
        total: revenue predicted, as a share of what came, less 1.
        covered: share of outcomes within their interval; None where there is none.
    """

    horizon_days: int
    customers: int
    auc: float
    best_auc: float
    gini: float
    best_gini: float
    brier: float
    calibration_error: float
    total: float
    covered: float | None

    @property
    def share_of_auc(self) -> float:
        """Of the lead over chance that can be had."""
        return (self.auc - 0.5) / (self.best_auc - 0.5)


def expectations(rate: Floats, leaves: Floats, silence_days: Floats, horizon_days: int) -> tuple[Floats, Floats]:
    """What true rates tell of customers who buy at a constant rate until, after one of their orders, they leave.

    Args:
        rate: orders a day.
        leaves: probability of leaving after an order.
        silence_days: since the last order.
        horizon_days: days looked ahead.

    Returns:
        The probability of an order, and the expected number of them, within the horizon.
    """
    stays = (1 - leaves) * np.exp(-rate * silence_days)
    is_there = stays / (stays + leaves)
    orders = -np.expm1(-rate * leaves * horizon_days) / np.maximum(leaves, 1e-9)
    return is_there * -np.expm1(-rate * horizon_days), is_there * orders


def reached(lake: Path, truth: Path) -> list[Reached]:
    """Hold `gold.predictions` of the sample against what its persons do after the last day of its history.

    Args:
        lake: of the sample.
        truth: the folder that `sample` wrote beside the extracts.

    Returns:
        For each horizon that the truth reaches over and of which both outcomes came about.

    Raises:
        UsageError: a table or a file is missing, or predictions are of another day.
    """
    as_of = _as_of(truth)
    columns = ["customer_id", "horizon_days", "churn_probability", "ltv", "ltv_low", "ltv_high", "scored_on"]
    told = dataset(lake, "gold.predictions").to_table(columns=columns).to_pandas()
    told = told[told["churn_probability"].notna()]
    others = sorted({str(day) for day in told["scored_on"] if day != as_of})
    if others:
        raise UsageError(
            f"--lake {lake}: found predictions of {others[0]}, wanted those of {as_of}, where the truth begins"
        )
    known = _known(lake, truth, as_of)
    orders = _read(truth, "future_orders", _ORDERS)
    orders = orders[~orders["cancelled"] & ~orders["returned"]]
    found = []
    for horizon, rows in told.groupby("horizon_days"):
        if int(horizon) <= _HORIZON_DAYS:
            found += _judged(int(horizon), rows.join(known, on="customer_id", how="inner"), orders, as_of)
    if not found:
        raise UsageError(
            f"--lake {lake}: found no prediction over at most {_HORIZON_DAYS} days of a person of --truth {truth}"
        )
    return found


def _judged(horizon: int, rows: pd.DataFrame, orders: pd.DataFrame, as_of: date) -> list[Reached]:
    last = pd.Timestamp(as_of + timedelta(days=horizon + 1))
    came = orders[orders["ordered_at"] < last].groupby("person_id")["net_eur"].agg(["size", "sum"])
    came = came.reindex(rows["person_id"]).fillna(0.0)
    away = np.asarray(came["size"].to_numpy(dtype=float) == 0, dtype=float)
    revenue = np.maximum(came["sum"].to_numpy(dtype=float), 0)
    if not 0 < away.sum() < len(away):
        return []
    rate, leaves, silence, spend, churn, ltv, low, high = (
        rows[name].to_numpy(dtype=float)
        for name in ("rate", "drop_chance", "silence", "spend_level", "churn_probability", "ltv", "ltv_low", "ltv_high")
    )
    buys, often = expectations(rate, leaves, silence, horizon)
    figures: Mapping[str, float] = churn_metrics(away, churn)
    return [
        Reached(
            horizon_days=horizon,
            customers=len(rows),
            auc=figures["roc_auc"],
            best_auc=roc_auc(away, 1 - buys),
            gini=normalised_gini(revenue, ltv),
            best_gini=normalised_gini(revenue, often * spend),
            brier=figures["brier"],
            calibration_error=figures["calibration_error"],
            total=float(ltv.sum() / revenue.sum() - 1),
            covered=None if np.isnan(low).any() else covered(revenue, low, high),
        )
    ]


def _known(lake: Path, truth: Path, as_of: date) -> pd.DataFrame:
    """By customer_id: the person most of whose records it holds, the true rates, and days since the last order."""
    records = _read(truth, "record_truth", ("source", "record_key", "person_id"))
    assigned = dataset(lake, "identity.assignments").to_table(
        columns=["source", "record_key", "customer_id"], filter=pc.field("is_current")
    )
    both = records.merge(assigned.to_pandas(), on=["source", "record_key"])
    counts = both.groupby(["customer_id", "person_id"], as_index=False).size()
    most = counts.sort_values(["size", "person_id"], ascending=[False, True]).drop_duplicates("customer_id")
    persons = _read(truth, "person_truth", _PERSONS)
    bought = dataset(lake, "gold.orders").to_table(columns=["customer_id", "ordered_on", "status"]).to_pandas()
    bought = bought[(bought["status"] == "completed") & (bought["ordered_on"] <= as_of)]
    last = pd.to_datetime(bought.groupby("customer_id")["ordered_on"].max())
    found = most.merge(persons, on="person_id").set_index("customer_id").join(last, how="inner")
    silence = (pd.Timestamp(as_of) - found["ordered_on"]).dt.days
    return found.assign(rate=found["orders_per_year"] / 365, silence=silence)[
        ["person_id", "rate", "drop_chance", "spend_level", "silence"]
    ]


def _as_of(truth: Path) -> date:
    file = truth / "summary.json"
    try:
        return date.fromisoformat(json.loads(file.read_text(encoding="utf-8"))["as_of"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"--truth {truth}: summary.json cannot be read ({type(error).__name__}); wanted the folder that the sample"
            " writes beside its extracts, landing-truth"
        ) from None


def _read(truth: Path, name: str, columns: tuple[str, ...]) -> pd.DataFrame:
    try:
        found: pd.DataFrame = pq.read_table(truth / name, columns=list(columns)).to_pandas()
    except (pa.ArrowInvalid, OSError) as error:
        raise UsageError(
            f"--truth {truth}: {name} cannot be read ({type(error).__name__}); wanted Parquet with {', '.join(columns)}"
        ) from None
    return found
