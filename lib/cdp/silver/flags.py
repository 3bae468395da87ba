"""What cleaning has to say of a record: flags of a fixed vocabulary, and what was sent of fields that were changed."""

from cdp.base.sql import literal
from cdp.silver.postal import lost_a_zero
from cdp.silver.text import is_odd, tidy

_TEXTS = (
    *("full_name", "given_name", "middle_name", "family_name", "name_suffix", "native_name", "gender"),
    *("street", "street_2", "city", "region", "postal_code", "country", "language"),
)
_EVERY = (*_TEXTS, "address")
BEFORE_1900 = "birth_date: before 1900"
_OLDEST = "DATE'1900-01-01'"
# Of a living person it is a slip, which tells a person's records from others' all the same; in a register of the dead it is right.
_EARLIEST = "DATE'1000-01-01'"
# What systems write for "unknown": the first days of their calendars, and of decades and centuries.
_DEFAULTS = ", ".join(
    f"DATE'{day}'"
    for day in (
        *("1000-01-01", "1111-11-11", "1582-10-15", "1600-01-01", "1601-01-01", "1700-01-01", "1753-01-01", "1800-01-01"),
        *("1858-11-17", "1899-12-30", "1899-12-31", "1900-01-01", "1901-01-01", "1970-01-01"),
    )
)

_CENTURY_EARLIER = "CAST(birth_date - INTERVAL 100 YEARS AS DATE)"
# Two digits of a year are read as 20xx. Who would be born years from now was born a century before; who would be born in
# days or months is mistyped in some way that nobody knows.
_IS_CENTURY_LATE = f"(year(birth_date) < 2100 AND birth_date > add_months(to_date(_updated_at), 12) AND {_CENTURY_EARLIER} >= {_OLDEST})"


def birth_date() -> str:
    """SQL: the date of birth, where it may be one on the day of the record's version."""
    plausible = f"birth_date BETWEEN {_EARLIEST} AND to_date(_updated_at) AND birth_date NOT IN ({_DEFAULTS})"
    return f"CASE WHEN {plausible} THEN birth_date WHEN {_IS_CENTURY_LATE} THEN {_CENTURY_EARLIER} END"


def birth_year() -> str:
    """SQL: the year of birth, from the date where there is one."""
    plausible = f"birth_year BETWEEN year({_EARLIEST}) AND year(_updated_at)"
    return f"coalesce(year(_birth_date), CASE WHEN {plausible} THEN birth_year END)"


def flags() -> str:
    """SQL: lines of what was found wrong, empty where nothing was. Reads the columns of `people.customer_records`."""
    fills = " OR ".join(
        f"({text} IS NOT NULL AND {name} IS NULL)"
        for text, name in (
            *(("_given", "_said_given"), ("_family", "_said_family"), ("_whole", "_full")),
            *(("_given_half", "_given_name"), ("_family_half", "_family_name")),
        )
    )
    cases = {
        "text: repaired": f"_mended IS NOT NULL AND {is_odd(_EVERY)}",
        "name: placeholder": fills,
        "birth_date: in the future": f"birth_date > to_date(_updated_at) AND NOT {_IS_CENTURY_LATE}",
        "birth_date: two-digit year": _IS_CENTURY_LATE,
        BEFORE_1900: f"birth_date < {_OLDEST} AND birth_date NOT IN ({_DEFAULTS})",
        "birth_date: placeholder": f"birth_date IN ({_DEFAULTS})",
        "birth_year: not plausible": "birth_year IS NOT NULL AND _birth_year IS NULL",
        "email: syntax": "size(array_compact(_forms)) < size(_pieces)",
        "phone: not valid": "_numbers.refused > 0",
        "country: unknown": f"_code IS NULL AND {tidy('country')} IS NOT NULL",
        "postal_code: first zero restored": lost_a_zero("_code_sent", "_land"),
        "postal_code: not of the country": "NOT _is_of_country",
    }
    found = ", ".join(f"CASE WHEN {condition} THEN {literal(flag)} END" for flag, condition in cases.items())
    return f"concat_ws('\n', {found})"


def raw() -> str:
    """SQL: an array of (field, what was sent) for the fields of which something else was made, and null for the others."""
    differs = {name: (name, f"NOT ({name} <=> _{name})") for name in _TEXTS}
    differs |= {
        "birth_date": ("CAST(birth_date AS STRING)", "NOT (birth_date <=> _birth_date)"),
        "birth_year": ("CAST(birth_year AS STRING)", "NOT (birth_year <=> _birth_year)"),
        "email": ("email", "NOT array_contains(_emails, email)"),
        "phone": ("phone", "NOT array_contains(_phones, phone)"),
        "emails": ("array_join(emails, '; ')", "size(array_except(emails, _emails)) > 0"),
        "phones": ("array_join(phones, '; ')", "size(array_except(phones, _phones)) > 0"),
        "address": ("address", "NOT (address <=> _street)"),
    }
    entries = ", ".join(
        f"CASE WHEN {sent} != '' AND {differs_} THEN named_struct('field', {literal(name)}, 'sent', {sent}) END"
        for name, (sent, differs_) in differs.items()
    )
    return f"array({entries})"
