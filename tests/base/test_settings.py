"""Configuration errors name file and key, what was found and what is right; all at once."""

from pathlib import Path

import pytest
from pydantic import Field

from cdp.base.errors import ConfigError, UsageError
from cdp.base.settings import ConfigFolder, Document, PlatformConfig, Strict, did_you_mean


class Inner(Strict):
    max_size: int = Field(default=50, ge=2)


class Sample(Document):
    threshold: float = Field(default=0.5, ge=0, le=1)
    inner: Inner = Inner()
    items: tuple[Inner, ...] = ()


def _problems(tmp_path: Path, text: str | bytes) -> tuple[str, ...]:
    (tmp_path / "a.yaml").write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ConfigError) as caught:
        ConfigFolder(tmp_path).load(Sample, "a.yaml")
    assert str(tmp_path / "a.yaml") in str(caught.value)
    return caught.value.problems


def test_an_absent_and_an_empty_file_give_the_defaults(tmp_path: Path):
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    config = ConfigFolder(tmp_path)

    assert config.load(Sample, "none.yaml") == config.load(Sample, "empty.yaml") == Sample()


def test_all_problems_come_at_once_with_their_keys(tmp_path: Path):
    problems = _problems(tmp_path, "treshold: 1\ninner: {max_size: 1}\nitems: [{max_siz: 3}]\n")

    assert problems == (
        "inner.max_size: input should be greater than or equal to 2, found 1",
        "items.0.max_siz: unknown key; did you mean max_size?",
        "treshold: unknown key; did you mean threshold?",
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [1", "line 1, column 6: not valid YAML: expected ',' or ']', but got '<stream end>'"),
        ("a: " + "[" * 2000 + "]" * 2000, "not valid YAML: brackets or lists within each other"),
        ("threshold: 1\nthreshold: 0", "line 2, column 1: not valid YAML: key 'threshold' is there twice"),
        ("- 1", "found a list, wanted keys and values"),
        (b"threshold: \xff", "byte 11 is not UTF-8; save the file as UTF-8"),
        ("description: ${ENV:CDP_NO_SUCH_VARIABLE}", "description: environment variable CDP_NO_SUCH_VARIABLE is not set"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(tmp_path: Path, text: str | bytes, problem: str):
    assert _problems(tmp_path, text)[0].startswith(problem[:40])


def test_secrets_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CDP_TEST_SECRET", "s3cret")
    (tmp_path / "a.yaml").write_text("description: key ${ENV:CDP_TEST_SECRET}")

    assert ConfigFolder(tmp_path).load(Sample, "a.yaml").description == "key s3cret"


def test_problems_of_several_files_are_reported_together(tmp_path: Path):
    (tmp_path / "s").mkdir()
    for name in ("one", "two"):
        (tmp_path / "s" / f"{name}.yaml").write_text("nonsense: 1")

    with pytest.raises(ConfigError) as caught:
        ConfigFolder(tmp_path).load_each(Sample, "s")

    assert len(caught.value.problems) == 2


@pytest.mark.parametrize("name", ["missing", "file"])
def test_a_configuration_that_is_no_folder_is_refused(tmp_path: Path, name: str):
    (tmp_path / "file").write_text("")

    with pytest.raises(UsageError, match="--config"):
        ConfigFolder(tmp_path / name)


def test_exchange_rates_are_positive_numbers_by_currency():
    with pytest.raises(ValueError, match="found euro"):
        PlatformConfig(exchange_rates={"euro": 1})


def test_a_hint_names_what_is_like_it_or_a_bounded_list_of_what_there_is():
    names = [f"event_{n:04}" for n in range(1000)]

    assert did_you_mean("evnt_0007", names) == "; did you mean event_0007?"
    assert did_you_mean("zzz", ["b", "a"]) == "; known: a, b"
    assert did_you_mean("zzz", []) == ""
    assert did_you_mean("zzz", names).endswith("event_0029 and 970 more")
