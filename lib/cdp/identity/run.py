"""The resolve stage: which records are one person, under ids that last from run to run."""

from dataclasses import dataclass
from datetime import timedelta
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.base.errors import ConfigError
from cdp.base.settings import ConfigFolder, did_you_mean
from cdp.base.stage import Run, Stage, StageResult
from cdp.bronze.config import load_sources
from cdp.identity import protect
from cdp.identity.components import connected_components
from cdp.identity.config import CONTACT_TYPES, IdentityConfig
from cdp.identity.devices import is_device_type, touched
from cdp.identity.groups import described, grouped, learned, node_of
from cdp.identity.links import after_cuts, audit_rows, crowd_rows, link_rows, ruled_links, scored_links
from cdp.identity.matching.blocking import MOST_IN_BLOCK
from cdp.identity.matching.fields import unknown_pieces
from cdp.identity.matching.match import REVIEW_FROM, Matches, matched, threshold_bits
from cdp.identity.matching.stored import parameter_rows
from cdp.identity.naming import assignment_changes, change_rows, named
from cdp.identity.preview import examples, preview, summed
from cdp.identity.quality import Check, checks, quality_rows
from cdp.identity.review import review_rows
from cdp.identity.ruled import endpoints, rule_rows
from cdp.identity.rules import Rule, load_rules
from cdp.identity.values import refusal, without_blocked
from cdp.tables.identity import ASSIGNMENTS, AUDIT, BLOCKING_KEYS, CHANGES, LINKS, PARAMETERS, QUALITY, REVIEW, RULES
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
_GENERATIONS = ("jr", "junior", "sr", "senior", "i", "ii", "iii", "iv")


@dataclass(frozen=True)
class Settings:
    """conf/identity.yaml and the steward's ledger."""

    config: IdentityConfig
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class _Graph:
    """What was found out about the records.

    Attributes:
        nodes: node, source, record_key, record_type, is_person, first_seen_at: every record.
        seen: `groups.grouped`: every identifier.
        devices: `devices.touched`.
        members: source, record_key, first_seen_at, component: every record's cluster.
        cuts: breaches of the components that were cut; None where none was.
        ends: `rules.endpoints`; None where there are no rules.
        matches: what the comparison of records came to; None where there was nothing to compare.
    """

    nodes: DataFrame
    seen: DataFrame
    devices: DataFrame
    members: DataFrame
    cuts: DataFrame | None
    ends: DataFrame | None
    matches: Matches | None


def resolve(run: Run) -> StageResult:
    """Resolve all records as of the run's date; see docs/identity.md."""
    settings = load_settings(run.config)
    graph = _graph(run, settings)
    links = link_rows(
        graph.seen.where(~is_device_type()),
        graph.devices,
        graph.nodes,
        ruled_links(graph.ends, graph.nodes) if graph.ends is not None else None,
    )
    if graph.matches is not None:
        review = threshold_bits(settings.config.review_threshold, graph.matches.stop + REVIEW_FROM)
        links = links.unionByName(scored_links(graph.matches, graph.nodes, review))
    no_cuts = run.spark.createDataFrame([], "component bigint, kind string, records bigint")
    audit = audit_rows(graph.seen, graph.devices, graph.cuts if graph.cuts is not None else no_cuts)
    if graph.matches is not None and graph.matches.model.crowds:
        audit = audit.unionByName(crowd_rows(run.spark, graph.matches.model.crowds))
    if graph.cuts is not None:
        links = after_cuts(links, graph.members)
    totals = graph.members.agg(F.count("*").alias("records"), F.count_distinct("component").alias("customers")).first()
    assert totals is not None
    ids = _named(run, graph.members)
    notes = [f"{totals['records']:,} records are {totals['customers']:,} customers", *_notes(settings, graph)]
    changed = summed(ids.told)
    found = checks(run.lake.read(CUSTOMER_RECORDS), graph.members, (changed.records, ids.had), settings.config)
    notes += [check.sentence for check in found if check.status == "red"]
    if run.dry_run:
        notes += preview(changed, examples(ids.told))
    else:
        links = links.localCheckpoint() if graph.matches is not None else links
        run.lake.together(
            [
                lambda: _write_ids(run, ids),
                lambda: run.lake.replace(LINKS, links),
                lambda: run.lake.replace(REVIEW, _review_rows(run, graph, links)),
                lambda: _write_quality(run, found),
                lambda: run.lake.replace(AUDIT, audit),
                lambda: run.lake.replace(RULES, rule_rows(run.spark, settings.rules)),
                lambda: run.lake.replace(PARAMETERS, _parameter_rows(run, graph.matches)),
                lambda: run.lake.replace(BLOCKING_KEYS, _key_rows(run, graph)),
            ]
        )
    ids.told.unpersist()
    broken = tuple(check.sentence for check in found if check.is_broken)
    return StageResult(rows_in=totals["records"], rows_out=totals["records"], notes=tuple(notes), broken_rules=broken)


