"""The activate stage: asks consent again, sends what changed, and remembers what each destination holds."""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.activation.config import Destination
from cdp.activation.fates import candidates, fates, removals
from cdp.activation.files import ACTIONS, FileKey, file_names, file_rows, write_empty, write_files
from cdp.activation.layouts import composed
from cdp.activation.load import identifier_type_of, load_destinations, rank_of
from cdp.activation.people import attributes_of, members, people
from cdp.base.contracts import Table
from cdp.base.settings import ConfigFolder, refuse_unknown
from cdp.base.stage import Account, Run, Stage, StageResult
from cdp.conditions.clock import Clock
from cdp.segments.evaluate import SOURCES
from cdp.segments.load import catalogue_of
from cdp.tables.activation import DELIVERED_MEMBERS, DELIVERIES
from cdp.tables.gold import (
    CUSTOMER_IDENTIFIERS,
    EFFECTIVE_CONSENT,
    PREDICTIONS,
    PROFILES,
    RECOMMENDATIONS,
    SEGMENT_MEMBERS,
    TRAITS,
)
from cdp.tables.journeys import JOURNEY_MEMBERS

FOLDER = "activation"


@dataclass(frozen=True)
class _Counts:
    """Members of a destination by what became of them: {(segment, action, outcome): people}."""

    of: Mapping[tuple[str, str, str], int]

    def total(self, *, action: str | None = None, outcome: str | None = None) -> int:
        return sum(
            n
            for (_, a, o), n in self.of.items()
            if (action is None or a == action) and (outcome is None or o == outcome)
        )


def activate(run: Run) -> StageResult:
    """Deliver the segments; see `docs/activation.md`."""
    destinations = _chosen(run)
    if not destinations:
        return StageResult(rows_in=0, rows_out=0, notes=("no destinations in the configuration",))
    lake = run.lake
    held = lake.read(DELIVERED_MEMBERS)
    mine = F.col("destination").isin([d.name for d in destinations])
    fate = fates(_candidates(run, destinations), held.where(mine)).persist()
    counts = _counted(fate, destinations)
    if not run.dry_run:
        _deliver(run, destinations, fate, counts, held.where(~mine))
    fate.unpersist()
    results = [_result(run, d, counts[d.name]) for d in destinations]
    orphans = held.where(~F.col("destination").isin(list(load_destinations(run.config)))).select(
        "destination"
    )
    gone = sorted(row["destination"] for row in orphans.distinct().collect())  # one row a destination
    warnings = [
        f"{name} still holds people, but is no longer configured: nothing can be removed there"
        for name in gone
    ]
    return StageResult(
        rows_in=sum(a.rows_in for a, _ in results),
        rows_out=sum(a.rows_out for a, _ in results),
        rows_refused=sum(a.rows_refused for a, _ in results),
        accounts=tuple(a for a, _ in results),
        notes=(*[note for _, note in results], *warnings),
        outputs=tuple((f"files for {d.name}", f"{lake.root}/{FOLDER}/{d.name}") for d in destinations),
    )


def _chosen(run: Run) -> list[Destination]:
    found = load_destinations(run.config)
    refuse_unknown(run.select, found, "destination")
    return [d for name, d in found.items() if not run.select or name in run.select]


def _candidates(run: Run, destinations: Sequence[Destination]) -> DataFrame:
    lake = run.lake
    there = members(lake.read(SEGMENT_MEMBERS), lake.read(JOURNEY_MEMBERS), destinations)
    catalogue = catalogue_of(run.config)
    sources = {a.source for a in attributes_of(destinations, catalogue)} & set(SOURCES) | {"profile"}
    tables = {source: lake.read(SOURCES[source]) for source in sources}
    reached = there.select("customer_id").distinct()
    tables["profile"] = tables["profile"].join(reached, on="customer_id", how="left_semi")
    fields = [f for d in destinations for f in d.fields]
    fans_out = any(d.layout != "plain" for d in destinations)
    if fans_out or any(identifier_type_of(f) for f in fields):
        tables["identifiers"] = lake.read(CUSTOMER_IDENTIFIERS)
    if any(rank_of(f) for f in fields):
        tables["recommendations"] = lake.read(RECOMMENDATIONS)
    known = people(tables, destinations, Clock(run.as_of), catalogue)
    return candidates(
        there, lake.read(EFFECTIVE_CONSENT), composed(known) if fans_out else known, destinations
    )


def _counted(fate: DataFrame, destinations: Iterable[Destination]) -> dict[str, _Counts]:
    # A row for each destination, segment and outcome, however many people there are.
    rows = fate.groupBy("destination", "segment", "action", "outcome").count().collect()
    return {
        d.name: _Counts({(r[1], r[2], r[3]): r[4] for r in rows if r["destination"] == d.name})
        for d in destinations
    }


