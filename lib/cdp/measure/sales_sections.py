"""The report's sections about sales: revenue, e-mail, attribution."""

from cdp.measure.charts import colours, columns
from cdp.measure.config import MODELS
from cdp.measure.credit import NO_TOUCH
from cdp.measure.facts import Facts
from cdp.measure.kpis import ratio
from cdp.measure.page import Chart, Grid, Section
from cdp.measure.touches import DIRECT
from cdp.measure.words import month, number, share, times
from cdp.tables.gold import CUSTOMER_ORDERS, TIMELINE

_MONTHS, _MAIL_MONTHS, _CAMPAIGNS = 24, 12, 10


def revenue(facts: Facts) -> Section:
    """Revenue by month and channel."""
    missing = facts.lacks("orders", CUSTOMER_ORDERS, "profile")
    channels = facts.dimensions("revenue", "channel")
    months = facts.months(_MONTHS)
    by_month = {t.keys: (t.values[1] or 0.0) + (t.values[3] or 0.0) for t in facts.tallies["orders"]}
    series = {c: [by_month.get((m, c), 0.0) for m in months] for c in channels}
    span = f"last {len(months)} months" if len(months) > 1 else "this month"
    chart = Chart(
        f"Revenue by month and channel, {span}",
        columns(
            [month(m) for m in months],
            series,
            title=f"Stacked columns: revenue by month and channel, {span}; the figures by channel are in the table below",
            text=facts.money.short,
        ),
        colours(channels),
    )
    places = [(c, f"channel={c}") for c in channels] + [("All", "all")]
    rows = [
        [
            name,
            facts.money(facts.kpi("revenue", d)),
            share(ratio(facts.kpi("revenue", d), facts.kpi("revenue"))),
            number(facts.kpi("orders", d)),
            facts.money(facts.kpi("average_order_value", d), 2),
            number(facts.kpi("active_customers", d)),
            share(facts.kpi("repeat_rate", d)),
            share(facts.kpi("return_rate", d)),
        ]
        for name, d in places
    ]
    header = (
        "Channel",
        "Revenue",
        "Share",
        "Orders",
        "Average order",
        "Customers",
        "Bought again",
        "Returns per order",
    )
    return Section(
        "revenue",
        "Revenue",
        f"Completed orders less what was given back, in the month of each. The last month ends on {facts.as_of}."
        " Customers are people we know; receipts without a customer count as orders only.",
        charts=[chart] if months else [],
        grids=[Grid("Channels, all data", header, rows, total=True)],
        missing=missing,
    )


def mails(facts: Facts) -> Section:
    """E-mails delivered, opened, clicked."""
    months = facts.tallies["mails"][-_MAIL_MONTHS:]
    rows = [
        [
            month(t.keys[0] or ""),
            number(t.values[0]),
            share(ratio(t.values[1], t.values[0])),
            share(ratio(t.values[2], t.values[0])),
        ]
        for t in reversed(months)
    ]
    whole = ["All data", number(facts.kpi("emails_delivered"))]
    whole += [share(facts.kpi(name)) for name in ("email_open_rate", "email_click_rate")]
    return Section(
        "email",
        "E-mail",
        "By the month in which a mail was delivered. An open or click counts once a mail, whenever it came.",
        grids=[Grid("E-mails by month", ("Month", "Delivered", "Opened", "Clicked"), [*rows, whole], total=True)],
        missing=facts.lacks("mails", TIMELINE, "profile"),
    )


def attribution(facts: Facts) -> Section:
    """Revenue by channel under each model, cost and return by channel and campaign."""
    settings = facts.config.attribution
    model = facts.config.return_model
    grids = [Grid("Revenue by channel of the touch, under each model", *_models(facts), total=True)]
    costs = _returns(facts, "channel", facts.dimensions("campaign_cost", "channel"))
    if costs:
        header = ("Channel", "Attributed revenue", "Cost", "Revenue per cost")
        totals = [_return_row(facts, "All with a cost", "all")]
        grids.append(Grid(f"Return of what was spent ({_name(model)})", header, [*costs, *totals], total=True))
    gains = {
        c: facts.kpi("attributed_revenue", f"campaign={c}") or 0.0
        for c in facts.dimensions("attributed_revenue", "campaign")
    }
    best = sorted(gains, key=lambda c: (-gains[c], c))[:_CAMPAIGNS]
    if best:
        header = ("Campaign", "Attributed revenue", "Cost", "Revenue per cost")
        grids.append(Grid(f"Campaigns that brought most ({_name(model)})", header, _returns(facts, "campaign", best)))
    return Section(
        "attribution",
        "Attribution",
        "Each completed order, before returns, is credited to the contacts of the customer in the"
        f" {settings.lookback_days} days before it; orders without one are credited to “none”. This shares revenue out;"
        " it does not prove that a channel caused it. For that, compare with the people held out of a segment.",
        grids=grids,
        missing=None if facts.tallies["credits"] else "Nothing to show: there are no completed orders yet.",
    )


def _models(facts: Facts) -> tuple[list[str], list[list[str]]]:
    found: dict[str, dict[str, float]] = {}
    for (name, channel, *_), values, *_ in facts.tallies["credits"]:
        by_model = found.setdefault(channel or "", {})
        by_model[name or ""] = by_model.get(name or "", 0.0) + (values[1] or 0.0)
    # What nobody paid for stands below what can be steered.
    last = (DIRECT, NO_TOUCH)
    order = sorted(
        found, key=lambda c: (c in last and last.index(c) + 1, -found[c].get(facts.config.return_model, 0.0), c)
    )
    rows = [[c, *[facts.money(found[c].get(m, 0.0)) for m in MODELS]] for c in order]
    whole = ["All", *[facts.money(sum(found[c].get(m, 0.0) for c in found)) for m in MODELS]]
    return ["Channel", *[_name(m).capitalize() for m in MODELS]], [*rows, whole]


def _returns(facts: Facts, split: str, names: list[str]) -> list[list[str]]:
    return [_return_row(facts, name, f"{split}={name}") for name in names]


def _return_row(facts: Facts, name: str, dimension: str) -> list[str]:
    cost, gain = facts.kpi("campaign_cost", dimension), facts.kpi("attributed_revenue", dimension)
    return [name, facts.money(gain or 0.0), facts.money(cost), times(facts.kpi("revenue_per_cost", dimension))]


def _name(model: str) -> str:
    return model.replace("last_non_direct", "last non-direct touch").replace("_", " ")
