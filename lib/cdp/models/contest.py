"""Chooses among candidates by what happened on back-tests, and makes the chosen one anew for use."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

from cdp.models import churn, value
from cdp.models.backtest import (
    BLENDS,
    CHURN_BASELINE,
    VALUE_BASELINE,
    Backtests,
    Judged,
    history_days,
    run_backtests,
    season_at,
)
from cdp.models.blend import Blend
from cdp.models.config import Training
from cdp.models.cutoffs import Split
from cdp.models.experts import LEARNED, TEXTBOOK, Experts
from cdp.models.intervals import Interval, covered
from cdp.models.learning import Learned, lacking, threads_for
from cdp.models.likelihood import Floats
from cdp.models.metrics import (
    churn_metrics,
    deviances,
    log_losses,
    normalised_gini,
    roc_auc,
    shape_log_losses,
    shape_losses,
    value_metrics,
)
from cdp.models.past import Past
from cdp.models.reasons import usual_answers
from cdp.models.textbook import Textbook


@dataclass(frozen=True)
class Target:
    """Something to predict.

    Attributes:
        name: `ltv` or `churn`.
        baselines: rules that a candidate must beat; the first is taken where nothing can be judged.
        headline: the metric that a person is told, with its name.
        chance: what that metric is for random answers.
        headline_of: that metric, from outcome and prediction.
        answer: of what a model predicts, the one number a row that is judged.
        predicted: each candidate's answer on a back-test, as one number a row.
        actual: the outcome, as one number a row.
        losses: loss of each row, from outcome and prediction, whose level counts not; what decides is its mean.
        level_losses: the same with the level.
        metrics: figures to record, from the same.
    """

    name: str
    baselines: Sequence[str]
    headline: tuple[str, str]
    chance: float
    headline_of: Callable[[Floats, Floats], float]
    answer: Callable[[Floats], Floats]
    predicted: Callable[[Judged], Mapping[str, Floats]]
    actual: Callable[[Judged], Floats]
    losses: Callable[[Floats, Floats], Floats]
    level_losses: Callable[[Floats, Floats], Floats]
    metrics: Callable[[Floats, Floats], Mapping[str, float]]


LTV = Target(
    name="ltv",
    baselines=(VALUE_BASELINE, "lifetime_rate", "last_year_window"),
    headline=("normalised_gini", "normalised Gini"),
    chance=0.0,
    headline_of=normalised_gini,
    answer=lambda told: np.asarray(told[:, 1]),
    predicted=lambda judged: {name: columns[:, 1] for name, columns in judged.value.items()},
    actual=lambda judged: judged.revenue,
    # Who is worth how much more than whom is what models differ in; the level all of them share.
    losses=shape_losses,
    level_losses=deviances,
    metrics=value_metrics,
)
CHURN = Target(
    name="churn",
    baselines=(CHURN_BASELINE,),
    headline=("roc_auc", "ROC AUC"),
    chance=0.5,
    headline_of=roc_auc,
    answer=lambda told: told,
    predicted=lambda judged: judged.churn,
    actual=lambda judged: 1 - judged.bought,
    losses=shape_log_losses,
    level_losses=log_losses,
    metrics=churn_metrics,
)
TARGETS = (LTV, CHURN)


@dataclass(frozen=True)
class Material:
    """All that the contests of one horizon need.

    Attributes:
        split: its cut-offs.
        past: customers as of these.
        textbook_now: fitted on all customers' orders up to the date of the run.
        as_of: that date.
        first_order_on: the day of the very first order.
        backtests: what candidates said on them.
    """

    split: Split
    past: Past
    textbook_now: Textbook
    as_of: date
    first_order_on: date
    backtests: Backtests
    _learned: dict[int, Learned] = field(default_factory=dict, repr=False)

    @classmethod
    def of(
        cls, split: Split, past: Past, textbook_now: Textbook, training: Training, *, as_of: date, first_order_on: date
    ) -> "Material":
        """With the back-tests run."""
        with threads_for(past.customers * len(split.final)):
            found = run_backtests(past, split, training, first_order_on=first_order_on)
        return cls(split, past, textbook_now, as_of, first_order_on, found)

    def learned(self, seed: int) -> Learned:
        """Trees and lines for use, learned from all cut-offs whose outcome is known: once, whatever is predicted."""
        if seed not in self._learned:
            self._learned[seed] = Learned(seed).fit(self.past.sample(self.split.final, self.split.learn_days))
        return self._learned[seed]


@dataclass(frozen=True)
class Outcome:
    """Who won, and how everybody did on the back-tests.

    Attributes:
        model: the winner, made anew for use.
        metrics: by candidate, over all back-tests; empty without a contest.
        by_backtest: by candidate, of each back-test, the oldest first.
        losses: by candidate the mean loss of each customer, by which they were compared.
        customers: their numbers, in the same order.
        why: why there was no contest, or why candidates were left out.
    """

    target: Target
    split: Split
    chosen: str
    model: Any
    metrics: Mapping[str, Mapping[str, float]]
    by_backtest: Mapping[str, Sequence[Mapping[str, float]]] = field(default_factory=dict)
    losses: Mapping[str, Floats] = field(default_factory=dict)
    why: Sequence[str] = field(default=())

    @property
    def horizon_days(self) -> int:
        return self.split.horizon_days

    @property
    def headline(self) -> float | None:
        """The chosen one's headline metric; None without a contest."""
        return self.metrics[self.chosen][self.target.headline[0]] if self.metrics else None

    @property
    def is_baseline(self) -> bool:
        """Whether a rule won, for want of anything better."""
        return self.chosen in self.target.baselines


