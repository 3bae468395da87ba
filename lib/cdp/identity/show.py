"""An explanation on a terminal: the records side by side, the evidence, the chain of links."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from cdp.identity.explain import Explanation, Link, Record, steps

_WIDTH = 30
_PERSONAL_LESS = ("customer_id", "gender", "country")


def show(found: Explanation, console: Console, *, show_pii: bool) -> None:
    """Print what is known of the records.

    Args:
        found: the explanation.
        console: where to.
        show_pii: whether values stand as they are; else enough of each to see whether two agree.
    """
    console.print(_side_by_side(found, show_pii))
    for link in found.links:
        if link.evidence:
            console.print(_waterfall(link))
    verdict = "one customer" if found.is_one else "two customers"
    console.print(f"[bold]These records are {verdict}.[/bold]")
    told = [link for link in found.links if not link.evidence]
    if told:
        console.print(_list_of(told, "links between them", show_pii))
    if found.chain:
        console.print(_list_of(found.chain, "what makes them one", show_pii))
    elif not found.links:
        console.print(f"No link between them: no identifier in common, and {_unmet(found.met)}.")


def _unmet(rules: Sequence[str] | None) -> str:
    if rules is None:
        return "they never met in comparison, or were too unlike to be kept"
    if not rules:
        return "they were never compared: no blocking rule has them together"
    return f"when compared (they met by {'; '.join(rules)}) they were too unlike to be kept"


def _side_by_side(found: Explanation, show_pii: bool) -> Table:
    names = list(dict.fromkeys(name for fields in found.records.values() for name in fields))
    shown = Table("", *[_name(record, show_pii) for record in found.records], header_style="bold")
    for name in names:
        values = [_text(name, fields.get(name), show_pii) for fields in found.records.values()]
        shown.add_row(name, *values)
    return shown


def _waterfall(link: Link) -> Table:
    parts = steps(link)
    low, high = min(0.0, *(min(a, b) for _, a, b in parts)), max(0.0, *(max(a, b) for _, a, b in parts))
    scale = _WIDTH / max(high - low, 1e-9)
    title = f"compared: {link.weight:+.1f} bits, probability {link.probability:.4f} - {link.decision}: {link.reason}"
    shown = Table("evidence", "bits", "", "so far", title=title, title_justify="left", header_style="bold")
    for column in (1, 3):
        shown.columns[column].justify = "right"
    for name, start, end in parts:
        left, right = sorted((start, end))
        bar = " " * round((left - low) * scale) + "█" * max(1, round((right - left) * scale))
        colour = "green" if end > start else "red"
        shown.add_row(name, f"{end - start:+.1f}", f"[{colour}]{bar}[/{colour}]", f"{end:+.1f}")
    return shown


def _list_of(links: Sequence[Link], title: str, show_pii: bool) -> Table:
    shown = Table("record", "record", "by", "decision", "why", title=title, title_justify="left", header_style="bold")
    for link in links:
        shown.add_row(_name(link.left, show_pii), _name(link.right, show_pii), link.rule, link.decision, link.reason)
    return shown


def _name(record: Record, show_pii: bool) -> str:
    source, key = record
    return f"{source}|{key if show_pii or len(key) <= 24 else key[:21] + '...'}"


def _text(name: str, value: Any, show_pii: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        pairs = [f"{v[0]}={_masked(str(v[1]), show_pii)}" if isinstance(v, tuple) else _masked(str(v), show_pii) for v in value]
        return "\n".join(pairs)
    return str(value) if name in _PERSONAL_LESS else _masked(str(value), show_pii)


def _masked(text: str, show_pii: bool) -> str:
    """The first two letters of each word: enough to see how two values differ, too little to know whose they are."""
    if show_pii:
        return text
    return " ".join(word[:2] + "*" * max(0, len(word) - 2) for word in text.split(" "))
