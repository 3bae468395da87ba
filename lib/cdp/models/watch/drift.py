"""How far features and scores of today are from those that a model was trained on."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.models.likelihood import Floats
from cdp.models.watch.reference import Histogram, Reference, Score

SCORES: tuple[Score, ...] = ("churn_probability", "ltv")
_UNIT = 1_000_000
_CHANCE = 3.0
"""Standard deviations that chance may add to what is expected."""

_COUNTED = "horizon_days int, slot int, bin int, customers bigint, total bigint"
_ARROW = pa.schema(
    {"horizon_days": pa.int32(), "slot": pa.int32(), "bin": pa.int32(), "customers": pa.int64(), "total": pa.int64()}
)

Edges = tuple[float, ...]
Row = tuple[int | None, int, int, int, int]
"""As in `tallies`."""

Counts = Mapping[tuple[int | None, int], Mapping[int, tuple[int, int]]]


@dataclass(frozen=True)
class ScoreLevel:
    """The scores of one horizon: of how many customers, and their mean."""

    customers: int
    mean: float


@dataclass(frozen=True)
class Slots:
    """Where each histogram is counted.

    Attributes:
        features: name and edges, each pair once: models that were trained together share them.
        scores: score, horizon and edges.
    """

    features: tuple[tuple[str, Edges], ...]
    scores: tuple[tuple[Score, int, Edges], ...]

    @classmethod
    def of(cls, references: Sequence[Reference]) -> "Slots":
        features = {(name, h.edges): None for r in references for name, h in r.features.items()}
        scores = {(r.score, horizon, h.edges): None for r in references for horizon, h in r.scores.items()}
        return cls(tuple(features), tuple(scores))

    @property
    def edges(self) -> list[Edges]:
        return [*[edges for _, edges in self.features], *[edges for *_, edges in self.scores]]


@dataclass(frozen=True)
class Today:
    """The histograms and score levels of one scoring.

    Attributes:
        slots: where they were counted.
        counts: by horizon (None for features) and slot, then by bin (-1: missing): customers and sum of values.
    """

    slots: Slots
    counts: Counts

    @classmethod
    def collect(cls, slots: Slots, rows: DataFrame) -> "Today":
        """From `tallies`: at most a row a bin of each feature and score."""
        counts: dict[tuple[int | None, int], dict[int, tuple[int, int]]] = {}
        for row in rows.collect():
            place = counts.setdefault((row["horizon_days"], row["slot"]), {})
            place[row["bin"]] = (row["customers"], row["total"] or 0)
        return cls(slots, counts)

    def feature(self, name: str, edges: Edges) -> Histogram:
        """A feature, counted between these edges."""
        return self._histogram(None, self.slots.features.index((name, edges)), edges)

    def score(self, score: Score, horizon_days: int, edges: Edges) -> Histogram:
        """A score over one horizon, counted between these edges."""
        slot = len(self.slots.features) + self.slots.scores.index((score, horizon_days, edges))
        return self._histogram(horizon_days, slot, edges)

    @property
    def horizons(self) -> list[int]:
        """Horizons that were scored, in days."""
        return sorted({horizon for horizon, _ in self.counts if horizon is not None})

    def level(self, score: Score, horizon_days: int) -> ScoreLevel:
        """How many customers have the score, and its mean (0 for none)."""
        found = self.counts.get((horizon_days, -1 - SCORES.index(score)), {})
        customers = sum(count for count, _ in found.values())
        total = sum(total for _, total in found.values())
        return ScoreLevel(customers, total / _UNIT / customers if customers else 0.0)

    def _histogram(self, horizon_days: int | None, slot: int, edges: Edges) -> Histogram:
        found = self.counts.get((horizon_days, slot), {})
        counts = tuple(found.get(i, (0, 0))[0] for i in range(len(edges) + 1))
        return Histogram(edges=edges, counts=counts, missing=found.get(-1, (0, 0))[0])


def tallies(features: DataFrame, scores: DataFrame, slots: Slots) -> DataFrame:
    """Count all features and scores, each batch at once: a row a value would be forty rows a customer.

    Args:
        features: a row a customer; a feature that is not there counts as missing.
        scores: horizon_days, churn_probability, ltv.
        slots: what to count.

    Returns:
        horizon_days (null for features), slot (-1 and -2 for the levels of `SCORES`), bin (-1: missing), customers,
        total (sum of the scores' values in millionths, as whole numbers).
    """
    counted = scores.select("horizon_days", *SCORES).mapInArrow(partial(_count_scores, slots=slots), _COUNTED)
    if slots.features:
        names = sorted({name for name, _ in slots.features})
        known = [F.col(name) if name in features.columns else F.lit(None) for name in names]
        given = features.select(*[column.cast("double").alias(name) for name, column in zip(names, known, strict=True)])
        counted = counted.unionByName(given.mapInArrow(partial(_count_features, slots=slots), _COUNTED))
    return counted.groupBy("horizon_days", "slot", "bin").agg(
        F.sum("customers").alias("customers"), F.sum("total").alias("total")
    )


def _count_features(batches: Iterator[pa.RecordBatch], *, slots: Slots) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        columns = {name: _numbers(batch, name) for name in batch.schema.names}
        yield _counted(
            (None, slot, found, customers, 0)
            for slot, (name, edges) in enumerate(slots.features)
            for found, customers in _bins(columns[name], edges)
        )


def _count_scores(batches: Iterator[pa.RecordBatch], *, slots: Slots) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        ahead = batch.column("horizon_days").to_numpy()
        rows: list[Row] = []
        for horizon in np.unique(ahead).tolist():
            values = {score: _numbers(batch, score)[ahead == horizon] for score in SCORES}
            for place, score in enumerate(SCORES):
                known = values[score][np.isfinite(values[score])]
                rows.append((horizon, -1 - place, 0, len(known), int(np.rint(known * _UNIT).astype(np.int64).sum())))
                rows.append((horizon, -1 - place, -1, len(values[score]) - len(known), 0))
            for place, (score, of, edges) in enumerate(slots.scores, start=len(slots.features)):
                if of == horizon:
                    rows.extend(
                        (horizon, place, found, customers, 0) for found, customers in _bins(values[score], edges)
                    )
        yield _counted(rows)


def _numbers(batch: pa.RecordBatch, name: str) -> Floats:
    return np.asarray(batch.column(name).to_numpy(zero_copy_only=False), dtype=float)


def _bins(values: Floats, edges: Edges) -> list[tuple[int, int]]:
    """Bins with anybody in them, and how many: of a value the number of edges below it, -1 where there is none."""
    place = np.where(np.isfinite(values), np.searchsorted(edges, values, side="left"), -1)
    return [(i - 1, customers) for i, customers in enumerate(np.bincount(place + 1).tolist()) if customers]


def _counted(rows: Iterable[Row]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([dict(zip(_ARROW.names, row, strict=True)) for row in rows if row[3]], schema=_ARROW)


def psi(expected: Histogram, actual: Histogram) -> float:
    """Population stability index: sum over the bins of (a - e) ln(a / e), a and e being shares of customers.

    So that an empty bin gives no infinity, each side gets one customer more, spread as both sides together are:
    e_i = (E_i + s_i) / (E + 1) with s_i = (E_i + A_i) / (E + A), and a_i likewise. Customers without a value are a bin.
    0 where either side has nobody.

    Source:
        Siddiqi (2006), Credit Risk Scorecards, for the index and its bands 0.1 and 0.25. The smoothing is this project's.
    """
    e, a = expected.all_counts, actual.all_counts
    if not e.sum() or not a.sum():
        return 0.0
    both = (e + a) / (e.sum() + a.sum())
    e, a = (e + both)[both > 0] / (e.sum() + 1), (a + both)[both > 0] / (a.sum() + 1)
    return float(max(((a - e) * np.log(a / e)).sum(), 0.0))


def chance_psi(expected: Histogram, actual: Histogram) -> float:
    """The index that chance alone hardly exceeds between two samples of the same customers; infinite where one is empty.

    Times 1 / (1/E + 1/A) it has about a chi-squared distribution with a degree of freedom fewer than bins; this is its
    mean plus three standard deviations.

    Source:
        Yurdakul and Naranjo (2020), Statistical properties of the population stability index, Journal of Risk Model
        Validation 14(4).
    """
    if not expected.total or not actual.total:
        return math.inf
    bins = int(((expected.all_counts + actual.all_counts) > 0).sum())
    freedom = bins - 1
    return (1 / expected.total + 1 / actual.total) * (freedom + _CHANCE * math.sqrt(2 * freedom))


def missing_lost(expected: Histogram, actual: Histogram) -> float:
    """Share of the values to be expected that are not there: 0 where as many customers have one as then, 1 where none has."""
    had = expected.present / expected.total if expected.total else 0.0
    has = actual.present / actual.total if actual.total else 0.0
    return max(1 - has / had, 0.0) if had else 0.0


def variety_lost(expected: Histogram, actual: Histogram) -> float:
    """Share of the variety to be expected that is gone: 1 where all customers with a value are in one bin."""
    had, has = _variety(expected), _variety(actual)
    return max(1 - has / had, 0.0) if had else 0.0


def expected_present(expected: Histogram, actual: Histogram) -> float:
    """Customers of today who would have a value, were it as then."""
    return actual.total * expected.present / expected.total if expected.total else 0.0


def expected_apart(expected: Histogram, actual: Histogram) -> float:
    """Customers of today outside of the fullest bin, were it as then."""
    return actual.present * _variety(expected)


def _variety(found: Histogram) -> float:
    return 1 - max(found.counts) / found.present if found.present else 0.0
