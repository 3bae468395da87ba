"""Columns of any kind as numbers: what a learner takes, without looking at the outcome."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

MOST_LEVELS = 20
"""Values of a text that have a column of their own; the others share one."""
LEAST_OF_LEVEL = 20
"""Rows that a value needs for it, so that no model holds what one person alone has."""

_ARE_NUMBERS = 0.95
"""Share of texts that must read as numbers for the column to be one."""
_RARE = 0.005


class Encoder:
    """Numbers as they are, and whether they are missing where that varies; texts by their frequent values.

    Columns that say nothing are left out: those without a value, with one value for all, and texts of which hardly any value
    is frequent.
    """

    def __init__(self) -> None:
        self.numbers: list[str] = []
        self.marked: list[str] = []
        self.levels: dict[str, list[str]] = {}

    def fit(self, table: pd.DataFrame, ignored: Sequence[str] = ()) -> "Encoder":
        """Learn the columns of a table, in their order.

        Args:
            table: numbers and texts; missing values are null.
            ignored: columns to leave out.
        """
        for name in (str(column) for column in table if str(column) not in set(ignored)):
            numbers = as_numbers(table[name])
            if numbers is not None:
                known = numbers.notna()
                if numbers.nunique() > 1:
                    self.numbers.append(name)
                if _RARE < known.mean() < 1 - _RARE:
                    self.marked.append(name)
                continue
            counts = table[name].dropna().astype(str).value_counts()
            frequent = counts[counts >= min(LEAST_OF_LEVEL, max(len(table) // 10, 2))]
            levels = sorted(frequent.index, key=lambda level: (-frequent[level], level))[:MOST_LEVELS]
            if levels and (len(levels) > 1 or frequent.sum() < len(table)):
                self.levels[name] = levels
        return self

    @property
    def features(self) -> list[str]:
        """The columns of the table that are used, each once."""
        return [*dict.fromkeys([*self.numbers, *self.marked]), *self.levels]

    def sources(self) -> np.ndarray:
        """For each column of `transform` its place in `features`."""
        place = {name: i for i, name in enumerate(self.features)}
        columns = [*self.numbers, *self.marked]
        columns += [name for name, levels in self.levels.items() for _ in range(len(levels) + 1)]
        return np.array([place[name] for name in columns], dtype=int)

    def transform(self, table: pd.DataFrame) -> pd.DataFrame:
        """The table as numbers; a column that it lacks is missing in every row."""
        found: dict[str, np.ndarray] = {}
        known = {name: self._numbers(table, name) for name in {*self.numbers, *self.marked}}
        for name in self.numbers:
            found[name] = known[name]
        for name in self.marked:
            found[f"{name} is known"] = (~np.isnan(known[name])).astype(float)
        for name, levels in self.levels.items():
            texts = self.texts(table, name)
            for level in levels:
                found[f"{name} = {level}"] = (texts == level).astype(float)
            found[f"{name} is another"] = (~np.isin(texts, levels) & (texts != "")).astype(float)
        return pd.DataFrame(found, index=table.index)

    def texts(self, table: pd.DataFrame, name: str) -> np.ndarray:
        """A column as texts, empty where it is missing."""
        if name not in table:
            return np.full(len(table), "", dtype=object)
        return np.asarray(table[name].astype(object).where(table[name].notna(), "").astype(str), dtype=object)

    def label(self, table: pd.DataFrame, name: str) -> np.ndarray:
        """How a feature is called in the reasons of each row; of a text only frequent values are shown."""
        if name not in self.levels:
            return np.full(len(table), name, dtype=object)
        texts = self.texts(table, name)
        shown = np.where(np.isin(texts, self.levels[name]), texts, np.where(texts == "", "missing", "another"))
        return np.asarray([f"{name} = {text}" for text in shown], dtype=object)

    def values(self, table: pd.DataFrame, name: str) -> np.ndarray:
        """A feature's value in each row, where it is a number."""
        return np.full(len(table), np.nan) if name in self.levels else self._numbers(table, name)

    def _numbers(self, table: pd.DataFrame, name: str) -> np.ndarray:
        if name not in table:
            return np.full(len(table), np.nan)
        return _finite(table[name]).to_numpy(dtype=float)


def as_numbers(column: pd.Series) -> pd.Series | None:
    """The column as numbers; None where it is one of texts. One without any value is one of numbers."""
    found = _finite(column)
    known = int(column.notna().sum())
    return found if known == 0 or int(found.notna().sum()) >= _ARE_NUMBERS * known else None


def _finite(column: pd.Series) -> pd.Series:
    return pd.to_numeric(column, errors="coerce").astype(float).replace([np.inf, -np.inf], np.nan)
