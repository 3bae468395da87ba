"""All stages, in the order in which data flows."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from cdp.activation.run import STAGE as ACTIVATE
from cdp.base.errors import UsageError
from cdp.base.stage import Stage
from cdp.bronze.run import STAGE as INGEST
from cdp.gold.run import STAGE as PROFILE
from cdp.identity.run import STAGE as RESOLVE
from cdp.journeys.run import STAGE as JOURNEY
from cdp.measure.run import STAGE as MEASURE
from cdp.models.run import SCORE_STAGE as SCORE
from cdp.models.run import TRAIN_STAGE as TRAIN
from cdp.runner.launch import choose_stages
from cdp.sample.stage import STAGE as SAMPLE
from cdp.segments.run import STAGE as SEGMENT
from cdp.silver.run import STAGE as CLEAN

STAGES: tuple[Stage, ...] = (INGEST, CLEAN, RESOLVE, PROFILE, TRAIN, SCORE, SEGMENT, JOURNEY, ACTIVATE, MEASURE)


def add_options(parser: ArgumentParser) -> None:
    """The pipeline's own options."""
    parser.add_argument("--stages", metavar="STAGE", nargs="+", default=[], help="only these stages")


def prepare(arguments: Namespace, stages: list[Stage]) -> list[Stage]:
    """The stages to run. With the project's own configuration and no extracts yet, the sample's are made first.

    Raises:
        UsageError: no such stage, or --select, which means another thing to each stage.
    """
    if arguments.select:
        raise UsageError("--select goes with one job, e.g. `./spark-submit.sh segment --select NAME`, not with pipeline")
    chosen = choose_stages(stages, arguments.stages)
    is_sample = arguments.is_default_landing and arguments.is_default_config and INGEST in chosen
    has_extracts = Path(arguments.landing).is_dir() and any(Path(arguments.landing).iterdir())
    return [SAMPLE, *chosen] if is_sample and not has_extracts else chosen
