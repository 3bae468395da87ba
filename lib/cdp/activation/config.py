"""A destination as written in YAML: conf/destinations/*.yaml."""

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from cdp.base.settings import Document, Strict
from cdp.segments.config import NAME

Transform = Literal["lower", "upper", "trim", "digits", "sha256"]


class RequiredConsent(Strict):
    """Purposes that a member must allow, every one of them."""

    all: tuple[str, ...] = Field(min_length=1)
    """Purposes of gold.effective_consent."""


class OutputField(Strict):
    """A column of the file."""

    from_: str = Field(alias="from", min_length=1)
    """customer_id, segment, profile.X, traits.X, predictions.X, identifiers.TYPE, recommendations.RANK or matched.COLUMN."""
    to: str = Field(pattern=r"^[^=,\t\n\r]+$")
    """Name of the column."""
    horizon_days: int | None = Field(default=None, gt=0)
    """Horizon, for predictions."""
    item: int | None = Field(default=None, gt=0)
    """Which of the values, for `matched`: 1 is the first; absent: all, with commas between them."""
    transform: tuple[Transform, ...] = ()
    """What is done to the value, in order; nothing is done to a missing one."""
    identifier: bool = False
    """The destination knows the person by it: remembered, and sent again when the person is removed."""


class Destination(Document):
    """conf/destinations/NAME.yaml: a tool, what it gets and on which terms."""

    name: str = Field(pattern=NAME)
    """Its name, for ever; also its folder below activation/."""
    type: Literal["file"] = "file"
    """How it is reached."""
    format: Literal["csv", "jsonl"] = "csv"
    """Form of the files."""
    layout: Literal["plain", "google_customer_match", "meta_custom_audience"] = "plain"
    """plain: the columns of `fields`, in clear unless hashed there. The others: the platform's own upload file, hashed."""
    segments: tuple[str, ...] = ()
    """Segments it gets."""
    journeys: tuple[str, ...] = ()
    """Steps of journeys whose people it gets, as JOURNEY.STEP."""
    requires_consent: RequiredConsent
    """Purposes that must be allowed at the time of sending."""
    on_missing_consent: Literal["deny"] = "deny"
    """Somebody who never said anything is not sent. There is no other setting."""
    mode: Literal["mirror"] = "mirror"
    """The first delivery is everyone, later ones are who came and who went."""
    fields: tuple[OutputField, ...] = ()
    """Columns of a plain file."""

    @field_validator("name")
    @classmethod
    def _is_no_table(cls, name: str) -> str:
        if name in ("deliveries", "delivered_members"):
            raise ValueError(f"{name} is the folder of a table; wanted another name")
        return name

    @field_validator("segments", "journeys")
    @classmethod
    def _are_different(cls, names: tuple[str, ...], field: ValidationInfo) -> tuple[str, ...]:
        if len(set(names)) != len(names):
            raise ValueError(f"a {'segment' if field.field_name == 'segments' else 'step'} is named twice")
        return names

    @model_validator(mode="after")
    def _gets_somebody(self) -> "Destination":
        if not self.audiences:
            raise ValueError("segments: wanted segments, journeys or both")
        return self

    @property
    def audiences(self) -> tuple[str, ...]:
        """Whom it gets: segments, and steps of journeys, which have a dot in their name."""
        return (*self.segments, *self.journeys)

    @model_validator(mode="after")
    def _has_the_fields_of_its_layout(self) -> "Destination":
        if self.layout != "plain":
            if self.fields or self.format != "csv":
                raise ValueError(
                    f"layout {self.layout} is a CSV with the platform's own columns; wanted no fields"
                )
            return self
        names = [f.to for f in self.fields]
        if not any(f.identifier for f in self.fields):
            raise ValueError(
                "fields: wanted at least one with `identifier: true`, to know whom to remove later"
            )
        if len(set(names)) != len(names):
            raise ValueError("fields: two have the same `to`")
        return self
