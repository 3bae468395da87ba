"""What is learnt of strangers is the same in whatever portions they are compared."""

import numpy as np
import pyarrow as pa
import pytest

from cdp.identity.matching.candidates import Frequencies, columns_of, patterns
from cdp.identity.matching.draws import pairs_of
from cdp.identity.matching.fields import STANDARD
from cdp.identity.matching.levels import EQUAL, SEPARATOR
from cdp.identity.matching.match import _RANDOM_PAIRS, _random_patterns
from cdp.identity.matching.parameters import unpacked


@pytest.mark.parametrize("at_once", [1, 7, 1000])
def test_random_pairs_are_compared_in_portions_as_one_by_one(at_once: int, monkeypatch: pytest.MonkeyPatch):
    fields = tuple(field for field in STANDARD if field.name in ("given_name", "family_name", "email"))
    several = SEPARATOR.join(["harry@x.org", "potter@x.org"])
    sample = pa.table(
        {
            "node": pa.array([11, 22, 33, 44, 55]),
            "f0": ["harry", "potter", "harold", None, "harry"],
            "f1": ["potter", "harry", "smith", "smith", None],
            "f2": [several, "hary@x.org", None, several + "1", "potter@x.org"],
        }
    )
    frequencies = [Frequencies({}, 0.1, 0.1)] * len(fields)
    monkeypatch.setattr("cdp.identity.matching.match._RANDOM_AT_ONCE", at_once)

    found = _random_patterns(sample, fields, frequencies)

    columns = columns_of(sample, frequencies)
    left, right = pairs_of(sample.column("node").to_numpy(), _RANDOM_PAIRS)
    pairs = zip(left.tolist(), right.tolist(), strict=True)
    slow = [patterns(columns, np.array([one]), np.array([other]), fields).pattern[0] for one, other in pairs]
    assert len(slow) == 10 and found.tolist() == slow


def test_records_of_a_source_that_has_one_a_person_are_no_strangers_to_learn_from():
    fields = STANDARD[:1]
    sample = pa.table({"node": [11, 22, 33, 44], "f0": ["ann", "ann", "bob", "bob"], "sole": pa.array([1, 1, 0, 0], pa.int32())})
    found = _random_patterns(sample, fields, [Frequencies({}, 0.1, 0.1)])
    assert len(found) == 5
    assert sum(unpacked(found, 1)[:, 0] == EQUAL) == 1  # the two Bobs
