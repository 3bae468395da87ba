"""How far cleaning has come: what it made of each source, so that the next run looks only at what is new."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cdp.base.contracts import Table
from cdp.base.fingerprints import code_hash, hash_of, plain
from cdp.base.lake import Lake
from cdp.base.stage import Run
from cdp.bronze.config import SourceConfig
from cdp.silver.tracking_plan import TrackingPlan
from cdp.tables.ops import CLEANED


@dataclass(frozen=True)
class Progress:
    """What was cleaned of a source.

    Attributes:
        fingerprint: `fingerprint` of what it was cleaned by.
        version: that of the bronze table.
        rows: in bronze.
        batches: that were in bronze.
    """

    fingerprint: str
    version: int
    rows: int
    batches: tuple[str, ...]


def fingerprint(run: Run, source: SourceConfig, plan: TrackingPlan, replaced: Sequence[object]) -> str:
    """Hash of all that what is made of a row depends on, beside the rows of its source."""
    return hash_of(
        {
            "source": plain(source),
            "platform": plain(run.config.platform),
            "plan": plain(plan) if plan.holds(source.name) else None,
            "replaced": [str(version) for version in replaced],
            "code": code_hash(),
        }
    )


def read_progress(lake: Lake, tables: Sequence[Table]) -> dict[str, Progress]:
    """Progress by source. Nothing, where a table is not as the last whole run left it: killed half way, or restored."""
    rows = lake.read(CLEANED).collect()  # a row a source
    now = {table.name: lake.version(table) for table in tables}
    if any(row["tables"] != now for row in rows):
        return {}
    return {row["source"]: Progress(row["fingerprint"], row["version"], row["rows"], tuple(row["batches"])) for row in rows}


def note_progress(lake: Lake, progress: Mapping[str, Progress], tables: Sequence[Table]) -> None:
    """Write down how far cleaning has come: the last thing it does."""
    now = {table.name: lake.version(table) for table in tables}
    rows = [(name, p.fingerprint, p.version, p.rows, list(p.batches), now) for name, p in progress.items()]
    lake.replace(CLEANED, lake.spark.createDataFrame(rows, CLEANED.schema).coalesce(1))
