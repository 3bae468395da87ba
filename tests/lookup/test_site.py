"""The page answers who may ask, says nothing of whom was asked for, and shows whatever is stored as text."""

import http.client
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from cdp.base.errors import UsageError
from cdp.lookup.serve import TOKEN as VARIABLE
from cdp.lookup.serve import application, serve, server
from cdp.lookup.sessions import LASTS_SECONDS, Sessions
from tests.lookup.conftest import ANNA, BUSY, FORMER, QUIET, SPLIT, TOKEN, served


class Site:
    """A real server, asked without a browser."""

    def __init__(self, address: str) -> None:
        self.host = urlsplit(address).netloc

    def ask(self, path: str, form: dict[str, str] | None = None, method: str | None = None, **headers: str) -> tuple[int, dict[str, str], str]:
        connection = http.client.HTTPConnection(self.host, timeout=20)
        body = urlencode(form) if form is not None else None
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method or ("POST" if body is not None else "GET"), path, body, named)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, text


@pytest.fixture(scope="module")
def masked(folder: Path) -> Iterator[Site]:
    with served(folder) as address:
        yield Site(address)


@pytest.fixture(scope="module")
def clear(folder: Path) -> Iterator[Site]:
    with served(folder, show_pii=True) as address:
        yield Site(address)


def test_a_search_leads_to_the_person_and_leaves_no_name_in_the_url(clear: Site):
    status, headers, _ = clear.ask("/search", {"q": "Ana Zimmerman"})
    assert (status, headers["location"]) == (303, f"/customers/{ANNA}")
    assert clear.ask(f"/customers/{FORMER}")[1]["location"] == f"/customers/{ANNA}"

    status, _, text = clear.ask(f"/customers/{ANNA}")
    assert status == 200
    assert "Anna Zimmermann" in text and "12 Secret Street" in text and "2 x Mug set" in text and "Parcel lost" in text
    assert "Further traits" in text and "<dt>Visits of fairs</dt><dd>17</dd>" in text and "<dt>Pets</dt><dd>Annas cat</dd>" in text
    assert text.count(", former</span>") == 1
    assert "<title>Customer c0000" in text  # nor in the browser's history


def test_what_is_personal_is_masked(masked: Site):
    texts = [masked.ask(f"/customers/{ANNA}")[2], masked.ask(f"/customers/{SPLIT}")[2], masked.ask("/search", {"q": "family@x.org"})[2]]
    texts.append(masked.ask("/search", {"q": "canary@x.org"})[2])
    for secret in ("Anna", "Zimmermann", "anna.z", "612345678", "Secret", "Springfield", "FR-0012", "Spy", "private", "Ypsilanti", "family@", "canary", "Parcel", "ANNA10", "Annas"):
        assert not any(secret in text for text in texts)
    assert "A*** Z***" in texts[0] and "2 people may be meant" in texts[1] and "2 people may be meant" in texts[2]


def test_everything_is_escaped(clear: Site):
    _, _, text = clear.ask(f"/customers/{QUIET}")
    assert "&lt;b&gt;Zoë&lt;/b&gt; O&#39;Hara" in text and "<b>Zoë" not in text
    _, _, text = clear.ask("/search", {"q": '"><script>alert(1)</script>'})
    assert "<script" not in text and "&lt;script&gt;" in text


def test_nobody_bad_input_and_no_such_page_are_told_apart(clear: Site):
    assert clear.ask("/search", {"q": "canary@x.org"})[0] == 404
    assert clear.ask("/search", {"q": "  "})[0] == 400
    assert clear.ask("/search", {"q": "x" * 10_000})[0] == 400
    assert clear.ask("/search", {})[0] == 400
    status, _, text = clear.ask("/search", {"q": "crm_idd=1"})
    assert status == 400 and "wanted one of anonymous_id, crm_id" in text
    assert clear.ask("/customers/c0")[0] == 404
    assert clear.ask("/customers/%27%20OR%201=1--")[0] == 404
    assert clear.ask("/nothing")[0] == 404


def test_a_long_timeline_comes_in_pages(clear: Site):
    first, last = clear.ask(f"/customers/{BUSY}")[2], clear.ask(f"/customers/{BUSY}?page=40")[2]
    assert "Page 1 of 40" in first and "Thing 1999<" in first and "Thing 1949<" not in first and first.count("<time ") == 50
    assert "Page 40 of 40" in last and "Thing 0<" in last
    for page in ("999", "0", "-1", "x", "9" * 50, "٣"):
        assert clear.ask("/customers/" + BUSY + "?" + urlencode({"page": page}))[0] == 200
    assert "Nothing has happened yet." in clear.ask(f"/customers/{QUIET}")[2]


