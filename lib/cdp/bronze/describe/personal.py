"""What values look like that speak of a person, whatever their column is called."""

import re
from collections.abc import Callable, Sequence

_EMAIL = re.compile(r"[^\s@,;<>]+@[^\s@,;<>]+\.[A-Za-z]{2,}")
_EMAIL_IN_TEXT = re.compile(r"[^\s@]@[^\s@]+\.[A-Za-z]{2,}")
_PHONE = re.compile(r"(?:\+|00|\(?0)[\d() ./-]{6,20}\d|\(?[2-9]\d{2}\)?[ .-]\d{3}[ .-]\d{4}")
_IP = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}|(?:[0-9a-fA-F]{0,4}:){4,7}[0-9a-fA-F]{0,4}")
_IBAN = re.compile(r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?")
_NATIONAL = re.compile(r"\d{3}-\d{2}-\d{4}")
_CARD = re.compile(r"\d{4}[ -]?\d{4,6}[ -]?\d{4,5}[ -]?\d{0,4}")
_PLAIN_NUMBER = re.compile(r"0\.\d+|[\d.]+-[\d.]+-[\d.]+|\d{1,4}[./-]\d{1,2}[./-]\d{1,4}.*")
_LOOKED_AT = 2_000
_MOST = 0.6


def meaning_by_content(values: Sequence[str]) -> str | None:
    """email, phone, ip, iban, national_id or payment_card where most values look so; None where they do not."""
    some = values[:_LOOKED_AT]
    tests: tuple[tuple[str, Callable[[str], object]], ...] = (
        ("email", _EMAIL.fullmatch),
        ("ip", _IP.fullmatch),
        ("national_id", _NATIONAL.fullmatch),
        ("payment_card", _is_card),
        ("iban", _IBAN.fullmatch),
        ("phone", _is_phone),
    )
    for meaning, fits in tests:
        if some and sum(bool(fits(v)) for v in some) >= _MOST * len(some):
            return meaning
    return None


def holds_addresses(values: Sequence[str]) -> bool:
    """Whether e-mail addresses stand among or within the values."""
    return any(_EMAIL_IN_TEXT.search(v) for v in values if "@" in v)


def _is_phone(value: str) -> bool:
    return bool(_PHONE.fullmatch(value)) and not _PLAIN_NUMBER.fullmatch(value) and sum(map(str.isdigit, value)) >= 8


def _is_card(value: str) -> bool:
    """Whether the check digit of a payment card is right (ISO/IEC 7812-1, annex B)."""
    if not _CARD.fullmatch(value):
        return False
    digits = [int(c) for c in reversed(value) if c.isascii() and c.isdigit()]
    doubled = [2 * d - 9 * (d > 4) for d in digits[1::2]]
    return 15 <= len(digits) <= 16 and digits[-1] in (3, 4, 5, 6) and (sum(digits[::2]) + sum(doubled)) % 10 == 0
