"""However much there is of a person, what is read of it is bounded, and says that there is more."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cdp.lookup.person import MOST_IDENTIFIERS, MOST_TICKETS, PAGE, person, timeline
from cdp.lookup.read import Tables
from cdp.lookup.show import show_person
from cdp.tables.gold import (
    CUSTOMER_IDENTIFIERS,
    CUSTOMER_ORDER_LINES,
    CUSTOMER_ORDERS,
    LOOKUP_KEYS,
    PREDICTIONS,
    PROFILES,
    TIMELINE,
)
from tests.lookup.conftest import ANNA, AT, BUSY, QUIET, served, write
from tests.lookup.test_site import Site


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Anna has a ticket, an identifier and an order a minute."""
    lake = tmp_path_factory.mktemp("crowded")
    minutes = [AT + timedelta(minutes=n) for n in range(MOST_IDENTIFIERS + 1)]
    her: dict[str, Any] = {"customer_id": ANNA, "source": "desk"}
    write(lake, PROFILES, {**her, "sources": ["desk"]})
    write(lake, CUSTOMER_IDENTIFIERS, *({**her, "id_type": "anonymous_id", "id_value": str(n), "last_seen_at": at} for n, at in enumerate(minutes)))
    write(lake, CUSTOMER_ORDERS, *({**her, "order_id": str(n), "ordered_at": at} for n, at in enumerate(minutes)))
    write(lake, CUSTOMER_ORDER_LINES, *({**her, "order_id": str(n), "line_no": 1, "product_id": f"P{n}", "quantity": 1} for n in range(len(minutes))))
    ticket = {**her, "kind": "event", "event": "Ticket Created"}
    opened = [{**ticket, "reference": str(n), "occurred_at": at, "properties": {"ticket_id": f"T{n}"}} for n, at in enumerate(minutes)]
    solved = {**ticket, "event": "Ticket Solved", "reference": "s", "occurred_at": minutes[-1], "properties": {"ticket_id": "T99"}}
    write(lake, TIMELINE, *opened, solved)
    write(lake, LOOKUP_KEYS, {**her, "bucket": "b0000", "key": "id:1"})
    return lake


def test_lists_are_cut_at_the_newest_and_say_so(crowded: Path):
    known = person(Tables(crowded, PROFILES), ANNA)

    assert known is not None and known["more"] == ["identifiers", "open_tickets"]
    assert [row["id_value"] for row in known["identifiers"]] == [str(n) for n in range(100, 0, -1)]
    tickets = [row["ticket_id"] for row in known["open_tickets"]]
    assert len(tickets) == MOST_TICKETS and tickets[:2] == ["T100", "T98"]
    assert [line["product_id"] for order in known["orders"] for line in order["lines"]] == ["P100", "P99", "P98", "P97", "P96"]
    with served(crowded) as address:
        text = Site(address).ask(f"/customers/{ANNA}")[2]
    assert "The newest 20; there are more." in text and "More than 100 known" in text


def test_little_is_not_cut(tables: Tables):
    known = person(tables, ANNA)
    assert known is not None and known["more"] == [] and [t["ticket_id"] for t in known["open_tickets"]] == ["T1"]


def test_a_page_of_the_timeline_is_all_that_is_read_of_it(tables: Tables, monkeypatch: pytest.MonkeyPatch):
    read: list[int] = []
    rows = tables.rows

    def counted(*given: Any, **how: Any) -> list[dict[str, Any]]:
        found = rows(*given, **how)
        read.append(len(found))
        return found

    monkeypatch.setattr(tables, "rows", counted)
    names = [[entry["properties"]["name"] for entry in timeline(tables, BUSY, page)[0]] for page in (1, 2, 40)]

    assert read == [PAGE] * 3
    assert [(n[0], n[-1]) for n in names] == [("Thing 1999", "Thing 1950"), ("Thing 1949", "Thing 1900"), ("Thing 49", "Thing 0")]
    assert timeline(tables, BUSY, 41)[1:] == (40, 40) and len(timeline(tables, BUSY, 41)[0]) == PAGE
    assert timeline(tables, QUIET, 3) == ([], 1, 1)


def test_of_a_prospect_the_first_order_is_told_in_place_of_churn(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    her: dict[str, Any] = {"customer_id": ANNA, "source": "desk"}
    write(tmp_path, PROFILES, {**her, "sources": ["desk"]})
    write(tmp_path, LOOKUP_KEYS, {**her, "bucket": "b0000", "key": "id:1"})
    write(tmp_path, PREDICTIONS, {**her, "horizon_days": 90, "buy_probability": 0.17, "ltv": 8.5, "tier": "prospect"})
    known = person(Tables(tmp_path, PROFILES), ANNA)
    assert known is not None
    show_person(known, Console(width=120))
    shown = capsys.readouterr().out
    assert re.search(r"90 +17% +8\.50 +prospect", shown)

    with served(tmp_path) as address:
        text = Site(address).ask(f"/customers/{ANNA}")[2]
    assert "<li>Prospect</li>" in text and "<dt>First order, 90 days</dt><dd>17%</dd>" in text and "Churn" not in text
