"""conf/sources/*.yaml: what an extract looks like, and which canonical entities it holds."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, field_validator, model_validator

from cdp.base.ddl import is_type
from cdp.base.errors import ConfigError
from cdp.base.settings import ConfigFolder, Document, Strict, did_you_mean
from cdp.bronze.database import Database


def as_text(value: Any) -> Any:
    """A number or a truth value of YAML as text."""
    # YAML reads `quantity: 1` as a number; as an expression it is text all the same.
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, str | dict) else value


Expression = Annotated[str, BeforeValidator(as_text), Field(min_length=1)]
"""A column's name or a Spark SQL expression over the source's columns."""

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
    pattern: str | None = None
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

    @field_validator("pattern")
    @classmethod
    def _pattern_compiles(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                re.compile(value)
            except re.error as error:
                raise ValueError(f"not a regular expression: {error}") from None
        return value

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
    tags: Annotated[tuple[str, ...], BeforeValidator(_as_tuple)] = ()
    """`pii` marks personal data."""
    tests: Annotated[tuple[ColumnTest, ...], BeforeValidator(_as_tuple)] = ()
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


class Age(Strict):
    """A span of time."""

    count: int = Field(gt=0)
    period: Literal["minute", "hour", "day"]


class Freshness(Strict):
    """How old the newest extract may be."""

    warn_after: Age | None = None
    error_after: Age | None = None


class Band(Strict):
    """How many times the usual number of rows a delivery may hold."""

    min: float | None = Field(default=None, gt=0, lt=1)
    max: float | None = Field(default=None, gt=1)

    @model_validator(mode="after")
    def _has_an_end(self) -> "Band":
        if self.min is None and self.max is None:
            raise ValueError("wanted min, max or both, as shares of the usual number of rows, such as min: 0.5")
        return self


class Volume(Strict):
    """How far the rows of a delivery (what a run reads) may be from the median of the source's last deliveries."""

    warn: Band | None = None
    """Beyond it there is a note."""
    error: Band | None = None
    """Beyond it the run ends with exit code 3."""
    deliveries: int = Field(default=10, ge=3, le=1000)
    """How many of the last deliveries count. With fewer than three there is no judgement."""


class Campaign(Strict):
    """A campaign, under Segment's names."""

    name: Expression | None = None
    source: Expression | None = None
    medium: Expression | None = None
    content: Expression | None = None
    term: Expression | None = None


class Entity(Strict):
    """What every canonical entity may say beside its fields."""

    where: Expression | None = None
    """Only rows for which this holds."""
    explode: str | None = None
    """An array column; a row of each of its elements, which takes the array's place."""
    key: Annotated[tuple[str, ...], BeforeValidator(_as_tuple)] = ()
    """The entity's key where it is not the source's primary key."""


class CustomerRecord(Entity):
    """A source's record of a person."""

    full_name: Expression | None = None
    given_name: Expression | None = None
    middle_name: Expression | None = None
    family_name: Expression | None = None
    name_suffix: Expression | None = None
    native_name: Expression | None = None
    birth_date: Expression | None = None
    birth_year: Expression | None = None
    gender: Expression | None = None
    email: Expression | None = None
    emails: Expression | None = None
    phone: Expression | None = None
    phones: Expression | None = None
    address: Expression | None = None
    street: Expression | None = None
    street_2: Expression | None = None
    city: Expression | None = None
    region: Expression | None = None
    postal_code: Expression | None = None
    country: Expression | None = None
    language: Expression | None = None
    created_at: Expression | None = None
    identifiers: Mapping[str, Expression] = Field(default_factory=dict)
    attributes: Mapping[str, Expression] = Field(default_factory=dict)


class Identified(Entity):
    """An entity that says by identifiers whose it is; without any it belongs to the row's customer record."""

    identifiers: Mapping[str, Expression] = Field(default_factory=dict)


class Event(Identified):
    """Something somebody did."""

    event: Expression
    occurred_at: Expression
    event_id: Expression | None = None
    channel: Expression | None = None
    campaign: Campaign | None = None
    session_id: Expression | None = None
    properties: Mapping[str, Expression] = Field(default_factory=dict)


