"""Where the rows of a clustered table lie: by its first clustering column, each file a stretch of values of its own.

Delta puts rows in the order of its clustering only in OPTIMIZE, which a table that every run replaces would never see.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.base.contracts import Table

_DIGITS = 4
"""Hexadecimal digits that are looked at: 65,536 stretches."""
_PARTITIONS_A_FILE = 4
"""A table is a part of the lake for whose size the session's partitions were counted; each file costs whoever reads."""


def laid_out(rows: DataFrame, table: Table, partitions: int) -> DataFrame:
    """Rows in the order in which they are to be written.

    The values of clustering columns are a letter and the digits of a hash (customer ids, buckets of keys): equal
    stretches of digits hold equally many rows. Ranges that Spark finds for itself would cost computing the rows twice,
    once for a sample, which would also count twice what is observed of them. Other values end up in one file.

    Args:
        rows: of the table.
        table: which; clustered.
        partitions: of the session, for shuffles.
    """
    files = partitions // _PARTITIONS_A_FILE
    ordered = rows
    if files > 1:
        first = table.cluster_by[0]
        digits = f"CAST(conv(substring(`{first}`, 2, {_DIGITS}), 16, 10) AS INT)"
        nobody = f"pmod(hash({', '.join(f'`{c}`' for c in table.key)}), {files})"
        place = f"CASE WHEN `{first}` IS NULL THEN {nobody} ELSE coalesce({digits}, 0) * {files} DIV {16**_DIGITS} END"
        ordered = rows.repartitionById(files, F.expr(f"CAST({place} AS INT)"))
    return ordered.sortWithinPartitions(*table.cluster_by)
