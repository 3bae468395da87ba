"""Which Parquet files can be read to their end: Spark would end the whole run at the first damaged page."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import SparkSession

from cdp.base.files import FoundFile

_AT_THE_DRIVER = 64 << 20


def damaged_files(spark: SparkSession, landing: str, files: Sequence[FoundFile]) -> list[FoundFile]:
    """The files of a local folder of which some page cannot be read.

    Some megabytes are read here, more by Spark's tasks, a file each.
    """
    paths = {f"{landing}/{file.path}": file for file in files}
    if sum(file.size for file in files) <= _AT_THE_DRIVER:
        return [file for path, file in paths.items() if not is_intact(path)]
    listed = spark.createDataFrame([(path,) for path in paths], "path string").repartition(min(len(paths), 1000))
    return [paths[row["path"]] for row in listed.mapInArrow(_damaged, "path string").collect()]  # only broken ones


def is_intact(path: str) -> bool:
    """Whether every page of a file can be read."""
    try:
        with Path(path).open("rb") as stream:
            for _ in pq.ParquetFile(stream).iter_batches(batch_size=65536):
                pass
        return True
    except pa.ArrowNotImplementedError:
        return True  # a type that only Spark knows
    except (pa.ArrowException, OSError):
        return False


def _damaged(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        broken = [path for path in batch.column("path").to_pylist() if not is_intact(path)]
        yield pa.RecordBatch.from_pydict({"path": pa.array(broken, pa.string())})
