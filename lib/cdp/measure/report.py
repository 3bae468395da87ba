"""The report: headline numbers, then a section a subject. Aggregates only; nothing in it names a person."""

from cdp.measure.data_sections import data
from cdp.measure.facts import Facts
from cdp.measure.model_sections import models
from cdp.measure.page import Card, Page, render
from cdp.measure.people_sections import consent, deliveries, identity, value
from cdp.measure.sales_sections import attribution, mails, revenue
from cdp.measure.segment_sections import segments
from cdp.measure.words import day, number, share

_SECTIONS = (revenue, identity, value, models, segments, deliveries, mails, attribution, consent, data)


def report(facts: Facts) -> str:
    """The whole report as HTML."""
    return render(Page(facts.config.title, _lead(facts), _cards(facts), [s(facts) for s in _SECTIONS], _footer(facts)))


def _lead(facts: Facts) -> str:
    whole = facts.line("orders", None, None)
    until = f"As of {facts.as_of.day} {facts.as_of:%B %Y}"
    if whole is None:
        return f"{until}. There are no orders yet."
    return f"{until}. Orders from {day(whole.low)} to {day(whole.high)}; amounts in {facts.currency}."


def _cards(facts: Facts) -> list[Card]:
    anonymous, new = facts.kpi("anonymous_visitors"), facts.kpi("new_customers")
    return [
        Card("Customers", number(facts.kpi("customers")), f"and {number(anonymous)} anonymous visitors"),
        Card("Revenue", facts.money(facts.kpi("revenue")), "all data, returns taken off"),
        Card("Orders", number(facts.kpi("orders")), f"by {number(new)} customers, and unknown buyers"),
        Card(
            "Records per customer",
            number(facts.kpi("records_per_customer"), 2),
            f"from {number(facts.kpi('customer_records'))} records",
        ),
        Card("Average order", facts.money(facts.kpi("average_order_value"), 2), "completed orders"),
        Card("Bought again", share(facts.kpi("repeat_rate")), "of customers, on another day"),
        Card("Returns per order", share(facts.kpi("return_rate")), "number of returns"),
        Card("Profile completeness", share(facts.kpi("profile_completeness")), "fields filled"),
    ]


def _footer(facts: Facts) -> list[str]:
    seen = facts.tallies["people"]
    first, last = [t.low for t in seen if t.low is not None], [t.high for t in seen if t.high is not None]
    window = (
        f"Data window: first trace of a person {day(min(first))}, last {day(max(last))}. " if first and last else ""
    )
    return [
        f"{window}Nothing after {facts.as_of} is used. Months and days are UTC. Written by run {facts.run_id}.",
        "The figures are in the tables gold.kpis and gold.attribution of the lake.",
    ]
