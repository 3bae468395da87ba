"""What is proposed for an extract: the dialect, the contract, the mapping, and no value of a person."""

import bz2
import gzip
import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from cdp import cli
from cdp.base.errors import UsageError
from cdp.base.settings import ConfigFolder, parse
from cdp.bronze.config import SourceConfig, load_sources
from cdp.bronze.describe import describe_extract

CLIENTS = (
    "Numéro client;Nom;Prénom;E-Mail;Téléphone;Date de naissance;Code postal;Ville;Pays;Montant;Newsletter;Modifié le\n"
    + "".join(
        f"{n:05};Lefèvre{n};Zoé{n};zoe{n}@exemple.fr;06 12 34 56 {n:02};{n % 28 + 1:02}/0{n % 9 + 1}/19{n + 10};0{n + 1000};"
        f"Orléans;{'FR' if n % 2 else 'BE'};{n}.{n + 100},5{n % 10};{'oui' if n % 3 else 'non'};2{n % 9}.11.2024 1{n % 9}:05\n"
        for n in range(10, 60)
    )
)


def proposed(tmp_path: Path, content: str | bytes, name: str = "data.csv") -> tuple[SourceConfig, str]:
    """The proposal for a file, as configuration that `cdp validate` accepts, and as text."""
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return checked(tmp_path, describe_extract(path))


def checked(tmp_path: Path, text: str) -> tuple[SourceConfig, str]:
    folder = tmp_path / "conf" / "sources"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "proposed.yaml").write_text(text, encoding="utf-8")
    (source,) = load_sources(ConfigFolder(tmp_path / "conf")).values()
    assert source == parse(SourceConfig, yaml.safe_load(text), "proposed.yaml")
    return source, text


def types(source: SourceConfig) -> dict[str, tuple[str, str | None]]:
    return {c.name: (c.type, c.format) for c in source.columns if c.type != "string"}


def personal(source: SourceConfig) -> set[str]:
    return {c.name for c in source.columns if "pii" in c.tags}


def test_a_french_extract_in_latin_1_is_understood(tmp_path: Path):
    source, text = proposed(tmp_path, CLIENTS.encode("latin-1"), "Clients_2024-11-25.csv")

    assert (source.name, source.path) == ("clients", f"{tmp_path.name}/Clients_*.csv")
    options = source.options
    assert (options.delimiter, options.encoding, options.header, options.multiline) == (";", "ISO-8859-1", True, False)
    assert source.primary_key == ("Numéro client",)
    assert types(source) == {
        "Date de naissance": ("date", "dd/MM/yyyy"),
        "Montant": ("decimal(12,2)", "1.234,56"),
        "Modifié le": ("timestamp", "dd.MM.yyyy HH:mm"),
    }
    (record,) = source.produces.customer_record
    assert (record.given_name, record.family_name, record.email) == ("Prénom", "Nom", "E-Mail")
    assert (record.postal_code, record.country, record.birth_date) == ("Code postal", "Pays", "Date de naissance")
    assert record.identifiers == {"customer_no": "Numéro client"}
    assert {"Nom", "Prénom", "E-Mail", "Téléphone", "Date de naissance", "Code postal"} <= personal(source)
    assert "Lef" not in text and "exemple" not in text and "Orl" not in text


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("Vorname", "given_name"),
        ("first name", "given_name"),
        ("fname", "given_name"),
        ("PRIMER_APELLIDO", "family_name"),
        ("Cognome", "family_name"),
        ("Achternaam", "family_name"),
        ("sobrenome", "family_name"),
        ("adresseMail", "email"),
        ("correo electrónico", "email"),
        ("Handynummer", "phone"),
        ("Straße", "street"),
        ("billing_address_city", "city"),
        ("PLZ", "postal_code"),
        ("País", "country"),
        ("Geburtsdatum", "birth_date"),
    ],
)
def test_names_of_columns_are_known_in_several_languages(tmp_path: Path, header: str, field: str):
    value = "1980-02-03" if field == "birth_date" else "x"
    rows = "".join(f"C{n},{1970 + n},{value}\n" for n in range(9))
    source, _ = proposed(tmp_path, f"contact_id,yob,{header}\n{rows}")

    assert getattr(source.produces.customer_record[0], field) == header


