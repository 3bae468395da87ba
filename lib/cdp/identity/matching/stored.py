"""What was learnt as a table, and back: `identity.parameters`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from cdp.identity.matching.fields import STANDARD, Field
from cdp.identity.matching.levels import NAMES
from cdp.identity.matching.parameters import LEVELS, Parameters

_CLASSES = ("missing", "equal", "alike", "unlike")
_ALL = "*"


def parameter_rows(fields: Sequence[Field], parameters: Parameters) -> list[tuple[Any, ...]]:
    """Rows of `identity.parameters`: one for each field, what its parents say, and level; and one of all pairs."""
    shares = parameters.prior, 1 - parameters.prior - parameters.home_prior, parameters.home_prior
    rows: list[tuple[Any, ...]] = [(_ALL, "", 0, "", "", "pair", "", *shares, parameters.prior_bits)]
    for place, field in enumerate(fields):
        parents = parameters.parents[place]
        for said in range(len(_CLASSES) ** len(parents)):
            told = ", ".join(
                f"{fields[parent].name} {_CLASSES[said // len(_CLASSES) ** i % len(_CLASSES)]}"
                for i, parent in enumerate(parents)
            )
            for level, name in enumerate(NAMES[field.kind]):
                if level:
                    rows.append(
                        (
                            field.name, field.kind, place, ", ".join(fields[p].name for p in parents), told, name,
                            _CLASSES[parameters.classes[place, level]],
                            float(parameters.m[place, said, level]), float(parameters.u[place, said, level]),
                            float(parameters.home[place, said, level]), float(parameters.weights[place, said, level]),
                        )
                    )  # fmt: skip
    return rows


def stored_parameters(rows: Sequence[Mapping[str, Any]]) -> tuple[tuple[Field, ...], Parameters]:
    """Fields and parameters out of rows of `identity.parameters`."""
    standard = {field.name: field for field in STANDARD}
    whole = next(row for row in rows if row["field"] == _ALL)
    kinds = {row["place"]: (row["field"], row["kind"], row["parents"]) for row in rows if row["field"] != _ALL}
    names = [kinds[place][0] for place in sorted(kinds)]
    fields = []
    for place in sorted(kinds):
        name, kind, _ = kinds[place]
        fields.append(replace(standard.get(name, Field(name, kind)), kind=kind))
    parents = tuple(
        tuple(names.index(parent) for parent in kinds[place][2].split(", ") if parent) for place in sorted(kinds)
    )
    shape = len(fields), LEVELS, LEVELS
    m, u, home = (np.full(shape, 1e-12) for _ in range(3))
    classes = np.zeros((len(fields), LEVELS), np.uint8)
    for row in rows:
        if row["field"] == _ALL:
            continue
        place, level = row["place"], NAMES[row["kind"]].index(row["level"])
        said = 0
        for i, told in enumerate(row["said"].split(", ") if row["said"] else []):
            said += _CLASSES.index(told.rsplit(" ", 1)[1]) * len(_CLASSES) ** i
        cell = place, said, level
        m[cell], u[cell], home[cell] = row["matches"], row["strangers"], row["households"]
        classes[place, level] = _CLASSES.index(row["class"])
    of_home, of_name = tuple(field.of_home for field in fields), tuple(field.of_name for field in fields)
    return tuple(fields), Parameters(m, u, parents, classes, whole["matches"], of_home, of_name, home, whole["households"])
