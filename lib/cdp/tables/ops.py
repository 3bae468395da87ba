"""What the ops tables promise: what ran, on what, how long, with what outcome."""

from cdp.base.contracts import Column, Table, between, one_of

RUN = Column("run_id", "string", "the run")
SOURCE = Column("source", "string", "name of the source")

RUNS = Table(
    name="ops.runs",
    grain="one call of a job",
    key=("run_id",),
    columns=(
        RUN,
        Column("job", "string", "pipeline, ingest, clean ..."),
        Column("as_of", "date", "the run's date"),
        Column("started_at", "timestamp", "start, UTC"),
        Column("ended_at", "timestamp", "end, UTC"),
        Column("status", "string", "done, failed or broke_rule"),
        Column("exit_code", "int", "exit code of the process"),
        Column("error", "string", "what a failed run said", nullable=True),
        Column("version", "string", "version of the library"),
    ),
    expect=(one_of("status", "done", "failed", "broke_rule"),),
)

STAGE_RUNS = Table(
    name="ops.stage_runs",
    grain="one stage of one run",
    key=("run_id", "stage"),
    columns=(
        RUN,
        Column("stage", "string", "ingest, clean, resolve ..."),
        Column("started_at", "timestamp", "start, UTC"),
        Column("seconds", "double", "how long it took", unit="seconds"),
        Column("status", "string", "done, up_to_date or failed"),
        Column("rows_in", "bigint", "rows read", nullable=True),
        Column("rows_out", "bigint", "rows written", nullable=True),
        Column("rows_refused", "bigint", "rows set aside", nullable=True),
        Column("fingerprint", "string", "hash of what the stage was made from: inputs, settings, date, code"),
        Column("outputs", "map<string,bigint>", "table to the version it had after the stage", nullable=True),
        Column("error", "string", "what a failed stage said", nullable=True),
    ),
    expect=(one_of("status", "done", "up_to_date", "failed"), between("seconds", 0)),
)

RECONCILIATION = Table(
    name="ops.reconciliation",
    grain="one account that must balance: rows in = rows out + refused + skipped",
    key=("run_id", "stage", "subject"),
    columns=(
        RUN,
        Column("stage", "string", "stage"),
        Column("subject", "string", "source or table"),
        Column("rows_in", "bigint", "rows that came in"),
        Column("rows_out", "bigint", "rows that went on"),
        Column("rows_refused", "bigint", "rows set aside with a reason"),
        Column("rows_skipped", "bigint", "rows left out on purpose: superseded versions, repeated events"),
        Column("difference", "bigint", "what is missing; 0 when nothing was lost"),
    ),
)

QUALITY_RESULTS = Table(
    name="ops.quality_results",
    grain="one expectation judged in one run",
    key=("run_id", "table", "expectation"),
    columns=(
        RUN,
        Column("table", "string", "table judged"),
        Column("expectation", "string", "what was expected of which columns"),
        Column("severity", "string", "critical or warning"),
        Column("is_met", "boolean", "whether it held"),
        Column("unexpected", "bigint", "rows that broke it", nullable=True),
        Column("rows", "bigint", "rows judged", nullable=True),
    ),
    expect=(one_of("severity", "critical", "warning"),),
)

FILES = Table(
    name="ops.files",
    grain="one extract that a batch has read, or is about to read",
    key=("batch_id", "source", "file", "state"),
    columns=(
        Column("batch_id", "string", "the batch"),
        SOURCE,
        Column("file", "string", "path below the landing folder; of a database the table and what was read of it"),
        Column("modified_at", "timestamp", "when the file was last changed"),
        Column("size", "bigint", "bytes; of a database rows"),
        Column(
            "state", "string", "planned (written before the rows), read (after them) or gone (its table has it no more)"
        ),
        Column("noted_at", "timestamp", "when this was written down"),
    ),
    expect=(one_of("state", "planned", "read", "gone"),),
)

TRACKING_VIOLATIONS = Table(
    name="ops.tracking_violations",
    grain="one kind of violation of the tracking plan by one event of one source, as of one run of clean",
    key=("run_id", "source", "event", "field", "violation_type"),
    columns=(
        RUN,
        SOURCE,
        Column("event", "string", "name of the event"),
        Column("field", "string", "the property; `event` where the event itself is not planned"),
        Column("violation_type", "string", "Required, Type, Enum, Pattern, UnplannedEvent or UnplannedProperty"),
        Column("rows", "bigint", "events that have it: in silver, set aside or dropped"),
        Column("plan_version", "int", "version of the plan"),
    ),
)

CLEANED = Table(
    name="ops.cleaned",
    grain="one source, as of the last run of clean",
    key=("source",),
    columns=(
        SOURCE,
        Column("fingerprint", "string", "hash of what its rows were cleaned by: settings, tracking plan, code"),
        Column("version", "bigint", "version of its bronze table"),
        Column("rows", "bigint", "rows of its bronze table"),
        Column("batches", "array<string>", "batches in its bronze table"),
        Column("tables", "map<string,bigint>", "silver table to the version it had right afterwards"),
    ),
)

RESOLVED = Table(
    name="ops.resolved",
    grain="the last run of resolve",
    key=("fingerprint",),
    columns=(
        Column("fingerprint", "string", "hash of what records were resolved by: settings, code"),
        Column("as_of", "date", "the run's date"),
        Column("learnt_from", "bigint", "customer records from which was learnt what likeness is worth; null: nothing was compared", nullable=True),
        Column("changed", "bigint", "records that are new, other or gone since all were resolved together"),
        Column("tables", "map<string,bigint>", "identity table to the version it had right afterwards"),
    ),
)

TABLES = (RUNS, STAGE_RUNS, RECONCILIATION, QUALITY_RESULTS, FILES, CLEANED, RESOLVED, TRACKING_VIOLATIONS)
