"""How well lookalikes find the hidden part of a seed, beside simpler ways, on UCI Online Retail (4,300 customers of a UK shop).

    python benchmarks/lookalike.py PATH/online_retail.csv.gz

Each seed is hidden a quarter at a time; AUC and lift at 5 % are those of the hidden members among all customers. Every way
sees the same features and the same quarters; features that define a seed are left out for all. The last column is the
harder question: half of the seed stays hidden among the others while learning, as those whom one looks for do; the AUC is
of that half.
"""

import argparse
from collections.abc import Callable, Mapping
from datetime import date, timedelta

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from sklearn.ensemble import HistGradientBoostingClassifier

from cdp.base.session import spark_session
from cdp.models.activity import daily_activity
from cdp.models.features import FEATURES, features
from cdp.models.lookalike import fold_of, learned_from
from cdp.models.ranking import Ranked, auc, interval, lift
from cdp.models.resemblance import FOLDS, Logistic, clean, single_thread

CUTOFF, AHEAD = date(2011, 9, 10), 90
"""Features are of this day; the future is the days after it, up to the end of the file."""
SHARE = 0.05
Way = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""From values, seed and fold to a score of each row by what was learned from the other folds."""


def order_lines(spark: SparkSession, path: str) -> DataFrame:
    """Lines of known customers, in the columns of `gold.order_lines` and `gold.orders` that features are made of."""
    return (
        spark.read.csv(path, header=True)
        .where("CustomerID IS NOT NULL")
        .selectExpr(
            "InvoiceNo AS order_id",
            "StockCode AS product_id",
            "string(int(double(CustomerID))) AS customer_id",
            "Country AS country",
            "CAST(InvoiceDate AS timestamp) AS ordered_at",
            "CAST(Quantity AS decimal(18,3)) AS quantity",
            "CAST(Quantity * CAST(UnitPrice AS decimal(12,3)) AS decimal(18,2)) AS amount",
            "if(startswith(InvoiceNo, 'C'), 'returned', 'completed') AS status",
            "'web' AS channel",
            "string(NULL) AS category",
        )
    )


def known_of(lines: DataFrame) -> DataFrame:
    """customer_id, fold, and the features as of the cut-off."""
    orders = lines.groupBy("order_id", "customer_id", "status", "channel").agg(
        F.min("ordered_at").alias("ordered_at"), F.sum("amount").alias("amount")
    )
    orders = orders.selectExpr(
        "*", "to_date(ordered_at) AS ordered_on", "CAST(NULL AS decimal(18,2)) AS discount", "string(NULL) AS coupon"
    )
    nothing = "customer_id string, occurred_at timestamp, kind string, event string, channel string"
    timeline = lines.sparkSession.createDataFrame([], nothing)
    known = features(daily_activity(orders, lines, timeline, as_of=CUTOFF), [CUTOFF])
    return known.select("customer_id", fold_of("customer_id").alias("fold"), *FEATURES)


def seeds(lines: pd.DataFrame) -> Mapping[str, set[str]]:
    """Sets of customers that have something in common: what they will do, what they did, where they live, and nothing."""
    on = lines["ordered_at"].dt.date
    past = lines[on <= CUTOFF]
    bought = past[past["status"] == "completed"]
    after = lines[
        (on > CUTOFF) & (on <= CUTOFF + timedelta(days=AHEAD)) & lines["customer_id"].isin(bought["customer_id"])
    ]
    buying = after[after["status"] == "completed"]
    spent = (
        after.groupby("customer_id")["amount"].sum().astype(float).reindex(bought["customer_id"].unique(), fill_value=0)
    )
    first = bought.groupby("customer_id")["ordered_at"].min()
    buyers = bought.groupby("product_id")["customer_id"].nunique().sort_values(ascending=False, kind="stable").index
    next_buyers = (
        buying.groupby("product_id")["customer_id"].nunique().sort_values(ascending=False, kind="stable").index
    )
    everybody = sorted(bought["customer_id"].unique())
    return {
        "top tenth by spending, next 90 days": set(spent[spent >= spent.quantile(0.9)].index),
        "will return something, next 90 days": set(after.loc[after["status"] == "returned", "customer_id"]),
        f"will buy {next_buyers[0]}, next 90 days": set(
            buying.loc[buying["product_id"] == next_buyers[0], "customer_id"]
        ),
        **{f"bought {p}": set(bought.loc[bought["product_id"] == p, "customer_id"]) for p in (buyers[0], buyers[30])},
        "first order in March 2011": set(first[(first.dt.year == 2011) & (first.dt.month == 3)].index),
        "lives abroad": set(past.loc[past["country"] != "United Kingdom", "customer_id"]),
        "drawn at random": set(np.random.default_rng(1).choice(everybody, 300, replace=False)),
    }


def in_folds(score: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]) -> Way:
    """A way that scores rows from values and seed of others, over all folds; each fold's scores in spreads from the mean."""

    def way(values: np.ndarray, is_seed: np.ndarray, fold: np.ndarray) -> np.ndarray:
        found = np.zeros(len(fold))
        for number in range(FOLDS):
            judge = fold == number
            own = score(values[~judge], is_seed[~judge], values[judge])
            found[judge] = (own - own.mean()) / (own.std() or 1)
        return found

    return way


