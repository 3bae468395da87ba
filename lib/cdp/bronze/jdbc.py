"""A PostgreSQL server, asked through the driver that Spark reads with: its columns, its bounds, and its errors in our words.

No message holds what the server says: it may quote a row, and the driver's own may name the user.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.sql import SparkSession

from cdp.base.errors import UsageError
from cdp.bronze.config import SourceConfig
from cdp.bronze.database import Database

_DRIVER = {"connectTimeout": "10", "loginTimeout": "20", "tcpKeepAlive": "true", "ApplicationName": "cdp"}
_KINDS = {
    **dict.fromkeys(("int2", "int4", "int8", "smallserial", "serial", "bigserial"), "int8"),
    **{kind: kind for kind in ("numeric", "float4", "float8", "date", "timestamp", "timestamptz")},
}
_PROBLEMS = {  # the longest beginning of SQLSTATE wins
    "08": ("url", "the server cannot be reached"),
    "08004": ("password", "the server wants a password, or another one"),
    "22": ("query", "it fails on a value that is there"),
    "28": ("user", "the server refuses this user or password"),
    "3D000": ("url", "there is no such database"),
    "3F000": ("table", "there is no such schema"),
    "42P01": ("table", "there is no such table"),
    "42703": ("query", "it names a column that is not there"),
    "42501": ("user", "no permission to read this"),
    "42": ("query", "it is no valid SQL"),
    "53300": ("url", "the server has no connection left"),
    "57": ("url", "the server is starting, stopping, or ended the query"),
}


@dataclass(frozen=True)
class ServerColumn:
    """A column as the server has it: its name, the server's name of its type, and JDBC's number of it."""

    name: str
    type: str
    code: int

    @property
    def quoted(self) -> str:
        return '"' + self.name.replace('"', '""') + '"'

    @property
    def kind(self) -> str | None:
        """The type to write its bounds in; None where it is neither a number nor a time."""
        return _KINDS.get(self.type)

    @property
    def is_number(self) -> bool:
        return self.kind in ("int8", "numeric", "float4", "float8")


def relation(database: Database) -> str:
    """What stands behind FROM."""
    return f"{database.table} as t" if database.table else f"(\n{database.query}\n) as t"


def properties(database: Database) -> dict[str, str]:
    """What the driver is told beside the address."""
    known = dict(_DRIVER)
    for key, secret in (("user", database.user), ("password", database.password)):
        if secret is not None:
            known[key] = secret.get_secret_value()
    return known


class Server:
    """An open connection.

    Args:
        connection: of JDBC.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def columns(self, database: Database) -> list[ServerColumn]:
        """The columns of the table or query; nothing is run for it."""
        statement = self._connection.prepareStatement(f"select * from {relation(database)}")
        facts = statement.getMetaData()
        return [
            ServerColumn(facts.getColumnLabel(i), facts.getColumnTypeName(i), facts.getColumnType(i))
            for i in range(1, facts.getColumnCount() + 1)
        ]

    def row(self, query: str, width: int) -> list[str | None]:
        """The only row of a query, as text."""
        result = self._connection.createStatement().executeQuery(query)
        result.next()
        return [result.getString(i + 1) for i in range(width)]


@contextmanager
def connected(spark: SparkSession, source: SourceConfig) -> Iterator[Server]:
    """A connection to the source's server, closed at the end.

    Raises:
        UsageError: the driver is missing, or the server refuses something within.
    """
    database, jvm = source.jdbc, spark._jvm
    assert database is not None and jvm is not None
    try:
        driver = jvm.org.postgresql.Driver()
    except TypeError:
        raise UsageError(
            f"source {source.name}: the PostgreSQL driver is not there; `./spark-submit.sh --setup` fetches it once"
        ) from None
    known = jvm.java.util.Properties()
    for key, value in properties(database).items():
        known.setProperty(key, value)
    connection = None
    try:
        connection = driver.connect(database.url, known)
        connection.setReadOnly(True)
        yield Server(connection)
    except Py4JJavaError as error:
        raise UsageError(f"source {source.name}: {_problem(database, error)}") from None
    finally:
        if connection is not None:
            connection.close()


def _problem(database: Database, error: Py4JJavaError) -> str:
    try:
        state = str(error.java_exception.getSQLState() or "")
    except Exception:  # not the driver's own
        state = ""
    key, text = _longest(_PROBLEMS, state) or ("url", "the server could not be asked")
    if key in ("table", "query"):
        key = "table" if database.table else "query"
        text = text if key == "query" or state != "42703" else "its view names a column that is not there"
    return f"jdbc.{key}: {text}" + (f" (SQLSTATE {state})" if state else "")


def _longest(known: Mapping[str, tuple[str, str]], state: str) -> tuple[str, str] | None:
    for length in range(len(state), 1, -1):
        if state[:length] in known:
            return known[state[:length]]
    return None
