"""conf/identity.yaml: which identifiers make a person. Good with no file at all."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from cdp.base.settings import ConfigFolder, Document, Strict


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, str | dict) else value


Kind = Literal["name", "date", "email", "phone", "street", "postal_code", "text", "code", "number", "category", "exact"]
Probability = Annotated[float, Field(ge=0, le=1)]
Words = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]


class Comparison(Strict):
    """A further column to compare, or another way to compare a standard one."""

    column: str
    kind: Kind


class Limit(Strict):
    """At most so many values of a type a person."""

    count: int = Field(gt=0)
    per: Literal["ever", "year", "month", "week"] = "ever"


class IdType(Strict):
    """An identifier that links on equality alone."""

    name: str
    priority: int = Field(default=5, ge=1)
    """1 is strongest."""
    unique: bool = False
    """Two different values never share a person."""
    limit: Limit | None = None
    invalid: tuple[str, ...] = ()
    """Values that identify nobody."""
    is_device: bool | None = None
    """Whether it names a device or browser, not a person; null: anonymous_id, device_id and the like are."""


class BadValue(Strict):
    """A value that goes with too many others identifies nobody."""

    column: str
    distinct: str
    threshold: int = Field(gt=0)


class Households(Strict):
    """Who shares a home."""

    same: Words = ("street", "postal_code")
    and_: Words = Field(default=("family_name",), alias="and")


class IdentityConfig(Document):
    """How records become people."""

    comparisons: tuple[Comparison, ...] = ()
    blocking: tuple[tuple[str, ...], ...] = ()
    id_types: tuple[IdType, ...] = ()
    bad_values: tuple[BadValue, ...] = (
        BadValue(column="email", distinct="given_name", threshold=5),
        BadValue(column="phone", distinct="given_name", threshold=5),
    )
    link_threshold: Literal["auto"] | Probability = "auto"
    review_threshold: Literal["auto"] | Probability = "auto"
    max_cluster_size: int = Field(default=100, ge=2)
    """An identifier on more records than ten times this identifies nobody."""
    shared_identifier_policy: Literal["ambiguous", "most_recent", "existing"] = "ambiguous"
    """Whose a device or contact point is that several people use: nobody's, the latest one's, the first one's."""
    one_record_per_source: Words = ()
    households: Households = Households()

    @model_validator(mode="after")
    def _types_once(self) -> "IdentityConfig":
        names = [t.name for t in self.id_types]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise ValueError(f"id_types: {', '.join(twice)} is there twice")
        if isinstance(self.link_threshold, float) and isinstance(self.review_threshold, float):
            if self.review_threshold > self.link_threshold:
                raise ValueError(
                    f"review_threshold: found {self.review_threshold}, above the link_threshold {self.link_threshold}"
                )
        for i, bad in enumerate(self.bad_values):
            if bad.distinct not in ("given_name", "family_name"):
                raise ValueError(f"bad_values.{i}.distinct: found {bad.distinct!r}, wanted given_name or family_name")
        return self

    @property
    def unused(self) -> tuple[str, ...]:
        """Settings of probabilistic matching, which is not part of the platform yet."""
        settings = ("comparisons", "blocking", "link_threshold", "review_threshold", "one_record_per_source")
        return tuple(name for name in settings if name in self.model_fields_set)


def load_identity(config: ConfigFolder) -> IdentityConfig:
    """The settings of conf/identity.yaml."""
    return config.load(IdentityConfig, "identity.yaml")
