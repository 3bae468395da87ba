"""What Spark calls an error: what may be said of it where its message may hold a person's values."""

from typing import Any

from py4j.protocol import Py4JError  # type: ignore[import-untyped]


def spark_name_of(error: Exception) -> str:
    """The condition, or the class, at the root of an error: one name, however a failure reaches Python."""
    cause: Any = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
    while cause is not None and cause.getCause() is not None:
        cause = cause.getCause()
    if cause is None:
        return getattr(error, "getCondition", lambda: None)() or type(error).__name__
    try:
        condition = cause.getCondition()
    except Py4JError:  # the root is no error of Spark's
        condition = None
    return condition or str(cause.getClass().getSimpleName())
