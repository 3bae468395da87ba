"""Values as Spark SQL."""

from collections.abc import Iterable


def literal(text: str) -> str:
    """SQL for a text."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def words(texts: Iterable[str]) -> str:
    """A list for SQL's IN."""
    return ", ".join(literal(text) for text in texts)
