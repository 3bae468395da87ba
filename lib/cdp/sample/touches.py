"""The touches frame: every visit, mailing, ticket and social act of everybody, to the horizon, made in Spark."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame

from cdp.sample import buying, responses
from cdp.sample.baskets import ITEM, baskets
from cdp.sample.buying import Lives, Persons
from cdp.sample.chance import Array, only, present, scrambled
from cdp.sample.people import CUSTOMER, VISITOR
from cdp.sample.world import World

_TEXT = (
    "country", "currency", "channel", "outcome", "campaign", "campaign_source", "campaign_medium", "store_id",
    "coupon", "anonymous_id", "device_id", "shop_id", "card_no", "email", "phone", "calling_code", "trunk", "handle",
    "platform", "full_name", "category", "language",
)  # fmt: skip
_FLAGS = (
    "logged_in",
    "tracked",
    "caused",
    "cancelled",
    "held_out",
    "opened",
    "clicked",
    "bounced",
    "unsubscribed",
    "bad",
    "shares_device",
)
_NUMBERS = ("subtotal", "discount", "shipping", "tax", "total", "saving", "effect")
_FIELDS: dict[str, pa.DataType] = {
    "kind": pa.string(),
    "person_id": pa.int64(),
    "touch_id": pa.int64(),
    "order_no": pa.int64(),
    "day": pa.int32(),
    "at": pa.timestamp("us"),
    **dict.fromkeys(("return_day", "leaves_day", "gone_day"), pa.int32()),
    **dict.fromkeys(_TEXT, pa.string()),
    **dict.fromkeys(_FLAGS, pa.bool_()),
    **dict.fromkeys(_NUMBERS, pa.float64()),
    "items": pa.list_(ITEM),
}
SCHEMA = pa.schema(list(_FIELDS.items()))
_SPARK = {"int64": "bigint", "int32": "int", "bool": "boolean", "timestamp[us]": "timestamp_ntz"}
_ITEMS = "array<struct<product_id:string,name:string,category:string,brand:string,price:double,quantity:int>>"
DDL = ", ".join(f"{n} {_ITEMS if n == 'items' else _SPARK.get(str(t), str(t))}" for n, t in _FIELDS.items())

PERSON_COLUMNS = (
    "person_id", "kind", "country", "currency", "language", "join_day", "orders_per_year", "drop_chance", "spend",
    "store_share", "app_share", "attention", "login", "main_category", "second_category", "subscribed_day",
    "unsubscribed_day", "anonymous_id", "device_id", "shop_id", "card_no", "email", "email_2", "phone", "calling_code",
    "trunk", "handle", "platform", "home_store", "given_name", "family_name",
    "shares_device",
)  # fmt: skip

# a touch's number: the person's, then a range for each stream, so that no two are ever the same
_PER_PERSON = 10_000
_STREAM = {"order": 0, "response": 2_000, "browse": 4_000, "ticket": 7_000, "social": 9_000}


def touches(people: DataFrame, world: World) -> DataFrame:
    """All touches of the people, one schema for all kinds; a kind leaves empty what does not concern it."""

    def batches(frames: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        season = buying.seasons(world)
        for frame in frames:
            persons = {name: frame.column(name).to_numpy(zero_copy_only=False) for name in PERSON_COLUMNS}
            yield from touch_batches(world, persons, season)

    return people.select(*PERSON_COLUMNS).mapInArrow(batches, DDL)


def touch_batches(world: World, p: Persons, season: Array) -> Iterator[pa.RecordBatch]:
    """Touches of some persons, one batch a kind."""
    orders, lives = buying.buy(world, p, season)
    answers = responses.respond(world, p, lives)
    yield _visits(world, p, orders, answers, lives, season)
    yield _mailings(world, p, answers)
    yield _tickets(world, p, orders)
    yield _social(world, p, lives, season)


def _record(p: Persons, row: Array, kind: str, columns: dict[str, object]) -> pa.RecordBatch:
    """Complete the columns with the person's own, and empties."""
    known: dict[str, object] = {"kind": np.full(len(row), kind, dtype=object)}
    for name in ("person_id", "country", "currency", "language", "calling_code", "trunk"):
        known[name] = p[name][row]
    known |= columns
    arrays = [
        known[name] if isinstance(known.get(name), pa.Array)
        else pa.nulls(len(row), t) if name not in known
        else pa.array(known[name], type=t, from_pandas=True)
        for name, t in _FIELDS.items()
    ]  # fmt: skip
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def _clock(world: World, day: Array, u: Array, opens: float | Array, closes: float | Array) -> Array:
    """A moment of the day, in microseconds since 1970; evenings are busier."""
    hour = opens + (closes - opens) * (1 - (1 - u) ** 1.5) ** 0.8
    start = np.datetime64(world.start, "s").astype(np.int64)
    return (
        (start + np.floor(day).astype(np.int64) * 86_400 + (hour * 3_600).astype(np.int64)) * 1_000_000
    ).astype("datetime64[us]")


