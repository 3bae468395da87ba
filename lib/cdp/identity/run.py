"""The resolve stage: which records are one person, under ids that last from run to run."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.base.errors import ConfigError
from cdp.base.settings import ConfigFolder, did_you_mean
from cdp.base.stage import Run, Stage, StageResult
from cdp.bronze.config import load_sources
from cdp.identity.config import IdentityConfig
from cdp.identity.devices import is_device_type
from cdp.identity.digests import not_of_nodes, of_nodes
from cdp.identity.graph import Graph, began_at, graph_of
from cdp.identity.last_run import KEPT_TABLES, note_run
from cdp.identity.links import after_cuts, audit_rows, crowd_rows, link_rows, ruled_links, scored_links
from cdp.identity.matching.blocking import MOST_IN_BLOCK
from cdp.identity.matching.decision import review_of
from cdp.identity.matching.fields import unknown_pieces
from cdp.identity.matching.match import Matches
from cdp.identity.matching.model import blocking_rows, frequency_table
from cdp.identity.matching.stored import parameter_rows
from cdp.identity.naming import assignment_changes, change_rows, named
from cdp.identity.preview import examples, preview, summed
from cdp.identity.quality import Check, checks, quality_rows
from cdp.identity.review import review_rows
from cdp.identity.ruled import absent_rules, rule_rows
from cdp.identity.rules import Rule, load_rules
from cdp.identity.scope import Part, Scope, scope_of
from cdp.identity.standing import audit_with_standing, concerned_assignments, members_with_standing, standing_links
from cdp.tables.identity import (
    ASSIGNMENTS,
    AUDIT,
    BLOCKING_RULES,
    CHANGES,
    LINKS,
    PARAMETERS,
    QUALITY,
    RESOLVED_RECORDS,
    REVIEW,
    RULES,
    VALUE_FREQUENCIES,
)
from cdp.tables.ops import RESOLVED
from cdp.tables.silver import CUSTOMER_RECORDS, IDENTIFIERS_TABLE

_MADE_OF = {
    "full_name": ("given_name", "middle_name", "family_name", "name_suffix"),
    "given_name": ("full_name", "middle_name"),
    "family_name": ("full_name", "name_suffix"),
    "birth_date": ("birth_year",),
    "emails": ("email",),
    "phones": ("phone",),
    "address": ("street", "street_2", "city", "region", "postal_code", "country"),
    "street": ("street_2",),
    "phone": ("country",),
}
"""What cleaning may find in a field beside itself."""
_PLACES = 10
"""Rules that do nothing, named one by one in a note."""


@dataclass(frozen=True)
class Settings:
    """conf/identity.yaml and the steward's ledger."""

    config: IdentityConfig
    rules: tuple[Rule, ...]


def resolve(run: Run) -> StageResult:
    """Resolve all records as of the run's date, or those that new ones have to do with; see docs/identity.md."""
    settings = load_settings(run.config)
    config, lake = settings.config, run.lake
    scope = scope_of(run, config, settings.rules, *_inputs(run))
    part = scope.part
    graph = graph_of(scope.records, scope.identifiers, config, settings.rules, part.known if part else None)
    links, audit = _links(graph, config), _audit(run, graph, part)
    members = graph.members.select("source", "record_key", "component")
    if part:
        links = links.unionByName(standing_links(lake.read(LINKS), part.nodes, part.news))
        before = lake.read(AUDIT)
        audit = audit_with_standing(audit, before, scope.identifiers, part.nodes, _refused(before, part))
        members = members_with_standing(members, lake.read(ASSIGNMENTS), part.nodes).localCheckpoint()
    totals = members.agg(F.count("*").alias("records"), F.count_distinct("component").alias("customers")).first()
    assert totals is not None
    ids = _named(run, graph.members, part)
    notes = [f"{totals['records']:,} records are {totals['customers']:,} customers", *_notes(settings, graph, part)]
    changed = summed(ids.told)
    found = checks(lake.read(CUSTOMER_RECORDS), members, (changed.records, ids.had), config)
    notes += [check.sentence for check in found if check.status == "red"]
    if run.dry_run:
        notes += preview(changed, examples(ids.told))
    else:
        links = links.localCheckpoint() if graph.matches is not None else links
        review = _review_rows(run, graph, links, members)
        tasks = [
            lambda: _write_ids(run, ids),
            lambda: lake.replace(LINKS, links),
            lambda: lake.replace(REVIEW, review),
            lambda: _write_quality(run, found),
            lambda: lake.replace(AUDIT, audit),
            lambda: lake.replace(RULES, rule_rows(run.spark, settings.rules)),
            lambda: lake.replace(RESOLVED_RECORDS, _resolved_rows(run, scope, graph)),
        ]
        if part is None:
            tasks.append(lambda: _write_learnt(run, graph.matches))
        lake.together(tasks)
        learnt_from = graph.matches.model.records if graph.matches is not None else None
        note_run(run, config, learnt_from, part.changed if part else 0)
    ids.told.unpersist()
    scope.digests.unpersist()
    broken = tuple(check.sentence for check in found if check.is_broken)
    return StageResult(rows_in=totals["records"], rows_out=totals["records"], notes=tuple(notes), broken_rules=broken)


