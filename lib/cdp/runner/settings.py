"""Every setting that a job's stages use, loaded and checked before Spark starts."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cdp.base.errors import ConfigError
from cdp.base.settings import ConfigFolder
from cdp.base.stage import Stage


def load_settings(path: str | Path, stages: Sequence[Stage]) -> tuple[ConfigFolder, dict[str, Any]]:
    """The configuration folder, and the settings of each stage (and of the platform) by name.

    Raises:
        UsageError: there is no such folder.
        ConfigError: every problem of every file at once.
    """
    config = ConfigFolder(path)
    settings: dict[str, Any] = {}
    failures: dict[str, ConfigError] = {}
    loaders: dict[str, Callable[[ConfigFolder], Any]] = {"platform": lambda c: c.platform}
    for name, load in {**loaders, **{s.name: s.settings for s in stages}}.items():
        try:
            settings[name] = load(config)
        except ConfigError as error:
            # Several stages read the same file: its problems are told once.
            failures[str(error)] = error
    if len(failures) > 1:
        problems = [f"{f.file}: {p}" for f in failures.values() for p in f.problems]
        raise ConfigError(str(config.path), list(dict.fromkeys(problems)))
    for failure in failures.values():
        raise failure
    return config, settings
