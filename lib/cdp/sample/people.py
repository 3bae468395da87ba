"""The people frame: one row a person, with all that later steps need, made in Spark batch by batch."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from scipy.special import betaincinv, gammaincinv

from cdp.sample import persons
from cdp.sample.catalogue import CATEGORIES
from cdp.sample.chance import Array, only, scrambled
from cdp.sample.homes import Homes, homes
from cdp.sample.names import SCRIPTS
from cdp.sample.places import COUNTRIES
from cdp.sample.world import World

CUSTOMER, PROSPECT, VISITOR = "customer", "prospect", "visitor"
NEVER = 1 << 20
"""A day that does not come."""

_FIELDS: dict[str, pa.DataType] = {
    **dict.fromkeys(("person_id", "household_id"), pa.int64()),
    **dict.fromkeys(
        (
            "kind", "home_kind", "country", "language", "currency", "gender", "given_name", "family_name",
            "former_family_name", "name_suffix", "nickname", "native_name", "street", "street_2", "city", "region",
            "postal_code", "old_street", "old_street_2", "old_city", "old_region", "old_postal_code", "email",
            "email_2", "phone", "calling_code", "trunk", "anonymous_id", "device_id", "shop_id", "card_no", "handle",
            "platform", "home_store",
        ),
        pa.string(),
    ),
    **dict.fromkeys(
        (
            "birth_days", "married_day", "moved_day", "join_day", "subscribed_day", "unsubscribed_day",
            "main_category", "second_category",
        ),
        pa.int32(),
    ),
    **dict.fromkeys(
        (
            "in_crm", "in_shop", "in_loyalty", "in_mail", "in_social", "in_partner", "wants_ads", "is_namesake",
            "is_twin", "shares_email", "shares_device", "has_recycled_phone",
        ),
        pa.bool_(),
    ),
    **dict.fromkeys(("orders_per_year", "drop_chance", "spend", "store_share", "app_share", "attention", "login"), pa.float64()),
}  # fmt: skip
SCHEMA = pa.schema(list(_FIELDS.items()))
DDL = ", ".join(
    f"{name} {({'int64': 'bigint', 'int32': 'int', 'bool': 'boolean'}).get(str(t), str(t))}"
    for name, t in _FIELDS.items()
)


def people(spark: SparkSession, world: World) -> DataFrame:
    """Everybody, newcomers of the year after `as_of` included."""

    def batches(frames: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for frame in frames:
            yield people_batch(world, frame.column(0).to_numpy())

    partitions = max(spark.sparkContext.defaultParallelism, world.everybody // 50_000)
    return spark.range(0, world.everybody, 1, partitions).mapInArrow(batches, DDL)


def people_batch(world: World, ids: Array) -> pa.RecordBatch:
    """The rows of some persons; a person's row depends on nothing but the person's number and the world."""
    h = homes(world, ids)
    columns = {
        **_who(world, ids, h),
        **_where(world, ids, h),
        **_behaviour(world, ids),
    }
    columns |= _presence(world, ids, columns)
    columns |= _contact(world, ids, h, columns)
    return pa.RecordBatch.from_arrays(
        [pa.array(columns[name], type=t, from_pandas=True) for name, t in _FIELDS.items()], schema=SCHEMA
    )


def _of_country(attribute: str, country: Array) -> Array:
    return np.array([getattr(c, attribute) for c in COUNTRIES], dtype=object)[country]


def _who(world: World, ids: Array, h: Homes) -> persons.Columns:
    woman = persons.gender_of(world, ids, h)
    home_kind = np.select(
        [h.size == 1, h.namesake, h.twins, h.flatmates],
        ["single", "namesake", "twins", "flatmates"],
        "family",
    )
    language = np.where(
        h.script >= 0, np.array(SCRIPTS, dtype=object)[h.script], _of_country("language", h.country)
    )
    return {
        "person_id": ids,
        "household_id": h.home,
        "home_kind": home_kind.astype(object),
        "country": _of_country("code", h.country),
        "language": language,
        "currency": _of_country("currency", h.country),
        "calling_code": _of_country("calling_code", h.country),
        "trunk": _of_country("trunk", h.country),
        "gender": np.where(woman, "F", "M").astype(object),
        "birth_days": persons.born_on(world, ids, h),
        **persons.named(world, ids, h, woman),
    }


def _where(world: World, ids: Array, h: Homes) -> persons.Columns:
    """Where a person lives; who moved has an own old or new address, decided by who moved out of the home."""
    moves = world.uniform("moves", ids) < world.mess.move
    home, other = (persons.address(world, key, h.country) for key in (h.home * 2, ids * 2 + 1))
    store = (world.uniform("home store", h.home) * 5).astype(int) + 1
    return {
        **home,
        **{f"old_{name}": np.where(moves, other[name], home[name]) for name in home},
        "moved_day": np.where(
            moves, (world.uniform("moving day", ids) * (world.horizon + 400) - 400), -NEVER
        ).astype(int),
        "home_store": np.array(
            [f"{c}{s:02d}" for c, s in zip(_of_country("code", h.country), store, strict=True)], dtype=object
        ),
    }


def _behaviour(world: World, ids: Array) -> persons.Columns:
    """Rates that differ by person: gamma buying, beta dropping out, gamma spending, and tastes."""
    u = {
        p: world.uniform(p, ids)
        for p in ("kind", "join", "rate", "drop", "spend", "store", "app", "attention", "c1", "c2")
    }
    kind = np.where(u["kind"] < 0.66, CUSTOMER, np.where(u["kind"] < 0.87, PROSPECT, VISITOR)).astype(object)
    newcomer = ids >= world.settings.persons
    span = np.where(u["join"] < 0.5, -900 * (1 - 2 * u["join"]), world.today * (2 * u["join"] - 1))
    span = np.where(
        kind == VISITOR, np.abs(span) % world.today, span
    )  # a stranger's visits are all within the history
    join = np.where(newcomer, world.today + 1 + u["join"] * (world.horizon - world.today - 1), np.floor(span))
    taste = (u["c1"] * len(CATEGORIES)).astype(int)
    return {
        "kind": kind,
        "join_day": join.astype(int),
        "orders_per_year": np.maximum(gammaincinv(1.2, u["rate"]) * 1.9 / 1.2, 0.05),
        "drop_chance": betaincinv(0.9, 5.5, u["drop"]),
        "spend": np.clip(gammaincinv(4.0, u["spend"]) / 4.0, 0.25, 3.5),
        "store_share": betaincinv(0.55, 0.75, u["store"]),
        "app_share": np.where(u["app"] < 0.3, 0.75, 0.0),
        "attention": betaincinv(2.0, 3.0, u["attention"]),
        "login": np.where(kind == VISITOR, 0.0, 0.35),
        "main_category": taste,
        "second_category": (taste + 1 + (u["c2"] * 3).astype(int)) % len(CATEGORIES),
    }


_PRESENCE = (  # share of customers and of prospects in a system
    ("in_crm", 0.35, 0.45),
    ("in_shop", 0.80, 0.15),
    ("in_loyalty", 0.50, 0.04),
    ("in_mail", 0.48, 0.42),
    ("in_social", 0.10, 0.25),
    ("in_partner", 0.08, 0.22),
)


def _presence(world: World, ids: Array, c: persons.Columns) -> persons.Columns:
    """Which systems know a person. A visitor is in none, a prospect in one at least."""
    customer, prospect = c["kind"] == CUSTOMER, c["kind"] == PROSPECT
    found = {
        name: world.uniform(name, ids) < np.where(customer, buys, np.where(prospect, looks, 0.0))
        for name, buys, looks in _PRESENCE
    }
    found["in_shop"] &= (c["store_share"] < 0.9) | prospect
    found["in_mail"] |= prospect & ~np.any(list(found.values()), axis=0)
    subscribed = np.where(
        found["in_mail"], c["join_day"] + (world.uniform("subscribes", ids) * 60).astype(int), NEVER
    )
    leaves = world.uniform("unsubscribes", ids) < 0.22
    stay = 30 + (-np.log(world.uniform("stays subscribed", ids)) * 500).astype(int)
    return {
        **found,
        "subscribed_day": subscribed,
        "unsubscribed_day": np.where(found["in_mail"] & leaves, subscribed + stay, NEVER),
        "wants_ads": world.uniform("wants ads", ids) < 0.6,
    }


def _contact(world: World, ids: Array, h: Homes, c: persons.Columns) -> persons.Columns:
    main, second = persons.emails(world, ids, h, c)
    device_of = np.where(h.shared_device, h.home * 20, ids * 20 + 1)
    device = [f"{x:016x}" for x in scrambled(device_of).tolist()]
    shop = [str(5_000_000_000_000 + x) for x in scrambled(ids).tolist()]
    card = [f"29{x:013d}" for x in scrambled(ids + 70_000_000).tolist()]
    handle = [
        f"@{g}_{f}{i % 9973}"
        for g, f, i in zip(c["given_letters"], c["family_letters"], ids.tolist(), strict=True)
    ]
    platforms = np.array(["instagram", "facebook", "tiktok", "x"], dtype=object)
    owner = persons.phone_owner(world, ids, h.country)
    return {
        "email": main,
        "email_2": second,
        "phone": persons.phone(owner, h.country),
        "is_namesake": h.namesake & (h.place <= 1),
        "is_twin": h.twins & (h.place <= 1),
        "shares_email": h.shared_email,
        "shares_device": h.shared_device,
        "has_recycled_phone": owner != ids,
        "anonymous_id": np.array(
            [f"{d[:8]}-{d[8:12]}-4{d[13:16]}-a{d[2:5]}-{d[::-1][:12]}" for d in device], dtype=object
        ),
        "device_id": np.array([f"APP-{d.upper()}" for d in device], dtype=object),
        "shop_id": only(np.array(shop, dtype=object), c["in_shop"]),
        "card_no": only(np.array(card, dtype=object), c["in_loyalty"]),
        "handle": only(np.array(handle, dtype=object), c["in_social"]),
        "platform": platforms[(world.uniform("platform", ids) * 4).astype(int)],
    }