@pytest.mark.parametrize(
    ("content", "options"),
    [
        ("id\tname\n1\tAnn\n2\tBob\n", {"delimiter": "\t"}),
        ("id|price\n1|1,5\n2|2,5\n", {"delimiter": "|"}),
        ("id^price^day\n1^1.5^2024-01-01\n2^2.5^2024-01-02\n", {"delimiter": "^"}),
        ("id,note\n1,'a, b'\n2,'c, d'\n", {"quote": "'", "escape": "'"}),
        ('id,note\n1,"say \\"a, b\\" now"\n2,"c, d"\n', {"escape": "\\"}),
        ('id,note\n1,"two\nlines, here"\n2,one\n', {"multiline": True}),
        ("id,email\n1,a@b.de\n2,c@d.de\n".encode("utf-8-sig"), {"encoding": "UTF-8"}),
        ("id,city\n1,Köln\n2,Łódź\n".encode("utf-16"), {"encoding": "UTF-16"}),
        ("id,city\n1,Paris\n2,Rome\n".encode("utf-16-be"), {"encoding": "UTF-16BE"}),
        ("id,price\n1,5 €\n2,6 €\n".encode("cp1252"), {"encoding": "windows-1252"}),
        ("id,age\n1,NA\n2,31\n3,NA\n", {"null_value": "NA"}),
        ("Report of May\nid,day,cost\n1,2024-05-01,2\n2,2024-05-02,3\n", {"skip_lines": 1}),
        ("# made by a robot\nid,day,cost\n1,2024-05-01,2\n2,2024-05-02,3\n", {"comment": "#"}),
        ("1,a@b.de,2024-01-01\n2,c@d.de,2024-01-02\n", {"header": False}),
    ],
)
def test_the_way_of_writing_is_found(tmp_path: Path, content: str | bytes, options: dict[str, Any]):
    source, _ = proposed(tmp_path, content)

    assert {name: getattr(source.options, name) for name in options} == options


def test_without_a_header_no_line_of_data_is_taken_for_names(tmp_path: Path):
    source, text = proposed(tmp_path, "".join(f"Ann Smith,ann{n % 2}@b.de,London,gold\n" for n in range(90)))

    assert [c.name for c in source.columns] == ["column_1", "column_2", "column_3", "column_4"]
    assert personal(source) == {"column_2"}
    assert not any(word in text for word in ("Ann", "ann0", "London", "gold"))  # what is a person's cannot be told here


def test_values_are_shown_only_of_what_is_not_personal(tmp_path: Path):
    rows = "".join(f"{n},{('Ann', 'Bob')[n % 2]},{('gold', 'basic')[n % 2]},{('Ann', 'Bob')[n % 2]}\n" for n in range(40))
    source, text = proposed(tmp_path, "id,first_name,tier,cashier\n" + rows)

    assert [t.accepted_values for c in source.columns if c.name == "tier" for t in c.tests] == [("basic", "gold")]
    assert next(c for c in source.columns if c.name == "tier").severity == "warn"
    assert personal(source) == {"first_name", "cashier"}
    assert "Ann" not in text


def test_what_is_personal_by_its_values_is_marked_whatever_its_name(tmp_path: Path):
    rows = "".join(
        f"{n};u{n}@x.org;call a{n}@x.org;+49 170 12345{n:02};10.0.{n}.7;DE{n:02}37040044053201{n:02}00;4111 1111 1111 1111;K{n}\n"
        for n in range(10, 40)
    )
    source, text = proposed(tmp_path, "row_id;a1;a2;a3;a4;a5;a6;a7\n" + rows)

    assert personal(source) == {"a1", "a2", "a3", "a4", "a5", "a6"}
    assert "x.org" not in text and "4111" not in text


