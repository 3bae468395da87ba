"""Each operator and kind of condition beside SQL that somebody would write by hand for it."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from .judged import Rules, by_spark


def of(path: str, kind: str, **operator: Any) -> dict[str, Any]:
    name, _, horizon = path.partition("@")
    more = {"horizon_days": int(horizon)} if horizon else {}
    return {"type": "Value", "attribute": name, **more, "operator": {"type": kind, **operator}}


def did(kind: str, value: Any = None, **more: Any) -> dict[str, Any]:
    operator = {"type": kind, **({} if value is None else {"value": value})}
    return {"type": "Value", "source": "behavior_timeline", "operator": operator, **more}


def group(kind: str, *columns: tuple[str, str, Any]) -> dict[str, Any]:
    return {
        "type": kind,
        "conditions": [{"type": "Column", "column": c, "operator": {"type": t, "value": v}} for c, t, v in columns],
    }


Cases = list[tuple[dict[str, Any], str]]


def attributes(day: date) -> Cases:
    """Conditions on attributes, and SQL on a row a customer, as of a date."""
    eve, first = day - timedelta(days=1), day.replace(day=1)
    return [
        (of("traits.orders", "Equal", value=3), "orders = 3"),
        (of("traits.orders", "NotEqual", value=3), "orders IS DISTINCT FROM 3"),
        (of("traits.orders", "Greater", value=2), "orders > 2"),
        (of("traits.orders", "GreaterEqual", value=2), "orders >= 2"),
        (of("traits.revenue", "Less", value=120.5), "revenue < 120.5"),
        (of("traits.revenue", "LessEqual", value=120.5), "revenue <= 120.5"),
        (of("traits.revenue", "Between", min=0.01, max=120.5), "revenue BETWEEN 0.01 AND 120.5"),
        (of("traits.revenue", "Between", min=100), "revenue >= 100"),
        (of("profile.country", "In", value=["GB", "DE"]), "country IN ('GB', 'DE')"),
        (of("profile.country", "NotIn", value=["GB", "DE"]), "country IS NULL OR country NOT IN ('GB', 'DE')"),
        (of("profile.city", "Contain", value="a"), "city LIKE '%a%'"),
        (of("profile.city", "StartWith", value=["B", "L"]), "city LIKE 'B%' OR city LIKE 'L%'"),
        (of("profile.city", "EndWith", value="n"), "city LIKE '%n'"),
        (of("profile.city", "Regexp", value="^[A-M][a-z]+$"), "regexp_like(city, '^[A-M][a-z]+$')"),
        (of("profile.city", "IsNull"), "city IS NULL"),
        (of("traits.last_order_at", "TimeWithinPast", value=1, unit="month"), "last_order_at >= :now - INTERVAL 1 MONTH AND last_order_at < :now"),
        (of("traits.last_order_at", "TimeWithinPast", value=1, unit="quarter"), "last_order_at >= :now - INTERVAL 3 MONTHS AND last_order_at < :now"),
        (of("traits.last_order_at", "TimeWithinPast", value=36, unit="hour"), "last_order_at >= :now - INTERVAL 36 HOURS AND last_order_at < :now"),
        (of("predictions.next_order_on@90", "TimeWithinNext", value=2, unit="week"), "next_order_on >= :now AND next_order_on < :now + INTERVAL 14 DAYS"),
        (of("traits.last_order_at", "TimeRange", duration={"day": 7}, **{"from": {"last": 1, "unit": "month"}}),
         "last_order_at >= :now - INTERVAL 1 MONTH AND last_order_at < :now - INTERVAL 1 MONTH + INTERVAL 7 DAYS"),
        (of("traits.last_order_at", "TimeRange", duration={"month": 1}, **{"from": first}), f"date_trunc('month', last_order_at) = DATE'{first}'"),
        (of("traits.last_order_at", "TimeToday"), "to_date(last_order_at) = :as_of"),
        (of("traits.last_order_at", "Equal", value=day), f"to_date(last_order_at) = DATE'{day}'"),
        (of("traits.last_order_at", "Greater", value=eve), f"last_order_at >= TIMESTAMP'{day} 00:00:00Z'"),
        (of("traits.last_order_at", "LessEqual", value=f"{day}T02:00:00+02:00"), f"last_order_at <= TIMESTAMP'{day} 00:00:00Z'"),
        (of("profile.birth_date", "Less", value=date(1990, 1, 1)), "year(birth_date) < 1990"),
        (of("traits.last_order_at", "Greater", value={"attribute": "profile.birth_date"}), "last_order_at > birth_date"),
        (of("traits.orders", "GreaterEqual", value={"attribute": "household.size"}), "orders >= size"),
        (of("profile.attributes.tier", "Greater", value=11), "try_cast(attributes['tier'] AS double) > 11 AND attributes['tier'] <> 'NaN'"),
        (of("consent.email_marketing", "Equal", value=True), "coalesce(allowed, false)"),
        (of("consent.email_marketing", "Equal", value=False), "NOT coalesce(allowed, false)"),
        (of("predictions.ltv@90", "GreaterEqual", value=50), "ltv >= 50"),
        (of("predictions.churn_percentile@90", "GreaterEqual", value=0.5), "churn_percentile >= 0.5"),
        (of("household.size", "GreaterEqual", value=2), "size >= 2"),
        (of("profile.emails", "EndWith", value="com"), "size(filter(emails, e -> e LIKE '%com')) > 0"),
        ({**of("profile.emails", "EndWith", value="com"), "arrayMatching": "all"}, "size(emails) > 0 AND size(filter(emails, e -> e NOT LIKE '%com')) = 0"),
        ({**of("profile.sources", "In", value=["crm", "shop"]), "arrayMatching": {"atLeast": 2}}, "size(array_intersect(sources, array('crm', 'shop'))) >= 2"),
        ({**of("profile.sources", "Equal", value="crm"), "arrayMatching": {"exactly": 1}}, "array_contains(sources, 'crm')"),
        ({**of("profile.sources", "Contain", value=["o", "e"]), "arrayMatching": {"atMost": 1}}, "size(filter(sources, s -> s RLIKE '[oe]')) <= 1"),
        (of("profile.emails", "IsNull"), "size(emails) = 0"),
    ]  # fmt: skip


ADDED = {"event": "Product Added"}
LAST_WEEK = "occurred_at >= :now - INTERVAL 7 DAYS AND occurred_at < :now"
BEHAVIORS: Cases = [
    (did("GreaterEqual", 1, **ADDED, timeWindow={"duration": 7, "unit": "day"}), f"count_if(event = 'Product Added' AND {LAST_WEEK}) >= 1"),
    (did("Equal", 0, **ADDED, timeWindow={"duration": 1, "unit": "week"}), f"count_if(event = 'Product Added' AND {LAST_WEEK}) = 0"),
    (did("Greater", 2, event=["Product Added", "Product Viewed"]), "count_if(event IN ('Product Added', 'Product Viewed') AND occurred_at < :now) > 2"),
    (did("GreaterEqual", 2, aggregation={"type": "CountDistinct", "column": "properties.product_id"}), "count(DISTINCT CASE WHEN occurred_at < :now THEN properties['product_id'] END) >= 2"),
    (did("Less", 100, event="Order Completed", aggregation={"type": "Sum", "column": "amount"}), "coalesce(sum(CASE WHEN event = 'Order Completed' AND occurred_at < :now THEN amount END), 0) < 100"),
    (did("GreaterEqual", 50, aggregation={"type": "Average", "column": "amount"}), "avg(CASE WHEN occurred_at < :now THEN amount END) >= 50"),
    (did("Greater", 5, **ADDED, aggregation={"type": "Min", "column": "properties.price"}), "min(CASE WHEN event = 'Product Added' AND occurred_at < :now THEN try_cast(properties['price'] AS double) END) > 5"),
    (did("LessEqual", 20, **ADDED, aggregation={"type": "Max", "column": "properties.price"}), "max(CASE WHEN event = 'Product Added' AND occurred_at < :now THEN try_cast(properties['price'] AS double) END) <= 20"),
    (did("Less", date(2026, 3, 1), aggregation={"type": "Min", "column": "occurred_at"}), "min(CASE WHEN occurred_at < :now THEN occurred_at END) < TIMESTAMP'2026-03-01 00:00:00Z'"),
    (did("IsNull", aggregation={"type": "Max", "column": "occurred_at"}), "max(CASE WHEN occurred_at < :now THEN occurred_at END) IS NULL"),
    (did("GreaterEqual", 1, filter=group("And", ("channel", "Equal", "web"), ("amount", "Greater", 20))), "count_if(channel = 'web' AND amount > 20 AND occurred_at < :now) >= 1"),
    (did("GreaterEqual", 1, filter=group("Or", ("campaign", "StartWith", "s"), ("channel", "Equal", "store"))), "count_if((campaign LIKE 's%' OR channel = 'store') AND occurred_at < :now) >= 1"),
    (did("GreaterEqual", 1, filter=group("Not", ("channel", "Equal", "web"), ("channel", "Equal", "email"))), "count_if(coalesce(channel NOT IN ('web', 'email'), true) AND occurred_at < :now) >= 1"),
]  # fmt: skip
"""Conditions on what somebody did, and SQL on everything that a customer did."""

_BEHIND = "struct(b.occurred_at, b.kind, b.source, b.reference) > struct(a.occurred_at, a.kind, a.source, a.reference)"
_PAIR = f"timeline a JOIN timeline b ON a.customer_id = b.customer_id AND {_BEHIND} AND b.occurred_at < :now"
BOUGHT = {"event": "Order Completed"}
FACTS: Cases = [
    ({"type": "Sequence", "steps": [ADDED, {**BOUGHT, "within": {"duration": 7, "unit": "day"}}]},
     f"SELECT a.customer_id FROM {_PAIR} WHERE a.event = 'Product Added' AND b.event = 'Order Completed' AND b.occurred_at <= a.occurred_at + INTERVAL 7 DAYS"),
    ({"type": "Sequence", "timeWindow": {"duration": 30, "unit": "day"}, "correlateOn": ["properties.product_id"], "steps": [{"event": "Product Viewed"}, ADDED]},
     f"SELECT a.customer_id FROM {_PAIR} AND a.properties['product_id'] = b.properties['product_id'] WHERE a.event = 'Product Viewed' AND b.event = 'Product Added'"
     " AND a.occurred_at >= :now - INTERVAL 30 DAYS AND trim(a.properties['product_id']) <> ''"),
    ({"type": "Sequence", "correlateOn": ["properties.cart_id"], "steps": [ADDED, {**BOUGHT, "not": True, "within": {"duration": 1, "unit": "day"}}]},
     "SELECT a.customer_id FROM timeline a WHERE a.event = 'Product Added' AND trim(a.properties['cart_id']) <> '' AND a.occurred_at + INTERVAL 1 DAY < :now"
     " AND NOT EXISTS (SELECT 1 FROM timeline b WHERE b.customer_id = a.customer_id AND b.event = 'Order Completed'"
     f" AND b.properties['cart_id'] = a.properties['cart_id'] AND {_BEHIND} AND b.occurred_at <= a.occurred_at + INTERVAL 1 DAY)"),
    ({"type": "Sequence", "steps": [{"event": "Product Viewed"}, {**ADDED, "not": True}]},
     "SELECT customer_id FROM timeline WHERE event IN ('Product Viewed', 'Product Added') AND occurred_at < :now GROUP BY customer_id"
     " HAVING max_by(event, struct(occurred_at, kind, source, reference)) = 'Product Viewed'"),
    ({"type": "Sequence", "steps": [{"event": "Product Viewed"}, {**ADDED, "not": True}, BOUGHT]},
     "SELECT customer_id FROM (SELECT customer_id, event, lag(event) OVER (PARTITION BY customer_id ORDER BY occurred_at, kind, source, reference) AS before"
     " FROM (SELECT * FROM timeline WHERE event IN ('Product Viewed', 'Product Added') AND occurred_at < :now UNION ALL"
     " SELECT * FROM timeline WHERE event = 'Order Completed' AND occurred_at < :now)) WHERE event = 'Order Completed' AND before = 'Product Viewed'"),
    ({"type": "Sequence", "correlateOn": ["properties.product_id"], "steps": [{"event": "Product Viewed"}, {"source": "order_lines", "correlateOn": {"properties.product_id": "product_id"}}]},
     "SELECT a.customer_id FROM timeline a JOIN lines b ON a.customer_id = b.customer_id AND a.properties['product_id'] = b.product_id"
     " WHERE a.event = 'Product Viewed' AND b.ordered_at < :now AND a.occurred_at <= b.ordered_at AND trim(b.product_id) <> ''"),
    ({"type": "include", "segment": "s0"}, "SELECT customer_id FROM traits WHERE orders = 3"),
    ({"type": "exclude", "segment": "s0"}, "SELECT p.customer_id FROM profile p LEFT ANTI JOIN (SELECT * FROM traits WHERE orders = 3) t ON p.customer_id = t.customer_id"),
    ({"type": "include", "segment": "s0", "when": "ever"},
     "SELECT customer_id FROM traits WHERE orders = 3 UNION SELECT customer_id FROM history WHERE segment = 's0' AND entered_on < :as_of"),
    ({"type": "exclude", "segment": "s0", "when": "before"},
     "SELECT customer_id FROM profile EXCEPT (SELECT customer_id FROM history WHERE segment = 's0' AND entered_on < :as_of"
     " EXCEPT SELECT customer_id FROM traits WHERE orders = 3)"),
]  # fmt: skip
"""Conditions that take a look of their own, and SQL that gives the customers. Segment s0 is the first of `attributes`."""


def differing(
    tables: Mapping[str, DataFrame], rules: Rules, more: list[str], as_of: date
) -> tuple[list[str], list[int]]:
    """Rules that come out otherwise than their SQL, for some customer; and how many customers each SQL gives.

    Args:
        tables: of gold, as `judged.tables_with` has them.
        rules: `all_rules`, and further ones.
        more: SQL that gives the customers of the further ones.
        as_of: the run's date.
    """
    spark = next(iter(tables.values())).sparkSession
    found = by_spark(tables, rules, as_of)
    wanted = [*_of_rows(spark, tables, as_of), *_of_queries(spark, [*(sql for _, sql in FACTS), *more], as_of)]
    wrong = []
    people = {who for who, _ in found}
    for number, members in enumerate(wanted):
        name = f"s{number}"
        off = {who for who in people if found[who, name] != (who in members)}
        if off:
            wrong.append(f"{len(off)} of {len(people)} differ from the SQL for {rules.documents[name]['rule']}")
    return wrong, [len(members) for members in wanted]


def all_rules(day: date, *more: dict[str, Any]) -> list[dict[str, Any]]:
    """Conditions on attributes, and turned round; on behaviour, and turned round; others, each as the rule of a segment."""
    twice = [turned for condition, _ in (*attributes(day), *BEHAVIORS) for turned in (condition, _turned(condition))]
    return [{"type": "And", "conditions": [c]} for c in (*twice, *(c for c, _ in FACTS), *more)]


def _turned(condition: dict[str, Any]) -> dict[str, Any]:
    return {**condition, "operator": {**condition["operator"], "not": True}}


def _of_rows(spark: SparkSession, tables: Mapping[str, DataFrame], as_of: date) -> list[set[str]]:
    for name, table in tables.items():
        table.createOrReplaceTempView(name)
    rows = """
        SELECT p.*, t.orders, t.revenue, t.last_order_at, r.ltv, r.churn_percentile, r.next_order_on, h.size, c.is_allowed AS allowed
        FROM profile p
        LEFT JOIN traits t ON t.customer_id = p.customer_id
        LEFT JOIN (SELECT * FROM predictions WHERE horizon_days = 90) r ON r.customer_id = p.customer_id
        LEFT JOIN (SELECT customer_id, max_by(size, struct(size, household_id)) AS size
                   FROM (SELECT explode(customer_ids) AS customer_id, size, household_id FROM household) GROUP BY customer_id) h
            ON h.customer_id = p.customer_id
        LEFT JOIN (SELECT * FROM consent WHERE purpose = 'email_marketing') c ON c.customer_id = p.customer_id"""
    of_attributes = _flags(spark, [sql for _, sql in attributes(as_of)], f"FROM ({rows})", as_of)
    done = "FROM (SELECT p.customer_id, t.* EXCEPT (customer_id) FROM profile p LEFT JOIN timeline t ON t.customer_id = p.customer_id) GROUP BY customer_id"
    return [*of_attributes, *_flags(spark, [sql for _, sql in BEHAVIORS], done, as_of)]


def _flags(spark: SparkSession, conditions: list[str], source: str, as_of: date) -> list[set[str]]:
    """Members by each condition and by its opposite, in one query."""
    columns = ", ".join(f"coalesce({sql}, false) AS c{n}" for n, sql in enumerate(conditions))
    rows = spark.sql(f"SELECT customer_id, {columns} {source}", args=_moments(as_of)).collect()
    return [
        {row[0] for row in rows if row[n + 1] is is_met} for n in range(len(conditions)) for is_met in (True, False)
    ]


def _of_queries(spark: SparkSession, queries: list[str], as_of: date) -> list[set[str]]:
    parts = " UNION ALL ".join(f"SELECT DISTINCT {n} AS n, customer_id FROM ({sql})" for n, sql in enumerate(queries))
    rows = spark.sql(parts, args=_moments(as_of)).collect()
    return [{row["customer_id"] for row in rows if row["n"] == n} for n in range(len(queries))]


def _moments(as_of: date) -> dict[str, Any]:
    return {
        "as_of": as_of,
        "now": datetime(as_of.year, as_of.month, as_of.day, tzinfo=timezone.utc) + timedelta(days=1),
    }
