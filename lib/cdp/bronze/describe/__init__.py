"""Looks at an extract and proposes the source that reads it, for a person to correct. Needs no Spark.

No value of a personal column is in what is proposed. Types are such that every value that was looked at can be read.
"""

from pathlib import Path

from cdp.bronze.describe.delimited import read_delimited
from cdp.bronze.describe.documents import looks_like_json, read_documents
from cdp.bronze.describe.facts import facts_of, null_word
from cdp.bronze.describe.found import Entity, Source
from cdp.bronze.describe.keys import find_key, last_change
from cdp.bronze.describe.naming import source_name, source_path
from cdp.bronze.describe.opened import ENDINGS, Opened, open_extract
from cdp.bronze.describe.parquet import read_parquet
from cdp.bronze.describe.people import consents, customer_record, lacks_key
from cdp.bronze.describe.settle import settled
from cdp.bronze.describe.table import Table
from cdp.bronze.describe.trade import events, trade_entities
from cdp.bronze.describe.writer import column_lines, entity_lines, flow, option_lines

__all__ = ["ENDINGS", "describe_extract"]


def describe_extract(path: Path) -> str:
    """A source's YAML, proposed by what a file holds.

    Of a big file the first 100,000 rows, million values or 32 MB are looked at; memory stays below half a gigabyte.

    Args:
        path: an extract, or a folder of them, of which the newest is looked at.

    Returns:
        YAML with comments: what was seen of each column, and `check:` where a person has to decide.

    Raises:
        UsageError: there is no such file, or nothing in it that can be ingested.
    """
    opened = open_extract(path)
    table = _read(opened)
    word = null_word(table)
    if word is not None:
        table.options["null_value"] = word
    columns = settled(facts_of(table, word))
    name = source_name(opened.path, opened.folder)
    moment, moment_note = last_change([c.own for c in columns])
    key = find_key(table, [c.own for c in columns], moment)
    source = Source(name, columns, key.columns)
    lines = [
        *_opening(opened, table),
        f"name: {name}",
        f"format: {table.format}",
        f"path: {flow(source_path(opened.path, opened.folder, name))}  # check: where the files lie below the landing folder",
        *option_lines(table.options),
        *([f"# check: {key.note}"] if key.note else []),
        f"primary_key: {flow(list(key.columns))}" if key.columns else "# check: no few columns name a row; `primary_key: [...]`",
        *([f"# check: {moment_note}"] if moment and moment_note else []),
        *([f"occurred_at: {flow(moment)}"] if moment else []),
        "columns:",
        *[line for c in columns for line in column_lines(c, key.columns, has_names=table.has_names)],
        *entity_lines(_entities(source), lacks_key=lacks_key(source)),
    ]
    return "\n".join(lines) + "\n"


def _read(opened: Opened) -> Table:
    if opened.is_parquet:
        return read_parquet(opened)
    return read_documents(opened) if looks_like_json(opened.data) else read_delimited(opened)


def _entities(source: Source) -> list[Entity]:
    acts = events(source)
    trade = [] if acts else trade_entities(source)
    is_of_people = not acts and not any(e.kind in ("campaign_cost", "product") for e in trade)
    is_statement = source.has("purpose") and source.has("status")
    record = customer_record(source, trade) if is_of_people and not is_statement else None
    return [*([record] if record else []), *acts, *trade, *consents(source, record)]


def _opening(opened: Opened, table: Table) -> list[str]:
    looked_at = f"all {table.rows:,} rows were" if table.is_whole else f"the first {table.rows:,} rows, not all, were"
    file = opened.path.name if opened.path.name.isprintable() else "an extract"
    newest = ", the newest of its folder" if opened.folder else ""
    return [
        f"# Proposed by `cdp describe` from {file}{newest}: {looked_at} looked at.",
        "# What is guessed is for you to correct; `check:` marks what somebody has to decide who knows the extract.",
        *[f"# check: {note}" for note in table.notes],
    ]


