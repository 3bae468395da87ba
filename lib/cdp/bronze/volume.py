"""Whether a delivery is as large as a source's deliveries usually are."""

from collections.abc import Mapping
from statistics import median

from pyspark.sql import Window
from pyspark.sql import functions as F

from cdp.base.stage import Run
from cdp.bronze.config import Band, SourceConfig
from cdp.tables.ops import RECONCILIATION

_FEWEST = 3
"""Deliveries without which nothing is usual."""


def volume(run: Run, sources: Mapping[str, SourceConfig], read: Mapping[str, int]) -> tuple[list[str], list[str]]:
    """Notes and broken rules on deliveries that are far from what the source usually sends.

    Args:
        run: the run; its ledger knows the deliveries before.
        sources: the sources.
        read: rows read of each. A source that sent nothing is a matter of freshness.
    """
    judged = {name: s for name, s in sources.items() if s.volume is not None and read.get(name)}
    if not judged or run.full_refresh:  # all there ever was is no delivery
        return [], []
    notes: list[str] = []
    broken: list[str] = []
    for name, before in _before(run, judged).items():
        limits = judged[name].volume
        assert limits is not None
        usual, rows = median(before), read[name]
        for band, found in ((limits.error, broken), (limits.warn, notes)):
            if len(before) >= _FEWEST and band is not None and _is_beyond(rows / usual, band):
                found.append(
                    f"{name}: read {rows:,} rows, wanted {_wanted(band)} times the {usual:,.0f} of the median of its last"
                    f" {len(before)} deliveries"
                )
                break
    return notes, broken


def _before(run: Run, sources: Mapping[str, SourceConfig]) -> dict[str, list[int]]:
    """Rows of the last deliveries of each source: some rows a source come to the driver."""
    most = {name: s.volume.deliveries for name, s in sources.items() if s.volume is not None}
    own = F.col("subject").isin(list(most)) & (F.col("stage") == "ingest") & (F.col("run_id") != run.run_id)
    ledger = run.lake.read(RECONCILIATION).where(own & (F.col("rows_in") > 0))
    newest = Window.partitionBy("subject").orderBy(F.col("run_id").desc())
    last = ledger.withColumn("_number", F.row_number().over(newest)).where(F.col("_number") <= max(most.values()))
    before: dict[str, list[int]] = {}
    for row in last.select("subject", "_number", "rows_in").collect():
        if row["_number"] <= most[row["subject"]]:
            before.setdefault(row["subject"], []).append(row["rows_in"])
    return before


def _is_beyond(share: float, band: Band) -> bool:
    return (band.min is not None and share < band.min) or (band.max is not None and share > band.max)


def _wanted(band: Band) -> str:
    low = f"at least {band.min:g}" if band.min is not None else ""
    high = f"at most {band.max:g}" if band.max is not None else ""
    return " and ".join(filter(None, (low, high)))
