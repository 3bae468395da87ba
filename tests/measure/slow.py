"""Attribution the slow, obvious way: one customer, one order, one touch at a time."""

from datetime import datetime, timedelta
from typing import NamedTuple

from cdp.measure.config import AttributionConfig


class Event(NamedTuple):
    customer_id: str
    occurred_at: datetime
    source: str
    reference: str
    event: str
    channel: str | None
    campaign: str | None


class Order(NamedTuple):
    source: str
    order_id: str
    customer_id: str | None
    ordered_at: datetime
    amount: float


def slow_touches(events: list[Event], settings: AttributionConfig) -> list[Event]:
    """The events that begin a visit: none of the same channel and campaign came shortly before."""
    counted = [
        e
        for e in events
        if (e.event in settings.events if settings.events else e.campaign is not None)
        and e.event not in settings.ignored_events
    ]
    begun = []
    for one in counted:
        order = (one.occurred_at, one.source, one.reference)
        pause = timedelta(minutes=settings.visit_gap_minutes)
        goes_on = any(
            (o.customer_id, o.channel, o.campaign) == (one.customer_id, one.channel, one.campaign)
            and (o.occurred_at, o.source, o.reference) < order
            and one.occurred_at - o.occurred_at <= pause
            for o in counted
        )
        if not goes_on:
            begun.append(one)
    return begun


def slow_credit(
    orders: list[Order], touches: list[Event], settings: AttributionConfig
) -> dict[tuple[str, str, int], float]:
    """(model, order_id, touch_no) to credit, without those of nothing."""
    found = {}
    for order in orders:
        journey = sorted(
            (t.occurred_at, t.source, t.reference, t.campaign is None and t.channel in settings.direct_channels)
            for t in touches
            if t.customer_id == order.customer_id
            and timedelta(0) <= order.ordered_at - t.occurred_at <= timedelta(days=settings.lookback_days)
        )
        for model, credits in _credits(journey, order, settings).items():
            for number, credit in credits.items():
                if credit > 0:
                    found[model, order.order_id, number] = credit
    return found


def _credits(
    journey: list[tuple[datetime, str, str, bool]], order: Order, settings: AttributionConfig
) -> dict[str, dict[int, float]]:
    n = len(journey)
    if n == 0:
        names = ("first_touch", "last_touch", "last_non_direct", "linear", "position_based", "time_decay")
        return {name: {0: 1.0} for name in names}
    paid = [i for i, (*_, is_direct) in enumerate(journey, 1) if not is_direct]
    ages = [(order.ordered_at - at).total_seconds() / 86400 for at, *_ in journey]
    weights = [0.5 ** (age / settings.half_life_days) for age in ages]
    first, last = settings.position_based.first, settings.position_based.last
    if n == 1:
        position = {1: 1.0}
    elif n == 2:
        position = {1: first / (first + last), 2: last / (first + last)}
    else:
        position = dict.fromkeys(range(2, n), (1 - first - last) / (n - 2)) | {1: first, n: last}
    return {
        "first_touch": {1: 1.0},
        "last_touch": {n: 1.0},
        "last_non_direct": {(paid[-1] if paid else n): 1.0},
        "linear": dict.fromkeys(range(1, n + 1), 1 / n),
        "position_based": position,
        "time_decay": {i: w / sum(weights) for i, w in enumerate(weights, 1)},
    }
