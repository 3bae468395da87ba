"""What campaigns cause: mail sent, opened and clicked, visits, and orders that would not have been."""

from dataclasses import dataclass

import numpy as np

from cdp.sample.buying import Lives, Persons
from cdp.sample.catalogue import Campaign
from cdp.sample.chance import Array
from cdp.sample.people import NEVER, VISITOR
from cdp.sample.world import World

_TASTE = {"main": 1.5, "second": 1.1, "other": 0.8}


@dataclass(frozen=True)
class Responses:
    """Per person reached (or held out) by a campaign; `row` is the person's place in the batch."""

    row: Array
    campaign: Array
    day: Array
    sent: Array  # false: chosen, but held out
    opened: Array
    visits: Array
    orders: Array
    bounced: Array
    unsubscribes: Array
    effect: Array  # probability of an additional order for one who is sent the campaign


def respond(world: World, p: Persons, lives: Lives) -> Responses:
    """Campaign by campaign; what a person does depends on interest, attention and taste."""
    return _joined([_one(world, p, lives, campaign) for campaign in world.campaigns])


def _one(world: World, p: Persons, lives: Lives, c: Campaign) -> Responses:
    ids = p["person_id"]
    day = c.first_day + np.floor(world.uniform("reached on", ids, c.number) * c.days)
    if c.channel == "email":
        eligible = (p["subscribed_day"] < c.first_day) & (p["unsubscribed_day"] >= c.first_day)
    else:
        eligible = p["join_day"] <= day
        visitor = p["kind"] == VISITOR
        # an anonymous visitor comes by advertising around the day of joining only
        eligible &= ~visitor | (day - p["join_day"] < 60)
    row = np.flatnonzero(eligible & (world.uniform("chosen", ids, c.number) < c.reach))
    who, day = ids[row], day[row]
    interest = lives.interest(row, day)
    sent = world.uniform("holdout", who, c.number) >= c.holdout
    bounced = sent & (c.channel == "email") & (world.uniform("bounces", who, c.number) < 0.008)
    reads = p["attention"][row] * (0.3 + 0.7 * interest) if c.channel == "email" else np.ones(len(row))
    opened = sent & ~bounced & (world.uniform("opens", who, c.number) < reads)
    taste = np.where(
        p["main_category"][row] == c.category, _TASTE["main"],
        np.where(p["second_category"][row] == c.category, _TASTE["second"], _TASTE["other"]),
    )  # fmt: skip
    click = np.minimum(c.click * taste, 1.0) if c.channel == "email" else interest
    visits = opened & (world.uniform("clicks", who, c.number) < click)
    buyer = p["kind"][row] == "customer"
    convert = np.where(buyer, np.minimum(c.convert * taste * interest, 0.9), 0.0)
    orders = visits & (world.uniform("converts", who, c.number) < convert)
    leaving = sent & ~bounced & (p["unsubscribed_day"][row] < day + 21) & (c.channel == "email")
    return Responses(
        row,
        np.full(len(row), c.number),
        day,
        sent,
        opened,
        visits,
        orders,
        bounced,
        leaving,
        reads * click * convert,
    )


def _joined(parts: list[Responses]) -> Responses:
    names = Responses.__dataclass_fields__
    return Responses(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def first_order_days(p: Persons, orders_row: Array, orders_day: Array) -> Array:
    """The day of each person's first order of own accord, or never."""
    first = np.full(len(p["person_id"]), float(NEVER))
    np.minimum.at(first, orders_row, orders_day)
    return first
