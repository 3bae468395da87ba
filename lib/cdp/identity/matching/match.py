"""Records that are one person by what they say, from customer records to clusters: the order of the steps."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.base.held import held
from cdp.identity.config import IdentityConfig
from cdp.identity.groups import node_of
from cdp.identity.matching import candidates
from cdp.identity.matching.blocking import MOST_IN_BLOCK, PAIRS_A_RECORD, Blocking, chosen_rules
from cdp.identity.matching.clusters import clustered
from cdp.identity.matching.decision import review_of, stop_of
from cdp.identity.matching.draws import pairs_of
from cdp.identity.matching.fellegi_sunter import Problem, learnt, ways_to_meet
from cdp.identity.matching.fields import Chosen, Field, Piece, chosen_fields, compared, fields_of, pieces_of
from cdp.identity.matching.linkage import CONTRADICTIONS
from cdp.identity.matching.model import Crowd, Learnt, Model
from cdp.identity.matching.parameters import Parameters, Patterns
from cdp.identity.matching.scores import best_of_atoms, explained, scored

_SAMPLE = 20_000
_RANDOM_PAIRS = 3_000_000
"""How often strangers agree is learnt from so many: of a million, two draws differed by a percent in the precision of the customers."""
_RANDOM_AT_ONCE = 400_000
"""Pairs whose texts are in the driver's memory together."""
_LEARNT_FROM = 1_000_000
_COMMONEST = 300_000
_NEW_CROWD = 2 * MOST_IN_BLOCK
"""Records of a key that was no crowd when the rules were chosen, from which it is one."""


@dataclass(frozen=True)
class Matches:
    """What the comparison came to.

    Attributes:
        learnt: fields, rules, parameters, frequencies.
        clusters: atom, cluster: of the atoms that became part of a larger cluster.
        pairs: low, high (nodes), low_atom, high_atom, score (bits), evidence (bits by field): the best pair of two atoms, where
            it is alike, or nearly so.
        refused: low_atom, high_atom, kind: alike, but kept apart by a limit.
        stop: bits at which clusters were no longer joined.
        keys: node, keys (map<string,bigint>): by which rules a record met others, and the hash of its value.
        chosen: which fields were compared; where that was learnt before, nothing is said of those left out then.
    """

    learnt: Learnt
    clusters: DataFrame
    pairs: DataFrame
    refused: DataFrame
    stop: float
    keys: DataFrame
    chosen: Chosen

    @property
    def model(self) -> Model:
        return self.learnt.model


def matched(
    records: DataFrame, atoms: DataFrame, had: DataFrame, config: IdentityConfig, known: Learnt | None = None
) -> Matches | None:
    """Find the records that are one person by what they say.

    Args:
        records: `silver.customer_records`, contact points that identify nobody taken out.
        atoms: node, component: records that are one person already; a node without a row is an atom of its own.
        had: `protect.facts`.
        config: comparisons, blocking, thresholds.
        known: what was learnt before; None: learn it from these records.

    Returns:
        None where there is nothing to compare.
    """
    wanted = known.model.fields if known else fields_of(config, _id_types(records))
    everything = compared(records, wanted, kept=("source",)).join(atoms.withColumnRenamed("component", "atom"), on="node", how="left")
    everything = everything.withColumn("atom", F.coalesce("atom", "node")).persist()
    filled = everything.agg(F.count("*").alias("all"), *[F.count(f"f{i}").alias(f"f{i}") for i in range(len(wanted))]).first()
    assert filled is not None
    counts = [filled[f"f{i}"] for i in range(len(wanted))]
    chosen = Chosen(tuple(range(len(wanted)))) if known else chosen_fields(wanted, counts, filled["all"], config)
    if not chosen.places or (filled["all"] < 2 and known is None):
        everything.unpersist()
        return None
    fields = tuple(wanted[i] for i in chosen.places)
    texts = [F.col(f"f{old}").alias(f"f{new}") for new, old in enumerate(chosen.places)]
    values = everything.select("node", "atom", *_sole(config), *texts)
    if known is None:
        learnt, pairs, keys = _learnt(values, fields, filled["all"], config)
    else:
        learnt = known
        pairs, keys = _compared_again(values, known, filled["all"])
    model = learnt.model
    stop = stop_of(model, config)
    best = best_of_atoms(scored(pairs, model, min(stop, review_of(stop, config)))).localCheckpoint()
    clusters, refused = clustered(pairs, best, atoms, had, model, stop)
    pairs.unpersist()
    everything.unpersist()
    return Matches(learnt, clusters, explained(best, model), refused, stop, keys, chosen)


