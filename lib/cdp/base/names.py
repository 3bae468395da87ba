"""Names of what holds on a row, as an array: the reasons why it is refused, the fields that failed.

`array_compact` would do, but it is a lambda, and Spark interprets a lambda with all that it is given: every rule of a
source, each parse of a nested column. A text of names is compiled like anything else.
"""

from collections.abc import Iterable

from pyspark.sql import Column
from pyspark.sql import functions as F

_BETWEEN = "\x1f"


def joined(names: Iterable[Column]) -> Column:
    """One text of those names that are not null, empty without any; for `split_names`."""
    return F.concat_ws(_BETWEEN, *names)


def split_names(text: Column) -> Column:
    """The names in a text of `joined`, as an array. The text should be a column: it is looked at twice."""
    return F.when(text == "", F.array().cast("array<string>")).otherwise(F.split(text, _BETWEEN))
