"""The shipped segments of the sample retailer, against queries that were written by hand."""

import math
from datetime import date

import pytest

from cdp.base.lake import Lake
from cdp.base.settings import ConfigFolder
from cdp.conditions.clock import Clock
from cdp.segments.chains import sequences
from cdp.segments.load import load_segments
from cdp.segments.parts import TimeWindow
from cdp.segments.sequence import SequenceCondition
from cdp.tables import gold
from tests.end_to_end.conftest import AS_OF, Retailer

DAY = "DATE'2026-01-31'"
END = "TIMESTAMP'2026-02-01'"
SHOWN = (
    gold.PROFILES, gold.TRAITS, gold.TIMELINE, gold.CUSTOMER_ORDERS, gold.CUSTOMER_ORDER_LINES, gold.PREDICTIONS,
    gold.RECOMMENDATIONS, gold.EFFECTIVE_CONSENT, gold.SEGMENT_MEMBERS,
)  # fmt: skip
BY_HAND = {
    "open_complaint": """
        SELECT created.customer_id FROM timeline AS created LEFT JOIN timeline AS solved
            ON solved.customer_id = created.customer_id AND solved.event = 'Ticket Solved'
            AND solved.properties['ticket_id'] = created.properties['ticket_id']
        WHERE created.event = 'Ticket Created' AND solved.reference IS NULL""",
    "abandoned_cart": f"""
        SELECT filled.customer_id FROM timeline AS filled LEFT JOIN timeline AS bought
            ON bought.customer_id = filled.customer_id AND bought.event IN ('Order Completed', 'Order Cancelled')
            AND bought.properties['cart_id'] = filled.properties['cart_id'] AND bought.occurred_at >= filled.occurred_at
        WHERE filled.event IN ('Product Added', 'Checkout Started') AND filled.properties['cart_id'] LIKE 'cart-%'
            AND filled.occurred_at >= {END} - INTERVAL 7 DAYS AND bought.reference IS NULL""",
    "best_customers": "SELECT customer_id FROM traits WHERE monetary_score = 5",
    "birthday_month": "SELECT customer_id FROM profiles WHERE month(birth_date) = 1",
    "browsers_without_purchase": f"""
        SELECT customer_id FROM (
            SELECT customer_id, min_by(category, struct(-views, category)) AS category, sum(lately) AS lately FROM (
                SELECT customer_id, properties['category'] AS category, count(*) AS views,
                    count_if(occurred_at >= {END} - INTERVAL 30 DAYS) AS lately
                FROM timeline WHERE event = 'Product Viewed' AND occurred_at >= {END} - INTERVAL 90 DAYS GROUP BY ALL
                HAVING count(*) >= 2
            ) GROUP BY customer_id
        ) LEFT ANTI JOIN (SELECT * FROM order_lines WHERE status = 'completed') AS bought USING (customer_id, category)
        WHERE lately >= 1""",
    "high_value_at_risk": """
        SELECT customer_id FROM predictions JOIN traits USING (customer_id)
        WHERE horizon_days = 90 AND churn_percentile >= 0.5 AND orders_365d >= 1
            AND (tier IN ('top_1', 'top_5', 'top_10', 'top_25') OR monetary_score = 5)""",
    "lapsed_loyal_store_customers": f"""
        SELECT customer_id FROM (
            SELECT customer_id, min_by(channel, struct(-orders, channel)) AS usual FROM (
                SELECT customer_id, channel, count(*) AS orders FROM orders
                WHERE status = 'completed' AND channel IS NOT NULL GROUP BY ALL
            ) GROUP BY customer_id
        ) JOIN bought USING (customer_id) WHERE usual = 'store' AND order_days >= 3 AND last_on < {DAY} - 90""",
    "new_without_second_order": f"""
        SELECT customer_id FROM bought WHERE order_days = 1 AND datediff({DAY}, last_on) BETWEEN 14 AND 90""",
    "next_best_product": f"""
        SELECT customer_id FROM recommendations JOIN traits USING (customer_id)
        WHERE rank = 1 AND NOT is_fallback AND last_active_at >= {END} - INTERVAL 180 DAYS""",
    "win_back": f"""
        SELECT customer_id FROM bought JOIN traits USING (customer_id)
        WHERE last_at < {END} - INTERVAL 180 DAYS AND last_active_at >= {END} - INTERVAL 90 DAYS""",
}
NOT_IN = {"win_back": ("high_value_at_risk", "lapsed_loyal_store_customers")}


@pytest.fixture(scope="module")
def found(retailer: Retailer) -> dict[str, set[str]]:
    """Members by segment, as the stage finds them."""
    rows = retailer.lake.read(gold.SEGMENT_MEMBERS).select("segment", "customer_id").collect()
    return {name: {r[1] for r in rows if r[0] == name} for name in load_segments(ConfigFolder(retailer.config))}


