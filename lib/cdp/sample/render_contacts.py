"""Customer records as each system exports them: CRM, shop, loyalty, mail, social, purchased list."""

from pyspark.sql import DataFrame

from cdp.sample.lines import Extract, csv_line, json_line, struct
from cdp.sample.world import World

_ISO = "yyyy-MM-dd\\'T\\'HH:mm:ss\\'Z\\'"

CRM = Extract(
    "crm_contacts", "csv",
    ("contact_id", "salutation", "first_name", "last_name", "suffix", "native_name", "birth_date", "email", "phone",
     "street", "street_2", "city", "state", "postal_code", "country", "language", "job_title", "lead_source", "card_no",
     "status", "email_opt_in", "opt_in_at", "created_at", "updated_at"), per_person=0.45,
)  # fmt: skip
SHOP = Extract("shop_customers", "json", per_person=0.6)
LOYALTY = Extract(
    "loyalty_members", "csv",
    ("card_no", "title", "first_name", "last_name", "date_of_birth", "email", "phone", "street", "postcode", "city",
     "country", "tier", "points", "home_store", "enrolled_on", "last_update"),
    separator=";", latin=True, per_person=0.4,
)  # fmt: skip
SUBSCRIBERS = Extract(
    "email_subscribers", "csv",
    ("subscriber_id", "email", "first_name", "last_name", "country", "language", "status", "signup_source",
     "subscribed_at", "unsubscribed_at", "updated_at"), per_person=0.45,
)  # fmt: skip
LEADS = Extract(
    "social_leads", "csv",
    ("lead_id", "platform", "handle", "full_name", "email", "phone", "city", "country", "campaign", "marketing_consent",
     "created_time"), per_person=0.15,
)  # fmt: skip
PARTNER = Extract("partner_list", "parquet", per_person=0.15)

_KEPT = ("person_id", "record_key", "version", "day", "next_day", "mess")
_FULL_NAME = "concat_ws(' ', given_name, family_name, name_suffix)"


def iso(value: str) -> str:
    """SQL: a UTC time as 2026-11-24T08:30:00Z; null stays null."""
    return f"date_format({value}, '{_ISO}')"


def _rendered(contacts: DataFrame, source: str, line: str) -> DataFrame:
    return contacts.where(f"source = '{source}'").selectExpr(
        *_KEPT, "record_key as position", f"{line} as line"
    )


def crm_contacts(contacts: DataFrame, world: World) -> DataFrame:
    d = world.dice
    opted = f"({d.uniform('crm opt in', 'person_id')} < 0.55D)"
    line = csv_line({
        "contact_id": "record_key",
        "salutation": "case when gender = 'F' then if(country = 'FR', 'Mme', if(country = 'DE', 'Frau', if(country = 'ES', 'Sra.', 'Ms')))"
        " else if(country = 'FR', 'M.', if(country = 'DE', 'Herr', if(country = 'ES', 'Sr.', 'Mr'))) end",
        "first_name": "given_name",
        "last_name": "family_name",
        "suffix": "name_suffix",
        "native_name": "native_name",
        "birth_date": "date_format(birth_date, 'yyyy-MM-dd')",
        "email": "email",
        "phone": "phone",
        "street": "street",
        "street_2": "street_2",
        "city": "city",
        "state": "region",
        "postal_code": "postal_code",
        "country": "country",
        "language": "language",
        "job_title": f"if({d.uniform('has job', 'person_id')} < 0.4D, {d.choice(('Teacher', 'Nurse', 'Engineer', 'Accountant', 'Student', 'Retired', 'Designer', 'Manager'), 'job', 'person_id')}, null)",
        "lead_source": d.choice(("Web", "Store", "Event", "Referral", "Call centre"), "lead source", "person_id"),
        "card_no": f"if({d.uniform('crm knows card', 'person_id')} < 0.5D, card_no, null)",
        "status": f"if({d.uniform('crm status', 'person_id')} < 0.96D, 'active', 'closed')",
        "email_opt_in": f"if({opted}, 'Y', 'N')",
        "opt_in_at": f"if({opted}, {iso('created_at')}, null)",
        "created_at": iso("created_at"),
        "updated_at": iso("updated_at"),
    })  # fmt: skip
    return _rendered(contacts, CRM.name, line)


def shop_customers(contacts: DataFrame, world: World) -> DataFrame:
    """Shopify's customer object: camelCase, address nested."""
    d = world.dice
    address = struct({
        "address1": "street", "address2": "street_2", "city": "city", "province": "region", "zip": "postal_code",
        "countryCode": "country", "phone": "phone",
    })  # fmt: skip
    line = json_line({
        "id": "record_key",
        "email": "email",
        "phone": "phone",
        "firstName": "given_name",
        "lastName": "family_name",
        "displayName": f"coalesce(native_name, {_FULL_NAME})",
        "locale": "concat(language, '-', country)",
        "currency": "currency",
        "state": "'enabled'",
        "acceptsMarketing": f"{d.uniform('shop marketing', 'person_id')} < 0.45D",
        "loyaltyCard": f"if({d.uniform('shop knows card', 'person_id')} < 0.35D, card_no, null)",
        "tags": f"if({d.uniform('vip', 'person_id')} < 0.05D, array('vip'), array())",
        "defaultAddress": f"if(street is null, null, {address})",
        "createdAt": iso("created_at"),
        "updatedAt": iso("updated_at"),
    })  # fmt: skip
    return _rendered(contacts, SHOP.name, line)


