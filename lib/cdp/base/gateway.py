"""The road from Python to Spark's JVM: what it tells of its classes does not change, and is asked once."""

from typing import Any

_CLASSES = ("functions", "org.apache.spark.sql.functions", "PythonUtils", "PythonSQLUtils")
"""Under the names by which PySpark asks for them whenever a column is made."""


class _Class:
    """A Java class whose static methods are looked up once each."""

    def __init__(self, java_class: Any) -> None:
        self._java_class = java_class

    def __getattr__(self, name: str) -> Any:
        # Python asks only for what is not there yet.
        method = getattr(self._java_class, name)
        setattr(self, name, method)
        return method


def remember_classes(jvm: Any) -> None:
    """Keep the classes that columns are made by.

    PySpark asks for a class, and for its method, before each call; for the class the JVM looks through every jar. A rule
    or a model is thousands of calls, two thirds of whose time this takes.

    Args:
        jvm: the view of the JVM that belongs to a Spark context.
    """
    for name in _CLASSES:
        if not isinstance(vars(jvm).get(name), _Class):
            setattr(jvm, name, _Class(getattr(jvm, name)))
