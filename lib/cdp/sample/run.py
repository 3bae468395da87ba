"""Writes the sample retailer: its extracts to the landing folder, what is true about them to another."""

from collections import Counter
from datetime import date, timedelta

from pyspark.sql import SparkSession

from cdp.base.errors import UsageError
from cdp.sample.extracts import EXTRACTS
from cdp.sample.files import Folder
from cdp.sample.lines import Window, file_name
from cdp.sample.settings import SampleSettings, SampleSummary
from cdp.sample.world import FUTURE_DAYS, World
from cdp.sample.writer import Writer, Written

SUMMARY = "summary.json"
TRUTH_TABLES = (
    "record_truth", "mess_truth", "identifier_truth", "person_truth", "future_orders", "campaign_effects",
    "campaign_members",
)  # fmt: skip


def write_sample(
    spark: SparkSession, *, landing: str, truth: str, settings: SampleSettings, as_of: date
) -> SampleSummary:
    """Write every extract as one dump of all that happened to `as_of`, and the truth.

    The sample's own folders under `landing` and `truth` are replaced; nothing else is touched.

    Args:
        spark: session.
        landing: folder or URI; each extract gets a folder in it.
        truth: folder or URI for what evaluation may know; neither within the landing folder nor around it.
        settings: the retailer.
        as_of: its today.

    Raises:
        UsageError: the folders lie within each other, or one cannot be written.
    """
    world = World(settings, as_of).prepared()
    to, truth_to = _folders(spark, landing, truth)
    for extract in EXTRACTS:
        to.remove(extract.name)
    for table in TRUTH_TABLES:
        truth_to.remove(table)
    written = Writer(world, Window(None, world.today), to, truth_to).write()
    return _summarised(world, world.today, written, truth_to)


def append_days(
    spark: SparkSession, *, landing: str, truth: str, settings: SampleSettings, as_of: date, days: int
) -> SampleSummary:
    """Write the days after `as_of`, a file a day and extract: new rows, corrections, late events, withdrawals.

    `as_of` and `settings` are those of `write_sample`; `days` counts from there. Days that are there already are left
    as they are, so the same call again adds nothing. The truth about the new records is added to the truth.

    Raises:
        UsageError: `truth` does not hold this retailer as of this date, or `days` goes past the year that is known.
    """
    world = World(settings, as_of).prepared()
    to, truth_to = _folders(spark, landing, truth)
    if not 1 <= days <= FUTURE_DAYS:
        raise UsageError(f"--days: found {days}, wanted 1 to {FUTURE_DAYS}")
    text = truth_to.read_text(SUMMARY)
    if text is None:
        raise UsageError(f"{truth_to.root} holds no sample to append to; write one first, without --days")
    before = SampleSummary.model_validate_json(text)
    wanted = _summary_of(world, before.through)
    if wanted.retailer != before.retailer:
        raise UsageError(
            f"{truth_to.root} holds another sample: as of {before.as_of}, {before.persons} persons, seed {before.seed},"
            f" {before.history_days} days; append with the same options and mess rates"
        )
    done = (date.fromisoformat(before.through) - as_of).days
    if days <= done:
        return wanted
    written = Writer(world, Window(world.today + done, world.today + days), to, truth_to).write()
    return _summarised(world, world.today + days, written, truth_to)


def _folders(spark: SparkSession, landing: str, truth: str) -> tuple[Folder, Folder]:
    to, truth_to = Folder(spark, landing), Folder(spark, truth)
    if to.holds(truth_to) or truth_to.holds(to):
        raise UsageError(
            f"the truth ({truth_to.root}) and the landing folder ({to.root}) must not lie in one another"
        )
    to.check_writable("--landing")
    truth_to.check_writable("--truth")
    return to, truth_to


def _summary_of(world: World, through: str) -> SampleSummary:
    settings = world.settings
    return SampleSummary(
        as_of=world.as_of.isoformat(),
        through=through,
        persons=settings.persons,
        seed=settings.seed,
        history_days=settings.history_days,
        mess_rates=settings.mess.model_dump(),
        rows={extract.name: 0 for extract in EXTRACTS},
        mess=dict.fromkeys(type(settings.mess).model_fields, 0),
        files=0,
    )


def _summarised(world: World, last_day: int, written: Written, truth: Folder) -> SampleSummary:
    through = world.as_of + timedelta(days=last_day - world.today)
    empty = _summary_of(world, through.isoformat())
    rows = Counter(empty.rows)
    for number, lines in written.files.items():
        rows[file_name(number, EXTRACTS, world)[0]] += lines
    summary = empty.model_copy(update={"rows": dict(rows), "mess": written.mess, "files": len(written.files)})
    truth.write_text(SUMMARY, summary.model_dump_json(indent=2))
    return summary
