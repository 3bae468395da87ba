"""Great Expectations: suites made from the contracts, judged on the written tables, rendered as Data Docs.

The writes themselves are guarded row by row (`cdp.base.guards`); this is the second opinion on what lies in the lake,
by a library people know, with pages they can read. It works in the background while later stages run.
"""

import logging
import os
import warnings
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame

from cdp.base.contracts import Table
from cdp.base.lake import Lake
from cdp.tables.ops import QUALITY_RESULTS

_DOCS = "data_docs"
_SMALL_BYTES, _FEW = 1 << 20, 20_000
"""Bytes of a table, with its log and its former files, and rows of it, up to which they are taken into the driver's memory."""

# No failing value may reach a result or a page.
_RESULT_FORMAT = {"result_format": "SUMMARY", "exclude_unexpected_values": True, "partial_unexpected_count": 0}


@dataclass(frozen=True)
class Verdict:
    """One expectation judged."""

    table: str
    expectation: str
    severity: str
    is_met: bool
    unexpected: int | None
    rows: int | None


class QualityJudge:
    """Judges tables one after the other in the background.

    Args:
        lake: where they are.
        run_id: for the results.
    """

    def __init__(self, lake: Lake, run_id: str) -> None:
        self._lake, self._run_id = lake, run_id
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="quality")
        self._pending: list[Future[list[Verdict]]] = []
        self._verdicts: list[Verdict] = []
        self._context: Any = None

    def prepare(self) -> None:
        """Load the library while a stage runs: that takes five to ten seconds, in which the stage mostly waits for Spark."""
        self._worker.submit(import_module, "great_expectations.expectations")

    def judge(self, tables: Sequence[Table]) -> None:
        """Queue tables that were just written."""
        for table in tables:
            self._pending.append(self._worker.submit(self._judge, table))

    def close(self) -> None:
        """Give up what is queued."""
        self._worker.shutdown(wait=True, cancel_futures=True)

    def flush(self) -> None:
        """Wait for what is queued, and write the verdicts to `ops.quality_results`."""
        new = [verdict for future in self._pending for verdict in future.result()]
        self._pending.clear()
        self._verdicts += new
        rows = [(self._run_id, v.table, v.expectation, v.severity, v.is_met, v.unexpected, v.rows) for v in new]
        if rows:
            frame = self._lake.spark.createDataFrame(rows, QUALITY_RESULTS.schema).coalesce(1)
            self._lake.append(QUALITY_RESULTS, frame)

    def finish(self) -> tuple[list[Verdict], str | None]:
        """Wait for all, write what is not written yet and the Data Docs; returns all verdicts and the index page."""
        self.flush()
        self._worker.shutdown(wait=True)
        if not self._verdicts or not self._lake.files.is_local:
            return self._verdicts, None
        self._context.build_data_docs()
        return self._verdicts, str(Path(self._lake.root) / _DOCS / "index.html")

    def _judge(self, table: Table) -> list[Verdict]:
        if not self._lake.exists(table):
            return []
        import great_expectations as gx

        if self._context is None:
            self._context = _quiet_context(self._lake)
        context = self._context
        name = table.name
        source = context.data_sources.add_or_update_spark(name=name, persist=False)
        batch = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe("whole table")
        suite = context.suites.add_or_update(gx.ExpectationSuite(name=name, expectations=expectations_of(table)))
        definition = gx.ValidationDefinition(name=name, data=batch, suite=suite)
        definition = context.validation_definitions.add_or_update(definition)
        checkpoint = gx.Checkpoint(name=name, validation_definitions=[definition], result_format=_RESULT_FORMAT)
        checkpoint = context.checkpoints.add_or_update(checkpoint)
        outcome = checkpoint.run(batch_parameters={"dataframe": self._rows(table)})
        results = [r for run in outcome.run_results.values() for r in run.results]
        return [_verdict(table, result) for result in results]

    def _rows(self, table: Table) -> DataFrame:
        """The table; of a small one its rows, so that the dozen queries of the library do not each open it anew."""
        rows = self._lake.read(table)
        if self._lake.files.size(table.folder) > _SMALL_BYTES:
            return rows
        few = rows.limit(_FEW + 1).toArrow()
        return rows if len(few) > _FEW else self._lake.spark.createDataFrame(few, rows.schema)


def expectations_of(table: Table) -> list[Any]:
    """The Great Expectations suite of a contract: columns, required columns, key and further rules."""
    import great_expectations.expectations as gxe

    columns = [c.name for c in table.columns]
    # Not an exact match: the library counts the fields of a struct as columns of their own.
    suite = [gxe.ExpectTableColumnsToMatchSet(column_set=columns, exact_match=False, severity="critical")]
    suite += [gxe.ExpectColumnValuesToNotBeNull(column=c, severity="critical") for c in table.required_columns]
    suite.append(gxe.UnexpectedRowsExpectation(**_unique_key(table), severity="critical"))
    suite += [getattr(gxe, e.kind)(**e.arguments, severity=e.severity) for e in table.expect]
    return suite


def _unique_key(table: Table) -> dict[str, str]:
    """A query that finds the keys with more than one row, and tells of each only how many.

    The library's own expectations of unique columns sort the whole table by a struct of the key; counting by key does not.
    """
    columns = ", ".join(f"`{name}`" for name in table.key)
    query = f"SELECT count(*) AS rows_of_one_key FROM {{batch}} GROUP BY {columns} HAVING count(*) > 1"
    return {"unexpected_rows_query": query, "description": f"One row a key: {', '.join(table.key)}"}


def _quiet_context(lake: Lake) -> Any:
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="great_expectations")
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    if lake.files.is_local:
        for site in list(context.get_site_names()):
            context.delete_data_docs_site(site)
        context.add_data_docs_site(
            site_name="lake",
            site_config={
                "class_name": "SiteBuilder",
                "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
                "store_backend": {
                    "class_name": "TupleFilesystemStoreBackend",
                    "base_directory": str(lake.local_path(_DOCS)),
                },
            },
        )
    return context


def _verdict(table: Table, result: Any) -> Verdict:
    config, found = result.expectation_config, result.result
    is_key = "unexpected_rows_query" in config.kwargs
    subject = config.kwargs.get("column") or (", ".join(table.key) if is_key else "columns")
    return Verdict(
        table=table.name,
        expectation=f"{config.type} ({subject})",
        severity=str(getattr(config.severity, "value", config.severity)),
        is_met=bool(result.success),
        unexpected=found.get("observed_value") if is_key else found.get("unexpected_count"),
        rows=found.get("element_count"),
    )
