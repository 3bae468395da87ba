"""Typed settings: YAML files read into pydantic models, with errors that name file, key, what was found and what is right."""

import difflib
import os
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import ErrorDetails
from yaml.constructor import SafeConstructor

from cdp.base.errors import ConfigError, UsageError

try:
    from yaml import CSafeLoader as QuickestLoader  # a tenth of the time; PyYAML brings it on most systems
except ImportError:
    from yaml import SafeLoader as QuickestLoader  # type: ignore[assignment]

_SECRET = re.compile(r"\$\{ENV:([A-Za-z_][A-Za-z0-9_]*)\}")
_MOST_KNOWN = 30
"""Names that a message lists."""


class Strict(BaseModel):
    """A settings section: unknown keys are errors, values never change."""

    # Built when first used: a command uses a few of a hundred sections, and building all takes it half a second.
    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, validate_default=True, defer_build=True
    )


class Document(Strict):
    """A whole configuration file. Every file may say what it is and whose."""

    version: int = 1
    """Version of the file's grammar."""
    description: str | None = None
    """What the file is for."""
    owner: str | None = None
    """Who answers for it."""
    tags: tuple[str, ...] = ()
    """Words to find it by."""


class PlatformConfig(Document):
    """conf/cdp.yaml: what holds for the whole platform."""

    reporting_currency: str = Field(default="EUR", pattern=r"^[A-Z]{3}$")
    """ISO 4217 code of the currency that every amount in silver and gold is in."""
    exchange_rates: Mapping[str, Decimal] = Field(default_factory=dict)
    """Units of the reporting currency for one unit of another one, where no source sends one for the day: `{GBP: 1.17}`."""
    session_idle_minutes: int = Field(default=30, ge=1, le=1440)
    """The longest pause within a session, where its source does not say what a session is."""
    default_country: str | None = Field(default=None, pattern=r"^[A-Z]{2}$")
    """Country of records that name none, for phone numbers; null: such local numbers are not understood."""
    timezone: str = "UTC"
    """Zone of timestamps that carry none."""
    mlflow_tracking_uri: str | None = None
    """Where models are tracked; null: a SQLite file in the lake."""
    quality_gate: bool = True
    """Whether a broken critical expectation ends the run with exit code 3."""

    @field_validator("exchange_rates")
    @classmethod
    def _rates_are_positive(cls, rates: Mapping[str, Decimal]) -> Mapping[str, Decimal]:
        for code, rate in rates.items():
            if not re.fullmatch(r"[A-Z]{3}", code) or rate <= 0:
                raise ValueError(f"a rate is an ISO 4217 code and a number above 0, found {code}: {rate}")
        return rates


Model = TypeVar("Model", bound=BaseModel)