def _cookies(device: Array, day: Array, channel: Array) -> Array:
    """The browser's or app's anonymous id: cookies go about every eight months, an app's id when it is reinstalled."""
    era = day // 240 + np.where(channel == "app", 0xA00, 0xC00)
    return np.array([f"{d[:-3]}{e:03x}" for d, e in zip(device, era.tolist(), strict=True)], dtype=object)


def _visits(
    world: World, p: Persons, own: buying.Orders, answers: responses.Responses, lives: Lives, season: Array
) -> pa.RecordBatch:
    """Orders of own accord, visits that campaigns caused, and looking around."""
    ids = p["person_id"]
    came = np.flatnonzero(answers.visits)
    visitor = p["kind"] == VISITOR
    rate = np.where(visitor, 0.8, np.where(p["kind"] == CUSTOMER, 0.15 + 0.28 * p["orders_per_year"], 0.20))
    b_row, b_nth, b_day = buying.arrivals(world, "browse", ids, p["join_day"], rate, season, 2_900, visitor)
    stays = world.uniform("still looks", ids[b_row], b_nth) < lives.interest(b_row, b_day)
    stays &= ~visitor[b_row] | (b_day - p["join_day"][b_row] < 90)
    b_row, b_nth, b_day = b_row[stays], b_nth[stays], b_day[stays]

    row = np.concatenate([own.row, answers.row[came], b_row])
    day = np.floor(np.concatenate([own.day, answers.day[came], b_day])).astype(int)
    number = np.concatenate([
        own.nth + _STREAM["order"], answers.campaign[came] + _STREAM["response"], b_nth + _STREAM["browse"]
    ])  # fmt: skip
    key = ids[row] * _PER_PERSON + number
    campaign = np.concatenate([np.full(len(own.row), -1), answers.campaign[came], np.full(len(b_row), -1)])
    caused = np.concatenate([np.zeros(len(own.row), bool), answers.orders[came], np.zeros(len(b_row), bool)])
    ordered = caused | (number < _STREAM["response"])

    u = {
        name: world.uniform(name, key)
        for name in (
            "store?",
            "app?",
            "cart?",
            "hour",
            "login?",
            "tracked",
            "saves",
            "cancels",
            "returns",
            "returned on",
            "guest",
        )
    }
    at_store = ordered & (campaign < 0) & (u["store?"] < p["store_share"][row])
    channel = np.where(at_store, "store", np.where(u["app?"] < p["app_share"][row], "app", "web")).astype(
        object
    )
    outcome = np.where(ordered, "order", np.where(u["cart?"] < 0.28, "cart", "browse")).astype(object)
    theme = np.array([c.category for c in world.campaigns] + [-1])[campaign]
    mail = np.array([c.channel == "email" for c in world.campaigns] + [False])[campaign]
    saving = np.where(mail & (u["saves"] < 0.5), 0.15, np.where(u["saves"] < 0.12, 0.10, 0.0))
    b = baskets(world, p, row, key, theme=theme, saving=saving, shipped=~at_store)
    member = present(p["shop_id"][row])
    logged_in = member & ~at_store & np.where(ordered, u["guest"] < 0.92, u["login?"] < p["login"][row])
    names = {
        f: np.array([getattr(c, f) for c in world.campaigns] + [None], dtype=object)[campaign]
        for f in ("name", "source", "medium")
    }
    returned = ordered & (u["returns"] < 0.07)
    shows_card = at_store & (u["guest"] < 0.85)
    return _record(p, row, "visit", {
        "touch_id": key,
        "order_no": scrambled(key),
        "day": day,
        "at": _clock(world, day, u["hour"], np.where(at_store, 9.5, 7.0), np.where(at_store, 20.0, 23.6)),
        "return_day": np.where(returned, day + 4 + (u["returned on"] * 18).astype(int), -1),
        "leaves_day": lives.leaves[row].astype(int),
        "gone_day": lives.gone[row].astype(int),
        "channel": channel,
        "outcome": outcome,
        "campaign": names["name"],
        "campaign_source": names["source"],
        "campaign_medium": names["medium"],
        "store_id": only(p["home_store"][row], at_store),
        "coupon": only(np.where(saving > 0.12, "MAIL15", "SAVE10"), saving > 0),
        "anonymous_id": _cookies(p["anonymous_id"][row], day, channel),
        "device_id": only(p["device_id"][row], channel == "app"),
        "shop_id": only(p["shop_id"][row], logged_in),
        "card_no": only(p["card_no"][row], shows_card),
        "email": only(p["email"][row], ordered & ~at_store),
        "phone": only(p["phone"][row], ordered & ~at_store),
        "full_name": p["given_name"][row] + " " + p["family_name"][row],
        "logged_in": logged_in,
        "shares_device": p["shares_device"][row],
        "tracked": ~at_store & (u["tracked"] < 0.80),
        "caused": caused,
        "cancelled": ordered & ~at_store & ~returned & (u["cancels"] < 0.03),
        "saving": saving,
        "subtotal": b.subtotal, "discount": b.discount, "shipping": b.shipping, "tax": b.tax, "total": b.total,
        "items": b.items,
    })  # fmt: skip