def loyalty_members(contacts: DataFrame, world: World) -> DataFrame:
    """The till system's member file: semicolons, Latin-1, days before months."""
    d = world.dice
    points = d.below(4_000, "points", "record_key", "version")
    line = csv_line({
        "card_no": "record_key",
        "title": "if(gender = 'F', 'F', 'M')",
        "first_name": "given_name",
        "last_name": "concat_ws(' ', family_name, name_suffix)",
        "date_of_birth": "date_format(birth_date, 'dd.MM.yyyy')",
        "email": "email",
        "phone": "phone",
        "street": "nullif(concat_ws(', ', street, street_2), '')",
        "postcode": "postal_code",
        "city": "city",
        "country": "country",
        "tier": f"if({points} > 3000, 'gold', if({points} > 1500, 'silver', 'bronze'))",
        "points": f"cast({points} as string)",
        "home_store": "home_store",
        "enrolled_on": "date_format(created_at, 'dd.MM.yyyy')",
        "last_update": "date_format(updated_at, 'dd.MM.yyyy HH:mm:ss')",
    }, LOYALTY.separator)  # fmt: skip
    return _rendered(contacts, LOYALTY.name, line)


def email_subscribers(contacts: DataFrame, world: World) -> DataFrame:
    """The mail platform's list. Who unsubscribes gets a last version on that day."""
    d = world.dice
    left = f"date_add(DATE'{world.start}', unsubscribed_day)"
    mine = contacts.where(f"source = '{SUBSCRIBERS.name}'")
    gone = "unsubscribed_day > day and (next_day is null or unsubscribed_day < next_day)"
    split = mine.selectExpr(
        "*",
        f"explode(if({gone} and unsubscribed_day < {world.horizon}, array(false, true), array(false))) as leaves",
        f"{gone} as will_leave",
    ).selectExpr(
        "* except (day, next_day, version, updated_at)",
        "if(leaves, unsubscribed_day, day) as day",
        "if(not leaves and will_leave, unsubscribed_day, next_day) as next_day",
        "if(leaves, version + 2, version) as version",
        f"if(leaves, cast({left} as timestamp_ntz) + interval 12 hours, updated_at) as updated_at",
    )
    line = csv_line({
        "subscriber_id": "record_key",
        "email": "email",
        "first_name": "given_name",
        "last_name": f"if({d.uniform('gives family name', 'record_key')} < 0.7D, family_name, null)",
        "country": "country",
        "language": "language",
        "status": "if(unsubscribed_day <= day, 'unsubscribed', 'subscribed')",
        "signup_source": d.choice(("website", "checkout", "store", "competition"), "signup", "record_key"),
        "subscribed_at": iso("created_at"),
        "unsubscribed_at": f"if(unsubscribed_day <= day, date_format({left}, 'yyyy-MM-dd\\'T\\'12:00:00\\'Z\\''), null)",
        "updated_at": iso("updated_at"),
    })  # fmt: skip
    return split.selectExpr(*_KEPT, "record_key as position", f"{line} as line")


def social_leads(contacts: DataFrame, world: World) -> DataFrame:
    d = world.dice
    line = csv_line({
        "lead_id": "record_key",
        "platform": "platform",
        "handle": "handle",
        "full_name": f"coalesce(native_name, {_FULL_NAME})",
        "email": "email",
        "phone": "phone",
        "city": "city",
        "country": "country",
        "campaign": d.choice(("lookbook", "giveaway", "store_opening", "newsletter_form"), "lead campaign", "record_key"),
        "marketing_consent": f"if({d.uniform('lead consent', 'record_key')} < 0.7D, 'true', 'false')",
        "created_time": iso("updated_at"),
    })  # fmt: skip
    return _rendered(contacts, LEADS.name, line)


def partner_list(contacts: DataFrame, world: World) -> DataFrame:
    """A purchased list: typed columns instead of a line; the whole address in one."""
    d = world.dice
    return contacts.where(f"source = '{PARTNER.name}' and version = 0").selectExpr(
        "person_id", "record_key", "version", "day", "cast(null as int) as next_day", "mess", "record_key as position",
        "cast(null as string) as line",
        "record_key as partner_ref",
        f"{_FULL_NAME} as full_name",
        "cast(year(birth_date) as int) as birth_year",
        "gender",
        "email",
        "phone",
        "concat_ws(', ', street, concat_ws(' ', postal_code, city)) as address",
        "country",
        f"{d.choice(('low', 'middle', 'high'), 'income', 'person_id')} as income_band",
        f"array({d.choice(('travel', 'sport', 'garden', 'music'), 'interest', 'person_id')}, "
        f"{d.choice(('cooking', 'fashion', 'technology', 'family'), 'interest 2', 'person_id')}) as interests",
        "cast(updated_at as date) as provided_on",
    )  # fmt: skip


PARTNER_COLUMNS = (
    "partner_ref", "full_name", "birth_year", "gender", "email", "phone", "address", "country", "income_band",
    "interests", "provided_on",
)  # fmt: skip
