"""The `cdp` command: what needs no Spark."""

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from cdp import __version__, cli
from cdp.base.lake import Lake
from cdp.tables.identity import RULES
from tests.conftest import PROJECT


def _call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["cdp", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


def test_a_configuration_is_checked(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path):
    assert _call(monkeypatch, "validate", "--config", str(PROJECT / "conf")) == 0
    assert "files are right" in capsys.readouterr().out

    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "shop.yaml").write_text("source: shop\nformt: csv\n")
    assert _call(monkeypatch, "validate", "--config", str(tmp_path)) == 2
    assert "formt: unknown key; did you mean format?" in capsys.readouterr().err


def test_the_tables_of_a_lake_are_listed_with_their_rows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], lake: Lake, spark: SparkSession
):
    rows = [(str(n), "block", f"email=a{n}@x.org", None, "why", None) for n in range(1_234)]
    lake.replace(RULES, spark.createDataFrame(rows, RULES.schema))

    assert _call(monkeypatch, "tables", "--lake", lake.root) == 0

    shown = capsys.readouterr().out
    assert "identity.rules" in shown and "1,234" in shown
    assert "@x.org" not in shown


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("tables", "--lake", "/nowhere"), "--lake /nowhere: found nothing"),
        (("describe", "gold.profile"), "no table called gold.profile; did you mean gold.profiles?"),
        (("validate", "--config", "/nowhere"), "--config /nowhere: found nothing"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], problem: str
):
    assert _call(monkeypatch, *arguments) == 2

    said = capsys.readouterr().err
    assert problem in said
    assert "Traceback" not in said and said.count("\n") == 1


def test_a_contract_is_shown_with_what_is_personal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    assert _call(monkeypatch, "describe", "gold.profiles") == 0
    assert "key customer_id" in capsys.readouterr().out

    assert _call(monkeypatch, "--version") == 0
    assert capsys.readouterr().out.strip() == __version__

    (tmp_path / "traits.yaml").write_text("traits:\n  - {name: own_views, type: event_counter, event: Product Viewed}\n")
    assert _call(monkeypatch, "describe", "gold.traits", "--config", str(tmp_path)) == 0
    assert "own_views" in capsys.readouterr().out
