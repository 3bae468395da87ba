"""What is looked at and bought: products by taste and purse, with complements, and what it comes to."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from cdp.sample.buying import Persons
from cdp.sample.catalogue import CATEGORIES, PER_CATEGORY
from cdp.sample.chance import Array
from cdp.sample.places import COUNTRIES
from cdp.sample.world import World

ITEM = pa.struct(
    [
        ("product_id", pa.string()),
        ("name", pa.string()),
        ("category", pa.string()),
        ("brand", pa.string()),
        ("price", pa.float64()),
        ("quantity", pa.int32()),
    ]
)
_EXCHANGE = {c.code: c.exchange for c in COUNTRIES}
_TAX = {c.code: c.tax for c in COUNTRIES}
_MOST_ITEMS = 5


@dataclass(frozen=True)
class Baskets:
    """Items of each visit as one Arrow list, and the money of it if it were bought."""

    items: pa.ListArray
    count: Array
    subtotal: Array
    discount: Array
    shipping: Array
    tax: Array
    total: Array


def baskets(
    world: World, p: Persons, row: Array, key: Array, *, theme: Array, saving: Array, shipped: Array
) -> Baskets:
    """Fill a basket for each visit.

    Args:
        row: the visitor's place in the batch.
        key: the visit's own number, which seeds its draws.
        theme: the category a campaign is about, or -1.
        saving: share taken off by a coupon.
        shipped: whether it would be sent home (small online orders pay for that).
    """
    goods = world.catalogue
    count = 1 + np.minimum(
        np.floor(np.log(world.uniform("basket size", key)) / np.log(0.47)), _MOST_ITEMS - 1
    ).astype(int)
    visit = np.repeat(np.arange(len(row)), count)
    line = np.arange(len(visit)) - np.repeat(np.cumsum(count) - count, count)
    who, seed = row[visit], key[visit]
    u = world.uniform("category", seed, line)
    group = np.where(u < 0.58, p["main_category"][who], p["second_category"][who])
    group = np.where(
        u > 0.82, (world.uniform("any category", seed, line) * len(CATEGORIES)).astype(int), group
    )
    themed = (theme[visit] >= 0) & (line == 0) & (world.uniform("themed", seed) < 0.6)
    group = np.where(themed, theme[visit], group)
    # the well-off look at dearer things: products of a category stand by rising price
    rank = np.floor(world.uniform("product", seed, line) ** (1.5 / p["spend"][who]) * PER_CATEGORY).astype(
        int
    )
    product = group * PER_CATEGORY + rank
    follows = (line == 1) & (world.uniform("complement", seed) < 0.45)
    product[follows] = goods.partner[product[np.flatnonzero(follows) - 1]]
    quantity = 1 + (world.uniform("quantity", seed, line) < 0.12).astype(np.int32)
    country = p["country"][row]
    exchange = np.array([_EXCHANGE[c] for c in country]) if len(row) else np.empty(0)
    price = np.round(goods.price[product] * exchange[visit], 2)
    subtotal = np.round(np.bincount(visit, weights=price * quantity, minlength=len(row)), 2)
    discount = np.round(subtotal * saving, 2)
    shipping = np.where(shipped & (subtotal - discount < 60), np.round(4.95 * exchange, 2), 0.0)
    rate = np.array([_TAX[c] for c in country]) if len(row) else np.empty(0)
    abroad = country == "US"  # tax is added there, and part of the price elsewhere
    net = subtotal - discount
    tax = np.round(np.where(abroad, net * rate, net * rate / (1 + rate)), 2)
    items = pa.StructArray.from_arrays(
        [
            *(
                pa.array(values[product], pa.string())
                for values in (goods.sku, goods.name, goods.category, goods.brand)
            ),
            pa.array(price),
            pa.array(quantity, pa.int32()),
        ],
        fields=list(ITEM),
    )
    offsets = np.concatenate([[0], np.cumsum(count)]).astype(np.int32)
    return Baskets(
        pa.ListArray.from_arrays(pa.array(offsets), items), count, subtotal, discount, shipping, tax,
        np.round(net + shipping + np.where(abroad, tax, 0.0), 2),
    )  # fmt: skip