def contest(target: Target, material: Material, training: Training) -> Outcome:
    """Choose the candidate that did best on the back-tests, if it beats every baseline; see `best`."""
    with threads_for(material.past.customers * len(material.split.final)):
        return _held(target, material, training)


def _held(target: Target, material: Material, training: Training) -> Outcome:
    tests = material.backtests
    why = [*([w] if (w := _too_little(tests.judged, training)) else []), *tests.left_out]
    if _too_little(tests.judged, training):
        chosen = target.baselines[0]
        return Outcome(target, material.split, chosen, _rule(target, chosen, material), {}, why=tuple(why))
    told = [target.predicted(judged) for judged in tests.judged]
    names = [name for name in told[0] if all(name in part and np.isfinite(part[name]).all() for part in told)]
    actual = [target.actual(judged) for judged in tests.judged]
    losses = {name: _by_customer(target, tests.judged, [part[name] for part in told], actual) for name in names}
    baselines = [name for name in target.baselines if name in losses]
    missing = _missing(material)
    why.extend(dict.fromkeys(f"for use {reason}" for reason in missing.values()))
    candidates = [name for name in BLENDS if name in losses and not set(BLENDS[name]) & set(missing)]
    every = np.concatenate(actual)
    # A rule has nobody to tell it the level: it is taken as it is, so it must be right with it.
    chosen = best(losses, baselines, candidates) or min(
        baselines,
        key=lambda rule: float(target.level_losses(every, np.concatenate([part[rule] for part in told])).mean()),
    )
    metrics = {name: dict(target.metrics(every, np.concatenate([part[name] for part in told]))) for name in names}
    by_backtest = {
        name: [target.metrics(found, part[name]) for found, part in zip(actual, told, strict=True)] for name in names
    }
    model: Any
    if chosen in BLENDS:
        blend = _blend(chosen, material, training)
        model = churn.BlendedChurn(blend)
        if target is LTV:
            interval, coverage = _interval(chosen, tests.judged)
            model = value.BlendedValue(blend, interval)
            if coverage is not None:
                metrics[chosen]["coverage_80"] = coverage
    else:
        model = _rule(target, chosen, material)
    return Outcome(target, material.split, chosen, model, metrics, by_backtest, losses, tuple(why))