class Order(Identified):
    """An order, receipt, cancellation or return."""

    order_id: Expression
    ordered_at: Expression
    channel: Expression | None = None
    store_id: Expression | None = None
    status: Expression | None = None
    refers_to: Expression | None = None
    currency: Expression | None = None
    total: Expression | None = None
    discount: Expression | None = None
    shipping: Expression | None = None
    tax: Expression | None = None
    coupon: Expression | None = None
    campaign: Campaign | None = None


class OrderLine(Entity):
    """A line of an order."""

    order_id: Expression
    product_id: Expression
    quantity: Expression
    line_no: Expression | None = None
    unit_price: Expression | None = None
    discount: Expression | None = None
    amount: Expression | None = None


class Product(Entity):
    """A product of the catalogue."""

    product_id: Expression
    name: Expression | None = None
    category: Expression | None = None
    brand: Expression | None = None
    price: Expression | None = None
    cost: Expression | None = None
    in_stock: Expression | None = None
    attributes: Mapping[str, Expression] = Field(default_factory=dict)


class Consent(Identified):
    """A consent or opt-out statement."""

    purpose: Expression
    status: Expression
    captured_at: Expression | None = None
    legal_basis: Expression | None = None
    jurisdiction: Expression | None = None
    proof: Expression | None = None
    expires_at: Expression | None = None


class CampaignCost(Entity):
    """Spend of a campaign on a day."""

    campaign: Expression
    day: Expression
    cost: Expression
    channel: Expression | None = None
    currency: Expression | None = None
    impressions: Expression | None = None
    clicks: Expression | None = None


class Produces(Strict):
    """The canonical entities that a source's rows hold, each once or as a list."""

    customer_record: Annotated[tuple[CustomerRecord, ...], BeforeValidator(_as_tuple)] = ()
    event: Annotated[tuple[Event, ...], BeforeValidator(_as_tuple)] = ()
    order: Annotated[tuple[Order, ...], BeforeValidator(_as_tuple)] = ()
    order_line: Annotated[tuple[OrderLine, ...], BeforeValidator(_as_tuple)] = ()
    product: Annotated[tuple[Product, ...], BeforeValidator(_as_tuple)] = ()
    consent: Annotated[tuple[Consent, ...], BeforeValidator(_as_tuple)] = ()
    campaign_cost: Annotated[tuple[CampaignCost, ...], BeforeValidator(_as_tuple)] = ()


