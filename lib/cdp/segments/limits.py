"""How many members a segment has at most, and who comes first."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Discriminator, Field, PositiveInt, Tag

from cdp.base.settings import Strict
from cdp.conditions.columns import UnknownAttributeError
from cdp.segments.attributes import Catalogue

_SHARE = re.compile(r"(\d{1,3}(?:\.\d{1,4})?) ?%")


def _size(size: Any) -> Any:
    if isinstance(size, int) and not isinstance(size, bool) and size > 0:
        return size
    share = _SHARE.fullmatch(size.strip()) if isinstance(size, str) else None
    if share is None or not 0 < Decimal(share[1]) <= 100:
        raise ValueError(f"wanted a number of people such as 10000, or a share such as 5%, found {size!r}")
    return f"{share[1]}%"


DRAW_DIGITS = 13
"""Hexadecimal digits of a draw: as many as a double holds exactly."""
DRAWS = 16**DRAW_DIGITS
"""Above every draw."""

Size = Annotated[PositiveInt | str, BeforeValidator(_size)]
"""A number of people, or a share such as `5%`."""


def share_of(size: int | str) -> Decimal | None:
    """The share as a part of one; None: it is a number of people."""
    return None if isinstance(size, int) else Decimal(size.removesuffix("%")) / 100


def places(size: int | str, candidates: int) -> int:
    """How many of so many candidates are taken; a share is rounded up."""
    share = share_of(size)
    if share is None:
        return min(int(size), candidates)
    return int((candidates * share).to_integral_value(ROUND_CEILING))


class Ranking(Strict):
    """Who comes first: those with the highest or lowest value of an attribute."""

    attribute: str = Field(min_length=1)
    """A number, time or truth value. Whoever has none comes last."""
    horizon_days: PositiveInt | None = None
    """Horizon, for an attribute of `predictions`."""
    order: Literal["descending", "ascending"] = "descending"
    """descending: the highest first."""


def _kind_of_order(value: Any) -> str | None:
    if value == "random":
        return "random"
    return "Ranking" if isinstance(value, Mapping | BaseModel) else None


class Limit(Strict):
    """Not everybody who meets the rule is a member."""

    size: Size
    """How many at most: a number of people, or a share of those who meet the rule such as `5%`."""
    by: Annotated[
        Annotated[Literal["random"], Tag("random")] | Annotated[Ranking, Tag("Ranking")],
        Discriminator(
            _kind_of_order,
            custom_error_type="limit_by",
            custom_error_message="wanted random, or an attribute and an order such as {attribute: traits.revenue, order: descending}",
        ),
    ] = "random"
    """Who is taken: a draw that stays the same, or the first by an attribute; ties by customer_id."""
    salt: str | None = None
    """Segments with the same salt draw the same people; absent: the segment's name."""

    @property
    def is_own_draw(self) -> bool:
        """A share by chance: everybody's own draw decides, whoever else is there."""
        return self.by == "random" and share_of(self.size) is not None


def draw_of(salt: str, customer_id: str) -> int:
    """A customer's own number in the draw of limits, as `cdp.segments.caps.draw`."""
    return int(hashlib.sha256(f"limit|{salt}|{customer_id}".encode()).hexdigest()[:DRAW_DIGITS], 16)


def is_drawn(limit: Limit, drawn: int) -> bool:
    """Whether a share by chance takes the customer with this number."""
    share = share_of(limit.size)
    return share is not None and drawn < float(round(share * DRAWS))


def limit_problems(limit: Limit, *, is_lookalike: bool, catalogue: Catalogue) -> Iterator[str]:
    """What is wrong with a well-formed limit, by key path below it."""
    if is_lookalike:
        yield "size: SEGMENT_SCHEMA_ERROR: lookalike.size says how many there are; a lookalike has no other limit"
    if not isinstance(limit.by, Ranking):
        return
    if limit.salt is not None:
        yield "salt: SEGMENT_SCHEMA_ERROR: only a draw (by: random) has a salt"
    try:
        found = catalogue.find(limit.by.attribute, limit.by.horizon_days)
    except UnknownAttributeError as error:
        yield f"by.attribute: UNKNOWN_ATTRIBUTE: {error}"
        return
    if found.is_array or found.kind not in ("number", "time", "boolean"):
        kind = "list" if found.is_array else "text"
        yield f"by.attribute: SEGMENT_SCHEMA_ERROR: {limit.by.attribute} is a {kind}, wanted a number, time or truth value"