def alike(
    records: DataFrame,
    new: DataFrame,
    stored: DataFrame,
    known: Learnt,
    least: float,
    cleaned: Callable[[DataFrame], DataFrame],
) -> DataFrame:
    """Which records some new ones are like.

    Args:
        records: `silver.customer_records`.
        new: of those the new or changed ones, without contact points that identify nobody; their keys and nodes are
            collected: so few that a fifth of a million may be.
        stored: source, record_key, keys (map<string,bigint>) of all that were compared before.
        known: what pairs are compared by.
        least: bits.
        cleaned: takes such contact points out of some of the records.

    Returns:
        low, high: nodes of the pairs of a new record and another one that are at least that alike.
    """
    fields, rules = known.model.fields, known.model.blocking.rules
    here = compared(new, fields).withColumn("atom", F.col("node"))
    keys = _keys_again(here, known).persist()
    told = keys.select("node", "keys").toArrow()
    wanted = np.unique(told.column("keys").combine_chunks().flatten().to_numpy(zero_copy_only=False))
    meets = partial(
        _meeting,
        rules=[rule.name for rule in rules],
        wanted=wanted[wanted != 0],
        new=np.sort(told.column("node").to_numpy()),
    )
    before = stored.where("keys is not null").select(node_of().alias("node"), "source", "record_key", "keys")
    near = held(before.mapInArrow(meets, "source string, record_key string, keys array<bigint>"))
    others = compared(cleaned(records.join(near, on=["source", "record_key"], how="inner")), fields, kept=("keys",))
    columns = ["node", "atom", *[f"f{i}" for i in range(len(fields))], "keys"]
    both = keys.select(*columns, F.lit(True).alias("is_new")).unionByName(
        others.withColumn("atom", F.col("node")).select(*columns, F.lit(False).alias("is_new"))
    )
    both = both.persist()
    pairs = candidates.compared_pairs(_without_new_crowds(both), fields, known.frequencies, len(told) * PAIRS_A_RECORD)
    found = scored(pairs, known.model, least).select("low", "high").localCheckpoint()
    both.unpersist()
    keys.unpersist()
    return found


def _meeting(
    batches: Iterator[pa.RecordBatch], rules: Sequence[str], wanted: candidates.Pairs, new: candidates.Pairs
) -> Iterator[pa.RecordBatch]:
    """Records with one of the wanted keys, the new ones apart: of these keys one for each rule, 0 where it is not wanted."""
    for batch in batches:
        column = batch.column("keys")
        offsets = column.offsets.to_numpy()
        rows = np.repeat(np.arange(len(batch)), np.diff(offsets))
        inside = slice(offsets[0], offsets[-1])
        keys = column.items.to_numpy(zero_copy_only=False)[inside]
        rule = pc.index_in(column.keys, pa.array(rules)).fill_null(-1).to_numpy(zero_copy_only=False)[inside]
        found = np.isin(keys, wanted) & (rule >= 0)
        aligned = np.zeros((len(batch), len(rules)), np.int64)
        aligned[rows[found], rule[found]] = keys[found]
        meets = aligned.any(axis=1) & ~np.isin(batch.column("node").to_numpy(), new)
        lists = candidates.lists_of(aligned[meets].ravel(), int(meets.sum()))
        ends = [batch.column(name).filter(pa.array(meets)) for name in ("source", "record_key")]
        yield pa.RecordBatch.from_arrays([*ends, lists], names=["source", "record_key", "keys"])


def _sole(config: IdentityConfig) -> list[Column]:
    """`sole`: the number of a source that has one record a person, 0 of any other; none where no source is known to be such."""
    sources = [F.lit(name) for name in config.one_record_per_source]
    return [F.array_position(F.array(*sources), F.col("source")).cast("int").alias("sole")] if sources else []


def _id_types(records: DataFrame) -> list[str]:
    rows = records.select(F.explode(F.map_keys("identifiers")).alias("id_type")).distinct().collect()
    return [row["id_type"] for row in rows]


def _learnt(
    values: DataFrame, fields: tuple[Field, ...], records: int, config: IdentityConfig
) -> tuple[Learnt, DataFrame, DataFrame]:
    """What was learnt; `candidates.compared_pairs`, held; and `Matches.keys`."""
    pieces = pieces_of(fields)
    order = tuple(pieces)
    numbers = candidates.hashed(values, tuple(pieces.values()))
    # At most 20,000 records, by a hash.
    sample = numbers.orderBy(F.xxhash64("node"), "node").limit(_SAMPLE).toArrow()
    codes = {piece: sample.column(f"p{i}").to_numpy() for i, piece in enumerate(order)}
    blocking = chosen_rules(codes, sample.column("node").to_numpy(), records, wanted=_wanted(config, pieces))
    frequencies = _frequencies(values, fields)
    whole = keys = candidates.keyed(numbers, blocking.rules, order).persist()
    crowds = candidates.crowded(keys).collect()  # at most rules * records / MOST_IN_BLOCK
    dropped = []
    if crowds:
        keys = candidates.thinned(keys, [row["key"] for row in crowds], to_refined=True)
        dropped = candidates.crowded(keys).collect()
        keys = _without(keys, [row["key"] for row in dropped])
    told = [Crowd(blocking.rules[row["rule"]].name, row["key"], row["records"], False) for row in crowds]
    told += [Crowd(blocking.rules[row["rule"]].name, row["key"], row["records"], True) for row in dropped]
    pairs = candidates.compared_pairs(keys, fields, frequencies, records).persist()
    parameters = _parameters(pairs, sample, fields, frequencies, blocking, records)
    named = candidates.named_keys(keys, [rule.name for rule in blocking.rules]).localCheckpoint()
    whole.unpersist()
    return Learnt(Model(fields, blocking, parameters, tuple(told), records), frequencies), pairs, named


