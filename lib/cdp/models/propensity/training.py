"""From the gold tables to a model of one propensity, or to the reason why there is none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.base.settings import did_you_mean
from cdp.models.config import Training
from cdp.models.past import sampled
from cdp.models.propensity import frames
from cdp.models.propensity.answers import BASE_RATE, BLEND, SILENCE_RULE, PropensityModel
from cdp.models.propensity.check import ignored_features
from cdp.models.propensity.config import PropensityConfig
from cdp.models.propensity.contest import Outcome, contest, suspects
from cdp.models.propensity.encoding import as_numbers
from cdp.models.propensity.history import frequent_events, occurrences
from cdp.models.propensity.leaks import TELLS
from cdp.models.propensity.rows import Parts, Rows, folds_of, parts_by_customer, parts_in_time
from cdp.models.propensity.snapshot import attribute_keys, known_days
from cdp.models.propensity.windows import windows

_IN_WORDS = {BASE_RATE: "the base rate", SILENCE_RULE: "the rule by silence", BLEND: "trees and line"}


class NoModelError(Exception):
    """Nothing can be learned; the message says why."""


@dataclass(frozen=True)
class Material:
    """What a propensity is learned from.

    Attributes:
        rows: all of them.
        final: cut-offs to learn from for use.
        parts: back-tests, newest first.
        horizon_days: None for a state without a window.
        events, keys: what the frame is made of beside the usual.
        notes: what a person should know.
    """

    rows: Rows
    final: Sequence[date]
    parts: Sequence[Parts]
    horizon_days: int | None
    events: Sequence[str] = ()
    keys: Sequence[str] = ()
    notes: Sequence[str] = ()

    @property
    def is_of_time(self) -> bool:
        """Whether back-tests are of days of the past; else of other customers."""
        return len({part.judge.cutoff[0] for part in self.parts if len(part.judge)} | set(self.final)) > 1


@dataclass(frozen=True)
class Trained:
    """A model with its contest."""

    model: PropensityModel
    outcome: Outcome
    material: Material
    notes: Sequence[str]


def train_one(inputs: frames.Inputs, propensity: PropensityConfig, training: Training, *, as_of: date) -> Trained:
    """Learn a propensity.

    Args:
        inputs: of those who may be learned from.
        propensity: what is predicted.
        training: number and distance of cut-offs, number of back-tests, random state.
        as_of: the run's date.

    Raises:
        NoModelError: there is too little to learn from.
    """
    wanted = propensity.training
    material = gather(inputs, propensity, training, as_of=as_of)
    final = material.rows.of_days(material.final)
    if final.fewest < wanted.min_positives:
        raise NoModelError(
            f"of {len(final):,} rows only {final.fewest:,} have the rarer outcome, wanted min_positives {wanted.min_positives:,}"
        )
    ignored, notes = list(ignored_features(wanted.ignore_features, material.events)), list(material.notes)
    if material.horizon_days is None:
        out, told = suspects(final.table, final.happened, wanted.keep_features, ignored)
        ignored, notes = [*ignored, *out], [*notes, *told]
    outcome = contest(material.rows, final, material.parts, ignored, seed=training.seed)
    if outcome.auc is not None and outcome.auc > TELLS:
        notes.append(
            f"ROC AUC {outcome.auc:.3f} is more than people let one know: look for features that follow from the outcome"
        )
    features = tuple(str(name) for name in material.rows.table)
    model = PropensityModel(
        outcome.answer, features, tuple(material.events), tuple(material.keys), is_state=material.horizon_days is None
    )
    return Trained(model, outcome, material, [*notes, *outcome.notes])


def gather(inputs: frames.Inputs, propensity: PropensityConfig, training: Training, *, as_of: date) -> Material:
    """The rows on the driver, at most about `max_row_count` of them to learn from.

    Raises:
        NoModelError: there are none.
    """
    predict = propensity.training.predict
    if predict.is_of_time:
        return _of_events(inputs, propensity, training, as_of=as_of)
    if predict.kind == "trait":
        days = frames.days_of_history(inputs.history, as_of=as_of)
        most = training.cutoffs + training.backtests
        window = propensity.training.predict_window_days
        cutoffs = known_days(days, window_days=window, step_days=training.step_days, most=most)
        if cutoffs:
            return _of_traits(inputs, propensity, training, cutoffs, as_of=as_of)
    return _of_today(inputs, propensity, training, as_of=as_of)


def told(propensity: PropensityConfig, trained: Trained) -> str:
    """What a person wants to know: who was chosen, how good it is, and against what."""
    outcome, days = trained.outcome, trained.material.horizon_days
    within = "" if days is None else f" within {days} days"
    text = f"propensity {propensity.name} ({propensity.training.predict.subject}{within}): {_IN_WORDS[outcome.chosen]}"
    if outcome.auc is not None:
        text += f", ROC AUC {outcome.auc:.3f}"
    rules = [name for name in (BASE_RATE, SILENCE_RULE) if name in outcome.metrics]
    if not outcome.is_rule:
        text += "; beats " + " and ".join(
            f"{_IN_WORDS[name]} ({outcome.metrics[name]['roc_auc']:.3f})" for name in rules
        )
    else:
        text += ", a rule" + (", which nothing learned beat" if BLEND in outcome.metrics else "")
    return "; ".join([text, *trained.notes])


def example(table: pd.DataFrame) -> pd.DataFrame:
    """One row as the model takes it, of nobody: the median of each number."""
    found: dict[str, Any] = {}
    for name in table:
        numbers = as_numbers(table[name])
        middle = float("nan") if numbers is None else float(numbers.median()) if numbers.notna().any() else 0.0
        found[str(name)] = "-" if np.isnan(middle) else middle
    return pd.DataFrame([found])


def facts(trained: Trained, *, as_of: date) -> Mapping[str, Any]:
    """What MLflow keeps of the data that a training saw."""
    material, rows = trained.material, trained.material.rows
    final = rows.of_days(material.final)
    return {
        "as_of": str(as_of),
        "chosen": trained.outcome.chosen,
        "window_days": material.horizon_days,
        "rows": len(final),
        "positives": int(final.happened.sum()),
        "customers": len(np.unique(rows.customer)),
        "features": rows.table.shape[1],
        "learned_from": " ".join(str(day) for day in material.final),
        "judged_by": "days of the past" if material.is_of_time else "other customers",
    }


def _of_events(inputs: frames.Inputs, propensity: PropensityConfig, training: Training, *, as_of: date) -> Material:
    wanted = propensity.training
    predict, window = wanted.predict, wanted.predict_window_days
    happened = occurrences(predict, inputs.timeline, inputs.orders, inputs.lines, as_of=as_of)
    first = happened.agg(F.min("on").alias("first")).collect()[0]["first"]
    if first is None:
        known = frequent_events(inputs.timeline, until=as_of) if predict.event else []
        hint = next((did_you_mean(name, known) for name in predict.event if name not in known), "")
        raise NoModelError(f"{predict.subject} never happened by {as_of}{hint}")
    # Before the first of them nobody had one, which says nothing of people: perhaps it was not recorded.
    found = windows(
        window,
        earliest=first + timedelta(days=training.min_history_days),
        as_of=as_of,
        count=training.cutoffs,
        step_days=training.step_days,
        backtests=training.backtests,
    )
    if found is None:
        raise NoModelError(
            f"{predict.subject} begins on {first}: {window} days ahead, after {training.min_history_days} days of"
            f" history (training.min_history_days), do not end by {as_of}"
        )
    notes = [] if found.folds else [f"no back-test: {predict.subject} begins on {first}"]
    events = frequent_events(inputs.timeline, until=found.cutoffs[0])
    most = max(wanted.max_row_count // len(found.final), 1)
    if wanted.eligible_users is None:
        customers = inputs.timeline.select("customer_id").distinct().count()
        inputs = frames.some(inputs, customers=customers, most=most, seed=training.seed)
    rows, after = frames.of_events(inputs, propensity, events, found.cutoffs, as_of=as_of)
    if wanted.eligible_users is not None:
        # How many are eligible only the condition knows; what it does not ask for Spark does not compute to count them.
        rows = sampled(rows, customers=rows.count() // len(found.cutoffs), most=most, seed=training.seed)
    labelled = rows.join(after, on=["customer_id", "cutoff"], how="left").fillna(0.0, ["happened"])
    collected = Rows.of(_collected(labelled, propensity), frames.event_columns(events))
    parts = [part for part in parts_in_time(collected, found.folds) if len(part.judge) and len(part.learn)]
    return Material(collected, found.final, parts, window, events, notes=notes)


def _of_traits(
    inputs: frames.Inputs, propensity: PropensityConfig, training: Training, cutoffs: Sequence[date], *, as_of: date
) -> Material:
    window = propensity.training.predict_window_days
    rows = frames.of_traits(inputs, propensity, cutoffs, as_of=as_of)
    rows = sampled(rows, customers=rows.count(), most=propensity.training.max_row_count, seed=training.seed)
    collected = Rows.of(_collected(rows, propensity), frames.trait_columns(inputs.table))
    folds = folds_of(cutoffs, window, training.backtests)
    final = list(cutoffs)[: training.cutoffs]
    if folds:
        return Material(collected, final, parts_in_time(collected, folds), window)
    note = f"traits were kept too seldom for a back-test over {window} days: judged by other customers of the same days"
    return Material(collected, final, parts_by_customer(collected.of_days(final)), window, notes=[note])


def _of_today(inputs: frames.Inputs, propensity: PropensityConfig, training: Training, *, as_of: date) -> Material:
    keys = attribute_keys(inputs.profiles)
    rows = frames.of_today(inputs, propensity, keys, as_of=as_of)
    rows = sampled(rows, customers=rows.count(), most=propensity.training.max_row_count, seed=training.seed)
    collected = Rows.of(_collected(rows, propensity), frames.today_columns(inputs.table, keys))
    what = "gold.profiles has" if propensity.training.predict.kind == "profile" else "gold.traits_history knows"
    note = f"{what} no past of it: learned from who is in that state today, judged by other customers, not by time"
    return Material(collected, [as_of], parts_by_customer(collected), None, keys=keys, notes=[note])


def _collected(rows: DataFrame, propensity: PropensityConfig) -> pd.DataFrame:
    found = rows.toPandas()  # at most about `max_row_count` rows a set of cut-offs
    if found.empty:
        raise NoModelError("nobody is eligible" if propensity.training.eligible_users else "nobody is known")
    return found
