"""What people did, event by event, as trackers and platforms export it: Segment's JSON, tickets, social CSV."""

from pyspark.sql import DataFrame

from cdp.sample.chance import Dice
from cdp.sample.lines import Extract, csv_line, json_line, struct
from cdp.sample.render_contacts import iso
from cdp.sample.render_orders import ORDER_ID
from cdp.sample.world import World

WEB = Extract("web_events", "json", can_be_late=True, per_person=14)
APP = Extract("app_events", "json", can_be_late=True, per_person=3.5)
MAIL = Extract("email_events", "json", can_be_late=True, per_person=5)
TICKETS = Extract("service_tickets", "json", per_person=0.15)
ENGAGEMENT = Extract(
    "social_engagement", "csv",
    ("engagement_id", "platform", "handle", "action", "post_id", "campaign", "sentiment", "occurred_at"),
    can_be_late=True, per_person=0.35,
)  # fmt: skip
_NO_MESS = "cast(array() as array<string>) as mess"
_PRODUCT = {n: f"item.{n}" for n in ("product_id", "name", "category", "brand", "price", "quantity")}
_NO_ITEM = "cast(null as struct<product_id:string,name:string,category:string,brand:string,price:double,quantity:int>)"


def _steps(world: World, touches: DataFrame) -> DataFrame:
    """A row for each event of a visit: arrival, list, goods looked at and added, and the purchase."""
    d = world.dice

    def step(event: str, item: str = _NO_ITEM) -> str:
        return f"named_struct('event', '{event}', 'item', {item})"

    added = f"if(outcome = 'order', size(items), 1 + {d.below(2, 'added', 'touch_id')})"
    steps = ", ".join((
        f"array({step('Page')}, {step('Product List Viewed', 'items[0]')})",
        f"transform(items, x -> {step('Product Viewed', 'x')})",
        f"if(outcome = 'browse', array(), transform(slice(items, 1, {added}), x -> {step('Product Added', 'x')}))",
        f"if(logged_in, array({step('Identify')}), array())",
        f"if(outcome = 'order' or (outcome = 'cart' and {d.uniform('checks out', 'touch_id')} < 0.35D), array({step('Checkout Started')}), array())",
        f"if(outcome = 'order', array({step('Order Completed')}), array())",
    ))  # fmt: skip
    login_first = f"({d.uniform('login first', 'touch_id')} < 0.4D)"
    # `at` is the end of the visit: the shop writes the order down, then the tracker says that it is complete.
    pause = d.below(30, "pause", "touch_id", "step")
    seconds = f"if(step = last, {pause} div 10, 41 * (step - last) - {pause})"
    return (
        touches.where("kind = 'visit' and channel <> 'store' and tracked")
        .selectExpr("*", f"concat({steps}) as steps", f"{login_first} as login_first")
        .selectExpr("* except (steps)", "size(steps) - 1 as last", "posexplode(steps) as (step, what)")
        .selectExpr(
            "* except (what, last)",
            "what.event as event",
            "what.item as item",
            f"at + make_dt_interval(0, 0, 0, {seconds}) as happened_at",
            f"{d.uuid('touch_id', 'step')} as message_id",
        )
    )


