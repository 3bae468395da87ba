"""The columns of each layout, and the identifiers by which a destination knows a person.

An identifier is kept as one text, `COLUMN=VALUE`, or `COLUMN,COLUMN=VALUE<tab>VALUE` for columns that only work
together (name and postal code): what is needed to write the same row again for a removal.
"""

from collections.abc import Callable

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.activation import normalise as n
from cdp.activation.config import Destination, OutputField
from cdp.activation.load import matched_of
from cdp.activation.people import EMAILS, PHONES, column_of

_GOOGLE = (("Email",), ("Phone",), ("First Name", "Last Name", "Country", "Zip"))
_META = (("email",), ("phone",), ("fn", "ln", "zip", "ct", "st", "country"))
_TRANSFORMS: dict[str, Callable[[Column], Column]] = {
    "lower": F.lower,
    "upper": F.upper,
    "trim": n.present,
    "digits": n.digits,
    "sha256": lambda value: n.sha256(n.nfc(F.array(value))[0]),
}


def header(destination: Destination) -> list[str]:
    """Columns of the destination's files, in order."""
    if destination.layout == "plain":
        return [f.to for f in destination.fields]
    return [column for group in groups(destination) for column in group]


def groups(destination: Destination) -> tuple[tuple[str, ...], ...]:
    """The columns that identify a person, those together that only work together."""
    if destination.layout == "google_customer_match":
        return _GOOGLE
    if destination.layout == "meta_custom_audience":
        return _META
    return tuple((f.to,) for f in destination.fields if f.identifier)


def composed(people: DataFrame) -> DataFrame:
    """People with e-mail addresses and texts in Unicode's composed form, as hashing wants them."""
    texts = ("profile__given_name", "profile__family_name", "profile__city", "profile__region")
    people = people.withColumns({EMAILS: n.nfc(F.col(EMAILS)), "_texts": n.nfc(F.array(*texts))})
    return people.withColumns({text: F.col("_texts")[i] for i, text in enumerate(texts)}).drop("_texts")


def identifiers(destination: Destination) -> Column:
    """The identifiers of a person at a destination, sorted; an empty list where there are none."""
    if destination.layout == "google_customer_match":
        found = _google()
    elif destination.layout == "meta_custom_audience":
        found = _meta()
    else:
        found = F.array(*[_entry((f.to,), field_value(f)) for f in destination.fields if f.identifier])
    return F.sort_array(F.array_distinct(F.array_compact(found)))


def field_value(field: OutputField) -> Column:
    """The value of a column of a plain file; null where it is missing or blank."""
    matched = matched_of(field)
    value = n.present(_of_matched(matched, field.item) if matched else F.col(column_of(field)).cast("string"))
    for name in field.transform:
        value = _TRANSFORMS[name](value)
    return value


def _of_matched(path: str, item: int | None) -> Column:
    values = F.col("matched")[path]
    return F.array_join(values, ",") if item is None else F.get(values, F.lit(item - 1))


def _google() -> Column:
    emails = F.flatten(F.transform(EMAILS, n.google_emails))
    address = (
        n.sha256(n.google_name(F.col("profile__given_name"))),
        n.sha256(n.google_name(F.col("profile__family_name"))),
        F.col("profile__country"),
        n.present(F.col("profile__postal_code")),
    )
    return F.concat(
        F.transform(emails, lambda e: _entry(_GOOGLE[0], n.sha256(e))),
        F.transform(PHONES, lambda p: _entry(_GOOGLE[1], n.sha256(n.google_phone(p)))),
        F.array(_entry(_GOOGLE[2], *address, needed=(0, 1, 2, 3))),
    )


def _meta() -> Column:
    country = F.col("profile__country")
    address = (
        n.sha256(n.meta_name(F.col("profile__given_name"))),
        n.sha256(n.meta_name(F.col("profile__family_name"))),
        n.sha256(n.meta_postal_code(F.col("profile__postal_code"), country)),
        n.sha256(n.meta_place(F.col("profile__city"))),
        n.sha256(n.meta_place(F.col("profile__region"))),
        n.sha256(F.lower(country)),
    )
    return F.concat(
        F.transform(EMAILS, lambda e: _entry(_META[0], n.sha256(n.meta_email(e)))),
        F.transform(PHONES, lambda p: _entry(_META[1], n.sha256(n.meta_phone(p)))),
        F.array(_entry(_META[2], *address, needed=(0, 1, 2, 5))),
    )


def _entry(columns: tuple[str, ...], *values: Column, needed: tuple[int, ...] = (0,)) -> Column:
    """One identifier; null where one of the values at `needed` is missing."""
    text = F.concat(
        F.lit(f"{','.join(columns)}="), F.concat_ws("\t", *[F.coalesce(v, F.lit("")) for v in values])
    )
    is_there = F.lit(True)
    for i in needed:
        is_there &= values[i].isNotNull()
    return F.when(is_there, text)


def rows_of(frame: DataFrame, entries: str, destination: Destination, keep: list[Column]) -> DataFrame:
    """Write identifiers out as rows of a file: as many rows as the person has values of one kind.

    Args:
        frame: holds the column `entries` (list of identifiers) and `keep`.
        entries: the column.
        destination: gives the columns.
        keep: columns to carry along.

    Returns:
        `keep`, row_no (from 0) and the columns of the file; columns that identify nobody are null.
    """
    lists = {group: f"_values_{i}" for i, group in enumerate(groups(destination))}
    frame = frame.withColumns({name: _values(F.col(entries), group) for group, name in lists.items()})
    most = F.greatest(F.lit(0), *[F.size(name) for name in lists.values()])
    frame = frame.where(most > 0).select("*", F.explode(F.sequence(F.lit(0), most - 1)).alias("row_no"))
    values = {
        column: F.nullif(F.get(F.split(F.get(F.col(name), F.col("row_no")), "\t"), F.lit(i)), F.lit(""))
        for group, name in lists.items()
        for i, column in enumerate(group)
    }
    empty = F.lit(None).cast("string")
    return frame.select(*keep, "row_no", *[values.get(c, empty).alias(c) for c in header(destination)])


def _values(entries: Column, group: tuple[str, ...]) -> Column:
    prefix = f"{','.join(group)}="
    mine = F.filter(entries, lambda e: e.startswith(prefix))
    return F.transform(mine, lambda e: F.substring(e, F.lit(len(prefix) + 1), F.length(e)))
