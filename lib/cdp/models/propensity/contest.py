"""Whether what was learned beats the rules on back-tests, and the winner, made anew for use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cdp.models.blend import slope_of
from cdp.models.contest import is_better
from cdp.models.likelihood import Floats
from cdp.models.metrics import churn_metrics, roc_auc, shape_log_losses
from cdp.models.propensity.answers import BASE_RATE, BLEND, SILENCE_RULE, BaseRate, Blend, SilenceRule
from cdp.models.propensity.history import SILENCE
from cdp.models.propensity.leaks import TELLS, leaking_features
from cdp.models.propensity.rows import Parts, Rows

_LEAST_OUTCOMES = 10


@dataclass(frozen=True)
class Told:
    """What everybody said on one back-test.

    Attributes:
        judge: its rows.
        answers: by candidate the probabilities.
    """

    judge: Rows
    answers: Mapping[str, Floats]


@dataclass(frozen=True)
class Outcome:
    """Who won, and how everybody did.

    Attributes:
        chosen: name of the winner.
        answer: the winner, made anew from all rows.
        metrics: by candidate, over all back-tests.
        told: the back-tests, newest first.
        notes: what a person should know.
    """

    chosen: str
    answer: BaseRate | SilenceRule | Blend
    metrics: Mapping[str, Mapping[str, float]]
    told: Sequence[Told]
    notes: Sequence[str] = field(default=())

    @property
    def is_rule(self) -> bool:
        """Whether nothing was learned that beats the rules."""
        return self.chosen != BLEND

    @property
    def auc(self) -> float | None:
        """Of the winner on the back-tests."""
        found = self.metrics[self.chosen]["roc_auc"] if self.metrics else float("nan")
        return None if np.isnan(found) else found


def contest(rows: Rows, final: Rows, parts: Sequence[Parts], ignored: Sequence[str], *, seed: int) -> Outcome:
    """Hold the contest.

    Args:
        rows: all of them.
        final: the rows to learn from for use.
        parts: the back-tests, newest first.
        ignored: features to leave out.
        seed: random state.
    """
    heard: list[tuple[Floats, Floats]] = []
    told: list[Told] = []
    notes: list[str] = []
    for part in reversed(parts):
        # What a back-test is calibrated by are the older ones, as in use it will be by all of them.
        answers = _rules(part.learn)
        said = {name: rule.predict(part.judge.table) for name, rule in answers.items()}
        blend, why = _blend(part.learn, ignored, slope_of(heard), seed)
        if blend is not None:
            heard.append((blend.mean_odds(part.judge.table), part.judge.happened))
            said[BLEND] = blend.predict(part.judge.table)
        elif why not in notes:
            notes.append(why)
        told.append(Told(part.judge, said))
    told.reverse()
    usable = [t for t in told if 0 < t.judge.happened.sum() < len(t.judge)]
    # A back-test of days with too little to learn from says nothing of what is learned from more.
    usable = [t for t in usable if BLEND in t.answers] or usable
    chosen = _chosen(usable)
    answer: BaseRate | SilenceRule | Blend | None = _rules(final).get(chosen)
    if answer is None:
        answer, why = _blend(final, ignored, slope_of(heard), seed)
        if answer is None:
            chosen = BASE_RATE
            answer = _rules(final)[chosen]
            notes.append(why)
    return Outcome(chosen, answer, _metrics(usable), told, notes)


def suspects(
    table: pd.DataFrame, happened: Floats, kept: Sequence[str], ignored: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Features that alone tell nearly everything: those to leave out, and a note on each.

    Args:
        table: features of a snapshot.
        happened: the outcome.
        kept: features that stay all the same.
        ignored: features that are left out anyway.
    """
    judged = table[[name for name in table if name not in set(ignored)]]
    out, notes = [], []
    for name, auc in leaking_features(judged, happened).items():
        if name in kept:
            notes.append(f"{name} alone tells nearly everything (ROC AUC {auc:.3f}) and stays, as keep_features says")
        else:
            out.append(name)
            notes.append(
                f"{name} is left out: alone it has ROC AUC {auc:.3f}, above {TELLS:g}, so it follows from the outcome"
                " (keep_features keeps it)"
            )
    return out, notes


def log_loss_by_customer(told: Sequence[Told], name: str) -> Floats:
    """Each customer's mean log-loss over back-tests, the level apart: one person in several is no further evidence."""
    losses = np.concatenate([shape_log_losses(t.judge.happened, t.answers[name]) for t in told])
    _, group = np.unique(np.concatenate([t.judge.customer for t in told]), return_inverse=True)
    return np.asarray(np.bincount(group, weights=losses) / np.bincount(group))


def _chosen(told: Sequence[Told]) -> str:
    if not told:
        return BASE_RATE
    names = _everywhere(told)
    losses = {name: log_loss_by_customer(told, name) for name in names}
    rules = [name for name in names if name != BLEND]
    if BLEND in names and all(is_better(losses[rule] - losses[BLEND]) for rule in rules):
        return BLEND
    best = min(rules, key=lambda rule: float(losses[rule].mean()))
    # A rule that sorts people, but no better than chance does, is taken for none.
    return best if best == BASE_RATE or is_better(losses[BASE_RATE] - losses[best]) else BASE_RATE


def _everywhere(told: Sequence[Told]) -> list[str]:
    return [name for name in (BASE_RATE, SILENCE_RULE, BLEND) if all(name in t.answers for t in told)]


def _metrics(told: Sequence[Told]) -> dict[str, dict[str, float]]:
    if not told:
        return {}
    happened = np.concatenate([t.judge.happened for t in told])
    found = {}
    for name in _everywhere(told):
        found[name] = dict(churn_metrics(happened, np.concatenate([t.answers[name] for t in told])))
        # Who comes before whom is asked of the people of one back-test: levels differ from one to the next.
        found[name]["roc_auc"] = float(np.mean([roc_auc(t.judge.happened, t.answers[name]) for t in told]))
    return found


def _rules(rows: Rows) -> dict[str, BaseRate | SilenceRule]:
    found: dict[str, BaseRate | SilenceRule] = {BASE_RATE: BaseRate().fit(rows.table, rows.happened)}
    if SILENCE in rows.table:
        found[SILENCE_RULE] = SilenceRule().fit(rows.table, rows.happened)
    return found


def _blend(rows: Rows, ignored: Sequence[str], slope: float, seed: int) -> tuple[Blend | None, str]:
    if rows.fewest < _LEAST_OUTCOMES:
        return None, f"trees and line: only {rows.fewest} rows of a back-test have the rarer outcome"
    try:
        return Blend(slope, seed).fit(rows.table, rows.happened, tuple(ignored)), ""
    except ValueError as error:
        return None, f"trees and line: {error}"
