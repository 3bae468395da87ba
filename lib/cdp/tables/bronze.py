"""What the bronze tables promise: rows as sent, with their lineage."""

import re
from collections.abc import Sequence

from cdp.base.contracts import Column, Table

LINEAGE = (
    Column("_source", "string", "name of the source"),
    Column("_file", "string", "path of the extract below the landing folder"),
    Column("_file_row", "bigint", "position of the row in its file, from 1"),
    Column("_file_modified_at", "timestamp", "when the file was last changed"),
    Column("_ingested_at", "timestamp", "when the run that read it began"),
    Column("_batch_id", "string", "the batch that read it; a batch killed half way is redone whole"),
    Column("_run_id", "string", "the run that read it"),
    Column("_row_hash", "string", "SHA-256 of the row as sent"),
)
EXTRA = Column(
    "_extra", "map<string,string>", "columns that the source's contract does not declare", pii=True, nullable=True
)


def source_table(source: str, columns: Sequence[tuple[str, str]]) -> Table:
    """The bronze table of a source.

    Args:
        source: its name.
        columns: (name, description) of each declared column. All are strings and, as nobody has looked at them yet,
            all count as personal.
    """
    declared = tuple(Column(name, "string", text or "as sent", pii=True, nullable=True) for name, text in columns)
    # Delta takes names such as `First Name` only when columns are mapped by name, which fewer readers understand.
    is_mapped = any(re.search(r"[ ,;{}()\n\t=]", name) for name, _ in columns)
    return Table(
        name=f"bronze.{source}",
        grain="one row of one extract, every column as it came",
        key=("_file", "_file_modified_at", "_file_row"),
        columns=LINEAGE + declared + (EXTRA,),
        properties={"delta.columnMapping.mode": "name"} if is_mapped else {},
    )


QUARANTINE = Table(
    name="bronze.quarantine",
    grain="one row of an extract that could not be read or broke its source's contract",
    key=("stage", "_source", "_file", "_file_modified_at", "_file_row"),
    columns=(
        *LINEAGE,
        Column("stage", "string", "the stage that refused it: ingest or clean"),
        Column("raw", "string", "the row as sent (JSON of the columns where the line itself is not at hand)", pii=True),
        Column("reasons", "array<string>", "every rule it broke, by name; never the value"),
    ),
)
