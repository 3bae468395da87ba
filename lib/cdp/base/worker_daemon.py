"""The process that Spark's Python workers are forked from, in place of `pyspark.daemon`.

After each task a worker of PySpark looks through all that it has ever imported for garbage: a tenth to a fifth of a second of CPU with
pandas and scikit-learn, more than most tasks of ours take. Here, what is still there after such a look is left out of the
next ones. What every worker needs is imported once, before they are forked.
"""

import gc

import pandas  # noqa: F401
import pyarrow  # noqa: F401
import pyspark.worker  # noqa: F401
from pyspark import daemon


class _Collector:
    """Stands in for `gc` in PySpark's daemon."""

    @staticmethod
    def collect() -> None:
        gc.collect()
        gc.freeze()


if __name__ == "__main__":
    vars(daemon)["gc"] = _Collector
    _Collector.collect()
    daemon.manager()
