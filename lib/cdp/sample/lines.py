"""From rendered records to lines of files: which file, which day, late, twice, broken, wrongly encoded."""

from dataclasses import dataclass
from datetime import timedelta

from pyspark.sql import DataFrame

from cdp.sample.world import World

_LINES_A_FILE = 400_000
_DAY_STEP = 1_000
_SOURCE_STEP = 10_000_000


@dataclass(frozen=True)
class Extract:
    """How a source's files look. `per_person` is a rough number of lines, to choose how many files."""

    name: str
    extension: str
    header: tuple[str, ...] = ()  # CSV only
    separator: str = ","
    latin: bool = False
    can_be_late: bool = False
    per_person: float = 1.0

    @property
    def is_csv(self) -> bool:
        return bool(self.header)


@dataclass(frozen=True)
class Window:
    """The days whose lines are wanted: everything up to `last`, as one dump; or each day after `first` by itself."""

    first: int | None
    last: int

    def keeps(self) -> str:
        """SQL: a dump holds the newest version of a record, a day what happened on it."""
        if self.first is None:
            return f"arrival <= {self.last} and (next_day is null or next_day > {self.last})"
        return f"arrival > {self.first} and arrival <= {self.last}"


def csv_line(columns: dict[str, str], separator: str = ",") -> str:
    """SQL for one CSV line of text expressions."""
    fields = ", ".join(f"'{name}', {value}" for name, value in columns.items())
    return f"to_csv(named_struct({fields}), map('sep', '{separator}', 'quote', '\"', 'escape', '\"'))"


def json_line(columns: dict[str, str]) -> str:
    """SQL for one JSON line; nulls are left out."""
    return f"to_json({struct(columns)})"


def struct(columns: dict[str, str]) -> str:
    fields = ", ".join(f"'{name}', {value}" for name, value in columns.items())
    return f"named_struct({fields})"


def file_number(source_number: int, day: str, part: str) -> str:
    return f"cast({source_number * _SOURCE_STEP} + ({day}) * {_DAY_STEP} + {part} as int)"


def file_name(number: int, extracts: tuple[Extract, ...], world: World) -> tuple[str, str]:
    """The folder and name of a numbered file, e.g. crm_contacts, crm_contacts_20261124-000.csv."""
    extract = extracts[number // _SOURCE_STEP]
    day, part = divmod(number % _SOURCE_STEP, _DAY_STEP)
    on = world.as_of + timedelta(days=day)
    return extract.name, f"{extract.name}_{on:%Y%m%d}-{part:03d}.{extract.extension}"


def parts(extract: Extract, world: World, window: Window) -> int:
    """Files a dump is spread over; a day's lines are one file until there are very many."""
    lines = extract.per_person * world.settings.persons / (1 if window.first is None else world.today)
    return min(999, 1 + int(lines // _LINES_A_FILE))


def lines(rendered: DataFrame, extract: Extract, number: int, world: World, window: Window) -> DataFrame:
    """The staged lines of one extract.

    Args:
        rendered: person_id, record_key, version, day, next_day, mess, position (text that orders lines), line.

    Returns:
        source, file_number, position, copy, line, person_id, record_key, is_first (the record's first appearance),
        is_readable, mess.
    """
    d, m = world.dice, world.mess
    key = ("record_key", "version")
    late = d.chance(m.late, f"late {extract.name}", *key) if extract.can_be_late else "false"
    delay = f"if(is_late, 1 + {d.below(4, 'delay', *key)}, 0)"
    base = window.first is None
    part = f"cast(pmod(xxhash64(record_key), {parts(extract, world, window)}) as int)"
    day = "0" if base else f"arrival - {world.today}"
    return (
        rendered.selectExpr("*", f"{late} as is_late")
        .selectExpr("*", f"day + {delay} as arrival")
        .where(window.keeps())
        .selectExpr(
            "*",
            f"{d.chance(m.duplicate_rows, f'twice {extract.name}', *key)} as is_twice",
            f"{d.chance(m.broken_lines, f'broken {extract.name}', *key)} as is_broken",
            _wrongly_encoded(extract, world) + " as is_mixed",
        )
        .selectExpr("*", "explode(if(is_twice and not is_broken, array(0, 1), array(0))) as copy")
        .selectExpr(
            f"{number} as source_number",
            f"{file_number(number, day, part)} as file_number",
            "position",
            "copy",
            f"{_encoded(extract, _broken(extract, world))} as line",
            "person_id",
            "record_key",
            "true as is_first" if base else "version = 0 as is_first",
            "not is_broken as is_readable",
            """array_compact(concat(mess, array(if(is_late, 'late', null), if(copy = 1, 'duplicate_rows', null),
               if(is_broken, 'broken_lines', null), if(is_mixed, 'mixed_encoding', null)))) as mess""",
        )
    )


def _wrongly_encoded(extract: Extract, world: World) -> str:
    if not extract.is_csv:
        return "false"
    rate = world.dice.chance(world.mess.mixed_encoding, f"encoding {extract.name}", "record_key", "version")
    return f"({rate} and line rlike '[^\\\\x00-\\\\x7F]')"


def _encoded(extract: Extract, line: str) -> str:
    """SQL: the line's bytes (a Spark string may hold any). What Latin-1 lacks becomes a question mark."""
    if not extract.is_csv:
        return line
    latin = f"cast(encode(regexp_replace({line}, '[^\\\\x00-\\\\xFF]', '?'), 'ISO-8859-1') as string)"
    return f"if(is_mixed, {line}, {latin})" if extract.latin else f"if(is_mixed, {latin}, {line})"


def _broken(extract: Extract, world: World) -> str:
    """SQL: cut off (JSON, CSV), or with two columns too many (CSV)."""
    cut = "substr(line, 1, cast(length(line) * 0.45 as int))"
    if extract.is_csv:
        more = world.dice.uniform("how broken", "record_key") + " < 0.5D"
        cut = f"if({more}, concat(line, '{extract.separator}?{extract.separator}?'), {cut})"
    return f"if(is_broken, {cut}, line)"
