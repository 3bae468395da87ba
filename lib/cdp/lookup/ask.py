"""What somebody typed, brought into the form in which the lake knows it."""

import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass

from cdp.base.errors import UsageError
from cdp.gold.search_keys import identifier_key
from cdp.silver.folding import folded_name
from cdp.silver.phones import number_in

NAME, EMAIL, PHONE, CUSTOMER = "name", "email", "phone", "customer_id"
ANY = "*"
"""No name of a type, so that nobody can type it."""
_GMAIL = ("gmail.com", "googlemail.com")
_LONGEST = 250
_FEWEST_DIGITS = 6
_TYPED_ID = re.compile(r"([a-z][a-z0-9_.]*)\s*=\s*(\S.*)")
_CUSTOMER_ID = re.compile("c[0-9a-f]{20}", re.IGNORECASE)
_AROUND = re.compile(r"^(?:[^<>]*<)?\s*(?:mailto:)?([^<>?]*?)(?:\?.*)?>?[\s.,;]*$", re.IGNORECASE)


@dataclass(frozen=True)
class Asked:
    """One thing to look for.

    Attributes:
        kind: name, email, phone, customer_id, another type of identifier, or any of them.
        text: as it was typed, without spaces around it.
        country: ISO 3166 alpha-2 of a phone number in local form, where it is known.
    """

    kind: str
    text: str
    country: str | None = None


def asked(kind: str, text: str, *, option: str, country: str | None = None) -> Asked:
    """Check what was typed.

    Raises:
        UsageError: nobody can be looked up by it; names the option, not the value.
    """
    text = text.strip()
    if not text or len(text) > _LONGEST or not _is_printable(text):
        found = "nothing" if not text else f"{len(text)} characters" if len(text) > _LONGEST else "control characters"
        raise UsageError(f"{option}: found {found}, wanted up to {_LONGEST} printable characters")
    if kind == EMAIL and not re.fullmatch(r"[^@\s]+@[^@\s]+", address(text)):
        raise UsageError(f"{option}: found no e-mail address, wanted name@domain")
    if kind == PHONE and len(digits(text)) < _FEWEST_DIGITS:
        raise UsageError(f"{option}: found fewer than {_FEWEST_DIGITS} digits, wanted a phone number")
    if kind == NAME and not folded_name(text):
        raise UsageError(f"{option}: found no letters, wanted a name")
    if kind not in (NAME, ANY) and identifier_key(text) == identifier_key(""):
        raise UsageError(f"{option}: found only signs, wanted an identifier")
    if country is not None and not re.fullmatch("[A-Za-z]{2}", country):
        raise UsageError("--country: wanted two letters of ISO 3166, e.g. FR")
    return Asked(kind, text, country.upper() if country else None)


def _is_printable(text: str) -> bool:
    """Spaces of all kinds are: a no-break space comes with what is copied from a page."""
    return all(c.isprintable() or unicodedata.category(c) == "Zs" for c in text)


def typed_id(text: str, *, option: str) -> Asked:
    """`TYPE=VALUE`.

    Raises:
        UsageError: it is something else.
    """
    parts = _TYPED_ID.fullmatch(text.strip())
    if not parts:
        raise UsageError(f"{option}: wanted TYPE=VALUE, e.g. crm_id=1234")
    return asked(parts[1], parts[2], option=option)


def guessed(text: str, *, option: str) -> Asked:
    """What is meant where nobody says it: an address has an @, a name no digits, a phone number or identifier has some.

    Raises:
        UsageError: nobody can be looked up by it.
    """
    if _TYPED_ID.fullmatch(text.strip()):
        return typed_id(text, option=option)
    if "@" in text:
        return asked(EMAIL, text, option=option)
    is_id = any(c.isdigit() for c in text) or _CUSTOMER_ID.fullmatch(text.strip())
    return asked(ANY if is_id else NAME, text, option=option)


def address(text: str) -> str:
    """An e-mail address without what stands around it, in small letters, the domain in ASCII."""
    bare = _AROUND.match(text)
    local, at, domain = (bare[1] if bare else text).strip(" '\"()[]").lower().partition("@")
    with suppress(UnicodeError):
        domain = domain if domain.isascii() else domain.encode("idna").decode()
    return local + at + domain


def forms(address: str) -> set[str]:
    """The address, and what else reaches the same mailbox: Gmail has two names, and dots before its @ mean nothing."""
    local, _, domain = address.partition("@")
    return {f"{local.replace('.', '')}@{home}" for home in _GMAIL} if domain in _GMAIL else {address}


def is_address(typed: str, known: str) -> bool:
    """Whether two addresses are one mailbox."""
    return forms(typed) == forms(known)


def digits(text: str) -> str:
    """The digits 0 to 9 in a text."""
    return "".join(c for c in text if c.isdecimal() and c.isascii())


def is_number(typed: str, known: str, country: str | None) -> bool:
    """Whether a number as somebody dials it is one in E.164: dialled in that number's own country, if no other is given."""
    import phonenumbers

    if country is None:
        country = phonenumbers.region_code_for_number(phonenumbers.parse(known))
    return number_in(typed, country) == known
