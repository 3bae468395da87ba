"""The ingest stage: new extracts into bronze, what cannot be used into quarantine, each file exactly once."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F

from cdp.base.contracts import Table
from cdp.base.errors import UsageError
from cdp.base.files import FileSystem, FoundFile
from cdp.base.settings import ConfigFolder
from cdp.base.stage import Account, Run, Stage, StageResult
from cdp.bronze.config import Age, SourceConfig, load_sources, select_sources
from cdp.bronze.extracts import list_extracts, unclaimed
from cdp.bronze.files import forget_source, note_files, read_ledger, take_back_gone, take_out_batch
from cdp.bronze.read import read_files
from cdp.bronze.rules import with_reasons
from cdp.tables.bronze import LINEAGE, QUARANTINE, source_table
from cdp.tables.ops import FILES


@dataclass
class _Landed:
    """What became of one source's new files."""

    read: int = 0
    kept: int = 0
    unreadable: DataFrame | None = None
    refused: int = 0
    notes: list[str] = field(default_factory=list)
    broken_rules: list[str] = field(default_factory=list)


def bronze_table(source: SourceConfig) -> Table:
    """The bronze table of a source."""
    return source_table(source.name, [(c.name, c.description or "") for c in source.columns])


def ingest(run: Run) -> StageResult:
    """Read every new file of every selected source."""
    every = load_sources(run.config)
    sources = select_sources(every, run.select, str(run.config.path / "sources"))
    landing = FileSystem(run.spark, run.landing)
    listing = list_extracts(run, sources, landing)
    found = listing.found
    if not any(found.values()) and not listing.tables:
        wanted = ", ".join(source.path for source in list(sources.values())[:5])
        raise UsageError(f"--landing {run.landing}: found no extract, wanted files such as {wanted}")
    new = _new_files(run, sources, found)
    batch = {name: files for name, files in new.items() if files}
    landed = _read_batch(run, sources, landing, batch, listing.gone) if batch or any(listing.gone.values()) else {}
    for name, files in listing.back.items():
        take_back_gone(run.lake, name, files)
    strangers = unclaimed(landing, every) if not run.select else []
    notes = [f"{len(strangers)} files belong to no source, e.g. {strangers[0]}"] if strangers else []
    notes += listing.notes
    broken = []
    for name, source in sources.items():
        late_note, late_rule = _freshness(source, found[name], run.started_at)
        notes += [*_file_notes(name, source, found[name]), *late_note, *(landed[name].notes if name in landed else [])]
        broken += [*late_rule, *(landed[name].broken_rules if name in landed else [])]
    accounts = tuple(_account(name, landed.get(name, _Landed())) for name in sources)
    return StageResult(
        rows_in=sum(a.rows_in for a in accounts),
        rows_out=sum(a.rows_out for a in accounts),
        rows_refused=sum(a.rows_refused for a in accounts),
        accounts=accounts,
        notes=tuple(notes),
        broken_rules=tuple(broken),
    )


def _new_files(
    run: Run, sources: dict[str, SourceConfig], found: dict[str, list[FoundFile]]
) -> dict[str, list[FoundFile]]:
    lake, ledger = run.lake, read_ledger(run.lake)
    for name, source in sources.items():
        table = bronze_table(source)
        for batch_id in sorted(b for b, s in ledger.unfinished if s == name):
            take_out_batch(lake, table, name, batch_id)
        if run.full_refresh or (not ledger.knows(name) and lake.exists(table)):
            forget_source(lake, table, name)
    if run.full_refresh:
        return dict(found)
    return {name: ledger.new_files(name, files) for name, files in found.items()}


def _read_batch(
    run: Run,
    sources: dict[str, SourceConfig],
    landing: FileSystem,
    batch: dict[str, list[FoundFile]],
    gone: dict[str, list[FoundFile]],
) -> dict[str, _Landed]:
    note_files(run.lake, run.run_id, batch, state="planned", noted_at=run.started_at)
    names = list(batch)
    results = run.lake.together([partial(_land, run, sources[n], landing, batch[n]) for n in names])
    landed = dict(zip(names, results, strict=True))
    refused = [result.unreadable for result in results if result.unreadable is not None]
    if refused:
        union = refused[0]
        for frame in refused[1:]:
            union = union.unionByName(frame)
        run.lake.append(QUARANTINE, union)
        in_batch = run.lake.read(QUARANTINE).where((F.col("_batch_id") == run.run_id) & (F.col("stage") == "ingest"))
        for row in in_batch.groupBy("_source").count().collect():  # a row a source
            landed[row["_source"]].refused = row["count"]
    note_files(run.lake, run.run_id, batch, state="read", noted_at=run.started_at)
    note_files(run.lake, run.run_id, gone, state="gone", noted_at=run.started_at)
    return landed