def _links(graph: Graph, config: IdentityConfig) -> DataFrame:
    ruled = ruled_links(graph.ends, graph.nodes) if graph.ends is not None else None
    links = link_rows(graph.seen.where(~is_device_type()), graph.devices, graph.nodes, ruled)
    if graph.matches is not None:
        links = links.unionByName(scored_links(graph.matches, graph.nodes, review_of(graph.matches.stop, config)))
    return links if graph.cuts is None else after_cuts(links, graph.members)


def _audit(run: Run, graph: Graph, part: Part | None) -> DataFrame:
    no_cuts = run.spark.createDataFrame([], "component bigint, kind string, records bigint")
    audit = audit_rows(graph.seen, graph.devices, graph.cuts if graph.cuts is not None else no_cuts)
    if part is None and graph.matches is not None and graph.matches.model.crowds:
        audit = audit.unionByName(crowd_rows(run.spark, graph.matches.model.crowds))
    return audit


def _refused(audit: DataFrame, part: Part) -> DataFrame:
    """id_type, value_hash: values that are nobody's as before this run."""
    refused = audit.where("kind = 'blocked_value'").select("id_type", "value_hash")
    if not part.amended_values:
        return refused
    amended = refused.sparkSession.createDataFrame(sorted(part.amended_values), "id_type string, value_hash string")
    return refused.join(F.broadcast(amended), on=["id_type", "value_hash"], how="left_anti")


def _review_rows(run: Run, graph: Graph, links: DataFrame, members: DataFrame) -> DataFrame:
    if graph.matches is None:
        return run.spark.createDataFrame([], REVIEW.schema)
    return review_rows(links, members, graph.matches.stop)


def _write_quality(run: Run, found: list[Check]) -> None:
    rows = run.spark.createDataFrame(quality_rows(found, run.run_id, run.as_of), QUALITY.schema)
    run.lake.replace(QUALITY, rows, where=f"run_id = '{run.run_id}'")


def _write_learnt(run: Run, matches: Matches | None) -> None:
    spark, lake = run.spark, run.lake
    parameters = parameter_rows(matches.model.fields, matches.model.parameters) if matches else []
    lake.replace(PARAMETERS, spark.createDataFrame(parameters, PARAMETERS.schema))
    rules = blocking_rows(matches.model) if matches else []
    lake.replace(BLOCKING_RULES, spark.createDataFrame(rules, BLOCKING_RULES.schema))
    frequencies = spark.createDataFrame(frequency_table(matches.learnt) if matches else [], VALUE_FREQUENCIES.schema)
    lake.replace(VALUE_FREQUENCIES, frequencies)


def _resolved_rows(run: Run, scope: Scope, graph: Graph) -> DataFrame:
    """`identity.resolved_records`: of records not looked at as they are."""
    now = scope.digests if scope.part is None else of_nodes(scope.digests, scope.part.nodes)
    if graph.matches is None:
        rows = now.withColumn("keys", F.lit(None).cast("map<string,bigint>"))
    else:
        rows = now.join(graph.matches.keys, on="node", how="left")
    rows = rows.select(*[c.name for c in RESOLVED_RECORDS.columns])
    if scope.part is None:
        return rows
    return rows.unionByName(not_of_nodes(run.lake.read(RESOLVED_RECORDS), scope.part.nodes))


def load_settings(folder: ConfigFolder) -> Settings:
    """Raises ConfigError where either file is wrong."""
    config = folder.load(IdentityConfig, "identity.yaml")
    problems = [f"blocking: {text}" for text in unknown_pieces(config)]
    # A configuration to try out may hold identity.yaml alone.
    mapped = _mapped(folder) if config.comparisons and any(folder.path.glob("sources/*.y*ml")) else set()
    unmapped = [c.column for c in config.comparisons if mapped and c.column not in mapped]
    problems += [f"comparisons: {name}: no source maps it{did_you_mean(name, sorted(mapped))}" for name in unmapped]
    if problems:
        raise ConfigError(str(folder.path / "identity.yaml"), problems)
    return Settings(config, load_rules(folder.path))


