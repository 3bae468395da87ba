"""Who looks like the customers of a seed: a classifier of the seed against the rest, learned in folds.

The rest is no proof of the contrary: it is unlabelled, and those who are looked for are in it (positive and unlabelled
learning). Every customer is judged by models that were learned without that customer, in the evaluation and afterwards.

Source: Mordelet and Vert (2014), Pattern Recognition Letters 37, 201-209, for bags that each draw from the unlabelled.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from cdp.models.likelihood import Floats
from cdp.models.ranking import Ranked, auc

FOLDS = 4
"""Each hides a quarter of the seed."""

_BAGS = 6
_REST_OF_BAG = 2  # customers of the rest in a bag, for each of the seed
_BOOSTING = {
    "learning_rate": 0.06,
    "max_iter": 50,
    "max_leaf_nodes": 6,
    "min_samples_leaf": 20,
    "l2_regularization": 5.0,
    "early_stopping": False,
}


class Learner(Protocol):
    """Learns from features and says how likely a row is of the seed."""

    def fit(self, values: Floats, is_seed: np.ndarray) -> "Learner": ...

    def log_odds(self, values: Floats) -> Floats: ...


class Logistic:
    """Logistic regression on the logarithms of the features; a missing one counts as the middle of the sample."""

    def fit(self, values: Floats, is_seed: np.ndarray) -> "Logistic":
        from sklearn.linear_model import LogisticRegression

        logs = _logs(values)
        is_known = ~np.isnan(logs).all(axis=0)
        self.middle_ = np.zeros(logs.shape[1])
        self.middle_[is_known] = np.nanmedian(logs[:, is_known], axis=0)
        filled = np.where(np.isnan(logs), self.middle_, logs)
        self.mean_, spread = filled.mean(axis=0), filled.std(axis=0)
        self.spread_ = np.where(spread > 0, spread, 1)
        model = LogisticRegression(C=0.1, max_iter=500).fit((filled - self.mean_) / self.spread_, is_seed)
        self.weights_, self.shift_ = model.coef_[0], float(model.intercept_[0])
        return self

    def log_odds(self, values: Floats) -> Floats:
        logs = _logs(values)
        scaled = (np.where(np.isnan(logs), self.middle_, logs) - self.mean_) / self.spread_
        # Summed row by row: a product of matrices rounds by the size of the batch.
        return np.asarray((np.ascontiguousarray(scaled) * self.weights_).sum(axis=1) + self.shift_)


class BaggedTrees:
    """The mean of boosted trees, each learned from the seed and its own draw of the rest."""

    def __init__(self, seed: int = 42) -> None:
        self.seed = seed

    def fit(self, values: Floats, is_seed: np.ndarray) -> "BaggedTrees":
        from sklearn.ensemble import HistGradientBoostingClassifier

        # scikit-learn fails on a column without any value.
        self.known_ = np.flatnonzero(~np.isnan(values).all(axis=0))
        seed_rows, rest = np.flatnonzero(is_seed), np.flatnonzero(~is_seed)
        random = np.random.default_rng(self.seed)
        drawn = min(len(rest), _REST_OF_BAG * len(seed_rows))
        self.bags_ = []
        for bag in range(_BAGS):
            rows = np.r_[seed_rows, np.sort(random.choice(rest, drawn, replace=False))]
            part = values[np.ix_(rows, self.known_)]
            empty = np.isnan(part).all(axis=0)
            part[:, empty] = 0  # a draw may lack what the others have
            trees = HistGradientBoostingClassifier(**_BOOSTING, random_state=self.seed + bag)
            self.bags_.append(trees.fit(part, is_seed[rows]))
        return self

    def log_odds(self, values: Floats) -> Floats:
        known = values[:, self.known_]
        return np.asarray(np.mean([trees.decision_function(known) for trees in self.bags_], axis=0))


_METHODS: Mapping[str, tuple[int, ...]] = {"average of both": (0, 1), "logistic": (0,), "boosted trees": (1,)}
"""By name, the learners whose scores are averaged. The first is taken unless another is clearly better."""

_CLEARLY = 0.01  # of AUC; a choice among near equals would follow chance, and mix scores of several kinds


@dataclass(frozen=True)
class Part:
    """What judges the customers of one fold: learned from the other folds.

    Attributes:
        learners: as fitted.
        scales: mean and spread of each learner's log-odds for the fold's customers, so that learners and folds compare.
        method: which learners count.
    """

    learners: Sequence[Learner]
    scales: Sequence[tuple[float, float]]
    method: str

    def score(self, values: Floats) -> Floats:
        chosen = _METHODS[self.method]
        return _mean([(self.learners[i].log_odds(values) - self.scales[i][0]) / self.scales[i][1] for i in chosen])


@dataclass(frozen=True)
class Resemblance:
    """How much customers look like the seed.

    Attributes:
        columns: names of the features, in the order of their values.
        parts: what judges each fold.
    """

    columns: tuple[str, ...]
    parts: tuple[Part, ...]

    def score(self, values: Floats, fold: np.ndarray) -> Floats:
        """Likeness of each row by the models that did not learn from its fold, in spreads from the mean: higher is liker.

        The score of a row does not depend on the rows beside it.
        """
        found = np.zeros(len(fold))
        with single_thread():
            for number, part in enumerate(self.parts):
                rows = np.flatnonzero(fold == number)
                if len(rows):
                    found[rows] = part.score(clean(values[rows]))
        return np.round(found, 6)


def learned(
    columns: Sequence[str], values: Floats, is_seed: np.ndarray, fold: np.ndarray, *, seed: int = 42
) -> tuple[Resemblance, Floats]:
    """Learn in folds, and choose for each the method that does best on the others.

    Args:
        columns: names of the features.
        values: a row a customer; NaN is missing.
        is_seed: who is of the seed.
        fold: of each row, 0 to `FOLDS` - 1; each has rows of both kinds.
        seed: random state.

    Returns:
        The model, and the score that it gives each row: none of them by a model that learned from the row. Nor has the
        row a say in which method judges it, so that the best of three is not taken for better than it is.
    """
    values = clean(values)
    makers: Sequence[Callable[[], Learner]] = (Logistic, lambda: BaggedTrees(seed))
    learners: list[list[Learner]] = []
    scales: list[list[tuple[float, float]]] = []
    scaled = np.zeros((len(makers), len(values)))
    with single_thread():
        for number in range(FOLDS):
            learn = fold != number
            learners.append([make().fit(values[learn], is_seed[learn]) for make in makers])
            odds = [learner.log_odds(values[~learn]) for learner in learners[-1]]
            scales.append([_scale(found) for found in odds])
            for i, (mean, spread) in enumerate(scales[-1]):
                scaled[i, ~learn] = (odds[i] - mean) / spread
    by_method = {name: _mean([scaled[i] for i in which]) for name, which in _METHODS.items()}
    methods = [_best(by_method, is_seed, fold != number) for number in range(FOLDS)]
    held_out = np.select([fold == number for number in range(FOLDS)], [by_method[method] for method in methods])
    parts = [Part(learners[n], scales[n], methods[n]) for n in range(FOLDS)]
    return Resemblance(tuple(columns), tuple(parts)), np.round(held_out, 6)


def clean(values: Floats) -> Floats:
    """What is no number is missing."""
    return np.where(np.isfinite(values), values, np.nan)


def single_thread() -> Any:
    """Limits learners to one thread: on a shared machine threads wait for each other longer than they work, and the sums
    of several depend on their number."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    return threadpool_limits(limits=1)


def _best(by_method: Mapping[str, Floats], is_seed: np.ndarray, rows: np.ndarray) -> str:
    weight = np.ones(int(rows.sum()))
    figures = {name: auc(Ranked.by(score[rows], is_seed[rows]), weight) for name, score in by_method.items()}
    usual = next(iter(_METHODS))
    best = max(figures, key=lambda name: figures[name])
    return best if figures[best] > figures[usual] + _CLEARLY else usual


def _mean(scores: Sequence[Floats]) -> Floats:
    return np.asarray(sum(scores[1:], start=scores[0]) / len(scores))


def _scale(odds: Floats) -> tuple[float, float]:
    spread = float(odds.std())
    return float(odds.mean()), spread if spread > 0 else 1.0


def _logs(values: Floats) -> Floats:
    return np.asarray(np.sign(values) * np.log1p(np.abs(values)))
