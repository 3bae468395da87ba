"""What there is to read, by the sources' formats: files of a folder, files of a Delta table, slices of a database."""

from dataclasses import dataclass, field
from pathlib import Path

from cdp.base.files import FileSystem, FoundFile
from cdp.base.stage import Run
from cdp.bronze.config import SourceConfig
from cdp.bronze.delta import data_files
from cdp.bronze.files import FileLedger
from cdp.bronze.slices import plan_slice


@dataclass
class Listing:
    """What was found.

    Attributes:
        found: extracts of each source, those read before among them.
        gone: of each source those that were read and are no part of their table any more.
        back: of each source those that had gone and are there again.
        tables: sources whose table answered, be it empty.
        notes: what the user should know.
    """

    found: dict[str, list[FoundFile]] = field(default_factory=dict)
    gone: dict[str, list[FoundFile]] = field(default_factory=dict)
    back: dict[str, list[FoundFile]] = field(default_factory=dict)
    tables: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


def list_extracts(
    run: Run, sources: dict[str, SourceConfig], landing: FileSystem, ledger: FileLedger
) -> Listing:
    """Every extract of every source; nothing is read of them, and nothing written.

    Args:
        run: the run.
        sources: those to look at.
        landing: the folder of the extracts.
        ledger: what was read before.

    Raises:
        UsageError: a database or a Delta table is not as its source says.
    """
    listing = Listing()
    if run.full_refresh:
        ledger = FileLedger(frozenset(), frozenset())
    for name, source in sources.items():
        done = ledger.read_of(name)
        if source.format == "jdbc":
            zone = source.timezone_in(run.config.platform)
            new, notes = plan_slice(run.spark, source, zone, done, run.started_at)
            listing.found[name] = [*done, *([new] if new else [])]
            listing.notes += notes
            listing.tables.add(name)
        elif source.format == "delta":
            present = data_files(run.spark, landing.root, source)
            listing.found[name] = present or []
            if present is not None:  # a table that is not there takes no row away: a folder may be missing by mistake
                _compare(listing, name, present, done, ledger)
                listing.tables.add(name)
        else:
            listing.found[name] = landing.glob(source.path)
    return listing


def _compare(
    listing: Listing, name: str, present: list[FoundFile], done: list[FoundFile], ledger: FileLedger
) -> None:
    known_gone = {(path, at) for source, path, at in ledger.gone if source == name}
    there = {(f.path, f.modified_at) for f in present}
    listing.gone[name] = [f for f in done if (f.path, f.modified_at) not in there | known_gone]
    listing.back[name] = [f for f in done if (f.path, f.modified_at) in there & known_gone]


def unclaimed(landing: FileSystem, sources: dict[str, SourceConfig]) -> list[str]:
    """Files in the landing folder that belong to no source (local disks only: elsewhere a listing is dear)."""
    if not landing.is_local:
        return []
    by_glob = [s.path for s in sources.values() if s.format not in ("delta", "jdbc")]
    claimed = {f.path for pattern in by_glob for f in landing.glob(pattern)}
    tables = tuple(f"{s.path.strip('/')}/" for s in sources.values() if s.format == "delta")
    present = (p.relative_to(landing.root) for p in Path(landing.root).rglob("*") if p.is_file())
    shown = (p.as_posix() for p in present if not any(part.startswith((".", "_")) for part in p.parts))
    return sorted(path for path in set(shown) - claimed if not path.startswith(tables))
