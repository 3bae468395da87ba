"""Key figures from tallies: plain arithmetic on a few hundred numbers. `docs/measure.md` defines each of them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timezone
from typing import NamedTuple

from cdp.measure.counted import PROFILE_FIELDS, PROSPECT
from cdp.measure.tallies import Tallies

ALL = "all"


class Kpi(NamedTuple):
    """A row of `gold.kpis`."""

    kpi: str
    period: str
    period_start: date
    dimension: str
    value: float | None
    unit: str


class Period(NamedTuple):
    """A month, or all data up to the run's date."""

    name: str
    start: date


def key_figures(tallies: Tallies, *, as_of: date, currency: str, model: str) -> list[Kpi]:
    """Every key figure that the data allow, in order of name, period and dimension.

    Args:
        tallies: of `tallies`, by name.
        as_of: the run's date; its month is a partial one.
        currency: unit of amounts.
        model: attribution model behind revenue per cost.
    """
    total = Period("total", first_day(tallies, as_of))
    found = [
        *_purchases(tallies, total, currency),
        *_mails(tallies, total),
        *_campaigns(tallies, total, currency, model),
        *_people(tallies, total),
        *_value(tallies, total, currency),
        *_segments(tallies, total),
    ]
    return sorted(found, key=lambda k: k[:4])


def first_day(tallies: Tallies, as_of: date) -> date:
    """The first day with a purchase; the run's date where there is none."""
    firsts = [t.low for t in tallies["orders"] if t.keys == (None, None) and t.low is not None]
    return datetime.fromtimestamp(firsts[0], tz=timezone.utc).date() if firsts else as_of


def ratio(part: float | None, whole: float | None) -> float | None:
    """part / whole; None where there is no whole."""
    return part / whole if part is not None and whole else None


def _purchases(tallies: Tallies, total: Period, currency: str) -> Iterator[Kpi]:
    for (month, channel), values, *_ in tallies["orders"]:
        orders, sold, returns, given_back, customers, new, repeat = (v or 0.0 for v in values)
        figures: Mapping[str, tuple[float | None, str]] = {
            "revenue": (round(sold + given_back, 2), currency),
            "orders": (orders, "orders"),
            "active_customers": (customers, "customers"),
            "new_customers": (new, "customers"),
            "average_order_value": (ratio(sold, orders), currency),
            "repeat_rate": (ratio(repeat, customers), "share"),
            "return_rate": (ratio(returns, orders), "share"),
        }
        for name, (value, unit) in figures.items():
            yield Kpi(name, *_period(month, total), f"channel={channel}" if channel else ALL, value, unit)


def _mails(tallies: Tallies, total: Period) -> Iterator[Kpi]:
    months = [(t.keys[0], [v or 0.0 for v in t.values]) for t in tallies["mails"]]
    if not months:
        return
    for month, (delivered, opened, clicked) in [
        *months,
        (None, [sum(v) for v in zip(*[m[1] for m in months], strict=True)]),
    ]:
        period = _period(month, total)
        yield Kpi("emails_delivered", *period, ALL, delivered, "mails")
        yield Kpi("email_open_rate", *period, ALL, ratio(opened, delivered), "share")
        yield Kpi("email_click_rate", *period, ALL, ratio(clicked, delivered), "share")


def _campaigns(tallies: Tallies, total: Period, currency: str, model: str) -> Iterator[Kpi]:
    """Cost, attributed revenue and their ratio. What cost nothing has revenue, but no ratio, and is not in that of all."""
    cost: dict[tuple[str | None, str], float] = defaultdict(float)
    revenue: dict[tuple[str | None, str], float] = defaultdict(float)
    paid = {t.keys[2] for t in tallies["costs"] if t.values[0]}
    for (month, channel, campaign), values, *_ in tallies["costs"]:
        for place in _places(month, channel, campaign):
            cost[place] += values[0] or 0.0
    for (name, channel, month, campaign), values, *_ in tallies["credits"]:
        if name == model:
            for place in _places(month, channel, campaign):
                revenue[place] += (values[1] or 0.0) if place[1] != ALL or campaign in paid else 0.0
    for month, dimension in {*cost, *revenue}:
        period, spent, gained = (
            _period(month, total),
            cost.get((month, dimension)),
            revenue.get((month, dimension), 0.0),
        )
        if dimension != ALL or spent is not None:
            yield Kpi("attributed_revenue", *period, dimension, round(gained, 2), currency)
        if spent is not None:
            yield Kpi("campaign_cost", *period, dimension, round(spent, 2), currency)
            yield Kpi("revenue_per_cost", *period, dimension, ratio(round(gained, 2), round(spent, 2)), "ratio")


def _places(month: str | None, channel: str | None, campaign: str | None) -> list[tuple[str | None, str]]:
    dimensions = [ALL, f"channel={channel}", *([f"campaign={campaign}"] if campaign else [])]
    return [(m, d) for m in (month, None) for d in dimensions]


def _people(tallies: Tallies, total: Period) -> Iterator[Kpi]:
    people = [(t.keys, [v or 0.0 for v in t.values]) for t in tallies["people"]]
    if not people:
        return
    known = [values for (is_anonymous, _), values in people if is_anonymous == "false"]
    customers = sum(v[0] for v in known)
    filled = {field: sum(v[2 + i] for v in known) for i, field in enumerate(PROFILE_FIELDS)}
    records = sum(values[1] for _, values in people)
    with_records = sum(values[0] for (_, joined), values in people if joined != "0")
    yield Kpi("customers", *total, ALL, customers, "customers")
    yield Kpi("anonymous_visitors", *total, ALL, sum(v[0] for _, v in people) - customers, "customers")
    yield Kpi("customer_records", *total, ALL, records, "records")
    yield Kpi("records_per_customer", *total, ALL, ratio(records, with_records), "records")
    for field, count in filled.items():
        yield Kpi("profile_completeness", *total, f"field={field}", ratio(count, customers), "share")
    whole = ratio(sum(filled.values()), customers * len(filled))
    yield Kpi("profile_completeness", *total, ALL, whole, "share")
    allowed: dict[str | None, float] = defaultdict(float)
    for (purpose, _), values, *_ in tallies["consent"]:
        allowed[purpose] += values[1] or 0.0
    for purpose, count in allowed.items():
        yield Kpi("consent_share", *total, f"purpose={purpose}", ratio(count, customers), "share")


def _value(tallies: Tallies, total: Period, currency: str) -> Iterator[Kpi]:
    sums: dict[str | None, list[float]] = {}
    for (horizon, tier, *_), values, *_ in tallies["predictions"]:
        if tier == PROSPECT:
            continue  # strangers by the thousand would hide what becomes of customers
        sums[horizon] = [a + (b or 0.0) for a, b in zip(sums.get(horizon, [0.0] * 4), values, strict=True)]
    for horizon, (customers, ltv, churn, _) in sums.items():
        dimension = f"horizon_days={horizon}"
        yield Kpi("ltv_average", *total, dimension, ratio(ltv, customers), currency)
        yield Kpi("churn_average", *total, dimension, ratio(churn, customers), "share")


def _segments(tallies: Tallies, total: Period) -> Iterator[Kpi]:
    for (segment, *_), (size, suppressed, held_out, _), *_ in tallies["segments"]:
        yield Kpi("segment_size", *total, f"segment={segment}", size, "customers")
        yield Kpi("segment_suppressed", *total, f"segment={segment}", suppressed, "customers")
        yield Kpi("segment_held_out", *total, f"segment={segment}", held_out, "customers")


def _period(month: str | None, total: Period) -> Period:
    return Period("month", date.fromisoformat(month)) if month else total
