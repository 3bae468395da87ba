"""The ranking is learned from the newest outcome window, or says why not; on a real shop it beats plain methods."""

import gzip

import numpy as np
import pandas as pd
import pytest

from cdp.models.products.backtest import backtest
from cdp.models.products.histories import Histories
from cdp.models.products.knowledge import Sales
from cdp.models.products.ranking import ByRule, Ranking
from tests.models.products.conftest import DAY, bought, catalogue

WINDOW = 90


def judged(histories: Histories, products: int, *, k: int = 5):
    day = DAY - WINDOW
    recent, latest = (
        np.bincount(histories.product[(histories.day <= day) & (histories.day > day - n)], minlength=products)
        for n in (90, 30)
    )
    settings = {"outcome_days": WINDOW, "recent_days": 90, "ease_max_products": 1_000, "k": k}
    return backtest(histories, catalogue(products), Sales(day, recent, latest), **settings)


def invented(customers: int) -> Histories:
    """Each customer has two products of twelve that they buy again and again, and tries others rarely."""
    rng = np.random.default_rng(7)
    rows = set()
    for customer in range(customers):
        liked = rng.choice(12, 2, replace=False)
        for ago in range(int(rng.integers(1, 20)), 300, 20):
            rows.add((customer, int(rng.choice(liked) if rng.random() < 0.8 else rng.integers(12)), ago))
    return bought(*sorted(rows))


def test_what_was_learned_is_judged_on_customers_kept_aside_and_told():
    verdict = judged(invented(400), 12, k=2)
    assert isinstance(verdict.ranking, Ranking)
    assert verdict.metrics["learned.all.recall_at_2"] > 2 * verdict.metrics["popularity.all.recall_at_2"]
    assert verdict.metrics["learned.customers"] == 80
    assert "ranked by probabilities learned: recall@2 of 80 customers kept aside" in verdict.notes[0]


def test_the_same_purchases_give_the_same_ranking():
    these, those = (judged(invented(400), 12, k=2).ranking for _ in range(2))
    assert np.array_equal(these.weights, those.weights) and these.intercept == those.intercept


@pytest.mark.parametrize(
    ("histories", "told"),
    [
        (bought((0, 0, 200), (1, 1, 150)), "no customer of 90 days ago has bought anything since"),
        (bought((0, 0, 5), (1, 1, 5)), "no customer of 90 days ago has bought anything since"),
        (bought((0, 0, 150), (0, 0, 5)), "candidates 1 were bought in the last 90 days"),
        (bought(size=1), "no customer of 90 days ago"),
    ],
)
def test_with_too_little_to_learn_from_the_rule_holds_and_the_reason_is_told(histories, told):
    verdict = judged(histories, 3)
    assert isinstance(verdict.ranking, ByRule) and verdict.metrics == {}
    assert told in verdict.notes[0]


def test_what_is_bought_after_the_window_began_is_not_known_before():
    histories = invented(400)
    later = Histories.ordered(
        histories.size,
        np.append(histories.customer, np.arange(400)),
        np.append(histories.product, np.full(400, 3)),
        np.append(histories.day, np.full(400, DAY + 1)),
        histories.place,
    )
    these, those = (judged(found, 12, k=2).ranking for found in (later, histories))
    assert np.array_equal(these.weights, those.weights)


def test_on_a_real_shop_it_is_at_least_as_good_as_each_plain_method(public_data):
    with gzip.open(public_data / "retail" / "online_retail" / "online_retail.csv.gz", "rt", encoding="utf-8") as file:
        rows = pd.read_csv(file, dtype={"CustomerID": "string", "InvoiceNo": "string", "StockCode": "string"})
    rows = rows[rows["CustomerID"].notna() & (rows["Quantity"] > 0)]
    often = rows["StockCode"].value_counts().index[:600]  # so that it takes seconds
    rows = rows[rows["StockCode"].isin(often)]
    day = pd.to_datetime(rows["InvoiceDate"]).dt.normalize()
    facts = pd.DataFrame(
        {
            "customer": pd.factorize(rows["CustomerID"])[0],
            "product": pd.factorize(rows["StockCode"])[0],
            "day": DAY - (day.max() - day).dt.days,
        }
    ).drop_duplicates()
    # Customers by a hash, as those of a lake come.
    facts["customer"] = np.random.default_rng(1).permutation(facts["customer"].max() + 1)[facts["customer"]]
    columns = (facts[name].to_numpy(dtype=np.int64) for name in ("customer", "product", "day"))
    size = int(facts["customer"].max()) + 1
    metrics = judged(Histories.ordered(size, *columns, np.full(size, -1)), 600, k=12).metrics
    for measure in ("recall", "ndcg"):
        plain = max(metrics[f"{name}.all.{measure}_at_12"] for name in ("own_frequency", "links", "popularity"))
        assert metrics[f"learned.all.{measure}_at_12"] > plain
        assert metrics[f"learned.new.{measure}_at_12"] > metrics[f"popularity.new.{measure}_at_12"] * 1.5
        assert metrics[f"learned.new.{measure}_at_12"] > metrics[f"links.new.{measure}_at_12"] * 0.97
