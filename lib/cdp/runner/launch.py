"""Runs a job: reads its options, checks everything that needs no Spark, runs its stages, tells what came of it."""

import os
import secrets
import signal
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from cdp.base.console import Console, choose_mode
from cdp.base.errors import CdpError, UsageError
from cdp.base.settings import ConfigFolder, did_you_mean
from cdp.base.stage import Run, Stage
from cdp.runner.arguments import AddOptions, parse_arguments
from cdp.runner.failures import explained, write_trace
from cdp.runner.settings import load_settings

Prepare = Callable[[Namespace, list[Stage]], list[Stage]]


def launch(
    stages: Sequence[Stage],
    doc: str | None,
    *,
    argv: Sequence[str] | None = None,
    add_options: AddOptions | None = None,
    prepare: Prepare | None = None,
) -> int:
    """Run a job of one or several stages and return the exit code of the process.

    Args:
        stages: in the order of the flow of data.
        doc: the job's docstring: `--help`.
        argv: arguments; None: the process's.
        add_options: adds the job's own options.
        prepare: chooses the stages once the options are known; may raise UsageError.

    Returns:
        0 done; 1 a stage failed; 2 wrong usage or configuration; 3 done, but a rule marked as an error fired.
    """
    job = Path(sys.argv[0]).stem if len(stages) != 1 else stages[0].name
    arguments = parse_arguments(job, doc, argv, add_options)
    console = Console(choose_mode(arguments.log_format))
    signal.signal(signal.SIGTERM, _stop)
    try:
        chosen = prepare(arguments, list(stages)) if prepare else list(stages)
        config, settings = load_settings(arguments.config, chosen)
        _check_landing(arguments, chosen)
        return _with_spark(job, arguments, console, config, chosen, settings)
    except CdpError as error:
        console.error(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        console.error("stopped; the same call again goes on from here")
        return 130


def _stop(signum: int, frame: Any) -> None:
    raise KeyboardInterrupt


def _check_landing(arguments: Namespace, stages: Sequence[Stage]) -> None:
    makes_it = any(s.makes_landing for s in stages)
    if makes_it or not any(s.reads_landing for s in stages) or "://" in arguments.landing:
        return
    landing = Path(arguments.landing)
    if not landing.is_dir():
        found = "a file" if landing.exists() else "nothing"
        raise UsageError(f"--landing {landing}: found {found}, wanted the folder of the extracts")
    if not os.access(landing, os.R_OK | os.X_OK):
        raise UsageError(f"--landing {landing}: no permission to read it")


def _with_spark(
    job: str,
    arguments: Namespace,
    console: Console,
    config: ConfigFolder,
    stages: Sequence[Stage],
    settings: dict[str, Any],
) -> int:
    # Spark's Python modules take a second to import: only now, when usage and configuration are known to be right.
    from cdp.base.lake import Lake
    from cdp.base.session import spark_session
    from cdp.runner.lock import exclusive
    from cdp.runner.pipeline_run import PipelineRun, open_lake

    started_at = datetime.now(timezone.utc).replace(tzinfo=None)
    run_id = f"{started_at:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
    began = time.monotonic()
    try:
        with console.live():
            with console.step("spark", "starting Spark") as step:
                spark = spark_session(f"cdp {job}")
                step.done(f"Spark {spark.version}", seconds=round(time.monotonic() - began, 1))
            lake = Lake(spark, arguments.lake)
            if not arguments.dry_run and any(s.writes_lake for s in stages):
                open_lake(lake)
            run = Run(
                run_id=run_id,
                job=job,
                as_of=arguments.as_of,
                started_at=started_at,
                lake=lake,
                config=config,
                landing=arguments.landing,
                console=console,
                select=tuple(arguments.select),
                full_refresh=arguments.full_refresh,
                dry_run=arguments.dry_run,
                options=vars(arguments),
            )
            if run.dry_run:
                return PipelineRun(run, stages, settings).plan()
            if not any(s.writes_lake for s in stages):
                return _run_without_lake(run, stages)
            with exclusive(lake, run_id, console):
                outcome = PipelineRun(run, stages, settings).execute()
        return outcome.report(console)
    except Exception as error:
        problem = explained(error)
        if problem is not error and "://" not in arguments.lake:
            trace = write_trace(error, Path(arguments.lake) / "_cdp" / "errors", run_id)
            if trace:
                console.note(f"where it happened: {trace}")
        raise problem from None


def _run_without_lake(run: Run, stages: Sequence[Stage]) -> int:
    for stage in stages:
        with run.console.step(stage.name, stage.title) as step:
            began = time.monotonic()
            result = stage.run(run)
            step.done(f"{result.rows_out or 0:,} rows", rows=result.rows_out, seconds=round(time.monotonic() - began, 1))
        for note in result.notes:
            run.console.note(note)
        for _, path in result.outputs:
            print(path)
    return 0


def choose_stages(stages: Sequence[Stage], names: Sequence[str]) -> list[Stage]:
    """The stages of these names, in the order of the flow; all where none is named.

    Raises:
        UsageError: there is no stage of a name.
    """
    known = [s.name for s in stages]
    for name in names:
        if name not in known:
            raise UsageError(f"--stages {name}: no such stage{did_you_mean(name, known)}")
    return [s for s in stages if not names or s.name in names]
