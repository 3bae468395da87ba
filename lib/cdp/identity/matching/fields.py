"""What is compared: the fields of customer records as text, and the pieces of them by which records meet."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cdp.identity.config import PIECES, IdentityConfig, is_device
from cdp.identity.groups import node_of
from cdp.identity.matching.levels import SEPARATOR
from cdp.silver.folding import in_words

MOST_FIELDS = 15
"""Fields that one comparison can hold: four bits each in a 64-bit number."""

MOST_LETTERS = 254
"""Letters of a value that are compared: those of the longest e-mail address that there may be."""
MOST_VALUES = 20
"""E-mail addresses or phone numbers of a record that are compared, the preferred ones."""

_HASH = 64
"""Letters of a hash."""
_OF_ANOTHER_FORM = ("given_name", "family_name", "email", "phone", "birth_date", "birth_year", "gender")
_TELLS = {
    "code": 20, "exact": 20, "email": 20, "phone": 20, "date": 15, "name": 10, "street": 10, "postal_code": 10,
    "number": 5, "text": 2, "category": 1,
}  # fmt: skip
"""Bits that equal values of a kind say, a guess; cities and regions little, for the postal code has said them. It decides which
fields are compared where there are too many, and no score."""

_DATE = "yyyy-MM-dd"
_HALF, _MOST, _LESS = 0.5, 0.6, 0.4
_FILLED = r"^(\d)\1*$|^0?12345"
"""Digits that only fill the field."""


@dataclass(frozen=True)
class Field:
    """A field that is compared.

    Attributes:
        name: the configuration's name of it.
        kind: a key of `levels.NAMES`.
        other: for a name, the field with the other name of the person.
        of_home: whether the people of a household share it.
        of_name: whether two people of a household who have one name share it.
        of_place: whether it is part of an address, of which a person has several in the course of time.
    """

    name: str
    kind: str
    other: str | None = None
    of_home: bool = False
    of_name: bool = False
    of_place: bool = False


@dataclass(frozen=True)
class Piece:
    """A part of one or two fields by which records meet.

    Attributes:
        name: what it is called where a rule is named.
        fields: names of the fields it is made of.
        survival: chance that it is still right where a field of it is mistyped, a guess; 0 for a whole value.
        alone: whether a rule may consist of it alone.
    """

    name: str
    fields: tuple[str, ...]
    survival: float
    alone: bool = True


@dataclass(frozen=True)
class Chosen:
    """Which fields are compared.

    Attributes:
        places: their places among all that might be, in order.
        crowded_out: names of those left out because a comparison holds no more.
        too_rare: names of those that the configuration names and too few records have.
    """

    places: tuple[int, ...]
    crowded_out: tuple[str, ...] = ()
    too_rare: tuple[str, ...] = ()

    @property
    def notes(self) -> list[str]:
        """A sentence for each reason for which fields were left out."""
        notes = []
        if self.crowded_out:
            notes.append(
                f"not compared: {', '.join(self.crowded_out)}; a comparison holds {MOST_FIELDS} fields, those that identity.yaml"
                " names first, then those that tell most people apart"
            )
        if self.too_rare:
            notes.append(
                f"not compared: {', '.join(self.too_rare)}; identity.yaml names what fewer than two records, or than one of a"
                " thousand, have"
            )
        return notes


STANDARD = (
    Field("given_name", "name", other="family_name", of_name=True),
    Field("family_name", "name", other="given_name", of_home=True),
    Field("middle_name", "name", of_name=True),
    Field("birth_date", "date"),
    Field("birth_year", "number"),
    Field("gender", "category", of_name=True),
    Field("email", "email", of_home=True),
    Field("phone", "phone", of_home=True),
    Field("street", "street", of_home=True, of_place=True),
    Field("street_2", "street", of_home=True, of_place=True),
    Field("city", "text", of_home=True, of_place=True),
    Field("region", "text", of_home=True, of_place=True),
    Field("postal_code", "postal_code", of_home=True, of_place=True),
)
"""Compared wherever they are filled."""


def fields_of(config: IdentityConfig, id_types: Sequence[str] = ()) -> tuple[Field, ...]:
    """The standard fields, the identifiers of customer records, and the configured comparisons.

    A configured comparison of a field that is compared anyway takes its place.

    Args:
        config: comparisons.
        id_types: identifiers that customer records have, beside e-mail and phone.
    """
    own = {c.column: c.kind for c in config.comparisons}
    codes = [Field(f"identifiers.{name}", "code") for name in sorted(id_types) if not is_device(name)]
    usual = [replace(f, kind=own.get(f.name, f.kind)) for f in (*STANDARD, *codes)]
    known = {f.name for f in usual}
    return (*usual, *(Field(name, kind) for name, kind in own.items() if name not in known))


def chosen_fields(fields: Sequence[Field], filled: Sequence[int], records: int, config: IdentityConfig) -> Chosen:
    """Choose the fields that at least two records, and one of a thousand, have.

    Where there are too many, those come first that the configuration compares or blocks by, then those that tell most people
    apart: by what a kind of value says, and by how many records have it.

    Args:
        fields: `fields_of`.
        filled: of each, the records that have it.
        records: how many there are.
        config: comparisons and blocking.
    """
    least = max(2, records // 1000)
    names = [field.name for field in fields]
    configured = {c.column for c in config.comparisons}
    configured |= {_field_of(piece, names) or piece for rule in config.blocking for piece in rule}
    there = [i for i in range(len(fields)) if filled[i] >= least]
    ranked = sorted(there, key=lambda i: (names[i] not in configured, -_TELLS[fields[i].kind] * filled[i], i))
    return Chosen(
        tuple(sorted(ranked[:MOST_FIELDS])),
        tuple(names[i] for i in sorted(ranked[MOST_FIELDS:])),
        tuple(name for i, name in enumerate(names) if name in configured and filled[i] < least),
    )


def _field_of(piece: str, names: Iterable[str]) -> str | None:
    """The field that a piece is part of, by the piece's name."""
    return max((name for name in names if piece.startswith(name)), key=len, default=None)


