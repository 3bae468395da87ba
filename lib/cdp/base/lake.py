"""The lake: Delta tables in folders, read and written under their contracts."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import date, datetime
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow.compute as pc
from pyspark import inheritable_thread_target
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame, Observation, SparkSession, Window
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from cdp.base.changes import GONE, NEW, OTHER, changes, differs
from cdp.base.commits import rows_added, rows_written
from cdp.base.contracts import Table
from cdp.base.errors import CdpError, ContractError, UsageError
from cdp.base.files import FileSystem
from cdp.base.guards import breach_of, guarded, shape_problems
from cdp.base.keys import keys_of_few, keys_of_many
from cdp.base.layout import laid_out
from cdp.base.session import fit_to, spark_session
from cdp.base.settings import did_you_mean
from cdp.base.spark_errors import spark_name_of

if TYPE_CHECKING:
    from delta.tables import DeltaTable

FORMAT = 1
"""Version of the lake's own layout; another one is refused in place of being guessed at."""

_SIDE_BY_SIDE = 4
"""Writes that run at a time: a small one mostly plans and waits."""
_EVERYTHING = "true"
_KEYS_READ_HERE = 1_000_000
"""Rows of a table whose keys are looked at on the driver: some hundred megabytes."""

Result = TypeVar("Result")