def test_lines_of_orders_have_a_key_of_two_columns_and_make_orders_and_lines(tmp_path: Path):
    rows = "".join(
        f"{o};{line};SKU{line};{o % 3 + 1};{line},5{o % 10};2024-01-{o % 28 + 1:02} 10:00:00\n"
        for o in range(100, 130)
        for line in (1, 2, 3)
    )
    source, _ = proposed(tmp_path, "Auftragsnummer;Zeile;Artikelnummer;Menge;Einzelpreis;Bestelldatum\n" + rows)

    assert source.primary_key == ("Auftragsnummer", "Zeile")
    assert (source.occurred_at, types(source)["Einzelpreis"]) == ("Bestelldatum", ("decimal(12,2)", "1.234,56"))
    assert source.produces.order[0].ordered_at == "Bestelldatum"
    line = source.produces.order_line[0]
    assert (line.product_id, line.quantity, line.unit_price, line.line_no) == (
        "Artikelnummer",
        "Menge",
        "Einzelpreis",
        "Zeile",
    )


def test_nested_json_is_reached_by_path_and_its_lists_are_exploded(tmp_path: Path):
    orders = [
        {
            "id": f"{n}",
            "createdAt": f"2024-01-0{n % 9 + 1}T10:00:00Z",
            "customer": {"email": f"a{n}@b.de", "address": {"city": "Rome"}},
            "items": [{"sku": "S1", "quantity": n, "price": 1.5}],
            "total": 1.5 * n,
        }
        for n in range(1, 20)
    ]
    source, text = proposed(tmp_path, "".join(json.dumps(o) + "\n" for o in orders), "orders.jsonl")

    assert types(source)["items"] == ("array<struct<sku:string,quantity:int,price:double>>", None)
    assert types(source)["customer"] == ("struct<email:string,address:struct<city:string>>", None)
    assert (types(source)["createdAt"], types(source)["total"]) == (("timestamp", None), ("decimal(12,2)", None))
    assert source.produces.order[0].identifiers == {"email": "customer.email"}
    assert (source.produces.order_line[0].explode, source.produces.order_line[0].product_id) == ("items", "items.sku")
    assert personal(source) == {"customer"} and "Rome" not in text


@pytest.mark.parametrize(
    ("content", "multiline"),
    [
        (json.dumps([{"id": "1", "name": "Ann"}, {"id": "2", "name": "Bob"}], indent=1), False),
        (json.dumps({"id": "1", "name": "Ann"}, indent=1) + json.dumps({"id": "2", "name": "Bob"}, indent=1), True),
        ('\n{"id": "1", "name": "Ann"}\nbroken\n{"id": "2"}\n', False),
    ],
)
def test_json_is_read_in_every_shape_that_it_comes_in(tmp_path: Path, content: str, multiline: bool):
    source, text = proposed(tmp_path, content, "people.json")

    assert (source.format, source.options.multiline, source.primary_key) == ("json", multiline, ("id",))
    assert "all 2 rows" in text and "Ann" not in text
    assert ("1 of 3 lines hold no JSON object" in text) == ("broken" in content)


def test_json_that_no_type_fits_is_kept_as_text(tmp_path: Path):
    rows = [{"id": 1, "mixed": {"a": 1}, "by": {f"a{n}@b.de": True for n in range(3)}, "_id": 1, "Id": 2, "deep": {"a,b": 1}}]
    rows += [{"id": 2, "mixed": [1], "by": {}, "deep": None}]
    source, text = proposed(tmp_path, "".join(json.dumps(r) + "\n" for r in rows), "odd.json")

    assert types(source) == {"by": ("map<string,boolean>", None)}
    assert "b.de" not in text
    assert "column 4, 5 is not declared" in text


def test_parquet_says_itself_what_it_holds(tmp_path: Path):
    table = pa.table(
        {
            "id": pa.array([1, 2], pa.int64()),
            "email": ["a@b.de", None],
            "since": pa.array([0, 1], pa.timestamp("us", tz="UTC")),
            "price": pa.array([1, 2], pa.decimal128(9, 3)),
            "tags": [["a"], []],
            "at": [{"city": "Rome"}, None],
        }
    )
    pq.write_table(table, tmp_path / "part-00000-3f0b8a34-6c1b-4e53-a0d5-0a1b2c3d4e5f-c000.snappy.parquet")
    os.utime(tmp_path, (1, 1))

    source, _ = checked(tmp_path, describe_extract(tmp_path))

    assert types(source) == {
        "id": ("bigint", None),
        "since": ("timestamp", None),
        "price": ("decimal(9,3)", None),
        "tags": ("array<string>", None),
        "at": ("struct<city:string>", None),
    }
    assert (source.options.timezone, source.primary_key) == ("UTC", ("id",))
    assert source.path == f"{tmp_path.name}/*.snappy.parquet" and personal(source) == {"email", "at"}


