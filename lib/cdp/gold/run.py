"""The profile stage: one profile per person, with identifiers, orders, timeline, traits, households and consent."""

from collections.abc import Sequence

from pyspark.sql import DataFrame, Observation
from pyspark.sql import functions as F

from cdp.base.contracts import Table
from cdp.base.settings import ConfigFolder
from cdp.base.stage import Account, Run, Stage, StageResult
from cdp.gold.accounts import accounts
from cdp.gold.computed.columns import traits_table
from cdp.gold.computed.load import load_traits
from cdp.gold.computed.steps import check_traits, own_traits, unheard_events, with_own_expressions
from cdp.gold.config import Settings, load_settings
from cdp.gold.consent import effective_consent
from cdp.gold.contacts import contact_signs
from cdp.gold.golden import profiles
from cdp.gold.households import households
from cdp.gold.identifiers import customer_identifiers, seen_identifiers, with_former
from cdp.gold.lookup import lookup_keys
from cdp.gold.members import with_sums
from cdp.gold.orders import customer_order_lines, customer_orders, is_late
from cdp.gold.owners import current_owners
from cdp.gold.rfm import bounds
from cdp.gold.timeline import FATES, KINDS, fate_counts, kept, timeline_rows
from cdp.gold.times import day
from cdp.gold.traits import allowed, assortment, behaviour, buying, traits
from cdp.silver.expressions import evaluating
from cdp.silver.netting import netted
from cdp.tables.gold import (
    ACCOUNTS,
    CUSTOMER_IDENTIFIERS,
    CUSTOMER_ORDER_LINES,
    CUSTOMER_ORDERS,
    EFFECTIVE_CONSENT,
    HOUSEHOLDS,
    LOOKUP_KEYS,
    PROFILES,
    TIMELINE,
    TRAITS,
    TRAITS_HISTORY,
)
from cdp.tables.identity import ASSIGNMENTS, AUDIT
from cdp.tables.silver import CONSENTS, CUSTOMER_RECORDS, EVENTS, IDENTIFIERS_TABLE, ORDER_LINES, ORDERS, PRODUCTS