def test_answers_carry_what_keeps_browsers_from_telling(clear: Site):
    for path in ("/", f"/customers/{ANNA}", "/nothing", "/style.css"):
        _, headers, _ = clear.ask(path)
        assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'; form-action 'self'")
        assert headers["cache-control"] == "no-store" and headers["referrer-policy"] == "same-origin"
        assert headers["x-content-type-options"] == "nosniff" and "server" not in headers


def test_it_only_reads(clear: Site):
    assert [clear.ask(path, method=m)[0] for path, m in (("/", "PUT"), (f"/customers/{ANNA}", "DELETE"), (f"/customers/{ANNA}", "POST"))] == [405] * 3
    assert clear.ask("/search")[0] == 405
    assert clear.ask(f"/customers/{ANNA}", method="HEAD")[0] == 200


def test_a_strangers_name_or_page_is_turned_away(clear: Site):
    port = clear.host.split(":")[1]
    assert clear.ask("/", Host=f"evil.example:{port}")[0] == 421
    assert clear.ask("/", Host="")[0] == 421
    assert clear.ask("/", Host=f"localhost:{port}")[0] == 200
    wanted = {"q": "family@x.org"}
    assert clear.ask("/search", wanted, Origin="http://evil.example")[0] == 403
    assert clear.ask("/search", wanted, Origin="null")[0] == 403
    status, headers, _ = clear.ask("/search", wanted, Origin="http://[")
    assert status == 403 and headers["cache-control"] == "no-store"
    assert clear.ask("/search", wanted, Sec_Fetch_Site="cross-site")[0] == 403
    assert clear.ask("/search", wanted, Origin=f"http://{clear.host}", Sec_Fetch_Site="same-origin")[0] == 200


def test_logs_say_what_was_served_and_of_nobody(clear: Site, capfd: pytest.CaptureFixture[str]):
    clear.ask("/search", {"q": "anna.z@gmail.com"})
    clear.ask(f"/customers/{ANNA}")
    clear.ask("/someone@x.org")
    logged, end = "", time.monotonic() + 10
    while "page=other" not in logged and time.monotonic() < end:  # a line follows its answer
        logged += capfd.readouterr().err

    assert "INFO lookup_served page=/search status=303" in logged and "page=/customers status=200" in logged and "page=other status=404" in logged
    assert ANNA not in logged and "@" not in logged


def test_a_token_is_wanted_and_typed_once(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(VARIABLE, TOKEN)
    with served(folder) as address:
        site, page = Site(address), f"/customers/{ANNA}"
        assert site.ask(page)[0] == 401
        assert site.ask(page, Accept="text/html")[1]["location"] == "/login"
        assert site.ask("/search", {"q": "anna.z@gmail.com"})[0] == 401
        assert site.ask(page, Authorization=f"Bearer {TOKEN}")[0] == 200
        assert site.ask(page, Authorization="Bearer wrong")[0] == 401
        assert site.ask("/login", {"token": "wrong"})[0] == 401

        status, headers, _ = site.ask("/login", {"token": TOKEN})
        cookie = headers["set-cookie"]
        assert status == 303 and "HttpOnly" in cookie and "samesite=strict" in cookie.lower() and TOKEN not in cookie
        mine, other = cookie.split(";")[0], site.ask("/login", {"token": TOKEN})[1]["set-cookie"].split(";")[0]
        assert site.ask(page, Cookie=mine)[0] == 200
        assert site.ask(page, Cookie=f'pref={{"a":1}}; {mine}; x[]="')[0] == 200  # cookies of others on this host
        assert site.ask(page, Cookie="cdp_session=wrong")[0] == 401 and site.ask(page, Cookie="cdp_session")[0] == 401

        assert site.ask("/logout", {}, Cookie=mine)[0] == 303
        assert site.ask(page, Cookie=mine)[0] == 401 and site.ask(page, Cookie=other)[0] == 200


def test_a_session_ends_by_itself_and_there_are_not_too_many():
    now = 0.0
    sessions = Sessions(lambda: now, most=2)
    first, second = sessions.begin(), sessions.begin()
    assert sessions.holds(first) and not sessions.holds(None) and not sessions.holds("")

    third = sessions.begin()
    assert [sessions.holds(name) for name in (first, second, third)] == [False, True, True]
    now = LASTS_SECONDS
    assert not sessions.holds(third)


def test_not_everybody_is_answered_at_once(folder: Path):
    assert server(application(folder, host="127.0.0.1")).config.limit_concurrency == 200


def test_others_reach_it_only_with_a_token(folder: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(UsageError, match=r"--host 0\.0\.0\.0: others reach it; wanted a token"):
        application(folder, host="0.0.0.0")
    monkeypatch.setenv(VARIABLE, "short")
    with pytest.raises(UsageError, match="CDP_SERVE_TOKEN: found 5 characters"):
        application(folder, host="127.0.0.1")
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(UsageError, match="cannot be listened at"):
        serve(folder, host="127.0.0.1", port=1_000_000, names=(), show_pii=False)
