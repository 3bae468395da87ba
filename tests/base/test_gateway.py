"""What columns are made by is asked of the JVM once."""

from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from cdp.base.gateway import remember_classes


class Jvm:
    """A view of a JVM that counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.asked.append(name)
        return JavaClass(name, self.asked)


class JavaClass:
    def __init__(self, name: str, asked: list[str]) -> None:
        self._name, self._asked = name, asked

    def __getattr__(self, method: str) -> Any:
        self._asked.append(f"{self._name}.{method}")
        return lambda value: (method, value)


def test_class_and_method_are_looked_up_once():
    jvm = Jvm()
    remember_classes(jvm)
    jvm.asked.clear()

    assert [jvm.functions.lit(n) for n in range(3)] == [("lit", 0), ("lit", 1), ("lit", 2)]
    assert jvm.functions.col("a") == ("col", "a")

    assert jvm.asked == ["functions.lit", "functions.col"]


def test_a_second_session_keeps_what_the_first_has_found():
    jvm = Jvm()
    remember_classes(jvm)
    jvm.functions.lit(1)
    jvm.asked.clear()

    remember_classes(jvm)
    jvm.functions.lit(2)

    assert jvm.asked == []


def test_what_is_no_function_fails_each_time_as_before(spark: SparkSession):
    functions = spark.sparkContext._jvm.functions
    for _ in range(2):
        with pytest.raises(Exception, match="no_such_function"):
            functions.no_such_function(1)


def test_a_column_is_a_call_for_each_of_its_parts(spark: SparkSession, monkeypatch: pytest.MonkeyPatch):
    client = spark.sparkContext._gateway._gateway_client  # type: ignore[union-attr]
    F.upper(F.col("a"))  # looked up
    sent: list[str] = []
    send = client.send_command
    monkeypatch.setattr(client, "send_command", lambda command, *a, **kw: (sent.append(command), send(command, *a, **kw))[1])

    F.upper(F.col("a"))

    made = [command for command in sent if command.startswith("c\n")]
    assert len(made) == 2
    assert [command for command in sent if command.startswith("r\n")] == []
