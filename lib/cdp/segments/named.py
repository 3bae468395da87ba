"""Whether one person is on a list, in plain Python: the very outcome of `cdp.segments.listed`, which tests hold it against."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping

from cdp.segments.lists import ListCondition, values_of
from cdp.silver.email_reading import address_in
from cdp.silver.phones import numbers_in

_HASHED = re.compile(r"[0-9a-fA-F]{64}")
_FILLED = re.compile(r"[^ \t\n\x0b\f\r]")
_GMAIL = re.compile(r"@(?:gmail|googlemail)\.com\Z")
_OF_NUMBER = re.compile(r"[0-9 +().\-/]+")
_NO_DIGITS = str.maketrans("", "", " +().-/")
_LAST = 4


def named_as(
    condition: ListCondition, identifiers: Mapping[str, Iterable[str]], default_country: str | None
) -> str | None:
    """The person's identifier that stands on a list, as it is or hashed; None: none does.

    The list is read entry by entry, and no more of it is held than one.

    Args:
        condition: the list.
        identifiers: of the person, by type, in their one form; under customer_id also former ids that hold no more.
        default_country: country of phone numbers of lists without a country code.
    """
    kind = condition.identifier
    own = {way: value for value in sorted(identifiers.get(kind, ())) for way in ways(kind, value)}
    if not own:
        return None
    entries = (text.strip(" ") for text in values_of(condition) if _FILLED.search(text))
    return next(
        (own[way] for entry in entries for way in _forms(kind, entry, own, default_country) if way in own), None
    )


def ways(kind: str, value: str) -> list[str]:
    """An identifier and its hashes, as `cdp.segments.listed` has them of all."""
    hashed = []
    if kind == "email":
        domain = value.rpartition("@")[2]
        short = re.sub(r"\+.*|\.", "", value.split("@")[0]) + "@" + domain if _GMAIL.search(value) else value
        hashed = [value, short]
    elif kind == "phone":
        hashed = [value, value.removeprefix("+")]
    return [value, *(hashlib.sha256(text.encode()).hexdigest() for text in hashed)]


def _forms(kind: str, entry: str, own: Mapping[str, str], default_country: str | None) -> Iterator[str]:
    """The one form of an entry; nothing where it cannot be one of the person's own."""
    if kind in ("email", "phone") and _HASHED.fullmatch(entry):
        yield entry.lower()
    elif kind == "email":
        yield address_in(entry) or entry
    elif kind == "phone":
        if _may_be(entry, own):
            yield next(iter(numbers_in(entry, default_country)), entry)
    else:
        yield entry


def _may_be(entry: str, own: Mapping[str, str]) -> bool:
    """Whether a text may be one of some numbers: libphonenumber takes its time over each."""
    if not _OF_NUMBER.fullmatch(entry):
        return True
    digits = entry.translate(_NO_DIGITS)
    return any(number.removeprefix("+")[-_LAST:] in digits for number in own.values())
