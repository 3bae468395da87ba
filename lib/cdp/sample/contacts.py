"""What the systems believe about persons: the truth of that day, with the mess of real life, as Spark SQL.

One row is one version of one system's record of a person. A record has a second version when the system learns of a
move or a marriage, or when somebody corrects it.
"""

from pyspark.sql import DataFrame

from cdp.sample.people import NEVER
from cdp.sample.world import World

SOURCES = (
    "crm_contacts",
    "shop_customers",
    "loyalty_members",
    "email_subscribers",
    "social_leads",
    "partner_list",
)

_ABBREVIATIONS = (
    (" avenue ", " av. "), (" boulevard ", " bd "), (" place ", " pl. "), ("allée ", "all. "), ("chemin ", "ch. "),
    ("straße", "str."), ("platz ", "pl. "), ("Calle ", "C/ "), ("Avenida ", "Avda. "), ("Paseo ", "P.º "),
    (" Street", " St"), (" Road", " Rd"), (" Avenue", " Ave"), (" Drive", " Dr"), (" Lane", " Ln"),
    (" Boulevard", " Blvd"), (" Court", " Ct"), (" Gardens", " Gdns"), (" Close", " Cl"), ("Saint", "St"),
)  # fmt: skip


def moment(world: World, day: str, seconds: str) -> str:
    """SQL for a time of a day counted from the start of history."""
    return f"(cast(date_add(DATE'{world.start}', {day}) as timestamp_ntz) + make_dt_interval(0, 0, 0, {seconds}))"


def contacts(people: DataFrame, world: World) -> DataFrame:
    """Every version of every record, to the horizon."""
    versions = _versions(_entries(people, world), world)
    return _written(_spoilt(_current(versions, world), world), world)


def _entries(people: DataFrame, world: World) -> DataFrame:
    """A row for each system that holds the person, and one more where it holds the person twice."""
    d = world.dice
    number = "cast(pmod((person_id * 2 + {}) * 2654435761, 10000000000) as string)"
    since = {
        "crm_contacts": ("in_crm", f"join_day + {d.below(40, 'crm', 'person_id')}", f"concat('C', {number})"),
        "shop_customers": ("in_shop", "join_day", "cast(cast(shop_id as bigint) + {} * 1200000000000 as string)"),
        "loyalty_members": ("in_loyalty", f"join_day + {d.below(60, 'card', 'person_id')}", "concat(29 - {}, substr(card_no, 3))"),
        "email_subscribers": ("in_mail", "subscribed_day", f"concat('S', {number})"),
        "social_leads": ("in_social", f"join_day + {d.below(30, 'lead', 'person_id')}", f"concat('L', {number})"),
        "partner_list": ("in_partner", "greatest(cast(ceil(join_day / 91.0D) as int) * 91, 0)", f"concat('P', {number})"),
    }  # fmt: skip
    entries = ", ".join(
        f"if({member}, named_struct('source', '{source}', 'since', {day}, 'key', {key.format(0)}, 'key_2', {key.format(1)}), null)"
        for source, (member, day, key) in since.items()
    )
    one_each = people.selectExpr("*", f"explode(filter(array({entries}), x -> x is not null)) as entry")
    twice = d.chance(world.mess.duplicate_records, "duplicate record", "entry.source", "entry.key")
    return (
        one_each.selectExpr("*", f"explode(if({twice}, array(0, 1), array(0))) as record_no")
        .selectExpr(
            "*",
            "entry.source as source",
            "if(record_no = 0, entry.key, entry.key_2) as record_key",
            f"entry.since + record_no * (10 + {d.below(300, 'second', 'entry.key')}) as since",
        )
        .where(f"since < {world.horizon}")
    )


def _versions(entries: DataFrame, world: World) -> DataFrame:
    d = world.dice
    married = f"if(former_family_name is not null and married_day > since, married_day, -{NEVER})"
    moved = "if(moved_day > since, moved_day, -1)"
    learns = d.chance(0.5, "learns", "source", "record_key")
    corrected = d.chance(0.08, "corrected", "source", "record_key")
    return (
        entries.selectExpr("*", f"greatest({married}, {moved}) as event_day")
        .selectExpr(
            "*",
            f"""case when event_day > since and {learns}
                     then event_day + 3 + {d.below(20, "learns after", "source", "record_key")}
                     when event_day <= since and {corrected}
                     then since + 5 + {d.below(world.horizon, "corrected on", "source", "record_key")} end as changed_day""",
            "event_day <= since as is_correction",
        )
        .selectExpr("*", "explode(if(changed_day is null, array(0), array(0, 1))) as version")
        .selectExpr(
            "*",
            "if(version = 0, since, changed_day) as day",
            "if(version = 0, changed_day, null) as next_day",
        )
        .where(f"day < {world.horizon}")
    )


