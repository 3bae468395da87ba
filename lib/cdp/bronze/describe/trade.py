"""Orders, lines, products, events and costs of campaigns: what is proposed of a source that speaks of acts and things."""

from cdp.bronze.describe.facts import ColumnFacts, Fact
from cdp.bronze.describe.found import Entity, Source, leftovers, put, quote_sql

_CALLS = {"track": None, "page": "'Page Viewed'", "screen": "'Screen Viewed'", "identify": "'Signed In'"}
_OTHER_CALLS = frozenset(("group", "alias"))
_ORDER_TIMES = ("ordered_at", "occurred_at", "created_at", "day")
_CHANNELS = {
    "app": ("app", "mobile"),
    "email": ("email", "mail", "newsletter"),
    "store": ("pos", "store", "till", "receipts", "kasse", "caisse", "tickets"),
    "social": ("social", "facebook", "instagram", "tiktok"),
    "service": ("service", "support"),
    "web": ("web", "shop", "online", "ecommerce", "site"),
}
_MOST_PROPERTIES = 20


def trade_entities(source: Source) -> list[Entity]:
    """The orders and lines, or products, or costs that rows hold; nothing where they hold none."""
    cost = _campaign_cost(source)
    if cost:
        return [cost]
    orders = _orders(source)
    if orders:
        return orders
    product = _product(source)
    return [product] if product else []


def events(source: Source) -> list[Entity]:
    """The events that rows hold, a proposal for each kind of call where they are calls of a tracker."""
    event = source.first("event")
    time = source.first("occurred_at", "created_at", "ordered_at", "day")
    if event is None or time is None or source.has("purpose"):
        return []
    calls = _calls(source)
    if calls is None:
        return [_event(source, event.sql, time, None)]
    kind, values = calls
    return [
        _event(source, _CALLS[value] or event.sql, time, f"{kind.sql_within} = '{quote_sql(value)}'")
        for value in _CALLS
        if value in values
    ]


def _calls(source: Source) -> tuple[Fact, tuple[str, ...]] | None:
    """The column that says which call of the Segment specification a row is, and the calls there are."""
    for fact in source.reachable():
        values = set(fact.categories)
        if fact.name.lower() == "type" and values & set(_CALLS) and values <= set(_CALLS) | _OTHER_CALLS:
            return fact, fact.categories
    return None


def _event(source: Source, event: str, time: Fact, where: str | None) -> Entity:
    entity = Entity("event", {"event": event})
    if where:
        entity.fields["where"] = where
    put(entity, "occurred_at", time, "time")
    put(entity, "event_id", source.first("event_id"))
    key = source.fact(source.key[0]) if len(source.key) == 1 else None
    if "event_id" not in entity.fields and key:
        entity.fields["event_id"] = key.sql
    identifiers = source.identifiers("email", "phone")
    if identifiers:
        entity.fields["identifiers"] = dict(identifiers)
    _add_channel(source, entity)
    _add_campaign(source, entity)
    put(entity, "session_id", source.first("session_id"))
    used = {v for v in entity.fields.values() if isinstance(v, str)} | {time.sql}
    properties = _properties(source, used) if not event.startswith("'") else _page(source)
    if properties and event != "'Signed In'":
        entity.fields["properties"] = properties
    return entity


def _properties(source: Source, used: set[str]) -> dict[str, str]:
    has_own = any(c.own.name == "properties" and c.within for c in source.columns)
    found = leftovers(source, used, _MOST_PROPERTIES, below="properties" if has_own else None)
    return {name: sql for name, sql in found.items() if name not in ("type", "campaign", "campaign_name")}


def _page(source: Source) -> dict[str, str]:
    """What page or screen a call is about: its name, and where it lies."""
    facts = [f for f in source.reachable() if not f.is_personal]
    named = [f for f in facts if f.path == ("name",)]
    within = [f for f in facts if f.path[:-1] in (("context", "page"), ("page",)) and f.name in ("path", "url", "referrer")]
    return {f.name: f.sql for f in (*named, *within)}


