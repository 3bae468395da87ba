"""Lookalikes: who is like a seed, and when nobody can tell."""

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import functions as F

from cdp.models.lookalike import Limits, fold_of, learn, learned_from, most_alike, scores
from cdp.models.resemblance import FOLDS

N = 1600
COLUMNS = ["spend", "visits", "age", "empty"]


def people(n: int = N) -> pd.DataFrame:
    """Customers with three features that have nothing to do with each other, and one that nobody has."""
    random = np.random.default_rng(11)
    return pd.DataFrame(
        {
            "customer_id": [f"c{i:05}" for i in range(n)],
            "fold": np.arange(n) % FOLDS,
            "spend": random.gamma(2, 50, n),
            "visits": random.poisson(5, n).astype(float),
            "age": np.where(np.arange(n) % 7 == 0, np.nan, random.uniform(0, 400, n)),
            "empty": np.nan,
        }
    )


def like(table: pd.DataFrame) -> np.ndarray:
    """What the seed has in common: spend and visits together, with chance."""
    taste = np.log(table["spend"]) + table["visits"] / 3
    chance = np.random.default_rng(12).logistic(0, 0.3, len(table))
    return np.asarray(taste + chance > np.quantile(taste, 0.85))


def seeded(is_seed) -> pd.DataFrame:
    return people().assign(is_seed=is_seed)


def test_a_seed_that_two_features_make_is_found_again():
    found = learned_from(seeded(like(people())), COLUMNS)

    assert found.evidence.is_proven and found.why_not is None
    assert 0.9 < found.evidence.auc_interval[0] < found.evidence.auc < found.evidence.auc_interval[1] < 1
    assert found.evidence.lift(0.05) > 4
    assert found.evidence.lift_interval(0.05)[0] > 3
    assert found.left_out == {} and "empty" not in found.model.columns


def test_the_unlabelled_who_belong_to_the_seed_come_first():
    """Half of those who are alike are in the seed; the other half is what one looks for."""
    table = people()
    alike = like(table)
    table["is_seed"] = alike & (np.arange(N) // FOLDS % 2 == 0)
    found = learned_from(table, COLUMNS)

    score = found.model.score(table[list(found.model.columns)].to_numpy(), table["fold"].to_numpy())
    rest = ~table["is_seed"].to_numpy()
    best = np.argsort(-np.where(rest, score, -np.inf))[: int((alike & rest).sum())]
    assert alike[best].mean() > 0.6 > 4 * alike[rest].mean()


def test_a_seed_between_two_values_of_two_features_is_found_by_trees():
    table = people()
    is_seed = table["spend"].between(60, 140) & table["visits"].between(4, 6)

    assert learned_from(table.assign(is_seed=is_seed), COLUMNS).evidence.auc > 0.95


@pytest.mark.parametrize("draw", range(3))
def test_a_random_seed_is_told_to_be_worthless(draw):
    is_seed = np.random.default_rng(draw).random(N) < 0.1

    found = learned_from(seeded(is_seed), COLUMNS)

    assert not found.evidence.is_proven
    assert found.evidence.lift_interval(0.1)[0] < 1 < found.evidence.lift_interval(0.1)[1]


def test_a_feature_that_defines_the_seed_is_left_out_and_told():
    table = people()
    found = learned_from(table.assign(is_seed=table["spend"] > 150), COLUMNS, exclude=["age"])

    assert found.left_out == {"age": "excluded", "spend": "tells the seed alone, AUC 1.00"}
    assert found.model.columns == ("visits",)
    assert not found.evidence.is_proven  # visits have nothing to do with it


def test_nothing_is_learned_without_a_feature():
    table = people()
    found = learned_from(table.assign(is_seed=table["spend"] > 150), ["spend", "empty"])

    assert (found.model, found.evidence) == (None, None)
    assert found.why_not == "no feature is left to compare by"


def test_the_same_customers_in_another_order_give_the_same_scores_alone_or_together():
    table = seeded(like(people()))
    table.loc[3, "spend"] = np.inf
    values, fold = table[["spend", "visits", "age"]].to_numpy(), table["fold"].to_numpy()

    first = learned_from(table, COLUMNS).model.score(values, fold)
    again = learned_from(table.sample(frac=1, random_state=1), COLUMNS).model

    assert np.isfinite(first).all()
    assert (again.score(values, fold) == first).all()
    assert [again.score(values[i : i + 1], fold[i : i + 1])[0] for i in range(40)] == first[:40].tolist()


def test_no_customer_has_a_say_in_the_own_score():
    table = seeded(like(people()))
    changed = table.assign(is_seed=table["is_seed"] ^ (table.index == 8))  # of fold 0
    values, fold = table[["spend", "visits", "age"]].to_numpy(), table["fold"].to_numpy()

    first, second = (learned_from(t, COLUMNS).model.score(values, fold) for t in (table, changed))

    assert (first[fold == 0] == second[fold == 0]).all()
    assert (first[fold != 0] != second[fold != 0]).any()


def test_rows_of_a_sample_stand_for_all():
    table = seeded(like(people()))
    seed, rest = int(table["is_seed"].sum()), int((~table["is_seed"]).sum())

    own = learned_from(table, COLUMNS).evidence
    of_more = learned_from(table, COLUMNS, counts=(seed, rest * 9)).evidence

    assert of_more.auc == pytest.approx(own.auc)
    assert of_more.lift(0.02) > 1.5 * own.lift(0.02)  # the seed is rarer, so there is more to gain


def test_on_spark_a_bounded_sample_is_learned_from_and_everybody_is_scored(spark):
    table = seeded(like(people())).drop(columns="fold")
    customers = spark.createDataFrame(table).repartition(3)

    found = learn(customers, COLUMNS, limits=Limits(most_rest=600, most_seed=10_000))
    rest = customers.where("NOT is_seed")
    scored = {row["customer_id"]: row["score"] for row in scores(rest, found.model).collect()}
    one = min(scored)
    alone = [row["score"] for row in scores(rest.where(F.col("customer_id") == one), found.model).collect()]

    seed = int(table["is_seed"].sum())
    assert (found.seed, found.others) == (seed, N - seed)
    assert 500 < found.sampled - seed < 700
    assert set(scored) == set(table.loc[~table["is_seed"], "customer_id"])
    assert alone == [scored[one]]
    best = [r["customer_id"] for r in most_alike(scores(rest, found.model), 10).collect()]
    assert best == sorted(scored, key=lambda c: (-scored[c], c))[:10]


def test_too_small_a_seed_and_too_few_others_are_told(spark):
    ids = spark.range(130).select(F.concat(F.lit("c"), "id").alias("customer_id"), F.col("id").alias("spend"))

    def why(is_seed: str, **limits: int) -> str | None:
        return learn(ids.withColumn("is_seed", F.expr(is_seed)), ["spend"], limits=Limits(**limits)).why_not

    assert why("spend < 99") == "a seed of 99 is too few, wanted 100"
    assert why("spend < 5", min_seed=3) == "a seed of 5 is too few, wanted 20"
    assert why("spend < 120") == "10 others to compare with is too few, wanted 20"


def test_folds_are_about_as_large_and_stay(spark):
    ids = spark.range(2000).select(F.concat(F.lit("c"), "id").alias("customer_id"))
    folds = pd.Series([row[0] for row in ids.select(fold_of("customer_id")).collect()])

    assert set(folds) == set(range(FOLDS))
    assert folds.value_counts().between(400, 600).all()
