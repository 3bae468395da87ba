"""What the last run has left that the next one builds on, where it looks at some of the records."""

from dataclasses import dataclass
from datetime import date

from pyspark.sql import functions as F

from cdp.base.fingerprints import code_hash, hash_of, plain
from cdp.base.held import held
from cdp.base.lake import Lake
from cdp.base.stage import Run
from cdp.identity.config import IdentityConfig
from cdp.identity.graph import Known
from cdp.identity.matching.model import Learnt, Model, stored_blocking, stored_frequencies
from cdp.identity.matching.stored import stored_parameters
from cdp.identity.values import BY_STEWARD
from cdp.tables.identity import (
    ASSIGNMENTS,
    AUDIT,
    BLOCKING_RULES,
    LINKS,
    PARAMETERS,
    RESOLVED_RECORDS,
    RULES,
    VALUE_FREQUENCIES,
)
from cdp.tables.ops import RESOLVED

KEPT_TABLES = (ASSIGNMENTS, LINKS, AUDIT, RULES, PARAMETERS, BLOCKING_RULES, VALUE_FREQUENCIES, RESOLVED_RECORDS)
"""What a run on some of the records builds on."""


@dataclass(frozen=True)
class LastRun:
    """What `ops.resolved` says of the last run.

    Attributes:
        learnt_from: customer records from which was learnt what likeness is worth.
        changed: records that are new, other or gone since all were resolved together.
    """

    learnt_from: int
    changed: int


def fingerprint(config: IdentityConfig) -> str:
    """Hash of all that who is who depends on, beside the records and the ledger."""
    return hash_of({"config": plain(config), "code": code_hash()})


def last_run(lake: Lake, config: IdentityConfig, as_of: date) -> LastRun | None:
    """The last run. None where nothing can be built on it: other settings, a later date, tables not as it left them."""
    row = lake.read(RESOLVED).first()
    if row is None or row["fingerprint"] != fingerprint(config) or row["as_of"] > as_of or row["learnt_from"] is None:
        return None
    if row["tables"] != _versions(lake):
        return None
    return LastRun(row["learnt_from"], row["changed"])


def note_run(run: Run, config: IdentityConfig, learnt_from: int | None, changed: int) -> None:
    """Write down what the next run can build on: the last thing a run does.

    Args:
        run: the run.
        config: conf/identity.yaml.
        learnt_from: customer records from which was learnt; None: nothing was compared.
        changed: records that have changed since.
    """
    row = fingerprint(config), run.as_of, learnt_from, changed, _versions(run.lake)
    run.lake.replace(RESOLVED, run.spark.createDataFrame([row], RESOLVED.schema).coalesce(1))


def _versions(lake: Lake) -> dict[str, int | None]:
    """Table to version, of all that a run on some of the records builds on."""
    return {table.name: lake.version(table) for table in KEPT_TABLES}


def known_of(lake: Lake, learnt_from: int) -> Known | None:
    """What is known from all records; None where nothing was compared, or the rules are of another version.

    Args:
        lake: the tables of the last run.
        learnt_from: `LastRun.learnt_from`.
    """
    rows = [row.asDict() for row in lake.read(PARAMETERS).collect()]  # a row a level
    if not rows:
        return None
    fields, parameters = stored_parameters(rows)
    rules = [row.asDict() for row in lake.read(BLOCKING_RULES).collect()]  # a row a rule
    found = stored_blocking(rules, fields)
    frequencies = stored_frequencies(lake.read(VALUE_FREQUENCIES).toArrow(), fields)  # at most some 300,000 rows
    if found is None or frequencies is None:
        return None
    blocking, crowds = found
    refused = lake.read(AUDIT).where((F.col("kind") == "blocked_value") & (F.col("reason") != BY_STEWARD))
    refused = held(refused.select("id_type", "value_hash", "reason"))
    return Known(Learnt(Model(fields, blocking, parameters, crowds, learnt_from), frequencies), refused)
