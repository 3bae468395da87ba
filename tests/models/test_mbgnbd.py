"""MBG/NBD against published values; what it shares with the other models is in `test_lifetimes`."""

from dataclasses import astuple

import numpy as np
import pytest

from cdp.models.bgnbd import BgNbd
from cdp.models.mbgnbd import MbgNbd, estimate_mbgnbd
from tests.models.test_bgnbd import cdnow
from tests.models.test_lifetimes import arrays


def test_who_bought_once_may_have_left():
    model = MbgNbd(0.5, 6.0, 1.0, 3.0)
    # One in four leaves at once; the others have been quiet with a probability of (6/42)^0.5.
    stayed = 0.75 * (6 / 42) ** 0.5
    assert model.alive(*arrays(0, 0, 36))[0] == pytest.approx(stayed / (stayed + 0.25))


def test_where_hardly_anybody_leaves_it_is_bgnbd():
    history = arrays(3, 20, 40)
    few, as_few = MbgNbd(0.5, 6.0, 1e-6, 3.0), BgNbd(0.5, 6.0, 1e-6, 3.0)
    assert few.purchases(*history, 30)[0] == pytest.approx(as_few.purchases(*history, 30)[0], rel=1e-5)


def test_cdnow_gives_the_published_parameters(public_data):
    rows = cdnow(public_data)
    found = estimate_mbgnbd(*(rows[name].to_numpy() for name in ("x", "tx", "age")), np.ones(len(rows)))
    assert astuple(found.model) == pytest.approx((0.525, 6.183, 0.891, 1.614), abs=5e-4)
    assert (found.customers, found.is_converged, found.bounded) == (2357, True, ())
    # A better likelihood than BG/NBD's, by a hair.
    assert found.log_likelihood == pytest.approx(-9582.136, abs=0.01)