def _tracked(world: World, touches: DataFrame, app: bool) -> DataFrame:
    d = world.dice
    rows = _steps(world, touches).where("channel = 'app'" if app else "channel = 'web'")
    in_order = "event in ('Checkout Started', 'Order Completed')"
    # whoever logs in is known from then on; some are logged in from the first page
    known = "logged_in and (login_first or event in ('Identify', 'Checkout Started', 'Order Completed'))"
    products = f"if({in_order}, transform(items, x -> {struct({n: f'x.{n}' for n in _PRODUCT})}), null)"
    properties = struct({
        **{n: f"if(event in ('Product Viewed', 'Product Added'), {v}, null)" for n, v in _PRODUCT.items()
           if n not in ("category", "quantity")},
        "category": "item.category",
        "quantity": "if(event = 'Product Added', item.quantity, null)",
        "list_id": "if(event = 'Product List Viewed', lower(item.category), null)",
        "cart_id": f"if(event in ('Product Added', 'Checkout Started', 'Order Completed'), {_cart(d)}, null)",
        "order_id": f"if(event = 'Order Completed', {ORDER_ID}, null)",
        "value": f"if({in_order}, subtotal, null)",
        "revenue": "if(event = 'Order Completed', round(subtotal - discount, 2), null)",
        "shipping": "if(event = 'Order Completed', shipping, null)",
        "tax": "if(event = 'Order Completed', tax, null)",
        "discount": "if(event = 'Order Completed', discount, null)",
        "total": "if(event = 'Order Completed', total, null)",
        "coupon": f"if({in_order}, coupon, null)",
        "currency": f"if(item.price is not null or {in_order}, currency, null)",
        "products": products,
    })  # fmt: skip
    line = json_line({
        "type": f"case event when 'Page' then '{'screen' if app else 'page'}' when 'Identify' then 'identify' else 'track' end",
        "event": "if(event in ('Page', 'Identify'), null, event)",
        "name": "if(event = 'Page', if(campaign is null, 'Home', 'Landing'), null)",
        "messageId": "message_id",
        "anonymousId": "anonymous_id",
        "userId": f"if({known}, shop_id, null)",
        "timestamp": iso("happened_at"),
        "receivedAt": iso("happened_at + interval 2 seconds"),
        "context": _app_context(world) if app else _web_context(world),
        "properties": f"if(event = 'Identify', null, {properties})",
        "traits": f"if(event = 'Identify' and email is not null, {struct({'email': 'email'})}, null)",
    })  # fmt: skip
    return rows.selectExpr(
        "person_id", "message_id as record_key", "0 as version", "day", "cast(null as int) as next_day",
        "if(shares_device, array('shared_device'), cast(array() as array<string>)) as mess",
        f"concat({iso('happened_at')}, message_id) as position", f"{line} as line",
    )  # fmt: skip


def _cart(d: Dice) -> str:
    return f"concat('cart-', substr({d.uuid('touch_id')}, 1, 18))"


def _campaign() -> str:
    names = struct({"name": "campaign", "source": "campaign_source", "medium": "campaign_medium"})
    return f"if(campaign is null, null, {names})"


def _web_context(world: World) -> str:
    d = world.dice
    path = """case when event in ('Product Viewed', 'Product Added') then concat('/p/', lower(item.product_id))
        when event = 'Product List Viewed' then concat('/c/', lower(item.category))
        when event in ('Checkout Started', 'Order Completed') then '/checkout' else '/' end"""
    address = f"concat('203.0.113.', {d.below(254, 'ip', 'anonymous_id')} + 1)"
    return struct({
        "campaign": _campaign(),
        "device": struct({"type": d.choice(("desktop", "mobile", "mobile", "tablet"), "device type", "anonymous_id")}),
        "ip": address,
        "locale": "concat(language, '-', country)",
        "page": struct({
            "path": path,
            "referrer": "if(campaign_source = 'google', 'https://www.google.com/', null)",
            "url": f"concat('https://shop.example.com', {path})",
        }),
        "userAgent": d.choice(("Mozilla/5.0 Firefox/140.0", "Mozilla/5.0 Chrome/141.0", "Mozilla/5.0 Safari/605.1"), "agent", "anonymous_id"),
    })  # fmt: skip


def _app_context(world: World) -> str:
    d = world.dice
    ios = f"{d.uniform('ios', 'device_id')} < 0.45D"
    return struct({
        "app": struct({"name": "'Shop'", "version": "concat('5.', day div 60)"}),
        "campaign": _campaign(),
        "device": struct({"id": "device_id", "type": f"if({ios}, 'ios', 'android')", "manufacturer": f"if({ios}, 'Apple', 'Samsung')"}),
        "ip": f"concat('198.51.100.', {d.below(254, 'ip', 'device_id')} + 1)",
        "locale": "concat(language, '-', country)",
    })  # fmt: skip


def web_events(touches: DataFrame, world: World) -> DataFrame:
    return _tracked(world, touches, app=False)


def app_events(touches: DataFrame, world: World) -> DataFrame:
    return _tracked(world, touches, app=True)


