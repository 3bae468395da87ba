"""The replay stage: rows of quarantine are judged anew after the configuration or other data was mended.

Rows that pass are appended to bronze before they leave quarantine, and only those that are not there yet. Between the
two a note in the lake names the sources, so that whatever runs next finishes what was killed.
"""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.base.contracts import Table
from cdp.base.errors import UsageError
from cdp.base.files import FileSystem
from cdp.base.lake import Lake
from cdp.base.settings import ConfigFolder, did_you_mean
from cdp.base.stage import Account, Run, Stage, StageResult
from cdp.bronze.config import SourceConfig, load_sources
from cdp.bronze.files import read_ledger, take_out_unfinished
from cdp.bronze.lineage import bronze_table, for_bronze, marks_of
from cdp.bronze.read.again import read_again
from cdp.bronze.references import reading_order
from cdp.bronze.relationships import with_parents
from cdp.bronze.rules import with_reasons
from cdp.bronze.tally import broken_by, counted, notes_on
from cdp.tables.bronze import LINEAGE, QUARANTINE, source_table

PLACE = ["_file", "_file_modified_at", "_file_row"]
_MARKER = "_cdp/replay.json"


@dataclass
class _Replayed:
    """What became of a source's rows in quarantine."""

    rows: int = 0
    taken: int = 0
    refused: int = 0
    left: DataFrame | None = None
    notes: list[str] = field(default_factory=list)
    broken_rules: list[str] = field(default_factory=list)


def add_options(parser: ArgumentParser) -> None:
    """The options of ingest that concern replay."""
    parser.add_argument("--replay", action="store_true", help="judge rows of quarantine anew, read no new files")
    parser.add_argument("--source", metavar="NAME", nargs="+", default=[], help="with --replay: only these sources")
    parser.add_argument("--reason", metavar="TEXT", help="with --replay: only rows with a reason that holds this")


def prepare(arguments: Namespace, stages: list[Stage]) -> list[Stage]:
    """The stage that the options ask for.

    Raises:
        UsageError: options that do not go together.
    """
    if not arguments.replay:
        for option in ("source", "reason"):
            if getattr(arguments, option):
                raise UsageError(f"--{option} goes with --replay; `ingest --select NAME` reads the new files of some sources")
        return stages
    if arguments.full_refresh:
        raise UsageError("--replay and --full-refresh do not go together: a full refresh reads every file anew")
    return [STAGE]


def replay(run: Run) -> StageResult:
    """Take in what quarantine holds and today's configuration has nothing against."""
    every = load_sources(run.config)
    names = _chosen(run, every)
    finish_replay(run.lake)
    take_out_unfinished(run.lake, read_ledger(run.lake), {name: bronze_table(every[name]) for name in names})
    held = {name: every[name] for name in _held_sources(run.lake) if name in names}
    if not held:
        return StageResult(rows_in=0, rows_out=0, notes=("nothing to replay",))
    _note(run.lake, list(held))
    order = [name for group in reading_order(every, list(held)) for name in group]
    replayed = {name: _replay(run, every, name) for name in order}
    _settle(run.lake, {name: result.left for name, result in replayed.items() if result.left is not None})
    _note(run.lake, [])
    accounts = tuple(
        Account(name, rows_in=one.rows, rows_out=one.taken, rows_refused=one.refused) for name, one in replayed.items()
    )
    return StageResult(
        rows_in=sum(a.rows_in for a in accounts),
        rows_out=sum(a.rows_out for a in accounts),
        rows_refused=sum(a.rows_refused for a in accounts),
        accounts=accounts,
        notes=tuple(note for one in replayed.values() for note in one.notes),
        broken_rules=tuple(rule for one in replayed.values() for rule in one.broken_rules),
    )


def finish_replay(lake: Lake) -> None:
    """Take out of quarantine what a replay that was killed has put into bronze."""
    text = lake.files.read_text(_MARKER)
    names: list[str] = json.loads(text)["sources"] if text else []
    if not names:
        return
    held = {name: _quarantined(lake, name) for name in names}
    _settle(lake, {name: _not_in(rows, _there(lake, name, rows)) for name, rows in held.items()})
    _note(lake, [])


def _chosen(run: Run, every: dict[str, SourceConfig]) -> list[str]:
    wanted = [*run.select, *run.options.get("source", [])]
    for name in wanted:
        if name not in every:
            raise UsageError(f"--source {name}: no such source{did_you_mean(name, list(every))}")
    return [name for name in every if not wanted or name in wanted]


def _held_sources(lake: Lake) -> list[str]:
    rows = lake.read(QUARANTINE).where(F.col("stage") == "ingest").select("_source").distinct()
    return sorted(row["_source"] for row in rows.collect())  # a row a source


