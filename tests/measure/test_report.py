"""The report, from literal figures."""

import re
from datetime import date
from html.parser import HTMLParser

import pytest

from cdp.measure.charts import Bar, bars, columns, scale
from cdp.measure.config import MeasureConfig
from cdp.measure.facts import Facts
from cdp.measure.kpis import key_figures
from cdp.measure.ledger import newest
from cdp.measure.report import report
from cdp.measure.tallies import Tallies, Tally
from cdp.measure.words import MISSING, Money, number, share
from tests.measure.test_kpis import tallies

AS_OF = date(2026, 1, 31)


def page(found: Tallies, *present: str) -> str:
    kpis = key_figures(found, as_of=AS_OF, currency="EUR", model="last_non_direct")
    return report(Facts(found, kpis, frozenset(present), MeasureConfig(), "EUR", AS_OF, "run1"))


FILLED = tallies(
    orders=[
        Tally((None, None), (1234.0, 1234567.0, 2.0, -67.0, 900.0, 900.0, 90.0), 1764547200.0, 1769817600.0),
        Tally((None, "web"), (1234.0, 1234567.0, 2.0, -67.0, 900.0, 900.0, 90.0), 1764547200.0, 1769817600.0),
        Tally(("2025-12-01", "web"), (1000.0, 1000000.0, 0.0, 0.0, 900.0, 900.0, 0.0), 0.0, 0.0),
    ],
    segments=[Tally(("vip <b>", "live", None), (5.0, 2.0, 1.0, 8.0), 1769817600.0)],
    deliveries=[
        Tally(("ads", "vip", "2026-01-30 r1", "sent", "add"), (77.0,)),
        Tally(("ads", "vip", "2026-01-31 r2", "sent", "add"), (3.0,)),
        Tally(("ads", "vip", "2026-01-31 r2", "sent", "remove"), (4.0,)),
    ],
)


def test_the_report_needs_nothing_from_the_net_and_runs_no_script() -> None:
    html = page(FILLED)

    assert not re.search(r"<script|https?://|@import|url\(|src=|<link", html)


def test_the_report_is_well_formed_and_describes_its_charts() -> None:
    class Balance(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.open: list[str] = []
            self.charts: list[str | None] = []

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag not in ("meta", "br"):
                self.open.append(tag)
            if tag == "svg":
                self.charts.append(dict(attrs).get("aria-label"))

        def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            pass

        def handle_endtag(self, tag: str) -> None:
            assert self.open.pop() == tag

    reader = Balance()
    reader.feed(page(FILLED))

    assert reader.open == []
    assert reader.charts and all(reader.charts)


def test_numbers_have_thousands_separators_and_the_currency() -> None:
    html = page(FILLED)

    assert "€1,234,500" in html
    assert "1,234</dd>" in html


def test_names_from_the_configuration_are_escaped() -> None:
    assert "vip &lt;b&gt;" in page(FILLED)


def test_a_table_that_is_not_there_is_said_not_to_be_computed_and_an_empty_one_to_be_empty() -> None:
    html = page(tallies(), "gold.orders")

    assert "Not computed: this lake has no gold.predictions yet. The job score writes it." in html
    assert "Nothing to show: gold.orders has no rows." in html


def test_prospects_are_no_part_of_the_tiers_and_of_churn() -> None:
    predictions = [
        Tally(("90", "top_1", "0"), (10.0, 300.0, 1.0, 20.0)),
        Tally(("90", "prospect", None), (4321.0, 8642.0, None, 99.0)),
    ]
    html = page(tallies(predictions=predictions), "gold.predictions")

    whole = re.search(r"<tr[^>]*>\s*<t[hd][^>]*>All</t[hd]>.*?</tr>", html, re.DOTALL)
    assert whole and "€300" in whole[0] and ">10.0" in whole[0] and "4,321" not in whole[0]
    assert "Without an order so far" in html and "4,321" in html and "€8,642" in html
    assert "4,321" not in page(tallies(predictions=predictions[:1]), "gold.predictions")


def test_only_the_last_delivery_of_a_segment_is_shown() -> None:
    html = page(FILLED)

    assert "2026-01-31" in html
    assert ">77<" not in html


def test_lines_of_older_runs_of_a_subject_fall_away() -> None:
    lines = [
        Tally(("clean", "r1", "gone"), (1.0,)),
        Tally(("clean", "r2", "crm"), (2.0,)),
        Tally(("ingest", "r1", "crm"), (3.0,)),
    ]

    assert newest(lines, subject=1, run=1) == lines[1:]


@pytest.mark.parametrize("most", [0.0, 0.07, 1.0, 9.99, 10.0, 35.0, 999_999.0, 1e9])
def test_an_axis_ends_at_a_round_number_not_below_the_largest_value(most: float) -> None:
    end, ticks = scale(most)

    assert end >= most
    assert ticks[0] == 0 and ticks[-1] == pytest.approx(end)
    assert 2 <= len(ticks) <= 6
    assert end <= 2 * most or most == 0


def test_columns_stack_up_to_the_total_and_bars_reach_the_largest() -> None:
    drawn = columns(["Jan"], {"a": [1.0], "b": [3.0]}, title="t", text=number)
    heights = [float(h) for h in re.findall(r'<rect [^>]*height="([\d.]+)"', drawn)]
    widths = re.findall(
        r'width="([\d.]+)%" height="7" rx="2" fill', bars([Bar("a", 1, "1"), Bar("b", 4, "4")], title="t")
    )

    assert heights == [55.0, 165.0]  # of 220 points for 4
    assert widths == ["25.00", "100.00"]


def test_what_is_not_known_is_a_dash() -> None:
    assert (number(None), share(None), Money("EUR")(None)) == (MISSING,) * 3
    assert Money("CHF")(-1234.4) == "−CHF\u00a01,234"
    assert Money("EUR").short(2_500) == "€2.5k"
