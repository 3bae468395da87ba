"""Spark's built-in functions: which there are, how many arguments they take, and which say nothing of one row."""

import difflib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from sqlglot import exp

from cdp.base.settings import did_you_mean

UNREPEATABLE = frozenset(
    "curdate current_catalog current_database current_date current_schema current_time current_timestamp current_user"
    " input_file_block_length input_file_block_start input_file_name java_method localtimestamp monotonically_increasing_id now"
    " rand randn random randstr reflect session_user shuffle spark_partition_id try_reflect uniform user uuid".split()
)
"""Functions whose value hangs on when, where or by whom a row is read."""

WITH_UNIT = ("date_add", "date_diff", "dateadd", "datediff", "timediff", "timestampadd", "timestampdiff")
"""Functions whose first argument may be a unit of time; then they take three."""


class Signature(NamedTuple):
    """How many arguments a function takes, or that it is an `aggregate`, `window` or `generator` function."""

    least: int = 0
    most: int | None = None
    kind: str = ""


@cache
def functions() -> dict[str, Signature]:
    """Spark's built-in functions by name, from lines of `name least most` or `name kind`."""
    found = {}
    for line in Path(__file__).with_name("spark_functions.txt").read_text(encoding="utf-8").splitlines():
        name, *rest = line.split()
        if len(rest) == 1:
            found[name] = Signature(kind=rest[0])
        else:
            found[name] = Signature(int(rest[0]), None if rest[1] == "*" else int(rest[1]))
    return found


def function_problem(name: str, arguments: list[exp.Expr]) -> str:
    """What is wrong with a call of a function; empty where nothing is."""
    if name in WITH_UNIT and len(arguments) == 3:
        return ""
    signature = functions().get(name)
    if signature is None:
        of_one_row = [known for known, other in functions().items() if not other.kind]
        return f"no function {name}{did_you_mean(name, difflib.get_close_matches(name, of_one_row, n=1))}"
    count, (least, most, kind) = len(arguments), signature
    if kind == "generator":
        return f"{name} makes several rows of one; wanted one value (an entity's `explode` makes rows)"
    if kind:
        return many_rows(name)
    if name in UNREPEATABLE or (name == "unix_timestamp" and not arguments):
        return changes(name)
    if least <= count <= (count if most is None else most) or any(a.is_star for a in arguments):
        return ""
    wanted = f"{least}" if most == least else f"at least {least}" if most is None else f"{least} to {most}"
    return f"{name} has {count} argument{'s' * (count != 1)}, wanted {wanted}"


def many_rows(name: str) -> str:
    return f"{name} looks at several rows; an expression sees one row at a time"


def changes(name: str) -> str:
    return f"{name} changes from run to run; the same row must give the same result whenever it is read"
