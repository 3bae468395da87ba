"""What resolving the sample retailer's customer records costs, and how right it is, beside Splink on the same records.

    python benchmarks/identity.py [--records 50000 200000] [--splink /path/to/python/with/splink] [--keep DIR]

For each number of records: extracts of the customer sources alone, ingested and cleaned, and then `resolve` in a fresh process,
as of a day after which about one in a hundred records came; and once more in another process, as of the last day, for those.
Printed are its seconds, the start of the session included, the peak memory of all its processes, the pairs it expected to
compare, and pair F1 against the truth. With --splink, Splink's DuckDB and Spark back ends link the same records, each in a process
of its own: names, birth date, e-mail, phone, address, term frequencies, expectation maximisation, clusters at a probability of 0.95.
What counts are the ratios: seconds differ from machine to machine, and on a shared one from minute to minute.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from fitted_session import PROJECT, submit

sys.path.insert(0, str(PROJECT / "lib"))

CUSTOMERS = ("crm_contacts", "shop_customers", "loyalty_members", "email_subscribers", "social_leads", "partner_list")
RECORDS_A_PERSON = 1.87
AS_OF = "2026-10-31"


def prepare(folder: Path, records: int) -> None:
    """Extracts and silver tables of some `records` customer records; left alone where they are there."""
    if (folder / "lake" / "silver" / "customer_records").exists():
        return
    persons = str(round(records / RECORDS_A_PERSON))
    submit("sample", "--landing", str(folder / "landing"), "--persons", persons, "--as-of", AS_OF)
    (folder / "conf" / "sources").mkdir(parents=True, exist_ok=True)
    for name in CUSTOMERS:
        shutil.copy(PROJECT / "conf" / "sources" / f"{name}.yaml", folder / "conf" / "sources")
    submit("pipeline", "--stages", "ingest", "clean", *_places(folder))


def _places(folder: Path, as_of: str = AS_OF) -> list[str]:
    return [
        *("--config", str(folder / "conf"), "--landing", str(folder / "landing")),
        *("--lake", str(folder / "lake"), "--as-of", as_of),
    ]


def day_before(folder: Path, share: float) -> str:
    """The day after which so large a share of the customer records began."""
    from cdp.identity.explain import dataset

    rows = dataset(folder / "lake", "silver.customer_records").to_table(columns=["created_at", "updated_at"])
    created, updated = (rows.column(name).cast("timestamp[us]").to_numpy() for name in rows.column_names)
    began = np.sort(np.fmin(created, updated))
    return str(began[int(len(began) * (1 - share))].astype("datetime64[D]"))


class Peak:
    """Peak resident memory of this process and all below it, in GiB."""

    def __enter__(self) -> "Peak":
        self.gib, self._ended = 0.0, threading.Event()
        self._watch = threading.Thread(target=self._run, daemon=True)
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._watch.join()

    def _run(self) -> None:
        while not self._ended.wait(0.5):
            listed = subprocess.run(["ps", "-eo", "pid=,ppid=,rss="], capture_output=True, text=True).stdout
            rows = [tuple(map(int, line.split())) for line in listed.splitlines()]
            mine = {os.getpid()}
            for _ in range(8):  # deeper than any of the trees
                mine |= {pid for pid, parent, _ in rows if parent in mine}
            self.gib = max(self.gib, sum(size for pid, _, size in rows if pid in mine) / (1 << 20))


def ours(folder: Path, as_of: str, *, from_nothing: bool) -> dict[str, float]:
    """Seconds, GiB, pairs and pair F1 of `resolve`."""
    from cdp.identity.evaluate import read_assignments

    if from_nothing:
        shutil.rmtree(folder / "lake" / "identity", ignore_errors=True)
    began = time.monotonic()
    with Peak() as peak:
        summary = Path(submit("resolve", *_places(folder, as_of)))
    took = time.monotonic() - began
    notes = " ".join(json.loads(summary.read_text(encoding="utf-8"))["stages"][0]["notes"])
    pairs = re.search(r"some ([\d,]+) pairs", notes)
    count = float(pairs.group(1).replace(",", "")) if pairs else 0.0
    return {"seconds": took, "GiB": peak.gib, "pairs": count, **scores(folder, read_assignments(folder / "lake"))}


def scores(folder: Path, customers: dict[tuple[str, str], str]) -> dict[str, float]:
    """Precision, recall and F1 of the pairs, for the customer of each record."""
    from cdp.identity.evaluate import evaluate, read_truth

    pairs = evaluate(customers, read_truth(folder / "landing-truth" / "record_truth")).pairs
    return {"precision": pairs.precision, "recall": pairs.recall, "F1": pairs.f1}


def splinks(folder: Path, python: str, backend: str) -> dict[str, float]:
    """The same of Splink."""
    from cdp.identity.explain import dataset

    columns = ["source", "record_key", "given_name_key", "family_name_key", "birth_date", "emails", "phones", "street", "postal_code"]
    table = dataset(folder / "lake", "silver.customer_records").to_table(columns=columns)
    import pyarrow.parquet as pq

    pq.write_table(table, folder / "records.parquet")
    began = time.monotonic()
    with Peak() as peak:
        call = [python, __file__, "--peer", str(folder / "records.parquet"), str(folder / "clusters.parquet"), backend]
        subprocess.run(call, check=True, capture_output=True)
    took = time.monotonic() - began
    clusters = pq.read_table(folder / "clusters.parquet").to_pylist()
    pairs = clusters[0]["pairs"]
    of = {(row["source"], row["record_key"]): str(row["cluster_id"]) for row in clusters}
    return {"seconds": took, "GiB": peak.gib, "pairs": float(pairs), **scores(folder, of)}


def peer(records: str, clusters: str, backend: str) -> None:
    """Splink, in an environment of its own."""
    import pandas as pd
    from splink import Linker, SettingsCreator, block_on
    from splink import comparison_library as cl

    frame = pd.read_parquet(records)
    frame["unique_id"] = range(len(frame))
    for column in ("emails", "phones"):
        frame[column.rstrip("s")] = [values[0] if values is not None and len(values) else None for values in frame[column]]
    frame["birth_date"] = frame["birth_date"].astype("string")
    rules = [
        block_on("email"), block_on("phone"), block_on("given_name_key", "family_name_key"),
        block_on("family_name_key", "postal_code"), block_on("given_name_key", "birth_date"),
        block_on("family_name_key", "birth_date"), block_on("street", "postal_code"),
    ]  # fmt: skip
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            cl.JaroWinklerAtThresholds("given_name_key", [0.92, 0.8]).configure(term_frequency_adjustments=True),
            cl.JaroWinklerAtThresholds("family_name_key", [0.92, 0.8]).configure(term_frequency_adjustments=True),
            cl.DateOfBirthComparison("birth_date", input_is_string=True),
            cl.EmailComparison("email"),
            cl.LevenshteinAtThresholds("phone", [1, 2]),
            cl.JaroWinklerAtThresholds("street", [0.92, 0.8]),
            cl.ExactMatch("postal_code").configure(term_frequency_adjustments=True),
        ],
        blocking_rules_to_generate_predictions=rules,
    )
    frame = frame.drop(columns=["emails", "phones"])
    linker = Linker(_on_spark(frame) if backend == "Spark" else _on_duckdb(frame), settings)
    linker.training.estimate_probability_two_random_records_match([block_on("email"), block_on("phone")], recall=0.7)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6)
    for rule in (block_on("given_name_key", "family_name_key"), block_on("email"), block_on("street", "postal_code")):
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    predicted = linker.inference.predict(threshold_match_probability=0.01)
    found = linker.clustering.cluster_pairwise_predictions_at_threshold(predicted, 0.95).as_pandas_dataframe()
    found["pairs"] = len(predicted.as_pandas_dataframe())
    found[["source", "record_key", "cluster_id", "pairs"]].to_parquet(clusters)


def _on_duckdb(frame: Any) -> Any:
    from splink import DuckDBAPI

    return DuckDBAPI().register(frame)


def _on_spark(frame: Any) -> Any:
    import pyarrow as pa
    from pyspark.sql import SparkSession
    from splink import SparkAPI
    from splink.backends.spark import similarity_jar_location

    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.driver.memory", "6g")
        .config("spark.jars", similarity_jar_location())
        .config("spark.sql.shuffle.partitions", "8")
        .config("spark.default.parallelism", "8")
        .getOrCreate()
    )
    spark.sparkContext.setCheckpointDir(tempfile.mkdtemp())
    return SparkAPI(spark_session=spark).register(spark.createDataFrame(pa.Table.from_pandas(frame, preserve_index=False)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, nargs="+", default=[50_000, 200_000])
    parser.add_argument("--splink", metavar="PYTHON", help="python of an environment with Splink 5 and PySpark")
    parser.add_argument("--keep", type=Path, help="keep the extracts and tables there, and use those of a run before")
    parser.add_argument("--peer", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peer:
        peer(*arguments.peer)
        return
    print(f"{'records':>9} {'':14} {'seconds':>8} {'GiB':>5} {'pairs':>12} {'precision':>9} {'recall':>7} {'F1':>7}")
    with tempfile.TemporaryDirectory() as temporary:
        for records in arguments.records:
            folder = (arguments.keep or Path(temporary)) / str(records)
            prepare(folder, records)
            _print(records, "cdp", ours(folder, day_before(folder, 0.01), from_nothing=True))
            _print(records, "cdp, 1 % more", ours(folder, AS_OF, from_nothing=False))
            for backend in ("DuckDB", "Spark") if arguments.splink else ():
                _print(records, f"Splink, {backend}", splinks(folder, arguments.splink, backend))


def _print(records: int, name: str, of: dict[str, float]) -> None:
    right = f"{of['precision']:9.4f} {of['recall']:7.4f} {of['F1']:7.4f}"
    print(f"{records:9,} {name:14} {of['seconds']:8.1f} {of['GiB']:5.1f} {of['pairs']:12,.0f} {right}", flush=True)


if __name__ == "__main__":
    main()
