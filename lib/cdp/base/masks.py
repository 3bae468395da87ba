"""Personal values made unreadable: enough is left to see which of several people is meant, and to read a value back to them.

What is personal is what the contracts tag so; a column that is added to a table later is masked by its tag alone.
"""

from collections.abc import Callable, Mapping
from typing import Any

from cdp.base.contracts import Table

Row = dict[str, Any]

HIDDEN = "***"

_ALSO_PERSONAL = ("attributes", "coupon")
"""Columns that may hold anything of a person, whatever their tags."""


def masked_row(row: Row, table: Table) -> Row:
    """A row of a table without readable values of its personal columns."""
    personal = {*table.pii_columns, *_ALSO_PERSONAL}
    kind = row.get("id_type")
    return {
        name: masked(value, mask_of(str(kind) if name == "id_value" else name)) if name in personal else value
        for name, value in row.items()
    }


def masked(value: Any, mask: Callable[[str], str]) -> Any:
    """A value, or each of a list, through a mask; nothing stays nothing."""
    if value is None or value == "":
        return value
    if isinstance(value, list):
        return [masked(item, mask) for item in value]
    if isinstance(value, Mapping):
        return dict.fromkeys(value, HIDDEN)
    return mask(str(value))


def mask_of(kind: str) -> Callable[[str], str]:
    """The mask of a column or of a type of identifier."""
    return _MASKS.get(kind, _end)


def hidden(_: str) -> str:
    """Nothing is left."""
    return HIDDEN


def _initials(text: str) -> str:
    return " ".join(word[0] + HIDDEN for word in text.split())


def _address(text: str) -> str:
    local, _, domain = text.partition("@")
    return f"{local[:1]}{HIDDEN}@{domain[:1]}{HIDDEN}.{domain.rpartition('.')[2]}"


def _end(text: str) -> str:
    """The last two characters, of what is long enough for them to tell little."""
    return HIDDEN + (text[-2:] if len(text) > 5 else "")


def _start(text: str) -> str:
    return text[:2] + HIDDEN if len(text) > 3 else HIDDEN


def _year(text: str) -> str:
    return f"{text[:4]}-**-**"


_MASKS: Mapping[str, Callable[[str], str]] = {
    **dict.fromkeys(("name", "full_name", "given_name", "family_name", "city"), _initials),
    **dict.fromkeys(("email", "emails"), _address),
    "postal_code": _start,
    "birth_date": _year,
    **dict.fromkeys(("street", "street_2", "region", "gender", "coupon"), hidden),
}
