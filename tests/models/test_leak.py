"""No feature knows what comes after its day: rows after the cut-off, thrown at random, change none of them."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import chain

import numpy as np
import pytest

from cdp.models.activity import daily_activity
from cdp.models.features import BEHAVIOUR, FEATURES, features
from cdp.tables.gold import CUSTOMER_ORDER_LINES, CUSTOMER_ORDERS, TIMELINE
from tests.models.conftest import event, line, order

CUTOFF = date(2025, 1, 31)
YEAR_AND_MORE = 380
"""Days after it, from where the same days of the year before are days after it, too."""
EVENTS = (
    "Email Delivered", "Email Opened", "Email Link Clicked", "Product Viewed", "Product Added", "Ticket Created",
    "Page Viewed",
)  # fmt: skip


Tables = tuple[list[dict], list[dict], list[dict]]
"""Rows of orders, lines and events."""


def rows(seed: int, first: date, days: int, many: int, channels: list[str], people: str = "c") -> Tables:
    """Those of few people, so that each has much of everything, some of it on the edge's very days."""
    rng = np.random.default_rng(seed)
    orders, lines, events = [], [], []
    for number in range(many):
        who = f"{people}{rng.integers(0, 12):02d}"
        on = first + timedelta(days=int(rng.integers(0, days)) if number % 4 else 0)
        status = str(rng.choice(["completed", "completed", "returned", "cancelled"]))
        sign = -1 if status == "returned" else 1
        amount = f"{sign * rng.integers(1, 9_000) / 100:.2f}"
        coupon, channel = rng.choice(["SPRING", ""]), str(rng.choice(channels))
        discount = Decimal(int(rng.integers(0, 3)))
        at = datetime.combine(on, time(int(rng.integers(0, 24)), int(rng.integers(0, 60))))
        orders.append(order(who, on, amount, status=status, channel=channel, coupon=coupon or None, discount=discount))
        orders[-1] |= {"order_id": f"{seed}-{number}", "ordered_at": at}
        for place in range(int(rng.integers(0, 3))):
            more = {
                "category": f"k{rng.integers(0, 9)}",
                "quantity": Decimal(int(rng.integers(1, 4))),
                "line_no": place,
            }
            lines.append(line(who, on, f"p{place}", **more, status=status, order_id=f"{seed}-{number}", ordered_at=at))
        for _ in range(3):
            name = str(rng.choice(EVENTS))
            events.append(event(who, at, name, channel=str(rng.choice(["email", "web", "app", "service"]))))
    return orders, lines, events


@pytest.mark.parametrize("seed", [11, 12])
def test_rows_after_the_cutoff_change_no_feature(fill, seed):
    """All is compared as it is: numbers to the last bit, and what is unknown."""
    tables = (CUSTOMER_ORDERS, CUSTOMER_ORDER_LINES, TIMELINE)
    past = rows(seed, CUTOFF - timedelta(days=600), 601, 160, ["web", "store", "app"])
    future = rows(seed + 50, CUTOFF + timedelta(days=1), YEAR_AND_MORE, 200, ["web", "store", "telephone"])
    # Prospects do all the same, but order only after the cut-off.
    *_, events = rows(seed + 100, CUTOFF - timedelta(days=600), 601, 160, ["web"], "p")
    first_orders = rows(seed + 150, CUTOFF + timedelta(days=1), YEAR_AND_MORE, 200, ["web"], "p")
    later = CUTOFF + timedelta(days=YEAR_AND_MORE)

    def found(*parts: Tables) -> dict[date, list[tuple]]:
        frames = [fill(table, *chain(*some)) for table, some in zip(tables, zip(*parts, strict=True), strict=True)]
        days = daily_activity(*frames, as_of=later)
        made = features(days, [CUTOFF, later], everybody=True).select("cutoff", "customer_id", *FEATURES).collect()
        return {cutoff: sorted(tuple(row) for row in made if row["cutoff"] == cutoff) for cutoff in (CUTOFF, later)}

    before = found(past, ([], [], events))
    after = found(past, ([], [], events), future, first_orders)
    assert after[CUTOFF] == before[CUTOFF] and len(before[CUTOFF]) == 24

    # Every feature could have shown it: a later day sees those rows.
    pairs = list(zip(before[later], after[later], strict=True))

    def seen(people: str) -> set[str]:
        theirs = [(old, new) for old, new in pairs if old[1].startswith(people)]
        return {name for i, name in enumerate(FEATURES, 2) if any(old[i] != new[i] for old, new in theirs)}

    assert set(FEATURES) - seen("c") == {"age_days", "days_known"}, "the first day stays the first"
    assert set(BEHAVIOUR) - seen("p") == {"days_known"}
