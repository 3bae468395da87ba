"""What conf/profiles.yaml accepts, and what it says of mistakes."""

from pathlib import Path

import pytest

from cdp.base.errors import ConfigError
from cdp.base.settings import ConfigFolder
from cdp.gold.config import FILE, ProfilesConfig, load_settings

CRM = "name: crm\nformat: csv\npath: crm/*.csv\nprimary_key: [id]\ncolumns: [{name: id, type: string}]\n"


def folder(tmp_path: Path, text: str | None) -> ConfigFolder:
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "crm.yaml").write_text(CRM, encoding="utf-8")
    if text is not None:
        (tmp_path / FILE).write_text(text, encoding="utf-8")
    return ConfigFolder(tmp_path)


def test_without_a_file_the_most_recent_wins_and_of_contact_points_the_best(tmp_path: Path) -> None:
    config = load_settings(folder(tmp_path, None)).profiles
    assert {config.strategy(name).strategy for name in ("name", "birth_date", "attributes.job")} == {"most_recent"}
    assert {config.strategy(name).strategy for name in ("email", "phone")} == {"best"}


def test_a_default_holds_for_contact_points_too_where_it_suits_them(tmp_path: Path) -> None:
    oldest, fullest = (ProfilesConfig.model_validate({"default": name}) for name in ("oldest", "most_complete"))
    assert (oldest.strategy("email").strategy, fullest.strategy("email").strategy) == ("oldest", "best")


def test_names_that_other_platforms_use_are_understood(tmp_path: Path) -> None:
    text = "attributes:\n  name: {strategy: priority, sources: [crm]}\n  gender: LastUpdated\n  language: MostFrequent\n"
    config = load_settings(folder(tmp_path, text)).profiles
    found = [config.strategy(name).strategy for name in ("name", "gender", "language")]
    assert found == ["source_priority", "most_recent", "most_frequent"]


def test_a_further_attribute_falls_back_on_all_of_them_and_they_on_the_default(tmp_path: Path) -> None:
    text = "default: oldest\nattributes:\n  attributes: most_frequent\n  attributes.tier: most_recent\n"
    config = load_settings(folder(tmp_path, text)).profiles
    chosen = {name: config.strategy(name).strategy for name in ("name", "attributes.job", "attributes.tier")}
    assert chosen == {"name": "oldest", "attributes.job": "most_frequent", "attributes.tier": "most_recent"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("attributes: {adress: oldest}", "adress is no attribute of a profile; did you mean address?"),
        ("attributes: {city: oldest}", "city moves with its group; wanted address"),
        ("attributes: {name: most_recnt}", "attributes.name: most_recnt is no strategy; did you mean most_recent?"),
        ("attributes: {name: 7}", "attributes.name: input should be a valid dictionary"),
        ("attributes: {name: {sources: [crm]}}", "attributes.name.strategy: missing, but required"),
        ("attributes: {name: {strategy: min, limt: 2}}", "attributes.name.limt: unknown key; did you mean limit?"),
        ("attributes: {address: union}", "address.strategy: union does not suit it; wanted one of most_recent, oldest"),
        ("attributes: {name: min}", "name.strategy: min does not suit it"),
        ("attributes: {email: union}", "email.strategy: union does not suit it; wanted one of best, most_recent"),
        ("attributes: {attributes.job: best}", "attributes.job.strategy: best does not suit it"),
        ("accounts: {name: company}", "accounts.name: string should match pattern"),
        ("accounts: {nam: attributes.firm}", "accounts.nam: unknown key; did you mean name?"),
        ("default: union", "default: union does not suit every attribute; wanted one of most_recent, oldest"),
        ("default: {strategy: oldest, limit: 2}", "default: limit: wanted with strategy union, or for email and phone"),
        ("attributes: {gender: {strategy: max, limit: 2}}", "gender.limit: wanted with strategy union, or for email and"),
        ("attributes: {attributes.job: {strategy: union, limit: 0}}", "limit: input should be greater than or equal to 1"),
        ("attributes: {email: {strategy: best, separator: x}}", "separator: wanted with strategy union alone, found it with best"),
        ("attributes: {name: source_priority}", "sources: wanted with strategy source_priority"),
        (
            "default: {strategy: oldest, sources: [crm]}",
            "sources: wanted with strategy source_priority, and only with it",
        ),
        (
            "default: {strategy: source_priority, sources: [crn]}",
            "default.sources: there is no source crn; did you mean crm?",
        ),
    ],
)
def test_a_mistake_is_named_with_its_key_and_what_would_be_right(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load_settings(folder(tmp_path, text))
    assert FILE in str(raised.value)
    assert message in str(raised.value)