def _orders(source: Source) -> list[Entity]:
    nested = next((c for c in source.lists() if _are_lines(source, c)), None)
    number = source.first("order_id")
    key = source.fact(source.key[0]) if len(source.key) == 1 else None
    if number is None and nested:
        number = key
    time = source.first(*_ORDER_TIMES)
    if number is None or (time is None and nested is None and not source.has("product_id", "total")):
        return []
    lines = _lines(source, number, nested) if nested or source.has("product_id") else None
    order = _order(source, number, time, has_lines=lines is not None and nested is None)
    return [entity for entity in (order, lines) if entity]


def _are_lines(source: Source, column: ColumnFacts) -> bool:
    return bool(source.first("product_id", among=column.within) and source.first("quantity", among=column.within))


def _order(source: Source, number: Fact, time: Fact | None, *, has_lines: bool) -> Entity | None:
    entity = Entity("order", {"order_id": number.sql})
    put(entity, "ordered_at", time, "time")
    if "ordered_at" not in entity.fields:
        return None
    identifiers = source.identifiers("email", "phone")
    if identifiers:
        entity.fields["identifiers"] = dict(identifiers)
    _add_channel(source, entity)
    for name in ("store_id", "status", "refers_to", "currency"):
        put(entity, name, source.first(name))
    if not has_lines:
        for name in ("total", "discount", "shipping", "tax"):
            put(entity, name, source.first(name), "number")
    put(entity, "coupon", source.first("coupon"))
    _add_campaign(source, entity)
    if "currency" not in entity.fields:
        entity.open.append("currency: no column names it; without one amounts count as of the reporting currency")
    return entity


def _lines(source: Source, number: Fact, nested: ColumnFacts | None) -> Entity | None:
    among = list(nested.within) if nested else source.reachable()
    entity = Entity("order_line", {"explode": nested.own.name} if nested else {})
    entity.fields["order_id"] = number.sql
    put(entity, "product_id", source.first("product_id", among=among))
    put(entity, "quantity", source.first("quantity", among=among), "number")
    if "quantity" not in entity.fields or "product_id" not in entity.fields:
        return None
    put(entity, "line_no", source.first("line_no", among=among), "number")
    put(entity, "unit_price", source.first("unit_price", among=among), "number")
    put(entity, "discount", source.first("discount", among=among), "number")
    put(entity, "amount", source.first("amount", "total", among=among), "number")
    return entity


def _product(source: Source) -> Entity | None:
    number = source.first("product_id")
    if number is None or source.has("event", "order_id", "purpose") or not source.has(
        "product_name", "unit_price", "category", "brand"
    ):
        return None
    entity = Entity("product", {"product_id": number.sql})
    for name, meaning in (("name", "product_name"), ("category", "category"), ("brand", "brand")):
        put(entity, name, source.first(meaning))
    put(entity, "price", source.first("unit_price"), "number")
    put(entity, "cost", source.first("cost"), "number")
    put(entity, "in_stock", source.first("in_stock"), "truth")
    return entity


def _campaign_cost(source: Source) -> Entity | None:
    campaign, day, cost = source.first("campaign"), source.first("day", "occurred_at"), source.first("cost")
    if campaign is None or day is None or cost is None or source.has("product_id", "order_id"):
        return None
    entity = Entity("campaign_cost", {"campaign": campaign.sql})
    put(entity, "day", day, "time")
    put(entity, "cost", cost, "number")
    if not {"day", "cost"} <= set(entity.fields):
        return None
    put(entity, "channel", source.first("channel"))
    put(entity, "currency", source.first("currency"))
    put(entity, "impressions", source.first("impressions"), "number")
    put(entity, "clicks", source.first("clicks"), "number")
    return entity


def _add_channel(source: Source, entity: Entity) -> None:
    column = source.first("channel")
    if column:
        entity.fields["channel"] = column.sql
        return
    told = next((channel for channel, words in _CHANNELS.items() if source.says(*words)), None)
    told = "store" if told is None and source.has("store_id") else told
    if told:
        entity.fields["channel"] = f"'{told}'"
        entity.notes.append("channel: by the name of the extract or its columns")


def _add_campaign(source: Source, entity: Entity) -> None:
    parts = {
        "name": source.first("campaign"),
        **{part: source.first(f"campaign_{part}") for part in ("source", "medium", "content", "term")},
    }
    found = {part: fact.sql for part, fact in parts.items() if fact}
    if found:
        entity.fields["campaign"] = found