def unknown_pieces(config: IdentityConfig) -> list[str]:
    """What is wrong with the pieces that the configuration's blocking rules name."""
    kinds = {field.name: field.kind for field in fields_of(config)}
    wrong = []
    for name in dict.fromkeys(name for rule in config.blocking for name in rule):
        field = _field_of(name, kinds)
        if name.startswith("identifiers."):
            continue  # whether records have it is known from the data alone
        if field is None:
            wrong.append(f"{name} is not compared; wanted a standard field, or one of comparisons")
        elif name.removeprefix(field) not in PIECES[kinds[field]]:
            pieces = ", ".join(f"{field}{piece}" for piece in PIECES[kinds[field]])
            wrong.append(f"{name} is no piece of a field of kind {kinds[field]}; wanted {pieces}")
    return wrong


def value_of(field: Field) -> Column:
    """A field of `silver.customer_records` as text to compare; null where there is nothing.

    A value has at most `MOST_LETTERS`, a field of several values at most `MOST_VALUES` of those. Of a text that `_is_read`
    it is what the source sent: `compared` reads it.
    """
    if field.name == "email":
        return _joined(F.coalesce(F.col("email_keys"), F.col("emails")))
    if field.name == "phone":
        return F.coalesce(_joined(F.col("phones")), refused_number())
    return _bounded(_single(field), field.kind)


def _bounded(value: Column, kind: str) -> Column:
    """The beginning of a long value; of one that is compared for equality, or letter by letter, a hash of all of it behind that."""
    if kind in ("name", "street", "text"):
        return F.rtrim(F.left(value, F.lit(MOST_LETTERS)))
    cut = F.concat(F.left(value, F.lit(MOST_LETTERS - _HASH)), F.sha2(value, 256))
    return F.when(F.length(value) > MOST_LETTERS, cut).otherwise(value)


def _single(field: Field) -> Column:
    """A field that has one value."""
    name = field.name
    if name in ("given_name", "family_name"):
        return F.col(f"{name}_key")
    if name == "birth_date":
        return F.date_format("birth_date", _DATE)
    if name == "birth_year":  # what a birth date has said already is not said again
        return F.when(F.col("birth_date").isNull(), F.col("birth_year").cast("string"))
    if "." in name:
        column, key = name.split(".", 1)
        raw = F.col(column)[key]
    else:
        raw = F.col(name)
    if field.kind == "date":
        return F.date_format(F.try_to_date(raw), _DATE)
    if field.kind in ("code", "postal_code", "phone"):
        return F.nullif(F.upper(F.regexp_replace(raw, r"[^\p{L}\p{N}]+", "")), F.lit(""))
    if field.kind in ("exact", "number"):
        return F.nullif(F.trim(raw), F.lit(""))
    if field.name == "gender":
        return _gender(raw)
    return raw if _is_read(field) else F.lower(F.trim(raw))


def _is_read(field: Field) -> bool:
    """Whether a field is compared in words of small Latin letters, and is not in such a form already."""
    return field.kind in ("name", "street", "text", "category") and field.name not in _OF_ANOTHER_FORM


