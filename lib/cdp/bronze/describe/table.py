"""What was read of an extract, whatever its format."""

from dataclasses import dataclass, field

MOST_ROWS = 100_000
"""Rows of an extract that are looked at."""
MOST_CELLS = 1_000_000
"""Values that are looked at: of an extract with many columns, fewer rows. Holds memory below half a gigabyte."""


@dataclass
class RawColumn:
    """A column as it came.

    Attributes:
        name: its name in the extract.
        values: text of each row's value; None where the row has none.
        type: Spark's type, where the extract says it; None where the values have to.
        is_text: whether the extract says that the values are text, so that digits are no number.
        leaves: of a nested column, the values at each path below it; paths of an array's elements are theirs.
    """

    name: str
    values: list[str | None]
    type: str | None = None
    is_text: bool = False
    leaves: "dict[tuple[str, ...], RawColumn]" = field(default_factory=dict)


@dataclass
class Table:
    """The rows of an extract that were looked at.

    Attributes:
        format: csv, json or parquet.
        columns: those that a contract can name.
        rows: how many rows were looked at.
        is_whole: whether those are all.
        options: what differs from the defaults of a source's `options`.
        has_names: whether the extract names its columns.
        notes: what to check about the whole file.
    """

    format: str
    columns: list[RawColumn]
    rows: int
    is_whole: bool
    options: dict[str, str | bool | int] = field(default_factory=dict)
    has_names: bool = True
    notes: list[str] = field(default_factory=list)


def rows_for(columns: int) -> int:
    """How many rows of so many columns are looked at."""
    return max(1, min(MOST_ROWS, MOST_CELLS // max(1, columns)))


def usable(columns: list[RawColumn], notes: list[str]) -> list[RawColumn]:
    """The columns that a contract can name; what is left out is noted, by position, as its name may be anything."""
    kept, taken, left_out = [], set(), []
    for position, column in enumerate(columns, start=1):
        name = column.name
        is_fit = name.isprintable() and not name.startswith("_") and "`" not in name and "${" not in name
        if is_fit and name.strip() and len(name) <= 200 and name.lower() not in taken:
            kept.append(column)
            taken.add(name.lower())
        else:
            left_out.append(str(position))
    if left_out:
        notes.append(
            f"column {', '.join(left_out[:10])} is not declared: its name begins with _, is there twice or cannot be"
            " written; bronze keeps it in _extra"
        )
    return kept
