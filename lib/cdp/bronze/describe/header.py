"""Whether the first line of a delimited file names the columns, and what the columns are then called."""

import re
from collections.abc import Sequence

from cdp.bronze.describe.kinds import kind_of
from cdp.bronze.describe.words import is_code, meaning_of

_LOOKED_AT = 200
_DATA = re.compile(r"[+-]?[\d.,' /:-]*\d[\d.,' /:TZ-]*|\S+@\S+\.\S+|https?://.*|\+?[\d() ./-]{6,}")
_MADE_UP = re.compile(r"\w*_\w+|[a-z]+[A-Z]\w*")


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns.

    In doubt it does not: a person's data taken for names would be shown.

    Args:
        rows: the first rows, at least one.
    """
    first = [cell.strip() for cell in rows[0]]
    given = [cell for cell in first if cell]
    folded = [cell.lower() for cell in given]
    if not given or any(len(cell) > 100 for cell in given):
        return False
    known = sum(meaning_of(cell) is not None or is_code(cell) for cell in given)
    if any("@" in cell for cell in given):
        return False
    if sum(bool(_DATA.fullmatch(cell)) for cell in given) > (len(given) - 1) / 2 and known < len(given) / 2:
        return False
    if any(_DATA.fullmatch(cell) for cell in given) and not known:
        return False
    if known and known >= len(given) / 5:
        return True
    if len(set(folded)) < len(folded):
        return False
    body = rows[1 : _LOOKED_AT + 1]
    return _differs_in_kind(first, body) or _differs_in_style(given, body)


def names_of(header: Sequence[str]) -> list[str]:
    """The names under which the columns of a header are read, as `cdp.bronze.read` makes them."""
    seen: dict[str, int] = {}
    names = []
    for position, name in enumerate(header, start=1):
        plain = name.strip().replace("`", "'") or f"column_{position}"
        count = seen[plain.lower()] = seen.get(plain.lower(), 0) + 1
        names.append(plain if count == 1 else f"{plain}_{count}")
    return names


def _differs_in_kind(first: Sequence[str], body: Sequence[Sequence[str]]) -> bool:
    """Whether a column holds numbers or dates below a word."""
    for position, cell in enumerate(first):
        values = {row[position].strip(" ") for row in body if len(row) > position} - {""}
        if cell and values and not _DATA.fullmatch(cell):
            kind = kind_of(values, is_text=False, is_dated=False, day_first=None)
            if kind.type != "string" or all(map(_DATA.fullmatch, values)):
                return cell not in values
    return False


def _differs_in_style(given: Sequence[str], body: Sequence[Sequence[str]]) -> bool:
    """Whether the first line is written like names in a program, and the others are not."""
    made_up = sum(bool(_MADE_UP.fullmatch(cell)) for cell in given)
    cells = [cell for row in body for cell in row if cell.strip()]
    below = sum(bool(_MADE_UP.fullmatch(cell)) for cell in cells)
    return bool(cells) and made_up >= len(given) / 2 and below < len(cells) / 10