def _deliver(
    run: Run,
    destinations: Sequence[Destination],
    fate: DataFrame,
    counts: Mapping[str, _Counts],
    others: DataFrame,
) -> None:
    """Files first, then the account of them, then what the destinations hold: killed in between, all is done again.

    Until the last of these three is written the state, and with it the number of the batch, is as before, so that the
    same call gives the same files and replaces the same rows of the account.
    """
    lake = run.lake
    version = lake.version(DELIVERED_MEMBERS)
    batch = 0 if version is None else version + 1
    root = lake.local_path(FOLDER)
    names = _file_names(run, root, destinations, batch)
    gone = removals(fate)
    staging = root / f".{run.run_id}"

    def send(destination: Destination) -> None:
        moved = [counts[destination.name].total(action=a, outcome="sent") for a in ACTIONS]
        if sum(moved):
            write_files(file_rows(fate, gone, destination), destination, names, staging)
        for segment in destination.audiences:
            # Only ever once: a tool that is set up to fetch files finds one. Later no file means no change.
            name = names[destination.name, segment, "add"]
            if not any(name.parent.glob(f"*_add*.{destination.format}")):
                write_empty(destination, name)

    lake.together([partial(send, d) for d in destinations])
    shutil.rmtree(staging, ignore_errors=True)
    listed = ", ".join(f"'{d.name}'" for d in destinations)
    slice_ = f"batch = {batch} AND delivered_on = DATE'{run.as_of.isoformat()}' AND destination IN ({listed})"
    lake.replace(DELIVERIES, _account(run, fate, names, root, batch), where=slice_)
    is_changed = any(c.total(action=a, outcome="sent") for c in counts.values() for a in ACTIONS)
    if is_changed or version is None:
        now = fate.where("is_held_next").select(
            "destination",
            "segment",
            "customer_id",
            "identifiers",
            F.coalesce(F.col("held_since"), F.lit(run.as_of)).alias("since"),
        )
        lake.replace(DELIVERED_MEMBERS, others.unionByName(now))


def _file_names(run: Run, root: Path, destinations: Sequence[Destination], batch: int) -> dict[FileKey, Path]:
    names = file_names(root, destinations, run.as_of.isoformat(), set())
    if not any(path.exists() for path in names.values()):
        return names
    earlier = (
        (F.col("delivered_on") == F.lit(run.as_of)) & (F.col("batch") < batch) & F.col("file").isNotNull()
    )
    rows = run.lake.read(DELIVERIES).where(earlier).select("file").distinct().collect()  # one row a file
    taken = {row["file"].removeprefix(f"{FOLDER}/") for row in rows}
    return file_names(root, destinations, run.as_of.isoformat(), taken)


def _account(run: Run, fate: DataFrame, names: Mapping[FileKey, Path], root: Path, batch: int) -> DataFrame:
    """The rows of activation.deliveries."""
    file = F.lit(None).cast("string")
    for (destination, segment, action), path in names.items():
        is_it = (
            (F.col("destination") == destination)
            & (F.col("segment") == segment)
            & (F.col("action") == action)
        )
        file = F.when(is_it & (F.col("outcome") == "sent"), f"{FOLDER}/{path.relative_to(root)}").otherwise(
            file
        )
    return fate.select(
        F.lit(run.run_id).alias("run_id"),
        F.lit(batch).cast("bigint").alias("batch"),
        F.lit(run.as_of).alias("delivered_on"),
        "destination",
        "segment",
        "customer_id",
        "action",
        "outcome",
        "reason",
        file.alias("file"),
    )


def _result(run: Run, destination: Destination, counts: _Counts) -> tuple[Account, str]:
    removed = counts.total(action="remove")
    kept, added = counts.total(action="keep"), counts.total(action="add", outcome="sent")
    rejected = counts.total(outcome="rejected")
    suppressed, held_out = counts.total(outcome="suppressed"), counts.total(outcome="held_out")
    account = Account(
        subject=destination.name,
        rows_in=counts.total(),
        rows_out=added + kept + removed,
        rows_refused=rejected,
        rows_skipped=suppressed + held_out,
    )
    done = "would be" if run.dry_run else "were"
    note = (
        f"{destination.name}: {added:,} {done} added, {removed:,} removed, {kept:,} kept;"
        f" {suppressed:,} suppressed, {held_out:,} held out, {rejected:,} rejected"
    )
    return account, note


def _reads(config: ConfigFolder) -> Sequence[Table]:
    return (
        SEGMENT_MEMBERS,
        JOURNEY_MEMBERS,
        PROFILES,
        CUSTOMER_IDENTIFIERS,
        EFFECTIVE_CONSENT,
        PREDICTIONS,
        SOURCES["propensities"],
        RECOMMENDATIONS,
        TRAITS,
        SOURCES["household"],
    )


def _writes(config: ConfigFolder) -> Sequence[Table]:
    return (DELIVERIES, DELIVERED_MEMBERS)


def _settings(config: ConfigFolder) -> Any:
    return load_destinations(config)


STAGE = Stage(
    name="activate",
    title="send what changed",
    run=activate,
    reads=_reads,
    writes=_writes,
    settings=_settings,
    previews=True,
)
