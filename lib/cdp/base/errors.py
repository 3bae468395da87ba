"""Errors a user may see. Each carries the exit code of the process.

A message names the file, table, key or column, what was found and what was wanted. It never holds a value that
could be personal data.
"""

from collections.abc import Sequence


class CdpError(Exception):
    """Something went wrong that we can explain. Exit code 1: a stage failed."""

    exit_code = 1


class UsageError(CdpError):
    """A wrong argument, folder or environment. Exit code 2."""

    exit_code = 2


class ConfigError(UsageError):
    """One or several problems of a configuration file, all reported at once. Exit code 2."""

    def __init__(self, file: str, problems: Sequence[str]) -> None:
        self.file = file
        self.problems = tuple(problems)
        many = f"{len(self.problems)} problems" if len(self.problems) > 1 else "a problem"
        lines = "".join(f"\n  {problem}" for problem in self.problems)
        super().__init__(f"{file} has {many}; nothing was run.{lines}")


class ContractError(CdpError):
    """A table was about to be written that breaks its declaration. Exit code 1; nothing was written."""


class QualityError(CdpError):
    """The work is done, but a rule that the configuration or a contract marks as an error fired. Exit code 3."""

    exit_code = 3
