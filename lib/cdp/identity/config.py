"""conf/identity.yaml: what links records, what must not, and how sure to be."""

import re
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from cdp.base.settings import Document, Strict, did_you_mean

FIELDS = (
    *("full_name", "given_name", "middle_name", "family_name", "name_suffix", "native_name"),
    *("birth_date", "birth_year", "gender", "email", "phone", "street", "street_2", "city", "region"),
    *("postal_code", "country", "language"),
)
"""Fields of a customer record that may be compared."""

CONTACT_TYPES = ("email", "phone")
"""Identifiers that people share: on them names have a say."""

DEVICE_TYPES = ("anonymous_id", "device_id", "cookie_id", "ga_client_id", "idfa", "gaid", "push_token")
"""Identifiers of things, not of people; so are all below `android.` and `ios.`."""

PIECES: dict[str, tuple[str, ...]] = {
    "name": ("", "_prefix", "_phonetic", "_initial"),
    "date": ("", "_year", "_month", "_day"),
    "email": ("", "_local", "_prefix"),
    "phone": ("", "_end"),
    "street": ("", "_prefix"),
    "postal_code": ("", "_prefix"),
    "text": ("", "_prefix"),
    "code": ("", "_prefix", "_end"),
    "number": ("",),
    "category": ("",),
    "exact": ("",),
}
"""What records meet by, for each kind of field: the whole value or a part of it."""

MOST_BLOCKING_RULES = 62
"""Rules by which the records of a run can meet: which ones have a pair is told by a bit each, in a signed 64-bit number."""

_DERIVED = sorted({piece for pieces in PIECES.values() for piece in pieces if piece})
_PRIORITIES = {"user_id": 1, "email": 3, "phone": 4}
_DAYS = {"week": 7, "month": 31, "year": 366}

Kind = Literal["name", "date", "email", "phone", "street", "postal_code", "text", "code", "number", "category", "exact"]
Policy = Literal["ambiguous", "most_recent", "existing"]


def _check_column(name: str, *, derived: bool = False) -> str:
    plain = re.sub(rf"(?:{'|'.join(_DERIVED)})\Z", "", name) if derived and name not in FIELDS else name
    if plain in FIELDS or re.fullmatch(r"(attributes|identifiers)\.\S+", plain):
        return name
    more = f" (and with {', '.join(_DERIVED)})" if derived else ""
    known = ", ".join(FIELDS)
    hint = did_you_mean(name, FIELDS)
    raise ValueError(
        f"{name} is no field of a customer record{hint if 'mean' in hint else ''}; wanted attributes.NAME,"
        f" identifiers.NAME or one of {known}{more}"
    )


class Comparison(Strict):
    """How one more column of two records is compared, or one of the standard fields in another way."""

    column: str
    """A field of the customer record, `attributes.NAME` or `identifiers.NAME`."""
    kind: Kind
    """How its values are written, and so how they may be mistyped."""

    @field_validator("column")
    @classmethod
    def _column_exists(cls, value: str) -> str:
        return _check_column(value)


class Limit(Strict):
    """How many values of an identifier one person may have."""

    count: int = Field(ge=1)
    """That many values ..."""
    per: Literal["ever", "year", "month", "week"] = "ever"
    """... first seen within such a time."""

    @property
    def days(self) -> int | None:
        return _DAYS.get(self.per)


