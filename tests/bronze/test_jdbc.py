"""Rows of a PostgreSQL server land in bronze as text, each version once, whatever was killed when."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from cdp.base.errors import ConfigError, UsageError
from cdp.base.settings import ConfigFolder, parse
from cdp.base.stage import Run
from cdp.bronze import run as bronze_run
from cdp.bronze.config import SourceConfig, load_sources
from cdp.bronze.files import read_ledger
from cdp.bronze.lineage import bronze_table
from cdp.bronze.run import ingest
from cdp.tables.bronze import QUARANTINE
from cdp.tables.ops import FILES
from tests.bronze.postgres import PASSWORD, Postgres, server

MEMBERS = """
drop table if exists members cascade;
create table members (id int primary key, email text, updated_at timestamptz);
insert into members select n, 'm' || n || '@x', timestamptz '2026-01-01 00:00:00Z' + n * interval '1 hour'
from generate_series(1, 10) n;
"""


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    folder = Path(tempfile.mkdtemp(prefix="cdp-postgres-"))
    try:
        with server(folder) as running:
            if running is None:
                pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _source(postgres: Postgres, **jdbc: Any) -> dict[str, Any]:
    login = {"url": postgres.url, "user": "crm", "password": "${ENV:CRM_DB_PASSWORD}"}
    return {
        "name": "crm",
        "format": "jdbc",
        "jdbc": {**login, "table": "public.members", "watermark": "updated_at", **jdbc},
        "primary_key": ["id"],
        "columns": [{"name": "id"}, {"name": "email"}, {"name": "updated_at", "type": "timestamp"}],
    }


def _configured(run: Run, source: dict[str, Any], **changes: Any) -> Run:
    folder = run.config.path / "sources"
    folder.mkdir(exist_ok=True)
    Path(run.landing).mkdir(exist_ok=True)
    (folder / "crm.yaml").write_text(yaml.safe_dump(source))
    return replace(run, config=ConfigFolder(run.config.path), **changes)


@pytest.fixture
def crm(run: Run, postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run with a source that reads ten members, changed at 1 to 10 o'clock."""
    monkeypatch.setenv("CRM_DB_PASSWORD", PASSWORD)
    postgres.sql(MEMBERS)
    return _configured(run, _source(postgres))


def _bronze(run: Run, *columns: str) -> list[tuple[Any, ...]]:
    table = bronze_table(load_sources(run.config)["crm"])
    return sorted(tuple(r) for r in run.lake.read(table).select(*columns).collect())


def _later(run: Run, number: int) -> Run:
    return replace(run, run_id=f"run{number}", started_at=datetime(2026, 2, number, 3))


def test_the_first_run_reads_all_and_the_next_what_is_new(crm: Run, postgres: Postgres):
    assert ingest(crm).rows_out == 10
    assert ingest(_later(crm, 2)).rows_in == 0
    assert crm.lake.read(FILES).count() == 2  # nothing new: no batch
    postgres.sql("update members set email = 'new', updated_at = '2026-01-02 00:00:00.25Z' where id in (3, 7)")

    assert ingest(_later(crm, 3)).rows_out == 2

    first = "public.members?updated_at=(,2026-01-01T10:00:00Z]"
    second = "public.members?updated_at=(2026-01-01T10:00:00Z,2026-01-02T00:00:00.250000Z]"
    assert {row[:1] for row in _bronze(crm, "_file")} == {(first,), (second,)}
    assert [row[1] for row in _bronze(crm, "_file", "_file_row")] == [*range(1, 11), 1, 2]
    upper = datetime(2026, 1, 2, 0, 0, 0, 250000)
    new = [row for row in _bronze(crm, "id", "email", "updated_at", "_file_modified_at") if row[1] == "new"]
    assert new == [("3", "new", "2026-01-02T00:00:00.25Z", upper), ("7", "new", "2026-01-02T00:00:00.25Z", upper)]
    assert read_ledger(crm.lake).replaced_of("crm") == []


def test_lookback_reads_again_what_may_have_been_committed_late(crm: Run, postgres: Postgres):
    run = _configured(crm, _source(postgres, lookback={"count": 90, "period": "minute"}))
    ingest(run)
    postgres.sql(
        "insert into members values (11, 'late', '2026-01-01 09:30:00Z'), (12, 'new', '2026-01-01 11:00:00Z'),"
        " (13, 'too late', '2026-01-01 08:00:00Z')"
    )

    assert ingest(_later(run, 2)).rows_out == 4

    again = "public.members?updated_at=(2026-01-01T08:30:00Z,2026-01-01T11:00:00Z]"
    assert [row[1] for row in _bronze(run, "_file", "id") if row[0] == again] == ["10", "11", "12", "9"]


