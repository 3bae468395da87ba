"""What a source of `format: jdbc` says of its database: where it is, what is read, and what is new."""

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator

from cdp.base.settings import Strict

_PART = r'(?:[A-Za-z_][A-Za-z0-9_$]*|"[^"]+")'
_TABLE = re.compile(rf"{_PART}(?:\.{_PART})?")
_QUERY = re.compile(r"\s*(select|with)\b", re.IGNORECASE)


def _unseen(value: Any) -> Any:
    # A message about a value of the wrong kind would show it.
    return str(value) if isinstance(value, int | float) else value


_Secret = Annotated[SecretStr, BeforeValidator(_unseen)]


class Lookback(Strict):
    """How far behind the last upper bound the next read begins."""

    count: int = Field(gt=0)
    period: Literal["second", "minute", "hour", "day"]


class Database(Strict):
    """A table or query of a PostgreSQL server."""

    url: str
    """`jdbc:postgresql://host:port/database`, with the driver's own parameters such as `?sslmode=require`."""
    user: _Secret | None = None
    password: _Secret | None = None
    """From the environment: `${ENV:NAME}`."""
    table: str | None = None
    """Table or view, with its schema."""
    query: str | None = None
    """A SELECT in place of a table."""
    watermark: str | None = None
    """Column that grows with every change: only rows beyond what was read are new. None: everything, each time."""
    lookback: Lookback | None = None
    """Rows this far behind the last upper bound are read again, for those that were committed late."""
    partition_by: str | None = None
    """Numeric column by whose ranges the rows are read side by side."""
    partitions: int = Field(default=4, ge=1, le=1000)
    """Ranges, each a connection to the server."""
    fetch_size: int = Field(default=10_000, ge=1)
    """Rows a round trip."""

    @field_validator("url")
    @classmethod
    def _url_is_known(cls, value: str) -> str:
        if not re.fullmatch(r"jdbc:postgresql://[^/?\s]+/[^/?\s]+(\?\S*)?", value):
            raise ValueError("wanted jdbc:postgresql://host:port/database; no other database is read")
        if re.search(r"[?&](user|password)=", value, re.IGNORECASE) or "@" in value.partition("?")[0]:
            raise ValueError("wanted user and password in the keys of these names, not in the address")
        return value

    @field_validator("table")
    @classmethod
    def _table_is_a_name(cls, value: str | None) -> str | None:
        if value is not None and not _TABLE.fullmatch(value):
            raise ValueError(f"found {value!r}, wanted a name such as public.members; a SELECT goes to query")
        return value

    @field_validator("query")
    @classmethod
    def _query_selects(cls, value: str | None) -> str | None:
        if value is None:
            return None
        text = value.strip().removesuffix(";").strip()
        if not _QUERY.match(text):
            raise ValueError("wanted a SELECT; a table's name goes to table")
        return text

    @model_validator(mode="after")
    def _keys_fit(self) -> "Database":
        if (self.table is None) == (self.query is None):
            raise ValueError("wanted either table or query")
        if self.lookback and not self.watermark:
            raise ValueError("lookback: has no meaning without a watermark, where everything is read each time")
        if "partitions" in self.model_fields_set and not self.partition_by:
            raise ValueError("partitions: needs partition_by, the column to divide by")
        return self

    @property
    def origin(self) -> str:
        """The name under which its slices are in the ledger."""
        return self.table or "query"
