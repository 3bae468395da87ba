"""Writing twice, appending days, and what is refused."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession

from cdp.base.errors import UsageError
from cdp.sample.files import Folder
from cdp.sample.run import append_days, write_sample
from cdp.sample.settings import SampleSettings

from .retailer import AS_OF, Sample, make

DAYS = 60  # so many that somebody of so few withdraws a consent
LAST = AS_OF + timedelta(days=DAYS)


@pytest.fixture(scope="module")
def again(spark: SparkSession, sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """The same sample once more, by other partitions."""
    before = spark.conf.get("spark.sql.shuffle.partitions")
    spark.conf.set("spark.sql.shuffle.partitions", "3")
    made = make(spark, tmp_path_factory.mktemp("again"), sample.settings)
    spark.conf.set("spark.sql.shuffle.partitions", before)
    return made


def ordered_online(sample: Sample) -> DataFrame:
    """The orders of the days to append, as the truth foretells them."""
    return sample.table("future_orders").where(f"ordered_at < date_add(DATE'{LAST}', 1) and channel <> 'store'")


def append(sample: Sample, days: int, **changes: object) -> object:
    return append_days(
        sample.spark,
        landing=str(sample.landing),
        truth=str(sample.truth),
        settings=sample.settings.model_copy(update=changes),
        as_of=AS_OF,
        days=days,
    )


def test_the_same_settings_give_the_same_files_and_truth(sample: Sample, again: Sample):
    assert again.files() == sample.files()
    truth, truth_again = (
        {p.relative_to(s.truth): p.read_bytes() for p in s.truth.rglob("*.parquet")} for s in (sample, again)
    )
    assert truth_again == truth


def test_days_are_appended_as_files_of_their_own_and_only_once(sample: Sample, again: Sample):
    append(again, 4)
    append(again, DAYS)
    first = again.files()
    append(again, DAYS)

    old, new = sample.files(), {name: text for name, text in first.items() if name not in sample.files()}
    assert {name: first[name] for name in old} == old
    assert again.files() == first
    days = {name.split("_")[-1][:8] for name in new}
    assert days == {f"{AS_OF + timedelta(days=n):%Y%m%d}" for n in range(1, DAYS + 1)}
    orders = b"".join(text for name, text in new.items() if name.startswith("shop_orders"))
    placed = re.findall(rb'"createdAt":"([0-9-]{10})', orders)
    assert min(placed) <= b"2026-11-25"  # a cancellation of an order from before may be among them
    newest = ordered_online(sample).selectExpr("cast(max(to_date(ordered_at)) as string) as day").first()
    assert newest is not None
    assert newest["day"] <= max(placed).decode() <= LAST.isoformat()  # a return may come later
    assert any(name.startswith("consent_statements") and b",withdrawn," in text for name, text in new.items())
    assert json.loads((again.truth / "summary.json").read_text())["through"] == LAST.isoformat()


def test_appended_orders_are_those_that_the_truth_foretold(sample: Sample, again: Sample):
    append(again, DAYS)
    foretold = ordered_online(sample)

    orders = "".join(
        p.read_text() for p in (again.landing / "shop_orders").iterdir() if "20261124" not in p.name
    )

    found = set(re.findall(r'^\{"id":"(\d+)"', orders, flags=re.MULTILINE))
    missed = {row.order_id for row in foretold.collect()} - found
    assert len(missed) <= sample.summary.mess["broken_lines"]


def test_only_the_same_retailer_can_be_continued(sample: Sample):
    with pytest.raises(UsageError, match="holds another sample"):
        append(sample, 1, seed=8)
    with pytest.raises(UsageError, match="wanted 1 to 365"):
        append(sample, 366)


def test_days_need_a_sample_to_be_appended_to(spark: SparkSession, tmp_path: Path):
    with pytest.raises(UsageError, match="no sample to append to"):
        append_days(
            spark,
            landing=str(tmp_path / "l"),
            truth=str(tmp_path / "t"),
            settings=SampleSettings(),
            as_of=AS_OF,
            days=1,
        )


def test_the_truth_may_not_lie_in_the_landing_folder(spark: SparkSession, tmp_path: Path):
    with pytest.raises(UsageError, match="must not lie in one another"):
        write_sample(
            spark,
            landing=str(tmp_path),
            truth=str(tmp_path / "truth"),
            settings=SampleSettings(),
            as_of=AS_OF,
        )


def test_files_move_by_hadoop_where_a_folder_is_not_local(spark: SparkSession, tmp_path: Path):
    here, there = Folder(spark, str(tmp_path / "here")), Folder(spark, str(tmp_path / "there"))
    here.write_text("part-0", "text")
    there.is_local = False

    assert here.parts("") == ["part-0"]
    here.move("part-0", there, "folder/name.txt")

    assert (tmp_path / "there/folder/name.txt").read_text() == "text"
    assert not (tmp_path / "here/part-0").exists()
    there.remove("folder")
    assert not (tmp_path / "there/folder").exists()