@pytest.mark.parametrize("killed_in", ["planned", "_land", "read"])
def test_a_slice_that_was_killed_is_redone_whole(
    crm: Run, postgres: Postgres, monkeypatch: pytest.MonkeyPatch, killed_in: str
):
    postgres.sql("alter table members drop constraint members_pkey; alter table members alter id drop not null")
    postgres.sql("insert into members values (null, 'x', '2026-01-01 05:00:00Z')")
    name = "_land" if killed_in == "_land" else "note_files"
    original = getattr(bronze_run, name)

    def killed(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        if killed_in in ("_land", kwargs.get("state")):
            raise KeyboardInterrupt
        return result

    monkeypatch.setattr(bronze_run, name, killed)
    with pytest.raises(KeyboardInterrupt):
        ingest(crm)
    monkeypatch.undo()
    monkeypatch.setenv("CRM_DB_PASSWORD", PASSWORD)
    postgres.sql("insert into members values (11, 'after', '2026-01-01 11:00:00Z')")
    result = ingest(_later(crm, 2))

    assert (result.rows_out, result.rows_refused) == ((1, 0) if killed_in == "read" else (11, 1))
    assert sorted(int(row[0]) for row in _bronze(crm, "id")) == list(range(1, 12))
    assert [row["reasons"] for row in crm.lake.read(QUARANTINE).collect()] == [["id: not_null"]]


def test_without_a_watermark_the_table_replaces_its_former_self(crm: Run, postgres: Postgres):
    run = _configured(crm, _source(postgres, watermark=None))
    ingest(run)
    postgres.sql("delete from members where id > 4")

    assert ingest(_later(run, 2)).rows_out == 4
    assert set(_bronze(run, "_file")) == {("public.members",)}
    assert read_ledger(run.lake).replaced_of("crm") == [("public.members", datetime(2026, 2, 1, 3))]


def test_parts_hold_each_row_once_and_number_them_without_gaps(crm: Run, postgres: Postgres):
    postgres.sql("create or replace view odd as select *, nullif(id, 5) as half, id * 1.5 as wide from members")
    run = _configured(crm, _source(postgres, table="odd", partition_by="half", partitions=3))

    ingest(run)

    assert sorted(row[0] for row in _bronze(run, "_file_row")) == list(range(1, 11))
    assert sorted(int(row[0]) for row in _bronze(run, "id")) == list(range(1, 11))


def test_values_of_every_type_come_as_exact_text(crm: Run, postgres: Postgres):
    postgres.sql(
        """
        drop table if exists kinds; drop type if exists mood; create type mood as enum ('so', 'so la la');
        create table kinds (id bigserial, small int2, exact numeric(38, 18), wide numeric, real8 float8, yes boolean,
          day date, at timestamptz, local timestamp, hour time, bytes bytea, list text[], doc jsonb, old json, who uuid,
          feels mood, padded char(5), never timestamptz, nothing text, "Odd ""Name`" text);
        insert into kinds values (1, -3, 12345678901234567890.123456789012345678, 1e-20, 0.1, true, '2026-02-03',
          '2026-07-01 12:00:00.5+02', '2026-07-01 12:00', '13:30', '\\x00ff', array['a"b', null], '{"b": 1}', '{"b" :1}',
          'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'so la la', 'ab', 'infinity', null, 'é');
        """
    )
    source = _source(postgres, table="kinds", watermark="id")
    source |= {"columns": [{"name": "ID"}, {"name": "doc.b"}, {"name": "nothing"}], "primary_key": ["ID"]}
    run = _configured(crm, source)

    result = ingest(run)

    assert result.rows_out == 1
    assert _bronze(run, "ID", "`doc.b`", "nothing", "_file") == [("1", "1", None, "kinds?id=(,1]")]
    [(extra,)] = _bronze(run, "_extra")
    assert extra == {
        "small": "-3", "exact": "12345678901234567890.123456789012345678", "wide": "0.00000000000000000001",
        "real8": "0.1", "yes": "true", "day": "2026-02-03", "at": "2026-07-01T10:00:00.5Z", "local": "2026-07-01T12:00:00",
        "hour": "13:30:00", "bytes": "AP8=", "list": '["a\\"b",null]', "old": '{"b" :1}', "feels": "so la la",
        "who": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "padded": "ab", "never": "infinity", 'Odd "Name`': "é",
    }  # fmt: skip


def test_a_query_is_read_like_a_table_and_a_missing_required_column_sets_its_rows_aside(crm: Run, postgres: Postgres):
    query = "select email, updated_at from members -- all of them\n;"
    run = _configured(crm, _source(postgres, table=None, query=query))

    result = ingest(run)

    assert (result.rows_in, result.rows_refused) == (10, 10)
    row = run.lake.read(QUARANTINE).first()
    assert row is not None
    assert (row["reasons"], row["_file"]) == (["file lacks id"], "query?updated_at=(,2026-01-01T10:00:00Z]")


def test_rows_without_a_watermark_or_with_one_to_come_are_said_and_hide_no_others(crm: Run, postgres: Postgres):
    postgres.sql("insert into members values (11, 'x', null), (12, 'y', '9999-12-31'), (13, 'z', 'infinity')")

    result = ingest(crm)

    assert result.rows_out == 10
    assert "crm: rows without updated_at, or with one that is still to come, are not read" in result.notes


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"url": "jdbc:postgresql://127.0.0.1:1/crm"}, "jdbc.url: the server cannot be reached"),
        ({"url": "{url}x"}, "jdbc.url: there is no such database"),
        ({"password": "wrong-one"}, "jdbc.user: the server refuses this user or password"),
        ({"password": None}, "jdbc.password: the server wants a password, or another one"),
        ({"table": "public.nobody"}, "jdbc.table: there is no such table"),
        ({"table": "nowhere.members"}, "jdbc.table: there is no such "),
        ({"watermark": "updated"}, "jdbc.watermark: there is no column updated; did you mean updated_at?"),
        ({"watermark": "email"}, "jdbc.watermark: email has the type text, wanted a number, a date or a timestamp"),
        ({"partition_by": "updated_at"}, "jdbc.partition_by: found type timestamptz, wanted a number"),
        ({"table": None, "query": "select nope from members"}, "jdbc.query: it names a column that is not there"),
        ({"table": None, "query": "select from where"}, "jdbc.query: it is no valid SQL"),
        (
            {"table": None, "query": "select id, updated_at from members where 1 / (id - 5) = 0"},
            "jdbc.query: it fails on a value that is there",
        ),
    ],
)
def test_what_the_server_refuses_is_one_line_without_secrets(
    crm: Run, postgres: Postgres, change: dict[str, Any], message: str
):
    change = {key: value.format(url=postgres.url) if key == "url" else value for key, value in change.items()}
    run = _configured(crm, _source(postgres, **change))

    with pytest.raises(UsageError) as refused:
        ingest(run)

    text = str(refused.value)
    assert text.startswith(f"source crm: {message}")
    assert "\n" not in text and PASSWORD not in text and "wrong-one" not in text
    assert not run.lake.exists(FILES)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"path": "x/*"}, "path: belongs to files; a source of format jdbc has its address in jdbc.url"),
        ({"jdbc": None}, "jdbc: missing, but required for format jdbc"),
        ({"format": "csv", "jdbc": None}, "path: missing, but required"),
        ({"format": "csv", "path": "x"}, "jdbc: belongs to format jdbc, found format csv"),
        ({"options": {"delimiter": ";"}}, "options.delimiter: is for files; format jdbc knows timezone only"),
        ({"table": "a; drop"}, "jdbc.table: found 'a; drop', wanted a name such as public.members; a SELECT goes to query"),
        ({"query": "select 1"}, "jdbc: wanted either table or query"),
        ({"partitions": 2}, "jdbc: partitions: needs partition_by, the column to divide by"),
        ({"watermark": None, "lookback": {"count": 1, "period": "day"}}, "jdbc: lookback: has no meaning without a watermark"),
        ({"url": "jdbc:mysql://h/d"}, "jdbc.url: wanted jdbc:postgresql://host:port/database; no other database is read"),
        ({"url": "jdbc:postgresql://h/d?password=p4ss"}, "jdbc.url: wanted user and password in the keys of these names"),
        ({"password": ["p4ss"]}, "jdbc.password: input should be a valid string, found a list"),
        ({"passwort": "p4ss"}, "jdbc.passwort: unknown key; did you mean password?"),
    ],
)
def test_keys_that_do_not_fit_are_named(change: dict[str, Any], message: str):
    source = _source(Postgres(Path(), 5432, ()))
    for key, value in change.items():
        (source if key in ("path", "format", "options", "jdbc") else source["jdbc"])[key] = value

    with pytest.raises(ConfigError) as refused:
        parse(SourceConfig, {k: v for k, v in source.items() if v is not None}, "crm.yaml")

    assert any(problem.startswith(message) for problem in refused.value.problems), refused.value.problems
    assert "p4ss" not in str(refused.value)


def test_a_password_is_in_no_dump_of_the_settings(crm: Run):
    source = load_sources(crm.config)["crm"]

    assert PASSWORD not in f"{source!r} {source.model_dump_json()}"
