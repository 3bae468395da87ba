"""The extracts that are not a record or act of a customer: products, consent statements, campaign costs."""

from typing import Any

import numpy as np
from pyspark.sql import DataFrame, SparkSession

from cdp.sample.contacts import moment
from cdp.sample.lines import Extract, csv_line
from cdp.sample.people import NEVER
from cdp.sample.render_contacts import iso
from cdp.sample.world import World

PRODUCTS = Extract(
    "products",
    "csv",
    ("sku", "name", "category", "brand", "price", "cost", "in_stock", "updated_at"),
    per_person=0.0,
)
CONSENTS = Extract(
    "consent_statements", "csv",
    ("statement_id", "email", "phone", "card_no", "purpose", "status", "legal_basis", "jurisdiction", "proof",
     "captured_at", "expires_at"), per_person=1.5,
)  # fmt: skip
COSTS = Extract(
    "campaign_costs",
    "csv",
    ("day", "campaign", "channel", "cost", "currency", "impressions", "clicks"),
    per_person=0.0,
)
_LIST = "person_id bigint, record_key string, version int, day int, next_day int, mess array<string>, position string"


def _frame(spark: SparkSession, rows: list[tuple[Any, ...]], columns: str) -> DataFrame:
    return spark.createDataFrame(rows, f"{_LIST}, {columns}")


def products(spark: SparkSession, world: World) -> DataFrame:
    """The catalogue: once at the start, and some articles again on later days, when their stock changes."""
    goods = world.catalogue
    rows: list[tuple[Any, ...]] = []
    for i in range(len(goods.sku)):
        sku, price, stocked = str(goods.sku[i]), float(goods.price[i]), bool(goods.in_stock[i])
        change = world.today + 1 + (i * 7919) % 365 if i % 3 == 0 else None
        fields = (
            str(goods.name[i]),
            str(goods.category[i]),
            str(goods.brand[i]),
            f"{price:.2f}",
            f"{goods.cost[i]:.2f}",
        )
        rows.append((None, sku, 0, 0, change, [], sku, *fields, str(stocked).lower()))
        if change is not None:
            rows.append((None, sku, 1, change, None, [], sku, *fields, str(not stocked).lower()))
    frame = _frame(
        spark, rows, "name string, category string, brand string, price string, cost string, in_stock string"
    )
    columns = {name: name for name in PRODUCTS.header} | {"sku": "record_key"}
    columns["updated_at"] = iso(moment(world, "day", "14400"))
    return frame.selectExpr("*", f"{csv_line(columns)} as line")


def campaign_costs(spark: SparkSession, world: World) -> DataFrame:
    """What each day of each campaign cost (advertising: the platforms' daily report)."""
    rows: list[tuple[Any, ...]] = []
    thousands = world.settings.persons / 1_000
    for c in world.campaigns:
        for day in range(c.first_day, min(c.first_day + c.days, world.horizon)):
            u = float(world.uniform("cost", np.array([c.number]), day)[0])
            cost = c.daily_cost * thousands * (0.8 + 0.4 * u)
            shown = int(cost * (40 if c.channel == "email" else 150) * (0.8 + 0.4 * u))
            key = f"{world.date_of(day).isoformat()}|{c.name}|{c.channel}"
            rows.append(
                (
                    None,
                    key,
                    0,
                    day,
                    None,
                    [],
                    key,
                    c.name,
                    c.channel,
                    f"{cost:.2f}",
                    str(shown),
                    str(int(shown * 0.02)),
                )
            )
    frame = _frame(
        spark, rows, "campaign string, channel string, cost string, impressions string, clicks string"
    )
    columns = {name: name for name in COSTS.header}
    columns |= {"day": f"cast(date_add(DATE'{world.start}', day) as string)", "currency": "'EUR'"}
    return frame.selectExpr("*", f"{csv_line(columns)} as line")


