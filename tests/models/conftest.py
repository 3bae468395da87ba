"""Tiny gold tables, and an invented shop whose customers come back by BG/NBD."""

import os
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession

import cdp
from cdp.base.contracts import Table

# Spark's Python workers score with the library's own classes; spark-submit.sh tells them where it is, pytest does not.
_LIBRARY = str(Path(cdp.__file__).parents[1])
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [_LIBRARY, os.environ.get("PYTHONPATH")]))

Fill = Callable[..., DataFrame]
AS_OF = date(2026, 1, 31)

_REQUIRED = {"string": "-", "int": 0, "decimal(18,2)": Decimal(0), "decimal(18,3)": Decimal(1)}


@pytest.fixture(scope="session")
def fill(spark: SparkSession) -> Fill:
    """`fill(TABLE, {...}, {...})`: rows of a table; a column not named is null, or some value where null is refused."""

    def make(table: Table, *rows: dict[str, Any]) -> DataFrame:
        data = [
            tuple(row.get(c.name, None if c.nullable else _REQUIRED.get(c.type)) for c in table.columns) for row in rows
        ]
        return spark.createDataFrame(data, table.schema)

    return make


def order(customer: str | None, on: date, amount: str = "10.00", **more: Any) -> dict[str, Any]:
    """A row of gold.orders at noon of a day."""
    return {
        "order_id": f"{customer}-{on}-{amount}",
        "customer_id": customer,
        "ordered_on": on,
        "ordered_at": datetime.combine(on, datetime.min.time()) + timedelta(hours=12),
        "status": "completed",
        "amount": Decimal(amount),
        **more,
    }


def line(customer: str | None, on: date, product: str, **more: Any) -> dict[str, Any]:
    """A row of gold.order_lines at noon of a day."""
    return {
        "order_id": f"{customer}-{on}",
        "line_no": hash(product) % 1000,
        "customer_id": customer,
        "ordered_at": datetime.combine(on, datetime.min.time()) + timedelta(hours=12),
        "status": "completed",
        "product_id": product,
        **more,
    }


def event(customer: str, at: datetime, name: str, **more: Any) -> dict[str, Any]:
    """A row of gold.timeline."""
    return {
        "customer_id": customer,
        "occurred_at": at,
        "kind": "event",
        "reference": f"{at}{name}",
        "event": name,
        **more,
    }


def shop(customers: int, days: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """Orders of customers who come, come back and leave as BG/NBD says, over the days before `AS_OF`."""
    rng = np.random.default_rng(seed)
    for number in range(customers):
        gap, mean = 1 / rng.gamma(1.0, 1 / 40), rng.gamma(4, 10)
        day = float(rng.integers(0, days))
        while day < days:
            amount = f"{rng.gamma(6, mean / 6) + 1:.2f}"
            yield order(f"customer{number:04d}", AS_OF - timedelta(days=days - 1 - int(day)), amount)
            if rng.random() < 0.1:
                break
            day += rng.exponential(gap) + 1
