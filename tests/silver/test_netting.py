"""What orders came to in the end: returns are taken off the orders they belong to, once."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame

from cdp.silver.netting import netted
from cdp.tables.silver import ORDERS

Fill = Callable[..., DataFrame]
Nets = dict[str, tuple[Decimal, Decimal]]


def order(order_id: str, amount: str | None, status: str = "completed", refers_to: str | None = None, **more: Any) -> dict[str, Any]:
    money = {name: Decimal(value) for name, value in more.items() if name == "stated_refund"}
    return {
        "source": "shop",
        "order_id": order_id,
        "amount": None if amount is None else Decimal(amount),
        "status": status,
        "refers_to": refers_to,
        **more,
        **money,
    }


def nets(orders: DataFrame) -> Nets:
    """Refunded and net amount by order."""
    return {row["order_id"]: (row["refunded"], row["net_amount"]) for row in netted(orders).collect()}


def of(refunded: str, net: str) -> tuple[Decimal, Decimal]:
    return Decimal(refunded), Decimal(net)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param(
            [order("o", "100"), order("r1", "-30", "returned", "o"), order("r2", "20", "returned", "o")],
            {"o": of("50", "50"), "r1": of("0", "0"), "r2": of("0", "0")},
            id="several partial returns, whatever their sign",
        ),
        pytest.param(
            [order("o", "100"), order("r1", "-80", "returned", "o"), order("r2", "-80", "returned", "o")],
            {"o": of("160", "0"), "r1": of("0", "0"), "r2": of("0", "0")},
            id="more given back than was paid",
        ),
        pytest.param(
            [order("o", "100", stated_refund="25"), order("r", "-30", "returned", "o"), order("p", "10", stated_refund="4")],
            {"o": of("30", "70"), "r": of("0", "0"), "p": of("4", "6")},
            id="the source states a refund: the larger of both",
        ),
        pytest.param(
            [order("o", "100", "cancelled"), order("r", "-100", "returned", "o")],
            {"o": of("100", "0"), "r": of("0", "0")},
            id="a cancelled order of which money was given back",
        ),
        pytest.param(
            [order("r", "-30", "returned", "lost"), order("q", "30", "returned"), order("s", "-5", "returned", "s")],
            {"r": of("0", "-30"), "q": of("0", "-30"), "s": of("0", "-5")},
            id="returns of orders that are not there, of none and of themselves",
        ),
        pytest.param(
            [order("o", "100"), {**order("r", "-30", "returned", "o"), "source": "till"}],
            {"o": of("0", "100"), "r": of("0", "-30")},
            id="another source's order of that number",
        ),
        pytest.param(
            [order("o", "100"), order("r1", "-30", "returned", "o"), order("r2", "-10", "returned", "r1")],
            {"o": of("30", "70"), "r1": of("0", "0"), "r2": of("0", "-10")},
            id="a return of a return stands alone",
        ),
        pytest.param(
            [order("o", "100", "returned"), order("r", "-100", "returned", "o"), order("x", "9", "returned")],
            {"o": of("0", "0"), "r": of("0", "0"), "x": of("0", "-9")},
            id="a shop calls the order returned and sends the return beside it",
        ),
        pytest.param(
            [order("o", None), order("r", None, "returned", "o"), order("c", "-5")],
            {"o": of("0", "0"), "r": of("0", "0"), "c": of("0", "0")},
            id="amounts that are missing or below 0",
        ),
        pytest.param(
            [order("o", "117.00", currency="GBP"), order("r", "-50.00", "returned", "o", currency="EUR")],
            {"o": of("50", "67"), "r": of("0", "0")},
            id="a return in another currency counts by its amount in the reporting one",
        ),
    ],
)
def test_what_orders_came_to(fill: Fill, rows: list[dict[str, Any]], expected: Nets):
    assert nets(fill(ORDERS, *rows)) == expected


def test_netting_again_some_of_the_orders_gives_what_these_came_to(fill: Fill):
    rows = fill(ORDERS, order("o", "100"), order("r", "-30", "returned", "o"))

    assert nets(netted(rows).where("order_id = 'o'")) == {"o": of("0", "100")}


def slow_nets(rows: list[dict[str, Any]]) -> Nets:
    by_id = {row["order_id"]: row for row in rows}
    found = {}
    for row in rows:
        amount, sale = row["amount"] or Decimal(0), by_id.get(row["refers_to"])
        returns = [r for r in rows if r["status"] == "returned" and r["refers_to"] == row["order_id"] and r is not row]
        back = max(sum((abs(r["amount"] or Decimal(0)) for r in returns), Decimal(0)), row.get("stated_refund") or Decimal(0))
        if row["status"] == "cancelled":
            found[row["order_id"]] = (back, Decimal(0))
        elif row["status"] == "completed":
            found[row["order_id"]] = (back, max(amount - back, Decimal(0)))
        elif row["refers_to"] in (None, row["order_id"]):
            found[row["order_id"]] = (Decimal(0), Decimal(0) if returns and amount > 0 else -abs(amount))
        else:
            is_there = sale is not None and (
                sale["status"] != "returned" or (sale["refers_to"] in (None, sale["order_id"]) and (sale["amount"] or 0) > 0)
            )
            found[row["order_id"]] = (Decimal(0), Decimal(0) if is_there else -abs(amount))
    return found


IDS = [str(i) for i in range(12)]
AMOUNTS = st.sampled_from([None, "0", "5", "20", "-5", "-20"])
ROWS = st.lists(
    st.tuples(
        AMOUNTS, st.sampled_from(["completed", "returned", "returned", "cancelled"]), st.none() | st.sampled_from(IDS), AMOUNTS
    ),
    min_size=12,
    max_size=12,
)


@settings(
    max_examples=3,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate),
)
@given(drawn=st.lists(ROWS, min_size=20, max_size=40))
def test_netting_agrees_with_the_slow_obvious_way(fill: Fill, drawn: Any):
    """Each drawn list is the orders of a source of its own, so that one job answers for all."""
    expected, rows = {}, []
    for number, shop in enumerate(drawn):
        orders = [
            order(i, amount, status, refers_to, stated_refund=abs(Decimal(stated or 0)))
            for i, (amount, status, refers_to, stated) in zip(IDS, shop, strict=True)
        ]
        expected |= {(f"s{number}", i): net for i, net in slow_nets(orders).items()}
        rows += [{**o, "source": f"s{number}"} for o in orders]

    found = netted(fill(ORDERS, *rows)).collect()

    assert {(r["source"], r["order_id"]): (r["refunded"], r["net_amount"]) for r in found} == expected
