"""What was learnt comes back out of its tables as it was."""

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from cdp.identity.matching.blocking import Blocking, Rule
from cdp.identity.matching.candidates import Frequencies
from cdp.identity.matching.fields import STANDARD, Field, pieces_of
from cdp.identity.matching.model import (
    Crowd,
    Learnt,
    Model,
    blocking_rows,
    frequency_table,
    stored_blocking,
    stored_frequencies,
)
from cdp.tables.identity import BLOCKING_RULES

FIELDS: tuple[Field, ...] = tuple(field for field in STANDARD if field.name in ("given_name", "family_name", "email"))


@pytest.fixture
def learnt(spark: SparkSession) -> Learnt:
    pieces = {piece.name: piece for piece in pieces_of(FIELDS)}
    rules = (
        Rule((pieces["given_name_prefix"], pieces["email"]), pieces["family_name"], 12.0, 0.5),
        Rule((pieces["names in any order"],), None, 3.0, 0.25),
    )
    crowds = (Crowd(rules[0].name, -7, 500, False), Crowd(rules[0].name, 8, 450, True), Crowd(rules[1].name, 9, 401, True))
    model = Model(FIELDS, Blocking(rules, 15.0, 0.75), parameters=None, crowds=crowds, records=100)  # type: ignore[arg-type]
    local = Frequencies({"info": 0.5, "": 0.25}, 0.25, 0.3)
    found = [Frequencies({"ann": 0.5, "other": 0.1}, 0.1, 0.2, local if field.kind == "email" else None) for field in FIELDS]
    return Learnt(model, tuple(found))


def test_rules_and_their_crowds_come_back(learnt: Learnt):
    model = learnt.model
    rows = [dict(zip([c.name for c in BLOCKING_RULES.columns], row, strict=True)) for row in blocking_rows(model)]
    assert stored_blocking(rows[::-1], FIELDS) == (model.blocking, model.crowds)
    # a version that knows no such piece any more learns anew
    assert stored_blocking(rows, FIELDS[:1]) is None


def test_frequencies_come_back(learnt: Learnt):
    known = learnt
    table = frequency_table(known)
    shuffled = table.take(pa.array(range(len(table) - 1, -1, -1)))
    assert stored_frequencies(shuffled, FIELDS) == known.frequencies
    assert stored_frequencies(table, (*FIELDS, Field("city", "text"))) is None