def _mapped(folder: ConfigFolder) -> set[str]:
    """Fields of customer records that some source maps, those that cleaning makes of them included."""
    found = set()
    for source in load_sources(folder).values():
        for record in source.produces.customer_record:
            given = record.model_dump(exclude_none=True)
            for group in ("identifiers", "attributes"):
                found |= {f"{group}.{name}" for name in given.pop(group, {})}
            found |= {field for name in given for field in (name, *_MADE_OF.get(name, ()))}
    return found


def _inputs(run: Run) -> tuple[DataFrame, DataFrame]:
    """Records and identifiers that existed on the run's date; of a record changed since, the newest version is known."""
    end = F.lit((run.as_of + timedelta(days=1)).isoformat()).cast("timestamp")
    records = run.lake.read(CUSTOMER_RECORDS)
    return records.where(began_at() < end), run.lake.read(IDENTIFIERS_TABLE).where(F.col("first_seen_at") < end)


@dataclass(frozen=True)
class _Ids:
    """The ids of this run.

    Attributes:
        before: `identity.assignments` as they are, of the records looked at.
        now: source, record_key, customer_id.
        told: `identity.changes` of this run; held.
        had: records that had a customer before.
        batch: state of the assignments that the run starts from.
    """

    before: DataFrame
    now: DataFrame
    told: DataFrame
    had: int
    batch: int


def _named(run: Run, members: DataFrame, part: Part | None) -> _Ids:
    lake = run.lake
    version = lake.version(ASSIGNMENTS)
    batch = 0 if version is None else version + 1
    whole = before = lake.read(ASSIGNMENTS)
    if part:
        before = concerned_assignments(whole, part.nodes, part.ids).localCheckpoint()
    now, overlaps = named(members, before, lake.read(CHANGES).where(F.col("batch") < batch))
    told = change_rows(overlaps, run_id=run.run_id, batch=batch, as_of=run.as_of).persist()
    return _Ids(before, now, told, whole.where("is_current").count() if version is not None else 0, batch)


def _write_ids(run: Run, ids: _Ids) -> None:
    """Changes first, then the assignments they lead to: a run killed between the two is redone whole."""
    lake = run.lake
    if not lake.exists(CHANGES) or not ids.told.isEmpty():
        lake.replace(CHANGES, ids.told, where=f"batch = {ids.batch}")
    elif not lake.read(CHANGES).where(F.col("batch") == ids.batch).isEmpty():
        lake.delete(CHANGES, F.col("batch") == ids.batch)
    rows = assignment_changes(ids.before, ids.now, run_id=run.run_id, as_of=run.as_of)
    if not lake.exists(ASSIGNMENTS):
        lake.replace(ASSIGNMENTS, rows)
        return
    rows = rows.persist()
    if not rows.isEmpty():
        lake.upsert(ASSIGNMENTS, rows, order_by=["valid_from"])
    rows.unpersist()


def _notes(settings: Settings, graph: Graph, part: Part | None) -> list[str]:
    notes = []
    absent: Collection[str] = ()
    if part:
        notes.append(
            f"{part.told:,} of them new, changed or gone: {part.looked_at:,} looked at with those they may have to do with, by"
            " what was learnt before; --full-refresh looks at all"
        )
        absent = part.absent
    elif graph.matches is not None:
        notes += _compared_notes(graph.matches)
    if part is None and graph.ends is not None:
        absent = absent_rules(graph.ends, settings.rules)
    places = [rule.place for rule in settings.rules if rule.rule_id in absent]
    if places:
        told = ", ".join(places[:_PLACES]) + (f" and {len(places) - _PLACES} more" if len(places) > _PLACES else "")
        notes.append(f"{told}: names a record or an identifier that no source sent; the rule does nothing")
    return notes


def _compared_notes(matches: Matches) -> list[str]:
    model = matches.model
    names = ", ".join(field.name for field in model.fields)
    blocking = model.blocking
    notes = [
        f"{model.records:,} customer records compared by {names}: {len(blocking.rules)} blocking rules,"
        f" some {blocking.pairs:,.0f} pairs expected; linked from {matches.stop:+.1f} bits",
        *matches.chosen.notes,
    ]
    if model.crowds:
        dropped = sum(crowd.is_dropped for crowd in model.crowds)
        notes.append(
            f"{len(model.crowds) - dropped:,} values of blocking rules are on more than {MOST_IN_BLOCK} records: told apart by"
            f" another field, {dropped:,} without success; see identity.audit"
        )
    return notes


STAGE = Stage(
    name="resolve",
    title="finding out which records are one person",
    run=resolve,
    reads=lambda config: [CUSTOMER_RECORDS, IDENTIFIERS_TABLE],
    writes=lambda config: [*KEPT_TABLES, CHANGES, REVIEW, QUALITY, RESOLVED],
    settings=load_settings,
    previews=True,
)
