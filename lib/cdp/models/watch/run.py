"""What the score stage calls: judges scores before they are given out, and keeps some of them to be judged later."""

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.base.stage import Run
from cdp.models.activity import daily_orders
from cdp.models.watch.config import WatchConfig
from cdp.models.watch.drift import Slots, Today, tallies
from cdp.models.watch.health import Watched
from cdp.models.watch.ids import present_ids
from cdp.models.watch.past import Past, earlier, past
from cdp.models.watch.realised import Kept, Realised, collect, realised
from cdp.models.watch.snapshots import first_kept_day, is_due, passed, snapshot
from cdp.models.watch.verdict import Verdict, verdict
from cdp.tables.gold import CUSTOMER_ORDERS, MODEL_HEALTH, PREDICTION_SNAPSHOTS
from cdp.tables.identity import CHANGES


def watch_scores(
    run: Run, features: DataFrame, scores: DataFrame, models: Sequence[Watched], config: WatchConfig
) -> Verdict:
    """Judge the scores of a run and write `gold.model_health`; see `docs/model-watching.md`.

    Args:
        run: the run.
        features: `features.features` as of the run's date; read once.
        scores: `scoring.scores`; read once.
        models: whose scores they are.
        config: by what they are judged.

    Returns:
        The verdict. Where it is held_back, `gold.predictions` must stay as it is.
    """
    slots = Slots.of([watched.reference for watched in models if watched.reference])
    counted: list[Today] = []
    known: list[tuple[Past, list[Kept]]] = []
    run.lake.together(
        [
            lambda: counted.append(Today.collect(slots, tallies(features, scores, slots))),
            lambda: known.append((_past(run, config), _kept(run))),
        ]
    )
    (today,), ((before, kept),) = counted, known
    found = verdict(today, _judged(run, before, kept), before, models, config, as_of=run.as_of)
    rows = run.spark.createDataFrame([tuple(row) for row in found.rows], MODEL_HEALTH.schema).coalesce(1)
    if before.is_again:
        run.lake.replace(MODEL_HEALTH, rows, where=f"as_of = DATE'{run.as_of.isoformat()}'")
    else:  # takes a fifth of the time; no two rows have the same reading
        run.lake.append(MODEL_HEALTH, rows)
    return found


def keep_snapshot(run: Run, scores: DataFrame, *, ltv_model: str, churn_model: str, config: WatchConfig) -> int:
    """Keep the scores of the run's date in `gold.prediction_snapshots` where it is time to, and drop those that are too old.

    Only for scores that were given out.

    Returns:
        Rows kept; 0 on the days in between.
    """
    days = sorted({one.scored_on for one in _kept(run)})
    first = first_kept_day(as_of=run.as_of, keep_days=config.keep_days)
    if days and days[0] < first:
        run.lake.delete(PREDICTION_SNAPSHOTS, f"scored_on < DATE'{first.isoformat()}'")
    if not is_due(days, as_of=run.as_of, every_days=config.snapshot_every_days):
        return 0
    rows = snapshot(scores, as_of=run.as_of, ltv_model=ltv_model, churn_model=churn_model)
    return run.lake.replace(PREDICTION_SNAPSHOTS, rows, where=f"scored_on = DATE'{run.as_of.isoformat()}'")


def _past(run: Run, config: WatchConfig) -> Past:
    if not run.lake.exists(MODEL_HEALTH):
        return Past()
    since = first_kept_day(as_of=run.as_of, keep_days=config.keep_days)
    rows = earlier(run.lake.read(MODEL_HEALTH), as_of=run.as_of, since=since).collect()
    return past([row.asDict() for row in rows], as_of=run.as_of, compare_within_days=config.compare_within_days)


def _judged(run: Run, before: Past, kept: Sequence[Kept]) -> list[Realised]:
    """What came true of the snapshots that no earlier run has judged: most days there are none."""
    done = [Kept(row.scored_on, row.horizon_days) for row in before.previous if row.scored_on and row.horizon_days]
    last = {horizon: max(one.scored_on for one in done if one.horizon_days == horizon) for _, horizon in done}
    new = [
        one
        for one in passed(kept, as_of=run.as_of)
        if one.horizon_days not in last or one.scored_on > last[one.horizon_days]
    ]
    if not new:
        return []
    lake = run.lake
    ids = present_ids(lake.read(CHANGES), as_of=run.as_of)
    days = daily_orders(lake.read(CUSTOMER_ORDERS), as_of=run.as_of)
    return collect(realised(lake.read(PREDICTION_SNAPSHOTS), days, ids, new, as_of=run.as_of))


def _kept(run: Run) -> list[Kept]:
    if not run.lake.exists(PREDICTION_SNAPSHOTS):
        return []
    rows = run.lake.read(PREDICTION_SNAPSHOTS).select("scored_on", "horizon_days")
    found = rows.groupBy("scored_on", "horizon_days").agg(F.count(F.lit(1)).alias("rows")).collect()  # a row a snapshot
    return sorted(Kept(row["scored_on"], row["horizon_days"]) for row in found)
