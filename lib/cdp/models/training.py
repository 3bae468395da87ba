"""From orders and activity to the models of one training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from pyspark.sql import DataFrame

from cdp.models.activity import daily_activity, daily_orders
from cdp.models.config import ModelsConfig
from cdp.models.contest import Material, Outcome, Target, contest
from cdp.models.counts import OrderCounts, history_counts
from cdp.models.cutoffs import Split, all_cutoffs, split_time
from cdp.models.features import order_history
from cdp.models.learning import ByHorizon
from cdp.models.past import Past, past_rows, people_in, sampled, sampled_apart
from cdp.models.textbook import Textbook


@dataclass(frozen=True)
class Ground:
    """What a training starts from: every customer's history as counts, and the split of time.

    Attributes:
        counts: as of the date of the run.
        splits: by horizon; those that nothing can be learned for are left out.
        notes: what a person should know of it.
    """

    as_of: date
    first_order_on: date | None
    counts: OrderCounts
    splits: Sequence[Split]
    notes: Sequence[str]

    @property
    def customers(self) -> int:
        """Customers with an order."""
        return self.counts.customers(self.as_of)


def ground(orders: DataFrame, config: ModelsConfig, *, as_of: date) -> Ground:
    """Count the histories of all customers, and split the time that they cover.

    Args:
        orders: `gold.orders` of those who may be learned from.
    """
    counts = OrderCounts.collect(history_counts(order_history(daily_orders(orders, as_of=as_of), [as_of])))
    oldest_days = counts.oldest_days(as_of)
    if not oldest_days:
        return Ground(as_of, None, counts, (), (f"there is no order of a known customer by {as_of}",))
    first = as_of - timedelta(days=oldest_days - 1)
    splits, notes = [], []
    for horizon in config.horizons_days:
        split = split_time(horizon, first_order_on=first, as_of=as_of, training=config.training)
        if split is None:
            notes.append(f"{horizon} days ahead are left out: orders begin on {first}, too late to learn from")
            continue
        splits.append(split)
        if split.learn_days < horizon:
            notes.append(
                f"{horizon} days ahead are judged by {split.learn_days}: orders begin on {first}, and back-tests need"
                " three times as many days as they look ahead"
            )
    return Ground(as_of, first, counts, tuple(splits), tuple(notes))


def collect_past(inputs: Sequence[DataFrame], found: Ground, config: ModelsConfig) -> Past:
    """Customers as of every cut-off, on the driver: all of them, or as many as are set; and at most as many prospects.

    Args:
        inputs: `gold.orders`, `gold.order_lines` and `gold.timeline` of those who may be learned from.
    """
    assert found.first_order_on is not None
    training = config.training
    cutoffs = all_cutoffs(found.splits, first_order_on=found.first_order_on, as_of=found.as_of, training=training)
    most = min(training.max_customers, max(training.max_rows // len(cutoffs), 1))
    # Nobody knows how many prospects there were on each day: never more than there are people in all.
    people = people_in(inputs[0], inputs[2]) if config.prospects else found.customers
    # Whoever is needed as a customer or as a prospect is drawn at the greater of the two rates.
    fewest = min(found.customers, people)
    few = [sampled(rows, customers=fewest, most=most, seed=training.seed) for rows in inputs]
    days, order_days = daily_activity(*few, as_of=found.as_of), daily_orders(few[0], as_of=found.as_of)
    outcome_days = sorted({days for split in found.splits for days in (split.learn_days, split.horizon_days)})
    rows = past_rows(days, order_days, cutoffs, outcome_days, everybody=config.prospects)
    return Past.collect(sampled_apart(rows, customers=found.customers, people=people, most=most, seed=training.seed))


def materials(past: Past, found: Ground, config: ModelsConfig) -> list[Material]:
    """The back-tests of each horizon, run."""
    assert found.first_order_on is not None
    times, spend = _textbook(found.counts, found.as_of)
    usual = past.textbook(found.as_of).usual_value
    now = Textbook.of(times, spend, usual)
    return [
        Material.of(split, past, now, config.training, as_of=found.as_of, first_order_on=found.first_order_on)
        for split in found.splits
    ]


def hold(target: Target, held_on: Sequence[Material], config: ModelsConfig) -> tuple[ByHorizon, list[Outcome]]:
    """A contest for each horizon; the winners as one model."""
    held = [contest(target, material, config.training) for material in held_on]
    return ByHorizon([o.horizon_days for o in held], [o.model for o in held]), held


def told(outcome: Outcome) -> str:
    """What a person wants to know of a contest: who was chosen, how good it is, and against what."""
    target, chosen = outcome.target, outcome.chosen
    figure, name = target.headline
    found = outcome.metrics.get(chosen)
    text = f"{target.name}, {outcome.horizon_days} days: {chosen}"
    if found:
        text += f", {name} {found[figure]:.3f}"
        if "total_bias" in found:
            text += f", total {found['total_bias']:+.0%}"
    if outcome.is_baseline:
        text += "; a rule" + (", which no candidate beat" if found else "")
    else:
        rules = [rule for rule in target.baselines if rule in outcome.metrics]
        # They are compared by loss: the figure told of each may say otherwise where there is little to judge by.
        text += "; ahead by loss of " + ", ".join(f"{rule} ({outcome.metrics[rule][figure]:.3f})" for rule in rules)
    return text + "".join(f"; {why}" for why in outcome.why)


def _textbook(counts: OrderCounts, as_of: date) -> tuple[Any, Any]:
    """BG/NBD and Gamma-Gamma of all customers, each None where it does not fit."""
    found: list[Any] = []
    for fit in (counts.fit_times, counts.fit_spend):
        try:
            found.append(fit(as_of))
        except ValueError:
            found.append(None)
    return found[0], found[1]


def facts(found: Ground, past: Past, versions: Mapping[str, int]) -> dict[str, Any]:
    """What MLflow keeps of the data that a training saw."""
    return {
        "as_of": str(found.as_of),
        "first_order_on": str(found.first_order_on),
        "customers": found.customers,
        "customers_sampled": past.customers,
        **{f"version_of_{name}": number for name, number in versions.items()},
    }
