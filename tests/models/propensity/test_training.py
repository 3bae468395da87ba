"""Traits that take a value within the window, learned from the days on which they were kept."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from cdp.models.config import Training
from cdp.models.propensity import frames
from cdp.models.propensity.answers import BLEND
from cdp.models.propensity.config import PropensityConfig
from cdp.models.propensity.scoring import scores
from cdp.models.propensity.training import NoModelError, gather, train_one
from cdp.tables.gold import (
    CUSTOMER_ORDER_LINES,
    CUSTOMER_ORDERS,
    PROFILES,
    TIMELINE,
    TRAITS,
    TRAITS_HISTORY,
)
from tests.models.propensity.conftest import AS_OF

STEPS = 4
DAYS = [AS_OF - timedelta(days=30 * i) for i in reversed(range(STEPS))]


def leaves(name="lost_soon", **training):
    asked = {"predict": {"trait": "rfm_segment", "becomes": "Lost"}, "min_positives": 10, **training}
    return PropensityConfig.model_validate({"name": name, "training": asked})


def kept_traits(customers=300, seed=2):
    """Whoever has open tickets on one day is mostly lost on the next; who is lost stays so."""
    rng = np.random.default_rng(seed)
    tickets = rng.poisson(0.6, (STEPS, customers))
    lost = np.zeros((STEPS, customers), dtype=bool)
    for step in range(1, STEPS):
        lost[step] = lost[step - 1] | (rng.random(customers) < np.where(tickets[step - 1] > 0, 0.5, 0.02))
    return [
        {
            "customer_id": f"person{number:03d}",
            "as_of": DAYS[step],
            "open_tickets": int(tickets[step, number]),
            "rfm_segment": "Lost" if lost[step, number] else "Loyal",
        }
        for step in range(STEPS)
        for number in range(customers)
    ]


@pytest.fixture(scope="module")
def inputs(fill):
    rows = kept_traits()
    today = [row for row in rows if row["as_of"] == AS_OF]
    empty = [fill(table) for table in (CUSTOMER_ORDERS, CUSTOMER_ORDER_LINES, TIMELINE)]
    profiles = fill(PROFILES, *[{"customer_id": row["customer_id"]} for row in today])
    return frames.Inputs(*empty, profiles, fill(TRAITS, *today), fill(TRAITS_HISTORY, *rows), TRAITS)


def test_a_trait_is_learned_from_its_past_and_judged_in_time(inputs):
    trained = train_one(inputs, leaves(), Training(), as_of=AS_OF)
    assert trained.material.is_of_time and trained.material.horizon_days == 30
    assert trained.material.final == DAYS[:-1][::-1]
    assert trained.outcome.chosen == BLEND and trained.outcome.auc > 0.75
    rows = frames.traits_of_today(inputs, leaves(), as_of=AS_OF).join(
        frames.not_there_yet(inputs, leaves(), as_of=AS_OF), on="customer_id", how="inner"
    )
    found = scores(rows, trained.model, frames.trait_columns(TRAITS), with_reasons=True).toPandas()
    today = {row["customer_id"]: row for row in kept_traits() if row["as_of"] == AS_OF}
    assert set(found["customer_id"]) == {who for who, row in today.items() if row["rfm_segment"] != "Lost"}
    has_tickets = np.array([today[who]["open_tickets"] > 0 for who in found["customer_id"]])
    assert found["score"][has_tickets].min() > found["score"][~has_tickets].max()
    assert {reasons[0]["reason"] for reasons in found["reasons"]} == {"open_tickets"}


def test_days_after_the_run_and_people_who_are_not_eligible_count_nowhere(inputs):
    early = gather(inputs, leaves(), Training(), as_of=DAYS[-2])
    assert set(early.rows.cutoff) == set(DAYS[:2])
    few = {"type": "Column", "column": "traits.open_tickets", "operator": {"type": "Equal", "value": 0}}
    found = gather(inputs, leaves(eligible_users=few), Training(), as_of=AS_OF)
    place = next(name for name in found.rows.table if name == "open_tickets")
    assert (found.rows.table[place] == 0).all() and 0 < len(found.rows) < len(
        gather(inputs, leaves(), Training(), as_of=AS_OF).rows
    )


def test_without_a_past_a_trait_is_learned_from_today_alone(inputs):
    today = replace(inputs, history=inputs.history.where(inputs.history.as_of == AS_OF))
    found = gather(today, leaves(), Training(), as_of=AS_OF)
    assert found.horizon_days is None and not found.is_of_time
    assert "rfm_segment" not in found.rows.table, "the answer is no feature of itself"
    assert "knows no past of it" in found.notes[0]
    nobody = {"type": "Column", "column": "profile.country", "operator": {"type": "Equal", "value": "XX"}}
    with pytest.raises(NoModelError, match="nobody is eligible"):
        gather(today, leaves(eligible_users=nobody), Training(), as_of=AS_OF)