class Lake:
    """The tables below one folder or URI.

    Args:
        spark: session.
        root: folder or URI; table `layer.name` is `<root>/<layer>/<name>`.
    """

    def __init__(self, spark: SparkSession, root: str) -> None:
        self.spark = spark
        self.files = FileSystem(spark, root)
        self.root = self.files.root

    @classmethod
    def open(cls, root: str | Path) -> "Lake":
        """A lake to look at, from a notebook or a script: `lake = Lake.open("lake")`.

        Raises:
            UsageError: there is none.
        """
        lake = cls(spark_session("cdp notebook"), str(root))
        if not lake.names():
            raise UsageError(f"{lake.root}: found no table, wanted a lake; `./spark-submit.sh pipeline` makes one")
        if lake.files.is_local:
            fit_to(lake.spark, lake.files.size())
        return lake

    # -- reading -------------------------------------------------------------------------------------------------

    def path(self, table: Table) -> str:
        return f"{self.root}/{table.folder}"

    def version(self, table: Table) -> int | None:
        """Latest version of the table; None where there is no table."""
        names = self.files.names(f"{table.folder}/_delta_log")
        commits = [int(n[:20]) for n in names if n.endswith(".json") and n[:20].isdigit() and len(n) == 25]
        return max(commits, default=None)

    def names(self) -> list[str]:
        """Names of all tables, as `layer.table`."""
        layers = [name for name in self.files.names("") if not name.startswith(("_", "."))]
        tables = [f"{layer}.{name}" for layer in sorted(layers) for name in sorted(self.files.names(layer))]
        return [name for name in tables if self.files.names(f"{name.replace('.', '/')}/_delta_log")]

    def table(self, name: str) -> DataFrame:
        """The table of this name, whether it is declared or not.

        Raises:
            UsageError: there is no such table; the message names those that sound like it.
        """
        if name not in self.names():
            raise UsageError(f"{self.root}: no table {name}{did_you_mean(name, self.names())}")
        return self.spark.read.format("delta").load(f"{self.root}/{name.replace('.', '/')}")

    def exists(self, table: Table) -> bool:
        return self.version(table) is not None

    def read(self, table: Table, *, version: int | None = None, as_of: datetime | date | None = None) -> DataFrame:
        """The table, now or at a point in time; no rows where it does not exist yet.

        Args:
            table: which.
            version: this version of it.
            as_of: the version that was current at this time.

        Raises:
            CdpError: there is no such version.
        """
        if not self.exists(table):
            return self.spark.createDataFrame([], table.schema)
        reader = self.spark.read.format("delta")
        if version is not None:
            reader = reader.option("versionAsOf", version)
        if as_of is not None:
            reader = reader.option("timestampAsOf", str(as_of))
        try:
            return reader.load(self.path(table))
        except (AnalysisException, PySparkException) as error:
            wanted = f"version {version}" if version is not None else f"{as_of}"
            raise CdpError(f"{table.name}: {wanted} cannot be read: {spark_name_of(error)}") from None

    def history(self, table: Table) -> DataFrame:
        """Delta's history: version, timestamp, operation, operationMetrics; newest first."""
        history: DataFrame = self._delta(table).history()
        return history

    # -- writing -------------------------------------------------------------------------------------------------

    def replace(self, table: Table, rows: DataFrame, *, where: str | None = None) -> int:
        """Put `rows` in place of the table's content, or of its slice `where`; all or nothing.

        Args:
            table: which.
            rows: exactly the declared columns, in any order.
            where: predicate on the table; its text enters Delta's log, so no personal value may stand in it.

        Returns:
            Rows written.

        Raises:
            ContractError: a column, type, null, value or key breaks the contract. The table is as before.
        """
        if table.cluster_by:
            self._cluster(table)
            rows = laid_out(rows, table, int(self.spark.conf.get("spark.sql.shuffle.partitions") or 1))
        before = self.version(table)
        # A plain overwrite would take the clustering off a table; replacing where anything holds keeps it.
        slice_ = where or (_EVERYTHING if table.cluster_by else None)
        self._write(table, rows, mode="overwrite", options={"replaceWhere": slice_} if slice_ else {})
        written, twice = self._keys_written(table, before, where)
        if twice:
            self._undo(table, before)
            raise ContractError(
                f"{table.name}: found {twice:,} keys ({', '.join(table.key)}) with more than one row,"
                f" wanted {table.grain}; nothing was written"
            )
        return written

    def append(self, table: Table, rows: DataFrame) -> int:
        """Add rows. Whoever calls it answers for the key; see `append_once` and `upsert`."""
        seen = Observation()
        self._write(table, rows.observe(seen, F.count(F.lit(1)).alias("rows")), mode="append", options={})
        return int(seen.get["rows"])

    def append_once(self, table: Table, rows: DataFrame, *, app: str, version: int) -> None:
        """Add rows unless `app` has added this `version` (or a later one) before, whatever was killed in between.

        Args:
            table: which.
            rows: exactly the declared columns.
            app: stable name of the writer for this table.
            version: grows with each batch of the writer.
        """
        self._write(table, rows, mode="append", options={"txnAppId": app, "txnVersion": version})

    def upsert(self, table: Table, rows: DataFrame, *, order_by: Sequence[str]) -> None:
        """Insert new keys, update known ones by the newest row, leave unchanged rows alone.

        Args:
            table: which.
            rows: exactly the declared columns, any number of rows a key.
            order_by: columns that say which row of a key is newest.

        Raises:
            ContractError: two different rows of a key are equally new, so that neither can be chosen.
        """
        key = [F.col(c) for c in table.key]
        rows = self._held(table, rows)
        newest = Window.partitionBy(*key).orderBy(*[F.col(c).desc_nulls_last() for c in order_by])
        ranked = rows.withColumn("_rank", F.rank().over(newest)).where("_rank = 1").drop("_rank")
        ties = ranked.distinct().groupBy(*key).count().where("count > 1").limit(1)
        if not ties.isEmpty():
            raise ContractError(
                f"{table.name}: two different rows of one key ({', '.join(table.key)}) are equally new by"
                f" {', '.join(order_by)}; wanted an order that decides"
            )
        source = ranked.dropDuplicates(list(table.key)).localCheckpoint()
        if not self.exists(table):
            self._write(table, source, mode="append", options={})
            return
        self._merge(table, source)

    def replace_slices(self, table: Table, rows: DataFrame, slices: DataFrame) -> None:
        """Put `rows` in place of all rows of some slices, in one commit that leaves rows alone that are as they were.

        Where all rows are as they were, nothing is written; where all that differ are new, they are appended.

        Args:
            table: which.
            rows: exactly the declared columns; nothing outside of the slices.
            slices: values of some of the table's columns, none of them null, each once.

        Raises:
            ContractError: a column, type, null, value or key breaks the contract. The table is as before.
        """
        if not self.exists(table):
            self._write(table, rows.limit(0), mode="append", options={})
        names = [c.name for c in table.columns]
        before = self.read(table).join(slices, on=list(slices.columns), how="left_semi").select(*names)
        differing, seen = changes(table, before, self._held(table, rows)), Observation()
        counts = [F.count_if(F.col("_change") == kind).alias(kind) for kind in (NEW, OTHER, GONE)]
        made: list[DataFrame] = []
        self._guard(table, lambda: made.append(differing.observe(seen, *counts).localCheckpoint()))
        found = seen.get
        if not any(found.values()):
            return
        twice = made[0].groupBy(*table.key).count().where("count > 1").limit(1)
        if not twice.isEmpty():
            raise ContractError(
                f"{table.name}: found a key ({', '.join(table.key)}) with more than one row, wanted {table.grain};"
                " nothing was written"
            )
        if found[OTHER] or found[GONE]:
            self._merge(table, made[0], is_gone=f"s._change = '{GONE}'")
        else:
            self._write(table, made[0].drop("_change"), mode="append", options={})

    def delete(self, table: Table, condition: str | SparkColumn) -> None:
        """Delete rows. The predicate's text enters Delta's log, so no personal value may stand in it."""
        if self.exists(table):
            self._delta(table).delete(condition)

    # -- beside the tables ---------------------------------------------------------------------------------------

    def local_path(self, name: str) -> Path:
        """A folder below the lake for what is no table (models, reports, files to send); made if missing.

        Raises:
            UsageError: the lake is not on a local disk.
        """
        if not self.files.is_local:
            raise UsageError(f"{name}: the lake {self.root} is not on a local disk, which this needs")
        folder = Path(self.root) / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def together(self, tasks: Sequence[Callable[[], Result]]) -> list[Result]:
        """Run independent reads and writes side by side; results in the order of `tasks`.

        Small writes are mostly waiting and planning, so even two cores gain from it.
        """
        with ThreadPoolExecutor(max_workers=min(_SIDE_BY_SIDE, max(1, len(tasks)))) as pool:
            futures = [pool.submit(inheritable_thread_target(self.spark)(task)) for task in tasks]
            return [future.result() for future in futures]

    def in_order(self, tasks: Mapping[str, tuple[Callable[[], Any], Sequence[str]]]) -> None:
        """Run reads and writes of which some need others, each as soon as what it needs is done.

        Args:
            tasks: by name, what is to be done, and the names of the tasks whose results it reads. Of those that can begin,
                the first begins first.
        """
        waiting = TopologicalSorter({name: needs for name, (_, needs) in tasks.items()})
        waiting.prepare()
        running: dict[Future[Any], str] = {}
        with ThreadPoolExecutor(max_workers=_SIDE_BY_SIDE) as pool:
            while waiting.is_active():
                for name in waiting.get_ready():
                    running[pool.submit(inheritable_thread_target(self.spark)(tasks[name][0]))] = name
                for task in wait(running, return_when=FIRST_COMPLETED).done:
                    task.result()
                    waiting.done(running.pop(task))

    # -- inside --------------------------------------------------------------------------------------------------

    def _delta(self, table: Table) -> "DeltaTable":
        from delta.tables import DeltaTable

        return DeltaTable.forPath(self.spark, self.path(table))

    def _held(self, table: Table, rows: DataFrame) -> DataFrame:
        problems = shape_problems(table, rows.schema)
        if problems:
            raise ContractError(f"{table.name} was not written:\n  " + "\n  ".join(problems))
        return rows.selectExpr(*guarded(table))

    def _write(self, table: Table, rows: DataFrame, *, mode: str, options: dict[str, Any]) -> None:
        held = self._held(table, rows)
        existing = self._existing_schema(table)
        is_other = existing is not None and not _same_shape(existing, table.schema)
        if existing is None and table.cluster_by:
            self._create_clustered(table)
        elif existing is None:
            held, options = _described(held, table), {**options, **table_properties(table)}
        elif is_other:
            held = _described(held, table)
        # Merging schemas would keep columns that are gone, empty for ever.
        is_whole = mode == "overwrite" and options.get("replaceWhere", _EVERYTHING) == _EVERYTHING
        writer = held.write.format("delta").mode(mode)
        if is_other and is_whole:
            writer = writer.option("overwriteSchema", "true")
            writer = writer.clusterBy(*table.cluster_by) if table.cluster_by else writer
        elif is_other:
            writer = writer.options(**options, mergeSchema="true")
        else:
            writer = writer.options(**options)
        self._guard(table, lambda: writer.save(self.path(table)))

    def _merge(self, table: Table, rows: DataFrame, is_gone: str | None = None) -> None:
        values = {f"`{c.name}`": f"s.`{c.name}`" for c in table.columns}
        merge = (
            self._delta(table)
            .alias("t")
            .merge(rows.alias("s"), " AND ".join(f"t.`{c}` <=> s.`{c}`" for c in table.key))
        )
        if is_gone:
            merge = merge.whenMatchedDelete(condition=is_gone)
        # Where rows are known to be gone, the others are known to differ.
        merge = merge.whenMatchedUpdate(condition=None if is_gone else differs(table), set=values)
        kept = f"NOT {is_gone}" if is_gone else None
        self._guard(table, lambda: merge.whenNotMatchedInsert(condition=kept, values=values).execute())

    def _existing_schema(self, table: Table) -> StructType | None:
        if not self.exists(table):
            return None
        return self.spark.read.format("delta").load(self.path(table)).schema

    def _create_clustered(self, table: Table) -> None:
        from delta.tables import DeltaTable

        builder = DeltaTable.createIfNotExists(self.spark).location(self.path(table))
        builder = builder.addColumns(_nullable(table.schema)).clusterBy(*table.cluster_by)
        for name, value in table_properties(table).items():
            builder = builder.property(name, value)
        builder.execute()

    def _cluster(self, table: Table) -> None:
        """Cluster a table that was made before its contract said so; without it Delta would keep no statistics of the columns."""
        first = self.files.read_text(f"{table.folder}/_delta_log/{0:020d}.json")
        # The first commit of a table that was made clustered says so; asking Delta takes longer than a small write.
        if not self.exists(table) or (first is not None and "delta.clustering" in first):
            return
        found = self._delta(table).detail().select("clusteringColumns").first()
        if found is not None and list(found["clusteringColumns"] or ()) == list(table.cluster_by):
            return
        properties = ", ".join(f"'{name}' = '{value}'" for name, value in table_properties(table).items())
        self.spark.sql(f"ALTER TABLE delta.`{self.path(table)}` SET TBLPROPERTIES ({properties})")
        self.spark.sql(f"ALTER TABLE delta.`{self.path(table)}` CLUSTER BY ({', '.join(table.cluster_by)})")

    def _guard(self, table: Table, write: Callable[[], Any]) -> None:
        try:
            write()
        except Exception as error:
            breach = breach_of(error)
            if breach:
                raise ContractError(f"{breach}; nothing was written") from None
            raise

    def _keys_written(self, table: Table, before: int | None, where: str | None) -> tuple[int, int]:
        """Rows of what was just put in place, and how many of its keys have more than one."""
        # A clustered table is made empty, by a commit of its own.
        version = before + 1 if before is not None else int(bool(table.cluster_by))
        if where is None and self.version(table) == version:
            # Three jobs of Spark take longer than writing a small table does.
            keys = rows_written(self, table, version, table.key, most=_KEYS_READ_HERE)
            if keys is not None:
                counts = keys.group_by(list(table.key)).aggregate([([], "count_all")]).column("count_all")
                return len(keys), pc.sum(pc.greater(counts, 1)).as_py() or 0
        written = self.spark.read.format("delta").load(self.path(table))
        written = written.where(where) if where else written
        count = rows_added(self, table, version)
        is_small = count is not None and count <= _KEYS_READ_HERE
        return (keys_of_few if is_small else keys_of_many)(written, *table.key)

    def _undo(self, table: Table, version: int | None) -> None:
        if version is not None:
            self._delta(table).restoreToVersion(version)
        elif self.files.is_local:
            shutil.rmtree(self.path(table))
        else:
            self.files.delete(table.folder)


def table_properties(table: Table) -> dict[str, str]:
    """Delta properties: no statistics on personal columns, so that none of their values enters the log."""
    columns = table.stats_columns
    statistics = (
        {"delta.dataSkippingStatsColumns": ",".join(columns)}
        if columns
        else {"delta.dataSkippingNumIndexedCols": "0"}
    )
    return {**statistics, **table.properties}


def _described(rows: DataFrame, table: Table) -> DataFrame:
    # Delta keeps the descriptions of a table's columns, and takes those of new ones from the rows.
    comments = {c.name: {"comment": c.description} for c in table.columns}
    return rows.select(*[F.col(f"`{name}`").alias(name, metadata=comment) for name, comment in comments.items()])


def _nullable(schema: StructType) -> StructType:
    # Nulls are held off by the guards on write; a NOT NULL in Delta would make the contract hard to relax.
    relaxed = StructType.fromJson(schema.jsonValue())
    for field in relaxed.fields:
        field.nullable = True
    return relaxed


def _same_shape(one: StructType, other: StructType) -> bool:
    return [(f.name, f.dataType.simpleString()) for f in one] == [(f.name, f.dataType.simpleString()) for f in other]
