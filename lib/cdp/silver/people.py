"""Customer records: one shape for what every source says of a person."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.silver import addresses, emails, flags, folding, names
from cdp.silver.casing import cased, cased_place, is_one_case
from cdp.silver.countries import country_of
from cdp.silver.phones import phones_read
from cdp.silver.postal import is_of_country, postal_code_form
from cdp.silver.text import mended, part
from cdp.tables.silver import CUSTOMER_RECORDS

_TEXTS = (
    *("full_name", "given_name", "middle_name", "family_name", "name_suffix", "native_name", "gender"),
    *("address", "street", "street_2", "city", "region", "postal_code", "country", "language"),
)


def customer_records(candidates: DataFrame, *, default_country: str | None) -> DataFrame:
    """`silver.customer_records` from the newest candidates.

    A column of the candidates keeps its name and what was sent, `_name` is what has become of it. Each step adds columns
    that the next one reads, as Spark computes anew what one step names twice.

    Args:
        candidates: fields of a customer_record, `source`, `record_key`, `_updated_at`.
        default_country: country of records that name none.
    """
    rows = _with_texts(candidates)
    rows = _with_country(rows, default_country)
    rows = _with_names(rows)
    rows = _with_address(rows)
    rows = _with_contacts(rows, default_country)
    rows = _step(rows, birth_date=flags.birth_date())
    rows = _step(rows, birth_year=flags.birth_year(), emails="_found_emails", phones="_numbers.e164", country="_land")
    rows = _step(rows, flags=flags.flags(), raw=flags.raw())
    # What Spark interprets (a lambda, and all that it is given) is given columns.
    made = {
        "email_keys": f"transform(_emails, e -> {emails.email_key('e')})",
        "email_flags": f"zip_with(_emails, _disposable, (e, d) -> {emails.email_flag('e', 'd')})",
        "flags": "CASE WHEN _flags = '' THEN CAST(array() AS ARRAY<STRING>) ELSE split(_flags, '\\n') END",
        "raw": "map_from_entries(array_compact(_raw))",
    }
    sent = ("source", "record_key", "attributes", "created_at")
    return rows.selectExpr(
        *[f"{made.get(c.name, c.name if c.name in sent else '_' + c.name)} AS {c.name}" for c in CUSTOMER_RECORDS.columns]
    )


def _step(rows: DataFrame, **made: str) -> DataFrame:
    """The rows with more columns, or others in place of some: `name="sql"` is column `_name`."""
    return rows.withColumns({f"_{name}": F.expr(sql) for name, sql in made.items()})


def _with_texts(rows: DataFrame) -> DataFrame:
    """Each text, mended: adds `_mended` (null in rows where nothing had to be) and a column for each of `_TEXTS`."""
    fields = [addresses.one_line(name) if name == "address" else name for name in _TEXTS]
    rows = _step(rows, mended=mended(fields), identifiers="coalesce(identifiers, CAST(map() AS MAP<STRING, STRING>))")
    texts = {
        name: f"CASE WHEN _mended IS NULL THEN nullif({field}, '') ELSE {part('_mended', i)} END"
        for i, (name, field) in enumerate(zip(_TEXTS, fields, strict=True))
    }
    return _step(rows, **texts)


def _with_country(rows: DataFrame, default_country: str | None) -> DataFrame:
    """Adds `_code` (of the country as sent), `_land` (the code that holds) and `_line` (the address without its country).

    A country that nobody knows is none: the default is for those that name none.
    """
    default = f"'{default_country}'" if default_country else "CAST(NULL AS STRING)"
    rows = _step(rows, code=country_of("_country"), last=addresses.country_last("_address"))
    rows = _step(rows, last_code=country_of("_last"))
    return _step(
        rows,
        land=f"CASE WHEN _country IS NULL THEN coalesce(_last_code, {default}) ELSE _code END",
        line=f"CASE WHEN _last_code = coalesce(_code, _last_code) THEN {addresses.without_last('_address')} ELSE _address END",
    )


def _with_names(rows: DataFrame) -> DataFrame:
    """Adds `_title`, `_full_name_key` and the like for the parts, and puts the name's columns into their form.

    Of a record that has its name in its own script alone, that is its name.
    """
    is_nameless = "_full_name IS NULL AND _given_name IS NULL AND _family_name IS NULL"
    rows = _step(rows, full_name=f"CASE WHEN {is_nameless} THEN _native_name ELSE _full_name END")
    rows = _step(
        rows,
        full_title=names.title_before("_full_name"),
        given_title=names.title_before("_given_name"),
        family_title=names.title_before("_family_name"),
    )
    rows = _step(
        rows,
        full=names.behind("_full_name", "_full_title"),
        given=names.behind("_given_name", "_given_title"),
        family=names.behind("_family_name", "_family_title"),
    )
    rows = _step(rows, full_tail=names.tail_of("_full"), family_tail=names.tail_of("_family"))
    rows = _step(rows, full=names.before("_full", "_full_tail"), family=names.before("_family", "_family_tail"))
    rows = _step(
        rows,
        said_given=names.shown("_given"),
        said_family=names.shown("_family"),
        full=names.shown("_full"),
        whole="_full",
    )
    rows = _step(
        rows,
        parts=f"CASE WHEN _said_given IS NULL AND _said_family IS NULL THEN {names.parts_of('_full', '_land')} END",
        is_shouted=is_one_case("concat_ws(' ', _full, _said_given, _middle_name, _said_family)"),
    )
    rows = _step(
        rows,
        given_half=f"coalesce(_said_given, {names.without_end(part('_parts', 0), '_middle_name')},"
        f" {names.first_half('_full', '_middle_name', '_said_family')})",
        family_half=f"coalesce(_said_family, {part('_parts', 1)}, {names.second_half('_full', '_said_given', '_middle_name')})",
    )
    rows = _step(rows, given_name=names.shown("_given_half"), family_name=names.shown("_family_half"))
    rows = _step(
        rows,
        given_name=cased("_given_name", is_shouted="_is_shouted"),
        middle_name=cased("_middle_name", is_shouted="_is_shouted"),
        family_name=cased("_family_name", is_shouted="_is_shouted"),
        title=names.title_of(("_full_title", "_given_title", "_family_title"), ("_full_tail", "_family_tail")),
        name_suffix=names.suffix_of("_name_suffix", "_family_tail", "_full_tail"),
    )
    as_sent = cased("_full", is_shouted="_is_shouted")
    rows = _step(
        rows,
        full_name=f"CASE WHEN _full IS NULL OR (_parts IS NOT NULL AND NOT {names.is_east_asian('_full')})"
        # A middle name alone is no name.
        f" THEN CASE WHEN coalesce(_given_name, _family_name) IS NOT NULL"
        f" THEN concat_ws(' ', _given_name, _middle_name, _family_name) END ELSE {as_sent} END",
    )
    rows = _step(rows, native_name=f"coalesce(_native_name, CASE WHEN {names.is_not_latin('_full_name')} THEN _full_name END)")
    letters = {f"{name}_key": folding.letters_of(f"_{name}") for name in ("full_name", "given_name", "family_name")}
    rows = _step(rows, **letters)
    is_foreign = folding.is_foreign("concat(coalesce(_full_name_key, ''), coalesce(_given_name_key, ''), coalesce(_family_name_key, ''))")
    lines = "concat_ws('\\n', coalesce(_full_name, ''), coalesce(_given_name, ''), coalesce(_family_name, ''))"
    return _step(rows, foreign=f"CASE WHEN {is_foreign} THEN {lines} END")


def _with_address(rows: DataFrame) -> DataFrame:
    """Adds `_unit`, `_house_number`, `_street_name`; fills what the address in one line says and the source does not map."""
    rows = _step(rows, around=addresses.around_code("_line", "_land"))
    rows = _step(rows, of_line=addresses.parts_of_line("_line", "_around", "_land"))
    rows = _step(
        rows,
        street=f"coalesce(_street, {part('_of_line', 0)})",
        city=f"coalesce(_city, {part('_of_line', 1)})",
        region=f"coalesce(_region, {part('_of_line', 2)})",
        code_sent=f"upper(coalesce(_postal_code, {part('_of_line', 3)}))",
    )
    rows = _step(
        rows,
        street=addresses.without_place("_street", "_city", "_region", "_code_sent"),
        city=cased_place("_city"),
        region=cased_place("_region"),
        postal_code=postal_code_form("_code_sent", "_land"),
        unit=addresses.unit_and_rest("_street", "_street_2"),
    )
    rows = _step(
        rows,
        unit=part("_unit", 0),
        street_name=part("_unit", 1),
        is_of_country=is_of_country("_postal_code", "_land"),
    )
    rows = _step(rows, house_number=addresses.number_and_name("_street_name", "_land"))
    return _step(rows, street_name=part("_house_number", 1), house_number=part("_house_number", 0))


def _with_contacts(rows: DataFrame, default_country: str | None) -> DataFrame:
    """Adds `_found_emails` with `_disposable` beside them, `_numbers`, and the keys of names in scripts that need Python."""
    rows = _step(
        rows, pieces="concat(array(email), coalesce(emails, array()))", texts="concat(array(phone), coalesce(phones, array()))"
    )
    rows = _step(rows, pieces=emails.pieces("_pieces"))
    rows = rows.withColumn("_forms", F.transform("_pieces", emails.email_form))
    rows = _step(rows, found_emails="array_distinct(array_compact(_forms))")
    # In one step they share a pass through Python.
    rows = rows.withColumns(
        {
            "_disposable": emails.disposable(F.col("_found_emails")),
            "_numbers": phones_read(F.col("_texts"), F.coalesce("_land", F.lit(default_country))),
            "_romanised": folding.romanised(F.col("_foreign")),
        }
    )
    keys = [f"{name}_key" for name in ("full_name", "given_name", "family_name")]
    rows = _step(rows, **{k: f"coalesce(get(split(_romanised, '\\n'), {i}), _{k})" for i, k in enumerate(keys)})
    return _step(rows, **{key: folding.key_of(f"_{key}") for key in keys})