def best(losses: Mapping[str, Floats], baselines: Sequence[str], candidates: Sequence[str]) -> str | None:
    """The candidate with the least mean loss that is better than every baseline by more than a standard error.

    Of two that differ by less than a standard error of their difference, the one that stands first in `candidates` is
    taken: what chance decides would be another one tomorrow. None if nobody beats all baselines.

    Args:
        losses: of each customer, in the same order for all.
        baselines: names of rules.
        candidates: names of the others, the sturdiest first.
    """
    ahead = [name for name in candidates if all(is_better(losses[rule] - losses[name]) for rule in baselines)]
    if not ahead:
        return None
    least = min(ahead, key=lambda name: float(losses[name].mean()))
    return next(name for name in ahead if not is_better(losses[name] - losses[least]))


def is_better(gain: Floats) -> bool:
    """Whether a mean gain exceeds its standard error: a lead that chance alone would often give is none."""
    return bool(gain.mean() > gain.std() / np.sqrt(len(gain)))


def _by_customer(target: Target, judged: Sequence[Judged], told: Sequence[Floats], actual: Sequence[Floats]) -> Floats:
    """Each customer's mean loss over back-tests: a person who is in several of them is no further evidence."""
    losses = np.concatenate([target.losses(found, said) for found, said in zip(actual, told, strict=True)])
    number = np.concatenate([part.customer for part in judged])
    _, group = np.unique(number, return_inverse=True)
    return np.asarray(np.bincount(group, weights=losses) / np.bincount(group))


def _missing(material: Material) -> dict[str, str]:
    """Experts that cannot be made for use, whatever they were worth on back-tests, with the reason."""
    split, found = material.split, {}
    if too_little := lacking(material.past.sample(split.final, split.learn_days)):
        found = dict.fromkeys(LEARNED, f"trees and line: {too_little}")
    if not material.textbook_now.times:
        found[TEXTBOOK] = "BG/NBD did not fit"
    return found


def _blend(name: str, material: Material, training: Training) -> Blend:
    """A blend for use, levelled as of the date of the run."""
    split, past = material.split, material.past
    who = BLENDS[name]
    learned = material.learned(training.seed) if set(who) & set(LEARNED) else None
    history = history_days(material.as_of, material.first_order_on)
    experts = Experts(split.horizon_days, split.learn_days, learned, material.textbook_now, history)
    view = experts.view(past.features(material.as_of))
    season = season_at(past, material.as_of, split.horizon_days, training, material.first_order_on)
    blend = Blend.levelled(experts, who, view, season, slope=material.backtests.slopes.get(name, 1.0))
    by_odds, by_value = usual_answers(view)
    blend.usual_odds, blend.usual_value = dict(by_odds), dict(by_value)
    return blend


def _rule(target: Target, name: str, material: Material) -> Any:
    split, past = material.split, material.past
    if target is LTV:
        history = history_days(material.as_of, material.first_order_on)
        return value.rules(split.horizon_days, history, past.features(material.as_of))[name]
    sample = past.sample(split.final, split.learn_days)
    return churn.RecencyRule(split.horizon_days / split.learn_days).fit(sample.inputs, sample.churned)


def _interval(name: str, judged: Sequence[Judged]) -> tuple[Interval | None, float | None]:
    """The interval that all back-tests give, and the share of the newest one's outcomes that the older ones' would hold."""

    def of(tests: Sequence[Judged]) -> Interval | None:
        told = [(test.buys[name], test.value[name][:, 1], test.revenue) for test in tests]
        try:
            return Interval.fitted(*(np.concatenate(part) for part in zip(*told, strict=True)))
        except ValueError:
            return None

    older = of(judged[:-1]) if len(judged) > 1 else None
    newest = judged[-1]
    coverage = covered(newest.revenue, *older.bounds(newest.buys[name], newest.value[name][:, 1])) if older else None
    return of(judged), coverage


def _too_little(judged: Sequence[Judged], training: Training) -> str | None:
    if not judged:
        return "orders reach not back far enough for a back-test"
    rows = sum(len(test.bought) for test in judged)
    if rows < training.min_customers:
        return f"only {rows:,} rows to judge by, wanted {training.min_customers:,}"
    bought = int(sum(test.bought.sum() for test in judged))
    fewest = min(bought, rows - bought)
    if fewest < training.min_each_outcome:
        return f"only {fewest:,} rows to judge by have the rarer outcome, wanted {training.min_each_outcome:,}"
    return None
