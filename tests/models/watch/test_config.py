"""The section `watch`: defaults, and what is refused."""

import pytest

from cdp.base.errors import ConfigError
from cdp.base.settings import parse
from cdp.models.watch.config import CHECKS, WatchConfig


def test_by_default_only_what_breaks_from_one_day_to_the_next_holds_scores_back():
    config = WatchConfig()
    assert config.hold_back == ("share_missing", "share_equal", "scored_customers_change", "score_jump")
    assert {name for name, bounds in CHECKS.items() if bounds.severity == "error"} == set(config.hold_back)


def test_a_limit_changes_what_it_names_and_nothing_else():
    config = parse(WatchConfig, {"limits": {"score_drift": {"error": 0.5, "severity": "error"}}}, "models.yaml")
    bounds = config.bounds("score_drift")
    assert (bounds.warn, bounds.error, bounds.severity) == (0.1, 0.5, "error")
    assert config.bounds("feature_drift") == CHECKS["feature_drift"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"limits": {"score_drft": {}}}, "limits: score_drft is no check; did you mean score_drift?"),
        (
            {"limits": {"score_drift": {"warn": 0.5}}},
            "score_drift: wanted a warn that is at most error (0.25), found 0.5",
        ),
        ({"limits": {"coverage": {"error": 0.9}}}, "coverage: wanted a warn that is at least error (0.9), found 0.7"),
        (
            {"limits": {"score_jump": {"warn": -1}}},
            "score_jump: wanted a warn that is above 0 and at most error (1), found -1",
        ),
        ({"limits": {"coverage": {"severity": "off"}}}, "limits.coverage.severity"),
        ({"hold_back": ["drift"]}, "hold_back: drift is no check"),
        ({"hold_back": ["score_drift"]}, "score_drift has severity warn, so it never holds anything back"),
        ({"keep_days": 7}, "keep_days: wanted at least snapshot_every_days (30), found 7"),
        ({"realease_until": "2026-01-01"}, "realease_until: unknown key; did you mean release_until?"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_key(content, told):
    with pytest.raises(ConfigError) as error:
        parse(WatchConfig, content, "models.yaml")
    assert told in str(error.value)


def test_snapshots_must_last_until_the_longest_horizon_has_passed():
    config = WatchConfig(keep_days=300)
    assert config.too_short_for((90,)) is None
    assert (
        config.too_short_for((90, 365))
        == "watch.keep_days: wanted at least the longest of horizons_days (365), found 300"
    )
