"""The Spark session: one place for every setting, so that jobs, notebooks and tests behave alike."""

import logging
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from cdp.base.errors import UsageError
from cdp.base.gateway import remember_classes

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_DEFAULTS = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    # All timestamps are UTC; a source's own zone is applied where it is cleaned.
    "spark.sql.session.timeZone": "UTC",
    # Parameter markers do not resolve with Delta's parser on Spark 4.1 and later otherwise.
    "spark.sql.legacy.parameterSubstitution.constantsOnly": "true",
    # An object with a key twice keeps the last one, as JSON readers do, in place of failing the job.
    "spark.sql.mapKeyDedupPolicy": "LAST_WIN",
    # A snapshot of a small table is read by 1 task in place of 50.
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.sql.adaptive.coalescePartitions.parallelismFirst": "false",
    "spark.sql.adaptive.advisoryPartitionSizeInBytes": "32m",
    # Where all that a task would join by is small, it is looked up in memory, and the wide rows beside it are not sorted.
    "spark.sql.adaptive.maxShuffledHashJoinLocalMapThreshold": "32m",
    # It takes a part of the plan that turned out empty away, and with it what was observed there: the counts of a source
    # whose rows were all refused would be lost.
    "spark.sql.adaptive.optimizer.excludedRules": "org.apache.spark.sql.execution.adaptive.AQEPropagateEmptyRelation",
    # `Lake` merges nothing but rows that are worked out and held already.
    "spark.databricks.delta.merge.materializeSource": "none",
    "spark.sql.parquet.compression.codec": "zstd",
    # Without a limit, Spark does not ask every column for its size after every row that goes to Python; a batch has 10,000 rows.
    "spark.sql.execution.arrow.maxBytesPerBatch": "2147483647",
    # Independent writes of a stage run side by side.
    "spark.scheduler.mode": "FAIR",
    # It asks the JVM four times for each column that is made in Python, to tell the line of an error that we tell ourselves.
    "spark.python.sql.dataFrameDebugging.enabled": "false",
    # A run compiles some hundred pieces of code. Of a hundred that Spark keeps none is there when it is asked for again: each
    # task would compile its own, and Java begin anew to make it fast.
    "spark.sql.codegen.cache.maxEntries": "1000",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.debug.maxToStringFields": "0",
    # Spark writes down the plan of every query, and again whenever it plans anew, though nobody may look at it.
    "spark.sql.ui.explainMode": "simple",
    # Nothing is kept there, but Spark makes the folder.
    "spark.sql.warehouse.dir": f"{tempfile.gettempdir()}/cdp-warehouse",
}
_PARTITIONS = "spark.sql.shuffle.partitions"
_PARTITIONS_ELSEWHERE = 200
# Compiling a query's code takes seconds, running it interpreted over some thousand rows a fraction of one.
_INTERPRETED = {"spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN"}
_COMPILED = {"spark.sql.codegen.wholeStage": "true", "spark.sql.codegen.factoryMode": "FALLBACK"}
COMPILED_FROM_BYTES = 256 << 20
"""From so many bytes that are looked at on, queries are compiled."""
# Planning anew after each stage, and looking for filters that nobody wrote, takes a quarter to a third of the CPU of a run
# over some thousand rows; from about ten megabytes on it is won back.
_PLANNED_ONCE = {"spark.sql.adaptive.enabled": "false", "spark.sql.constraintPropagation.enabled": "false"}
_PLANNED_AGAIN = {"spark.sql.adaptive.enabled": "true", "spark.sql.constraintPropagation.enabled": "true"}
_PLANNED_AGAIN_FROM_BYTES = 8 << 20
_BYTES_A_PARTITION = 16 << 20
_LOCAL_DEFAULTS = {
    # Small partitions are put together, but not into one that leaves the other cores without work; below a megabyte they still are.
    "spark.sql.adaptive.coalescePartitions.parallelismFirst": "true",
    # On a cluster workers may find this project only after they have been started.
    "spark.python.daemon.module": "cdp.base.worker_daemon",
    # Reading shuffled rows where they lie saves a network that is not there, and leaves as many tasks as partitions.
    "spark.sql.adaptive.localShuffleReader.enabled": "false",
    "spark.ui.enabled": "false",
    # Without a UI nobody can look at them, but Spark keeps a thousand queries with the text of their plans.
    "spark.sql.ui.retainedExecutions": "20",
    "spark.ui.retainedJobs": "100",
    "spark.ui.retainedStages": "100",
    "spark.ui.retainedTasks": "1000",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
}

JAVA_OPTIONS = (
    # A batch is over sooner when memory is collected in pauses: what collects beside the work takes its cores.
    "-XX:+UseParallelGC",
    # Two fifths of the CPU of a short run are Java compiling, much of it at the highest level for what runs a few thousand
    # times: it has to run four times as often as Java would have it.
    "-XX:Tier4InvocationThreshold=20000",
    "-XX:Tier4MinInvocationThreshold=2400",
    "-XX:Tier4CompileThreshold=60000",
    "-XX:Tier4BackEdgeThreshold=160000",
)
"""For the driver's JVM; `spark-submit.sh` has the same."""