def _quarantined(lake: Lake, source: str) -> DataFrame:
    return lake.read(QUARANTINE).where((F.col("stage") == "ingest") & (F.col("_source") == source))


def _replay(run: Run, sources: dict[str, SourceConfig], name: str) -> _Replayed:
    source = sources[name]
    held = _quarantined(run.lake, source.name)
    current, replaced = _split(run, source, held)
    judged = _judged(run, sources, source, current)
    wanted = judged.where(F.col("_is_asked"))
    table = bronze_table(source)
    observed, seen = counted(wanted, source)
    there = _there(run.lake, source.name, held)
    taken = run.lake.append(table, for_bronze(_not_in(observed, there), table))
    counts = seen.get
    left = _not_in(_still_held(judged).unionByName(replaced), _there(run.lake, source.name, held))
    result = _Replayed(rows=counts["read"], taken=taken, refused=counts["refused"], left=left)
    result.notes = [f"{source.name}: {taken:,} of {counts['read']:,} rows taken in", *notes_on(source, counts)]
    result.broken_rules = broken_by(source, counts)
    return result


def _split(run: Run, source: SourceConfig, held: DataFrame) -> tuple[DataFrame, DataFrame]:
    """Rows of the newest versions of files, and those of versions that were replaced since."""
    older = read_ledger(run.lake).replaced_of(source.name)
    listed = run.spark.createDataFrame(older, "_file string, _file_modified_at timestamp")
    on = ["_file", "_file_modified_at"]
    return held.join(F.broadcast(listed), on=on, how="left_anti"), held.join(F.broadcast(listed), on=on, how="left_semi")


def _judged(run: Run, sources: dict[str, SourceConfig], source: SourceConfig, held: DataFrame) -> DataFrame:
    """All rows of the source, as what is unique is judged among them; `_is_asked` are those that the user means."""
    reason = run.options.get("reason")
    sent = held.select(*PLACE, "raw", "reasons", F.struct(*[c.name for c in LINEAGE], "raw", "reasons").alias("_sent"))
    rows = read_again(run.spark, source, FileSystem(run.spark, run.landing), sent)
    rows = rows.withColumns(
        {
            "_source": F.lit(source.name),
            **marks_of(run),
            "_row_hash": F.col("_sent._row_hash"),
            "_is_asked": _holds(F.col("_sent.reasons"), reason) if reason else F.lit(True),
        }
    )
    rows = with_parents(run.lake, rows, source, sources)
    timezone = source.timezone_in(run.config.platform)
    # What was delivered in different batches was never compared, and is not now.
    return with_reasons(rows, source, timezone, batch=[F.col("_sent._batch_id")])


def _holds(reasons: Column, text: str) -> Column:
    return F.exists(reasons, lambda reason: F.contains(F.lower(reason), F.lit(text.lower())))


def _still_held(judged: DataFrame) -> DataFrame:
    """The rows as quarantine has them, those that were asked for with the reasons of today."""
    today = F.when(F.col("_is_asked") & (F.size("_reasons") > 0), F.col("_reasons"))
    return judged.select(
        *[F.col(f"_sent.{c.name}").alias(c.name) for c in LINEAGE],
        F.lit("ingest").alias("stage"),
        F.col("_sent.raw").alias("raw"),
        F.coalesce(today, F.col("_sent.reasons")).alias("reasons"),
    )


def _there(lake: Lake, source: str, held: DataFrame) -> DataFrame:
    """Places of quarantined rows that bronze has already."""
    bronze = lake.read(source_table(source, ())).select(*PLACE)
    return bronze.join(held.select(*PLACE), on=PLACE, how="left_semi")


def _not_in(rows: DataFrame, places: DataFrame) -> DataFrame:
    return rows.join(places, on=PLACE, how="left_anti")


def _settle(lake: Lake, left: dict[str, DataFrame]) -> None:
    """Put what is left in place of the sources' rows, in one write."""
    columns = [c.name for c in QUARANTINE.columns]
    rows = reduce(DataFrame.unionByName, [frame.select(*columns) for frame in left.values()])
    listed = ", ".join(f"'{name}'" for name in left)
    lake.replace(QUARANTINE, rows, where=f"stage = 'ingest' AND _source IN ({listed})")


def _note(lake: Lake, sources: Sequence[str]) -> None:
    lake.files.write_text(_MARKER, json.dumps({"sources": list(sources)}) + "\n")


def _writes(config: ConfigFolder) -> list[Table]:
    return [*map(bronze_table, load_sources(config).values()), QUARANTINE]


STAGE = Stage(
    name="replay",
    title="judging rows of quarantine anew",
    run=replay,
    reads=lambda config: (),
    writes=_writes,
    settings=load_sources,
    is_dated=False,
    always=True,
)
