"""The page in a real Chromium: by keyboard alone, on a desk and on a telephone, with nothing from elsewhere."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lookup.browser import Browser, browser, find_chromium
from tests.lookup.conftest import ANNA, BUSY, QUIET, served


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = find_chromium()
    if program is None:
        pytest.skip("there is no Chromium; on Debian `apt-get install chromium`")
    with browser(program, tmp_path_factory.mktemp("chromium")) as opened:
        yield opened


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with served(folder, show_pii=True) as served_at:
        yield served_at


def test_a_person_is_found_by_keyboard_alone(tab: Browser, address: str):
    tab.open(address)
    tab.type("ana zimmerman")  # the box has the focus
    tab.press("Enter", leaves=True)

    assert tab.path() == f"/customers/{ANNA}"
    assert "Anna Zimmermann" in tab.text() and "Parcel lost" in tab.text()
    tab.press("Tab")
    assert tab.run("document.activeElement.textContent") == "Skip to content"
    tab.press("Tab")
    tab.press("Tab")
    assert tab.run("document.activeElement.name") == "q"
    tab.type("family@x.org")
    tab.press("Enter", leaves=True)
    assert "2 people may be meant" in tab.text() and tab.path() == "/search"


def test_pages_of_a_long_timeline_are_turned(tab: Browser, address: str):
    tab.open(f"{address}/customers/{BUSY}")
    assert "Thing 1999" in tab.text()
    tab.run("document.querySelector('a[rel=next]').focus()")
    tab.press("Enter", leaves=True)
    assert tab.path() == f"/customers/{BUSY}?page=2" and "Thing 1949" in tab.text() and "Page 2 of 40" in tab.text()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("customer", [ANNA, BUSY, QUIET])
def test_nothing_is_wider_than_the_screen(tab: Browser, address: str, width: int, customer: str):
    tab.size(width)
    tab.open(f"{address}/customers/{customer}")
    assert tab.run("document.documentElement.scrollWidth") <= width
    assert not tab.run("[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1).length")


@pytest.mark.parametrize("path", ["/", f"/customers/{ANNA}", "/login"])
def test_pages_can_be_read_aloud(tab: Browser, address: str, path: str):
    tab.open(address + path)
    assert tab.run("document.documentElement.lang") == "en" and tab.run("document.title")
    assert tab.run("document.querySelectorAll('h1').length") == 1 and tab.run("document.querySelectorAll('main').length") == 1
    assert tab.run("[...document.querySelectorAll('input')].every(e => e.labels.length === 1)")
    assert tab.run("[...document.querySelectorAll('section')].every(e => document.getElementById(e.getAttribute('aria-labelledby')))")
    assert tab.run(_FAINT) == []


def test_nothing_comes_from_elsewhere_and_nothing_is_refused(tab: Browser, address: str):
    tab.open(f"{address}/customers/{QUIET}")
    assert {r["url"].split("/customers")[0].split("/style")[0] for r in tab.requests[-2:]} == {address}
    assert tab.run("document.querySelectorAll('script, b').length") == 0
    assert tab.console == []


_FAINT = """
(() => {
  const parse = c => c.match(/[\\d.]+/g).map(Number);
  const light = c => { const [r, g, b] = c.map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; });
                       return .2126 * r + .7152 * g + .0722 * b; };
  const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
                        if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
  return [...document.querySelectorAll('body *')].filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
    .filter(e => e.getClientRects().length)
    .filter(e => { const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))];
                   return (Math.max(a, b) + .05) / (Math.min(a, b) + .05) < 4.5; })
    .map(e => e.textContent.trim().slice(0, 40));
})()
"""
"""Texts of too little contrast with what is behind them (WCAG AA)."""
