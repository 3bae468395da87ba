"""Delta: the rows of some data files of a table, without those that are deleted in place."""

from collections.abc import Sequence
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from cdp.base.files import FoundFile
from cdp.bronze.config import SourceConfig
from cdp.bronze.delta import deleted, name_of, newest
from cdp.bronze.read.columnar import as_text, declared

_NAME, _AT = "`_cdp file`", "`_cdp modified`"


def read_delta(spark: SparkSession, source: SourceConfig, landing: str, files: Sequence[FoundFile]) -> list[DataFrame]:
    """Rows of the files. One that has left the table since it was listed has none: what took its place comes next time."""
    jvm = spark._jvm
    assert jvm is not None
    log, snapshot = newest(spark, landing, source)
    wanted = {f.path: f for f in files}
    adds = snapshot.allFiles()
    marks = DataFrame(adds.toDF(), spark).select("path", deleted().alias("deleted")).collect()
    chosen = {row["path"]: wanted[name] for row in marks if (name := name_of(source, row["path"], row["deleted"])) in wanted}
    if not chosen:
        return []
    is_chosen: Any = F.col("path").isin([*chosen])
    sequence = jvm.org.apache.spark.api.python.PythonUtils.toSeq(adds.filter(is_chosen._jc).collectAsList())
    rows = DataFrame(log.createDataFrame(snapshot, sequence, False, jvm.scala.Option.empty()), spark)
    texts = {f.name: as_text(F.col(_quoted(f.name)), f.dataType) for f in rows.schema}
    listed = [(name_of(source, path, None), file.path, file.modified_at) for path, file in chosen.items()]
    known = spark.createDataFrame(listed, f"`_cdp key` string, {_NAME} string, {_AT} timestamp")
    number = (F.col("_metadata.row_index") + 1).alias("_cdp row")
    placed = rows.select("*", _below(landing).alias("_cdp key"), number)
    return [
        placed.join(F.broadcast(known), on="_cdp key", how="left").select(
            *declared(source, texts),
            F.col(_NAME).alias("_file"),
            F.col(_AT).alias("_file_modified_at"),
            F.col("`_cdp row`").alias("_file_row"),
        )
    ]


def _below(landing: str) -> Column:
    """The row's data file below the landing folder."""
    folder = landing.split("://")[-1] + "/"
    path = F.try_url_decode(F.replace("_metadata.file_path", F.lit("+"), F.lit("%2B")))
    return F.substring(path, F.instr(path, folder) + len(folder), F.length(path))


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
