"""How much fitting the session to the data gains: the whole pipeline with it, and with Spark's own settings.

    python benchmarks/fitted_session.py [--persons 1000]

Both run on the same extracts, one after the other in fresh processes; then the fitted one again with nothing new. What
counts is the ratio: seconds differ from machine to machine, and on a shared one from minute to minute.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
SPARKS_OWN = {
    "spark.sql.shuffle.partitions": "200",
    "spark.sql.codegen.wholeStage": "true",
    "spark.sql.codegen.factoryMode": "FALLBACK",
    "spark.sql.adaptive.enabled": "true",
    "spark.sql.constraintPropagation.enabled": "true",
}


def submit(*arguments: str, conf: dict[str, str] | None = None) -> str:
    """Last line on standard output of a job; ends the benchmark where it fails."""
    options = [part for key, value in (conf or {}).items() for part in ("--conf", f"{key}={value}")]
    call = [str(PROJECT / "spark-submit.sh"), *options, *arguments, "--log-format", "plain"]
    done = subprocess.run(call, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(arguments)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout.strip().splitlines()[-1]


def seconds(landing: Path, lake: Path, conf: dict[str, str] | None = None) -> dict[str, float]:
    """Seconds of each stage of a run, and of the run."""
    text = Path(submit("pipeline", "--landing", str(landing), "--lake", str(lake), conf=conf)).read_text(encoding="utf-8")
    summary = json.loads(text)
    return {**{s["stage"]: s["seconds"] for s in summary["stages"]}, "all": summary["seconds"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", default="1000")
    persons = parser.parse_args().persons
    with tempfile.TemporaryDirectory() as folder:
        landing = Path(folder) / "landing"
        submit("sample", "--landing", str(landing), "--persons", persons)
        fitted = seconds(landing, Path(folder) / "fitted")
        again = seconds(landing, Path(folder) / "fitted")
        own = seconds(landing, Path(folder) / "own", SPARKS_OWN)
    print(f"{persons} persons\n{'stage':10} {'fitted':>8} {'Spark':>8} {'ratio':>6}")
    for stage, took in fitted.items():
        print(f"{stage:10} {took:8.1f} {own[stage]:8.1f} {own[stage] / max(took, 0.1):6.2f}")
    print(f"{'again':10} {again['all']:8.1f}          {fitted['all'] / max(again['all'], 0.1):6.2f}  (nothing new)")


if __name__ == "__main__":
    main()
