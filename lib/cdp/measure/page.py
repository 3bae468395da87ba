"""The parts a report is made of, and the page they become: one HTML file without scripts that needs no network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from jinja2 import Template

from cdp.base.templates import templates


@dataclass(frozen=True)
class Card:
    """A headline number.

    Attributes:
        label: what it is.
        value: as written.
        note: a line below it.
    """

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Chart:
    """A picture.

    Attributes:
        caption: its heading.
        svg: markup of `cdp.measure.charts`, which escapes every text in it.
        legend: name to colour.
        is_half: half the width of the page suffices.
    """

    caption: str
    svg: str
    legend: Mapping[str, str] = field(default_factory=dict)
    is_half: bool = False


@dataclass(frozen=True)
class Grid:
    """A table of texts. The first `texts` columns are words, the others numbers; `total` sets the last row apart."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    texts: int = 1
    total: bool = False


@dataclass(frozen=True)
class Section:
    """A chapter of the report.

    Attributes:
        anchor: for the links at the top.
        title: heading.
        intro: what to know to read it.
        charts: pictures, side by side where they are half wide.
        grids: tables.
        missing: why there is nothing to show; the rest is then empty.
    """

    anchor: str
    title: str
    intro: str
    charts: Sequence[Chart] = ()
    grids: Sequence[Grid] = ()
    missing: str | None = None


@dataclass(frozen=True)
class Page:
    """A report."""

    title: str
    lead: str
    cards: Sequence[Card]
    sections: Sequence[Section]
    footer: Sequence[str]


def render(page: Page) -> str:
    """The page as HTML."""
    return _template().render(page=page)


@cache
def _template() -> Template:
    return templates("cdp.measure", ".").get_template("report.html.j2")
