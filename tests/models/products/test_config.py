"""conf/models.yaml, `recommendations`."""

import pytest

from cdp.base.errors import ConfigError
from cdp.base.settings import ConfigFolder
from cdp.models.config import load_models_config
from cdp.models.products.config import RecommendationsConfig


def loaded(tmp_path, text: str) -> RecommendationsConfig:
    (tmp_path / "models.yaml").write_text(text, encoding="utf-8")
    return load_models_config(ConfigFolder(tmp_path)).recommendations


def test_a_word_stands_for_the_section(tmp_path):
    assert loaded(tmp_path, "recommendations: true") == RecommendationsConfig()
    assert not RecommendationsConfig(enabled=False).enabled


def test_false_switches_it_off(tmp_path):
    assert loaded(tmp_path, "recommendations: false") == RecommendationsConfig(enabled=False)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("recommendations: {max: 6}", r"recommendations.max: .*less than or equal to 5"),
        ("recommendations: {max: 0}", r"recommendations.max: .*greater than or equal to 1"),
        ("recommendations: {min_price: 9, max_price: 5}", "min_price must not be above max_price, found 9 and 5"),
        ("recommendations: {max_per_categry: 2}", "did you mean max_per_category"),
        ("recommendations: {require_consent: ''}", "require_consent"),
        ("recommendations: often", "recommendations"),
        ("sellable_days: 30", "sellable_days is recommendations.sellable_days now"),
        ("max_recommendations: 3", "max_recommendations is recommendations.max now"),
    ],
)
def test_a_mistake_is_named(tmp_path, text, problem):
    with pytest.raises(ConfigError, match=problem):
        loaded(tmp_path, text)
