"""What a source says of its files and their columns: how they are written, types, tests."""

import re
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, field_validator, model_validator

from cdp.base.ddl import is_type
from cdp.base.settings import Strict
from cdp.bronze.yaml_values import Pattern, as_text, as_tuple

Severity = Literal["quarantine", "warn", "error"]
EPOCHS = {"epoch": 1, "epoch_millis": 1_000, "epoch_micros": 1_000_000}
"""Formats of a moment as a number since 1970, by how many of them make a second."""
_UNREAD_LETTERS = frozenset("ABCEFIJNPQRTUWYbcefgijlnopqrtuvw")


def _as_character(value: Any) -> Any:
    # In YAML '\t' is two characters and ~ is none; people mean a tab, and nothing at all.
    return "" if value is None else {"\\t": "\t", "tab": "\t"}.get(value, value) if isinstance(value, str) else value


_Character = Annotated[str, BeforeValidator(_as_character), Field(max_length=1)]


class ReadOptions(Strict):
    """How the files are written. A byte order mark, and gzip, bzip2 or xz, are noticed by themselves."""

    header: bool = True
    """CSV: the first line names the columns."""
    delimiter: Annotated[str, BeforeValidator(_as_character), Field(min_length=1, max_length=8)] = ","
    """CSV: what stands between values; one character or several."""
    quote: _Character = '"'
    """CSV: what stands around values that hold delimiters; empty: nothing does."""
    escape: _Character = '"'
    """CSV: what stands before a character that is meant as such; a quote itself by RFC 4180."""
    encoding: str = "UTF-8"
    """Character encoding, as Java names it."""
    multiline: bool = False
    """CSV: quoted values may hold line breaks. JSON: a document may span lines (an array of documents is noticed)."""
    skip_lines: int = Field(default=0, ge=0, le=1000)
    """CSV: lines before the header (or the first row) that are left out; blank ones do not count."""
    comment: str | None = Field(default=None, min_length=1)
    """CSV: lines that begin with this are left out."""
    null_value: str | None = None
    """Text that stands for nothing, besides the empty one."""
    timezone: str | None = None
    """Zone of timestamps that carry none; null: the platform's."""

    @field_validator("encoding")
    @classmethod
    def _encoding_is_known(cls, value: str) -> str:
        try:
            "".encode(value)
        except LookupError:
            raise ValueError(f"unknown encoding {value!r}; known are UTF-8, ISO-8859-1, windows-1252 ...") from None
        return value

    @field_validator("timezone")
    @classmethod
    def _timezone_is_known(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[+-]\d\d:\d\d", value):
            try:
                ZoneInfo(value)
            except (ZoneInfoNotFoundError, ValueError, OSError):
                raise ValueError(f"unknown time zone {value!r}, wanted a name such as Europe/Paris or UTC") from None
        return value

    @model_validator(mode="after")
    def _delimiter_is_no_quote(self) -> "ReadOptions":
        if any(mark and mark in self.delimiter for mark in (self.quote, self.escape)) or set(self.delimiter) & set("\r\n"):
            raise ValueError("delimiter: wanted neither the quote, nor the escape, nor a line break in it")
        return self


class Range(Strict):
    """Smallest and largest value allowed."""

    min: float | None = None
    max: float | None = None


class Relationships(Strict):
    """What a value refers to."""

    to: str = Field(min_length=1)
    """A source."""
    field: str = Field(min_length=1)
    """A column of it."""


class ColumnTest(Strict):
    """A rule for the values of a column, under dbt's names. Exactly one key."""

    not_null: bool | None = None
    unique: bool | None = None
    accepted_values: tuple[str, ...] | None = None
    range: Range | None = None
    pattern: Pattern | None = None
    relationships: Relationships | None = None
    """The value must be one that another source has sent; nothing passes."""

    @model_validator(mode="before")
    @classmethod
    def _word_or_mapping(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {value: True}
        if isinstance(value, dict) and isinstance(value.get("accepted_values"), list):
            return {**value, "accepted_values": [as_text(v) for v in value["accepted_values"]]}
        return value

    @model_validator(mode="after")
    def _one_rule(self) -> "ColumnTest":
        if len(self.model_fields_set) != 1:
            raise ValueError(f"a test is one rule, found {sorted(self.model_fields_set)}")
        return self

    @property
    def name(self) -> str:
        return next(iter(self.model_fields_set))


class SourceColumn(Strict):
    """A column that the extract promises."""

    name: str = Field(min_length=1)
    type: str = "string"
    """Spark type, e.g. string, timestamp, decimal(12,2), struct<city:string>, array<struct<sku:string>>."""
    format: str | None = None
    """Date or timestamp: Spark's pattern, or epoch, epoch_millis. Number: a sample that shows its marks, such as
    1.234,56 or 1 234,56 €. Boolean: the words for true and false, such as ja/nein."""
    description: str | None = None
    tags: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = ()
    """`pii` marks personal data."""
    tests: Annotated[tuple[ColumnTest, ...], BeforeValidator(as_tuple)] = ()
    severity: Severity = "quarantine"
    """What a row that breaks a test comes to: set aside; kept and counted; kept and the run ends with exit code 3."""
    required: bool = False
    """A file without this column, or a JSON document without it, is set aside; others that are missing count as null."""

    @field_validator("type")
    @classmethod
    def _type_is_known(cls, value: str) -> str:
        if not is_type(value):
            raise ValueError(f"found {value!r}, wanted a Spark type such as string, date or decimal(12,2)")
        return value

    @field_validator("name")
    @classmethod
    def _name_is_free(cls, value: str) -> str:
        if value.startswith("_"):
            raise ValueError("a name that begins with _ is kept for lineage")
        return value

    @model_validator(mode="after")
    def _format_fits_type(self) -> "SourceColumn":
        kind = self.type.strip().lower()
        if self.format is None:
            return self
        if kind.startswith(("date", "timestamp")) and self.format not in EPOCHS:
            letters = set(re.sub(r"'[^']*'", "", self.format)) & _UNREAD_LETTERS
            if letters:
                meant = " (yyyy is the year, dd the day)" if "Y" in letters else ""
                raise ValueError(f"format: {self.format!r} has {', '.join(sorted(letters))}, which Spark does not read{meant}")
        if kind == "boolean" and len([word for word in self.format.split("/") if word.strip()]) != 2:
            raise ValueError(f"format: found {self.format!r}, wanted the words for true and false, such as ja/nein")
        return self
