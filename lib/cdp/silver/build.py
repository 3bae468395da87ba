"""The silver tables, made anew or brought up to date, from the candidates of some sources."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce

from pyspark.sql import DataFrame, Observation
from pyspark.sql import functions as F

from cdp.base.contracts import Table
from cdp.base.held import held
from cdp.base.stage import Run
from cdp.silver import activity, money
from cdp.silver.flows import IS_USABLE, Flow, affected, whole
from cdp.silver.identifiers import identifiers
from cdp.silver.keys import FIELDS
from cdp.silver.netting import families_of, family_of, netted
from cdp.silver.people import customer_records
from cdp.silver.scope import Mode, Scope
from cdp.silver.sessions import sessions, with_device
from cdp.silver.sources import CURRENT
from cdp.tables import silver

TABLES = {
    "customer_record": silver.CUSTOMER_RECORDS,
    "event": silver.EVENTS,
    "order": silver.ORDERS,
    "order_line": silver.ORDER_LINES,
    "product": silver.PRODUCTS,
    "consent": silver.CONSENTS,
    "campaign_cost": silver.CAMPAIGN_COSTS,
    "exchange_rate": silver.EXCHANGE_RATES,
}
_COUNTS = f"{IS_USABLE} AND _fate = '{CURRENT}'"
_ACTIVITY = ((silver.EVENTS, "occurred_at"), (silver.ORDERS, "ordered_at"), (silver.CONSENTS, "captured_at"))


@dataclass
class Build:
    """The tables of one run."""

    run: Run
    scopes: Mapping[str, Scope]
    flows: Mapping[str, Sequence[Flow]]
    """By kind of entity, of the sources that are looked at."""
    rates: money.Rates | None = None
    changed: dict[str, DataFrame] = field(default_factory=dict)
    """By kind, keys of the entities that new rows have to do with, of the other sources."""
    _made: dict[tuple[Mode, str], Observation] = field(default_factory=dict)
    _affected: dict[str, DataFrame] = field(default_factory=dict)
    _touched: dict[str, DataFrame] = field(default_factory=dict)

    def find_affected(self, kind: str) -> None:
        """Work out the candidates of sources of which only what new rows have to do with is looked at."""
        rows = affected(self._of(kind, "affected"), kind, self.scopes, self._country)
        if rows is None:
            return
        key = ["source", *FIELDS[kind]]
        self._affected[kind] = rows
        found = rows.where(IS_USABLE).select(*key).withColumnRenamed("_row_key", "record_key").distinct()
        self.changed[kind] = held(found)

    def join_orders_and_lines(self) -> None:
        """An order is that of its lines, and these have its currency: what changes one changes the other."""
        both = [self.changed[kind] for kind in ("order", "order_line") if kind in self.changed]
        if len(both) == 2:
            every = held(both[0].unionByName(both[1]).distinct())
            self.changed |= {"order": every, "order_line": every}

    def write(self, kind: str) -> None:
        """Write the table of a kind; that of lines after that of orders, of which it has the currency."""
        table = TABLES[kind]
        rows = whole(self._of(kind, "whole"), kind, self._country)
        if rows is not None:
            totals = self._line_totals_whole() if kind == "order" else None
            rows = self._counted(self._shaped(kind, rows, totals), "whole", kind)
        self.replace(table, netted(rows) if kind == "order" and rows is not None else rows)
        if kind in self._affected:
            self._bring_up_to_date(kind, table)

    def replace(self, table: Table, rows: DataFrame | None) -> None:
        """Put rows in place of those of the sources that are looked at whole."""
        lake, names = self.run.lake, self._named("whole")
        made = self.run.spark.createDataFrame([], table.schema) if rows is None else rows
        if len(names) == len(self.scopes) or not lake.exists(table):
            lake.replace(table, made)
        elif "source" not in table.key:
            # Of several sources together: all of them are looked at whole, or none.
            if rows is not None:
                lake.replace(table, made)
        elif names:
            listed = ", ".join(f"'{name}'" for name in names)
            lake.replace(table, made, where=f"source IN ({listed})")

    def identifiers(self) -> None:
        """Write `silver.identifiers`, of what the other tables hold by now."""
        lake = self.run.lake
        table, records = silver.IDENTIFIERS_TABLE, lake.read(silver.CUSTOMER_RECORDS)
        columns = ("source", "record_key", "identifiers")
        seen = [lake.read(t).select(*columns, F.col(at).alias("at")) for t, at in _ACTIVITY]
        names = self._named("whole")
        if names or not lake.exists(table):
            of_whole = F.col("source").isin(names)
            self.replace(table, identifiers(records.where(of_whole), [s.where(of_whole) for s in seen], self._country))
        owners = [rows.select("source", "record_key") for rows in self._touched.values()]
        owners += [self.changed["customer_record"]] if "customer_record" in self.changed else []
        if owners:
            slices = held(reduce(DataFrame.unionByName, owners).where("record_key is not null").distinct())
            on = ["source", "record_key"]
            of_them = [frame.join(slices, on=on, how="left_semi") for frame in (records, *seen)]
            lake.replace_slices(table, identifiers(of_them[0], of_them[1:], self._country), slices)

    def sessions(self) -> None:
        """Write `silver.sessions`, of what the table of events holds by now."""
        lake, minutes = self.run.lake, self.run.config.platform.session_idle_minutes
        events = lake.read(silver.EVENTS)
        names = self._named("whole")
        if names or not lake.exists(silver.SESSIONS):
            self.replace(silver.SESSIONS, sessions(events.where(F.col("source").isin(names)), idle_minutes=minutes))
        if silver.EVENTS.name in self._touched:
            touched = with_device(self._touched[silver.EVENTS.name])
            slices = held(touched.select("source", "device").where("device is not null").distinct())
            of_them = with_device(events).join(slices, on=["source", "device"], how="left_semi").drop("device")
            lake.replace_slices(silver.SESSIONS, sessions(of_them, idle_minutes=minutes), slices)

    def made(self, kind: str, source: str) -> int:
        """Rows made of a source, before they were written; products of several sources count for the newest."""
        return int(self._made[self.scopes[source].mode, kind].get[source])

    @property
    def _country(self) -> str | None:
        return self.run.config.platform.default_country

    def _named(self, mode: Mode) -> list[str]:
        """Names of the sources that are looked at in this way."""
        return [name for name, scope in self.scopes.items() if scope.mode == mode]

    def _counted(self, rows: DataFrame, mode: Mode, kind: str) -> DataFrame:
        """The rows, counted by source where they pass."""
        seen = self._made[mode, kind] = Observation()
        return rows.observe(seen, *[F.count_if(F.col("source") == name).alias(name) for name in self._named(mode)])

    def _of(self, kind: str, mode: Mode) -> list[Flow]:
        return [flow for flow in self.flows.get(kind, ()) if self.scopes[flow.source].mode == mode]

    def _bring_up_to_date(self, kind: str, table: Table) -> None:
        usable, changed = self._affected[kind].where(_COUNTS), self.changed[kind]
        lines = self._affected.get("order_line") if kind == "order" else None
        totals = activity.line_totals(lines.where(_COUNTS)) if lines is not None else None
        rows = self._counted(self._shaped(kind, usable, totals), "affected", kind)
        if kind == "order":
            rows, changed = self._netted(rows, changed)
        rows = rows.localCheckpoint()
        if kind in ("event", "order", "consent"):
            before = self.run.lake.read(table).join(changed, on=changed.columns, how="left_semi")
            columns = ["source", "record_key", *(["identifiers"] if table is silver.EVENTS else [])]
            self._touched[table.name] = before.select(*columns).unionByName(rows.select(*columns)).localCheckpoint()
        self.run.lake.replace_slices(table, rows, changed)

    def _netted(self, rows: DataFrame, changed: DataFrame) -> tuple[DataFrame, DataFrame]:
        """Orders with those that they are netted with, and the keys of all of them."""
        there = self.run.lake.read(silver.ORDERS)
        key = ["source", "order_id"]
        before, others = there.join(changed, on=key, how="left_semi"), there.join(changed, on=key, how="left_anti")
        families = families_of(before).unionByName(families_of(rows)).distinct()
        family = family_of().alias("_family")
        relatives = others.select("*", family).join(families, on=["source", "_family"], how="left_semi").drop("_family")
        relatives = relatives.localCheckpoint()
        made = netted(rows.unionByName(relatives.select(rows.columns)))
        return made, held(changed.unionByName(relatives.select(*key)))

    def _line_totals_whole(self) -> DataFrame | None:
        # The lines pass a second time, for the totals of orders: they are counted the other time.
        good = [flow.rows.where(IS_USABLE) for flow in self._of("order_line", "whole")]
        return activity.line_totals(reduce(DataFrame.unionByName, good)) if good else None

    def _shaped(self, kind: str, rows: DataFrame, totals: DataFrame | None) -> DataFrame:
        """The table's rows from usable candidates with their key."""
        if kind == "customer_record":
            newest = activity.newest(rows.withColumnRenamed("_row_key", "record_key"), *TABLES[kind].key)
            return customer_records(newest, default_country=self._country)
        if kind == "order_line":
            assert self.rates is not None
            return activity.order_lines(rows, self.run.lake.read(silver.ORDERS), self.rates)
        if kind == "product":
            return products(rows)
        if kind == "exchange_rate":
            return money.exchange_rates(rows)
        newest = activity.newest(rows, *TABLES[kind].key)
        if kind == "order":
            return activity.orders(newest, totals)
        if kind == "event":
            return activity.events(newest)
        return activity.consents(newest) if kind == "consent" else activity.campaign_costs(newest)


def products(rows: DataFrame) -> DataFrame:
    """`silver.products` from candidates: each field's newest value.

    Order lines name a product too, and some of them only half.
    """
    age = F.struct("_updated_at", "_file_modified_at", "_file", "_file_row", "_position")
    columns = [c.name for c in silver.PRODUCTS.columns if c.name not in silver.PRODUCTS.key]
    newest = [F.max_by(c, F.when(F.col(c).isNotNull(), age)).alias(c) for c in columns]
    return rows.groupBy(*silver.PRODUCTS.key).agg(*newest)
