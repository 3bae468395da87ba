"""Whether rows hold a key twice."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

if TYPE_CHECKING:
    import pyarrow as pa


def keys_of_few(rows: DataFrame, *key: str) -> tuple[int, int]:
    """Rows, and how many keys have more than one of them."""
    by_key = rows.groupBy(*key).count()
    found = by_key.agg(F.sum("count").alias("rows"), F.count_if(F.col("count") > 1).alias("twice")).first()
    assert found is not None
    return int(found["rows"] or 0), int(found["twice"])


def keys_of_many(rows: DataFrame, *key: str) -> tuple[int, int]:
    """The same of millions of rows: where hardly a key is there twice, a group for each costs several times what sorting
    their hashes does. Reads the rows again where a hash is shared, by mistake or by chance."""
    hashes = rows.select(F.xxhash64(*key).alias("hash")).repartition("hash")
    counts = hashes.mapInArrow(_counted, "rows bigint, shared bigint")
    found = counts.agg(F.sum("rows").alias("rows"), F.sum("shared").alias("shared")).first()
    assert found is not None
    return int(found["rows"] or 0), keys_of_few(rows, *key)[1] if found["shared"] else 0


def _counted(batches: "Iterator[pa.RecordBatch]") -> "Iterator[pa.RecordBatch]":
    import pyarrow as pa

    hashes = np.concatenate([np.empty(0, np.int64), *(batch.column(0).to_numpy() for batch in batches)])
    hashes.sort()
    shared = int((hashes[1:] == hashes[:-1]).sum())
    yield pa.RecordBatch.from_pydict({"rows": [len(hashes)], "shared": [shared]})