def _mailings(world: World, p: Persons, answers: responses.Responses) -> pa.RecordBatch:
    """One row a person and campaign chosen, those held out included (they appear in the truth only)."""
    row, campaign = answers.row, answers.campaign
    key = p["person_id"][row] * _PER_PERSON + _STREAM["response"] + campaign
    names = {
        f: np.array([getattr(c, f) for c in world.campaigns], dtype=object)[campaign]
        for f in ("name", "channel")
    }
    return _record(p, row, "mailing", {
        "touch_id": key,
        "day": answers.day.astype(int),
        "at": _clock(world, answers.day, world.uniform("sent at", key), 6.0, 7.0),
        "channel": names["channel"],
        "campaign": names["name"],
        "email": p["email"][row],
        "held_out": ~answers.sent,
        "opened": answers.opened,
        "clicked": answers.visits,
        "caused": answers.orders,
        "bounced": answers.bounced,
        "unsubscribed": answers.unsubscribes,
        "effect": answers.effect,
    })  # fmt: skip


def _tickets(world: World, p: Persons, orders: buying.Orders) -> pa.RecordBatch:
    """Service tickets about orders. `day` is when it was opened."""
    opened, bad = buying.ticket_after(world, p["person_id"][orders.row], orders.nth)
    row, nth, bad = orders.row[opened], orders.nth[opened], bad[opened]
    day = np.floor(orders.day[opened]).astype(int)
    key = p["person_id"][row] * _PER_PERSON + nth
    day = day + 1 + (world.uniform("complains after", key) * 6).astype(int)
    by_phone = world.uniform("ticket by", key)
    return _record(p, row, "ticket", {
        "touch_id": p["person_id"][row] * _PER_PERSON + _STREAM["ticket"] + nth,
        "order_no": scrambled(key),
        "day": day,
        "at": _clock(world, day, world.uniform("ticket hour", key), 8.0, 20.0),
        "channel": np.where(by_phone < 0.3, "phone", np.where(by_phone < 0.75, "email", "chat")).astype(object),
        "email": only(p["email"][row], by_phone >= 0.2),
        "phone": only(p["phone"][row], by_phone < 0.5),
        "full_name": p["given_name"][row] + " " + p["family_name"][row],
        "bad": bad,
    })  # fmt: skip


def _social(world: World, p: Persons, lives: Lives, season: Array) -> pa.RecordBatch:
    """Likes, comments and shares by those whose handle is known."""
    rate = np.where(present(p["handle"]), 2.0, 0.0)
    row, nth, day = buying.arrivals(
        world, "social", p["person_id"], p["join_day"], rate, season, 900, rate < 0
    )
    stays = world.uniform("still likes", p["person_id"][row], nth) < lives.interest(row, day)
    row, nth, day = row[stays], nth[stays], np.floor(day[stays]).astype(int)
    key = p["person_id"][row] * _PER_PERSON + _STREAM["social"] + nth
    return _record(p, row, "social", {
        "touch_id": key,
        "day": day,
        "at": _clock(world, day, world.uniform("hour", key), 7.0, 23.9),
        "handle": p["handle"][row],
        "platform": p["platform"][row],
    })  # fmt: skip
