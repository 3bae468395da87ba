"""Orders as the shop exports them (nested JSON) and receipts as the tills do (one CSV line an article)."""

from pyspark.sql import DataFrame

from cdp.sample.contacts import moment
from cdp.sample.lines import Extract, csv_line, json_line, struct
from cdp.sample.render_contacts import iso
from cdp.sample.world import World

ORDERS = Extract("shop_orders", "json", per_person=1.3)
RECEIPTS = Extract(
    "pos_receipts", "csv",
    ("receipt_id", "line_no", "store_id", "till", "sold_at", "card_no", "sku", "description", "quantity", "unit_price",
     "discount", "line_total", "currency", "payment", "return_of"),
    separator=";", can_be_late=True, per_person=1.6,
)  # fmt: skip
ORDER_ID = "cast(order_no + 7000000000000 as string)"
RECEIPT_ID = "concat(store_id, '-', order_no)"


def _money(value: str) -> str:
    """SQL: 1234.5 as 1.234,50."""
    return f"translate(format_number({value}, 2), ',.', '.,')"


def shop_orders(touches: DataFrame, world: World) -> DataFrame:
    """Orders of web and app. A cancellation changes the order's row, a return is a row of its own."""
    d = world.dice
    bought = touches.where("kind = 'visit' and outcome = 'order' and channel <> 'store'")
    returned_at = moment(world, "return_day", "36000 + " + d.below(20_000, "return hour", "touch_id"))
    rows = bought.selectExpr(
        "*", "explode(case when return_day >= 0 then array(0, 2) when cancelled then array(0, 1) else array(0) end) as step"
    ).selectExpr(
        "* except (day, return_day)",
        "day as sold_day",
        "case step when 0 then day when 1 then day + 1 else return_day end as day",
        "if(step = 0 and cancelled, day + 1, null) as next_day",
        "if(step = 1, 1, 0) as version",
        f"if(step = 2, concat('R', {ORDER_ID}), {ORDER_ID}) as record_key",
        f"case step when 0 then at when 1 then at + interval 1 day else {returned_at} end as changed_at",
        "if(step = 2, -1, 1) as sign",
    )  # fmt: skip
    lines = "transform(items, (x, i) -> " + struct({
        "lineNo": "i + 1", "sku": "x.product_id", "title": "x.name", "quantity": "sign * x.quantity", "price": "x.price",
        "discount": "round(sign * x.quantity * x.price * saving, 2) + 0.0D",
    }) + ")"  # fmt: skip
    line = json_line({
        "id": "record_key",
        "name": "concat('#', order_no % 10000000)",
        "createdAt": f"if(step = 2, {iso('changed_at')}, {iso('at')})",
        "updatedAt": iso("changed_at"),
        "cancelledAt": f"if(step = 1, {iso('changed_at')}, null)",
        "status": "case step when 0 then 'completed' when 1 then 'cancelled' else 'returned' end",
        "financialStatus": "case step when 0 then 'paid' when 1 then 'voided' else 'refunded' end",
        "refersTo": f"if(step = 2, {ORDER_ID}, null)",
        "channel": "channel",
        "currency": "currency",
        "customer": f"if(shop_id is null, null, {struct({'id': 'shop_id', 'email': 'email'})})",
        "email": "email",
        "phone": f"if({d.uniform('order phone', 'touch_id')} < 0.5D, concat('+', calling_code, phone), null)",
        "subtotalPrice": "sign * subtotal + 0.0D",
        "totalDiscounts": "sign * discount + 0.0D",
        "shippingPrice": "if(step = 2, 0.0D, shipping)",
        "totalTax": "sign * tax",
        "totalPrice": "round(if(step = 2, shipping - total, total), 2)",
        "discountCodes": f"if(coupon is null, array(), array({struct({'code': 'coupon', 'amount': 'discount'})}))",
        "campaign": "if(campaign is null, null, "
        + struct({"name": "campaign", "source": "campaign_source", "medium": "campaign_medium"})
        + ")",
        "lineItems": lines,
        "gateway": d.choice(("card", "paypal", "klarna"), "gateway", "touch_id"),
    })  # fmt: skip
    return rows.selectExpr(
        "person_id", "record_key", "version", "day", "next_day", "cast(array() as array<string>) as mess",
        f"concat({iso('changed_at')}, record_key) as position", f"{line} as line",
    )  # fmt: skip


def pos_receipts(touches: DataFrame, world: World) -> DataFrame:
    """Receipts of the stores, one line an article; goods brought back are lines with a negative quantity."""
    d = world.dice
    sold = touches.where("kind = 'visit' and outcome = 'order' and channel = 'store'")
    returned_at = moment(world, "return_day", "37000 + " + d.below(28_000, "return hour", "touch_id"))
    rows = (
        sold.selectExpr("*", "explode(if(return_day >= 0, array(false, true), array(false))) as back")
        .selectExpr(
            "* except (day, at, items)",
            "if(back, return_day, day) as day",
            f"if(back, {returned_at}, at) as at",
            f"if(back, concat({RECEIPT_ID}, 'R'), {RECEIPT_ID}) as receipt_id",
            "posexplode(items) as (line_no, item)",
        )
        .selectExpr("*", "item.quantity * if(back, -1, 1) as quantity")
        .selectExpr("*", "round(quantity * item.price * saving, 2) + 0.0D as reduction")
    )
    line = csv_line({
        "receipt_id": "receipt_id",
        "line_no": "cast(line_no + 1 as string)",
        "store_id": "store_id",
        "till": f"cast(1 + {d.below(6, 'till', 'touch_id')} as string)",
        "sold_at": "date_format(at, 'dd.MM.yyyy HH:mm:ss')",
        "card_no": "card_no",
        "sku": "item.product_id",
        "description": "item.name",
        "quantity": "cast(quantity as string)",
        "unit_price": _money("item.price"),
        "discount": _money("reduction"),
        "line_total": _money("round(quantity * item.price - reduction, 2)"),
        "currency": "currency",
        "payment": d.choice(("card", "cash", "voucher"), "payment", "touch_id"),
        "return_of": f"if(back, {RECEIPT_ID}, null)",
    }, RECEIPTS.separator)  # fmt: skip
    return rows.selectExpr(
        "person_id", "concat(receipt_id, '|', line_no + 1) as record_key", "0 as version", "day",
        "cast(null as int) as next_day", "cast(array() as array<string>) as mess",
        "concat(date_format(at, 'yyyyMMddHHmmss'), receipt_id, line_no) as position", f"{line} as line",
    )  # fmt: skip
