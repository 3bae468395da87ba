"""What each source sends of each entity, and what becomes of it, counted where the rows pass."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F

from cdp.silver import activity, money
from cdp.silver.entities import candidates
from cdp.silver.keys import entities_of, group_of, key_text, keyed
from cdp.silver.scope import Scope
from cdp.silver.sources import CURRENT
from cdp.silver.tracking import held_to_plan
from cdp.silver.tracking_plan import TrackingPlan

IS_USABLE, IS_REFUSED = "_taken AND size(_failed) = 0", "_taken AND size(_failed) > 0"
_COUNTS = ("rows", "refused", "not_meant")


@dataclass
class Flow:
    """What a source sends of an entity."""

    source: str
    kind: str
    number: int
    """Position of the entity under `produces.<kind>`."""
    rows: DataFrame
    """Candidates with `_failed` and `_taken`."""
    seen: Observation = field(default_factory=Observation)
    prefix: str = ""
    """Of its counts, where one observation holds those of several flows."""

    @property
    def counts(self) -> dict[str, int]:
        found = self.seen.get
        return {name: found[self.prefix + name] for name in _COUNTS}

    def usable(self) -> DataFrame:
        """Candidates that go on; counted on the way."""
        return self.rows.observe(self.seen, *self.counters(F.lit(True))).where(IS_USABLE)

    def refused(self) -> DataFrame:
        """Candidates that are set aside."""
        return self.rows.where(F.col("_fate") == CURRENT).where(IS_REFUSED)

    def counters(self, is_own: Column) -> list[Column]:
        """What to count of the candidates for which `is_own` holds."""
        conditions = (is_own, is_own & F.expr(IS_REFUSED), is_own & ~F.col("_taken"))
        return [F.count_if(c).alias(self.prefix + name) for name, c in zip(_COUNTS, conditions, strict=True)]


def flows_of(kind: str, scopes: Mapping[str, Scope], plan: TrackingPlan, rates: money.Rates | None) -> Iterator[Flow]:
    """A flow for each entity of a kind that the sources hold; of sources that this run looks at."""
    for name, scope in scopes.items():
        for of_kind, number, entity in entities_of(scope.source):
            if of_kind == kind and scope.rows is not None:
                rows = candidates(scope.rows, scope.source, kind, entity, number)
                yield Flow(name, kind, number, _judged(rows, kind, plan if plan.holds(name) else None, rates))


def _judged(rows: DataFrame, kind: str, plan: TrackingPlan | None, rates: money.Rates | None) -> DataFrame:
    """Candidates with what the platform itself has against them."""
    if rates and kind in ("order", "campaign_cost"):
        rows = money.with_rate(rows, F.to_date("ordered_at") if kind == "order" else F.col("day"), rates)
        rows = _refuse(rows, f"{kind}.currency: no exchange rate", F.col("_rate").isNull())
    if kind == "exchange_rate":
        for reason, condition in money.rate_problems().items():
            rows = _refuse(rows, reason, condition)
    if kind == "order":
        status = activity.order_status(F.col("status"), F.lit(None))
        rows = _refuse(rows, "order.status is unknown", ~status.isin(*activity.STATUSES))
    if kind == "event":
        rows = held_to_plan(rows, plan) if plan else rows.withColumn("violations", F.lit(None).cast("array<string>"))
    if kind == "consent":
        status = activity.consent_status(F.col("status"))
        rows = _refuse(rows, "consent.status is unknown", ~status.isin("granted", "denied", "withdrawn"))
    return rows


def _refuse(rows: DataFrame, reason: str, condition: Column) -> DataFrame:
    more = F.array_append("_failed", F.lit(reason))
    return rows.withColumn("_failed", F.when(F.coalesce(condition, F.lit(False)), more).otherwise(F.col("_failed")))


def whole(flows: Sequence[Flow], kind: str, default_country: str | None) -> DataFrame | None:
    """All usable candidates of some flows with their key; None without flows."""
    if not flows:
        return None
    return keyed(reduce(DataFrame.unionByName, [flow.usable() for flow in flows]), kind, default_country)


def affected(
    flows: Sequence[Flow], kind: str, scopes: Mapping[str, Scope], default_country: str | None
) -> DataFrame | None:
    """All candidates of some flows with their key, of every version of the rows that new ones have to do with.

    Those of rows that are not changed are left out, but for entities that changed rows speak of too. They are few, and
    kept: what is made of them and what it takes the place of are worked out from them.
    """
    if not flows:
        return None
    rows = keyed(reduce(DataFrame.unionByName, [flow.rows for flow in flows]), kind, default_country)
    shared = {flow.source: related for flow in flows if (related := scopes[flow.source].related) is not None}
    if shared:
        frames = [
            frame.where(F.col("_group") == group_of(kind)).select(F.lit(name).alias("source"), "_key")
            for name, frame in shared.items()
        ]
        spoken_of = reduce(DataFrame.unionByName, frames).withColumn("_is_shared", F.lit(True))
        joined = rows.withColumn("_key", key_text(kind)).join(spoken_of, on=["source", "_key"], how="left")
        rows = joined.where(F.col("_is_changed") | F.col("_is_shared")).drop("_key", "_is_shared")
    seen, counters = Observation(), []
    for place, flow in enumerate(flows):
        flow.seen, flow.prefix = seen, f"{place}_"
        is_own = (F.col("source") == flow.source) & (F.col("_entity") == flow.number) & (F.col("_fate") == CURRENT)
        counters += flow.counters(is_own)
    return rows.observe(seen, *counters).localCheckpoint()
