"""The options that every job takes."""

import argparse
import inspect
import os
import sys
from collections.abc import Callable, Sequence
from datetime import date, datetime, timezone
from pathlib import Path
from typing import NoReturn

from cdp.base.console import LOG_FORMATS
from cdp.base.settings import did_you_mean

AddOptions = Callable[[argparse.ArgumentParser], None]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        unknown = message.removeprefix("unrecognized arguments: ").split()[0] if "unrecognized" in message else ""
        hint = did_you_mean(unknown.split("=")[0], list(self._option_string_actions)) if unknown else ""
        print(f"error: {self.prog}: {message}{hint}", file=sys.stderr)
        print(f"`./spark-submit.sh {self.prog} --help` lists the options.", file=sys.stderr)
        raise SystemExit(2)


def project_folder() -> Path:
    """The project (`$CDP_HOME`, set by spark-submit.sh), else the working folder."""
    return Path(os.environ.get("CDP_HOME") or Path.cwd())


def parse_arguments(
    job: str, doc: str | None, argv: Sequence[str] | None, add_options: AddOptions | None = None
) -> argparse.Namespace:
    """Read a job's options; exits with code 2 and a message where they are wrong.

    Args:
        job: name of the job.
        doc: docstring of the job, its `--help`.
        argv: arguments; None: the process's.
        add_options: adds the job's own options.
    """
    parser = _Parser(
        prog=job,
        description=inspect.cleandoc(doc or ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    home = project_folder()
    common = parser.add_argument_group("common options")
    common.add_argument("--config", metavar="DIR", default=str(home / "conf"), help="configuration (default: conf)")
    common.add_argument("--lake", metavar="URI", default=str(home / "lake"), help="the tables (default: lake)")
    common.add_argument("--landing", metavar="URI", help="the extracts (default: landing)")
    common.add_argument(
        "--as-of", metavar="YYYY-MM-DD", type=_day, default=_today(), help="last day of data to use (default: today, UTC)"
    )
    common.add_argument("--select", metavar="NAME", nargs="+", default=[], help="only these sources, segments ...")
    common.add_argument("--full-refresh", action="store_true", help="rebuild from all data")
    common.add_argument("--dry-run", action="store_true", help="say what would be done, write nothing")
    common.add_argument("--log-format", choices=LOG_FORMATS, default="auto", help="auto: live on a terminal, else plain")
    if add_options:
        add_options(parser)
    arguments = parser.parse_args(argv)
    arguments.is_default_landing = arguments.landing is None
    arguments.is_default_config = Path(arguments.config).resolve() == (home / "conf").resolve()
    if arguments.landing is None:
        arguments.landing = str(home / "landing")
    return arguments


def _day(text: str) -> date:
    try:
        day = datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise argparse.ArgumentTypeError(f"found {text!r}, wanted a day that exists, as YYYY-MM-DD") from None
    if not 1970 <= day.year <= 9000:
        raise argparse.ArgumentTypeError(f"found {text!r}, wanted a year from 1970 to 9000")
    return day


def _today() -> date:
    return datetime.now(timezone.utc).date()
