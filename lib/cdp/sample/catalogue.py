"""What the retailer sells, where, and the campaigns it runs: small lists, made on the driver from the seed."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from cdp.sample.chance import Array, uniform
from cdp.sample.places import COUNTRIES

CATEGORIES = ("Women", "Men", "Shoes", "Kids", "Home", "Beauty", "Sports", "Electronics")
PER_CATEGORY = 30
_PRICE_SPAN = ((15, 120), (15, 130), (25, 160), (8, 60), (6, 180), (5, 70), (10, 200), (12, 450))
_THINGS = (
    ("Dress", "Blouse", "Skirt", "Cardigan", "Coat", "Jeans"),
    ("Shirt", "Trousers", "Jacket", "Polo", "Jumper", "Belt"),
    ("Trainers", "Boots", "Sandals", "Loafers", "Pumps", "Slippers"),
    ("Playsuit", "T-shirt", "Puzzle", "Raincoat", "Pyjamas", "Backpack"),
    ("Cushion", "Lamp", "Throw", "Vase", "Mug set", "Bed linen"),
    ("Serum", "Lipstick", "Shampoo", "Perfume", "Hand cream", "Mask"),
    ("Yoga mat", "Leggings", "Dumbbells", "Water bottle", "Tent", "Cycling helmet"),
    ("Headphones", "Speaker", "Charger", "Smart watch", "Camera", "Keyboard"),
)
_BRANDS = ("Alba", "Norden", "Maison Lune", "Calder & Co", "Tramuntana", "Brightwell", "Fjell", "Petit Pas")
_STYLES = ("Classic", "Essential", "Studio", "Premium", "Signature")


@dataclass(frozen=True)
class Catalogue:
    """Products as parallel arrays, by category and rising price; `partner` is what is bought along with one."""

    sku: Array
    name: Array
    category: Array
    brand: Array
    price: Array  # euro
    cost: Array
    in_stock: Array
    partner: Array


def catalogue(seed: int) -> Catalogue:
    """240 products in eight categories."""
    count = len(CATEGORIES) * PER_CATEGORY
    ids = np.arange(count)
    group, rank = ids // PER_CATEGORY, ids % PER_CATEGORY
    low, high = np.array(_PRICE_SPAN, dtype=float)[group].T
    price = np.floor(low * (high / low) ** (rank / (PER_CATEGORY - 1))) + 0.99
    thing = [_THINGS[g][int(t)] for g, t in zip(group, uniform(seed, "thing", ids) * 6, strict=True)]
    brand = [_BRANDS[int(b)] for b in uniform(seed, "brand", ids) * len(_BRANDS)]
    style = [_STYLES[r // 6] for r in rank]
    other = (group + 1 + (uniform(seed, "partner group", ids) * 3).astype(int)) % len(CATEGORIES)
    partner = other * PER_CATEGORY + (uniform(seed, "partner", ids) * PER_CATEGORY).astype(int)
    return Catalogue(
        sku=np.array(
            [f"{CATEGORIES[g][:3].upper()}-{10_000 + 37 * i}" for i, g in zip(ids, group, strict=True)],
            dtype=object,
        ),
        name=np.array([f"{b} {s} {t}" for b, s, t in zip(brand, style, thing, strict=True)], dtype=object),
        category=np.array(CATEGORIES, dtype=object)[group],
        brand=np.array(brand, dtype=object),
        price=price,
        cost=np.round(price * (0.35 + 0.3 * uniform(seed, "cost", ids)), 2),
        in_stock=uniform(seed, "stock", ids) > 0.06,
        partner=partner,
    )


def stores() -> tuple[tuple[str, ...], ...]:
    """For each country, the store of each of its cities (a city without one uses its neighbour's)."""
    return tuple(tuple(f"{c.code}{1 + i // 2:02d}" for i in range(len(c.cities))) for c in COUNTRIES)


@dataclass(frozen=True)
class Campaign:
    """One campaign. Only persons it reaches can be moved by it; `holdout` of the chosen are not sent anything."""

    number: int
    name: str
    channel: str  # email | paid_search | paid_social | display | affiliate
    source: str
    medium: str
    first_day: int  # days after the start of history
    days: int
    category: int
    reach: float  # share of the eligible who are chosen
    holdout: float
    click: float  # probability of a visit, for one reached and (mail) opened
    convert: float  # probability that such a visit ends in an order that would not have been
    daily_cost: float  # euro per 1,000 persons of the retailer


_ADS = (
    ("paid_search", "google", "cpc", 0.024, 0.10, 6.0),
    ("paid_social", "facebook", "paid_social", 0.030, 0.05, 4.0),
    ("display", "criteo", "display", 0.016, 0.02, 2.5),
    ("affiliate", "awin", "affiliate", 0.010, 0.12, 1.5),
)
_MAIL_THEMES = ("News", "Sale", "New In", "Last Chance", "Loyalty Week")
_EVERY_DAYS = 21
_AD_DAYS = 28


def campaigns(seed: int, start: date, days: int) -> tuple[Campaign, ...]:
    """A newsletter every three weeks, and four kinds of advertising in runs of four weeks."""
    found: list[Campaign] = []
    for run in range(days // _EVERY_DAYS):
        day = 4 + run * _EVERY_DAYS
        u = uniform(seed, "mail", np.array([run]), np.arange(4))
        theme = _MAIL_THEMES[int(u[0] * len(_MAIL_THEMES))]
        group = int(u[1] * len(CATEGORIES))
        name = f"email_{start + timedelta(days=day):%Y%m%d}_{theme.lower().replace(' ', '_')}_{CATEGORIES[group].lower()}"
        found.append(
            Campaign(len(found), name, "email", "newsletter", "email", day, 1, group, 0.40, 0.2,
                     0.14 + 0.14 * float(u[2]), 0.15 + 0.35 * float(u[3]), 1.2)
        )  # fmt: skip
    for run in range(days // _AD_DAYS):
        for kind, (channel, source, medium, reach, convert, cost) in enumerate(_ADS):
            u = uniform(seed, "ad", np.array([run]), kind * 4 + np.arange(4))
            day, group = run * _AD_DAYS, int(u[0] * len(CATEGORIES))
            name = f"{channel}_{start + timedelta(days=day):%Y%m%d}_{CATEGORIES[group].lower()}"
            found.append(
                Campaign(len(found), name, channel, source, medium, day, _AD_DAYS, group,
                         reach * (0.6 + 0.8 * float(u[1])), 0.0, 1.0, convert * (0.5 + float(u[2])),
                         cost * (0.7 + 0.6 * float(u[3])))
            )  # fmt: skip
    return tuple(found)
