"""What systems really send: each row of each file lands in bronze or in quarantine, once, whole, with the reason."""

import bz2
import gzip
import io
import json
import lzma
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from cdp.base.console import Console
from cdp.base.lake import Lake
from cdp.base.settings import ConfigFolder
from cdp.base.stage import Run

from .awkward import COLUMNS, Case, Ingested, counted

HEADER = "id,name,amount\n"
ONE: Any = {1: ("1", "ann", "2.50")}
TWO: Any = {1: ("1", "ann", "2.50"), 2: ("2", "bob", None)}
SAMPLE = HEADER + "1,ann,2.50\n2,bob,\n"
UNCLOSED = ["row has a quote that is not closed"]
NO_OBJECT = ["row is no JSON object"]


def text(content: str, kept: Any = None, refused: Any = None, encoding: str = "utf-8", **more: Any) -> Case:
    return Case(content.encode(encoding), kept or {}, refused or {}, **more)


def lines(content: str, kept: Any = None, refused: Any = None, **more: Any) -> Case:
    more.setdefault("columns", JSON)
    return text(content, kept, refused, format="json", **more)


def parquet(content: dict[str, Any], kept: Any = None, refused: Any = None, **more: Any) -> Case:
    buffer = io.BytesIO()
    pq.write_table(pa.table(content), buffer)
    return Case(buffer.getvalue(), kept or {}, refused or {}, format="parquet", **more)


def _damaged() -> bytes:
    data = bytearray(parquet({"id": [str(n) for n in range(5000)]}).data)
    data[200:300] = b"\xff" * 100
    return bytes(data)


JSON: Any = [{"name": "id"}, {"name": "v", "type": "decimal(30,9)"}]
TEXT: Any = [{"name": "id"}, {"name": "v"}]
NESTED: Any = [
    {"name": "id"},
    {"name": "address.city"},
    {"name": "address.geo.lat", "type": "double"},
    {"name": "tags", "type": "array<string>"},
]
PARIS: Any = [{"name": "id"}, {"name": "at", "type": "timestamp"}]
BERLIN: Any = [
    {"name": "id"},
    {"name": "day", "type": "date", "format": "dd.MM.yyyy"},
    {"name": "amount", "type": "decimal(12,2)", "format": "1.234,56 €"},
]
LONG = "x" * 10_000_000
GZIPPED = gzip.compress((HEADER + "".join(f"{n},n{n * 7919 % 10007},1\n" for n in range(1, 2001))).encode())
WIDE = ",".join(f"c{n}" for n in range(2000))
LINES_OK = '{"id":1,"v":2}\n'

