"""Errors of others in our words: what to do, and never a row's value."""

import errno
from pathlib import Path

import pytest

from cdp.base.errors import CdpError, ContractError, UsageError
from cdp.runner.failures import explained, write_trace


def test_our_own_errors_stay_as_they_are():
    ours = ContractError("gold.profiles: a key is there twice")

    assert explained(ours) is ours


@pytest.mark.parametrize("filename", [None, "/lake/gold/profiles/part-0"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_no_mistake_of_usage(number: int, filename: str | None):
    problem = explained(OSError(number, "No space left on device", filename))

    assert problem.exit_code == 1
    assert "no space left on the disk of the lake" in str(problem)


def test_a_file_that_may_not_be_read_is_named():
    problem = explained(PermissionError(errno.EACCES, "Permission denied", "/lake/secret"))

    assert isinstance(problem, UsageError)
    assert str(problem).startswith("/lake/secret: ")


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("java.io.IOException: No space left on device", "free some and call again"),
        ("java.lang.OutOfMemoryError: Java heap space", "out of memory; give more"),
        ("[DELTA_CONCURRENT_APPEND] value anna@example.com", "another run wrote to the same table"),
        ("java.net.ConnectException: Connection refused: spark/10.0.0.1:7077", "Spark's master cannot be reached"),
    ],
)
def test_what_is_known_of_spark_is_said_in_words(text: str, meaning: str):
    problem = explained(RuntimeError(text))

    assert meaning in str(problem)
    assert "anna@example.com" not in str(problem)
    assert problem.exit_code == 1


def test_of_the_unknown_only_the_kind_is_told():
    problem = explained(ValueError("[CAST_INVALID_INPUT] The value 'anna@example.com' cannot be cast"))

    assert type(problem) is CdpError
    assert str(problem) == "ValueError [CAST_INVALID_INPUT]"


def test_a_trace_holds_places_and_no_values(tmp_path: Path):
    value = "anna@example.com"
    try:
        raise ValueError(value)
    except ValueError as error:
        path = write_trace(error, tmp_path / "errors", "run-1")

    assert path is not None
    text = path.read_text(encoding="utf-8")
    assert "test_failures.py" in text and value not in text
