"""Features that define a seed are found, and only these."""

import numpy as np
import pandas as pd
import pytest

from cdp.models.leakage import defining_features

RANDOM = np.random.default_rng(5)
N = 600
LEVEL = RANDOM.gamma(2, 20, N)
NOTHING = pd.DataFrame(index=range(N))


def judged(is_seed, asked=NOTHING, **features):
    table = pd.DataFrame(features)
    return defining_features(table, np.asarray(is_seed), asked, list(table))


@pytest.mark.parametrize(
    "is_seed",
    [LEVEL > 60, LEVEL < 15, (LEVEL > 25) & (LEVEL < 40), (LEVEL < 10) | (LEVEL > 90)],
    ids=["above", "below", "between", "outside"],
)
def test_a_feature_that_the_rule_cuts_is_found(is_seed):
    found = judged(is_seed, level=LEVEL, noise=RANDOM.normal(size=N), weak=LEVEL + RANDOM.normal(0, 60, N))

    assert list(found) == ["level"]
    assert found["level"] == "tells the seed alone, AUC 1.00"


def test_a_feature_that_is_missing_for_the_seed_alone_is_found():
    is_seed = np.arange(N) % 5 == 0

    assert list(judged(is_seed, level=np.where(is_seed, np.nan, LEVEL))) == ["level"]


def test_a_feature_that_says_the_same_as_the_rule_is_found_whatever_its_scale_and_direction():
    """The rule asks two things, so neither separates the seed alone."""
    other = RANDOM.normal(size=N)
    asked = pd.DataFrame({"traits__level": np.where(np.arange(N) % 3 == 0, np.nan, LEVEL)})

    found = judged((LEVEL > 40) & (other > 0), asked, turned=1000 - np.log(LEVEL), other=other)

    assert found == {"turned": "says the same as traits__level"}


def test_few_rows_in_common_prove_nothing():
    asked = pd.DataFrame({"traits__level": LEVEL})
    rare = np.where(np.arange(N) < 30, LEVEL, np.nan)

    assert judged(np.arange(N) % 7 == 0, asked, rare=rare, constant=np.ones(N)) == {}
