"""The resolve stage: which records are one person."""

from datetime import datetime, time

from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from cdp.base.settings import ConfigFolder
from cdp.base.stage import Run, Stage, StageResult
from cdp.identity.clusters import clusters, record_node
from cdp.identity.config import IdentityConfig, load_identity
from cdp.identity.ledger import Rule, load_rules
from cdp.identity.naming import changes, named
from cdp.identity.values import Values, joined_by, judged
from cdp.tables.identity import ASSIGNMENTS, AUDIT, CHANGES, LINKS, RULES, TABLES
from cdp.tables.silver import CUSTOMER_RECORDS, IDENTIFIERS_TABLE

_PAIR = ("source", "record_key")


def resolve(run: Run) -> StageResult:
    """Assign every record of silver to a customer."""
    lake, config, rules = run.lake, load_identity(run.config), load_rules(run.config)
    records = lake.read(CUSTOMER_RECORDS)
    values = judged(lake.read(IDENTIFIERS_TABLE), records, config, rules)
    people = joined_by(values.usable, config).localCheckpoint()
    joined = clusters(people, values.usable, config, rules)
    # Records with no usable identifier at all are people too.
    every = records.select(*_PAIR).unionByName(lake.read(IDENTIFIERS_TABLE).select(*_PAIR)).distinct()
    members = every.withColumn("record", record_node()).join(joined, on="record", how="left")
    members = members.select(*_PAIR, F.coalesce("cluster", "record").alias("cluster"))
    members = _kept_apart(members, rules, run.spark)
    rows = _assign(run, members)
    lake.together(
        [
            lambda: lake.replace(LINKS, links(people)),
            lambda: lake.replace(AUDIT, audit(values, people)),
            lambda: lake.replace(RULES, _rules_frame(run.spark, rules)),
        ]
    )
    return StageResult(rows_in=rows[0], rows_out=rows[0], notes=_notes(rows, config))


def _kept_apart(members: DataFrame, rules: tuple[Rule, ...], spark: SparkSession) -> DataFrame:
    """Take the right record of each never-link pair out of a cluster that holds both."""
    pairs = [(*r.left.split("|", 1), *(r.right or "").split("|", 1)) for r in rules if r.action == "never_link"]
    if not pairs:
        return members
    frame = spark.createDataFrame(pairs, "ls string, lk string, rs string, rk string")
    left = members.select(F.col("source").alias("ls"), F.col("record_key").alias("lk"), F.col("cluster").alias("lc"))
    right = members.select(F.col("source").alias("rs"), F.col("record_key").alias("rk"), F.col("cluster").alias("rc"))
    both = frame.join(left, on=["ls", "lk"], how="inner").join(right, on=["rs", "rk"], how="inner").where("lc = rc")
    out = both.select(F.col("rs").alias("source"), F.col("rk").alias("record_key"), F.lit(True).alias("out")).distinct()
    split = members.join(out, on=list(_PAIR), how="left")
    return split.select(*_PAIR, F.when(F.col("out"), record_node()).otherwise(F.col("cluster")).alias("cluster"))


def _assign(run: Run, members: DataFrame) -> tuple[int, int, int]:
    """Write assignments and changes where something changed; returns (records, customers, changed records)."""
    lake, since = run.lake, datetime.combine(run.as_of, time())
    past = lake.read(ASSIGNMENTS)
    current = past.where("is_current").select(*_PAIR, "customer_id")
    history = past.groupBy("customer_id").agg(F.min("valid_from").alias("since"))
    after = named(members, current, history).localCheckpoint()
    differs = after.join(current.withColumnRenamed("customer_id", "old"), on=list(_PAIR), how="full")
    differs = differs.where("not (old <=> customer_id)").localCheckpoint()
    totals = after.agg(F.count(F.lit(1)).alias("records"), F.count_distinct("customer_id").alias("customers")).first()
    changed = differs.count()
    assert totals is not None
    if changed or not lake.exists(ASSIGNMENTS):
        _note_changes(run, changes(current, after, history.select("customer_id")), since)
        lake.replace(ASSIGNMENTS, _history(past, after, differs, since, run.run_id))
    return totals["records"], totals["customers"], changed


