"""The ingest stage: new extracts into bronze, what cannot be used into quarantine, each file exactly once."""

from dataclasses import dataclass, field
from functools import partial

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.base.contracts import Table
from cdp.base.errors import UsageError
from cdp.base.files import FileSystem, FoundFile
from cdp.base.settings import ConfigFolder
from cdp.base.stage import Account, Run, Stage, StageResult
from cdp.bronze.config import SourceConfig, load_sources, select_sources
from cdp.bronze.extracts import list_extracts, unclaimed
from cdp.bronze.files import FileLedger, forget_source, note_files, read_ledger, take_back_gone, take_out_unfinished
from cdp.bronze.freshness import freshness
from cdp.bronze.lineage import bronze_table, for_bronze, for_quarantine, with_lineage
from cdp.bronze.read import read_files
from cdp.bronze.references import reading_order
from cdp.bronze.relationships import with_parents
from cdp.bronze.replay import finish_replay
from cdp.bronze.rules import with_reasons
from cdp.bronze.tally import broken_by, counted, notes_on, refused_among
from cdp.bronze.volume import volume
from cdp.tables.bronze import QUARANTINE
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


def ingest(run: Run) -> StageResult:
    """Read every new file of every selected source."""
    every = load_sources(run.config)
    sources = select_sources(every, run.select, str(run.config.path / "sources"))
    finish_replay(run.lake)
    landing = FileSystem(run.spark, run.landing)
    ledger = read_ledger(run.lake)
    listing = list_extracts(run, sources, landing, ledger)
    found = listing.found
    if not any(found.values()) and not listing.tables:
        wanted = ", ".join(source.path for source in list(sources.values())[:5])
        raise UsageError(f"--landing {run.landing}: found no extract, wanted files such as {wanted}")
    new = _new_files(run, sources, found, ledger)
    batch = {name: files for name, files in new.items() if files}
    landed = _read_batch(run, every, landing, batch, listing.gone) if batch or any(listing.gone.values()) else {}
    for name, files in listing.back.items():
        take_back_gone(run.lake, name, files)
    strangers = unclaimed(landing, every) if not run.select else []
    large, too_large = volume(run, sources, {name: one.read for name, one in landed.items()})
    notes = [f"{len(strangers)} files belong to no source, e.g. {strangers[0]}"] if strangers else []
    notes, broken = [*notes, *listing.notes, *large], too_large
    for name, source in sources.items():
        late_note, late_rule = freshness(source, found[name], run.started_at)
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
    run: Run, sources: dict[str, SourceConfig], found: dict[str, list[FoundFile]], ledger: FileLedger
) -> dict[str, list[FoundFile]]:
    lake = run.lake
    tables = {name: bronze_table(source) for name, source in sources.items()}
    take_out_unfinished(lake, ledger, tables)
    for name, table in tables.items():
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
    if not any(sources[name].jdbc for name in batch):  # a database does not say how much there is
        run.fit_session(lambda: sum(file.size for files in batch.values() for file in files))
    note_files(run.lake, run.run_id, batch, state="planned", noted_at=run.started_at)
    landed: dict[str, _Landed] = {}
    for names in reading_order(sources, list(batch)):
        results = run.lake.together([partial(_land, run, sources, n, landing, batch[n]) for n in names])
        landed |= zip(names, results, strict=True)
    refused = [result.unreadable for result in landed.values() if result.unreadable is not None]
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


def _land(
    run: Run, sources: dict[str, SourceConfig], name: str, landing: FileSystem, files: list[FoundFile]
) -> _Landed:
    source = sources[name]
    timezone = source.timezone_in(run.config.platform)
    rows = read_files(run.spark, source, landing.root, files, is_local=landing.is_local)
    rows = with_parents(run.lake, rows, source, sources)
    judged, table = with_reasons(rows, source, timezone), bronze_table(source)
    observed, seen = counted(judged, source)
    kept = run.lake.append(table, for_bronze(with_lineage(observed, source, run), table))
    counts = seen.get
    landed = _Landed(read=counts["read"], kept=kept)
    if counts["refused"]:
        landed.unreadable = for_quarantine(with_lineage(refused_among(judged, counts), source, run), source)
    landed.notes, landed.broken_rules = notes_on(source, counts), broken_by(source, counts)
    return landed


def _account(name: str, landed: _Landed) -> Account:
    return Account(name, rows_in=landed.read, rows_out=landed.kept, rows_refused=landed.refused)


def _file_notes(name: str, source: SourceConfig, files: list[FoundFile]) -> list[str]:
    if not files:
        return [f"{name}: found no {'row' if source.jdbc else 'file'} for {source.place}"]
    empty = [f.path for f in files if f.size == 0 and not source.jdbc]
    return [f"{name}: {len(empty)} empty files, e.g. {empty[0]}"] if empty else []


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
