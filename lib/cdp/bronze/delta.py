"""A Delta table as a source: each data file of its newest snapshot is an extract, so that an append is read by itself."""

import hashlib
from datetime import datetime, timezone
from typing import Any
from urllib.parse import unquote

from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from cdp.base.errors import UsageError
from cdp.base.files import FoundFile
from cdp.bronze.config import SourceConfig


def data_files(spark: SparkSession, landing: str, source: SourceConfig) -> list[FoundFile] | None:
    """Data files of the newest snapshot, by path; None where there is no table yet.

    A file of which rows were deleted in place is another one by its name, `...parquet?without=` and a mark of what is
    deleted.

    Raises:
        UsageError: the table cannot be read.
    """
    _, snapshot = newest(spark, landing, source)
    if snapshot.version() < 0:
        return None
    rows = DataFrame(snapshot.allFiles().toDF(), spark).select("path", "size", "modificationTime", deleted().alias("deleted"))
    found = []
    for row in rows.collect():
        at = datetime.fromtimestamp(row["modificationTime"] // 1000, tz=timezone.utc).replace(tzinfo=None)
        found.append(FoundFile(name_of(source, row["path"], row["deleted"]), row["size"], at))
    return sorted(found, key=lambda f: f.path)


def newest(spark: SparkSession, landing: str, source: SourceConfig) -> tuple[Any, Any]:
    """Delta's log of the table, and the newest snapshot.

    Raises:
        UsageError: the log cannot be read.
    """
    jvm = spark._jvm
    assert jvm is not None
    none = jvm.scala.Option.empty()
    try:
        log = jvm.org.apache.spark.sql.delta.DeltaLog.forTable(spark._jsparkSession, f"{landing}/{source.path.strip('/')}")
        snapshot = log.update(False, none, none)
        snapshot.version()
    except Py4JJavaError:
        raise UsageError(f"source {source.name}: path: {source.path} is no Delta table that can be read") from None
    return log, snapshot


def deleted() -> Any:
    """What tells one deletion vector of a data file from another, of Delta's own rows about files; null without one."""
    vector = [F.col(f"deletionVector.{name}").cast("string") for name in ("storageType", "pathOrInlineDv", "offset")]
    return F.when(F.col("deletionVector").isNotNull(), F.concat_ws("|", *vector))


def name_of(source: SourceConfig, path: str, deletion: str | None) -> str:
    """The path of a data file below the landing folder."""
    if "://" in path or path.startswith(("/", "file:")):
        raise UsageError(f"source {source.name}: path: {source.path} is a shallow clone, whose files are elsewhere")
    mark = f"?without={hashlib.sha256(deletion.encode()).hexdigest()[:16]}" if deletion else ""
    return f"{source.path.strip('/')}/{unquote(path)}{mark}"