def _review_rows(run: Run, graph: _Graph, links: DataFrame) -> DataFrame:
    if graph.matches is None:
        return run.spark.createDataFrame([], REVIEW.schema)
    return review_rows(links, graph.members, graph.matches.stop)


def _write_quality(run: Run, found: list[Check]) -> None:
    rows = run.spark.createDataFrame(quality_rows(found, run.run_id, run.as_of), QUALITY.schema)
    run.lake.replace(QUALITY, rows, where=f"run_id = '{run.run_id}'")


def _parameter_rows(run: Run, matches: Matches | None) -> DataFrame:
    rows = parameter_rows(matches.model.fields, matches.model.parameters) if matches else []
    return run.spark.createDataFrame(rows, PARAMETERS.schema)


def _key_rows(run: Run, graph: _Graph) -> DataFrame:
    if graph.matches is None:
        return run.spark.createDataFrame([], BLOCKING_KEYS.schema)
    return graph.nodes.join(graph.matches.keys, on="node", how="inner").select("source", "record_key", "keys")


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


def _graph(run: Run, settings: Settings) -> _Graph:
    config = settings.config
    records, identifiers = _inputs(run)
    who = described(identifiers, records).withColumn("refused", refusal(config))
    bad = learned(identifiers, records, config.thresholds())
    if bad is not None:
        who = who.join(bad, on=["id_type", "id_value"], how="left")
        who = who.withColumn("refused", F.coalesce("refused", "learned")).drop("learned")
    ends = None
    if settings.rules:
        keys = records.select(node_of().alias("node"), "source", "record_key")
        known = keys.union(who.select("node", "source", "record_key")).distinct()
        ends = endpoints(run.spark, settings.rules, known, who).localCheckpoint()
        who = without_blocked(who, ends)
    # What is found is kept and its plan forgotten: what builds on it would be planned and sent to every task with it.
    seen = grouped(who, config).localCheckpoint()
    nodes = _nodes(seen, records)
    by_person = _person_edges(seen, config)
    if ends is not None:
        by_person = by_person.unionByName(_ruled_edges(ends, nodes))
    had = protect.facts(nodes, seen, _suffixes(records), ends, config).localCheckpoint()
    atoms, cuts = _protected(by_person, had, connected_components(by_person))
    atoms = atoms.localCheckpoint()
    matches = matched(_comparable(records, seen), atoms, had, config)
    people = _people(atoms, matches.clusters) if matches is not None else atoms
    of_devices = is_device_type() & F.col("refused").isNull()
    devices = touched(seen.where(of_devices), people, config).localCheckpoint()
    by_device = devices.where("target is not null").select(
        F.col("own").alias("src"), F.col("target").alias("dst"), F.lit(99).alias("priority")
    )
    joined = connected_components(by_device.where("src <> dst").distinct())
    components = _whole(nodes, people, joined)
    # What has been decided so far stays: devices come last, and only add to it.
    decided = people.select(F.col("node").alias("src"), F.col("component").alias("dst"), F.lit(0).alias("priority"))
    components, torn = _protected(
        decided.unionByName(by_device), had.unionByName(protect.device_facts(nodes, people)), components
    )
    members = nodes.join(components, on="node", how="inner")
    members = members.select("source", "record_key", "first_seen_at", "component").localCheckpoint()
    all_cuts = [found for found in (cuts, torn) if found is not None]
    return _Graph(nodes, seen, devices, members, reduce(DataFrame.unionByName, all_cuts) if all_cuts else None, ends, matches)