def consent_statements(people: DataFrame, world: World) -> DataFrame:
    """What persons said about each purpose: granted or denied when they came, withdrawn later by some."""
    d = world.dice
    known = people.where("kind <> 'visitor' and (in_mail or in_shop or in_crm or in_loyalty)")
    purposes = {
        "email_marketing": f"if(in_mail, 'granted', if({d.uniform('mail', 'person_id')} < 0.5D, 'denied', null))",
        "sms_marketing": f"if({d.uniform('sms', 'person_id')} < 0.30D, 'granted', if({d.uniform('sms', 'person_id')} < 0.5D, 'denied', null))",
        "advertising": "if(wants_ads, 'granted', 'denied')",
        "profiling": f"if({d.uniform('profiling', 'person_id')} < 0.55D, 'granted', if({d.uniform('profiling', 'person_id')} < 0.75D, 'denied', null))",
    }  # fmt: skip
    answers = ", ".join(
        f"named_struct('purpose', '{p}', 'status', {status})" for p, status in purposes.items()
    )
    withdraws = f"({d.uniform('withdraws', 'person_id', 'purpose')} < 0.10D)"
    later = f"first_day + 10 + {d.below(700, 'withdraws on', 'person_id', 'purpose')}"
    rows = (
        known.selectExpr(
            "person_id", "country", "email", "phone", "calling_code", "card_no", "join_day", "subscribed_day", "unsubscribed_day",
            f"explode(filter(array({answers}), x -> x.status is not null)) as answer",
        )
        .selectExpr("*", "answer.purpose as purpose", "answer.status as said",
                    "if(answer.purpose = 'email_marketing' and answer.status = 'granted', subscribed_day, join_day) as first_day")
        .selectExpr(
            "*",
            f"""case when said <> 'granted' then null when purpose = 'email_marketing' and unsubscribed_day < {NEVER} then unsubscribed_day
                     when {withdraws} then {later} end as last_day""",
        )
        .selectExpr("*", "explode(if(last_day is null, array(0), array(0, 1))) as step")
        .selectExpr(
            "*",
            "if(step = 0, first_day, last_day) as day",
            "if(step = 0, said, 'withdrawn') as status",
            f"concat('K', pmod((person_id * 8 + step * 4 + {_purpose_number()}) * 2654435761, 100000000000)) as record_key",
        )
        .where(f"day < {world.horizon}")
        .selectExpr("*", f"{moment(world, 'day', d.below(50_000, 'consent', 'record_key') + ' + 30000')} as captured_at")
    )  # fmt: skip
    line = csv_line({
        "statement_id": "record_key",
        "email": "if(purpose = 'sms_marketing', null, email)",
        "phone": "if(purpose = 'sms_marketing', concat('+', calling_code, phone), null)",
        "card_no": f"if({d.uniform('consent by card', 'person_id')} < 0.4D, card_no, null)",
        "purpose": "purpose",
        "status": "status",
        "legal_basis": f"if(purpose = 'profiling' and {d.uniform('basis', 'person_id')} < 0.3D, 'legitimate_interest', 'consent')",
        "jurisdiction": "case country when 'GB' then 'UK-GDPR' when 'US' then 'CCPA' else 'GDPR' end",
        "proof": f"concat({d.choice(('web-form', 'checkout', 'store-tablet', 'preference-centre'), 'proof', 'record_key')}, ':', record_key)",
        "captured_at": iso("captured_at"),
        "expires_at": f"if(status = 'granted' and country = 'FR', {iso('captured_at + interval 1095 days')}, null)",
    })  # fmt: skip
    return rows.selectExpr(
        "person_id", "record_key", "0 as version", "day", "cast(null as int) as next_day",
        "cast(array() as array<string>) as mess", "record_key as position", f"{line} as line",
    )  # fmt: skip


def _purpose_number() -> str:
    return "case purpose when 'email_marketing' then 0 when 'sms_marketing' then 1 when 'advertising' then 2 else 3 end"
