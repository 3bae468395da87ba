"""Tallies and the key figures made of them."""

from datetime import date, datetime
from decimal import Decimal

from pyspark.sql import SparkSession

from cdp.measure import counted
from cdp.measure.kpis import Kpi, key_figures
from cdp.measure.tallies import Tallies, Tally, collect
from cdp.tables.gold import CUSTOMER_ORDERS, PROFILES, TIMELINE
from tests.measure.frames import frame

AS_OF = date(2026, 1, 31)
NAMES = "orders mails people sources consent predictions health costs credits changes segments segment_moves segment_overlap journey_steps deliveries accounts quality stage_runs"


def tallies(**found: list[Tally]) -> Tallies:
    """These, and no lines of the others."""
    return {name: found.get(name, []) for name in NAMES.split()}


def figures(found: Tallies) -> dict[tuple[str, str, str], float | None]:
    kpis = key_figures(found, as_of=AS_OF, currency="EUR", model="linear")
    return {(k.kpi, k.period_start.isoformat() if k.period == "month" else "total", k.dimension): k.value for k in kpis}


def test_purchases_of_a_month_and_of_all_data(spark: SparkSession) -> None:
    orders = [
        ("o1", "ann", date(2025, 12, 1), "completed", "web", 100),
        ("o2", "ann", date(2025, 12, 1), "completed", "store", 50),  # the same day: has not come back
        ("o3", "bob", date(2025, 12, 31), "completed", "web", 10),
        ("o4", "ann", date(2026, 1, 5), "completed", "web", 30),  # came back
        ("r1", "ann", date(2026, 1, 6), "returned", "web", -100),
        ("o5", None, date(2026, 1, 7), "completed", "store", 7),  # nobody known: an order, no customer
        ("c1", "cid", date(2026, 1, 8), "cancelled", "web", 0),  # nothing came of it
        ("o6", "dan", date(2026, 2, 1), "completed", "web", 999),  # after the date
    ]
    rows = [
        {
            "source": "shop",
            "order_id": order,
            "customer_id": who,
            "ordered_at": datetime(day.year, day.month, day.day, 12, int(order[1])),
            "ordered_on": day,
            "status": status,
            "channel": channel,
            "amount": Decimal(amount),
        }
        for order, who, day, status, channel, amount in orders
    ]

    found = figures(tallies(**collect({"orders": counted.orders(frame(spark, CUSTOMER_ORDERS, rows), as_of=AS_OF)})))

    december, january = ({k: v for k, v in found.items() if k[1] == m} for m in ("2025-12-01", "2026-01-01"))
    assert december["revenue", "2025-12-01", "all"] == 160
    assert december["active_customers", "2025-12-01", "all"] == 2
    assert december["new_customers", "2025-12-01", "channel=store"] == 0  # ann's first order was on the web
    assert december["repeat_rate", "2025-12-01", "all"] == 0
    assert january["revenue", "2026-01-01", "all"] == -63
    assert january["orders", "2026-01-01", "all"] == 2
    assert january["active_customers", "2026-01-01", "all"] == 1
    assert january["new_customers", "2026-01-01", "all"] == 0
    assert january["repeat_rate", "2026-01-01", "channel=web"] == 1
    assert january["return_rate", "2026-01-01", "all"] == 0.5
    assert found["revenue", "total", "all"] == 97
    assert found["average_order_value", "total", "all"] == 197 / 5
    assert found["active_customers", "total", "all"] == 2
    assert found["repeat_rate", "total", "all"] == 0.5
    assert not [k for k in found if k[1] > "2026-01-31" and k[1] != "total"]


