"""The ranking that a lake gets: learned from its newest outcome window where that is better than the rule."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cdp.models.products.catalogue import Catalogue
from cdp.models.products.evaluate import evaluate
from cdp.models.products.histories import Floats, Histories, Ints
from cdp.models.products.knowledge import Knowledge, Sales, learn
from cdp.models.products.ranking import LEAST_BOUGHT, ByRule, Ranking, fit
from cdp.models.products.sources import Candidates, blocks, candidates

_CUSTOMERS = 10_000  # to learn the ranking from: a million candidates, and no more is gained
_JUDGED = 5  # one in so many customers is kept to judge by


@dataclass(frozen=True)
class Verdict:
    """What the backtest came to.

    Attributes:
        ranking: to use.
        notes: what was found.
        metrics: by `method.measure`, of customers that nothing was learned from; none where nothing could be judged.
    """

    ranking: Ranking | ByRule
    notes: tuple[str, ...]
    metrics: Mapping[str, float]


def backtest(
    histories: Histories,
    catalogue: Catalogue,
    before: Sales,
    *,
    outcome_days: int,
    recent_days: int,
    ease_max_products: int,
    k: int,
) -> Verdict:
    """Learn from what was known on the day of `before` and what was bought in the `outcome_days` after it.

    Four customers in five are learned from, the fifth is judged by: all methods rank the same candidates. The learned
    ranking is taken if its NDCG is at least that of the rule, and is then made anew with all five.

    Args:
        histories: of the customers to learn from, in an order that says nothing of them.
        catalogue: products.
        before: how they sold up to the day on which the window begins.
        outcome_days: length of the window.
        recent_days: days that `before.recent` is of.
        ease_max_products: as of `learn`.
        k: products that a customer is offered.
    """
    past = histories.between(0, before.day)
    active = np.bincount(past.customer, minlength=past.size) > 0
    active &= np.cumsum(active) <= _CUSTOMERS
    some = past.those(active)
    later = histories.between(before.day + 1, before.day + outcome_days).those(active)
    if not len(later.customer):
        return Verdict(
            ByRule(), (f"ranked by rule: no customer of {outcome_days} days ago has bought anything since",), {}
        )
    knowledge = learn(past, catalogue, before, recent_days=recent_days, ease_max_products=ease_max_products)
    found = Candidates.joined([(first, candidates(block, knowledge)) for first, block in blocks(some, knowledge)])
    wanted = later.owned.customer * len(catalogue) + later.owned.product
    is_bought = np.isin(found.customer * len(catalogue) + found.product, wanted)
    is_judged = found.customer % _JUDGED == 0
    trained = fit(found.picked(~is_judged), knowledge, is_bought[~is_judged])
    if trained is None:
        told = (
            f"ranked by rule: of {len(found):,} candidates {int(is_bought.sum()):,} were bought in the last {outcome_days} days;"
            f" to learn from, four fifths of the customers must have bought {LEAST_BOUGHT}"
        )
        return Verdict(ByRule(), (told,), {})
    held = found.picked(is_judged)
    rankings = {
        "learned": trained.scores(held, knowledge),
        "rule": ByRule().scores(held, knowledge),
        "own_frequency": held.days + 0.5 * _share_of_best(held, knowledge),
        "links": held.link,
        "popularity": _share_of_best(held, knowledge),
    }
    judged = {
        name: evaluate(
            _lists(held, scores),
            _rows(later.owned.customer, later.owned.product),
            _rows(some.owned.customer, some.owned.product),
            k=k,
            active_products=int(knowledge.is_offered.sum()),
        )
        for name, scores in rankings.items()
    }
    return _verdict(judged, fit(found, knowledge, is_bought), k)


def _verdict(judged: Mapping[str, Mapping[str, float]], learned: Ranking | None, k: int) -> Verdict:
    ranking: Ranking | ByRule
    metrics = {f"{name}.{measure}": value for name, found in judged.items() for measure, value in found.items()}
    ndcg, recall = f"all.ndcg_at_{k}", "{}.recall_at_" + str(k)
    if learned is None or judged["learned"][ndcg] < judged["rule"][ndcg]:
        name, ranking, told = "rule", ByRule(), "ranked by rule, as learned probabilities are no better"
    else:
        name, ranking, told = "learned", learned, "ranked by probabilities learned"

    def shown(kind: str) -> str:
        others = (f"{other} {judged[other][recall.format(kind)]:.3f}" for other in judged if other != name)
        return f"{judged[name][recall.format(kind)]:.3f} ({', '.join(others)})"

    notes = (
        f"{told}: recall@{k} of {judged[name]['customers']:,.0f} customers kept aside {shown('all')}",
        f"recall@{k} of products new to the customer {shown('new')}",
    )
    return Verdict(ranking, notes, metrics)


def _share_of_best(found: Candidates, knowledge: Knowledge) -> Floats:
    return np.asarray(knowledge.popularity[found.product] / max(float(knowledge.popularity.max()), 1e-12))


def _rows(customer: Ints, product: Ints) -> pd.DataFrame:
    judged = customer % _JUDGED == 0
    return pd.DataFrame({"customer_id": customer[judged], "product_id": product[judged]})


def _lists(found: Candidates, scores: Floats) -> pd.DataFrame:
    kept = np.flatnonzero(scores > 0)
    order = kept[np.lexsort((found.product[kept], -scores[kept], found.customer[kept]))]
    rows = pd.DataFrame({"customer_id": found.customer[order], "product_id": found.product[order]})
    return rows.assign(rank=rows.groupby("customer_id").cumcount() + 1)