class _Work:
    """The tables of one run. Each step writes one, and reads what the steps before it wrote.

    Attributes:
        rows: rows of each silver table in, and of each gold table written, by table name.
        notes: what whoever reads the run should know.
    """

    def __init__(self, run: Run, settings: Settings) -> None:
        self.lake, self.as_of, self.settings = run.lake, run.as_of, settings
        self.full_refresh = run.full_refresh
        self.owners = current_owners(self.lake.read(ASSIGNMENTS)).persist()
        self.known_ids, self.audit = self.lake.read(IDENTIFIERS_TABLE), self.lake.read(AUDIT)
        self.late_orders, self.lost_lines, self.fates = Observation(), Observation(), Observation()
        self.rows: dict[str, int] = {}
        self.notes: list[str] = []

    def counts(self) -> None:
        # Delta knows them from its log.
        self.rows.update({t.name: self.lake.read(t).count() for t in (EVENTS, ORDERS, ORDER_LINES, CONSENTS)})

    def orders(self) -> None:
        late = is_late("ordered_at", self.as_of)
        counted = self.lake.read(ORDERS).observe(self.late_orders, F.count_if(late).alias("rows"))
        # Netted anew: a return after the run's date has taken nothing off yet.
        self._replace(CUSTOMER_ORDERS, customer_orders(netted(counted.where(~late)), self.owners))

    def identifiers(self) -> None:
        every = with_former(self.known_ids, self.lake.read(CUSTOMER_IDENTIFIERS))
        self._replace(CUSTOMER_IDENTIFIERS, customer_identifiers(self._seen(every)))

    def lookup(self) -> None:
        lake = self.lake
        identifiers, records, assignments = lake.read(CUSTOMER_IDENTIFIERS), lake.read(CUSTOMER_RECORDS), lake.read(ASSIGNMENTS)
        self._replace(LOOKUP_KEYS, lookup_keys(identifiers, records, assignments, self.owners))

    def lines(self) -> None:
        lines, products = self.lake.read(ORDER_LINES), self.lake.read(PRODUCTS)
        rows = customer_order_lines(lines, self.lake.read(CUSTOMER_ORDERS), products)
        is_lost = F.col("status").isNull()
        counted = rows.observe(self.lost_lines, F.count_if(is_lost).alias("rows"))
        self._replace(CUSTOMER_ORDER_LINES, counted.where(~is_lost))

    def timeline(self) -> None:
        orders, consents = self.lake.read(CUSTOMER_ORDERS), self.lake.read(CONSENTS)
        rows = timeline_rows(self.lake.read(EVENTS), orders, consents, self.owners, as_of=self.as_of)
        self._replace(TIMELINE, kept(rows.observe(self.fates, *fate_counts())))

    def consent(self) -> None:
        self._replace(EFFECTIVE_CONSENT, effective_consent(self.lake.read(CONSENTS), self.owners, as_of=self.as_of))

    def profiles(self) -> None:
        records, timeline = self.lake.read(CUSTOMER_RECORDS), self.lake.read(TIMELINE)
        signs = contact_signs(self.lake.read(EVENTS), self.lake.read(CONSENTS), as_of=self.as_of)
        config, seen = self.settings.profiles, self._seen(self.known_ids)
        self._replace(PROFILES, profiles(records, seen, signs, timeline, self.owners, config, as_of=self.as_of))

    def buyers(self) -> None:
        """What customers bought, which both the scores and the traits need: no table of its own."""
        self.bought = buying(self.lake.read(CUSTOMER_ORDERS), as_of=self.as_of).persist()
        self.limits = bounds(self.bought.where("orders > 0"))

    def traits(self) -> None:
        lake, as_of, config = self.lake, self.as_of, self.settings.traits
        parts = [
            self.bought,
            assortment(lake.read(CUSTOMER_ORDER_LINES)),
            behaviour(lake.read(TIMELINE), as_of=as_of),
            allowed(lake.read(EFFECTIVE_CONSENT)),
            *own_traits(lake, config, as_of=as_of),
        ]
        rows = traits(lake.read(PROFILES), parts, self.limits, config, as_of=as_of)
        rows = with_own_expressions(rows, config)
        # Spark may not share what two expressions have in common: one that fails would take the other along.
        with evaluating(lake.spark):
            self._replace(traits_table(config), rows)

    def unheard(self) -> None:
        self.notes += unheard_events(self.lake.read(TIMELINE), self.settings.traits)

    def history(self) -> None:
        """Keep the traits as those of the run's date: what an earlier run of it found is replaced, until a later date has run.

        What has come in since was not known then, and a model that learnt from it would know more than it will.
        """
        table = traits_table(self.settings.traits, TRAITS_HISTORY)
        if self.lake.exists(table) and not self.full_refresh:
            since = self.lake.read(table).where(F.col("as_of") >= day(self.as_of))
            found = since.agg(F.min("as_of").alias("first"), F.max("as_of").alias("last")).first()
            assert found is not None
            if found["first"] == self.as_of != found["last"]:
                kept = f"{table.name} keeps what was known on {self.as_of}, as {found['last']} has run; --full-refresh replaces it"
                self.notes.append(kept)
                return
        found_now = self.lake.read(traits_table(self.settings.traits))
        self.lake.replace(table, found_now, where=f"as_of = DATE'{self.as_of.isoformat()}'")

    def households(self) -> None:
        found = households(self.lake.read(PROFILES), self.settings.households, self.lake.read(HOUSEHOLDS))
        self._replace(HOUSEHOLDS, with_sums(found, self.lake.read(TRAITS), "household_id"))

    def accounts(self) -> None:
        found = accounts(self.lake.read(PROFILES), self.settings.profiles.accounts, self.lake.read(ACCOUNTS))
        self._replace(ACCOUNTS, with_sums(found, self.lake.read(TRAITS), "account_id"))

    def close(self) -> None:
        self.owners.unpersist()
        self.bought.unpersist()

    def _seen(self, identifiers: DataFrame) -> DataFrame:
        return seen_identifiers(identifiers, self.owners, self.audit, as_of=self.as_of)

    def _replace(self, table: Table, rows: DataFrame) -> None:
        self.rows[table.name] = self.lake.replace(table, rows)