def _suffixes(records: DataFrame) -> DataFrame:
    """node, suffix, first_seen_at: Jr is not Sr; where nothing else holds it, the given name may end with it."""
    of_given = F.regexp_extract(F.lower("given_name"), rf" ({'|'.join(_GENERATIONS)})\.?$", 1)
    suffix = F.regexp_replace(F.lower(F.coalesce("name_suffix", of_given)), r"\W", "")
    return records.select(
        node_of().alias("node"), suffix.alias("suffix"), F.col("updated_at").alias("first_seen_at")
    ).where(F.col("suffix").isin(*_GENERATIONS))


def _comparable(records: DataFrame, seen: DataFrame) -> DataFrame:
    """The records without contact points that identify nobody: equal ones would say that two are one."""
    is_contact = F.col("id_type").isin(*CONTACT_TYPES)
    void = seen.where(is_contact & F.col("refused").isNotNull() & (F.col("record_type") == "customer_record"))
    void = void.groupBy("source", "record_key").agg(F.collect_set("id_value").alias("_void"))
    joined = records.join(void, on=["source", "record_key"], how="left")
    nothing = F.array().cast("array<string>")
    keys = F.coalesce(F.col("email_keys"), F.col("emails"))
    kept = F.filter(keys, lambda _, i: ~F.array_contains(F.coalesce("_void", nothing), F.get("emails", i)))
    return joined.withColumns(
        {"email_keys": kept, "phones": F.array_except("phones", F.coalesce("_void", nothing))}
    ).drop("_void")


def _people(atoms: DataFrame, clusters: DataFrame) -> DataFrame:
    """node, component: atoms, and what became of them by comparison; a row for each node that is with another."""
    whole = atoms.join(clusters.select(F.col("atom").alias("component"), "cluster"), on="component", how="left")
    grown = whole.select("node", F.coalesce("cluster", "component").alias("component"))
    alone = clusters.join(atoms, on=F.col("atom") == F.col("node"), how="left_anti")
    return grown.unionByName(alone.select(F.col("atom").alias("node"), F.col("cluster").alias("component"))).localCheckpoint()


def _inputs(run: Run) -> tuple[DataFrame, DataFrame]:
    """Records and identifiers that existed on the run's date; of a record changed since, the newest version is known."""
    end = F.lit((run.as_of + timedelta(days=1)).isoformat()).cast("timestamp")
    records = run.lake.read(CUSTOMER_RECORDS)
    began = F.coalesce(F.least("created_at", "updated_at"), "updated_at")
    return records.where(began < end), run.lake.read(IDENTIFIERS_TABLE).where(F.col("first_seen_at") < end)


def _nodes(seen: DataFrame, records: DataFrame) -> DataFrame:
    began = F.coalesce(F.least("created_at", "updated_at"), "updated_at")
    here = records.select(
        node_of().alias("node"), "source", "record_key", F.lit("customer_record").alias("record_type"),
        F.lit(True).alias("is_person"), began.alias("first_seen_at"),
    )  # fmt: skip
    columns = here.columns
    rows = here.unionByName(seen.select(columns))
    return rows.groupBy(*columns[:5]).agg(F.min("first_seen_at").alias("first_seen_at"))


def _person_edges(seen: DataFrame, config: IdentityConfig) -> DataFrame:
    linked = seen.where(~is_device_type() & F.col("hub").isNotNull() & (F.col("hub.node") != F.col("node")))
    return linked.select(
        F.col("node").alias("src"), F.col("hub.node").alias("dst"), _priority(config).alias("priority")
    )


