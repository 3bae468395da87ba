"""What the report's sections are written from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from cdp.base.contracts import Table
from cdp.measure.config import MeasureConfig
from cdp.measure.kpis import ALL, Kpi
from cdp.measure.tallies import Tallies, Tally
from cdp.measure.words import Money


@dataclass(frozen=True)
class Facts:
    """Aggregates of one run.

    Attributes:
        tallies: by name.
        kpis: key figures.
        present: names of the tables that exist.
        config: settings.
        currency: of every amount.
        as_of: the run's date.
        run_id: the run.
    """

    tallies: Tallies
    kpis: Sequence[Kpi]
    present: frozenset[str]
    config: MeasureConfig
    currency: str
    as_of: date
    run_id: str

    @property
    def money(self) -> Money:
        return Money(self.currency)

    def kpi(self, name: str, dimension: str = ALL) -> float | None:
        """A key figure over all data; None where it is not known."""
        return self._totals.get((name, dimension))

    def dimensions(self, name: str, split: str) -> list[str]:
        """What a key figure is split by, in all data: the values of `split`."""
        found = [d for n, d in self._totals if n == name and d.startswith(f"{split}=")]
        return sorted(d.removeprefix(f"{split}=") for d in found)

    def lacks(self, tally: str, table: Table, stage: str) -> str | None:
        """Why there is nothing to show of a tally; None where there is something."""
        if self.tallies[tally]:
            return None
        if table.name not in self.present:
            return f"Not computed: this lake has no {table.name} yet. The job {stage} writes it."
        return f"Nothing to show: {table.name} has no rows."

    def sums(self, name: str, key: int) -> dict[str, list[float]]:
        """A tally summed up by one of its keys, in the order of the keys; missing values count as 0."""
        found: dict[str, list[float]] = {}
        for t in self.tallies[name]:
            values = [v or 0.0 for v in t.values]
            text = t.keys[key] or ""
            found[text] = [a + b for a, b in zip(found[text], values, strict=True)] if text in found else values
        return found

    def line(self, name: str, *keys: str | None) -> Tally | None:
        """The line of a tally with these keys."""
        return next((t for t in self.tallies[name] if t.keys == keys), None)

    @cached_property
    def _totals(self) -> dict[tuple[str, str], float | None]:
        return {(k.kpi, k.dimension): k.value for k in self.kpis if k.period == "total"}

    def months(self, last: int) -> list[str]:
        """The months from the first purchase to the run's date, at most the `last` ones, as their first days."""
        found = [t.keys[0] for t in self.tallies["orders"] if t.keys[0]]
        if not found:
            return []
        year, month = (int(part) for part in min(found)[:7].split("-"))
        all_months = []
        while (year, month) <= (self.as_of.year, self.as_of.month):
            all_months.append(f"{year:04d}-{month:02d}-01")
            year, month = (year + 1, 1) if month == 12 else (year, month + 1)
        return all_months[-last:]