def email_events(touches: DataFrame, world: World) -> DataFrame:
    """What became of each mail: delivered or bounced, opened, clicked, unsubscribed."""
    d = world.dice
    link = "concat('https://shop.example.com/l/', campaign)"
    steps = """concat(if(bounced, array('Email Bounced'), array('Email Delivered')), if(opened, array('Email Opened'), array()),
        if(clicked, array('Email Link Clicked'), array()), if(unsubscribed, array('Email Unsubscribed'), array()))"""
    rows = (
        touches.where("kind = 'mailing' and channel = 'email' and not held_out")
        .selectExpr("*", f"posexplode({steps}) as (step, event)")
        .selectExpr(
            "*",
            f"at + make_dt_interval(0, 0, 0, if(step = 0, 20, 1800 * step * step + {d.below(20_000, 'reads', 'touch_id')})) as happened_at",
            f"{d.uuid('touch_id', 'event')} as message_id",
        )
    )  # fmt: skip
    line = json_line({
        "type": "'track'",
        "event": "event",
        "messageId": "message_id",
        "timestamp": iso("happened_at"),
        "context": struct({"traits": struct({"email": "email"})}),
        "properties": struct({
            "email_id": f"substr({d.uuid('touch_id', 'campaign')}, 1, 13)",
            "email_subject": "initcap(replace(substr(campaign, 16), '_', ' '))",
            "campaign_id": "cast(crc32(campaign) as string)",
            "campaign_name": "campaign",
            "link_url": f"if(event = 'Email Link Clicked', {link}, null)",
            "bounce_type": "if(event = 'Email Bounced', 'hard', null)",
        }),
    })  # fmt: skip
    return rows.selectExpr(
        "person_id", "message_id as record_key", "0 as version", "day", "cast(null as int) as next_day", _NO_MESS,
        f"concat({iso('happened_at')}, message_id) as position", f"{line} as line",
    )  # fmt: skip


def service_tickets(touches: DataFrame, world: World) -> DataFrame:
    """Tickets in the state of the day: opened first, solved later in a second version; a bad one takes weeks, or for ever."""
    d = world.dice
    takes = f"(1 + {d.below(3, 'takes', 'touch_id')} + if(bad, 5 + {d.below(40, 'drags on', 'touch_id')}, 0))"
    is_forgotten = f"(bad and {d.uniform('forgotten', 'touch_id')} < 0.2D)"
    rows = (
        touches.where("kind = 'ticket'")
        .selectExpr("* except (day)", "day as opened_day", f"{takes} as takes", f"{is_forgotten} as is_forgotten")
        .selectExpr("*", "explode(if(is_forgotten, array(0), array(0, 1))) as version")
        .selectExpr(
            "*",
            "opened_day + version * takes as day",
            "if(version = 0 and not is_forgotten, opened_day + takes, null) as next_day",
            "at + make_dt_interval(takes, 0, 35, 0) as solved_at",
            f"cast(if(bad, 1 + {d.below(2, 'csat', 'touch_id')}, 4 + {d.below(2, 'csat', 'touch_id')}) as int) as csat",
            "concat('T', pmod(touch_id * 7919, 1000000000000)) as record_key",
        )
    )
    requester = struct(
        {"name": "full_name", "email": "email", "phone": "if(phone is null, null, concat(trunk, phone))"}
    )
    line = json_line({
        "id": "record_key",
        "subject": d.choice(("Parcel not arrived", "Wrong size", "Refund missing", "Damaged article", "Question about order"), "subject", "touch_id"),
        "channel": "channel",
        "status": "if(version = 1, 'solved', 'open')",
        "priority": "if(bad, 'high', 'normal')",
        "requester": requester,
        "country": "country",
        "satisfactionRating": f"if(version = 1 and {d.uniform('rates', 'touch_id')} < 0.6D, {struct({'score': 'csat'})}, null)",
        "createdAt": iso("at"),
        "solvedAt": f"if(version = 1, {iso('solved_at')}, null)",
        "updatedAt": f"if(version = 1, {iso('solved_at')}, {iso('at')})",
    })  # fmt: skip
    return rows.selectExpr(
        "person_id",
        "record_key",
        "version",
        "day",
        "next_day",
        _NO_MESS,
        "record_key as position",
        f"{line} as line",
    )


def social_engagement(touches: DataFrame, world: World) -> DataFrame:
    d = world.dice
    key = "concat('E', pmod(touch_id * 7919, 1000000000000))"
    line = csv_line({
        "engagement_id": "record_key",
        "platform": "platform",
        "handle": "handle",
        "action": d.choice(("like", "like", "like", "comment", "share", "follow", "mention"), "action", "touch_id"),
        "post_id": f"concat('post-', {d.below(400, 'post', 'touch_id')})",
        "campaign": f"if({d.uniform('tagged', 'touch_id')} < 0.3D, {d.choice(('lookbook', 'giveaway'), 'tag', 'touch_id')}, null)",
        "sentiment": d.choice(("positive", "neutral", "negative"), "sentiment", "touch_id"),
        "occurred_at": iso("at"),
    })  # fmt: skip
    return touches.where("kind = 'social'").selectExpr("*", f"{key} as record_key").selectExpr(
        "person_id", "record_key", "0 as version", "day", "cast(null as int) as next_day", _NO_MESS,
        f"concat({iso('at')}, record_key) as position", f"{line} as line",
    )  # fmt: skip