@pytest.fixture(scope="module")
def wanted(retailer: Retailer) -> dict[str, set[str]]:
    """Members by segment, by hand: one query in all."""
    _show(retailer.lake)
    each = [f"SELECT DISTINCT '{name}' AS segment, customer_id FROM ({query})" for name, query in BY_HAND.items()]
    rows = retailer.lake.spark.sql(
        f"SELECT segment, customer_id FROM ({' UNION ALL '.join(each)}) JOIN profiles USING (customer_id) WHERE NOT is_anonymous"
    ).collect()
    by_name = {name: {r["customer_id"] for r in rows if r["segment"] == name} for name in BY_HAND}
    angry = by_name["open_complaint"]
    kept = {name: who if name in ("open_complaint", "best_customers") else who - angry for name, who in by_name.items()}
    return {name: who.difference(*[kept[other] for other in NOT_IN.get(name, ())]) for name, who in kept.items()}


def _show(lake: Lake) -> None:
    for table in SHOWN:
        lake.read(table).createOrReplaceTempView(table.name.partition(".")[2])
    lake.spark.sql("""
        SELECT customer_id, count(DISTINCT ordered_on) AS order_days, max(ordered_on) AS last_on, max(ordered_at) AS last_at
        FROM orders WHERE status = 'completed' AND customer_id IS NOT NULL GROUP BY customer_id
    """).createOrReplaceTempView("bought")


def test_every_shipped_segment_has_the_members_of_a_query_by_hand(
    found: dict[str, set[str]], wanted: dict[str, set[str]]
) -> None:
    assert found.keys() - wanted.keys() == {"like_best_customers"}
    assert {name: found[name] ^ wanted[name] for name in wanted if found[name] != wanted[name]} == {}
    assert [name for name, members in wanted.items() if not members and name != "abandoned_cart"] == []


def test_lookalikes_are_a_tenth_of_the_other_buyers(
    retailer: Retailer, found: dict[str, set[str]], wanted: dict[str, set[str]]
) -> None:
    rows = retailer.lake.spark.sql("""
        SELECT customer_id FROM bought
            LEFT ANTI JOIN (SELECT * FROM effective_consent WHERE purpose = 'profiling' AND NOT is_allowed) USING (customer_id)
    """).collect()
    candidates = {row[0] for row in rows} - wanted["best_customers"] - wanted["open_complaint"]

    assert found["like_best_customers"] <= candidates
    assert len(found["like_best_customers"]) == math.ceil(len(candidates) / 10)


def test_carts_that_were_left_and_their_products_are_those_of_a_query_by_hand(
    retailer: Retailer, wanted: dict[str, set[str]]
) -> None:
    """Of a week so small a shop has few, so the shipped rule is asked for two years."""
    segment = load_segments(ConfigFolder(retailer.config))["abandoned_cart"]
    ((_, shipped),) = [found for found in segment.conditions() if isinstance(found[1], SequenceCondition)]
    rule = shipped.model_copy(update={"timeWindow": TimeWindow(duration=2, unit="year")})
    tables = {"behavior_timeline": retailer.lake.read(gold.TIMELINE)}
    rows = sequences(tables, {"holds": rule}, Clock(date.fromisoformat(AS_OF))).collect()

    by_hand = retailer.lake.spark.sql(f"""
        SELECT customer_id, max_by(struct(cart, products), struct(newest, cart)) AS last FROM (
            SELECT customer_id, cart, max(occurred_at) AS newest, array_sort(collect_list(
                struct(occurred_at, reference, properties['product_id'] AS product))) AS products
            FROM (SELECT *, properties['cart_id'] AS cart FROM timeline) WHERE cart LIKE 'cart-%'
                AND event IN ('Product Added', 'Checkout Started') AND occurred_at >= {END} - INTERVAL 2 YEARS
            GROUP BY customer_id, cart
        ) LEFT ANTI JOIN (
            SELECT customer_id, properties['cart_id'] AS cart FROM timeline
            WHERE event IN ('Order Completed', 'Order Cancelled')
        ) USING (customer_id, cart) GROUP BY customer_id
    """).collect()

    expected = {}
    for customer, (cart, products) in by_hand:
        in_order = dict.fromkeys(product for _, _, product in products if product)
        expected[customer] = {"properties.cart_id": [cart], "properties.product_id": list(in_order) or None}
    assert {row["customer_id"]: row[rule.kept] for row in rows} == expected
    assert len(expected) > 50 and wanted["abandoned_cart"] <= expected.keys()