class IdType(Strict):
    """An identifier that links on equality alone."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_.]*$")
    """The name sources map it to: email, phone, loyalty_id ..."""
    priority: int | None = Field(default=None, ge=1)
    """1 links first: where links contradict each other, the later ones are refused."""
    unique: bool = False
    """Two different values never share a person."""
    limit: Limit | None = None
    """More values than this never share a person."""
    invalid: Annotated[tuple[str, ...], BeforeValidator(lambda v: tuple("" if x is None else str(x) for x in v or ()))] = ()
    """Values that are none, beside those everybody knows (na@na.com, 0000000000, null ...)."""


class BadValues(Strict):
    """When a value is learned to be no identifier of one person."""

    column: str
    """email, phone, another identifier, or a field of the record."""
    distinct: str = "given_name"
    """What differs between the people who share it."""
    threshold: int = Field(ge=1)
    """More different ones than this, and the value links nobody any more."""

    @field_validator("distinct")
    @classmethod
    def _distinct_exists(cls, value: str) -> str:
        return _check_column(value)


class HouseholdRule(Strict):
    """Who shares a home."""

    same: tuple[str, ...] = ("street", "postal_code")
    """Fields of the address that agree."""
    and_: str | None = Field(default="family_name", alias="and")
    """What else agrees; null: nothing, all who live there are one household."""

    @field_validator("same")
    @classmethod
    def _fields_exist(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("wanted at least one field of the address")
        known = ("street", "street_2", "city", "region", "postal_code", "country")
        for name in value:
            if name not in known:
                raise ValueError(f"{name} is no field of an address{did_you_mean(name, known)}")
        return value

    @field_validator("and_")
    @classmethod
    def _name_exists(cls, value: str | None) -> str | None:
        if value not in (None, "family_name", "full_name"):
            raise ValueError(f"wanted family_name, full_name or nothing, found {value}")
        return value


CHECKS = {
    "more than 3 given names": 0.00011,
    "more than 3 family names": 0.00011,
    "more than 5 postal codes": 0.00011,
    "same name and e-mail": 0.005,
    "same name and phone": 0.005,
    "same name and address": 0.02,
    "records whose customer changed": 0.02,
}
"""What is counted of the customers of each run, and the share that is expected at most."""


class QualityBand(Strict):
    """How much of a sign of wrong customers is expected."""

    at_most: float = Field(ge=0, le=1)
    """Share of customers, or of values; more than chance adds to it breaks the band."""
    severity: Literal["warn", "error"] = "warn"
    """error: a run that breaks the band ends with exit code 3."""


Threshold = Literal["auto"] | Annotated[float, Field(ge=0, le=1)]


def _threshold(value: object) -> object:
    if value == "auto" or (isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1):
        return value
    raise ValueError(f"wanted auto or a probability from 0 to 1, found {value!r}")


class IdentityConfig(Document):
    """conf/identity.yaml."""

    comparisons: tuple[Comparison, ...] = ()
    """Comparisons beyond those of the standard fields."""
    blocking: tuple[tuple[str, ...], ...] = ()
    """Fields that bring two records together for comparison, beyond the default rules."""
    id_types: tuple[IdType, ...] = ()
    """What differs from the defaults for identifiers; every identifier that a source maps links."""
    bad_values: tuple[BadValues, ...] = ()
    """Learned bad values; email and phone have more than 5 given names by default."""
    link_threshold: Annotated[Threshold, BeforeValidator(_threshold)] = "auto"
    """Probability from which a pair is linked."""
    review_threshold: Annotated[Threshold, BeforeValidator(_threshold)] = "auto"
    """Probability from which a pair is kept for review."""
    max_cluster_size: int = Field(default=100, ge=2)
    """More customer records than this are not one person."""
    shared_identifier_policy: Policy = "ambiguous"
    """Whose an unnamed record is that carries only an identifier that several people share: nobody's, the one's seen
    with it last, or the one's seen with it first."""
    one_record_per_source: tuple[str, ...] = ()
    """Sources known to hold no duplicates: two of their records are never one person."""
    households: HouseholdRule = HouseholdRule()
    """Who shares a home."""
    quality: dict[str, QualityBand] = Field(default_factory=dict)
    """What differs from the defaults for the checks of `identity.quality`, by their names."""

    @field_validator("quality")
    @classmethod
    def _checks_exist(cls, value: dict[str, QualityBand]) -> dict[str, QualityBand]:
        for name in value:
            if name not in CHECKS:
                raise ValueError(f"{name} is no check{did_you_mean(name, tuple(CHECKS))}; wanted one of {', '.join(CHECKS)}")
        return value

    @field_validator("blocking")
    @classmethod
    def _blocking_fields_exist(cls, value: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
        if len(value) > MOST_BLOCKING_RULES:
            raise ValueError(f"wanted at most {MOST_BLOCKING_RULES} rules, found {len(value)}")
        seen = set[frozenset[str]]()
        for rule in value:
            if not rule:
                raise ValueError("a rule names at least one field, found none")
            for name in rule:
                _check_column(name, derived=True)
            pieces = frozenset(rule)
            if len(pieces) < len(rule):
                raise ValueError(f"{', '.join(sorted(_twice(rule)))} is there twice in one rule")
            if pieces in seen:
                raise ValueError(f"the rule of {' and '.join(rule)} is there twice; the order makes no difference")
            seen.add(pieces)
        return value

    @model_validator(mode="after")
    def _is_consistent(self) -> "IdentityConfig":
        twice = sorted(_twice([t.name for t in self.id_types]))
        if twice:
            raise ValueError(f"id_types: {', '.join(twice)} is there twice")
        link, review = self.link_threshold, self.review_threshold
        if link != "auto" and review != "auto" and review > link:
            raise ValueError(f"review_threshold: wanted at most link_threshold ({link}), found {review}")
        return self

    def priority(self, id_type: str) -> int:
        """1 links first."""
        own = next((t.priority for t in self.id_types if t.name == id_type), None)
        return own or (9 if is_device(id_type) else _PRIORITIES.get(id_type, 2))

    def band(self, check: str) -> QualityBand:
        """What is expected of a check."""
        return self.quality.get(check) or QualityBand(at_most=CHECKS[check])

    def thresholds(self) -> tuple[BadValues, ...]:
        """What is learned as bad: as configured, and by default for contact points."""
        configured = {(rule.column, rule.distinct) for rule in self.bad_values}
        default = tuple(BadValues(column=c, threshold=5) for c in CONTACT_TYPES if (c, "given_name") not in configured)
        return self.bad_values + default


def is_device(id_type: str) -> bool:
    return id_type in DEVICE_TYPES or id_type.startswith(("android.", "ios."))


def _twice(names: Sequence[str]) -> set[str]:
    return {name for name in names if names.count(name) > 1}
