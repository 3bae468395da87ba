"""Two small retailers that share nothing but their seed: each has the mess that the other has not."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from cdp.sample.run import write_sample
from cdp.sample.settings import Mess, SampleSettings, SampleSummary

AS_OF = date(2026, 11, 24)
KINDS = tuple(Mess.model_fields)
HALVES = (KINDS[0::2], KINDS[1::2])


def settings(kinds: tuple[str, ...]) -> SampleSettings:
    """250 persons with plenty of some kinds of mess and nothing of the others."""
    rates = {
        kind: (0.05 if kind in ("broken_lines", "late", "duplicate_rows") else 0.4) if kind in kinds else 0.0
        for kind in KINDS
    }
    return SampleSettings(persons=250, seed=7, history_days=300, mess=Mess(**rates))


@dataclass(frozen=True)
class Sample:
    """A written sample."""

    spark: SparkSession
    root: Path
    settings: SampleSettings
    summary: SampleSummary

    @property
    def landing(self) -> Path:
        return self.root / "landing"

    @property
    def truth(self) -> Path:
        return self.root / "truth"

    def table(self, name: str) -> DataFrame:
        return self.spark.read.parquet(str(self.truth / name))

    def files(self) -> dict[str, bytes]:
        """Content of every file under landing, hidden ones too, by path below it."""
        found = (path for path in self.landing.rglob("*") if path.is_file())
        return {path.relative_to(self.landing).as_posix(): path.read_bytes() for path in found}


def make(spark: SparkSession, root: Path, chosen: SampleSettings) -> Sample:
    summary = write_sample(
        spark, landing=str(root / "landing"), truth=str(root / "truth"), settings=chosen, as_of=AS_OF
    )
    return Sample(spark, root, chosen, summary)
