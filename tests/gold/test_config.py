"""What conf/profiles.yaml accepts, and what it says of mistakes."""

from pathlib import Path

import pytest

from cdp.base.errors import ConfigError
from cdp.base.settings import ConfigFolder
from cdp.gold.config import FILE, load_settings

CRM = "name: crm\nformat: csv\npath: crm/*.csv\nprimary_key: [id]\ncolumns: [{name: id, type: string}]\n"


def folder(tmp_path: Path, text: str | None) -> ConfigFolder:
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "crm.yaml").write_text(CRM, encoding="utf-8")
    if text is not None:
        (tmp_path / FILE).write_text(text, encoding="utf-8")
    return ConfigFolder(tmp_path)


def test_without_a_file_the_most_recent_wins_everywhere(tmp_path: Path) -> None:
    config = load_settings(folder(tmp_path, None)).profiles
    assert {config.strategy(name).strategy for name in ("name", "email", "attributes.job")} == {"most_recent"}


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
        ("attributes: {name: newest}", "attributes.name.strategy: input should be 'most_recent', 'oldest'"),
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
