"""Lookalikes: how much everybody else looks like the customers of a seed, and whether that is worth anything.

Learned on the driver from a bounded sample, said of any number of customers on the executors. Learners: `resemblance`.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.models.leakage import defining_features
from cdp.models.likelihood import Floats
from cdp.models.ranking import Ranked, auc, interval, lift
from cdp.models.resemblance import FOLDS, Resemblance, learned

LEAST_SEED = 20
"""A seed that is smaller cannot be hidden in parts, whatever the settings."""

_PARTS = 1_000_000
_SCORES = "customer_id string, score double"


@dataclass(frozen=True)
class Limits:
    """How much is learned from.

    Attributes:
        min_seed: customers that a seed must have; at least `LEAST_SEED`.
        most_seed, most_rest: customers that come to the driver, about, chosen by a hash of their id.
        seed: random state of the learners and of the bootstrap.
    """

    min_seed: int = 100
    most_seed: int = 10_000
    most_rest: int = 50_000
    seed: int = 42


@dataclass(frozen=True)
class Evidence:
    """How the seed is found again among everybody: each member ranked by models that did not learn from that member.

    Attributes:
        ranked: the customers of the sample.
        weight: customers that each row of the sample stands for.
        seed: random state of the bootstrap.
    """

    ranked: Ranked
    weight: Floats
    seed: int = 42

    @cached_property
    def auc(self) -> float:
        """Share of pairs of a hidden member and another customer in which the member scores higher."""
        return auc(self.ranked, self.weight)

    @cached_property
    def auc_interval(self) -> tuple[float, float]:
        """95 % of the AUC, by the bootstrap."""
        return interval(self.ranked, self.weight, auc, seed=self.seed)

    @property
    def is_proven(self) -> bool:
        """Whether the ranking is better than chance: the interval of the AUC lies above 0.5."""
        return self.auc_interval[0] > 0.5

    def lift(self, share: float) -> float:
        """How many times as many hidden members the best share of all customers holds as a random draw would."""
        return lift(self.ranked, self.weight, share)

    def lift_interval(self, share: float) -> tuple[float, float]:
        """95 % of the lift, by the bootstrap."""
        return interval(self.ranked, self.weight, lambda r, w: lift(r, w, share), seed=self.seed)


@dataclass(frozen=True)
class Learned:
    """What was learned of a seed.

    Attributes:
        seed: customers of the seed.
        others: customers that are not.
        sampled: those of both that were learned from.
        left_out: features that define the seed, and why each is taken for one.
        model: who looks like the seed; None: nothing could be learned.
        evidence: how good it is; None as well.
        why_not: why nothing could be learned.
    """

    seed: int
    others: int
    sampled: int = 0
    left_out: Mapping[str, str] = field(default_factory=dict)
    model: Resemblance | None = None
    evidence: Evidence | None = None
    why_not: str | None = None


def learn(
    customers: DataFrame,
    columns: Sequence[str],
    *,
    asked: Collection[str] = (),
    exclude: Collection[str] = (),
    counts: tuple[int, int] | None = None,
    limits: Limits = Limits(),
) -> Learned:
    """Learn who looks like a seed. Collects a bounded sample of the customers.

    Args:
        customers: a row a customer: customer_id, is_seed (never null), the features, and the columns `asked`.
        columns: names of the features, numeric; null where a feature has no meaning.
        asked: numeric columns of what the seed's rule asks. They are no features; features that say the same are left out.
        exclude: features to leave out.
        limits: how much is learned from.
    """
    seed, others = counts or _counted(customers)
    least = max(limits.min_seed, LEAST_SEED)
    if seed < least or others < LEAST_SEED:
        what = f"a seed of {seed:,}" if seed < least else f"{others:,} others to compare with"
        wanted = least if seed < least else LEAST_SEED
        return Learned(seed, others, why_not=f"{what} is too few, wanted {wanted:,}")
    kept = _sampled(customers, seed, limits.most_seed, others, limits.most_rest)
    wanted_columns = [F.col(name).cast("double").alias(name) for name in (*columns, *asked)]
    # At most about `most_seed` and `most_rest` rows.
    sample = kept.select("customer_id", "is_seed", fold_of("customer_id").alias("fold"), *wanted_columns).toPandas()
    return learned_from(sample, columns, asked=asked, exclude=exclude, counts=(seed, others), limits=limits)


def learned_from(
    sample: pd.DataFrame,
    columns: Sequence[str],
    *,
    asked: Collection[str] = (),
    exclude: Collection[str] = (),
    counts: tuple[int, int] | None = None,
    limits: Limits = Limits(),
) -> Learned:
    """Learn from a sample on the driver: as `learn`, with the column `fold`; `counts` are the customers that the rows of
    the seed and the others stand for, by default themselves."""
    # Spark gives rows in any order, and the sums of learners depend on it.
    sample = sample.sort_values("customer_id", ignore_index=True)
    is_seed, fold = sample["is_seed"].to_numpy(dtype=bool), sample["fold"].to_numpy()
    seed, others = counts or (int(is_seed.sum()), int((~is_seed).sum()))
    features = sample[list(columns)].astype(float).replace([np.inf, -np.inf], np.nan)
    left_out = {name: "excluded" for name in columns if name in set(exclude)}
    judged = [name for name in columns if name not in left_out and features[name].notna().any()]
    left_out |= defining_features(features, is_seed, sample[list(asked)], judged)
    kept = [name for name in judged if name not in left_out]
    result = Learned(seed, others, len(sample), left_out)
    if not kept:
        return replace(result, why_not="no feature is left to compare by")
    if any((is_seed & (fold == n)).sum() < 2 or (~is_seed & (fold == n)).sum() < 2 for n in range(FOLDS)):
        return replace(result, why_not="too few customers to hide a part of the seed")
    model, score = learned(kept, features[kept].to_numpy(), is_seed, fold, seed=limits.seed)
    weight = np.where(is_seed, seed / is_seed.sum(), others / (~is_seed).sum())
    return replace(result, model=model, evidence=Evidence(Ranked.by(score, is_seed), weight, limits.seed))


def scores(customers: DataFrame, model: Resemblance) -> DataFrame:
    """How much each customer looks like the seed.

    Args:
        customers: customer_id and the features; whoever is to be scored, not the seed.
        model: of `learn`.

    Returns:
        customer_id, score (in spreads from the mean of all customers; higher is liker).
    """
    values = [F.col(name).cast("double").alias(name) for name in model.columns]
    return customers.select("customer_id", fold_of("customer_id").alias("fold"), *values).mapInPandas(
        _scorer(model), _SCORES
    )


def most_alike(scored: DataFrame, size: int) -> DataFrame:
    """The `size` customers with the highest scores, best first, ties by customer_id."""
    return scored.orderBy(F.desc("score"), "customer_id").limit(size)


def fold_of(customer_id: str) -> Column:
    """Which models judge a customer, 0 to `FOLDS` - 1, by a hash of the id."""
    return F.pmod(F.xxhash64(F.lit("fold"), F.col(customer_id)), F.lit(FOLDS)).cast("int")


def _counted(customers: DataFrame) -> tuple[int, int]:
    row = customers.agg(F.count_if("is_seed"), F.count_if(~F.col("is_seed"))).first()
    return (row[0], row[1]) if row else (0, 0)


def _sampled(customers: DataFrame, seed: int, most_seed: int, others: int, most_rest: int) -> DataFrame:
    if seed <= most_seed and others <= most_rest:
        return customers
    part = F.pmod(F.xxhash64(F.lit("sample"), F.col("customer_id")), F.lit(_PARTS))
    of_seed, of_others = (
        int(_PARTS * min(1, most / count)) for most, count in ((most_seed, seed), (most_rest, others))
    )
    return customers.where(part < F.when(F.col("is_seed"), of_seed).otherwise(of_others))


def _scorer(model: Resemblance) -> Callable[[Iterator[pd.DataFrame]], Iterator[pd.DataFrame]]:
    def score(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for batch in batches:
            values = batch[list(model.columns)].to_numpy(dtype=float)
            found = model.score(values, batch["fold"].to_numpy())
            yield pd.DataFrame({"customer_id": batch["customer_id"], "score": found})

    return score
