"""conf/models.yaml, `propensities`: what is wrong is named by file and key, with what was meant."""

import pytest

from cdp.base.errors import ConfigError
from cdp.base.settings import ConfigFolder
from cdp.conditions.columns import UnknownAttributeError
from cdp.models.config import load_models_config
from cdp.segments.load import catalogue_of, load_segments

GOOD = """
propensities:
  - name: will_subscribe
    training:
      predict: {event: Subscription Started, properties: {plan: pro, seats: 3}}
      eligible_users: {type: Column, column: features.target_days, operator: {type: Equal, value: 0}}
      ignore_features: [revenue, event.App Opened]
    prediction: {output_columns: {score: subscribe_score}}
  - name: buys_shoes
    training: {predict: {order: true, category: [shoes, boots]}, predict_window_days: 60}
  - name: cancels
    training: {predict: {trait: plan_status, becomes: cancelled}}
  - name: leaves
    training: {predict: {profile: attributes.status, equals: [cancelled, paused]}}
"""
TRAITS = """
traits:
  - {name: plan_status, type: last, event: Plan Changed, property: properties.status, pii: false}
"""


@pytest.fixture
def conf(tmp_path):
    def write(models, **segments):
        (tmp_path / "models.yaml").write_text(models, encoding="utf-8")
        (tmp_path / "traits.yaml").write_text(TRAITS, encoding="utf-8")
        (tmp_path / "segments").mkdir(exist_ok=True)
        for name, attribute in segments.items():
            condition = f"{{type: Value, attribute: {attribute}, operator: {{type: Greater, value: 0.5}}}}"
            text = f"name: {name}\nrule: {{type: And, conditions: [{condition}]}}"
            (tmp_path / "segments" / f"{name}.yaml").write_text(text, encoding="utf-8")
        return ConfigFolder(tmp_path)

    return write


def test_the_four_kinds_of_things_to_predict(conf):
    found = {p.name: p.training.predict for p in load_models_config(conf(GOOD)).propensities}
    assert {name: (p.kind, p.subject) for name, p in found.items()} == {
        "will_subscribe": ("event", "Subscription Started"),
        "buys_shoes": ("order", "an order"),
        "cancels": ("trait", "plan_status = cancelled"),
        "leaves": ("profile", "attributes.status = cancelled or paused"),
    }


def one(training):
    return f"propensities:\n  - name: x\n    training: {training}\n"


@pytest.mark.parametrize(
    ("models", "told"),
    [
        (one("{predict: {}}"), "training.predict: wanted one of event, order, trait, profile, found none"),
        (one("{predict: {event: A, order: true}}"), "found event and order"),
        (one("{predict: {event: A, category: shoes}}"), "category goes with order, found it beside event"),
        (one("{predict: {trait: orders}}"), "trait wants becomes"),
        (one("{predict: {evnt: A}}"), "propensities.0.training.predict.evnt: unknown key; did you mean event?"),
        (one("{predict: {event: A}, predict_window: 3}"), "unknown key; did you mean predict_window_days?"),
        (one("{predict: {trait: plan_stats, becomes: x}}"), "predict.trait: unknown column plan_stats; did you mean plan_status?"),
        (one("{predict: {trait: orders, becomes: many}}"), "predict.becomes: operator: SEGMENT_SCHEMA_ERROR: orders wants a number, found 'many'"),
        (one("{predict: {profile: contry, equals: DE}}"), "predict.profile: unknown column contry; did you mean country?"),
        (one("{predict: {event: A}, ignore_features: [revenu]}"), "ignore_features.0: unknown feature revenu; did you mean revenue?"),
        (one("{predict: {event: A}, eligible_users: {type: Column, column: features.recency, operator: {type: Less, value: 9}}}"), "eligible_users.column: UNKNOWN_ATTRIBUTE: unknown feature recency; did you mean recency_days?"),
        (one("{predict: {event: A}, eligible_users: {type: Column, column: traits.orders, operator: {type: Less, value: 9}}}"), "wanted features.X or profile.X"),
        (one("{predict: {event: A}, eligible_users: {type: Column, column: profile.last_seen_at, operator: {type: TimeToday}}}"), "unknown column profile.last_seen_at"),
        (one("{predict: {event: A, filter: {type: And, conditions: [{type: Column, column: chanel, operator: {type: Equal, value: web}}]}}}"), "predict.filter.conditions.0.column: UNKNOWN_ATTRIBUTE: unknown column chanel; did you mean channel?"),
        (GOOD.replace("name: buys_shoes", "name: will_subscribe"), "will_subscribe is there twice"),
        (GOOD.replace("score: subscribe_score", "score: leaves"), "leaves is there twice"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(conf, models, told):
    with pytest.raises(ConfigError, match=r"models\.yaml") as error:
        load_models_config(conf(models))
    assert told in "\n".join(error.value.problems)


def test_segments_know_the_propensities_and_their_own_names(conf):
    config = conf(GOOD, good="propensities.subscribe_score", other="propensities.leaves.percentile")
    assert set(load_segments(config)) == {"good", "other"}
    found = catalogue_of(config).find("propensities.subscribe_score")
    assert (found.column, found.kind, found.score) == (
        "propensities__subscribe_score",
        "number",
        ("will_subscribe", "score"),
    )


@pytest.mark.parametrize(
    ("attribute", "told"),
    [
        ("propensities.will_subscrib.score", "unknown attribute propensities.will_subscrib.score; did you mean propensities.will_subscribe.score?"),
        ("propensities.leave", "did you mean propensities.leaves?"),
        ("propensity.leaves", "did you mean propensities.leaves?"),
    ],
)  # fmt: skip
def test_an_unknown_propensity_in_a_segment_is_named_with_what_was_meant(conf, attribute, told):
    with pytest.raises(ConfigError) as error:
        load_segments(conf(GOOD, wrong=attribute))
    assert told in "\n".join(error.value.problems)


def test_a_propensity_takes_no_horizon(conf):
    with pytest.raises(UnknownAttributeError, match=r"takes no horizon_days"):
        catalogue_of(conf(GOOD)).find("propensities.leaves", 30)
    with pytest.raises(UnknownAttributeError, match=r"conf/models\.yaml has no propensities"):
        catalogue_of(conf("recommendations: false")).find("propensities.leaves")
