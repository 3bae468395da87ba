"""What the tables of journeys promise: who stands at which step, how everybody came there, and why they went."""

from cdp.base.contracts import Column, Table, one_of

REASONS = ("data", "time", "condition", "otherwise", "share", "merge")
"""Why somebody reached a step."""

OUTCOMES = ("converted", "exited", "ended", "rule", "merge", "split", "erasure", "data")
"""Why somebody left a journey."""

_CUSTOMER = Column("customer_id", "string", "the person (identity.assignments)")
_JOURNEY = Column("journey", "string", "name of the journey")
_STEP = Column("step", "string", "name of the step")
_ENTERED_AS = Column("entered_as", "string", "customer id that came in; another than customer_id after a merge")
_ENTERED_ON = Column("entered_on", "date", "the run's date on which the person came into the journey")
_POSITION = Column("position", "int", "how many steps were reached in this visit, this one included")

JOURNEY_MEMBERS = Table(
    name="gold.journey_members",
    grain="a customer who is in a journey now, and the step",
    key=("journey", "customer_id"),
    columns=(
        _JOURNEY,
        Column("version", "string", "hash of the journey as it is now"),
        _CUSTOMER,
        _STEP,
        Column("is_deliverable", "boolean", "whether it is a step of type send"),
        Column("since", "date", "day on which the step was reached; waits count from it"),
        _ENTERED_ON,
        Column("is_suppressed", "boolean", "no consent for the journey's purpose: goes on, never delivered"),
        Column("is_held_out", "boolean", "kept out of delivery to measure what delivery brings"),
    ),
    cluster_by=("customer_id",),
)

JOURNEY_HISTORY = Table(
    name="gold.journey_history",
    grain="a step that a customer reached",
    key=("journey", "entered_as", "entered_on", "position"),
    columns=(
        _JOURNEY,
        Column("version", "string", "hash of the journey as it was when the step was reached"),
        _CUSTOMER,
        _ENTERED_AS,
        _ENTERED_ON,
        _POSITION,
        _STEP,
        Column("since", "date", "day on which it was reached"),
        Column("until", "date", "day on which it was left; null: there now", nullable=True),
        Column("arrived_on", "date", "date of the run that found it reached"),
        Column("left_on", "date", "date of the run that found it left; null: there now", nullable=True),
        Column(
            "reason",
            "string",
            "why it was reached: data (came in), time, condition, otherwise, share (of a split), merge (goes on for another id)",
        ),
        Column("outcome", "string", "why the journey was left from here; null: it was not", nullable=True),
    ),
    expect=(one_of("reason", *REASONS), one_of("outcome", *OUTCOMES)),
)

JOURNEY_CHANGES = Table(
    name="gold.journey_changes",
    grain="a customer came into a journey, went on to a step, or left",
    key=("run_id", "journey", "entered_as", "entered_on", "position", "change"),
    columns=(
        Column("run_id", "string", "run"),
        Column("changed_on", "date", "the run's date"),
        _JOURNEY,
        Column("version", "string", "hash of the journey as it was when the step was reached"),
        _CUSTOMER,
        _ENTERED_AS,
        _ENTERED_ON,
        _POSITION,
        Column("change", "string", "entered, moved or left"),
        Column("from_step", "string", "step before; null: entered", nullable=True),
        Column("to_step", "string", "step now; null: left", nullable=True),
        Column(
            "moved_on",
            "date",
            "day from which it holds; before the run's date where days without a run are made up for",
        ),
        Column("reason", "string", "entered, moved: reason of gold.journey_history; left: its outcome"),
    ),
    expect=(one_of("change", "entered", "moved", "left"), one_of("reason", *dict.fromkeys((*REASONS, *OUTCOMES)))),
)

JOURNEY_STATUS = Table(
    name="gold.journey_status",
    grain="a step of a journey: how many are there, and how many passed",
    key=("journey", "step"),
    columns=(
        _JOURNEY,
        _STEP,
        Column("step_no", "int", "its place in the file, from 1"),
        Column("type", "string", "send, wait, branch, split or end"),
        Column("version", "string", "hash of the journey"),
        Column("version_since", "date", "the run's date from which this version holds"),
        Column("status", "string", "live or failed (everybody stays where they were)"),
        Column("size", "bigint", "customers there now"),
        Column("suppressed", "bigint", "of them without consent for the journey's purpose"),
        Column("held_out", "bigint", "of them in the control group"),
        Column("reached", "bigint", "times that somebody came there, ever"),
        Column("converted", "bigint", "times that somebody left from there because of the goal, ever"),
        Column("exited", "bigint", "times that somebody left from there for the exit condition, ever"),
        Column("computed_on", "date", "the as-of date of the figures"),
        Column("error", "string", "why it failed", nullable=True),
    ),
    expect=(one_of("status", "live", "failed"), one_of("type", "send", "wait", "branch", "split", "end")),
)

TABLES = (JOURNEY_MEMBERS, JOURNEY_HISTORY, JOURNEY_CHANGES, JOURNEY_STATUS)