def _history(past: DataFrame, after: DataFrame, differs: DataFrame, since: datetime, run_id: str) -> DataFrame:
    """Close what no longer holds, add what does from now on, leave the rest as it is."""
    now = F.lit(since)
    touched = differs.select(*_PAIR, F.lit(True).alias("touched"))
    old = past.join(touched, on=list(_PAIR), how="left")
    closes = F.col("is_current") & F.coalesce("touched", F.lit(False))
    # What began on this very date and is superseded on it never held.
    old = old.where(~(closes & (F.col("valid_from") >= now)))
    old = old.select(
        *_PAIR,
        "customer_id",
        "valid_from",
        F.when(closes, now).otherwise(F.col("valid_to")).alias("valid_to"),
        (F.col("is_current") & ~closes).alias("is_current"),
        "run_id",
    )
    new = after.join(touched, on=list(_PAIR), how="left_semi").select(
        *_PAIR,
        "customer_id",
        now.alias("valid_from"),
        F.lit(None).cast("timestamp").alias("valid_to"),
        F.lit(True).alias("is_current"),
        F.lit(run_id).alias("run_id"),
    )
    return old.unionByName(new)


def _note_changes(run: Run, happened: DataFrame, changed_at: datetime) -> None:
    rows = happened.withColumns({"run_id": F.lit(run.run_id), "changed_at": F.lit(changed_at)})
    # A run that was killed between its two writes has told them already.
    told = run.lake.read(CHANGES).where(F.col("changed_at") == F.lit(changed_at))
    rows = rows.join(told, on=["change", "customer_id", "previous_customer_id"], how="left_anti")
    run.lake.append(CHANGES, rows)


def links(people: DataFrame) -> DataFrame:
    """`identity.links`: each record of an identifier's group to the group's first record."""
    records = people.where("node is not null").select("node", "id_type", *_PAIR).distinct()
    group = Window.partitionBy("node").orderBy(*_PAIR)
    hub = F.first(F.struct(*_PAIR)).over(group)
    pairs = records.withColumns({"hub": hub, "rank": F.row_number().over(group)}).where("rank > 1")
    accepted = pairs.groupBy("hub", *_PAIR, "id_type").agg(F.count(F.lit(1)).alias("shared"))
    return accepted.select(
        F.col("hub.source").alias("left_source"),
        F.col("hub.record_key").alias("left_record_key"),
        F.col("source").alias("right_source"),
        F.col("record_key").alias("right_record_key"),
        F.col("id_type").alias("rule"),
        F.lit(None).cast("double").alias("match_weight"),
        F.lit(1.0).alias("probability"),
        F.create_map("id_type", F.col("shared").cast("double")).alias("evidence"),
        F.lit("accepted").alias("decision"),
        F.concat(F.lit("both have the same "), F.col("id_type")).alias("reason"),
    )


def audit(values: Values, people: DataFrame) -> DataFrame:
    """`identity.audit`: values that were blocked, and contact points that several people share."""
    blocked = values.blocked.select(F.lit("blocked_value").alias("kind"), "id_type", "id_value", "records", "reason")
    shared = (
        people.where(F.size("groups") > 1)
        .groupBy("id_type", "id_value")
        .agg(F.count(F.lit(1)).alias("records"), F.max(F.size("groups")).alias("names"))
        .select(
            F.lit("ambiguous_identifier").alias("kind"),
            "id_type",
            "id_value",
            "records",
            F.concat(F.lit("records of "), F.col("names"), F.lit(" different given names")).alias("reason"),
        )
    )
    rows = blocked.unionByName(shared)
    return rows.select("kind", "id_type", F.sha2("id_value", 256).alias("value_hash"), "records", "reason")


def _rules_frame(spark: SparkSession, rules: tuple[Rule, ...]) -> DataFrame:
    rows = [(r.rule_id, r.action, r.left, r.right, r.reason, r.author) for r in rules]
    return spark.createDataFrame(rows, RULES.schema)


def _notes(rows: tuple[int, int, int], config: IdentityConfig) -> tuple[str, ...]:
    records, customers, changed = rows
    said = [f"{records:,} records are {customers:,} customers; {changed:,} records changed hands or are new"]
    if config.unused:
        said.append(f"identity.yaml: {', '.join(config.unused)} not used yet: records link on identifiers alone")
    return tuple(said)


def _settings(config: ConfigFolder) -> list[object]:
    return [load_identity(config), [rule.model_dump() for rule in load_rules(config)]]


STAGE = Stage(
    name="resolve",
    title="finding out who is who",
    run=resolve,
    reads=lambda config: [CUSTOMER_RECORDS, IDENTIFIERS_TABLE],
    writes=lambda config: [*TABLES],
    settings=_settings,
    is_dated=False,
)
