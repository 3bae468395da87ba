"""The report's sections about people: identity, value and churn, deliveries, consent."""

from cdp.measure.charts import PALETTE, Bar, bars, columns
from cdp.measure.counted import DELIVERY_DAYS, MOST_RECORDS, PROFILE_FIELDS, PROSPECT
from cdp.measure.facts import Facts
from cdp.measure.kpis import ratio
from cdp.measure.ledger import newest
from cdp.measure.page import Chart, Grid, Section
from cdp.measure.words import number, share
from cdp.tables.activation import DELIVERIES
from cdp.tables.gold import EFFECTIVE_CONSENT, PREDICTIONS, PROFILES

_SOURCES = 12
_OUTCOMES = ("sent", "suppressed", "held_out", "rejected")
_STATUSES = ("granted", "denied", "withdrawn", "expired", "conflict")
_TIERS = {
    "top_1": "Top 1 %",
    "top_5": "Top 1–5 %",
    "top_10": "Top 5–10 %",
    "top_25": "Top 10–25 %",
    "top_50": "Top 25–50 %",
    "rest": "Lower half",
}


def identity(facts: Facts) -> Section:
    """Records to customers, sources, completeness."""
    records = [(t.keys[1] or "", t.values[0] or 0.0) for t in facts.tallies["people"] if t.keys[0] == "false"]
    alone = sum(count for joined, count in records if joined == "0")
    joined = sum(count for _, count in records) - alone
    sources = sorted(facts.sums("sources", 0).items(), key=lambda s: (-s[1][0], s[0]))[:_SOURCES]
    filled = [(f, facts.kpi("profile_completeness", f"field={f}")) for f in PROFILE_FIELDS]
    charts = [
        Chart(
            "Customers by number of records joined",
            bars(
                [Bar(_records(n), c, number(c)) for n, c in records],
                title="Bars: customers by number of records joined",
            ),
            is_half=True,
        ),
        Chart(
            "Filled fields of customers’ profiles",
            bars(
                [Bar(f.capitalize(), s or 0.0, share(s)) for f, s in filled],
                title="Bars: share of customers whose profile has the field",
                colour=PALETTE[4],
                most=1.0,
            ),
            is_half=True,
        ),
        Chart(
            "Customers known by source",
            bars(
                [Bar(s, v[0], number(v[0])) for s, v in sources],
                title="Bars: customers known by each source",
                colour=PALETTE[2],
            ),
        ),
    ]
    changes = [[t.keys[0] or "", number(t.values[0])] for t in facts.tallies["changes"]]
    grids = [Grid("What has happened to customer ids so far", ("Change", "Times"), changes)] if changes else []
    return Section(
        "identity",
        "Identity",
        f"{number(facts.kpi('customer_records'))} customer records came down to {number(joined)} customers;"
        f" {number(alone)} more are known by an e-mail address, phone or account alone."
        f" {number(facts.kpi('anonymous_visitors'))} visitors, known by a device or cookie alone, are not counted as customers.",
        charts=charts,
        grids=grids,
        missing=facts.lacks("people", PROFILES, "profile"),
    )


def _records(count: str) -> str:
    if count == "0":
        return "None: known by identifiers alone"
    if count == str(MOST_RECORDS):
        return f"{count} or more"
    return f"{count} record{'' if count == '1' else 's'}"