def test_of_a_folder_the_newest_file_is_described(tmp_path: Path):
    folder = tmp_path / "landing" / "shop" / "crm"
    folder.mkdir(parents=True)
    for age, name in enumerate(("crm_2.csv.gz", "crm_1.csv.gz", "_part.csv", "notes.md")):
        data = f"id,col{name[4]}\n1,2\n2,3\n".encode()
        (folder / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
        os.utime(folder / name, (1_000_000 - age, 1_000_000 - age))

    source, text = checked(tmp_path, describe_extract(folder))

    assert (source.name, source.path) == ("crm", "shop/crm/*.csv.gz")
    assert source.columns[1].name == "col2" and "the newest of its folder" in text


def test_a_big_file_is_described_by_how_it_begins(tmp_path: Path):
    rows = "".join(f"{n},{n % 7}\n" for n in range(150_000))
    source, text = proposed(tmp_path, bz2.compress(("id,points\n" + rows).encode()), "big.csv.bz2")

    assert "the first 100,000 rows, not all, were looked at" in text
    assert types(source) == {"points": ("int", None)}


def test_versions_and_repeats_of_a_row_keep_its_key(tmp_path: Path):
    rows = [f"C{n},a{n}@b.de,2024-01-01T00:00:00Z" for n in range(40)]
    rows += ["C1,new@b.de,2024-02-01T00:00:00Z", rows[2]]
    source, text = proposed(tmp_path, "contact_id,email,updated_at\n" + "\n".join(rows) + "\n")

    assert (source.primary_key, source.occurred_at) == (("contact_id",), "updated_at")
    assert "2 rows repeat one; they are taken for its versions" in text


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.csv", b"", "found an empty file"),
        ("a.csv", b" \n\n", "found an empty file"),
        ("a.xlsx", b"PK\x03\x04abc", "found a zip archive or an Excel workbook"),
        ("a.bin", bytes(range(256)) * 9, "found bytes that are no text"),
        ("a.csv.gz", gzip.compress(b"id,name\n" + bytes(range(48, 90)) * 999)[:-30], "found gzip that is cut short"),
        ("a.parquet", b"PAR1 nothing else", "found Parquet that is cut short or damaged"),
        ("a.json", b'{"a": 1, "b"', "from line 1 on that is no whole JSON"),
        ("a.json", b"[{} , 3]", "found JSON that is no object"),
        ("a.txt", b" 00001 19970101  1   11.77\n 00002 19970112  1   12.00\n 00002 19970112  5   77.00\n", "runs of spaces"),
        ("nothing.csv", None, "found nothing, wanted csv, json or parquet"),
        ("folder", None, "found a folder without an extract"),
    ],
)
def test_what_is_no_extract_is_named_with_what_was_found(tmp_path: Path, name: str, content: bytes | None, problem: str):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    elif name == "folder":
        path.mkdir()

    with pytest.raises(UsageError) as caught:
        describe_extract(path)

    assert str(path) in str(caught.value) and problem in str(caught.value) and "\n" not in str(caught.value)


def _call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["cdp", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


def test_the_command_tells_files_from_tables(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    path, output = tmp_path / "clients.csv", tmp_path / "clients.yaml"
    path.write_text(CLIENTS)

    assert _call(monkeypatch, "describe", str(path)) == 0
    assert capsys.readouterr().out == describe_extract(path)
    assert _call(monkeypatch, "describe", str(path), "--output", str(output)) == 0
    assert output.read_text() == describe_extract(path)
    assert _call(monkeypatch, "describe", "gold.profiles") == 0

    capsys.readouterr()
    assert _call(monkeypatch, "describe", str(path), "--output", str(output)) == 2
    assert "what somebody corrected is not written over" in capsys.readouterr().err
    assert _call(monkeypatch, "describe", "gold.profile") == 2
    assert "found no file gold.profile, and no table called gold.profile; did you mean" in capsys.readouterr().err
    assert _call(monkeypatch, "describe", "no/such.csv") == 2
    said = capsys.readouterr().err
    assert said.startswith("error: no/such.csv: found nothing") and "a table is named layer.table" in said
