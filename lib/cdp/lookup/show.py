"""A person on a terminal: who it is, what they bought, what is open, what they allow, what is expected of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from cdp.lookup.read import Row
from cdp.lookup.words import day, money, own_traits, pieces, said, share

_LAST_SEEN = 12
"""Identifiers that are listed: a visitor of many years has hundreds of cookies."""
_HEADS = ("customer_id", "name", "born", "place", "e-mail", "phone", "orders", "last seen", "found by")
_FIRST_LEFT_OUT = ("orders", "last seen", "found by", "phone", "e-mail", "place", "born")
"""Where a terminal is narrow: what tells people apart the least."""
_GAP = 2
_WIDEST = 24
"""Cells that a column asks for; longer texts are folded."""


def show_matches(matches: Sequence[Row], more: bool, console: Console) -> None:
    """Print several people who may be meant, with what tells them apart."""
    people = [{head: said(value) for head, value in zip(_HEADS, _told(match), strict=True)} for match in matches]
    heads = _that_fit(people, console.width)
    _print(console, "", heads, ([person[head] for head in heads] for person in people))
    console.print(f"{len(matches)} people{', and there are more' if more else ''}; choose one: cdp lookup --customer-id ID", markup=False)


def show_person(person: Row, console: Console) -> None:
    """Print what is known of a customer; parts of which nothing is known are left out."""
    profile, traits = person["profile"], person["traits"] or {}
    console.print(Text(f"{said(profile['full_name']) or 'Nameless visitor'}  {person['customer_id']}", style="bold"))
    address = [profile[c] for c in ("street", "street_2", "postal_code", "city", "region", "country")]
    facts = [
        ("born", profile["birth_date"]),
        ("e-mail", profile["emails"]),
        ("phone", profile["phones"]),
        ("address", [part for part in address if part]),
        ("language", profile["language"]),
        ("further", profile["attributes"]),
        ("seen", f"{day(profile['first_seen_at'])} to {day(profile['last_seen_at'])}, in {said(profile['sources'])}"),
        ("bought", f"{money(traits.get('revenue'))} in {said(traits.get('orders'))} orders" if traits.get("orders") else None),
        ("buyer", traits.get("rfm_segment")),
    ]
    for label, value in facts:
        if value:
            console.print(Text(f"  {label:9} {said(value)}"))
    parts = (
        ("open tickets", ("ticket", "opened", "subject", "priority"), _picked(person, "open_tickets", "ticket_id", "opened_at", "subject", "priority")),
        ("last orders", ("order", "when", "status", "channel", "amount", "what"), _orders(person)),
        ("consent", ("purpose", "allowed", "status", "since", "until"), _picked(person, "consent", "purpose", "is_allowed", "status", "captured_at", "expires_at")),
        ("segments", ("segment", "since", "suppressed", "held out"), _picked(person, "segments", "segment", "entered_on", "is_suppressed", "is_held_out")),
        ("journeys", ("journey", "step", "since", "suppressed", "held out"), _picked(person, "journeys", "journey", "step", "since", "is_suppressed", "is_held_out")),
        ("predictions", ("days", "churn", "buys", "value", "tier", "next order"), _predictions(person)),
        ("further traits", ("trait", "value"), own_traits(traits).items()),
        ("recommendations", ("", "product", "why"), ((r["rank"], r["name"] or r["product_id"], r["reason"]) for r in person["recommendations"])),
        ("identifiers", ("type", "value", "last seen", ""), _identifiers(person)),
    )
    for title, heads, rows in parts:
        _print(console, title, heads, rows)
    if len(person["identifiers"]) > _LAST_SEEN:
        at_least = "at least " if "identifiers" in person["more"] else ""
        console.print(f"and {at_least}{len(person['identifiers']) - _LAST_SEEN} identifiers more, which --json lists", markup=False)
    if "open_tickets" in person["more"]:
        console.print(f"and more open tickets than the newest {len(person['open_tickets'])}", markup=False)


def _that_fit(people: Sequence[Mapping[str, str]], width: int) -> list[str]:
    """Heads of the columns for which there is room; the id and the name are always among them."""
    wide = {head: max(cell_len(text) for text in (head, *(person[head] for person in people))) for head in _HEADS}
    taken = {head: length if head == _HEADS[0] else min(length, _WIDEST) for head, length in wide.items()}
    heads = list(_HEADS)
    for head in _FIRST_LEFT_OUT:
        if sum(taken[h] + _GAP for h in heads) - _GAP <= width:
            break
        heads.remove(head)
    return heads


def _told(match: Row) -> tuple[Any, ...]:
    p = match["profile"]
    place = " ".join(part for part in (p["postal_code"], p["city"]) if part)
    who = (match["customer_id"], p["full_name"], p["birth_date"], place, p["email"], p["phone"])
    return (*who, p["orders"], day(p["last_seen_at"]), f"{match['matched_by']} {match['value']}")


def _picked(person: Row, part: str, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row[c] for c in columns) for row in person[part]]


def _identifiers(person: Row) -> Iterable[tuple[Any, ...]]:
    for row in person["identifiers"][:_LAST_SEEN]:
        yield row["id_type"], row["id_value"], row["last_seen_at"], "former" if row["is_current"] is False else ""


def _orders(person: Row) -> Iterable[tuple[Any, ...]]:
    for order in person["orders"]:
        what = ", ".join(pieces(line) for line in order["lines"])
        yield order["order_id"], order["ordered_at"], order["status"], order["channel"], money(order["amount"]), what


def _predictions(person: Row) -> Iterable[tuple[Any, ...]]:
    for row in person["predictions"]:
        odds = share(row["churn_probability"]), share(row["buy_probability"])
        yield row["horizon_days"], *odds, money(row["ltv"]), row["tier"], row["next_order_on"]


def _print(console: Console, title: str, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    columns = (Column(head, overflow="fold", no_wrap=head == _HEADS[0]) for head in heads)
    shown = Table(*columns, title=title, title_justify="left", title_style="bold", header_style="dim", box=None, pad_edge=False)
    for row in rows:
        # As text: what a person typed somewhere is no markup.
        shown.add_row(*(Text(said(value)) for value in row))
    if shown.row_count:
        console.print(shown)