def spark_session(app_name: str = "cdp", *, memory: str = "2g") -> "SparkSession":
    """The session of this process, made on the first call.

    Under `spark-submit` whatever the user set there wins over our defaults. Elsewhere (notebook, test) it is local, with
    the Delta jars from `$CDP_JARS` or the project's `.cache/jars`.

    Args:
        app_name: shown in Spark's UI and history.
        memory: driver memory where no `spark-submit` decides it.

    Raises:
        UsageError: the Delta jars are not there.
    """
    from pyspark import SparkConf, SparkContext
    from pyspark.sql import SparkSession

    # Python turns its own times into Spark's by the zone of the process.
    os.environ["TZ"] = "UTC"
    time.tzset()
    # These log the text of Spark's errors, and with it the values of the rows that caused them.
    for name in ("SQLQueryContextLogger", "DataFrameQueryContextLogger"):
        logging.getLogger(name).disabled = True
    under_submit = "PYSPARK_GATEWAY_PORT" in os.environ
    if under_submit:
        SparkContext._ensure_initialized()
    conf = SparkConf()
    if not under_submit:
        # Workers must be of the same environment, or they fail on their imports.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        conf.setIfMissing("spark.master", "local[*]")
        conf.setIfMissing("spark.driver.memory", memory)
        conf.setIfMissing("spark.jars", ",".join(delta_jars()))
        log4j = Path(__file__).with_name("log4j2.properties")
        options = (f"-Dlog4j2.configurationFile={log4j.as_uri()}", *JAVA_OPTIONS)
        conf.setIfMissing("spark.driver.extraJavaOptions", " ".join(options))
    master = conf.get("spark.master", "local[*]") or ""
    # Each task of a small job costs more than its rows, so what nobody has set starts low; see `fit_to`.
    conf.setIfMissing("spark.cdp.fitPartitions", "false" if conf.contains(_PARTITIONS) else "true")
    conf.setIfMissing(_PARTITIONS, str(_least_partitions() if master.startswith("local") else _PARTITIONS_ELSEWHERE))
    local = {**_LOCAL_DEFAULTS, **_INTERPRETED, **_PLANNED_ONCE} if master.startswith("local") else {}
    for key, value in {**_DEFAULTS, **local}.items():
        conf.setIfMissing(key, value)
    session = SparkSession.builder.appName(app_name).config(conf=conf).getOrCreate()
    remember_classes(session.sparkContext._jvm)
    # Spark logs the row values of failing casts and checks; what went wrong reaches the user through our own errors.
    session.sparkContext.setLogLevel(os.environ.get("CDP_SPARK_LOG_LEVEL", "OFF"))
    return session


def fit_to(spark: "SparkSession", size: int, *, compiled: bool = False) -> None:
    """Choose the number of shuffle partitions, and how much planning and compiling is worth it, by the size of the data on disk.

    Whoever has set the number of partitions has tuned the session, which is then left alone.

    Args:
        spark: session.
        size: bytes of the extracts and the tables.
        compiled: compile in any case, for work that is far more than the size tells.
    """
    if spark.conf.get("spark.cdp.fitPartitions", "false") == "true":
        wanted = max(_least_partitions(), min(-(-size // _BYTES_A_PARTITION), 4000))
        spark.conf.set(_PARTITIONS, str(wanted))
        code = _COMPILED if compiled or size >= COMPILED_FROM_BYTES else _INTERPRETED
        plans = _PLANNED_AGAIN if compiled or size >= _PLANNED_AGAIN_FROM_BYTES else _PLANNED_ONCE
        for key, value in {**code, **plans}.items():
            spark.conf.set(key, value)


def is_planned_again(spark: "SparkSession") -> bool:
    """Whether the session plans a query anew while it runs, which `fit_to` chooses where the data is not small."""
    return spark.conf.get("spark.sql.adaptive.enabled") == "true"


def _least_partitions() -> int:
    return max(2, min(os.cpu_count() or 2, 16))


def delta_jars() -> list[str]:
    """Paths of the Delta jars outside `spark-submit`.

    Raises:
        UsageError: there are none.
    """
    listed = os.environ.get("CDP_JARS")
    if listed:
        return listed.split(",")
    folders = [Path(home) for home in (os.environ.get("CDP_HOME"),) if home] + [Path(__file__).resolve().parents[3]]
    for folder in folders:
        jars = sorted(str(jar) for jar in (folder / ".cache" / "jars").glob("*.jar"))
        if jars:
            return jars
    raise UsageError("the Delta jars are not there; `./spark-submit.sh --setup` fetches them once")
