"""What pairs of records are worth, one by one, and why."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.identity.matching import candidates
from cdp.identity.matching.levels import MISSING, NAMES
from cdp.identity.matching.model import Model
from cdp.identity.matching.parameters import LEVELS, Patterns, unpacked

_PAIR_SCHEMA = "low bigint, high bigint, low_atom bigint, high_atom bigint, pattern bigint, rarity binary, score double"


def scored(pairs: DataFrame, model: Model, least: float) -> DataFrame:
    """`candidates.compared_pairs` with their score in bits, those of at least so many."""
    return pairs.mapInArrow(partial(_score, model=model, least=least), _PAIR_SCHEMA)


def _score(batches: Iterator[pa.RecordBatch], model: Model, least: float) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        scores = model.parameters.scores(patterns_of(batch, model))
        yield batch.drop_columns(["rules"]).append_column("score", pa.array(scores)).filter(pa.array(scores >= least))


def patterns_of(batch: pa.RecordBatch | pa.Table, model: Model) -> Patterns:
    """The columns `pattern` and `rarity`, a row a pair."""
    levels = unpacked(batch.column("pattern").to_numpy(), len(model.fields))
    rarity = candidates.rarities(batch.column("rarity"), len(model.fields)) / candidates.PARTS_OF_A_BIT
    return Patterns(levels, np.ones(len(levels)), rarity, np.zeros(len(levels), np.int64), np.zeros(len(levels), bool))


def best_of_atoms(scored: DataFrame) -> DataFrame:
    """low_atom, high_atom (in order), best (struct): of each two atoms the best pair."""
    low, high = F.least("low_atom", "high_atom"), F.greatest("low_atom", "high_atom")
    best = F.max_by(F.struct("low", "high", "pattern", "rarity", "score"), F.struct("score", "low", "high"))
    return (
        scored.where("low_atom <> high_atom")
        .groupBy(low.alias("low_atom"), high.alias("high_atom"))
        .agg(best.alias("best"))
    )


def explained(best: DataFrame, model: Model) -> DataFrame:
    """low, high, low_atom, high_atom, score, evidence (bits by field) of `best_of_atoms`."""
    best = best.select("low_atom", "high_atom", "best.*")
    schema = "low bigint, high bigint, low_atom bigint, high_atom bigint, score double, evidence map<string,double>"
    return best.mapInArrow(partial(_explained, model=model), schema)


def _explained(batches: Iterator[pa.RecordBatch], model: Model) -> Iterator[pa.RecordBatch]:
    """What each field adds to the score of a pair."""
    rest = ("rarity of what is equal", "prior", "two of one household")
    labels = np.array([[f"{f.name}: {n}" for n in (*NAMES[f.kind], *[""] * LEVELS)][:LEVELS] for f in model.fields], object)
    for batch in batches:
        patterns = patterns_of(batch, model)
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
