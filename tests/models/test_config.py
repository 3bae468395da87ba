"""conf/models.yaml."""

import pytest

from cdp.base.errors import ConfigError
from cdp.base.settings import ConfigFolder
from cdp.models.config import load_models_config
from tests.conftest import PROJECT


def test_without_a_file_the_defaults_hold(tmp_path):
    config = load_models_config(ConfigFolder(tmp_path))
    assert config.horizons_days == (90, 365) and config.recommendations.enabled and config.prospects


def test_the_projects_own_file_is_right():
    assert 90 in load_models_config(ConfigFolder(PROJECT / "conf")).horizons_days


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("horizons_days: [90, 90]", "horizon is there twice"),
        ("horizons_days: []", "horizons_days"),
        ("horizons_days: [0]", "greater than or equal to 1"),
        ("training: {cutofs: 2}", "did you mean cutoffs"),
        ("recommendations: {max: 6}", "less than or equal to 5"),
        ("prospects: {enabled: true}", "prospects"),
    ],
)
def test_a_mistake_is_named(tmp_path, text, problem):
    (tmp_path / "models.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=problem):
        load_models_config(ConfigFolder(tmp_path))


def test_horizons_are_put_in_order(tmp_path):
    (tmp_path / "models.yaml").write_text("horizons_days: [180, 30]", encoding="utf-8")
    assert load_models_config(ConfigFolder(tmp_path)).horizons_days == (30, 180)