def _priority(config: IdentityConfig) -> Column:
    """Place of an id type in the order in which links are made."""
    names = sorted({"user_id", *CONTACT_TYPES, *(t.name for t in config.id_types)})
    chosen = F.when(F.lit(False), F.lit(0))
    for name in names:
        chosen = chosen.when(F.col("id_type") == name, F.lit(config.priority(name)))
    return chosen.otherwise(F.lit(config.priority("any other")))


def _ruled_edges(ends: DataFrame, nodes: DataFrame) -> DataFrame:
    linked = ruled_links(ends, nodes).where("decision = 'accepted'")
    return linked.select(
        F.col("left.node").alias("src"), F.col("right.node").alias("dst"), F.lit(0).alias("priority")
    )


def _whole(nodes: DataFrame, people: DataFrame, joined: DataFrame) -> DataFrame:
    """node, component: first by identifiers of people, then by what devices joined."""
    own = nodes.select("node").join(people, on="node", how="left").select("node", F.coalesce("component", "node").alias("own"))
    devices = joined.select(F.col("node").alias("own"), F.col("component").alias("_by_device"))
    whole = own.join(devices, on="own", how="left")
    return whole.select("node", F.coalesce("_by_device", "own").alias("component"))


def _protected(edges: DataFrame, had: DataFrame, components: DataFrame) -> tuple[DataFrame, DataFrame | None]:
    """Cut what is more than one person; also says what was cut, or None."""
    flagged = protect.breaches(had, components).localCheckpoint()
    if flagged.isEmpty():
        return components, None
    pieces = protect.cut(edges, had, components, flagged).localCheckpoint()
    parts = pieces.join(components, on="node", how="inner").groupBy("component")
    torn = parts.agg(F.count_distinct("cluster").alias("pieces")).where("pieces > 1").select("component")
    cuts = flagged.join(torn, on="component", how="left_semi")
    apart = components.join(pieces, on="node", how="left")
    return apart.select("node", F.coalesce("cluster", "component").alias("component")), cuts


@dataclass(frozen=True)
class _Ids:
    """The ids of this run.

    Attributes:
        before: `identity.assignments` as they are.
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


def _named(run: Run, members: DataFrame) -> _Ids:
    lake = run.lake
    version = lake.version(ASSIGNMENTS)
    batch = 0 if version is None else version + 1
    before = lake.read(ASSIGNMENTS)
    now, overlaps = named(members, before, lake.read(CHANGES).where(F.col("batch") < batch))
    told = change_rows(overlaps, run_id=run.run_id, batch=batch, as_of=run.as_of).persist()
    return _Ids(before, now, told, before.where("is_current").count() if version is not None else 0, batch)


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


def _notes(settings: Settings, graph: _Graph) -> tuple[str, ...]:
    notes = []
    if graph.matches is not None:
        notes += _compared_notes(graph.matches)
    if graph.ends is not None:
        found = {(r["rule_id"], r["side"]) for r in graph.ends.select("rule_id", "side").distinct().collect()}
        wanted = {(r.rule_id, side) for r in settings.rules for side, text in (("L", r.left), ("R", r.right)) if text}
        absent = {rule for rule, _ in wanted - found}
        places = [rule.place for rule in settings.rules if rule.rule_id in absent]
        if places:
            told = ", ".join(places[:_PLACES]) + (f" and {len(places) - _PLACES} more" if len(places) > _PLACES else "")
            notes.append(f"{told}: names a record or an identifier that no source sent; the rule does nothing")
    return tuple(notes)


def _compared_notes(matches: Matches) -> list[str]:
    model = matches.model
    names = ", ".join(field.name for field in model.fields)
    blocking = model.blocking
    notes = [
        f"{model.records:,} customer records compared by {names}: {len(blocking.rules)} blocking rules,"
        f" some {blocking.pairs:,.0f} pairs expected; linked from {matches.stop:+.1f} bits on average"
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
    writes=lambda config: [LINKS, ASSIGNMENTS, CHANGES, RULES, AUDIT, PARAMETERS, BLOCKING_KEYS, REVIEW, QUALITY],
    settings=load_settings,
)
