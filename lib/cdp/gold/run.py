"""The profile stage: one profile per person, with identifiers, orders, timeline, traits, households and consent."""

from collections.abc import Sequence

from pyspark.sql import Observation
from pyspark.sql import functions as F

from cdp.base.contracts import Table
from cdp.base.settings import ConfigFolder
from cdp.base.stage import Account, Run, Stage, StageResult
from cdp.gold.config import Settings, load_settings
from cdp.gold.consent import effective_consent
from cdp.gold.golden import profiles
from cdp.gold.households import households
from cdp.gold.identifiers import customer_identifiers, seen_identifiers
from cdp.gold.orders import customer_order_lines, customer_orders, is_late
from cdp.gold.owners import current_owners
from cdp.gold.rfm import bounds
from cdp.gold.timeline import FATES, KINDS, fate_counts, kept, timeline_rows
from cdp.gold.traits import assortment, behaviour, buying, traits
from cdp.tables.gold import (
    CUSTOMER_IDENTIFIERS,
    CUSTOMER_ORDER_LINES,
    CUSTOMER_ORDERS,
    EFFECTIVE_CONSENT,
    HOUSEHOLDS,
    PROFILES,
    TIMELINE,
    TRAITS,
    TRAITS_HISTORY,
)
from cdp.tables.identity import ASSIGNMENTS, AUDIT
from cdp.tables.silver import CONSENTS, CUSTOMER_RECORDS, EVENTS, IDENTIFIERS_TABLE, ORDER_LINES, ORDERS, PRODUCTS




class _Work:
    """The tables of one run. Each method writes one, and reads what those before it wrote; it returns the rows written."""

    def __init__(self, run: Run, settings: Settings) -> None:
        self.lake, self.as_of, self.settings = run.lake, run.as_of, settings
        self.owners = current_owners(self.lake.read(ASSIGNMENTS)).persist()
        self.seen = seen_identifiers(
            self.lake.read(IDENTIFIERS_TABLE), self.owners, self.lake.read(AUDIT), as_of=self.as_of
        )
        self.late_orders, self.lost_lines, self.fates = Observation(), Observation(), Observation()

    def orders(self) -> int:
        rows = customer_orders(self.lake.read(ORDERS), self.owners)
        late = is_late("ordered_at", self.as_of)
        counted = rows.observe(self.late_orders, F.count_if(late).alias("rows"))
        return self.lake.replace(CUSTOMER_ORDERS, counted.where(~late))

    def lines(self) -> int:
        lines, products = self.lake.read(ORDER_LINES), self.lake.read(PRODUCTS)
        rows = customer_order_lines(lines, self.lake.read(CUSTOMER_ORDERS), products)
        is_lost = F.col("status").isNull()
        counted = rows.observe(self.lost_lines, F.count_if(is_lost).alias("rows"))
        return self.lake.replace(CUSTOMER_ORDER_LINES, counted.where(~is_lost))

    def identifiers(self) -> int:
        return self.lake.replace(CUSTOMER_IDENTIFIERS, customer_identifiers(self.seen))

    def consent(self) -> int:
        rows = effective_consent(self.lake.read(CONSENTS), self.owners, as_of=self.as_of)
        return self.lake.replace(EFFECTIVE_CONSENT, rows)

    def timeline(self) -> int:
        orders, consents = self.lake.read(CUSTOMER_ORDERS), self.lake.read(CONSENTS)
        rows = timeline_rows(self.lake.read(EVENTS), orders, consents, self.owners, as_of=self.as_of)
        return self.lake.replace(TIMELINE, kept(rows.observe(self.fates, *fate_counts())))

    def profiles(self) -> int:
        records, timeline = self.lake.read(CUSTOMER_RECORDS), self.lake.read(TIMELINE)
        rows = profiles(records, self.seen, timeline, self.owners, self.settings.profiles, as_of=self.as_of)
        return self.lake.replace(PROFILES, rows)

    def households(self) -> int:
        return self.lake.replace(HOUSEHOLDS, households(self.lake.read(PROFILES), self.settings.households))

    def traits(self) -> int:
        lake, as_of = self.lake, self.as_of
        bought = buying(lake.read(CUSTOMER_ORDERS), as_of=as_of).persist()
        limits = bounds(bought.where("orders > 0"))
        rows = traits(
            lake.read(PROFILES), bought, assortment(lake.read(CUSTOMER_ORDER_LINES)),
            behaviour(lake.read(TIMELINE), as_of=as_of), limits, as_of=as_of,
        )  # fmt: skip
        written = lake.replace(TRAITS, rows)
        bought.unpersist()
        lake.replace(TRAITS_HISTORY, lake.read(TRAITS), where=f"as_of = DATE'{as_of.isoformat()}'")
        return written


def build_profiles(run: Run) -> StageResult:
    """Rebuild the gold tables of people as of the run's date; see docs/profiles.md."""
    work, lake = _Work(run, load_settings(run.config)), run.lake
    counted = {t.name: lake.read(t).count() for t in (EVENTS, ORDERS, ORDER_LINES, CONSENTS)}
    orders, identifiers, consent = lake.together([work.orders, work.identifiers, work.consent])
    timeline, lines = lake.together([work.timeline, work.lines])
    (people,) = lake.together([work.profiles])
    traits_, homes = lake.together([work.traits, work.households])
    work.owners.unpersist()
    accounts = _accounts(work, counted, orders=orders, lines=lines)
    return StageResult(
        rows_in=sum(a.rows_in for a in accounts),
        rows_out=orders + identifiers + consent + timeline + lines + people + traits_ + homes,
        accounts=accounts,
        notes=(f"{people:,} customers, {homes:,} households",),
    )


def _accounts(work: _Work, rows_in: dict[str, int], *, orders: int, lines: int) -> tuple[Account, ...]:
    fates = work.fates.get
    skipped = {kind: sum(fates[f"{kind}_{fate}"] for fate in FATES if fate != "kept") for kind in KINDS}
    return (
        Account("orders", rows_in[ORDERS.name], orders, rows_skipped=work.late_orders.get["rows"]),
        Account("order_lines", rows_in[ORDER_LINES.name], lines, rows_skipped=work.lost_lines.get["rows"]),
        Account("timeline: events", rows_in[EVENTS.name], fates["event_kept"], rows_skipped=skipped["event"]),
        Account("timeline: orders", orders, fates["order_kept"], rows_skipped=skipped["order"]),
        Account("timeline: consents", rows_in[CONSENTS.name], fates["consent_kept"], rows_skipped=skipped["consent"]),
    )


def _reads(config: ConfigFolder) -> Sequence[Table]:
    return (CUSTOMER_RECORDS, IDENTIFIERS_TABLE, EVENTS, ORDERS, ORDER_LINES, PRODUCTS, CONSENTS, ASSIGNMENTS, AUDIT)


def _writes(config: ConfigFolder) -> Sequence[Table]:
    return (
        PROFILES,
        CUSTOMER_IDENTIFIERS,
        CUSTOMER_ORDERS,
        CUSTOMER_ORDER_LINES,
        TIMELINE,
        TRAITS,
        TRAITS_HISTORY,
        HOUSEHOLDS,
        EFFECTIVE_CONSENT,
    )


STAGE = Stage(
    name="profile",
    title="building one profile per person",
    run=build_profiles,
    reads=_reads,
    writes=_writes,
    settings=load_settings,
)
