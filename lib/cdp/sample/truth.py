"""What really is: who is behind each record, what persons will do, and what campaigns did. For evaluation only."""

from collections.abc import Callable

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.sample.extracts import EXTRACTS
from cdp.sample.lines import Window
from cdp.sample.people import NEVER
from cdp.sample.render_orders import ORDER_ID, RECEIPT_ID
from cdp.sample.world import World

_SOURCE = "element_at(array({}), source_number + 1) as source".format(
    ", ".join(f"'{e.name}'" for e in EXTRACTS)
)
Table = Callable[[], DataFrame]


def record_truth(staged: DataFrame) -> DataFrame:
    """source, record_key, person_id: each record that a reader of the files can read, once."""
    return staged.where("is_first and is_readable and copy = 0 and person_id is not null").selectExpr(
        _SOURCE, "record_key", "person_id"
    )


def mess_truth(staged: DataFrame) -> DataFrame:
    """source, record_key, kind: what is wrong with a record."""
    return staged.where("size(mess) > 0").selectExpr(_SOURCE, "record_key", "explode(mess) as kind")


def person_truth(people: DataFrame, touches: DataFrame, world: World) -> DataFrame:
    """One row a person known by `as_of`: rates, tastes, the day of dropping out, and what came of it."""
    orders = _orders(touches).groupBy("person_id").agg(
        F.count_if(F.expr(f"day <= {world.today}")).alias("orders_to_date"),
        F.count_if(F.expr(f"day > {world.today}")).alias("orders_next_year"),
        F.round(F.sum(F.expr(f"if(day > {world.today}, net_eur, 0D)")), 2).alias("value_next_year_eur"),
        F.max("leaves_day").alias("leaves_day"),
        F.max("gone_day").alias("gone_day"),
    )  # fmt: skip
    known = people.where(f"person_id < {world.settings.persons}")
    date = f"date_add(DATE'{world.start}', {{}})".format
    return known.join(orders, on="person_id", how="left").selectExpr(
        "person_id", "household_id", "home_kind", "kind", "country", "gender", "given_name", "family_name",
        "former_family_name", "name_suffix", f"date_sub(DATE'{world.as_of}', birth_days) as born_on",
        f"{date('join_day')} as joined_on",
        f"if(moved_day > 0, {date('moved_day')}, null) as moved_on",
        "orders_per_year", "drop_chance", "spend as spend_level", "store_share", "app_share", "attention",
        f"if(subscribed_day < {NEVER}, {date('subscribed_day')}, null) as subscribed_on",
        f"if(unsubscribed_day < {NEVER}, {date('unsubscribed_day')}, null) as unsubscribed_on",
        "main_category", "second_category", "is_namesake", "is_twin", "shares_email", "shares_device", "has_recycled_phone",
        "in_crm", "in_shop", "in_loyalty", "in_mail", "in_social", "in_partner",
        "coalesce(orders_to_date, 0) as orders_to_date", "coalesce(orders_next_year, 0) as orders_next_year",
        "coalesce(value_next_year_eur, 0D) as value_next_year_eur",
        f"if(leaves_day < {NEVER}, {date('leaves_day')}, null) as last_bought_on",
        f"if(gone_day < {NEVER}, {date('gone_day')}, null) as dropped_out_on",
        f"coalesce(leaves_day <= {world.today}, false) as will_not_buy_again",
    )  # fmt: skip


def identifier_truth(people: DataFrame, touches: DataFrame, window: Window) -> DataFrame:
    """id_type, id_value, person_id: whose an identifier is. A family's device or e-mail has several rows."""
    days = f"day <= {window.last}" + ("" if window.first is None else f" and day > {window.first}")
    seen = touches.where(f"kind = 'visit' and channel <> 'store' and tracked and {days}").selectExpr(
        "person_id",
        "explode(array_compact(array(named_struct('t', 'anonymous_id', 'v', anonymous_id), "
        "if(device_id is null, null, named_struct('t', 'device_id', 'v', device_id))))) as i",
    )
    pairs = {"email": "email", "phone": "concat('+', calling_code, phone)", "shop_customer_id": "shop_id",
             "user_id": "shop_id", "loyalty_id": "card_no", "social_handle": "handle"}  # fmt: skip
    owned = ", ".join(f"named_struct('t', '{t}', 'v', {v})" for t, v in pairs.items())
    known = people.where(f"join_day <= {window.last} and kind <> 'visitor'")
    if window.first is not None:
        known = known.where(f"join_day > {window.first}")
    own = known.selectExpr("person_id", f"explode(filter(array({owned}), x -> x.v is not null)) as i")
    return (
        seen.unionByName(own)
        .selectExpr("i.t as id_type", "i.v as id_value", "person_id")
        .groupBy("id_type", "id_value", "person_id")
        .agg(F.count(F.lit(1)).alias("seen"))
    )


def _orders(touches: DataFrame) -> DataFrame:
    rate = "case currency when 'GBP' then 0.86D when 'USD' then 1.08D else 1D end"
    return touches.where("kind = 'visit' and outcome = 'order'").selectExpr(
        "*", f"round(if(cancelled or return_day >= 0, 0D, subtotal - discount) / {rate}, 2) as net_eur"
    )


def future_orders(touches: DataFrame, world: World) -> DataFrame:
    """The orders of the 365 days after `as_of`, by the same process. `net_eur`: kept goods, after discounts."""
    return _orders(touches).where(f"day > {world.today}").selectExpr(
        "person_id", f"if(channel = 'store', {RECEIPT_ID}, {ORDER_ID}) as order_id", "at as ordered_at", "channel",
        "currency", "total", "net_eur", "cancelled", "return_day >= 0 as returned", "campaign", "caused",
    )  # fmt: skip


def campaign_effects(touches: DataFrame, world: World) -> DataFrame:
    """Per campaign to `as_of`: whom it was sent, who was held out, and the orders that would not have been.

    `uplift` is the true mean probability of an additional order for one who is sent the campaign; `caused_orders`
    is what the dice made of it.
    """
    sent = touches.where(f"kind = 'mailing' and day <= {world.today}").groupBy("campaign", "channel").agg(
        F.to_date(F.min("at")).alias("first_on"),
        F.to_date(F.max("at")).alias("last_on"),
        F.count_if(F.expr("not held_out")).alias("treated"),
        F.count_if(F.expr("held_out")).alias("held_out"),
        F.count_if(F.expr("clicked")).alias("caused_visits"),
        F.count_if(F.expr("caused")).alias("caused_orders"),
        F.avg("effect").alias("uplift"),
    )  # fmt: skip
    value = _orders(touches).where(f"caused and day <= {world.today}").groupBy("campaign").agg(
        F.round(F.sum("net_eur"), 2).alias("caused_eur")
    )  # fmt: skip
    return sent.join(value, on="campaign", how="left").fillna(0.0, ["caused_eur"])


def campaign_members(touches: DataFrame, world: World) -> DataFrame:
    """Who was chosen by each campaign to `as_of`, and who of them was held out."""
    return touches.where(f"kind = 'mailing' and day <= {world.today}").selectExpr(
        "campaign", "person_id", "to_date(at) as sent_on", "held_out", "opened", "clicked", "caused"
    )
