"""The steward's ledger: read from CSV and YAML, written by `cdp link`, `cdp unlink` and `cdp block`."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from typer.testing import CliRunner

from cdp.base.errors import ConfigError, UsageError
from cdp.cli import app
from cdp.identity.rules import Rule, add_rule, load_rules


def rule(action: str, left: str, right: str | None, reason: str = "seen") -> Rule:
    return Rule(action, left, right, reason, "steward")


def said(folder: Path) -> set[tuple[str, str, str | None]]:
    return {(r.action, r.left, r.right) for r in load_rules(folder)}


def test_what_is_added_is_read_back(tmp_path: Path):
    add_rule(tmp_path, rule("always_link", "crm|1", 'shop|2,"quoted"', reason="same person, both say"))
    add_rule(tmp_path, rule("block", "email=office@x.org", None))
    assert "says so already" in add_rule(tmp_path, rule("always_link", 'shop|2,"quoted"', "crm|1"))

    found = load_rules(tmp_path)

    assert [(r.left, r.right, r.place) for r in found] == [
        ("crm|1", 'shop|2,"quoted"', "identity_rules.csv line 2"),
        ("email=office@x.org", None, "identity_rules.csv line 3"),
    ]
    assert found[0].reason == "same person, both say" and found[0].author == "steward"


@given(st.text(st.sampled_from('a,"|\n\r\x0b\x1c\x85\u2028')))
@example("one\ntwo")
@example("one\r\ntwo")
@example("one\x85two")
def test_a_key_is_read_as_it_was_written_whatever_it_holds(tmp_path_factory: pytest.TempPathFactory, inner: str):
    folder = tmp_path_factory.mktemp("ledger")
    key = f"crm|<{inner}>"
    add_rule(folder, rule("never_link", key, "shop|1"))
    add_rule(folder, rule("block", "email=office@x.org", None))  # writes the first one once more

    assert said(folder) == {("never_link", key, "shop|1"), ("block", "email=office@x.org", None)}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_problem_is_told_by_the_line_where_its_rule_begins(tmp_path: Path, end: str):
    rows = ["", "action,left,right,reason", 'never_link,"crm|1', '2",shop|1,"two', 'people"', "", 'link,"crm|1', '3",shop|3,x']
    (tmp_path / "identity_rules.csv").write_text(end.join(rows), newline="")

    with pytest.raises(ConfigError, match=r"line 7: action: wanted one of"):
        load_rules(tmp_path)
    (tmp_path / "identity_rules.csv").write_text(end.join(rows[:6]), newline="")
    assert [(r.left, r.place) for r in load_rules(tmp_path)] == [(f"crm|1{end}2", "identity_rules.csv line 3")]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("never_link,crm|1,crm|2,two, people", "line 2: found 5 values, wanted 4"),
        ('never_link,crm|1,crm|2,"' + "x" * 200_000, "line 2: cannot be read as CSV"),
    ],
)
def test_a_line_that_is_no_line_of_the_ledger_is_told(tmp_path: Path, row: str, problem: str):
    (tmp_path / "identity_rules.csv").write_text(f"action,left,right,reason\n{row}\n")
    with pytest.raises(ConfigError, match=problem):
        load_rules(tmp_path)


def test_who_changes_their_mind_writes_over_what_they_said(tmp_path: Path):
    add_rule(tmp_path, rule("always_link", "crm|1", "crm|2"))

    assert "in place of always_link" in add_rule(tmp_path, rule("never_link", "crm|2", "crm|1"))
    assert said(tmp_path) == {("never_link", "crm|2", "crm|1")}


def test_a_yaml_ledger_is_read_and_not_written_over(tmp_path: Path):
    (tmp_path / "identity_rules.yaml").write_text(
        "- {action: never_link, left: crm|1, right: crm|2, reason: father and son}\n"
        "- {action: block, left: phone=+33123456789, reason: the office}\n"
    )
    assert said(tmp_path) == {("never_link", "crm|1", "crm|2"), ("block", "phone=+33123456789", None)}

    with pytest.raises(UsageError, match=r"identity_rules\.yaml: rule 1 says the contrary"):
        add_rule(tmp_path, rule("always_link", "crm|1", "crm|2"))
    assert not (tmp_path / "identity_rules.csv").exists()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("action: block", "wanted a list of rules, each with action, left, right, reason"),
        ("- {action: block, left: email=a@x.org}", "rule 1: reason: column missing"),
        ("- {action: block, left: email=a@x.org, reason: x, who: me}", "rule 1: who: unknown column"),
        ("- [", "line 1, column 4: not valid YAML"),
        ("- {action: block, action: block}", "key 'action' is there twice"),
    ],
)
def test_a_wrong_yaml_ledger_says_where(tmp_path: Path, text: str, problem: str):
    (tmp_path / "identity_rules.yaml").write_text(text)

    with pytest.raises(ConfigError) as error:
        load_rules(tmp_path)

    assert problem in str(error.value)
    assert "a@x.org" not in str(error.value)


def test_a_record_is_not_blocked_and_a_side_is_no_name(tmp_path: Path):
    for arguments, problem in (
        (["block", "crm|1"], "a record cannot be blocked"),
        (["link", "Ann", "Bob"], "left: wanted source|record_key or id_type=value"),
        (["link", "crm|1", "crm|1"], "left and right are the same"),
    ):
        result = CliRunner().invoke(app, [*arguments, "--reason", "x", "--config", str(tmp_path)])
        assert isinstance(result.exception, UsageError) and problem in str(result.exception)
    assert load_rules(tmp_path) == ()
