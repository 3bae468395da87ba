"""conf/sources/*.yaml: what an extract looks like, and which canonical entities it holds."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from cdp.base.errors import ConfigError
from cdp.base.settings import ConfigFolder, Document, PlatformConfig, Strict, did_you_mean
from cdp.bronze.columns import ReadOptions, SourceColumn
from cdp.bronze.database import Database
from cdp.bronze.produces import Expression, Produces
from cdp.bronze.yaml_values import as_tuple


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
    primary_key: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = Field(default=(), max_length=8)
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

    def timezone_in(self, platform: PlatformConfig) -> str:
        """Zone of its times that carry none: its own, else the platform's."""
        return self.options.timezone or platform.timezone

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
