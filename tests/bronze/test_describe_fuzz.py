"""Whatever bytes come, a proposal or one line of refusal; whatever the dialect, it is found and every value read."""

import csv
import io
import json
import re
import tempfile
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cdp.base.errors import UsageError
from cdp.base.settings import parse
from cdp.bronze.columns import SourceColumn
from cdp.bronze.config import SourceConfig
from cdp.bronze.describe import describe_extract

WORDS = st.text(alphabet="abcdefghijklmnopqrstuvwxyzäéñ ", min_size=1, max_size=12).map(str.strip).filter(bool)
DAYS = st.dates(date(1990, 1, 1), date(2030, 12, 31))
SECONDS = st.datetimes(datetime(1990, 1, 1), datetime(2030, 12, 31)).map(lambda t: t.replace(microsecond=0))
MONEY = st.decimals(-99_999, 99_999, places=2)


def _with_comma(value: Decimal) -> str:
    return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))


COLUMNS: dict[str, st.SearchStrategy[str]] = {
    "label": WORDS,
    "count": st.integers(-10_000, 10_000).map(str),
    "amount": MONEY.map(str),
    "betrag": MONEY.map(_with_comma),
    "born": DAYS.map(str),
    "day": DAYS.map(lambda d: f"{d:%d.%m.%Y}"),
    "us_day": DAYS.map(lambda d: f"{d:%m/%d/%Y}"),
    "seen_at": SECONDS.map(lambda t: f"{t:%Y-%m-%dT%H:%M:%S}Z"),
    "sold_at": SECONDS.map(lambda t: f"{t:%d/%m/%Y %H:%M}"),
    "flag": st.sampled_from(["true", "false"]),
    "zip": st.integers(0, 99_999).map(lambda n: f"{n:05}"),
}
_STRPTIME = {"yyyy": "%Y", "MM": "%m", "M": "%m", "dd": "%d", "d": "%d", "HH": "%H", "H": "%H", "mm": "%M", "ss": "%S"}


def _reads(column: SourceColumn) -> Callable[[str], object]:
    """How a value is read under a proposal, written down without looking at how proposals are made."""
    kind, pattern = column.type, column.format
    if kind in ("date", "timestamp"):
        if pattern is None:
            return lambda text: datetime.fromisoformat(text.replace("Z", "+00:00"))
        form = re.sub(r"[a-zA-Z]+", lambda m: _STRPTIME[m.group()], pattern)
        return lambda text: datetime.strptime(text, form) + timedelta(0)
    if kind == "boolean":
        return lambda text: {"true": True, "false": False}[text]
    if kind in ("int", "bigint"):
        return int
    if kind.startswith("decimal"):
        marks = re.findall(r"\D", pattern) if pattern else [",", "."]
        return lambda text: Decimal(text.replace(marks[0] if len(marks) > 1 else "", "").replace(marks[-1], "."))
    return str


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    names = draw(st.lists(st.sampled_from(sorted(COLUMNS)), min_size=2, max_size=6, unique=True))
    count = draw(st.integers(3, 25))
    columns = [draw(st.lists(COLUMNS[name], min_size=count, max_size=count)) for name in names]
    return names, [list(row) for row in zip(*columns, strict=True)]


def _described(content: bytes) -> SourceConfig:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        path.write_bytes(content)
        return parse(SourceConfig, yaml.safe_load(describe_extract(path)), "table.yaml")


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(
    tables(),
    st.sampled_from(",;\t|"),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_a_table_in_any_dialect_is_found_again(
    table: tuple[list[str], list[list[str]]], delimiter: str, encoding: str, end: str, quoting: int
):
    names, rows = table
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting)  # type: ignore[arg-type]
    writer.writerows([names, *rows])

    found = _described(text.getvalue().encode(encoding))

    assert [c.name for c in found.columns] == names
    assert found.options.delimiter == delimiter
    assert found.options.encoding == ("UTF-16" if encoding == "utf-16" else "UTF-8")
    for position, column in enumerate(found.columns):
        read = _reads(column)
        for row in rows:
            read(row[position])


@settings(max_examples=300)
@given(
    st.one_of(
        st.binary(max_size=400),
        st.text(max_size=200).map(lambda t: t.encode("utf-8", "surrogatepass")),
        st.text(alphabet=',;"\'\\\n\r{}[]:#ab1 .-@', max_size=200).map(str.encode),
        st.binary(max_size=100).map(lambda b: b"PAR1" + b + b"PAR1"),
        st.binary(max_size=100).map(lambda b: b"\x1f\x8b\x08" + b),
        st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)).map(
            lambda v: json.dumps({"id": 1, "v": v}).encode()
        ),
    )
)
def test_any_bytes_are_described_or_refused(content: bytes):
    try:
        _described(content)
    except UsageError as error:
        assert "\n" not in str(error)
