"""What was learnt comes back from its table as it was."""

from dataclasses import replace

import numpy as np

from cdp.identity.matching.fields import STANDARD, Field
from cdp.identity.matching.levels import NAMES
from cdp.identity.matching.parameters import LEVELS, Parameters, Patterns
from cdp.identity.matching.stored import parameter_rows, stored_parameters
from cdp.tables.identity import PARAMETERS
from tests.identity.matching.test_fellegi_sunter import SEED, M, U, drawn, learnt, packed, problem

FIELDS = (Field("language", "category"), Field("birth_year", "category"), Field("country", "category"), Field("attributes.x", "code"))


def test_a_pair_has_the_same_score_by_the_table():
    random = np.random.default_rng(SEED)
    matches, strangers = drawn(random, M, 1000), drawn(random, U, 300_000)
    strangers[:, 1] = np.where(strangers[:, 0] == 1, 1, strangers[:, 1])  # so that one depends on the other
    before = learnt(problem(matches, strangers, tuple(f.kind for f in FIELDS), (False,) * 4))
    columns = [c.name for c in PARAMETERS.columns]

    rows = [dict(zip(columns, row, strict=True)) for row in parameter_rows(FIELDS, before)]
    fields, after = stored_parameters(rows)

    assert [f.name for f in fields] == [f.name for f in FIELDS]
    assert any(before.parents) and after.parents == before.parents
    assert all(row["level"] in NAMES.get(row["kind"], ("pair",)) for row in rows)
    patterns = Patterns.of(packed(np.concatenate([matches, strangers[:1000]])), 4)
    np.testing.assert_allclose(after.scores(patterns), before.scores(patterns), atol=1e-6)


def test_fields_come_back_with_what_is_known_of_them():
    """That a household shares them, or that they are part of an address; the kind is the configuration's."""
    fields = tuple(replace(field, kind="text") if field.name == "postal_code" else field for field in STANDARD)
    shares = np.full((len(fields), LEVELS, LEVELS), 0.1)
    shared = tuple(field.of_home for field in fields), tuple(field.of_name for field in fields)
    known = Parameters(shares, shares, ((),) * len(fields), np.zeros((len(fields), LEVELS), np.uint8), 0.1, *shared, shares, 0.1)
    columns = [c.name for c in PARAMETERS.columns]
    rows = [dict(zip(columns, row, strict=True)) for row in parameter_rows(fields, known)]
    assert stored_parameters(rows)[0] == fields