def test_opens_and_clicks_count_once_a_mail_in_the_month_of_its_delivery(spark: SparkSession) -> None:
    happened = [
        ("ann", "Email Delivered", datetime(2025, 12, 31), "m1"),
        ("ann", "Email Opened", datetime(2026, 1, 2), "m1"),
        ("ann", "Email Opened", datetime(2026, 1, 3), "m1"),
        ("ann", "Email Link Clicked", datetime(2026, 2, 3), "m1"),  # after the date
        ("bob", "Email Delivered", datetime(2025, 12, 31), "m2"),
        ("bob", "Email Opened", datetime(2026, 1, 9), "m9"),  # never delivered
    ]
    rows = [
        {
            "customer_id": who,
            "event": event,
            "occurred_at": at,
            "kind": "event",
            "reference": str(i),
            "properties": {"email_id": mail},
        }
        for i, (who, event, at, mail) in enumerate(happened)
    ]

    found = collect({"mails": counted.mails(frame(spark, TIMELINE, rows), as_of=AS_OF)})["mails"]

    assert [t[:2] for t in found] == [(("2025-12-01",), (2.0, 1.0, 0.0))]


def test_completeness_and_records_are_of_people_not_of_anonymous_visitors(spark: SparkSession) -> None:
    seen = {"first_seen_at": datetime(2026, 1, 1), "last_seen_at": datetime(2026, 1, 2), "emails": [], "phones": []}
    rows = [
        {**seen, "customer_id": "a", "records": 3, "email": "a@example.com", "full_name": "A", "provenance": {}},
        {**seen, "customer_id": "b", "records": 1, "provenance": {}},
        {**seen, "customer_id": "c", "records": 0, "provenance": {}},  # known by an account alone
        {**seen, "customer_id": "d", "records": 0, "is_anonymous": True, "provenance": {}},
    ]
    people = counted.people(frame(spark, PROFILES, [{"sources": ["crm"], **r} for r in rows]))

    found = figures(tallies(**collect({"people": people})))

    assert found["customers", "total", "all"] == 3
    assert found["anonymous_visitors", "total", "all"] == 1
    assert found["records_per_customer", "total", "all"] == 2  # 4 records of 2 people
    assert found["profile_completeness", "total", "field=e-mail"] == 1 / 3
    assert found["profile_completeness", "total", "all"] == 2 / 3 / 7


def test_revenue_per_cost_leaves_out_what_was_not_paid_for() -> None:
    found = figures(
        tallies(
            costs=[Tally(("2026-01-01", "display", "ads"), (50.0,))],
            credits=[
                Tally(("linear", "display", "2026-01-01", "ads"), (1.0, 100.0)),
                Tally(("linear", "social", "2026-01-01", "friends"), (1.0, 900.0)),
                Tally(("linear", "none", "2026-01-01", None), (1.0, 900.0)),
                Tally(("first_touch", "display", None, None), (9.0, 999.0)),  # another model
            ],
        )
    )

    assert found["revenue_per_cost", "total", "all"] == 2
    assert found["revenue_per_cost", "2026-01-01", "channel=display"] == 2
    assert found["revenue_per_cost", "total", "campaign=ads"] == 2
    assert found["attributed_revenue", "total", "channel=social"] == 900
    assert ("revenue_per_cost", "total", "channel=social") not in found


def test_states_are_key_figures_of_all_data_alone() -> None:
    found = key_figures(
        tallies(
            people=[Tally(("false", "1"), (4.0, 4.0, *[0.0] * 7))],
            consent=[Tally(("ads", "granted"), (2.0, 2.0)), Tally(("ads", "expired"), (1.0, 0.0))],
            predictions=[
                Tally(("90", "top_1", "0"), (1.0, 30.0, 0.1, 2.0)),
                Tally(("90", "rest", "9"), (2.0, 0.0, 1.9, 0.0)),
                Tally(("90", "prospect", None), (500.0, 800.0, None, 9.0)),  # nobody's customers yet
            ],
            segments=[Tally(("vip", "live", None), (5.0, 2.0, 1.0, None))],
        ),
        as_of=AS_OF,
        currency="GBP",
        model="linear",
    )

    assert Kpi("consent_share", "total", AS_OF, "purpose=ads", 0.5, "share") in found
    assert Kpi("ltv_average", "total", AS_OF, "horizon_days=90", 10.0, "GBP") in found
    assert Kpi("churn_average", "total", AS_OF, "horizon_days=90", 2 / 3, "share") in found
    assert Kpi("segment_suppressed", "total", AS_OF, "segment=vip", 2.0, "customers") in found
    assert {k.period for k in found} == {"total"}
