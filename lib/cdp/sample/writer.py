"""One call's work: the shared frames, then all extracts side by side, then their files and the truth."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.sample import truth as true
from cdp.sample.contacts import contacts
from cdp.sample.extracts import EXTRACTS, RENDERERS, Frames
from cdp.sample.files import Folder
from cdp.sample.lines import Extract, Window, file_name, lines
from cdp.sample.people import people
from cdp.sample.render_contacts import PARTNER, PARTNER_COLUMNS
from cdp.sample.settings import Mess
from cdp.sample.touches import touches
from cdp.sample.world import World

WORK = "_work"
_AT_ONCE = 4
_TRUTH_ORDER = ("record_key", "id_value", "order_id", "campaign", "person_id", "source", "id_type", "kind")
_PERSONS_A_TRUTH_FILE = 200_000
_KINDS = tuple(Mess.model_fields)


@dataclass(frozen=True)
class Written:
    """Lines per numbered file, and records touched by each kind of mess."""

    files: dict[int, int]
    mess: dict[str, int]


@dataclass(frozen=True)
class Writer:
    """Writes the days of a window to the landing folder and the truth about them to another."""

    world: World
    window: Window
    landing: Folder
    truth: Folder

    def write(self) -> Written:
        self.truth.remove(WORK)
        try:
            frames = self._frames()
            staged = self._staged(frames)
            written = self._counted(staged)
            _together([
                lambda: self._text_files(staged, written),
                lambda: self._partner_files(written),
                *self._truth_tables(frames, staged),
            ])  # fmt: skip
        finally:
            self.truth.remove(WORK)
        return written

    def _work(self, name: str) -> str:
        return self.truth.uri(f"{WORK}/{name}")

    def _kept(self, name: str, frame: DataFrame, *by: str) -> DataFrame:
        """The frame, written to a folder of this call and read from there."""
        frame.write.partitionBy(*by).parquet(self._work(name))
        return frame.sparkSession.read.schema(frame.schema).parquet(self._work(name))

    def _frames(self) -> Frames:
        world = self.world
        everybody = self._kept("people", people(self.truth.session, world))
        records, acts = _together([
            lambda: self._kept("contacts", contacts(everybody, world), "source"),
            lambda: self._kept("touches", touches(everybody, world), "kind"),
        ])  # fmt: skip
        return Frames(everybody, records, acts)

    def _staged(self, frames: Frames) -> DataFrame:
        """The lines of all extracts."""
        numbered = list(enumerate(EXTRACTS))
        staged = _together([_task(self._stage, frames, extract, number) for number, extract in numbered])
        frame: DataFrame = staged[0]
        paths = [self._work(f"lines/{extract.name}") for extract in EXTRACTS]
        return frame.sparkSession.read.schema(frame.schema).parquet(*paths)

    def _stage(self, frames: Frames, extract: Extract, number: int) -> DataFrame:
        rendered = RENDERERS[extract.name](frames, self.world)
        if extract is PARTNER:
            self._kept("partner", rendered.selectExpr("record_key", *PARTNER_COLUMNS))
        return self._kept(f"lines/{extract.name}", lines(rendered, extract, number, self.world, self.window))

    def _counted(self, staged: DataFrame) -> Written:
        kinds = [F.count_if(F.array_contains("mess", kind)).alias(kind) for kind in _KINDS]
        rows = (
            staged.groupBy("file_number").agg(F.count(F.lit(1)).alias("lines"), *kinds).collect()
        )  # one row a file
        return Written(
            {row["file_number"]: row["lines"] for row in sorted(rows)},
            {kind: sum(row[kind] for row in rows) for kind in _KINDS},
        )

    def _text_files(self, staged: DataFrame, written: Written) -> None:
        """All text files by one job: a file's rows meet in one task, in order, under the file's number."""
        by_name = {extract.name: extract for extract in EXTRACTS}
        headers = [
            (number, "", 0, by_name[name].separator.join(by_name[name].header))
            for number in written.files
            if by_name[name := file_name(number, EXTRACTS, self.world)[0]].is_csv
        ]
        columns = "file_number int, position string, copy int, line string"
        rows = staged.where("line is not null").select("file_number", "position", "copy", "line")
        (
            rows.unionByName(staged.sparkSession.createDataFrame(headers, columns))
            .repartition(min(len(written.files) + 1, 200), "file_number")
            .sortWithinPartitions("file_number", "position", "copy")
            .select("file_number", "line")
            .write.partitionBy("file_number")
            .text(self._work("text"))
        )
        self._land("text", written)

    def _partner_files(self, written: Written) -> None:
        """The list is Parquet: its rows keep their types."""
        numbers = [n for n in written.files if file_name(n, EXTRACTS, self.world)[0] == PARTNER.name]
        if not numbers:
            return
        read = self.truth.session.read
        (
            read.parquet(self._work(f"lines/{PARTNER.name}"))
            .select("file_number", "record_key", "copy")
            .join(read.parquet(self._work("partner")), on="record_key", how="inner")
            .repartition(len(numbers), "file_number")
            .sortWithinPartitions("file_number", "record_key", "copy")
            .select("file_number", *PARTNER_COLUMNS)
            .write.partitionBy("file_number")
            .parquet(self._work("partner_files"))
        )
        self._land("partner_files", written)

    def _land(self, output: str, written: Written) -> None:
        """Move each numbered file of a job to its place and name."""
        for number in written.files:
            folder, name = file_name(number, EXTRACTS, self.world)
            place = f"{WORK}/{output}/file_number={number}"
            for part in self.truth.parts(place):
                self.truth.move(f"{place}/{part}", self.landing, f"{folder}/{name}")

    def _truth_tables(self, frames: Frames, staged: DataFrame) -> list[Callable[[], None]]:
        world = self.world
        tables = {
            "record_truth": true.record_truth(staged),
            "mess_truth": true.mess_truth(staged),
            "identifier_truth": true.identifier_truth(frames.people, frames.touches, self.window),
        }
        if self.window.first is None:
            tables |= {
                "person_truth": true.person_truth(frames.people, frames.touches, world),
                "future_orders": true.future_orders(frames.touches, world),
                "campaign_effects": true.campaign_effects(frames.touches, world),
                "campaign_members": true.campaign_members(frames.touches, world),
            }
        return [_task(self._truth_table, name, table) for name, table in tables.items()]

    def _truth_table(self, name: str, table: DataFrame) -> None:
        """Rows in one order, spread by a hash, so that files are the same whatever the number of cores."""
        keys = [column for column in _TRUTH_ORDER if column in table.columns]
        files = 1 + self.world.settings.persons // _PERSONS_A_TRUTH_FILE
        place = f"{WORK}/truth_{name}"
        table.repartition(files, keys[0]).sortWithinPartitions(*keys).write.parquet(self.truth.uri(place))
        last = self.world.date_of(self.window.last)
        for number, part in enumerate(self.truth.parts(place)):
            self.truth.move(
                f"{place}/{part}", self.truth, f"{name}/{name}_{last:%Y%m%d}-{number:03d}.parquet"
            )


def _task(function: Callable[..., Any], *arguments: Any) -> Callable[[], Any]:
    return lambda: function(*arguments)


def _together(tasks: list[Callable[[], Any]]) -> list[Any]:
    """Small jobs leave cores idle between them; several at once do not. The first error is raised."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(lambda task: task(), tasks))
