"""What a user sees who called a job wrongly: one message, exit code 2, no traceback, before Spark starts."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cdp.base.stage import Account, Stage, StageResult
from cdp.pipeline import STAGES, add_options, prepare
from cdp.runner.launch import launch
from tests.conftest import PROJECT


@pytest.fixture
def no_spark(monkeypatch: pytest.MonkeyPatch):
    def refuse(*_, **__):
        raise AssertionError("Spark was started")

    monkeypatch.setattr("cdp.base.session.spark_session", refuse)


def call(tmp_path: Path, *arguments: str) -> int:
    base = ["--lake", str(tmp_path / "lake"), "--config", str(PROJECT / "conf")]
    return launch(STAGES, "test", argv=[*base, *arguments], add_options=add_options, prepare=prepare)


def error_of(capsys: pytest.CaptureFixture[str]) -> str:
    text = capsys.readouterr().err
    assert "Traceback" not in text
    return text


@pytest.mark.usefixtures("no_spark")
class TestWrongUsage:
    def test_a_missing_landing_folder(self, tmp_path: Path, capsys):
        assert call(tmp_path, "--landing", str(tmp_path / "nowhere")) == 2
        assert "nowhere: found nothing, wanted the folder of the extracts" in error_of(capsys)

    def test_a_file_in_place_of_the_landing_folder(self, tmp_path: Path, capsys):
        (tmp_path / "file").touch()
        assert call(tmp_path, "--landing", str(tmp_path / "file")) == 2
        assert "found a file, wanted the folder" in error_of(capsys)

    def test_a_missing_configuration_folder(self, tmp_path: Path, capsys):
        assert call(tmp_path, "--config", str(tmp_path / "conf")) == 2
        assert "conf: found nothing, wanted a folder with sources/*.yaml" in error_of(capsys)

    @pytest.mark.parametrize("day", ["2026-02-30", "yesterday", "26-01-01", ""])
    def test_a_day_that_does_not_exist(self, tmp_path: Path, capsys, day: str):
        with pytest.raises(SystemExit) as stopped:
            call(tmp_path, "--as-of", day)
        assert stopped.value.code == 2
        assert "wanted a day that exists, as YYYY-MM-DD" in error_of(capsys)

    def test_an_unknown_option_is_told_what_was_meant(self, tmp_path: Path, capsys):
        with pytest.raises(SystemExit) as stopped:
            call(tmp_path, "--landig", "x")
        assert stopped.value.code == 2
        assert "did you mean --landing?" in error_of(capsys)

    def test_an_unknown_stage_is_told_what_was_meant(self, tmp_path: Path, capsys):
        assert call(tmp_path, "--landing", str(tmp_path), "--stages", "resolv") == 2
        assert "no such stage; did you mean resolve?" in error_of(capsys)

    def test_problems_of_several_files_are_told_at_once(self, tmp_path: Path, capsys):
        conf = tmp_path / "conf"
        (conf / "sources").mkdir(parents=True)
        (conf / "cdp.yaml").write_text("reporting_curency: EUR\n")
        (conf / "sources" / "a.yaml").write_text("name: a\nformat: cvs\n")
        (conf / "sources" / "b.yaml").write_text("name: [b\n")
        assert call(tmp_path, "--config", str(conf), "--landing", str(tmp_path)) == 2
        text = error_of(capsys)
        assert "did you mean reporting_currency?" in text
        assert "a.yaml: format" in text
        assert "not valid YAML" in text


def _stage(work) -> Stage:
    nothing = lambda *_: ()  # noqa: E731
    return Stage(name="work", title="working", run=work, reads=nothing, writes=nothing, settings=lambda config: None)


def _run(tmp_path: Path, work) -> int:
    conf = tmp_path / "conf"
    conf.mkdir(exist_ok=True)
    return launch([_stage(work)], "test", argv=["--lake", str(tmp_path / "lake"), "--config", str(conf)])


def test_a_lake_of_another_version_is_refused(spark, tmp_path: Path, capsys):
    marker = tmp_path / "lake" / "_cdp" / "lake.json"
    marker.parent.mkdir(parents=True)
    marker.write_text('{"format": 99}')
    assert _run(tmp_path, lambda run: StageResult()) == 2
    assert "found a lake of format 99, wanted 1" in error_of(capsys)


def test_a_full_disk_ends_with_a_message_and_a_lake_to_go_on_with(spark, tmp_path: Path, capsys):
    def full(run):
        raise OSError(28, "No space left on device", f"{run.lake.root}/gold")

    assert _run(tmp_path, full) == 1
    text = error_of(capsys)
    assert "no space left on the disk" in text
    assert f"({tmp_path}/lake/gold)" in text
    assert _run(tmp_path, lambda run: StageResult(rows_out=1)) == 0


def test_an_error_tells_no_row_value(spark, tmp_path: Path, capsys):
    def cast(run):
        run.spark.sql("SELECT cast('ann@example.com' AS int)").collect()

    assert _run(tmp_path, cast) == 1
    text = error_of(capsys)
    assert "CAST_INVALID_INPUT" in text
    assert "ann@example.com" not in text


def test_a_stage_that_is_up_to_date_is_skipped_and_a_changed_date_runs_it_again(spark, tmp_path: Path, capsys):
    runs = []

    def work(run):
        runs.append(run.as_of)
        return StageResult(rows_out=1)

    conf = tmp_path / "conf"
    conf.mkdir()
    base = ["--lake", str(tmp_path / "lake"), "--config", str(conf)]
    for day in ("2026-01-01", "2026-01-01", "2026-01-02"):
        assert launch([_stage(work)], "test", argv=[*base, "--as-of", day]) == 0
    assert [day.day for day in runs] == [1, 2]
    last = capsys.readouterr().out.strip().splitlines()[-1]
    assert json.loads(Path(last).read_text())["exit_code"] == 0


def test_a_broken_rule_is_exit_code_3(spark, tmp_path: Path, capsys):
    assert _run(tmp_path, lambda run: StageResult(broken_rules=("crm: too old",))) == 3
    assert "crm: too old" in error_of(capsys)


def test_an_account_that_does_not_balance_is_exit_code_3(spark, tmp_path: Path, capsys):
    account = Account("crm", rows_in=10, rows_out=7, rows_refused=1)
    assert _run(tmp_path, lambda run: StageResult(accounts=(account,))) == 3
    assert "crm: +2 rows unaccounted for" in error_of(capsys)


def test_a_dry_run_of_a_stage_shows_what_it_would_do_and_leaves_no_trace(spark, tmp_path: Path, capsys):
    conf = tmp_path / "conf"
    conf.mkdir()
    base = ["--lake", str(tmp_path / "lake"), "--config", str(conf), "--dry-run"]

    def work(run):
        assert run.dry_run
        return StageResult(notes=("vip: 7 members",), broken_rules=("vip: failed",) if run.options["broken"] else ())

    stage = replace(_stage(work), previews=True)
    add = lambda parser: parser.add_argument("--broken", action="store_true")  # noqa: E731
    assert launch([stage], "test", argv=base, add_options=add) == 0
    assert "vip: 7 members" in capsys.readouterr().err
    assert launch([stage], "test", argv=[*base, "--broken"], add_options=add) == 3
    assert "vip: failed" in error_of(capsys)
    assert launch([stage, stage], "test", argv=base, add_options=add) == 0  # of a pipeline it is told what would run
    assert "work: would run" in capsys.readouterr().err
    assert not (tmp_path / "lake").exists()
