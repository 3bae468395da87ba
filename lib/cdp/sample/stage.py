"""The sample retailer as a stage: fills the landing folder."""

from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cdp.base.errors import UsageError
from cdp.base.files import FileSystem
from cdp.base.session import fit_to
from cdp.base.settings import did_you_mean
from cdp.base.stage import Run, Stage, StageResult
from cdp.sample.settings import Mess, SampleSettings

_DEFAULTS = SampleSettings()
_BYTES_A_PERSON = 12_000
"""About what a person's extracts come to, for the number of partitions."""


def add_options(parser: ArgumentParser) -> None:
    """The sample job's own options."""
    parser.add_argument("--persons", type=_count, default=_DEFAULTS.persons, help=f"people (default: {_DEFAULTS.persons:,})")
    parser.add_argument("--seed", type=int, default=_DEFAULTS.seed, help="same seed, same extracts")
    parser.add_argument("--days", type=_count, help="append so many days after --as-of to extracts made before")
    parser.add_argument("--truth", metavar="DIR", help="where the truth goes (default: <landing>-truth)")
    parser.add_argument(
        "--mess", metavar="KIND=RATE", type=_rate, action="append", default=[], help="share of a kind of mess, 0 to 1"
    )


def _count(text: str) -> int:
    number = int(text) if text.isdigit() else 0
    if number < 1:
        raise ArgumentTypeError(f"found {text!r}, wanted a whole number above 0")
    return number


def _rate(text: str) -> tuple[str, float]:
    kind, _, rate = text.partition("=")
    known = list(Mess.model_fields)
    if kind not in known:
        raise ArgumentTypeError(f"no mess called {kind!r}{did_you_mean(kind, known)}")
    try:
        share = float(rate)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise ArgumentTypeError(f"found {text!r}, wanted {kind}=RATE with a rate from 0 to 1")
    return kind, share


def sample(run: Run) -> StageResult:
    """Write the extracts; with --days, those of the days after."""
    from cdp.sample.run import append_days, write_sample

    options = run.options
    settings = _settings(options)
    truth = options.get("truth") or f"{run.landing.rstrip('/')}-truth"
    FileSystem(run.spark, run.landing).check_writable("--landing")
    fit_to(run.spark, settings.persons * _BYTES_A_PERSON, compiled=True)
    days = options.get("days")
    if days:
        summary = append_days(
            run.spark, landing=run.landing, truth=truth, settings=settings, as_of=run.as_of, days=days
        )
    else:
        if Path(run.landing).is_dir() and any(p for p in Path(run.landing).iterdir() if not p.name.startswith("_")):
            raise UsageError(f"--landing {run.landing}: not empty; the sample wants a folder of its own, or --days N")
        summary = write_sample(run.spark, landing=run.landing, truth=truth, settings=settings, as_of=run.as_of)
    rows = sum(summary.rows.values())
    return StageResult(
        rows_out=rows,
        notes=(f"{settings.persons:,} people, {len(summary.rows)} extracts, {rows:,} rows; the truth is in {truth}",),
        outputs=(("extracts", run.landing),),
    )


def _settings(options: dict[str, Any]) -> SampleSettings:
    given = {name: options[name] for name in ("persons", "seed") if options.get(name) is not None}
    mess = dict(options.get("mess") or ())
    try:
        return SampleSettings(**given, mess=Mess(**mess))
    except ValidationError as error:
        raise UsageError("; ".join(e["msg"] for e in error.errors())) from None


STAGE = Stage(
    name="sample",
    title="inventing a retailer's extracts",
    run=sample,
    reads=lambda config: (),
    writes=lambda config: (),
    settings=lambda config: None,
    always=True,
    makes_landing=True,
    writes_lake=False,
)