def value(facts: Facts) -> Section:
    """Expected value and churn of customers over the longest horizon, and what prospects are expected to bring."""
    missing = facts.lacks("predictions", PREDICTIONS, "score")
    if missing:
        return Section("value", "Value and churn", "", missing=missing)
    horizon = max((t.keys[0] or "0" for t in facts.tallies["predictions"]), key=int)
    tiers: dict[str, list[float]] = {}
    tenths = [0.0] * 10
    for (days, tier, tenth), values, *_ in facts.tallies["predictions"]:
        if days == horizon:
            sums = [v or 0.0 for v in values]
            tiers[tier or ""] = [a + b for a, b in zip(tiers.get(tier or "", [0.0] * 4), sums, strict=True)]
            if tier != PROSPECT:
                tenths[int(tenth or 0)] += sums[0]
    prospects = tiers.pop(PROSPECT, None)
    whole = [sum(v) for v in zip(*tiers.values(), strict=True)] or [0.0] * 4
    rows = [_tier_row(facts, label, tiers[name], whole) for name, label in _TIERS.items() if name in tiers]
    header = (
        "Tier by expected value",
        "Customers",
        "Expected value",
        "Share of value",
        "Average value",
        "Average churn",
        "Orders expected",
    )
    labels = [f"{10 * i}–{10 * i + 10}" for i in range(10)]
    chart = Chart(
        "Customers by probability of churn, in percent",
        columns(
            labels, {"customers": tenths}, title="Columns: customers by probability of churn, in tenths", text=_count
        ),
    )
    grids = [Grid("Tiers", header, [*rows, _tier_row(facts, "All", whole, whole)], total=True)]
    if prospects:
        people, ltv, _, orders = prospects
        row = [number(people), facts.money(ltv), facts.money(ratio(ltv, people), 2), number(orders)]
        heads = ("Prospects", "Expected value", "Average value", "Orders expected")
        grids.append(Grid("Without an order so far, not among the above", heads, [row], texts=0))
    return Section(
        "value",
        "Value and churn",
        f"Expected within {int(horizon):,} days of {facts.as_of}: revenue of each scored customer, and the probability of no order.",
        charts=[chart],
        grids=grids,
    )


def _count(value: float) -> str:
    return number(value)


def _tier_row(facts: Facts, label: str, sums: list[float], whole: list[float]) -> list[str]:
    customers, ltv, churn, orders = sums
    return [
        label,
        number(customers),
        facts.money(ltv),
        share(ratio(ltv, whole[1])),
        facts.money(ratio(ltv, customers), 2),
        share(ratio(churn, customers)),
        number(orders),
    ]


def deliveries(facts: Facts) -> Section:
    """What the last run of each destination came to."""
    found: dict[tuple[str, str, str], dict[str, float]] = {}
    for (destination, segment, on, outcome, action), (members,), *_ in newest(
        facts.tallies["deliveries"], subject=2, run=2
    ):
        fates = found.setdefault((destination or "", segment or "", (on or "")[:10]), {})
        # Taking somebody off a destination is sent as well, but reaches nobody.
        fate = (
            "removed"
            if action == "remove" and outcome == "sent"
            else "held"
            if action == "keep" and outcome == "sent"
            else outcome or ""
        )
        fates[fate] = fates.get(fate, 0.0) + (members or 0.0)
    columns_ = ("sent", "removed", "held", *_OUTCOMES[1:])
    rows = [[*place, *[number(fates.get(c, 0.0)) for c in columns_]] for place, fates in sorted(found.items())]
    header = ("Destination", "Segment", "Day", "Sent", "Removed", "Already there", "Suppressed", "Held out", "Rejected")
    return Section(
        "deliveries",
        "Deliveries",
        f"The last delivery of each segment to each destination in {DELIVERY_DAYS} days: what became of every member.",
        grids=[Grid("Last deliveries", header, rows, texts=3)],
        missing=facts.lacks("deliveries", DELIVERIES, "activate"),
    )


def consent(facts: Facts) -> Section:
    """Consent by purpose."""
    customers = facts.kpi("customers")
    found: dict[str, dict[str, float]] = {}
    for (purpose, status), values, *_ in facts.tallies["consent"]:
        found.setdefault(purpose or "", {})[status or ""] = values[0] or 0.0
    rows = []
    for purpose, counts in found.items():
        unstated = max((customers or 0.0) - sum(counts.values()), 0.0)
        rows.append([_words(purpose), *[number(counts.get(s, 0.0)) for s in _STATUSES], number(unstated)])
    allowed = [(p, facts.kpi("consent_share", f"purpose={p}")) for p in found]
    chart = Chart(
        "Customers who allow it",
        bars(
            [Bar(_words(p), s or 0.0, share(s)) for p, s in allowed],
            title="Bars: share of customers who allow each purpose",
            colour=PALETTE[2],
            most=1.0,
        ),
    )
    header = ("Purpose", *[s.capitalize() for s in _STATUSES], "Never stated")
    return Section(
        "consent",
        "Consent",
        f"As of {facts.as_of}. Only what is granted, in time and undisputed allows anything; silence does not.",
        charts=[chart],
        grids=[Grid("Customers by status", header, rows)],
        missing=facts.lacks("consent", EFFECTIVE_CONSENT, "profile"),
    )


def _words(name: str) -> str:
    text = name.replace("_", " ").replace("email", "e-mail").replace("sms", "SMS")
    return text[:1].upper() + text[1:]
