"""What the identity tables promise: who is who, since when, and why."""

from cdp.base.contracts import Column, Table, between, one_of

SOURCE = Column("source", "string", "source of the record")
RECORD = Column("record_key", "string", "the source's key of the record", pii=True)

LINKS = Table(
    name="identity.links",
    grain="a scored pair of records",
    key=("left_source", "left_record_key", "right_source", "right_record_key", "rule"),
    columns=(
        Column("left_source", "string", "source of the first record"),
        Column("left_record_key", "string", "key of the first record", pii=True),
        Column("right_source", "string", "source of the second record"),
        Column("right_record_key", "string", "key of the second record", pii=True),
        Column("rule", "string", "what linked the pair: an id type, a device, a steward's rule or `comparison`"),
        Column("match_weight", "double", "log2 odds that both are one person", unit="bits", nullable=True),
        Column("probability", "double", "probability that both are one person"),
        Column("evidence", "map<string,double>", "what each field and its level adds", unit="bits", nullable=True),
        Column("decision", "string", "accepted, refused or review"),
        Column("reason", "string", "why"),
    ),
    expect=(one_of("decision", "accepted", "refused", "review"), between("probability", 0, 1)),
)

ASSIGNMENTS = Table(
    name="identity.assignments",
    grain="a record's customer over an interval of time (slowly changing dimension, type 2)",
    key=("source", "record_key", "valid_from"),
    columns=(
        SOURCE,
        RECORD,
        Column("customer_id", "string", "the person; lasts, and never means another one"),
        Column("valid_from", "timestamp", "from this run's date on (inclusive)"),
        Column("valid_to", "timestamp", "until (exclusive); null: still so", nullable=True),
        Column("is_current", "boolean", "whether the row holds now"),
        Column("run_id", "string", "the run that made the assignment"),
    ),
)

CHANGES = Table(
    name="identity.changes",
    grain="one thing that happened to a customer id",
    key=("run_id", "change", "customer_id", "previous_customer_id"),
    columns=(
        Column("run_id", "string", "run"),
        Column("batch", "bigint", "state of identity.assignments it started from; a killed run is redone whole"),
        Column("changed_at", "timestamp", "the run's date"),
        Column("change", "string", "created, merged, split, moved or erased"),
        Column("customer_id", "string", "the id that holds from now on"),
        Column("previous_customer_id", "string", "the id before; the same as customer_id where it is new"),
        Column("records", "bigint", "records concerned"),
        Column("reason", "string", "why"),
    ),
    expect=(one_of("change", "created", "merged", "split", "moved", "erased"),),
)

RULES = Table(
    name="identity.rules",
    grain="one entry of the steward's ledger",
    key=("rule_id",),
    columns=(
        Column("rule_id", "string", "hash of the rule"),
        Column("action", "string", "always_link, never_link or block"),
        Column("left", "string", "record (`source|record_key`) or identifier (`id_type=value`)", pii=True),
        Column("right", "string", "the other one; null for block", pii=True, nullable=True),
        Column("reason", "string", "why"),
        Column("author", "string", "who decided it", pii=True, nullable=True),
    ),
    expect=(one_of("action", "always_link", "never_link", "block"),),
)

AUDIT = Table(
    name="identity.audit",
    grain="one thing that resolution refused to do, and why",
    key=("kind", "id_type", "value_hash"),
    columns=(
        Column("kind", "string", "blocked_value, ambiguous_identifier, refused_link, cut_cluster or crowded_block"),
        Column("id_type", "string", "type of the identifier, limit or blocking rule concerned"),
        Column("value_hash", "string", "SHA-256 of the value (of a block: of its key): who knows an identifier can tell whose it is", pii=True),
        Column("records", "bigint", "records concerned"),
        Column("reason", "string", "why"),
    ),
)

PARAMETERS = Table(
    name="identity.parameters",
    grain="a level of a compared field, given what the fields say that it depends on; and one row of all pairs",
    key=("field", "said", "level"),
    columns=(
        Column("field", "string", "field; `*` for the row of all pairs"),
        Column("kind", "string", "how its values are compared"),
        Column("place", "int", "its place in the order of fields"),
        Column("parents", "string", "the fields it depends on, with a comma between; empty: none"),
        Column("said", "string", "what those say: each missing, equal, alike or unlike"),
        Column("level", "string", "how alike the two values are; `pair` in the row of all pairs"),
        Column("class", "string", "what the level tells fields that depend on this one: equal, alike or unlike"),
        Column("matches", "double", "share of the pairs of one person at this level; of all pairs, share that are one person"),
        Column("strangers", "double", "the same of two people"),
        Column("households", "double", "the same of two people of one household"),
        Column("weight", "double", "log2 of matches by strangers; of all pairs, of the odds", unit="bits"),
    ),
    expect=(between("matches", 0, 1), between("strangers", 0, 1), between("households", 0, 1)),
)

