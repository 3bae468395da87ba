"""What the activation tables promise: what went where, and what every destination holds."""

from cdp.base.contracts import Column, Table, one_of

DESTINATION = Column("destination", "string", "name of the destination")
SEGMENT = Column("segment", "string", "segment delivered; of a step of a journey JOURNEY.STEP")
CUSTOMER = Column("customer_id", "string", "the person (identity.assignments)")

DELIVERIES = Table(
    name="activation.deliveries",
    grain="the fate of one member of a segment at a destination in a run",
    key=("run_id", "destination", "segment", "customer_id"),
    columns=(
        Column("run_id", "string", "run"),
        Column("batch", "bigint", "state of activation.delivered_members it started from; a killed run is redone whole"),
        Column("delivered_on", "date", "the run's date"),
        DESTINATION,
        SEGMENT,
        CUSTOMER,
        Column("action", "string", "add, remove or keep (already held)"),
        Column("outcome", "string", "sent, suppressed, held_out or rejected"),
        Column("reason", "string", "why it was not sent", nullable=True),
        Column("file", "string", "file below the lake it was written to", nullable=True),
    ),
    expect=(
        one_of("action", "add", "remove", "keep"),
        one_of("outcome", "sent", "suppressed", "held_out", "rejected"),
    ),
)

DELIVERED_MEMBERS = Table(
    name="activation.delivered_members",
    grain="a member of a segment that a destination holds now",
    key=("destination", "segment", "customer_id"),
    columns=(
        DESTINATION,
        SEGMENT,
        CUSTOMER,
        Column("identifiers", "array<string>", "identifiers as sent, for a removal by the same form", pii=True),
        Column("since", "date", "the run's date on which it was first sent"),
    ),
)

TABLES = (DELIVERIES, DELIVERED_MEMBERS)
