"""`cdp lookup`: what it prints, and what it keeps to itself."""

import json
import re
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from cdp import cli
from cdp.lookup.ask import asked
from cdp.lookup.find import find
from cdp.lookup.mask import told_match
from cdp.lookup.read import Tables
from cdp.lookup.show import show_matches
from cdp.tables.gold import PROFILES
from tests.lookup.conftest import ANNA, EVE, FORMER, OTTO

_SECRETS = (
    *("Anna", "Zimmermann", "anna.z", "former@", "gmail", "612345678", "Secret", "Springfield", "75011", "1980-03", "FR-0012"),
    *("Spy", "private", "unverwechselbar", "Parcel", "ANNA10", "Annas"),
)


def _call(monkeypatch: pytest.MonkeyPatch, folder: Path, *arguments: str, typed: str = "") -> int:
    monkeypatch.setattr("sys.argv", ["cdp", "lookup", "--lake", str(folder), *arguments])
    monkeypatch.setattr("sys.stdin", StringIO(typed))
    monkeypatch.setenv("COLUMNS", "160")
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


def test_a_person_is_shown_without_readable_personal_data(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    assert _call(monkeypatch, folder, "--email", "-", typed="former@x.org\n") == 0

    shown = capsys.readouterr().out
    assert ANNA in shown and "A*** Z***" in shown and "1,234.50 in 6 orders" in shown
    assert "2 x Mug set" in shown and "T1" in shown and "T2" not in shown
    assert "loyal_buyers" in shown and "withdrawn" in shown and "buy_again" in shown
    assert re.search(r"a\*\*\*@g\*\*\*.com +2026-01-31 12:00 *\n", shown) and re.search(r"f\*\*\*@x\*\*\*.org +2026-01-31 12:00 +former *\n", shown)
    assert re.search(r"visits_of_fairs +17 *\n", shown) and re.search(r"motto +\*\*\* *\n", shown) and "unknown_yet" not in shown
    assert "predictions" not in shown  # not computed yet
    assert not [secret for secret in _SECRETS if secret in shown]


def test_json_has_the_same_shape_masked_and_in_clear(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    assert _call(monkeypatch, folder, "--phone", "0612345678", "--country", "FR", "--json") == 0
    text = capsys.readouterr().out
    assert _call(monkeypatch, folder, "--customer-id", FORMER, "--json", "--show-pii") == 0
    clear = json.loads(capsys.readouterr().out)

    masked = json.loads(text)
    assert not [secret for secret in _SECRETS if secret in text]
    assert masked.keys() == clear.keys() == {"matches", "more", "customer"}
    parts = ("customer_id", "profile", "traits", "identifiers", "orders", "open_tickets", "segments", "journeys", "consent", "predictions", "recommendations", "more")
    assert tuple(masked["customer"]) == tuple(clear["customer"]) == parts
    for part in parts[1:3]:
        assert masked["customer"][part].keys() == clear["customer"][part].keys()
    own = ("visits_of_fairs", "is_a_fan", "won_on", "motto", "pets", "unknown_yet")
    assert [clear["customer"]["traits"][name] for name in own] == [17, True, "2025-07-09", "Annas motto", ["Annas cat"], None]
    assert [masked["customer"]["traits"][name] for name in own] == [17, True, "2025-07-09", "***", ["***"], None]
    assert clear["customer"]["profile"]["street"] == "12 Secret Street"
    assert clear["customer"]["orders"][0]["lines"] == [
        {"line_no": 1, "product_id": "P1", "quantity": 2.0, "amount": None, "name": "Mug set"}
    ]
    assert [o["order_id"] for o in clear["customer"]["orders"]] == ["o0", "o1", "o2", "o3", "o4"]
    assert clear["customer"]["open_tickets"][0]["opened_at"] == "2026-01-31T12:00:00Z"
    assert (clear["matches"][0]["matched_by"], clear["matches"][0]["value"]) == ("customer_id", FORMER)
    assert clear["customer"]["predictions"] == []


def test_several_people_are_a_list_to_choose_from(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    assert _call(monkeypatch, folder, "--email", "family@x.org") == 0
    shown = capsys.readouterr().out
    assert OTTO in shown and "O*** Y***" in shown and "2 people; choose one" in shown

    assert _call(monkeypatch, folder, "--email", "family@x.org", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["matches"]) == 2 and told["customer"] is None and told["more"] is False


def test_nobody_is_exit_code_1_and_the_value_is_not_repeated(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    assert _call(monkeypatch, folder, "--email", "canary@x.org") == 1
    assert capsys.readouterr().err == "error: nobody has this email\n"
    assert _call(monkeypatch, folder, "--name", "Canary Canaris", "--json") == 1
    told = capsys.readouterr()
    assert json.loads(told.out) == {"matches": [], "more": False, "customer": None} and "Canar" not in told.err
    assert _call(monkeypatch, folder, "--id", "crm_id=canary", "--show-pii") == 1
    assert capsys.readouterr().err == "error: nobody has the crm_id canary\n"


@pytest.mark.parametrize("width", [40, 80, 120])
def test_a_narrow_terminal_has_fewer_columns_and_whole_ids(folder: Path, capsys: pytest.CaptureFixture[str], width: int):
    tables = Tables(folder, PROFILES)
    matches = [told_match(match, show_pii=True) for match in find(tables, asked("email", "family@x.org", option="--email")).matches]

    show_matches(matches, False, Console(width=width))

    lines = capsys.readouterr().out.splitlines()
    assert max(len(line) for line in lines) <= width and all(any(line.startswith(id_) for line in lines) for id_ in (OTTO, EVE))
    assert "…" not in "".join(lines) and "Otto Ypsilanti" in "".join(lines)
    assert ("born" in lines[0], "found by" in lines[0]) == (width > 40, width > 80)


@pytest.mark.parametrize("typed", ["crm_idd=canary", "any=1234"])
def test_a_mistyped_type_is_no_missing_person(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: str):
    assert _call(monkeypatch, folder, "--id", typed, "--json") == 2
    told = capsys.readouterr()
    types = "anonymous_id, crm_id, email, loyalty_id, phone, user_id, customer_id"
    assert told.err == f"error: --id: found a type of identifier that nobody has, wanted one of {types}\n" and not told.out


@pytest.mark.parametrize("address", ["s3://key:canary@bucket/lake", "abfss://canary@host/lake", "file:///canary"])
def test_a_lake_elsewhere_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], address: str):
    assert _call(monkeypatch, Path(address), "--name", "Anna") == 2
    said = capsys.readouterr().err
    assert f"--lake: found an address, {address.split(':')[0]}://..., wanted a folder of this machine" in said and "canary" not in said


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((), "found none of --email, --phone, --loyalty-id, --customer-id, --name, --id; wanted exactly one"),
        (("--name", "a", "--phone", "1"), "found 2 of"),
        (("--phone", "canary"), "--phone: found fewer than 6 digits"),
        (("--email", "canary"), "--email: found no e-mail address"),
        (("--id", "canary"), "--id: wanted TYPE=VALUE"),
        (("--name", "Anna", "--country", "FR"), "--country: "),
        (("--phone", "0612345678", "--country", "France"), "--country: wanted two letters"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], problem: str
):
    assert _call(monkeypatch, folder, *arguments) == 2
    said = capsys.readouterr().err
    assert problem in said and said.count("\n") == 1 and "canary" not in said


def test_a_folder_without_an_index_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    assert _call(monkeypatch, tmp_path, "--name", "Anna") == 2
    assert "found no table gold.profiles; `./spark-submit.sh profile` makes it" in capsys.readouterr().err