BLOCKING_RULES = Table(
    name="identity.blocking_rules",
    grain="a rule by which records were compared",
    key=("rule",),
    columns=(
        Column("rule", "string", "the pieces of fields that two records must have in common"),
        Column("place", "int", "its place in the order in which rules were found worth their pairs"),
        Column("refined_by", "string", "piece that tells apart the records of a value that too many have", nullable=True),
        Column("pairs", "double", "expected number of pairs that it yields"),
        Column("share", "double", "share of the imagined matches that it reaches first"),
        Column("crowds", "map<bigint,bigint>", "hash of each value that too many records have, to how many: they meet by the finer rule", pii=True),
        Column("dropped", "map<bigint,bigint>", "the same of values of the finer rule: their records do not meet by this rule", pii=True),
    ),
    expect=(between("share", 0, 1),),
)

VALUE_FREQUENCIES = Table(
    name="identity.value_frequencies",
    grain="a common value of a compared field; and one row of all its other values",
    key=("field", "part", "value"),
    columns=(
        Column("field", "string", "the field"),
        Column("part", "string", "`value`, or of e-mail addresses `local part`; `other values`, `other local parts`: any other one"),
        Column("value", "string", "the value as it is compared; empty for the other ones", pii=True),
        Column("share", "double", "share of the filled records that has it"),
        Column("average", "double", "of the value of a record drawn at random; only of the other ones", nullable=True),
    ),
    expect=(between("share", 0, 1),),
)

RESOLVED_RECORDS = Table(
    name="identity.resolved_records",
    grain="a record as it was when it was resolved last",
    key=("source", "record_key"),
    columns=(
        SOURCE,
        RECORD,
        Column("digest", "bigint", "hash of what it said: where another one is found, the record is resolved anew", pii=True),
        Column("values", "array<bigint>", "hashes of its identifiers", pii=True),
        Column(
            "keys",
            "map<string,bigint>",
            "of each blocking rule the hash of the record's value: records that share one met. Absent: no value, or one that too"
            " many have; null: it was not compared",
            pii=True,
            nullable=True,
        ),
    ),
)

REVIEW = Table(
    name="identity.review",
    grain="a pair of records worth a steward's eyes",
    key=("left_source", "left_record_key", "right_source", "right_record_key"),
    columns=(
        Column("place", "int", "1 is the pair whose answer tells most"),
        Column("left_source", "string", "source of the first record"),
        Column("left_record_key", "string", "key of the first record", pii=True),
        Column("right_source", "string", "source of the second record"),
        Column("right_record_key", "string", "key of the second record", pii=True),
        Column("decision", "string", "what this run did with the pair: accepted or review (not linked)"),
        Column("match_weight", "double", "log2 odds that both are one person", unit="bits"),
        Column("probability", "double", "probability that both are one person"),
        Column("evidence", "map<string,double>", "what each field and its level adds", unit="bits", nullable=True),
        Column("pairs", "bigint", "pairs of records whose customer the answer decides"),
        Column("information", "double", "what the answer is expected to tell, for all those pairs", unit="bits"),
    ),
    expect=(one_of("decision", "accepted", "review"), between("probability", 0, 1)),
)

QUALITY = Table(
    name="identity.quality",
    grain="a check of the customers, without truth, in one run",
    key=("run_id", "check"),
    columns=(
        Column("run_id", "string", "run"),
        Column("as_of", "date", "the run's date"),
        Column("check", "string", "what is counted"),
        Column("sign_of", "string", "merged: one customer is several people; split: several customers are one; unstable"),
        Column("found", "bigint", "customers or values of which it is true"),
        Column("out_of", "bigint", "customers or values there are"),
        Column("share", "double", "the one by the other"),
        Column("at_most", "double", "share that is expected at most"),
        Column("severity", "string", "error: the run ends with exit code 3 where the band is broken; or warn"),
        Column("status", "string", "green: as expected; orange: more, as may be chance; red: more than chance would have it"),
    ),
    expect=(one_of("status", "green", "orange", "red"), one_of("severity", "warn", "error"), between("share", 0, 1)),
)

TABLES = (LINKS, ASSIGNMENTS, CHANGES, RULES, AUDIT, PARAMETERS, BLOCKING_RULES, VALUE_FREQUENCIES, RESOLVED_RECORDS, REVIEW, QUALITY)
