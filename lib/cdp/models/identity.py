"""What identity resolution has learnt, tracked beside the other models."""

from pyspark.sql import functions as F

from cdp.base.stage import Run
from cdp.identity.pictures import links_picture, weights_picture
from cdp.models.registry import Entry, Registry
from cdp.tables.identity import LINKS, PARAMETERS, QUALITY

NAME = "cdp_identity"
_ALL = "*"


def track_identity(run: Run, registry: Registry) -> None:
    """Record the parameters of the last `resolve`, once, with its charts and the quality of the customers.

    `resolve` itself does not: MLflow's imports take longer than resolving a small company's records.
    """
    rows = [row.asDict() for row in run.lake.read(PARAMETERS).collect()]  # fields times levels
    if not rows or registry.is_tracked(NAME, _version(run)):
        return
    whole = next(row for row in rows if row["field"] == _ALL)
    kinds = {row["field"]: row["kind"] for row in rows if row["field"] != _ALL}
    compared = run.lake.read(LINKS).where("rule = 'comparison'")
    counts = compared.groupBy(F.round("match_weight").cast("int").alias("bits"), "decision").agg(
        F.count("*").alias("pairs")
    )
    bars = [
        row.asDict() for row in counts.collect()
    ]  # weights are whole bits from the review threshold to some hundred
    latest = run.lake.read(QUALITY).groupBy("check").agg(F.max_by("share", F.struct("as_of", "run_id")).alias("share"))
    metrics = {f"quality: {row['check'].replace('-', ' ')}": row["share"] for row in latest.collect()}
    for decision in ("accepted", "review", "refused"):
        metrics[f"pairs {decision}"] = float(sum(row["pairs"] for row in bars if row["decision"] == decision))
    metrics |= {"matches among all pairs": whole["matches"], "prior bits": whole["weight"]}
    pictures = {"weights.svg": weights_picture(rows), "links.svg": links_picture(bars)}
    entry = Entry(params=kinds, metrics=metrics, tags=_version(run), pictures=pictures)
    registry.track(NAME, entry, run_name=run.run_id)


def _version(run: Run) -> dict[str, str]:
    return {"version of identity.parameters": str(run.lake.version(PARAMETERS))}
