"""No feature knows what comes after its day: rows after the cut-off, thrown at random, change none of them."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import numpy as np
import pytest

from cdp.models.activity import daily_activity
from cdp.models.features import FEATURES, features
from cdp.tables.gold import CUSTOMER_ORDER_LINES, CUSTOMER_ORDERS, TIMELINE
from tests.models.conftest import event, line, order

CUTOFFS = [date(2025, 10, 31), date(2026, 1, 31)]
DAYS = 600
EVENTS = (
    "Email Delivered", "Email Opened", "Email Link Clicked", "Product Viewed", "Product Added", "Ticket Created",
    "Page Viewed",
)  # fmt: skip


def rows(seed: int, first: date, days: int, many: int) -> tuple[list[dict], list[dict], list[dict]]:
    """Orders, lines and events of few customers, so that each has much of everything, some of it on the edge's very days."""
    rng = np.random.default_rng(seed)
    orders, lines, events = [], [], []
    for number in range(many):
        who = f"c{rng.integers(0, 12):02d}"
        on = first + timedelta(days=int(rng.integers(0, days)) if number % 4 else 0)
        status = str(rng.choice(["completed", "completed", "returned", "cancelled"]))
        sign = -1 if status == "returned" else 1
        amount = f"{sign * rng.integers(1, 9_000) / 100:.2f}"
        coupon, channel = rng.choice(["SPRING", ""]), str(rng.choice(["web", "store", "app"]))
        discount = Decimal(int(rng.integers(0, 3)))
        at = datetime.combine(on, time(int(rng.integers(0, 24)), int(rng.integers(0, 60))))
        orders.append(order(who, on, amount, status=status, channel=channel, coupon=coupon or None, discount=discount))
        orders[-1] |= {"order_id": f"{seed}-{number}", "ordered_at": at}
        for place in range(int(rng.integers(0, 3))):
            more = {"category": f"k{rng.integers(0, 9)}", "quantity": Decimal(int(rng.integers(1, 4))), "line_no": place}
            lines.append(line(who, on, f"p{place}", **more, status=status, order_id=f"{seed}-{number}", ordered_at=at))
        for _ in range(3):
            name = str(rng.choice(EVENTS))
            events.append(event(who, at, name, channel=str(rng.choice(["email", "web", "app", "service"]))))
    return orders, lines, events


@pytest.fixture(scope="module")
def past():
    return rows(1, CUTOFFS[0] - timedelta(days=DAYS), DAYS + 1, 160)


@pytest.mark.parametrize("seed", [11, 12])
def test_rows_after_the_cutoff_change_no_feature(fill, past, seed):
    """All is compared as it is: numbers to the last bit, and what is unknown."""
    tables = (CUSTOMER_ORDERS, CUSTOMER_ORDER_LINES, TIMELINE)
    future = rows(seed, CUTOFFS[0] + timedelta(days=1), 200, 120)
    as_of = CUTOFFS[0] + timedelta(days=300)

    def found(parts) -> tuple[list[tuple], list[tuple]]:
        frames = [fill(table, *part) for table, part in zip(tables, parts, strict=True)]
        made = features(daily_activity(*frames, as_of=as_of), CUTOFFS).select("customer_id", "cutoff", *FEATURES)
        rows = sorted(tuple(row) for row in made.collect())
        return [row for row in rows if row[1] == CUTOFFS[0]], [row for row in rows if row[1] == CUTOFFS[1]]

    before, later = found(past)
    same, changed = found([old + new for old, new in zip(past, future, strict=True)])
    assert same == before and len(before) == 12

    # Every feature could have shown it: a later day sees those rows.
    told = [name for i, name in enumerate(FEATURES, 2) if any(a[i] != b[i] for a, b in zip(later, changed, strict=True))]
    assert set(FEATURES) - set(told) <= {"first_day_value", "age_days", "days_known"}, "the first day stays the first"
