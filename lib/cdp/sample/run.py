"""Writes the sample retailer: its extracts to the landing folder, what is true about them to another."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

from pyspark.sql import DataFrame, SparkSession

from cdp.base.errors import UsageError
from cdp.sample import truth as true
from cdp.sample.contacts import contacts
from cdp.sample.extracts import EXTRACTS, RENDERERS, Frames
from cdp.sample.files import Folder, clear, settle
from cdp.sample.lines import Extract, Window, file_name, lines
from cdp.sample.people import people
from cdp.sample.render_contacts import PARTNER, PARTNER_COLUMNS
from cdp.sample.settings import SampleSettings, SampleSummary
from cdp.sample.touches import touches
from cdp.sample.world import FUTURE_DAYS, World

T = TypeVar("T")

_AT_ONCE = 4
_SUMMARY = "summary.json"
_TRUTH_ORDER = ("record_key", "id_value", "order_id", "campaign", "person_id", "source", "id_type", "kind")


def write_sample(
    spark: SparkSession, *, landing: str, truth: str, settings: SampleSettings, as_of: date
) -> SampleSummary:
    """Write every extract as one dump of all that happened to `as_of`, and the truth.

    The sample's own folders under `landing`, and `truth`, are replaced; nothing else is touched.

    Raises:
        UsageError: the truth would lie within the landing folder, or a folder cannot be made.
    """
    world = World(settings, as_of).prepared()
    to, truth_to = _folders(spark, landing, truth)
    clear(to, [extract.name for extract in EXTRACTS])
    truth_to.remove()
    writer = _Writer(spark, world, Window(None, world.today), to, truth_to)
    return writer.write(as_of)


def append_days(
    spark: SparkSession, *, landing: str, truth: str, settings: SampleSettings, as_of: date, days: int
) -> SampleSummary:
    """Write the days after `as_of` as new files, a day each: new rows, corrections, late events, withdrawals.

    Files that are there already are left as they are; the same call again adds nothing.

    Raises:
        UsageError: the landing folder does not hold this retailer as of this date, or `days` goes past the year
            that is known.
    """
    world = World(settings, as_of).prepared()
    to, truth_to = _folders(spark, landing, truth)
    if not 1 <= days <= FUTURE_DAYS:
        raise UsageError(f"--days: found {days}, wanted 1 to {FUTURE_DAYS}")
    text = truth_to.read_text(_SUMMARY)
    if text is None:
        raise UsageError(f"{truth_to.uri} holds no sample to append to; write one first (without --days)")
    before = SampleSummary.model_validate_json(text)
    rates = settings.mess.model_dump()
    same = (before.as_of, before.persons, before.seed, before.history_days, before.mess_rates)
    if same != (as_of.isoformat(), settings.persons, settings.seed, settings.history_days, rates):
        raise UsageError(f"{truth_to.uri} holds another sample (as of {before.as_of}, seed {before.seed}, {before.persons} persons)")
    first = (date.fromisoformat(before.through) - as_of).days
    if days <= first:
        return before.model_copy(update={"rows": {}, "mess": {}, "files": 0})
    window = Window(world.today + first, world.today + days)
    return _Writer(spark, world, window, to, truth_to).write(as_of + timedelta(days=days))


def _folders(spark: SparkSession, landing: str, truth: str) -> tuple[Folder, Folder]:
    to, truth_to = Folder(spark, landing), Folder(spark, truth)
    if truth_to.within(to) or to.within(truth_to):
        raise UsageError(f"the truth ({truth_to.uri}) and the landing folder ({to.uri}) must not lie within each other")
    to.make()
    truth_to.make()
    return to, truth_to


@dataclass(frozen=True)
class _Writer:
    """One call's work: shared frames first, then all extracts side by side, then files and truth."""

    spark: SparkSession
    world: World
    window: Window
    landing: Folder
    truth: Folder

    def write(self, through: date) -> SampleSummary:
        work = self.truth / "_work"
        work.remove()
        try:
            frames = self._frames(work)
            numbered = list(enumerate(EXTRACTS))
            self._together([lambda n=n, e=e: self._stage(frames, e, n, work) for n, e in numbered])
            staged = self.spark.read.parquet(*[f"{work.uri}/lines/{e.name}" for e in EXTRACTS])
            rows = {
                number: count
                for number, count in staged.groupBy("file_number").count().collect()  # one row a file
            }
            self._together([
                lambda: self._text_files(staged, list(rows), work),
                lambda: self._partner_files(work),
                *self._truth_tables(frames, staged),
            ])  # fmt: skip
            summary = self._summary(through, rows)
        finally:
            work.remove()
        self.truth.write_text(_SUMMARY, summary.model_dump_json(indent=2))
        return summary

    def _frames(self, work: Folder) -> Frames:
        spark, world = self.spark, self.world

        def kept(name: str, frame: DataFrame, *by: str) -> DataFrame:
            frame.write.partitionBy(*by).parquet(f"{work.uri}/{name}")
            return spark.read.parquet(f"{work.uri}/{name}")

        everybody = kept("people", people(spark, world))
        records, acts = self._together([
            lambda: kept("contacts", contacts(everybody, world), "source"),
            lambda: kept("touches", touches(everybody, world), "kind"),
        ])  # fmt: skip
        return Frames(everybody, records, acts)

    def _stage(self, frames: Frames, extract: Extract, number: int, work: Folder) -> None:
        rendered = RENDERERS[extract.name](frames, self.world)
        lines(rendered, extract, number, self.world, self.window).write.parquet(f"{work.uri}/lines/{extract.name}")
        if extract is PARTNER:
            rendered.selectExpr("record_key", *PARTNER_COLUMNS).write.parquet(f"{work.uri}/partner")

    def _text_files(self, staged: DataFrame, numbers: list[int], work: Folder) -> None:
        """All text files by one job: a file's rows meet in one task, in order, under the file's number."""
        names = {number: file_name(number, EXTRACTS, self.world) for number in numbers}
        by_name = {extract.name: extract for extract in EXTRACTS}
        headers = [
            (number, "", 0, by_name[folder].separator.join(by_name[folder].header))
            for number, (folder, _) in sorted(names.items())
            if by_name[folder].is_csv
        ]
        columns = "file_number int, position string, copy int, line string"
        rows = staged.where("line is not null").select("file_number", "position", "copy", "line")
        (
            rows.unionByName(self.spark.createDataFrame(headers, columns))
            .repartition(max(2, min(len(names), 200)), "file_number")
            .sortWithinPartitions("file_number", "position", "copy")
            .select("file_number", "line")
            .write.partitionBy("file_number")
            .text(f"{work.uri}/text")
        )
        for number, (folder, name) in names.items():
            output = work / f"text/file_number={number}"
            for part in output.names():
                output.move(part, self.landing / folder, name)

    def _partner_files(self, work: Folder) -> None:
        staged = self.spark.read.parquet(f"{work.uri}/lines/{PARTNER.name}")
        values = self.spark.read.parquet(f"{work.uri}/partner")
        numbers = [row[0] for row in staged.select("file_number").distinct().collect()]  # one row a file
        if not numbers:
            return
        (
            staged.select("file_number", "record_key", "copy")
            .join(values, on="record_key", how="inner")
            .repartition(len(numbers), "file_number")
            .sortWithinPartitions("file_number", "record_key", "copy")
            .select("file_number", *PARTNER_COLUMNS)
            .write.partitionBy("file_number")
            .parquet(f"{work.uri}/partner_files")
        )
        for number in numbers:
            output = work / f"partner_files/file_number={number}"
            folder, name = file_name(number, EXTRACTS, self.world)
            for part in output.names():
                output.move(part, self.landing / folder, name)

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
        return [lambda n=n, t=t: self._truth_table(n, t) for n, t in tables.items()]

    def _truth_table(self, name: str, table: DataFrame) -> None:
        """Rows in one order, spread by a hash, so that files are the same whatever the number of cores."""
        output = self.truth / f"_work/truth_{name}"
        files = 1 + self.world.settings.persons // 200_000
        keys = [c for c in _TRUTH_ORDER if c in table.columns]
        table.repartition(files, keys[0]).sortWithinPartitions(*keys).write.parquet(output.uri)
        last = self.world.date_of(self.window.last)
        settle(output, self.truth / name, f"{name}_{last:%Y%m%d}", "parquet")

    def _summary(self, through: date, files: dict[int, int]) -> SampleSummary:
        settings = self.world.settings
        counts: Counter[str] = Counter({extract.name: 0 for extract in EXTRACTS})
        for number, count in files.items():
            counts[file_name(number, EXTRACTS, self.world)[0]] += count
        written = f"{self.truth.uri}/mess_truth/mess_truth_{self.world.date_of(self.window.last):%Y%m%d}-*.parquet"
        kinds = dict(self.spark.read.parquet(written).groupBy("kind").count().collect())  # one row a kind
        return SampleSummary(
            as_of=self.world.as_of.isoformat(),
            through=through.isoformat(),
            persons=settings.persons,
            seed=settings.seed,
            history_days=settings.history_days,
            mess_rates=settings.mess.model_dump(),
            rows=dict(counts),
            mess={kind: kinds.get(kind, 0) for kind in type(settings.mess).model_fields},
            files=len(files),
        )

    @staticmethod
    def _together(tasks: list[Callable[[], T]]) -> list[T]:
        """Small jobs leave cores idle between them; several at once do not. The first error is raised."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(lambda task: task(), tasks))
