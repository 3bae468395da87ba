"""What tasks in Python take in this project's session, beside PySpark's own settings.

    python benchmarks/python_tasks.py [--rows 600000] [--tasks 126]

Rows of 47 numbers go to Python in so many tasks, which import scikit-learn as `score` does and count them. Each setting has a session
of its own; printed are the seconds of the second and third time, when workers have imported all that they need, and the ratio.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
PYSPARK = {
    "spark.python.daemon.module": "pyspark.daemon",
    "spark.sql.execution.arrow.maxBytesPerBatch": "67108864",
}
COLUMNS = 47


def measure(rows: int, tasks: int) -> list[float]:
    """Seconds of each of two times after the first."""
    sys.path.insert(0, str(PROJECT / "lib"))
    import pyarrow as pa

    from cdp.base.session import fit_to, spark_session

    def counted(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import sklearn.ensemble  # noqa: F401

        yield pa.RecordBatch.from_pydict({"rows": [sum(batch.num_rows for batch in batches)]})

    spark = spark_session("python tasks", memory="4g")
    fit_to(spark, 1 << 30)
    numbers = [f"double(id * {i} % 97) AS c{i}" for i in range(COLUMNS)]
    given = spark.range(0, rows, 1, tasks).selectExpr(*numbers).persist()
    found = []
    for _ in range(3):
        began = time.perf_counter()
        assert given.mapInArrow(counted, "rows bigint").agg({"rows": "sum"}).first()[0] == rows
        found.append(round(time.perf_counter() - began, 2))
    spark.stop()
    return found[1:]


def apart(conf: dict[str, str], arguments: argparse.Namespace) -> list[float]:
    """The same in a process of its own, with settings that win over ours."""
    options = " ".join(f"--conf {key}={value}" for key, value in conf.items())
    environment = {**os.environ, "PYSPARK_SUBMIT_ARGS": f"{options} pyspark-shell"}
    command = [sys.executable, __file__, "--rows", str(arguments.rows), "--tasks", str(arguments.tasks), "--here"]
    told = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    return list(json.loads(told.splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=600_000)
    parser.add_argument("--tasks", type=int, default=126)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.here:
        print(json.dumps(measure(arguments.rows, arguments.tasks)))
        return
    own, theirs = apart({}, arguments), apart(PYSPARK, arguments)
    print(f"ours {own} s, PySpark's {theirs} s: {sum(theirs) / sum(own):.1f} x")


if __name__ == "__main__":
    main()