def logistic(values: np.ndarray, is_seed: np.ndarray, others: np.ndarray) -> np.ndarray:
    return Logistic().fit(values, is_seed).log_odds(others)


def boosted(values: np.ndarray, is_seed: np.ndarray, others: np.ndarray) -> np.ndarray:
    known = ~np.isnan(values).all(axis=0)
    trees = HistGradientBoostingClassifier(random_state=42).fit(values[:, known], is_seed)
    return np.asarray(trees.decision_function(others[:, known]))


def cosine(values: np.ndarray, is_seed: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Cosine to the middle of the seed, of logarithms in spreads from the mean."""

    def scaled(rows: np.ndarray) -> np.ndarray:
        return np.nan_to_num((np.sign(rows) * np.log1p(np.abs(rows)) - mean) / spread)

    logs = np.sign(values) * np.log1p(np.abs(values))
    mean, spread = np.nanmean(logs, axis=0), np.nanstd(logs, axis=0)
    spread[spread == 0] = 1
    middle, rows = scaled(values[is_seed]).mean(axis=0), scaled(others)
    return np.asarray(rows @ middle / (np.linalg.norm(rows, axis=1) * np.linalg.norm(middle) + 1e-12))


WAYS: Mapping[str, Way] = {
    "logistic alone": in_folds(logistic),
    "boosted trees alone": in_folds(boosted),
    "cosine to the centre": in_folds(cosine),
    "random": lambda values, is_seed, fold: np.random.default_rng(0).random(len(fold)),
}


def judged(score: np.ndarray, is_seed: np.ndarray, hidden: np.ndarray, half: np.ndarray) -> str:
    """AUC with its interval and lift of the seed by `score`, and the AUC of `hidden` by `half`, among those not in the seed."""
    ranked, ones = Ranked.by(score, is_seed), np.ones(len(score))
    low, high = interval(ranked, ones, auc)
    rest = hidden | ~is_seed
    of_half = auc(Ranked.by(half[rest], hidden[rest]), ones[rest])
    return f"{auc(ranked, ones):.3f} ({low:.3f}-{high:.3f}) {lift(ranked, ones, SHARE):8.2f} {of_half:10.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", help="online_retail.csv.gz")
    path = parser.parse_args().path
    spark = spark_session("lookalike benchmark", memory="2g")
    lines = order_lines(spark, path).persist()
    known = known_of(lines).toPandas().sort_values("customer_id", ignore_index=True)
    history = lines.toPandas()
    spark.stop()
    values, fold = clean(known[list(FEATURES)].to_numpy(dtype=float)), known["fold"].to_numpy()
    print(f"{len(known):,} customers as of {CUTOFF}, {len(FEATURES)} features")
    for name, members in seeds(history).items():
        known["is_seed"] = known["customer_id"].isin(members)
        is_seed = known["is_seed"].to_numpy()
        hidden = is_seed & (np.random.default_rng(2).random(len(known)) < 0.5)
        found = learned_from(known, FEATURES)
        of_half = learned_from(known.assign(is_seed=is_seed & ~hidden), FEATURES, exclude=list(found.left_out))
        if not found.model or not of_half.model or not found.evidence:
            print(f"\n{name}: {found.why_not or of_half.why_not}")
            continue
        columns = [FEATURES.index(c) for c in found.model.columns]
        left_out = ", ".join(found.left_out) or "nothing"
        print(f"\n{name}: seed {found.seed}, proven {found.evidence.is_proven}; left out: {left_out}")
        print(f"  {'':22} {'AUC (95 %)':21} {'lift 5 %':>8} {'AUC, half':>10}")
        half_score = of_half.model.score(values[:, [FEATURES.index(c) for c in of_half.model.columns]], fold)
        own = found.model.score(values[:, columns], fold)
        print(f"  {'lookalike':22} {judged(own, is_seed, hidden, half_score)}")
        for way, score in WAYS.items():
            with single_thread():
                alone, half = (score(values[:, columns], who, fold) for who in (is_seed, is_seed & ~hidden))
            print(f"  {way:22} {judged(alone, is_seed, hidden, half)}")


if __name__ == "__main__":
    main()
