"""What is chosen of the candidates, and why."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cdp.models.products.offers import REASONS, best_sellers, chosen, personal_offers
from cdp.models.products.ranking import ByRule
from tests.models.products.conftest import bought, catalogue, known
from tests.models.products.test_sources import shop

CATEGORY = [0, 0, 0, 1, 1, -1, -1]


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 6), st.integers(0, 5)), max_size=21, unique_by=lambda row: row[:2]
    ),
    st.integers(1, 5),
    st.one_of(st.none(), st.integers(1, 3)),
)
def test_the_list_is_gone_down_and_left_out_is_what_there_is_enough_of(rows, most, per_category):
    rows = sorted(rows)
    knowledge = known(bought((0, 0, 1)), catalogue(7, category=CATEGORY))
    customer, product, score = (
        np.array(c, dtype=np.int64) for c in (zip(*rows, strict=True) if rows else ([], [], []))
    )
    found = chosen(customer, product, score.astype(float), knowledge, most=most, max_per_category=per_category)

    expected = []
    for who in range(3):
        taken: list[int] = []
        for _, item in sorted((-s, p) for c, p, s in rows if c == who and s > 0):
            same = [p for p in taken if CATEGORY[p] == CATEGORY[item] >= 0]
            if len(taken) < most and (per_category is None or len(same) < per_category):
                taken.append(item)
        expected += [(who, item) for item in taken]
    assert list(zip(customer[found].tolist(), product[found].tolist(), strict=True)) == expected


def offers_of(customer: int):
    histories, products = shop()
    settings = {"most": 5, "max_per_category": None, "exclude_days": 0}
    ((_, found),) = personal_offers(histories, known(histories, products), ByRule(), **settings)
    rows = np.flatnonzero(found.customer == customer)
    return [(int(found.rank[r]), int(found.product[r]), REASONS[found.reason[r]], int(found.because[r])) for r in rows]


def test_each_offer_says_why_and_because_of_what():
    assert offers_of(18) == [
        (1, 0, "buy_again", -1),
        (2, 1, "bought_together", 0),
        (3, 2, "similar", 0),
        (4, 3, "popular_with_you", -1),
        (5, 4, "best_seller", -1),
    ]


def test_what_is_due_is_to_be_replenished_and_the_usual_gap_is_told():
    monthly = [(c, 0, 28 * n + 26) for c in range(12) for n in range(5)]
    histories = bought(*monthly)
    ((_, found),) = personal_offers(
        histories, known(histories, catalogue(1)), ByRule(), most=5, max_per_category=None, exclude_days=0
    )
    assert {REASONS[r] for r in found.reason} == {"replenish"}
    assert set(found.gap.tolist()) == {28}


def test_best_sellers_are_ordered_by_what_was_sold_and_keep_to_the_categories():
    rows = [(c, p, 1) for p, buyers in enumerate((5, 4, 3, 2, 1, 1)) for c in range(buyers)]
    knowledge = known(bought(*rows), catalogue(6, category=[0, 0, 0, 1, -1, -1]))
    assert best_sellers(knowledge, most=5, max_per_category=None)[0].tolist() == [0, 1, 2, 3, 4]
    product, shares = best_sellers(knowledge, most=5, max_per_category=1)
    assert product.tolist() == [0, 3, 4, 5]
    assert shares[0] == np.round(5 / 16, 6)