def compared(records: DataFrame, fields: Sequence[Field], *, kept: Sequence[str] = ()) -> DataFrame:
    """`records` with node and the columns to be kept alone, and a column of text for each field, named f0, f1 ..."""
    values = [value_of(field).alias(f"f{i}") for i, field in enumerate(fields)]
    rows = records.select(node_of().alias("node"), *kept, *values)
    kinds = {f"f{i}": field.kind for i, field in enumerate(fields) if _is_read(field)}
    # A letter of another script becomes several.
    return in_words(rows, list(kinds)).withColumns({name: _bounded(F.col(name), kind) for name, kind in kinds.items()})


def pieces_of(fields: Sequence[Field]) -> dict[Piece, Column]:
    """The pieces of these fields, as columns over `compared`; null where a field is missing or too short."""
    place = {field.name: f"f{i}" for i, field in enumerate(fields)}
    found: dict[Piece, Column] = {}
    for field in fields:
        first = F.substring_index(place[field.name], SEPARATOR, 1)
        for name, survival, alone, column in _parts(field.kind, first):
            found[Piece(f"{field.name}{name}", (field.name,), survival, alone)] = column
    if "given_name" in place and "family_name" in place:
        given, family = F.col(place["given_name"]), F.col(place["family_name"])
        both = F.when(given.isNotNull() & family.isNotNull(), F.concat_ws(" ", given, family))
        names = ("given_name", "family_name")
        found[Piece("names in any order", names, 0.0)] = F.array_join(F.array_sort(F.split(both, " ")), " ")
        ends = [F.substring(given, 1, 3), F.substring(family, 1, 3)]
        found[Piece("names in any order_prefix", names, _HALF)] = F.concat(F.least(*ends), F.greatest(*ends))
    return found


def _parts(kind: str, value: Column) -> list[tuple[str, float, bool, Column]]:
    whole = ("", 0.0, True, value)
    if kind == "name":
        return [
            whole,
            ("_prefix", _MOST, False, _long(value, 2)),
            ("_phonetic", _HALF, True, F.soundex(value)),
            ("_initial", _MOST, False, F.substring(value, 1, 1)),
        ]
    if kind == "date":
        month_day = F.substring(value, 6, 5)
        return [
            whole,
            ("_year", _MOST, False, F.substring(value, 1, 4)),
            ("_month", _HALF, False, F.substring(value, 1, 7)),
            ("_day", _HALF, False, month_day),
        ]
    if kind == "email":
        local = F.substring_index(value, "@", 1)
        return [whole, ("_local", _HALF, True, local), ("_prefix", _HALF, True, _long(local, 5))]
    if kind == "phone":
        return [whole, ("_end", _LESS, True, F.right(value, F.lit(6)))]
    if kind == "street":
        return [whole, ("_prefix", _HALF, True, _long(value, 6))]
    if kind == "postal_code":
        return [whole, ("_prefix", _HALF, False, _long(value, 3))]
    if kind == "text":
        return [whole, ("_prefix", _MOST, False, _long(value, 3))]
    if kind == "code":
        half = F.floor(F.length(value) / 2).cast("int")
        is_long = F.length(value) >= 6
        return [
            whole,
            ("_prefix", _HALF, True, F.when(is_long, F.left(value, half))),
            ("_end", _HALF, True, F.when(is_long, F.right(value, half))),
        ]
    return [("", 0.0, kind == "exact", value)]


def _long(value: Column, letters: int) -> Column:
    return F.when(F.length(value) >= letters, F.substring(value, 1, letters))


def _joined(values: Column) -> Column:
    preferred = F.slice(F.array_distinct(values), 1, MOST_VALUES)
    return F.nullif(F.array_join(F.array_sort(preferred), SEPARATOR), F.lit(""))


def refused_number() -> Column:
    """The digits of a number that is none of its country (one digit lost, no area code): what it is like may still say who has it."""
    digits = F.regexp_replace(F.element_at("raw", "phone"), r"\D+", "")
    is_refused = F.array_contains("flags", "phone: not valid")
    return F.when(is_refused & F.length(digits).between(7, 15) & ~digits.rlike(_FILLED), digits)


def _gender(raw: Column) -> Column:
    text = F.lower(F.trim(raw))
    return (
        F.when(text.isin("m", "male", "man", "mr", "h", "homme", "hombre", "mann", "männlich", "maennlich"), "m")
        .when(text.isin("f", "female", "woman", "w", "femme", "mujer", "frau", "weiblich", "ms", "mrs"), "f")
        .otherwise(F.nullif(text, F.lit("")))
    )