CASES: dict[str, Case] = {
    # -- the bytes of a text file --------------------------------------------------------------------------------
    "utf8 bom": Case(b"\xef\xbb\xbf" + SAMPLE.encode(), TWO),
    "crlf": text(SAMPLE.replace("\n", "\r\n"), TWO),
    "cr only": text(SAMPLE.replace("\n", "\r"), TWO),
    "mixed line endings": text("id,name,amount\r\n1,ann,2.50\r2,bob,\n3,cat,1", {**TWO, 3: ("3", "cat", "1")}),
    "no line break at the end": text(HEADER + "1,ann,2.50", ONE),
    "ctrl z at the end": text(SAMPLE + "\x1a", TWO),
    "zero bytes at the end": text(SAMPLE + "\0\0\0\0", TWO),
    "zero byte in a value": text(HEADER + "1,a\0b,\n", {1: ("1", "a\0b", None)}),
    "utf16 le with bom": text("\ufeff" + SAMPLE, TWO, encoding="utf-16-le"),
    "utf16 be with bom": text("\ufeff" + SAMPLE, TWO, encoding="utf-16-be"),
    "utf16 without bom": text(SAMPLE.replace("ann", "añ\u0a0a"), {**TWO, 1: ("1", "añ\u0a0a", "2.50")}, encoding="utf-16-le", counted=2),
    "utf16 was promised and not sent": text(
        SAMPLE, {}, {1: ["file cannot be read: it is not in UTF-16"]}, options={"encoding": "UTF-16"}, raw={1: ""},
        notes=("it is not in UTF-16",), counted=1,
    ),
    "latin 1": text(HEADER + "1,Zoë,2.50\n", {1: ("1", "Zoë", "2.50")}, encoding="latin-1", options={"encoding": "ISO-8859-1"}),
    "windows 1252": text(HEADER + "1,“Zoë” €,\n", {1: ("1", "“Zoë” €", None)}, encoding="cp1252", options={"encoding": "windows-1252"}),
    "byte that windows 1252 lacks": Case(
        HEADER.encode() + b"1,a\x81b,\n2,bob,\n", {2: ("2", "bob", None)}, {1: ["row is not in cp1252"]}, options={"encoding": "windows-1252"}
    ),
    "shift jis": text(HEADER + "1,表示,2.50\n", {1: ("1", "表示", "2.50")}, encoding="shift_jis", options={"encoding": "Shift_JIS"}),
    "latin 1 row in a utf8 file": Case(
        HEADER.encode() + "1,Zoë,\n".encode("latin-1") + "2,Zoë,\n".encode(), {1: ("1", "Zoë", None, None), 2: ("2", "Zoë", None, None)},
        notes=("1 rows are not UTF-8 and were read as windows-1252",), columns=[*COLUMNS, {"name": "only_here"}],
    ),
    "emoji": text(HEADER + "1,👩‍👩‍👧 𝒜,\n", {1: ("1", "👩‍👩‍👧 𝒜", None)}),
    "right to left": text(HEADER + "1,\u200fמשה كريم,\n", {1: ("1", "\u200fמשה كريم", None)}),
    "combining characters": text(HEADER + "1,Zoe\u0308,\n", {1: ("1", "Zoe\u0308", None)}),
    # -- what a file may be instead of what it should ------------------------------------------------------------
    "empty file": Case(b"", notes=("empty files",)),
    "header only": text("id,name,amount\n"),
    "blank lines only": text("\n\n  \n"),
    "zip archive": Case(b"PK\x03\x04\x14\0\0\0", {}, {1: ["file cannot be read: it is a zip archive or an Excel workbook"]}, counted=1),
    "gzip": Case(gzip.compress(SAMPLE.encode()), TWO, file="a.csv.gz"),
    "gzip that its name hides": Case(gzip.compress(SAMPLE.encode()), TWO, file="hidden.csv"),
    "gzip by name only": text(SAMPLE, TWO, file="plain.csv.gz"),
    "gzip of two members": Case(gzip.compress(SAMPLE.encode()) + gzip.compress(b"3,cat,1\n") + b"\0" * 512, {**TWO, 3: ("3", "cat", "1")}, file="two.csv.gz"),
    "gzip with a wrong end": Case(gzip.compress(SAMPLE.encode()) + b"junk", TWO, {3: ["file ends early: its gzip data is damaged"]}, file="junk.csv.gz"),
    "gzip of nothing": Case(gzip.compress(b""), file="nothing.csv.gz"),
    "bzip2": Case(bz2.compress(SAMPLE.encode()), TWO, file="a.csv.bz2"),
    "xz": Case(lzma.compress(SAMPLE.encode()), TWO, file="a.csv.xz"),
    "gzip cut short": Case(GZIPPED[: len(GZIPPED) // 2], file="cut.csv.gz", notes=("its gzip data is cut short",)),
    # -- names ---------------------------------------------------------------------------------------------------
    "file name": text(SAMPLE, TWO, file="ä 100% +x&y=1 [2] {3} #é.csv"),
    "header with spaces and case": text(' ID ,"Name",AMOUNT\u00a0\n1,ann,2.50\n', ONE),
    "header with accents": text(
        "id,pre\u0301nom,amount\n1,Zoé,\n", {1: ("1", "Zoé", None)}, columns=[{"name": "id"}, {"name": "prénom"}, {"name": "amount"}]
    ),
    "header twice": text("id,name,name,amount\n1,ann,anna,2.50\n", ONE, extra={1: {"name_2": "anna"}}),
    "header without a name": text("id,name,,amount\n1,ann,x,2.50\n", ONE, extra={1: {"column_3": "x"}}),
    "header again": text(HEADER + "1,ann,2.50\nid,name,amount\n", ONE, {2: ["row is the header once more"]}),
    "header that is not closed": text('id,"name,amount\n1,ann,2\n', {}, {1: ["file cannot be read: its header has a quote that is not closed"]}, counted=1),
    "names of our own": text("id,_file,_text,_file_row\n1,f,t,9\n", {1: ("1", None, None)}, extra={1: {"_file": "f", "_text": "t", "_file_row": "9"}}),
    "column order changed": text("amount,id,name\n2.50,1,ann\n", ONE),
    "columns missing": text("id\n1\n", {1: ("1", None, None)}),
    "key column missing": text("name\nann\nbob\n", {}, {1: ["file lacks id"], 2: ["file lacks id"]}),
    "two thousand columns": text(f"id,{WIDE}\n1,{WIDE}\n", {1: ("1", None, None)}, extra={1: {f"c{n}": f"c{n}" for n in range(2000)}}),
    "no header": text("1,ann,2.50\n2,bob,\n", TWO, options={"header": False}),
    "lines before the header": text("Report\n\nof,\"today\n" + SAMPLE, TWO, options={"skip_lines": 2}),
    "comments": text("# made by hand\n" + HEADER + "1,ann,2.50\n# 9,x,\n2,bob,\n", TWO, options={"comment": "#"}),
    # -- values of a CSV row -------------------------------------------------------------------------------------
    "blank lines": text("\n" + HEADER + "\n1,ann,2.50\n   \n2,bob,\n\n", TWO),
    "too few values": text(HEADER + "1,ann\n2,bob,\n", {2: ("2", "bob", None)}, {1: ["row has 2 values, wanted 3"]}, raw={1: "1,ann"}),
    "too many values": text(HEADER + "1,ann,2.50,x\n2,bob,\n", {2: ("2", "bob", None)}, {1: ["row has 4 values, wanted 3"]}, raw={1: "1,ann,2.50,x"}),
    "a hundred thousand values": text(HEADER + "1" + ",x" * 99_999 + "\n", {}, {1: ["row has 100000 values, wanted 3"]}),
    "trailing delimiter": text(HEADER + "1,ann,2.50,\n2,bob,,\n", TWO),
    "only whitespace values": text(HEADER + "1,  ,\t\n", {1: ("1", "  ", "\t")}),
    "delimiter in quotes": text(HEADER + '1,"a, b",2.50\n', {1: ("1", "a, b", "2.50")}),
    "quotes in quotes": text(HEADER + '1,"a ""b""",\n2,"""",\n', {1: ("1", 'a "b"', None), 2: ("2", '"', None)}),
    "quote in a bare value": text(HEADER + '1,5" nail,\n2,"a",\n3,"x",5"\n', {1: ("1", '5" nail', None), 2: ("2", "a", None)}, {3: ["amount: no decimal(12,2)"]}),
    "quote that is not closed": text(HEADER + '1,"ann,2.50\n2,bob,\n3,"x" y,\n', {2: ("2", "bob", None)}, {1: UNCLOSED, 3: UNCLOSED}, raw={1: '1,"ann,2.50'}),
    "line break in quotes where none may be": text(HEADER + '1,"a\nb",2.50\n2,bob,\n', {3: ("2", "bob", None)}, {1: UNCLOSED, 2: ["row has 2 values, wanted 3"]}),
    "line breaks in quotes": text(HEADER + '1,"a\r\n\n""b""",2.50\n\n2,bob,\n', {1: ("1", 'a\r\n\n"b"', "2.50"), 2: ("2", "bob", None)}, options={"multiline": True}),
    "unclosed quote in a file of many lines": text(
        HEADER + '1,"ann,2.50\n2,bob,\n3,"c\nat",1\n4,"dan', {2: ("2", "bob", None), 3: ("3", "c\nat", "1")}, {1: UNCLOSED, 4: UNCLOSED},
        options={"multiline": True}, raw={1: '1,"ann,2.50'}, counted=4,  # Python's reader would swallow the rest
    ),
    "unclosed quote of gzip and latin 1": Case(
        gzip.compress((HEADER + '1,"Zo\né",2\n2,"x\n').encode("latin-1")), {1: ("1", "Zo\né", "2")}, {2: UNCLOSED},
        options={"multiline": True, "encoding": "ISO-8859-1"}, file="a.gz", counted=2,
    ),
    "tab, and no quotes": text('id\tname\tamount\n1\t"ann\t2.50\n\t\t\n', {1: ("1", '"ann', "2.50")}, {2: ["id: not_null"]}, options={"delimiter": "\\t", "quote": ""}),
    "delimiter of several characters": text('id||name||amount\n1||a|b||2.50\n2||"x||y"||\n', {1: ("1", "a|b", "2.50"), 2: ("2", "x||y", None)}, options={"delimiter": "||"}),
    "delimiter that is a control character": text("id\x01name\x01amount\n1\x01ann\x012.50\n", ONE, options={"delimiter": "\x01"}),
    "other quote, backslash as escape": text(
        "id;name;amount\n1;'a\\'b';2.50\n2;c\\;d;\n3;'e\\\\';\n", {1: ("1", "a'b", "2.50"), 2: ("2", "c;d", None), 3: ("3", "e\\", None)},
        options={"delimiter": ";", "quote": "'", "escape": "\\"},
    ),
    "word for nothing": text(HEADER + "1,NULL,NULL\n2,null,1\n", {1: ("1", None, None), 2: ("2", "null", "1")}, options={"null_value": "NULL"}),
    "field of ten megabytes": text(HEADER + f"1,{LONG},\n", {1: ("1", LONG, None)}, options={"header": True}),
    "two versions of a key": text(HEADER + "1,ann,1\n1,anna,2\n", {1: ("1", "ann", "1"), 2: ("1", "anna", "2")}),
    # -- values and their types (the others are in test_typed.py) ------------------------------------------------
    "decimal commas and thousands": text(
        "id;day;amount\n1;31.01.2026;1.234,50 €\n2;30.02.2026;1\n3;01.01.0001;12.50\n4;;1.23,4\n",
        {1: ("1", "31.01.2026", "1.234,50 €")},
        {2: ["day: no date"], 3: ["amount: no decimal(12,2)"], 4: ["amount: no decimal(12,2)"]},
        options={"delimiter": ";"}, columns=BERLIN,
    ),
    "zones and the hour that is not": text(
        "id,at\n1,2026-03-29 02:30:00\n2,2026-10-25 02:30:00\n3,2026-03-29T02:30:00Z\n4,2026-03-29T02:30:00+0200\n5,0001-01-01 00:00:00\n",
        {n: (str(n), at) for n, at in enumerate(["2026-10-25 02:30:00", "2026-03-29T02:30:00Z", "2026-03-29T02:30:00+0200", "0001-01-01 00:00:00"], 2)},
        {1: ["at: no timestamp"]}, options={"timezone": "Europe/Paris"}, columns=PARIS,
    ),
    "amounts that are none": text(
        HEADER + "1,,12.345\n2,,1e3\n3,,NaN\n4,,1 234\n5,,$5\n6,,10000000000\n7,,1.500\n", {2: ("2", None, "1e3"), 7: ("7", None, "1.500")},
        {n: ["amount: no decimal(12,2)"] for n in (1, 3, 4, 5, 6)},
    ),
    # -- JSON ----------------------------------------------------------------------------------------------------
    "json lines": lines(LINES_OK + '\n{"id":"x","v":null}\r\n', {1: ("1", "2"), 2: ("x", None)}),
    "json bom": Case(b"\xef\xbb\xbf" + LINES_OK.encode(), {1: ("1", "2")}, format="json", columns=JSON),
    "json utf16": lines("\ufeff" + LINES_OK, {1: ("1", "2")}, encoding="utf-16-le"),
    "json cut short": lines('{"id":1,"v":2}\n{"id":2,"v"', {1: ("1", "2")}, {2: NO_OBJECT}, raw={2: '{"id":2,"v"'}),
    "json gzip cut short": Case(
        gzip.compress(b"".join(b'{"id":%d,"v":%d}\n' % (n, n * 7919 % 10007) for n in range(3000)))[:6000], format="json", columns=JSON, file="cut.json.gz"
    ),
    "json with a trailing comma": lines(LINES_OK + '{"id":2,}\n', {1: ("1", "2")}, {2: NO_OBJECT}),
    "json scalars and arrays as lines": lines(LINES_OK + 'null\n3\n[1]\n"x"\n', {1: ("1", "2")}, dict.fromkeys((2, 3, 4, 5), NO_OBJECT)),
    "two json documents on a line": lines(LINES_OK + '{"id":2}{"id":3}\n{"id":4}}\n{"id":5} x\n', {1: ("1", "2")}, dict.fromkeys((2, 3, 4), NO_OBJECT), raw={2: '{"id":2}{"id":3}'}),
    "json key twice": lines(
        '{"id":1,"v":1,"v":2}\n{"id":2,"v":2,"v":2}\n', {2: ("2", "2")}, {1: ["row names a key twice, with different values"]}, raw={1: '{"id":1,"v":1,"v":2}'}
    ),
    "json numbers": lines(
        '{"id":12345678901234567890123,"v":123456789.123456789}\n{"id":12345678.9,"v":1e3}\n{"id":3,"v":12.50}\n{"id":1e400,"v":1}\n',
        {1: ("12345678901234567890123", "123456789.123456789"), 2: ("12345678.9", "1000.0"), 3: ("3", "12.5")},
        {4: ["row holds a number that is too large or too long to keep"]},
    ),
    "json nan": lines('{"id":1,"v":NaN}\n{"id":2,"v":-Infinity}\n{"id":3,"v":"NaN"}\n', {}, {1: NO_OBJECT, 2: NO_OBJECT, 3: ["v: no decimal(30,9)"]}),
    "json without the key": lines('{"v":1}\n{"id":null,"v":1}\n{"id":1}\n', {3: ("1", None)}, {1: ["row lacks id"], 2: ["id: not_null"]}, raw={1: '{"v":1}'}),
    "json of a thousand levels": lines('{"id":1,"deep":' + "[" * 900 + "]" * 900 + "}\n" + '{"id":2,"deep":' + "[" * 1001 + "]" * 1001 + "}\n", {1: ("1", None)}, {2: NO_OBJECT}, extra={1: {"deep": "[" * 900 + "]" * 900}}),
    "json escapes": lines('{"id":1,"v":"\\ud83d\\ude00\\u0000\\n"}\n', {1: ("1", "😀\0\n")}, columns=TEXT),
    "json array in one line": lines('[{"id":1,"v":2},{"id":2,"v":3}]', {1: ("1", "2"), 2: ("2", "3")}),
    "json array over lines": lines(json.dumps([{"id": 1, "v": 2}, {"id": 2, "v": 3}, 5, None, [1]], indent=2), {1: ("1", "2"), 2: ("2", "3")}, dict.fromkeys((3, 4, 5), NO_OBJECT)),
    "json array that is not closed": lines('[{"id":1,"v":2},\n{"id":2,"v":', {1: ("1", "2")}, {2: ["file ends early: a document is not closed"]}, raw={2: '{"id":2,"v":'}, counted=2),
    "json objects over lines": lines('{\n "id": 1,\n "v": 2\n}\n{\n "id": 2}\n', {1: ("1", "2"), 2: ("2", None)}, counted=2),
    "json objects over lines, promised": lines('{"id": 1}\n{"id":\n2}\n', {1: ("1", None), 2: ("2", None)}, options={"multiline": True}, counted=2),
    "json paths": lines(
        '{"id":1,"address":{"city":"Lyon","zip":"69001","geo":{"lat":45.7,"lon":4.8}},"tags":["a",1]}\n'
        '{"id":2,"address":"12 rue","tags":"a"}\n{"id":3,"address.city":"Nice","more":[1]}\n{"id":4,"address":{"geo":{"lat":"x"}}}\n',
        {1: ("1", "Lyon", "45.7", '["a",1]'), 3: ("3", "Nice", None, None)}, {2: ["tags: no array<string>"], 4: ["address.geo.lat: no double"]},
        columns=NESTED, extra={1: {"address.zip": "69001", "address.geo.lon": "4.8"}, 3: {"more": "[1]"}}, raw={2: '{"id":"2","tags":"a","_extra":{"address":"12 rue"}}'},
    ),
    "json of other columns": lines('{"id":1,"v":1,"new":{"a":[1,2]}}\n{"id":2,"other":true}\n', {1: ("1", "1"), 2: ("2", None)}, extra={1: {"new": '{"a":[1,2]}'}, 2: {"other": "true"}}),
    # -- Parquet -------------------------------------------------------------------------------------------------
    "parquet": parquet({"id": [1, 2], "name": ["ann", "bob"], "amount": [2.5, None]}, {1: ("1", "ann", "2.5"), 2: ("2", "bob", None)}),
    "parquet of other types": parquet({"amount": ["2.50", "x"], "ID": ["1", "2"], "_id": [7, 8]}, ONE | {1: ("1", None, "2.50")}, {2: ["amount: no decimal(12,2)"]}, extra={1: {"_id": "7"}}),
    "parquet without the key": parquet({"name": ["ann"]}, {}, {1: ["file lacks id"]}),
    "parquet that is none": Case(SAMPLE.encode(), {}, {1: ["file cannot be read: it is no whole Parquet file"]}, format="parquet", raw={1: ""}),
    "parquet cut short": Case(parquet({"id": [1]}).data[:-5], {}, {1: ["file cannot be read: it is no whole Parquet file"]}, format="parquet"),
    "parquet with a damaged page": Case(_damaged(), {}, {1: ["file cannot be read: its data is damaged"]}, format="parquet", counted=1),
    "parquet of nested values": parquet(
        {"id": [1], "address": [{"city": "Lyon", "geo": {"lat": 45.7}, "zip": "69001"}], "tags": [["a"]], "born": [date(1, 1, 1)], "at": [datetime(2026, 1, 1, 12)], "bin": [b"\xff\x00"]},
        {1: ("1", "Lyon", "45.7", '["a"]')}, columns=NESTED,
        extra={1: {"address.zip": "69001", "born": "0001-01-01", "at": "2026-01-01 12:00:00", "bin": "/wA="}},
    ),
}


@pytest.fixture(scope="module")
def ingested(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ingested]:
    folder: Path = tmp_path_factory.mktemp("awkward")
    (folder / "conf").mkdir()
    run = Run(
        run_id="test",
        job="test",
        as_of=date(2026, 1, 31),
        started_at=datetime(2026, 2, 1, 3, 0, 0),
        lake=Lake(spark, str(folder / "lake")),
        config=ConfigFolder(folder / "conf"),
        landing=str(folder / "landing"),
        console=Console("quiet"),
    )
    yield Ingested(run, CASES)


@pytest.mark.parametrize("title", [pytest.param(title, id=title) for title in CASES])
def test_every_row_is_kept_or_set_aside_with_its_reason(ingested: Ingested, title: str):
    case, landed = CASES[title], ingested.landed(title)

    if "cut short" not in title or case.kept or case.refused:
        assert landed.kept == case.kept
        assert landed.refused == case.refused
    assert {row: landed.raw.get(row) for row in case.raw} == case.raw
    assert landed.extra == case.extra
    for note in case.notes:
        assert [n for n in ingested.result.notes if n.startswith(f"{landed.source}: ") and note in n]
    # Each row once, numbered without gaps, and as many as an independent reader finds.
    assert landed.times == len(landed.kept) + len(landed.refused) == counted(case)
    assert sorted({*landed.kept, *landed.refused}) == list(range(1, landed.times + 1))


@pytest.mark.parametrize("title", ["gzip cut short", "json gzip cut short"])
def test_what_comes_before_the_cut_is_kept(ingested: Ingested, title: str):
    landed = ingested.landed(title)

    assert len(landed.kept) > 500
    assert landed.refused == {len(landed.kept) + 1: ["file ends early: its gzip data is cut short"]}


def test_the_accounts_balance_and_count_what_is_in_the_files(ingested: Ingested):
    for account in ingested.result.accounts:
        cases = [case for title, case in CASES.items() if ingested.places[title][0] == account.subject]
        assert account.difference == 0
        assert account.rows_in == sum(map(counted, cases))
