"""From the prospects of the past to a model of first orders, or to the reason why there is none."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import cast

import numpy as np

from cdp.models.config import Training
from cdp.models.cutoffs import Split
from cdp.models.features import BEHAVIOUR
from cdp.models.intervals import Interval, covered
from cdp.models.learning import threads_for
from cdp.models.likelihood import Floats
from cdp.models.past import Past
from cdp.models.propensity.answers import BaseRate, Blend
from cdp.models.propensity.contest import Outcome, contest
from cdp.models.propensity.leaks import TELLS
from cdp.models.propensity.training import NoModelError
from cdp.models.prospects.model import Prospects
from cdp.models.prospects.rows import Buyers, Seen
from cdp.models.textbook import usual_value


@dataclass(frozen=True)
class Trained:
    """A model of one horizon with its contest.

    Attributes:
        split: the cut-offs.
        model: for use.
        outcome: of the contest.
        prospects: rows that were learned from for use.
        bought: of these, how many ordered.
        notes: what a person should know.
    """

    split: Split
    model: Prospects
    outcome: Outcome
    prospects: int
    bought: int
    notes: Sequence[str]

    @property
    def horizon_days(self) -> int:
        return self.split.horizon_days


def learn(past: Past, split: Split, training: Training, *, as_of: date) -> Trained:
    """Learn the first orders of one horizon.

    Raises:
        NoModelError: there was no prospect on any day that may be learned from.
    """
    seen = Seen.of(past, split)
    if not len(seen.final):
        raise NoModelError("nobody was known without an order on the days to learn from")
    with threads_for(len(seen.rows)):
        why = _too_little(seen, training)
        outcome = contest(seen.rows, seen.final, () if why else seen.parts, (), seed=training.seed)
    notes = [*([why] if why else []), *outcome.notes]
    if outcome.auc is not None and outcome.auc > TELLS:
        notes.append(
            f"ROC AUC {outcome.auc:.3f} is more than people let one know: look for features that follow an order"
        )
    found = Buyers.of(past, split.final, split.learn_days)
    # Where nobody ordered yet, whoever does is expected to bring one usual day of a customer.
    buyers = found or Buyers(0, 1.0, usual_value(past.features(as_of)))
    interval, coverage = _interval(past, split, seen, outcome)
    if coverage is not None:
        metrics = {**outcome.metrics, outcome.chosen: {**outcome.metrics[outcome.chosen], "coverage_80": coverage}}
        outcome = replace(outcome, metrics=metrics)
    # The rule by silence needs a feature that prospects do not have: it is never the answer.
    answer = cast(BaseRate | Blend, outcome.answer)
    days = (split.horizon_days, split.learn_days)
    model = Prospects(answer, BEHAVIOUR, *days, buyers.orders, buyers.revenue, interval)
    return Trained(split, model, outcome, len(seen.final), buyers.count, notes)


def _too_little(seen: Seen, training: Training) -> str | None:
    if not seen.parts:
        return "no back-test has prospects both to learn from and to judge by"
    rows = sum(len(part.judge) for part in seen.parts)
    if rows < training.min_customers:
        return f"only {rows:,} rows to judge by, wanted {training.min_customers:,}"
    bought = int(sum(part.judge.happened.sum() for part in seen.parts))
    fewest = min(bought, rows - bought)
    if fewest < training.min_each_outcome:
        return f"only {fewest:,} rows to judge by have the rarer outcome, wanted {training.min_each_outcome:,}"
    return None


def _interval(past: Past, split: Split, seen: Seen, outcome: Outcome) -> tuple[Interval | None, float | None]:
    """The interval that all back-tests give, and the share of the newest one's outcomes that the older ones' would hold."""
    told: list[tuple[Floats, float, Floats]] = []
    for fold, test in zip(seen.folds, outcome.told, strict=False):  # nobody is told where there was no contest
        buyers = Buyers.of(past, fold.train, split.learn_days)
        if buyers is not None and buyers.revenue > 0 and outcome.chosen in test.answers:
            actual = past.prospect_outcome(fold.judge, split.learn_days)[1]
            told.append((test.answers[outcome.chosen], buyers.revenue, actual))
    older = _fitted(told[1:])
    if older is None:
        return _fitted(told), None
    likely, revenue, actual = told[0]
    return _fitted(told), covered(actual, *older.bounds(likely, likely * revenue))


def _fitted(told: Sequence[tuple[Floats, float, Floats]]) -> Interval | None:
    """Of what was spent in parts of what was expected of a buyer: one spread for all, as one thing is expected of all."""
    spent = np.concatenate([np.zeros(0), *(actual / revenue for _, revenue, actual in told)])
    try:
        return Interval.fitted(np.ones(len(spent)), np.ones(len(spent)), spent)
    except ValueError:
        return None
