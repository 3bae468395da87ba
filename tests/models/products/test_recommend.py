"""What is offered to whom: gold tables in, `gold.recommendations` out."""

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest
from chispa import assert_df_equality

from cdp.models.products.config import RecommendationsConfig
from cdp.models.products.recommend import recommend
from cdp.tables.gold import CUSTOMER_ORDER_LINES, EFFECTIVE_CONSENT, PROFILES, RECOMMENDATIONS
from cdp.tables.silver import PRODUCTS
from tests.models.conftest import line

AS_OF = date(2026, 1, 31)


def day(n: int) -> date:
    return AS_OF - timedelta(days=n)


@pytest.fixture(scope="module")
def tables(fill):
    """Tea goes with mugs; ann has tea only. Hats sell best. Nobody has bought a sofa for long. Jon and kim bought nothing."""
    lines = fill(
        CUSTOMER_ORDER_LINES,
        *[line(who, day(20), product) for who in ("bob", "cat", "dan") for product in ("tea", "mug")],
        *[line(who, day(300), "sofa") for who in ("bob", "cat", "dan")],
        line("ann", day(10), "tea"),
        line("ann", day(3), "tea"),
        line("eve", day(8), "pen"),
        line("gus", day(20), "tea"),
        *[line(None, day(n), "hat") for n in range(1, 9)],
        line("fay", day(5), "hat", status="returned"),
        line("ann", AS_OF + timedelta(days=1), "mug"),  # the future
    )
    catalogue = fill(
        PRODUCTS,
        {"product_id": "tea", "category": "food", "price": Decimal(4), "in_stock": True},
        {"product_id": "mug", "category": "home", "price": Decimal(9), "in_stock": True},
        {"product_id": "hat", "category": "wear", "price": Decimal(30), "in_stock": True},
        {"product_id": "pen", "category": "home", "price": Decimal(1), "in_stock": False},
    )
    return lines, catalogue


@pytest.fixture(scope="module")
def people(spark):
    """Profiles and consent: what gus allowed of profiling has expired, dan refused it and has allowed it again."""
    profiles = spark.createDataFrame(
        [(who, "DE") for who in ("ann", "bob", "cat", "dan", "eve", "gus", "jon", "kim")],
        "customer_id string, country string",
    )
    consent = spark.createDataFrame(
        [
            ("gus", "profiling", "expired", False),
            ("dan", "profiling", "granted", True),
            ("ann", "email_marketing", "granted", True),
            ("jon", "email_marketing", "granted", True),
            ("bob", "email_marketing", "denied", False),
            ("zoe", "email_marketing", "granted", True),  # nobody who is known
        ],
        "customer_id string, purpose string, status string, is_allowed boolean",
    )
    return profiles, consent


def offers(tables, people, **rules):
    found = recommend(*tables, *people, config=RecommendationsConfig.model_validate(rules), as_of=AS_OF)
    rows = found.rows.orderBy("customer_id", "rank").collect()
    found.release()
    return {who: [r for r in rows if r["customer_id"] == who] for who in {r["customer_id"] for r in rows}}, found.notes


@pytest.fixture(scope="module")
def offered(tables, people):
    return offers(tables, people, max=3, in_stock_only=False)[0]


def told(rows):
    return [
        (r["rank"], r["product_id"], r["reason"], r["because_of"], r["reason_detail"], r["is_fallback"]) for r in rows
    ]


def test_what_is_bought_again_comes_first_then_what_goes_with_it_then_best_sellers(offered):
    assert told(offered["ann"]) == [
        (1, "tea", "buy_again", None, None, False),
        (2, "mug", "bought_together", "tea", None, False),
        (3, "hat", "best_seller", None, None, True),
    ]


def test_who_has_no_history_gets_best_sellers_and_so_does_who_refuses_profiling(offered):
    best = [("hat", True), ("tea", True), ("mug", True)]
    for who, why in (("jon", "no_history"), ("kim", "no_history"), ("gus", "no_profiling")):
        assert [(r["product_id"], r["is_fallback"]) for r in offered[who]] == best
        assert {(r["reason"], r["reason_detail"]) for r in offered[who]} == {("best_seller", why)}
    assert {r["reason_detail"] for r in offered["dan"]}.isdisjoint({"no_history", "no_profiling"})


def test_nothing_is_offered_that_nobody_buys_any_more_and_only_to_people_who_are_known(offered):
    assert "sofa" not in {r["product_id"] for rows in offered.values() for r in rows}
    assert set(offered) == {"ann", "bob", "cat", "dan", "eve", "gus", "jon", "kim"}  # fay only returned, zoe is nobody


def test_lists_have_no_product_twice_and_scores_go_down(offered):
    for rows in offered.values():
        assert len({r["product_id"] for r in rows}) == len(rows) <= 3
        assert [r["rank"] for r in rows] == list(range(1, len(rows) + 1))
        scores = [r["score"] for r in rows]
        assert scores == sorted(scores, reverse=True) and 0 <= scores[-1] <= scores[0] <= 1


def test_rules_leave_out_what_they_say(tables, people):
    rules = {"max_price": 10, "exclude_bought_within_days": 5, "require_consent": "email_marketing"}
    found, notes = offers(tables, people, **rules)
    assert set(found) == {"ann", "jon"}, "only those who allow the purpose"
    assert [r["product_id"] for r in found["jon"]] == ["tea", "mug"], "hats are dear, pens not in stock"
    assert [r["product_id"] for r in found["ann"]] == ["mug"], "she bought tea three days ago"
    assert any("ranked by rule" in note for note in notes)


def test_with_nothing_to_offer_there_are_no_rows_and_a_reason(spark, tables, people):
    for lines in (tables[0].limit(0), tables[0].where("product_id = 'sofa'")):
        found, notes = offers((lines, tables[1]), people)
        assert found == {}
        assert (
            "nothing to recommend: no product that may be offered was bought in the 90 days up to 2026-01-31" in notes
        )
    assert offers(tables, people, enabled=False) == ({}, ())


def test_rows_are_those_of_the_table_and_do_not_depend_on_how_the_input_lies(spark, fill):
    """A shop of 300 customers, large enough to learn from."""
    rng = np.random.default_rng(11)
    lines = []
    for customer in range(300):
        liked = rng.choice(12, 2, replace=False)
        for ago in range(int(rng.integers(1, 20)), 240, 20):
            lines.append(
                line(f"c{customer}", day(ago), f"p{rng.choice(liked) if rng.random() < 0.8 else rng.integers(12)}")
            )
    rows = fill(CUSTOMER_ORDER_LINES, *lines)
    rest = (
        spark.createDataFrame([], PRODUCTS.schema),
        spark.createDataFrame([], PROFILES.schema),
        spark.createDataFrame([], EFFECTIVE_CONSENT.schema),
    )
    config = RecommendationsConfig(max=2, in_stock_only=False)
    these, those = (
        recommend(table, *rest, config=config, as_of=AS_OF)
        for table in (rows.coalesce(1), rows.repartition(5, "line_no"))
    )
    assert {r["model_version"] for r in these.rows.select("model_version").distinct().collect()} == {
        "next_product/1 ease learned"
    }
    assert these.metrics == those.metrics and these.metrics["learned.all.recall_at_2"] > 0.5
    assert these.rows.schema == RECOMMENDATIONS.schema
    assert_df_equality(these.rows, those.rows, ignore_row_order=True)
    assert these.rows.count() == 2 * 300
    for found in (these, those):
        found.release()
