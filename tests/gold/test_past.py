"""A run as of a day in the past: what it makes is what was made then, and what was known then is kept."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from cdp.base.contracts import Table
from cdp.base.stage import Run, StageResult
from cdp.gold.run import STAGE
from cdp.tables import gold
from cdp.tables.gold import TRAITS, TRAITS_HISTORY
from cdp.tables.identity import ASSIGNMENTS
from cdp.tables.silver import CONSENTS, CUSTOMER_RECORDS, EVENTS, IDENTIFIERS_TABLE, ORDERS
from tests.conftest import Fill
from tests.gold.conftest import record

THEN, NOW = date(2026, 1, 31), date(2026, 2, 10)
MADE = (
    *(gold.PROFILES, gold.CUSTOMER_IDENTIFIERS, gold.CUSTOMER_ORDERS, gold.TIMELINE, gold.TRAITS, gold.EFFECTIVE_CONSENT),
    *(gold.HOUSEHOLDS, gold.LOOKUP_KEYS),
)
OWN = """
traits:
  - {name: views_7d, type: event_counter, event: Page Viewed, window: {days: 7}}
  - {name: last_page, type: last, event: Page Viewed, property: properties.url}
  - {name: acts, type: sql, value_type: integer, query: "SELECT customer_id, count(*) AS value FROM timeline GROUP BY customer_id"}
"""
Rows = list[dict[str, Any]]


def known(days: list[date]) -> list[tuple[Table, Rows]]:
    """Silver, where Ann and Bob did the same on each of the days: at its first and its last second."""
    events: Rows = []
    orders: Rows = []
    consents: Rows = []
    for day in days:
        for second in (datetime(day.year, day.month, day.day), datetime(day.year, day.month, day.day, 23, 59, 59)):
            for key in ("crm:ann", "crm:bob"):
                name = f"{key} {second}"
                page = {"url": f"/{second:%d}"}
                events.append(record(key, event_id=name, event="Page Viewed", occurred_at=second, channel="web", properties=page))
                bought = {"ordered_at": second, "status": "completed", "amount": Decimal(7), "channel": "web"}
                orders.append(record(key, order_id=name, **bought))
                status = "granted" if second.day % 2 else "withdrawn"
                consents.append(record(key, consent_id=name, purpose="ads", status=status, captured_at=second))
    people: Rows = []
    identifiers: Rows = []
    for key in ("crm:ann", "crm:bob"):
        name, email = key.removeprefix("crm:"), f"{key}@x.uk"
        home = {"family_name": "Lee", "street": "High Street 5", "postal_code": "AB1 2CD"}
        people.append(record(key, given_name=name, full_name_key=name, emails=[email], **home, updated_at=datetime(2026, 1, 5)))
        seen = {"record_type": "customer_record", "id_type": "email", "id_value": email, "seen_count": 1}
        identifiers.append(record(key, **seen, first_seen_at=datetime(2026, 1, 5), last_seen_at=datetime(2026, 1, 5)))
    return [
        (ASSIGNMENTS, [record(k, customer_id=k, is_current=True) for k in ("crm:ann", "crm:bob")]),
        *((CUSTOMER_RECORDS, people), (IDENTIFIERS_TABLE, identifiers)),
        *((EVENTS, events), (ORDERS, orders), (CONSENTS, consents)),
    ]


@pytest.fixture
def run_as_of(run: Run, fill: Fill) -> Callable[..., StageResult]:
    """`run_as_of(date, days)`: the stage as of a date, on what is known of some days."""
    (run.config.path / "traits.yaml").write_text(OWN, encoding="utf-8")

    def stage(as_of: date, days: list[date], **options: Any) -> StageResult:
        run.lake.together([partial(run.lake.replace, table, fill(table, *rows)) for table, rows in known(days)])
        return STAGE.run(replace(run, as_of=as_of, **options))

    return stage


def _content(run: Run, table: Table) -> list[str]:
    rows = run.lake.table(table.name).collect()
    return sorted(str(sorted(row.asDict(recursive=True).items())) for row in rows)


def test_a_past_date_gives_what_it_gave_then_and_keeps_what_was_known_of_it(
    run: Run, run_as_of: Callable[..., StageResult]
) -> None:
    before = [THEN - timedelta(days=n) for n in (0, 1, 6, 7, 90)]
    run_as_of(THEN, before)
    then = {table.name: _content(run, table) for table in MADE}
    assert all(then.values())
    assert run.lake.table(TRAITS.name).where("views_7d = 6 AND acts = 30 AND last_page = '/31'").count() == 2

    later = [*before, *(THEN + timedelta(days=n) for n in range(1, 12))]
    run_as_of(NOW, later)
    assert {table.name: _content(run, table) for table in MADE} != then
    noted = run_as_of(THEN, later).notes

    assert {table.name: _content(run, table) for table in MADE} == then
    assert any("keeps what was known on 2026-01-31" in note for note in noted)

    late = [*later, THEN - timedelta(days=2)]
    run_as_of(THEN, late)
    assert run.lake.table(TRAITS.name).where("views_7d = 8").count() == 2
    history = run.lake.table(TRAITS_HISTORY.name)
    assert history.where(f"as_of = DATE'{THEN}' AND views_7d = 6").count() == 2
    assert history.where(f"as_of = DATE'{NOW}'").count() == 2

    run_as_of(THEN, late, full_refresh=True)
    history = run.lake.table(TRAITS_HISTORY.name)
    assert history.where(f"as_of = DATE'{THEN}' AND views_7d = 8").count() == 2