def _land(run: Run, source: SourceConfig, landing: FileSystem, files: list[FoundFile]) -> _Landed:
    timezone = source.options.timezone or run.config.platform.timezone
    rows = read_files(run.spark, source, landing.root, files, is_local=landing.is_local)
    rows = with_reasons(rows, source, timezone)
    seen = Observation()
    undeclared = F.map_keys(F.coalesce("_extra", F.create_map().cast("map<string,string>")))
    rows = rows.observe(
        seen,
        F.count(F.lit(1)).alias("read"),
        F.count_if(F.size("_reasons") > 0).alias("refused"),
        F.count_if(F.size("_warnings") > 0).alias("warned"),
        F.count_if(F.size("_errors") > 0).alias("errors"),
        F.array_distinct(F.flatten(F.collect_set(undeclared))).alias("undeclared"),
        F.count_if("_recoded").alias("recoded"),
        F.collect_set(_unreadable_file()).alias("files"),
    )
    rows = _with_lineage(rows, source, run)
    table = bronze_table(source)
    kept = run.lake.append(table, rows.where(F.size("_reasons") == 0).select([f"`{c.name}`" for c in table.columns]))
    counts = seen.get
    landed = _Landed(read=counts["read"], kept=kept)
    if counts["refused"]:
        landed.unreadable = _quarantined(rows, source)
        landed.notes.append(f"{source.name}: {counts['refused']:,} of {counts['read']:,} rows in quarantine")
    if counts["files"]:
        shown = sorted(counts["files"])
        more = f" and {len(shown) - 5:,} more files" if len(shown) > 5 else ""
        landed.notes.append(f"{source.name}: not read to the end: {'; '.join(shown[:5])}{more}")
    if counts["recoded"]:
        landed.notes.append(f"{source.name}: {counts['recoded']:,} rows are not UTF-8 and were read as windows-1252")
    if counts["undeclared"]:
        landed.notes.append(f"{source.name}: undeclared columns kept in _extra: {', '.join(sorted(counts['undeclared']))}")
    if counts["warned"]:
        landed.notes.append(f"{source.name}: {counts['warned']:,} rows break a rule of severity warn")
    if counts["errors"]:
        landed.broken_rules.append(f"{source.name}: {counts['errors']:,} rows break a rule of severity error")
    return landed


def _unreadable_file() -> Column:
    """What is wrong with a file, on the row that stands for it."""
    return F.when(F.startswith("_problem", F.lit("file ")), F.concat("_file", F.lit(": "), "_problem"))


def _with_lineage(rows: DataFrame, source: SourceConfig, run: Run) -> DataFrame:
    as_sent = F.to_json(F.struct(*[F.col(f"`{c.name}`") for c in source.columns], "_extra"))
    values = {
        "_source": F.lit(source.name),
        "_ingested_at": F.lit(run.started_at),
        "_batch_id": F.lit(run.run_id),
        "_run_id": F.lit(run.run_id),
        "_row_hash": F.sha2(F.coalesce("_corrupt", as_sent), 256),
    }
    return rows.withColumns(values)


def _quarantined(rows: DataFrame, source: SourceConfig) -> DataFrame:
    as_sent = F.to_json(F.struct(*[F.col(f"`{c.name}`") for c in source.columns], "_extra"))
    return rows.where(F.size("_reasons") > 0).select(
        *[c.name for c in LINEAGE],
        F.lit("ingest").alias("stage"),
        F.coalesce("_corrupt", as_sent).alias("raw"),
        F.col("_reasons").alias("reasons"),
    )


def _account(name: str, landed: _Landed) -> Account:
    return Account(name, rows_in=landed.read, rows_out=landed.kept, rows_refused=landed.refused)


def _file_notes(name: str, source: SourceConfig, files: list[FoundFile]) -> list[str]:
    if not files:
        return [f"{name}: found no {'row' if source.jdbc else 'file'} for {source.place}"]
    empty = [f.path for f in files if f.size == 0 and not source.jdbc]
    return [f"{name}: {len(empty)} empty files, e.g. {empty[0]}"] if empty else []


def _freshness(
    source: SourceConfig, files: list[FoundFile], now: datetime
) -> tuple[list[str], list[str]]:
    """Notes and broken rules for a source whose newest file is too old."""
    if not source.freshness or not files:
        return [], []
    age = now - max(f.modified_at for f in files)
    text = f"{source.name}: newest {'row' if source.jdbc else 'file'} is {age.total_seconds() / 3600:.0f} hours old"
    if source.freshness.error_after and age > _span(source.freshness.error_after):
        return [], [text]
    if source.freshness.warn_after and age > _span(source.freshness.warn_after):
        return [text], []
    return [], []


def _span(age: Age) -> timedelta:
    return timedelta(**{f"{age.period}s": age.count})


def _writes(config: ConfigFolder) -> list[Table]:
    return [*map(bronze_table, load_sources(config).values()), QUARANTINE, FILES]


STAGE = Stage(
    name="ingest",
    title="reading new extracts into bronze",
    run=ingest,
    reads=lambda config: (),
    writes=_writes,
    settings=load_sources,
    is_dated=False,
    always=True,
    reads_landing=True,
)
