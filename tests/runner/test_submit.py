"""The command that `spark-submit.sh` makes of its options."""

import os
import subprocess

import pytest

from cdp.base.session import JAVA_OPTIONS
from tests.conftest import PROJECT


def _java_options(*arguments: str, **environment: str) -> list[str]:
    """Options of the driver's JVM, for a call with these arguments."""
    if not (PROJECT / ".venv" / ".cdp-ready").is_file():
        pytest.skip("the project is not set up in this folder: `make test` sets it up")
    clean = {k: v for k, v in os.environ.items() if k not in ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS")}
    call = ["bash", str(PROJECT / "spark-submit.sh"), *arguments, "pipeline"]
    made = subprocess.run(
        call, env={**clean, "CDP_PRINT_COMMAND": "1", **environment}, capture_output=True, text=True, check=True
    )
    words = made.stdout.splitlines()
    return words[words.index("--driver-java-options") + 1].split()


def test_the_driver_has_the_options_of_a_session_made_elsewhere():
    assert set(JAVA_OPTIONS) < set(_java_options())


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (("--driver-java-options", "-XX:+UseG1GC -Dx=1"), {}),
        (("--conf", "spark.driver.extraJavaOptions=-XX:+UseG1GC"), {}),
        ((), {"JAVA_TOOL_OPTIONS": "-XX:+UseZGC"}),
    ],
)
def test_a_collector_of_the_users_stands_alone(arguments: tuple[str, ...], environment: dict[str, str]):
    options = _java_options(*arguments, **environment)

    assert "-XX:+UseParallelGC" not in options
    assert set(JAVA_OPTIONS) - {"-XX:+UseParallelGC"} < set(options)