def _current(versions: DataFrame, world: World) -> DataFrame:
    """Names and address that were true on the version's day, and which mess falls on the record."""
    d, m = world.dice, world.mess
    keys = ("source", "record_key")
    old_name = "(former_family_name is not null and day < married_day)"
    parts = ("street", "street_2", "city", "region", "postal_code")
    flags = {
        "m_typo": f"{d.chance(m.typo, 'typo', *keys)} and (version = 0 or not is_correction)",
        "m_nickname": f"nickname is not null and {d.chance(min(m.nickname * 3, 1.0), 'nickname', *keys)}",
        "m_swapped_names": d.chance(m.swapped_names, "swapped", *keys),
        "m_married_name": old_name,
        "m_move": "day < moved_day",
        "m_placeholder": d.chance(m.placeholder, "placeholder", *keys),
        "m_day_month_swap": f"dayofmonth(born) <= 12 and dayofmonth(born) <> month(born) and source in ('crm_contacts', "
        f"'loyalty_members') and {d.chance(min(m.day_month_swap * 2.6, 1.0), 'swap', *keys)}",
        "m_phone_format": d.chance(m.phone_format, "phone format", *keys),
        "m_address_abbreviation": d.chance(m.address_abbreviation, "abbreviate", *keys),
        "m_letter_case": d.chance(m.letter_case, "case", *keys),
        "m_other_script": f"native_name is not null and source in ('crm_contacts', 'social_leads', 'shop_customers') "
        f"and {d.uniform('script', *keys)} < 0.5D",
        "no_email": f"source not in ('email_subscribers', 'shop_customers') and {d.chance(m.missing_fields, 'no email', *keys)}",
        "no_phone": d.chance(m.missing_fields, "no phone", *keys),
        "no_birth": d.chance(m.missing_fields, "no birth", *keys),
        "no_address": d.chance(m.missing_fields, "no address", *keys),
    }
    born = f"date_sub(DATE'{world.as_of}', birth_days)"
    second_mail = f"""(record_no = 1 or (source in ('crm_contacts', 'partner_list', 'social_leads') and not shares_email
        and {d.uniform("second mail", *keys)} < 0.25D))"""
    return versions.selectExpr("*", f"{born} as born").selectExpr(
        "* except (family_name, name_suffix, email, street, street_2, city, region, postal_code)",
        f"if({old_name}, former_family_name, family_name) as family_name",
        f"if({d.uniform('suffix', *keys)} < 0.5D, name_suffix, null) as name_suffix",
        f"if({second_mail}, email_2, email) as email",
        *(f"if(day < moved_day, old_{part}, {part}) as {part}" for part in parts),
        *(f"({flag}) as {name}" for name, flag in flags.items()),
    )


def _typo(value: str) -> str:
    """SQL: two letters exchanged, one lost, or one doubled at `typo_at`; short values only have one doubled."""
    before, letter = f"substr({value}, 1, typo_at - 1)", f"substr({value}, typo_at, 1)"
    after, rest = f"substr({value}, typo_at + 1, 1)", f"substr({value}, typo_at + 2)"
    swap, drop = f"concat({before}, {after}, {letter}, {rest})", f"concat({before}, {after}, {rest})"
    twice = f"concat({before}, {letter}, {letter}, {after}, {rest})"
    return f"if(length({value}) < 6, {twice}, case typo_kind when 0 then {swap} when 1 then {drop} else {twice} end)"


def _spoilt(current: DataFrame, world: World) -> DataFrame:
    """Apply what changes values: nicknames, abbreviations, typos, swaps, placeholders, gaps."""
    d = world.dice
    keys = ("source", "record_key")
    short = "street"
    for word, abbreviation in _ABBREVIATIONS:
        short = f"replace({short}, '{word}', '{abbreviation}')"
    values = f"array(if(m_nickname, nickname, given_name), family_name, if(m_address_abbreviation, {short}, street), email)"
    return (
        current.selectExpr(
            "*",
            f"{values} as typed_in",
            f"if(m_typo, {d.below(4, 'typo where', *keys)}, -1) as typo_in",
            f"2 + {d.below(3, 'typo at', *keys)} as typo_at",
            f"{d.below(3, 'typo kind', *keys)} as typo_kind",
            f"if(m_placeholder, {d.below(3, 'placeholder where', *keys)}, -1) as placeholder_in",
        )
        .selectExpr("*", f"transform(typed_in, (v, i) -> if(i = typo_in, {_typo('v')}, v)) as spelt")
        .selectExpr(
            "* except (email, street, street_2, city, region, postal_code, given_name, family_name)",
            "if(m_swapped_names, spelt[1], spelt[0]) as given_name",
            "if(m_swapped_names, spelt[0], spelt[1]) as family_name",
            "if(placeholder_in = 0, 'na@na.com', if(no_email, null, spelt[3])) as email",
            """if(placeholder_in = 2, DATE'1900-01-01', if(no_birth, null,
               if(m_day_month_swap, make_date(year(born), dayofmonth(born), month(born)), born))) as birth_date""",
            "if(no_address, null, spelt[2]) as street",
            *(
                f"if(no_address, null, {part}) as {part}"
                for part in ("street_2", "city", "region", "postal_code")
            ),
        )
    )


