"""Parquet: files of one schema read together, every value as text, nested ones as JSON."""

from collections.abc import Sequence

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from cdp.base.files import FoundFile
from cdp.bronze.config import SourceConfig
from cdp.bronze.read.columnar import as_text, declared
from cdp.bronze.read.intact import damaged_files
from cdp.bronze.read.lines import escaped


def read_parquet(
    spark: SparkSession, source: SourceConfig, landing: str, files: Sequence[FoundFile], *, is_local: bool
) -> tuple[list[DataFrame], list[tuple[FoundFile, str]]]:
    """Rows of Parquet files, and the files that are none, with the reason."""
    by_schema: dict[str, list[FoundFile]] = {}
    broken: list[tuple[FoundFile, str]] = []
    for file in files:
        if file.size == 0:
            continue
        try:
            by_schema.setdefault(_footer_schema(spark, f"{landing}/{file.path}"), []).append(file)
        except Exception:  # whatever the JVM says of it, it costs this file and not the run
            broken.append((file, "file cannot be read: it is no whole Parquet file"))
    known = [file for group in by_schema.values() for file in group]
    damaged = damaged_files(spark, landing, known) if is_local else []
    broken += [(file, "file cannot be read: its data is damaged") for file in damaged]
    frames = []
    for group in by_schema.values():
        whole = [file for file in group if file not in damaged]
        try:
            frames += [_parsed(spark, source, landing, whole)] if whole else []
        except PySparkException:
            broken += [(file, "file cannot be read: Spark does not know its types") for file in whole]
    return frames, broken


def _footer_schema(spark: SparkSession, path: str) -> str:
    """The file's schema as text, from its footer: no Spark job."""
    jvm = spark._jvm
    assert jvm is not None
    parquet, configuration = jvm.org.apache.parquet.hadoop, spark._jsc.hadoopConfiguration()
    file = parquet.util.HadoopInputFile.fromPath(jvm.org.apache.hadoop.fs.Path(path), configuration)
    reader = parquet.ParquetFileReader.open(file)
    try:
        metadata = reader.getFooter().getFileMetaData()
        written = metadata.getKeyValueMetaData().get("org.apache.spark.sql.parquet.row.metadata")
        return f"{metadata.getSchema().toString()}{written}"
    finally:
        reader.close()


def _parsed(spark: SparkSession, source: SourceConfig, landing: str, files: Sequence[FoundFile]) -> DataFrame:
    rows = spark.read.parquet(*[escaped(f"{landing}/{file.path}") for file in files])
    schema = rows.schema
    texts = {field.name: as_text(F.col(f"`{field.name}`"), field.dataType) for field in schema}
    return _placed(rows, landing, files).select(
        *declared(source, texts),
        F.col("`_cdp file`").alias("_file"),
        F.col("`_cdp modified`").alias("_file_modified_at"),
        F.col("`_cdp row`").alias("_file_row"),
    )


def _placed(rows: DataFrame, landing: str, files: Sequence[FoundFile]) -> DataFrame:
    # The file may itself have columns named as ours are.
    number = (F.col("_metadata.row_index") + 1).alias("_cdp row")
    if len(files) == 1:
        at = F.lit(files[0].modified_at).alias("_cdp modified")
        return rows.select("*", F.lit(files[0].path).alias("_cdp file"), at, number)
    below_landing = landing.split("://")[-1] + "/"
    path = F.try_url_decode(F.replace("_metadata.file_path", F.lit("+"), F.lit("%2B")))
    name = F.substring(path, F.instr(path, below_landing) + len(below_landing), F.length(path))
    listed = [(file.path, file.modified_at) for file in files]
    known = rows.sparkSession.createDataFrame(listed, "`_cdp file` string, `_cdp modified` timestamp")
    return rows.select("*", name.alias("_cdp file"), number).join(F.broadcast(known), on="_cdp file", how="left")
