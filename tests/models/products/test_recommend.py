"""What is offered to whom."""

from datetime import date, timedelta

import pytest

from cdp.models.recommend import baskets, neighbours, products_sold, purchases, recommendations
from cdp.tables.gold import CUSTOMER_ORDER_LINES
from tests.models.conftest import line

AS_OF = date(2026, 1, 31)


def day(n: int) -> date:
    return AS_OF - timedelta(days=n)


@pytest.fixture(scope="module")
def lines(fill):
    """Tea goes with mugs; ann has tea only. Hats sell best. Nobody has bought a sofa for long."""
    return fill(
        CUSTOMER_ORDER_LINES,
        *[line(who, day(20), product) for who in ("bob", "cat", "dan") for product in ("tea", "mug")],
        *[line(who, day(300), product) for who in ("bob", "cat", "dan") for product in ("sofa",)],
        line("ann", day(10), "tea"),
        line("ann", day(3), "tea"),
        line("eve", day(8), "pen"),
        *[line(None, day(n), "hat") for n in range(1, 9)],
        line("fay", day(5), "hat", status="returned"),
        line("ann", AS_OF + timedelta(days=1), "mug"),  # the future
    )


@pytest.fixture(scope="module")
def offered(lines):
    bought = purchases(lines, as_of=AS_OF)
    sold = products_sold(bought, as_of=AS_OF, days=90)
    best = [
        (r["product_id"], r["buyings"])
        for r in sold.orderBy("buyings", "product_id", ascending=[False, True]).collect()
    ]
    have = baskets(bought)
    rows = (
        recommendations(have, neighbours(have, sold), best, as_of=AS_OF, most=3)
        .orderBy("customer_id", "rank")
        .collect()
    )
    return {who: [r for r in rows if r["customer_id"] == who] for who in {r["customer_id"] for r in rows}}


def test_what_was_bought_again_comes_first_then_what_goes_with_it_then_the_best_sellers(offered):
    assert [(r["rank"], r["product_id"], r["reason"]) for r in offered["ann"]] == [
        (1, "tea", "buy_again"),
        (2, "mug", "bought_together"),
        (3, "hat", "best_seller"),
    ]
    scores = [r["score"] for r in offered["ann"]]
    assert scores == sorted(scores, reverse=True)


def test_who_has_nothing_in_common_with_others_is_offered_best_sellers(offered):
    assert [(r["product_id"], r["is_fallback"]) for r in offered["eve"]] == [
        ("hat", True),
        ("tea", True),
        ("mug", True),
    ]


def test_nothing_is_offered_that_nobody_buys_any_more_or_that_the_customer_has(offered):
    everything = {r["product_id"] for rows in offered.values() for r in rows}
    assert "sofa" not in everything
    assert not {r["product_id"] for r in offered["bob"]} & {"tea", "mug"}


def test_only_known_customers_with_a_purchase_are_offered_anything(offered):
    assert set(offered) == {"ann", "bob", "cat", "dan", "eve"}  # fay only returned


def test_no_product_is_offered_twice_to_one_customer(offered):
    for rows in offered.values():
        assert len({r["product_id"] for r in rows}) == len(rows) <= 3
        assert [r["rank"] for r in rows] == list(range(1, len(rows) + 1))


def test_similarity_is_the_cosine_and_a_single_customer_makes_none(lines):
    bought = purchases(lines, as_of=AS_OF)
    found = neighbours(baskets(bought), products_sold(bought, as_of=AS_OF, days=90)).collect()
    by_product = {r["product_id"]: {o["product_id"]: o["similarity"] / 1e9 for o in r["others"]} for r in found}
    assert by_product["mug"] == pytest.approx({"tea": 3 / (3 * 4) ** 0.5}, abs=1e-6)  # sofas are not sold any more
    assert by_product["tea"] == pytest.approx({"mug": 3 / (3 * 4) ** 0.5}, abs=1e-6)
    assert by_product["pen"] == {}


def test_a_basket_holds_the_last_twenty_products(fill):
    many = fill(CUSTOMER_ORDER_LINES, *[line("ann", day(n), f"p{n:02d}") for n in range(30)])
    items = baskets(purchases(many, as_of=AS_OF)).collect()[0]["items"]
    assert [i["product_id"] for i in items] == [f"p{n:02d}" for n in range(20)]