def _phone(world: World) -> str:
    """SQL: one of the ways in which people of the country write the number."""
    d = world.dice
    plain = "concat('+', calling_code, phone)"
    national = "concat(trunk, phone)"
    grouped = f"""case country
        when 'FR' then regexp_replace({national}, '(..)(..)(..)(..)(..)', '$1 $2 $3 $4 $5')
        when 'GB' then regexp_replace({national}, '(.{{5}})(.*)', '$1 $2')
        when 'DE' then regexp_replace({national}, '(.{{4}})(.*)', '$1/$2')
        when 'ES' then regexp_replace({national}, '(...)(...)(...)', '$1 $2 $3')
        else regexp_replace({national}, '(...)(...)(....)', '($1) $2-$3') end"""
    dotted = f"if(country = 'US', regexp_replace(phone, '(...)(...)(....)', '$1.$2.$3'), regexp_replace({national}, '(..)', '$1.'))"
    dotted = f"if(country in ('FR', 'US'), regexp_replace({dotted}, '[.]$', ''), {national})"
    spaced = "concat('+', calling_code, ' ', if(trunk = '', '', '(0)'), phone)"
    abroad = "if(country = 'US', concat('1-', phone), concat('00', calling_code, phone))"
    way = d.below(6, "phone way", "source", "record_key")
    return f"""if(not m_phone_format, {plain}, case {way} when 0 then {national} when 1 then {abroad}
               when 2 then {spaced} when 3 then {dotted} else {grouped} end)"""


def _written(spoilt: DataFrame, world: World) -> DataFrame:
    """How the values are typed, the record's times, and the list of what is wrong with it."""
    d = world.dice
    keys = ("source", "record_key")
    case = f"if(m_letter_case, {d.below(4, 'which case', *keys)}, -1)"
    kinds = (
        "typo", "nickname", "swapped_names", "married_name", "move", "placeholder", "day_month_swap", "phone_format",
        "address_abbreviation", "letter_case", "other_script",
    )  # fmt: skip
    counted = {kind: f"m_{kind}" for kind in kinds} | {
        "missing_fields": "(no_email or no_phone or no_birth or no_address)",
        "shared_email": "shares_email and record_no = 0",
        "namesake": "is_namesake",
        "twins": "is_twin",
        "recycled_phone": "has_recycled_phone and not no_phone",
        "duplicate_records": "record_no = 1",
    }
    mess = ", ".join(f"if({flag}, '{kind}', null)" for kind, flag in counted.items())
    return spoilt.selectExpr("*", f"{case} as typed", f"{_phone(world)} as phone_text").selectExpr(
        "person_id", "source", "record_key", "record_no", "version", "day", "next_day", "country", "language",
        "currency", "gender", "name_suffix", "calling_code", "card_no", "shop_id", "handle", "platform", "home_store",
        "unsubscribed_day", "wants_ads", "birth_date", "street_2", "city", "region", "postal_code",
        "if(typed = 1, upper(given_name), if(typed = 2, lower(given_name), if(typed = 3, concat(given_name, ' '), given_name))) as given_name",
        "if(typed in (0, 1), upper(family_name), if(typed = 2, lower(family_name), family_name)) as family_name",
        "if(m_other_script, native_name, null) as native_name",
        "if(typed = 1, upper(email), if(typed = 3, concat(' ', email), email)) as email",
        "if(typed = 1, upper(street), street) as street",
        "if(placeholder_in = 1, '0000000000', if(no_phone, null, phone_text)) as phone",
        f"{moment(world, 'since', d.below(50_000, 'created', *keys) + ' + 28800')} as created_at",
        f"{moment(world, 'day', d.below(50_000, 'created', *keys) + ' + 28800 + version * 60')} as updated_at",
        f"array_compact(array({mess})) as mess",
    )  # fmt: skip
