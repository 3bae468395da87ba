"""How values of YAML are meant in a source: a number as text, one thing as a list of one, a regular expression."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator


def as_text(value: Any) -> Any:
    """A number or a truth value of YAML as text."""
    # YAML reads `quantity: 1` as a number; as an expression it is text all the same.
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


def as_tuple(value: Any) -> Any:
    """One thing where a list may stand, as a list of one."""
    return (value,) if isinstance(value, str | dict) else value


def _compiles(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return value


Pattern = Annotated[str, AfterValidator(_compiles)]
"""A regular expression."""
