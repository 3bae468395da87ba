"""When persons buy, and when they stop: a beta-geometric / gamma-Poisson process with seasons and bad service.

The process follows Fader, Hardie and Lee (2005), Marketing Science 24(2), 275-284: purchases come at a personal
rate, and after each of them the person may decide to leave. Two things are added so that models have more to find:
the year has seasons, and an order that ends in an unsolved complaint makes leaving more likely. Who has decided to
leave looks around less and less until the day of dropping out, and then hardly at all.
"""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from cdp.sample.chance import Array
from cdp.sample.people import CUSTOMER, NEVER
from cdp.sample.world import World

BAD_SERVICE_LEAVES = 0.45
"""Added probability of leaving after an order with a bad ticket."""
_TICKET = 0.08
_BAD_TICKET = 0.4
_MONTHS = (1.05, 0.80, 0.90, 0.92, 0.98, 1.00, 0.88, 0.78, 0.95, 1.02, 1.35, 1.75)
_WEEKDAYS = (0.85, 0.88, 0.92, 0.98, 1.10, 1.30, 0.97)
_MOST_ORDERS = 1_900

Persons = dict[str, Array]


@dataclass(frozen=True)
class Orders:
    """Orders of own accord: the person's row in the batch, the person's n-th draw, the day (with fraction)."""

    row: Array
    nth: Array
    day: Array


@dataclass(frozen=True)
class Lives:
    """Per person of the batch: the day of the decision to leave and of the end of all activity."""

    leaves: Array
    gone: Array

    def interest(self, row: Array, day: Array) -> Array:
        """Share of the usual attention: 1, then falling to a tenth between decision and end, 0.03 after."""
        leaves, gone = self.leaves[row], self.gone[row]
        falling = 1 - 0.9 * np.clip((day - leaves) / np.maximum(gone - leaves, 1.0), 0, 1)
        return np.where(day < leaves, 1.0, np.where(day < gone, falling, 0.03))


def seasons(world: World) -> Array:
    """Demand of each day relative to an ordinary one: months, week days, Black Friday week, Christmas days off."""
    values = []
    for number in range(world.horizon + 1):
        day = world.start + timedelta(days=number)
        value = _MONTHS[day.month - 1] * _WEEKDAYS[day.weekday()]
        if day.month == 11 and 23 <= day.day <= 29:
            value *= 1.4
        if (day.month, day.day) in ((12, 25), (12, 26), (1, 1)):
            value *= 0.3
        values.append(value)
    return np.array(values)


def ticket_after(world: World, ids: Array, nth: Array) -> tuple[Array, Array]:
    """Whether an order leads to a service ticket, and to a badly solved one."""
    ticket = world.uniform("ticket", ids, nth) < _TICKET
    return ticket, ticket & (world.uniform("bad ticket", ids, nth) < _BAD_TICKET)


def arrivals(
    world: World,
    purpose: str,
    ids: Array,
    since: Array,
    per_year: Array,
    season: Array,
    limit: int,
    sure: Array,
) -> tuple[Array, Array, Array]:
    """A Poisson process thinned by season: (row, nth, day) of each arrival from `since` to the horizon.

    Where `sure`, the first one is at `since` itself.
    """
    highest = float(season.max())
    row = np.flatnonzero(per_year > 0)
    day = np.maximum(since[row], 0).astype(float)
    rows, nths, days = [], [], []
    for nth in range(limit):
        at_once = sure[row] & (nth == 0)
        gap = -np.log(world.uniform(purpose, ids[row], nth)) * 365 / (per_year[row] * highest)
        day = day + np.where(at_once, 0, gap)
        inside = day < world.horizon
        row, day, at_once = row[inside], day[inside], at_once[inside]
        if not len(row):
            break
        accepted = at_once | (
            world.uniform(purpose + " season", ids[row], nth) * highest < season[day.astype(int)]
        )
        rows.append(row[accepted])
        nths.append(np.full(int(accepted.sum()), nth))
        days.append(day[accepted])
    if not rows:
        return (np.empty(0, dtype=int),) * 2 + (np.empty(0),)
    return np.concatenate(rows), np.concatenate(nths), np.concatenate(days)


def buy(world: World, p: Persons, season: Array) -> tuple[Orders, Lives]:
    """All orders of own accord to the horizon. Who joins within the history buys on that very day."""
    ids = p["person_id"]
    row = np.flatnonzero(p["kind"] == CUSTOMER)
    day = np.maximum(p["join_day"][row], 0).astype(float)
    leaves = np.full(len(ids), float(NEVER))
    highest = float(season.max())
    rows, nths, days = [], [], []
    for nth in range(_MOST_ORDERS):
        joins = (p["join_day"][row] > 0) & (nth == 0)
        gap = -np.log(world.uniform("purchase", ids[row], nth)) * 365 / (p["orders_per_year"][row] * highest)
        day = day + np.where(joins, 0, gap)
        inside = day < world.horizon
        row, day = row[inside], day[inside]
        if not len(row):
            break
        who = ids[row]
        accepted = (world.uniform("purchase season", who, nth) * highest < season[day.astype(int)]) | joins[
            inside
        ]
        rows.append(row[accepted])
        nths.append(np.full(int(accepted.sum()), nth))
        days.append(day[accepted])
        bad = ticket_after(world, who, np.full(len(who), nth))[1]
        chance = p["drop_chance"][row] + BAD_SERVICE_LEAVES * bad
        drops = accepted & (world.uniform("leaves", who, nth) < chance)
        leaves[row[drops]] = day[drops]
        row, day = row[~drops], day[~drops]
    gone = np.where(leaves < NEVER, leaves + 20 - np.log(world.uniform("gone", ids)) * 50, float(NEVER))
    orders = Orders(np.concatenate(rows), np.concatenate(nths), np.concatenate(days)) if rows else Orders(
        np.empty(0, dtype=int), np.empty(0, dtype=int), np.empty(0)
    )  # fmt: skip
    return orders, Lives(leaves, gone)