class SourceConfig(Document):
    """One source."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    """Name of the source and of its bronze table: lower case letters, digits and _."""
    format: Literal["csv", "json", "parquet", "delta", "jdbc"]
    """csv, json (an object a line, an array of objects, or objects over several lines), parquet, delta or jdbc."""
    path: str = ""
    """Glob pattern below the landing folder; of a Delta table its folder there. A database has none."""
    jdbc: Database | None = None
    """Where the rows of a source of format jdbc are."""
    options: ReadOptions = ReadOptions()
    primary_key: Annotated[tuple[str, ...], BeforeValidator(_as_tuple)] = Field(default=(), max_length=8)
    """Columns that name a row; the newest row of a key wins."""
    occurred_at: str | None = None
    """Column that says which row of a key is newest; the file's time where there is none."""
    delivery: Literal["changes", "snapshot"] = "changes"
    """Whether a delivery holds what is new or changed, or everything, so that what it lacks is gone. A delivery is a
    file, or, where `path` has a wildcard in the name of a folder, all files of a folder."""
    deleted: Expression | None = None
    """Holds for a row that says that its key is gone; the key then has no row in silver until a newer one comes."""
    freshness: Freshness | None = None
    volume: Volume | None = None
    columns: tuple[SourceColumn, ...] = Field(min_length=1)
    """The contract. Undeclared columns are kept in bronze and reported."""
    produces: Produces = Produces()

    @field_validator("name")
    @classmethod
    def _name_is_free(cls, value: str) -> str:
        if value == "quarantine":
            raise ValueError("quarantine is the platform's own table")
        return value

    @field_validator("path")
    @classmethod
    def _path_stays_below(cls, value: str) -> str:
        if value.startswith("/") or ".." in value.split("/"):
            raise ValueError(f"found {value!r}, wanted a path below the landing folder")
        return value

    @model_validator(mode="after")
    def _keys_fit_format(self) -> "SourceConfig":
        if self.format == "jdbc":
            if self.path:
                raise ValueError("path: belongs to files; a source of format jdbc has its address in jdbc.url")
            if self.jdbc is None:
                raise ValueError("jdbc: missing, but required for format jdbc")
            if self.jdbc.lookback and not self.primary_key:
                raise ValueError("jdbc.lookback: needs a primary_key, by which a row that is read twice counts once")
        else:
            if not self.path:
                raise ValueError("path: missing, but required")
            if self.jdbc is not None:
                raise ValueError(f"jdbc: belongs to format jdbc, found format {self.format}")
        if self.format == "delta" and any(mark in self.path for mark in "*?[{"):
            raise ValueError(f"path: found {self.path!r}, wanted the folder of one Delta table")
        if self.delivery == "snapshot" and self.format in ("delta", "jdbc"):
            raise ValueError(f"delivery: is for files; of format {self.format} what left the table is gone anyway")
        odd = sorted(self.options.model_fields_set - {"timezone"}) if self.format in ("delta", "jdbc") else []
        if odd:
            raise ValueError(f"options.{odd[0]}: is for files; format {self.format} knows timezone only")
        return self

    @model_validator(mode="after")
    def _columns_exist(self) -> "SourceConfig":
        names = [c.name for c in self.columns]
        folded = [n.lower() for n in names]
        twice = sorted({n for n in folded if folded.count(n) > 1})
        if twice:
            raise ValueError(f"columns: {', '.join(twice)} is declared twice (letter case does not tell columns apart)")
        used = [("primary_key", c) for c in self.primary_key]
        used += [("occurred_at", self.occurred_at)] if self.occurred_at else []
        entities = [(kind, e) for kind, group in self.produces for e in group]
        used += [(f"produces.{kind}.key", c) for kind, e in entities for c in e.key]
        used += [(f"produces.{kind}.explode", e.explode) for kind, e in entities if e.explode]
        for key, column in used:
            if column not in names:
                raise ValueError(f"{key}: {column} is not among the columns{did_you_mean(column, names)}")
        if self.produces.customer_record and not self.primary_key and not all(
            e.key for e in self.produces.customer_record
        ):
            raise ValueError("produces.customer_record needs a key: name a primary_key for the source, or a key here")
        if self.deleted and not self.primary_key:
            raise ValueError("deleted: needs a primary_key, as it is a key that is gone")
        return self

    @property
    def place(self) -> str:
        """Where its extracts are, for messages."""
        return self.jdbc.origin if self.jdbc else self.path

    @property
    def required_columns(self) -> tuple[str, ...]:
        """Columns without which a file cannot be used: the key, and what the contract says."""
        marked = {c.name for c in self.columns if c.required} | set(self.primary_key)
        return tuple(c.name for c in self.columns if c.name in marked)


def load_sources(config: ConfigFolder) -> dict[str, SourceConfig]:
    """All sources by name.

    Raises:
        ConfigError: a file is wrong, an expression names what is not there, two files name one source, or there is
            no source at all.
    """
    by_file = config.load_each(SourceConfig, "sources")
    if not by_file:
        raise ConfigError(str(config.path / "sources"), ["found no source, wanted at least one file *.yaml"])
    owner: dict[str, str] = {}
    for file, source in by_file.items():
        if source.name in owner:
            raise ConfigError(file, [f"name: {source.name} is already the name of the source in {owner[source.name]}"])
        owner[source.name] = file
    _check_expressions(config, by_file)
    return {source.name: source for source in by_file.values()}


def _check_expressions(config: ConfigFolder, by_file: Mapping[str, SourceConfig]) -> None:
    from cdp.bronze.references import relationship_problems  # they build on the models above
    from cdp.bronze.sql import source_problems

    sources = {source.name: source for source in by_file.values()}
    problems = {file: source_problems(s) + relationship_problems(s, sources) for file, s in by_file.items()}
    wrong = {file: found for file, found in problems.items() if found}
    if len(wrong) > 1:
        raise ConfigError(str(config.path / "sources"), [f"{file}: {p}" for file, found in wrong.items() for p in found])
    for file, found in wrong.items():
        raise ConfigError(file, found)


def select_sources(sources: dict[str, SourceConfig], select: tuple[str, ...], file: str) -> dict[str, SourceConfig]:
    """The sources of these names; all where none is named.

    Raises:
        ConfigError: there is no source of a name.
    """
    unknown = [name for name in select if name not in sources]
    if unknown:
        raise ConfigError(file, [f"--select {name}: no such source{did_you_mean(name, list(sources))}" for name in unknown])
    return {name: source for name, source in sources.items() if not select or name in select}