def build_profiles(run: Run) -> StageResult:
    """Rebuild the gold tables of people as of the run's date; see docs/profiles.md."""
    settings = load_settings(run.config)
    check_traits(run, settings.traits)
    work = _Work(run, settings)
    before = {
        "orders": (work.orders, []),
        "identifiers": (work.identifiers, []),
        "timeline": (work.timeline, ["orders"]),
        "lines": (work.lines, ["orders"]),
        "buyers": (work.buyers, ["orders"]),
        "consent": (work.consent, []),
        "profiles": (work.profiles, ["timeline"]),
        "lookup": (work.lookup, ["identifiers"]),
        "counts": (work.counts, []),
        "unheard": (work.unheard, ["timeline"]),
    }
    run.lake.in_order(
        {
            **before,
            # Of a company's own expressions one may fail: while they are evaluated no other query runs.
            "traits": (work.traits, list(before)),
            "history": (work.history, ["traits"]),
            "households": (work.households, ["traits"]),
            "accounts": (work.accounts, ["traits"]),
        }
    )
    work.close()
    accounts = _accounts(work)
    people, homes = work.rows[PROFILES.name], work.rows[HOUSEHOLDS.name]
    return StageResult(
        rows_in=sum(a.rows_in for a in accounts),
        rows_out=sum(rows for table, rows in work.rows.items() if table.startswith("gold.")),
        accounts=accounts,
        notes=(f"{people:,} customers, {homes:,} households", *work.notes),
    )


def _accounts(work: _Work) -> tuple[Account, ...]:
    rows, fates = work.rows, work.fates.get
    skipped = {kind: sum(fates[f"{kind}_{fate}"] for fate in FATES if fate != "kept") for kind in KINDS}
    # What was counted before the write is held against what then lies in the table.
    events = rows[TIMELINE.name] - fates["order_kept"] - fates["consent_kept"]
    orders, lines = rows[CUSTOMER_ORDERS.name], rows[CUSTOMER_ORDER_LINES.name]
    return (
        Account("orders", rows[ORDERS.name], orders, rows_skipped=work.late_orders.get["rows"]),
        Account("order_lines", rows[ORDER_LINES.name], lines, rows_skipped=work.lost_lines.get["rows"]),
        Account("timeline: events", rows[EVENTS.name], events, rows_skipped=skipped["event"]),
        Account("timeline: orders", orders, fates["order_kept"], rows_skipped=skipped["order"]),
        Account("timeline: consents", rows[CONSENTS.name], fates["consent_kept"], rows_skipped=skipped["consent"]),
    )


def _reads(config: ConfigFolder) -> Sequence[Table]:
    return (CUSTOMER_RECORDS, IDENTIFIERS_TABLE, EVENTS, ORDERS, ORDER_LINES, PRODUCTS, CONSENTS, ASSIGNMENTS, AUDIT)


def _writes(config: ConfigFolder) -> Sequence[Table]:
    own = load_traits(config)
    return (
        PROFILES,
        CUSTOMER_IDENTIFIERS,
        LOOKUP_KEYS,
        CUSTOMER_ORDERS,
        CUSTOMER_ORDER_LINES,
        TIMELINE,
        traits_table(own),
        traits_table(own, TRAITS_HISTORY),
        HOUSEHOLDS,
        ACCOUNTS,
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
