"""What was learnt of the records, and as tables and back: another day's records are compared by it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from cdp.identity.matching.blocking import Blocking, Rule
from cdp.identity.matching.candidates import Frequencies
from cdp.identity.matching.fields import Field, pieces_of
from cdp.identity.matching.parameters import Parameters

_PARTS = ("value", "other values"), ("local part", "other local parts")


@dataclass(frozen=True)
class Crowd:
    """A value of a blocking rule that too many records have.

    Attributes:
        rule: its name.
        key: hash of the value.
        records: that have it.
        is_dropped: whether they do not meet by the rule at all, a finer one being too common as well.
    """

    rule: str
    key: int
    records: int
    is_dropped: bool


@dataclass(frozen=True)
class Model:
    """What was found out about the fields, and by which rules records met.

    Attributes:
        fields: what is compared.
        blocking: the rules.
        parameters: what likeness is worth.
        crowds: values of a rule that too many records have: they met by a finer rule, or not at all.
        records: customer records that were compared.
    """

    fields: tuple[Field, ...]
    blocking: Blocking
    parameters: Parameters
    crowds: tuple[Crowd, ...]
    records: int


@dataclass(frozen=True)
class Learnt:
    """All that pairs are compared by.

    Attributes:
        model: fields, rules, parameters.
        frequencies: of each field, how common its values are.
    """

    model: Model
    frequencies: tuple[Frequencies, ...]


def blocking_rows(model: Model) -> list[tuple[Any, ...]]:
    """Rows of `identity.blocking_rules`."""
    crowds: dict[tuple[str, bool], dict[int, int]] = {}
    for crowd in model.crowds:
        crowds.setdefault((crowd.rule, crowd.is_dropped), {})[crowd.key] = crowd.records
    return [
        (
            rule.name, place, rule.refined_by.name if rule.refined_by else None, float(rule.pairs), float(rule.share),
            crowds.get((rule.name, False), {}), crowds.get((rule.name, True), {}),
        )
        for place, rule in enumerate(model.blocking.rules)
    ]  # fmt: skip


def stored_blocking(rows: Sequence[Mapping[str, Any]], fields: Sequence[Field]) -> tuple[Blocking, tuple[Crowd, ...]] | None:
    """The rules and their crowds out of rows of `identity.blocking_rules`; None where a piece of one is no more."""
    pieces = {piece.name: piece for piece in pieces_of(fields)}
    rules, crowds = [], []
    for row in sorted(rows, key=lambda row: row["place"]):
        names = [*row["rule"].split(" + "), *([row["refined_by"]] if row["refined_by"] else [])]
        if not all(name in pieces for name in names):
            return None
        parts = tuple(pieces[name] for name in row["rule"].split(" + "))
        finer = pieces[row["refined_by"]] if row["refined_by"] else None
        rules.append(Rule(parts, finer, row["pairs"], row["share"]))
        for column, is_dropped in (("crowds", False), ("dropped", True)):
            crowds += [Crowd(row["rule"], key, records, is_dropped) for key, records in row[column].items()]
    reach = sum(rule.share for rule in rules)
    return Blocking(tuple(rules), sum(rule.pairs for rule in rules), reach), tuple(crowds)


def frequency_table(learnt: Learnt) -> pa.Table:
    """`identity.value_frequencies`: at most some 300,000 rows."""
    columns: list[list[Any]] = [[], [], [], [], []]
    for field, found in zip(learnt.model.fields, learnt.frequencies, strict=True):
        for (part, others), of_part in zip(_PARTS, (found, found.local_parts), strict=True):
            if of_part is not None:
                size = len(of_part.share)
                columns[0] += [field.name] * (size + 1)
                columns[1] += [part] * size + [others]
                columns[2] += [*of_part.share, ""]
                columns[3] += [*of_part.share.values(), of_part.least]
                columns[4] += [None] * size + [of_part.average]
    types = [*[pa.string()] * 3, *[pa.float64()] * 2]
    arrays = [pa.array(values, type_) for values, type_ in zip(columns, types, strict=True)]
    return pa.table(arrays, names=["field", "part", "value", "share", "average"])


def stored_frequencies(table: pa.Table, fields: Sequence[Field]) -> tuple[Frequencies, ...] | None:
    """How common values are out of `identity.value_frequencies`; None where a field is not in it."""
    names, parts = (np.array(table.column(name).to_pylist(), object) for name in ("field", "part"))
    values = np.array(table.column("value").to_pylist(), object)
    share, average = (table.column(name).to_numpy() for name in ("share", "average"))

    def of(field: str, part: str, others: str) -> Frequencies | None:
        mine = names == field
        rest = np.flatnonzero(mine & (parts == others))
        if not len(rest):
            return None
        common = mine & (parts == part)
        shares = dict(zip(values[common].tolist(), share[common].tolist(), strict=True))
        return Frequencies(shares, float(share[rest[0]]), float(average[rest[0]]))

    found = []
    for field in fields:
        whole, local = (of(field.name, *part) for part in _PARTS)
        if whole is None:
            return None
        found.append(replace(whole, local_parts=local))
    return tuple(found)
