"""What pairs of records are worth, and what all pairs of two atoms say together."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.identity.matching import candidates
from cdp.identity.matching.levels import EQUAL, MISSING, NAMES, SAME_YEAR, SIMILAR_NAME
from cdp.identity.matching.linkage import CONTRADICTIONS
from cdp.identity.matching.model import Model
from cdp.identity.matching.parameters import LEVELS, Patterns, unpacked
from cdp.identity.matching.usual import OF_TWO, PRESUMED, imagined_matches

_OF_ONE_OR_TWO = {
    "birth_date": (range(EQUAL, SAME_YEAR), OF_TWO["date"]),
    "given_name": (range(EQUAL, SIMILAR_NAME + 1), OF_TWO["name"]),
}
"""Levels of values that may be one written in two ways, and of values that are two."""
_HARDLY_EVER = 0.03
"""Share of matches below which two birth dates, or given names, are a contradiction, and not a slip of the finger."""
_FLOOR, _CEILING = -15.0, 25.0
"""Bits of one pair, at least and at most: no pair alone outweighs all others of two clusters."""
SAID = tuple(f"{field}_{said}" for field in CONTRADICTIONS for said in ("agrees", "differs"))
"""Columns of what pairs say of the fields that a person has once: in the order of `linkage.Edges.said`."""
_PAIR_SCHEMA = (
    "low bigint, high bigint, low_atom bigint, high_atom bigint, pattern bigint, rarity binary, score double, "
    + ", ".join(f"{name} boolean" for name in SAID)
)


def scored(pairs: DataFrame, model: Model) -> DataFrame:
    """`candidates.compared_pairs` with their score in bits and what they say (`SAID`), without those that are surely two people."""
    return pairs.mapInArrow(partial(_score, model=model), _PAIR_SCHEMA)


def _score(batches: Iterator[pa.RecordBatch], model: Model) -> Iterator[pa.RecordBatch]:
    telling = {field: _telling(model, field) for field in CONTRADICTIONS}
    for batch in batches:
        patterns = _patterns(batch, model)
        scores = model.parameters.scores(patterns)
        kept = batch.drop_columns(["rules"]).append_column("score", pa.array(scores))
        said = [
            np.isin(patterns.levels[:, places], levels).any(axis=1)
            for field, places in telling.items()
            for levels in _OF_ONE_OR_TWO[field]
        ]
        for name, flags in zip(SAID, said, strict=True):
            kept = kept.append_column(name, pa.array(flags))
        yield kept.filter(pa.array(scores >= _FLOOR))


def _telling(model: Model, name: str) -> list[int]:
    """Places of a field, if the values of one person hardly ever differ here: then two of them are two people."""
    matches = model.parameters.seen(model.records)[1]
    imagined = PRESUMED / (matches + PRESUMED)
    of_two = list(_OF_ONE_OR_TWO[name][1])
    places = [i for i, field in enumerate(model.fields) if field.name == name]
    # Of the imagined matches none counts as two here: a small file is presumed to be right.
    share = {
        i: model.parameters.m[i, 0, of_two].sum() - imagined * imagined_matches(model.fields[i].kind)[of_two].sum() for i in places
    }
    return [i for i in places if share[i] < _HARDLY_EVER]


def _patterns(batch: pa.RecordBatch, model: Model) -> Patterns:
    levels = unpacked(batch.column("pattern").to_numpy(), len(model.fields))
    rarity = candidates.rarities(batch.column("rarity"), len(model.fields)) / candidates.PARTS_OF_A_BIT
    return Patterns(levels, np.ones(len(levels)), rarity, np.zeros(len(levels), np.int64), np.zeros(len(levels), bool))


def edges_of(scored: DataFrame) -> DataFrame:
    """low_atom, high_atom, weight (sum, thousandths of a bit), pairs, `SAID` (how many), best (struct): a row for two atoms."""
    low, high = F.least("low_atom", "high_atom"), F.greatest("low_atom", "high_atom")
    weight = F.round(F.least(F.col("score"), F.lit(_CEILING)) * 1000).cast("bigint")
    best = F.struct("low", "high", "pattern", "rarity", "score")
    return (
        scored.where("low_atom <> high_atom")
        .groupBy(low.alias("low_atom"), high.alias("high_atom"))
        .agg(
            F.sum(weight).alias("weight"),
            F.count("*").alias("pairs"),
            *[F.count_if(name).alias(name) for name in SAID],
            F.max_by(best, F.struct("score", "low", "high")).alias("best"),
        )
    )


def explained(edges: DataFrame, model: Model) -> DataFrame:
    """low, high, low_atom, high_atom, score, evidence (bits by field): of each two atoms the best pair."""
    best = edges.select("low_atom", "high_atom", "best.*")
    schema = "low bigint, high bigint, low_atom bigint, high_atom bigint, score double, evidence map<string,double>"
    return best.mapInArrow(partial(_explained, model=model), schema)


def _explained(batches: Iterator[pa.RecordBatch], model: Model) -> Iterator[pa.RecordBatch]:
    """What each field adds to the score of a pair."""
    rest = ("rarity of what is equal", "prior", "two of one household")
    labels = np.array([[f"{f.name}: {n}" for n in (*NAMES[f.kind], *[""] * LEVELS)][:LEVELS] for f in model.fields], object)
    for batch in batches:
        patterns = _patterns(batch, model)
        found = model.parameters.explained(patterns)
        fields = np.arange(len(model.fields))
        keys = np.concatenate([labels[fields, patterns.levels], np.tile(np.array(rest, object), (len(found), 1))], axis=1)
        missing = np.zeros(found.shape, bool)
        missing[:, fields] = patterns.levels == MISSING
        rows, columns = np.nonzero(~missing)
        offsets = np.concatenate([[0], np.cumsum((~missing).sum(axis=1))]).astype(np.int32)
        evidence = pa.MapArray.from_arrays(
            pa.array(offsets), pa.array(keys[rows, columns], pa.string()), pa.array(np.round(found[rows, columns], 3))
        )
        yield pa.RecordBatch.from_arrays(
            [*(batch.column(c) for c in ("low", "high", "low_atom", "high_atom", "score")), evidence],
            names=["low", "high", "low_atom", "high_atom", "score", "evidence"],
        )