def _compared_again(values: DataFrame, known: Learnt, records: int) -> tuple[DataFrame, DataFrame]:
    """`candidates.compared_pairs`, held, and `Matches.keys`, by what was learnt before."""
    whole = _keys_again(values, known).persist()
    pairs = candidates.compared_pairs(_without_new_crowds(whole), known.model.fields, known.frequencies, records).persist()
    named = candidates.named_keys(whole, [rule.name for rule in known.model.blocking.rules]).localCheckpoint()
    whole.unpersist()
    return pairs, named


def _keys_again(values: DataFrame, known: Learnt) -> DataFrame:
    """`candidates.keyed` by rules chosen before, with the crowds known then."""
    pieces = pieces_of(known.model.fields)
    numbers = candidates.hashed(values, tuple(pieces.values()))
    keys = candidates.keyed(numbers, known.model.blocking.rules, tuple(pieces))
    crowds = known.model.crowds
    keys = candidates.thinned(keys, [crowd.key for crowd in crowds if not crowd.is_dropped], to_refined=True)
    return _without(keys, [crowd.key for crowd in crowds if crowd.is_dropped])


def _without_new_crowds(keys: DataFrame) -> DataFrame:
    """Records of a key that too many of these have do not meet by it; there are few such keys."""
    return _without(keys, [row["key"] for row in candidates.crowded(keys, most=_NEW_CROWD).collect()])


def _without(keys: DataFrame, crowds: Sequence[int]) -> DataFrame:
    """Records of these keys do not meet by them."""
    return candidates.thinned(keys, crowds, to_refined=False)


def _wanted(config: IdentityConfig, pieces: dict[Piece, Column]) -> list[tuple[Piece, ...]]:
    """The configuration's own blocking rules; a field of one that no record has makes it fall away."""
    named = {piece.name: piece for piece in pieces}
    rules = [tuple(named[name] for name in rule if name in named) for rule in config.blocking]
    return [rule for rule, names in zip(rules, config.blocking, strict=True) if rule and len(rule) == len(names)]


def _frequencies(values: DataFrame, fields: Sequence[Field]) -> tuple[candidates.Frequencies, ...]:
    counts = candidates.value_counts(values, fields).persist()
    totals = counts.groupBy("field").agg(
        F.sum("records").alias("filled"), F.sum(F.col("records") * F.col("records")).alias("squares")
    )
    told = totals.toArrow()
    commonest = counts.where("records > 1").orderBy(F.desc("records"), "field", "value").limit(_COMMONEST).toArrow()
    counts.unpersist()
    return candidates.frequencies_of(commonest, told, fields)


def _parameters(
    pairs: DataFrame,
    sample: pa.Table,
    fields: Sequence[Field],
    frequencies: Sequence[candidates.Frequencies],
    blocking: Blocking,
    records: int,
) -> Parameters:
    # Held already; how many were expected says little where two records of one source are not compared.
    one_of = max(1, round(pairs.count() / _LEARNT_FROM))
    chosen = pairs.where(F.pmod(F.xxhash64("low", "high"), F.lit(one_of)) == 0) if one_of > 1 else pairs
    is_known = F.col("low_atom") == F.col("high_atom")
    met = chosen.select("pattern", "rarity", "rules", is_known.alias("known")).toArrow()
    rules, made_of = ways_to_meet(
        met.column("rules").to_numpy(), [rule.fields for rule in blocking.rules], [field.name for field in fields]
    )
    problem = Problem(
        tuple(field.kind for field in fields),
        tuple(field.of_home for field in fields),
        tuple(field.of_name for field in fields),
        Patterns.of(
            met.column("pattern").to_numpy(),
            len(fields),
            rarity=candidates.rarities(met.column("rarity"), len(fields)),
            rules=rules,
            known=met.column("known").to_numpy(),
            scale=float(one_of),
        ),
        Patterns.of(_random_patterns(sample, fields, frequencies), len(fields)),
        made_of,
        records * (records - 1) / 2,
        records,
        tuple(field.name in CONTRADICTIONS for field in fields),
    )
    return learnt(problem)


def _random_patterns(
    sample: pa.Table, fields: Sequence[Field], frequencies: Sequence[candidates.Frequencies]
) -> candidates.Pairs:
    columns = candidates.columns_of(sample, frequencies)
    left, right = pairs_of(sample.column("node").to_numpy(), _RANDOM_PAIRS)
    if "sole" in sample.column_names:
        left, right = candidates.of_two_sources(sample.column("sole").to_numpy(), left, right)
    found = np.empty(len(left), np.int64)
    for start in range(0, len(left), _RANDOM_AT_ONCE):
        some = slice(start, start + _RANDOM_AT_ONCE)
        found[some] = candidates.patterns(columns, left[some], right[some], fields).pattern
    return found
