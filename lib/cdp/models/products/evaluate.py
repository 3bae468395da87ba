"""How good lists of products are, held against what was bought afterwards."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

_KEY = ["customer_id", "product_id"]


def evaluate(
    predictions: pd.DataFrame, truth: pd.DataFrame, had: pd.DataFrame, *, k: int, active_products: int
) -> Mapping[str, float]:
    """Recall, NDCG and hit rate of the first `k` of each list, of all products and of those new to the customer; coverage.

    Means over the customers who bought something afterwards (something new to them); one without a list counts 0. For
    products new to the customer what they had is taken out of both sides, so lists should be longer than `k`.

    Args:
        predictions: customer_id, product_id, rank (from 1; any numbers in the order of the list), each product once.
        truth: customer_id, product_id: what was bought afterwards, each once.
        had: customer_id, product_id: what the customer had before, each once.
        k: places looked at.
        active_products: products that could have been shown.

    Returns:
        By name: `all.recall_at_K` (hits by the lesser of `k` and the products bought), `all.ndcg_at_K`,
        `all.hit_rate_at_K`, the same with `new.`, `customers`, `new_customers`, and `coverage_at_K` (different products
        shown, of the active ones). 0 where there is nobody to judge by.

    Source:
        Jarvelin and Kekalainen (2002), ACM TOIS 20(4), for NDCG with gain 0 or 1; its ideal list is cut at the lesser of `k`
        and the products bought.
    """
    shown = _first(predictions, k)
    everything = _measures(shown, truth, k)
    new = _measures(_first(_without(predictions, had), k), _without(truth, had), k)
    return {
        **{f"all.{name}_at_{k}": everything[name] for name in ("recall", "ndcg", "hit_rate")},
        **{f"new.{name}_at_{k}": new[name] for name in ("recall", "ndcg", "hit_rate")},
        f"coverage_at_{k}": shown["product_id"].nunique() / active_products if active_products else 0.0,
        "customers": everything["customers"],
        "new_customers": new["customers"],
    }


def _first(predictions: pd.DataFrame, k: int) -> pd.DataFrame:
    ordered = predictions.sort_values(["customer_id", "rank"], kind="stable")
    place = ordered.groupby("customer_id").cumcount()
    return ordered.assign(place=place)[place < k]


def _without(rows: pd.DataFrame, had: pd.DataFrame) -> pd.DataFrame:
    found = rows.merge(had[_KEY], on=_KEY, how="left", indicator=True)
    return found[found["_merge"] == "left_only"].drop(columns="_merge")


def _measures(shown: pd.DataFrame, truth: pd.DataFrame, k: int) -> Mapping[str, float]:
    bought = truth.groupby("customer_id").size()
    if not len(bought):
        return {"recall": 0.0, "ndcg": 0.0, "hit_rate": 0.0, "customers": 0.0}
    hits = shown.merge(truth[_KEY], on=_KEY, how="inner")
    gain = (1 / np.log2(hits["place"] + 2)).groupby(hits["customer_id"]).sum().reindex(bought.index, fill_value=0.0)
    count = hits.groupby("customer_id").size().reindex(bought.index, fill_value=0)
    possible = np.minimum(bought.to_numpy(), k)
    ideal = np.cumsum(1 / np.log2(np.arange(2, k + 2)))
    return {
        "recall": float((count.to_numpy() / possible).mean()),
        "ndcg": float((gain.to_numpy() / ideal[possible - 1]).mean()),
        "hit_rate": float((count.to_numpy() > 0).mean()),
        "customers": float(len(bought)),
    }