class ConfigFolder:
    """A folder of configuration files.

    Args:
        path: the folder.

    Raises:
        UsageError: it is missing, or no folder.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.is_dir():
            found = "a file" if self.path.exists() else "nothing"
            raise UsageError(f"--config {self.path}: found {found}, wanted a folder with sources/*.yaml")
        if not os.access(self.path, os.R_OK | os.X_OK):
            raise UsageError(f"--config {self.path}: no permission to read it")
        self._cache: dict[tuple[str, type[BaseModel]], Any] = {}

    @cached_property
    def platform(self) -> PlatformConfig:
        return self.load(PlatformConfig, "cdp.yaml")

    def load(self, model: type[Model], file: str) -> Model:
        """Read one file into `model`; an absent or empty file gives the model's defaults.

        Raises:
            ConfigError: broken YAML, an unknown key, a wrong value; all problems at once.
        """
        if (file, model) not in self._cache:
            path = self.path / file
            content = read_yaml(path) if path.exists() else {}
            self._cache[file, model] = parse(model, content, str(path))
        result: Model = self._cache[file, model]
        return result

    def load_each(self, model: type[Model], folder: str) -> dict[str, Model]:
        """Read every `*.yaml` / `*.yml` of a folder, by file, in order of name. An absent folder gives none."""
        files = sorted(p for p in (self.path / folder).glob("*") if p.suffix in (".yaml", ".yml"))
        loaded, failures = {}, []
        for path in files:
            try:
                loaded[str(path)] = self.load(model, str(path.relative_to(self.path)))
            except ConfigError as error:
                failures.append(error)
        if len(failures) == 1:
            raise failures[0]
        if failures:
            problems = [f"{f.file}: {problem}" for f in failures for problem in f.problems]
            raise ConfigError(str(self.path / folder), problems)
        return loaded


class _UniqueKeys(SafeConstructor):
    """YAML in which a key written twice is an error, not a silent loss of the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, list | dict):
                raise yaml.MarkedYAMLError(problem="a key must be a plain word", problem_mark=key_node.start_mark)
            if key in seen:
                raise yaml.MarkedYAMLError(problem=f"key {key!r} is there twice", problem_mark=key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


class _Loader(_UniqueKeys, yaml.SafeLoader):
    """PyYAML's own reader."""


class _QuickLoader(_UniqueKeys, QuickestLoader):
    """The quickest reader there is here."""


def _loaded(text: str) -> Any:
    try:
        return yaml.load(text, Loader=_QuickLoader)
    except yaml.YAMLError:
        # PyYAML's own reader takes a little more than libyaml does, and says of the rest what it found and wanted.
        return yaml.load(text, Loader=_Loader)


def read_yaml(path: Path) -> Any:
    """The content of a YAML file, `${ENV:NAME}` replaced; an empty file is an empty mapping.

    Raises:
        ConfigError: not readable, not UTF-8, not YAML, a duplicate key, an unset variable.
    """
    problems: list[str] = []
    try:
        content = _resolve_secrets(_loaded(path.read_text(encoding="utf-8")), "", problems)
    except OSError as error:
        raise ConfigError(str(path), [f"cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError as error:
        raise ConfigError(str(path), [f"byte {error.start} is not UTF-8; save the file as UTF-8"]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ConfigError(str(path), [f"{where}not valid YAML: {error.problem}"]) from None
    except yaml.YAMLError:
        raise ConfigError(str(path), ["not valid YAML: it holds characters that YAML does not allow"]) from None
    except RecursionError:
        raise ConfigError(str(path), ["not valid YAML: brackets or lists within each other, hundreds deep"]) from None
    if problems:
        raise ConfigError(str(path), problems)
    return {} if content is None else content


def _resolve_secrets(value: Any, key: str, problems: list[str]) -> Any:
    if isinstance(value, dict):
        return {k: _resolve_secrets(v, f"{key}.{k}" if key else str(k), problems) for k, v in value.items()}
    if isinstance(value, list):
        return [_resolve_secrets(v, f"{key}.{i}", problems) for i, v in enumerate(value)]
    if not isinstance(value, str):
        return value

    def lookup(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in os.environ:
            problems.append(f"{key}: environment variable {name} is not set")
        return os.environ.get(name, "")

    return _SECRET.sub(lookup, value)


def parse(model: type[Model], content: Any, file: str) -> Model:
    """`content` as `model`; every problem named by its key path."""
    if not isinstance(content, dict):
        raise ConfigError(file, [f"found {_kind(content)}, wanted keys and values"])
    try:
        return model.model_validate(content)
    except ValidationError as error:
        details = error.errors(include_url=False)
        # A list is called too short when its only item is wrong: that item's own line says it.
        own = [d for d in details if d["type"] != "too_short" or not _has_deeper(d, details)]
        problems = [describe_problem(model, detail) for detail in own]
        raise ConfigError(file, list(dict.fromkeys(problems))) from None


def _has_deeper(detail: ErrorDetails, details: list[ErrorDetails]) -> bool:
    location = detail["loc"]
    return any(len(d["loc"]) > len(location) and d["loc"][: len(location)] == location for d in details)


def describe_problem(model: type[BaseModel], detail: ErrorDetails) -> str:
    """One line for a validation problem: key path, what was wanted, what was found."""
    path = ".".join(str(part) for part in detail["loc"] if not str(part).startswith(("function-", "tagged-")))
    kind = detail["type"]
    if kind == "extra_forbidden":
        known = known_keys(model, detail["loc"][:-1])
        return f"{path}: unknown key{did_you_mean(str(detail['loc'][-1]), known)}"
    if kind == "missing":
        return f"{path}: missing, but required"
    message = detail["msg"].removeprefix("Value error, ")
    if kind in ("value_error", "assertion_error"):
        return f"{path}: {message}" if path else message
    return f"{path}: {message[:1].lower()}{message[1:]}, found {_kind(detail['input'])}"


def known_keys(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """The keys that the section of `model` at `location` knows; empty where that cannot be told."""
    section: Any = model
    for part in location:
        if isinstance(part, int):
            continue
        fields = getattr(section, "model_fields", {})
        by_alias = {f.alias or name: f for name, f in fields.items()}
        if part not in by_alias:
            candidates = _models_in(section) if not fields else []
            section = next((m for m in candidates if m.__name__ == part), section)
            continue
        found = _models_in(by_alias[part].annotation)
        if not found:
            return []
        section = found[0]
    fields = getattr(section, "model_fields", {})
    return [f.alias or name for name, f in fields.items()]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for argument in getattr(annotation, "__args__", ()) for m in _models_in(argument)]


def did_you_mean(word: str, known: list[str] | tuple[str, ...]) -> str:
    """`; did you mean X?`, or what is known (the first `_MOST_KNOWN` of it), or nothing."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]}?"
    shown = sorted(known)[:_MOST_KNOWN]
    more = f" and {len(known) - len(shown):,} more" if len(known) > len(shown) else ""
    return f"; known: {', '.join(shown)}{more}" if known else ""


def refuse_unknown(select: Iterable[str], known: Iterable[str], what: str) -> None:
    """That all names after `--select` are those of something.

    Raises:
        UsageError: one is not; the first of them is told.
    """
    names = sorted(known)
    unknown = sorted(set(select) - set(names))
    if unknown:
        raise UsageError(f"--select {unknown[0]}: no such {what}{did_you_mean(unknown[0], names)}")


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict | list):
        return "a list" if isinstance(value, list) else "keys and values"
    return repr(value) if len(repr(value)) <= 60 else f"{repr(value)[:57]}..."
