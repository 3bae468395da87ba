"""Recommendations of a batch, as the executors make them."""

from datetime import date

import pyarrow as pa
import pytest

from cdp.models.products.batches import Recommender, histories_of, offered
from cdp.models.products.ranking import ByRule
from cdp.tables.gold import RECOMMENDATIONS
from tests.models.products.conftest import DAY, known
from tests.models.products.test_sources import shop


def batch(*rows: tuple[str, list[int], list[int], str | None, bool]) -> pa.RecordBatch:
    customer, products, ago, country, refuses = zip(*rows, strict=True) if rows else ([], [], [], [], [])
    return pa.RecordBatch.from_pydict(
        {
            "customer_id": pa.array(customer, pa.string()),
            "products": pa.array(products, pa.list_(pa.int32())),
            "days": pa.array([[DAY - n for n in days] for days in ago], pa.list_(pa.int32())),
            "country": pa.array(country, pa.string()),
            "refuses": pa.array(refuses, pa.bool_()),
        }
    )


@pytest.fixture(scope="module")
def recommender() -> Recommender:
    histories, products = shop()
    return Recommender(
        knowledge=known(histories, products),
        ranking=ByRule(),
        places=("FR", "DE"),
        most=3,
        max_per_category=None,
        exclude_days=0,
        model_version="m",
        as_of=date(2026, 1, 31),
    )


def told(recommender: Recommender, *batches: pa.RecordBatch) -> list[tuple[object, ...]]:
    rows = [row for found in offered(iter(batches), recommender=recommender) for row in found.to_pylist()]
    names = ("customer_id", "rank", "product_id", "reason", "because_of", "reason_detail")
    return [tuple(row[name] for name in names) for row in rows]


def test_people_with_and_without_a_history_stand_side_by_side(recommender):
    rows = (("ann", [], [], "FR", False), ("bob", [0, 0], [30, 3], "FR", False), ("cat", [0], [3], "FR", True))
    found = told(recommender, batch(*rows))
    assert [row for row in found if row[0] == "bob"] == [
        ("bob", 1, "p0", "buy_again", None, None),
        ("bob", 2, "p1", "bought_together", "p0", None),
        ("bob", 3, "p2", "similar", "p0", None),
    ]
    for who, why in (("ann", "no_history"), ("cat", "no_profiling")):
        assert [row for row in found if row[0] == who] == [
            (who, n, product, "best_seller", None, why) for n, product in ((1, "p0"), (2, "p1"), (3, "p4"))
        ]
    assert len(found) == 9


def test_the_country_is_told_where_it_is_the_reason(recommender):
    # Without categories and links there is nothing but the country: p4 has neither.
    found = told(recommender, batch(("ann", [4], [3], "FR", False)))
    assert ("ann", 1, "p3", "popular_with_you", None, "FR") in found
    abroad = told(recommender, batch(("ann", [4], [3], "XX", False)))
    assert {row[3] for row in abroad} == {"best_seller"} and {row[5] for row in abroad} == {None}


def test_columns_are_those_of_the_table_and_an_empty_batch_has_no_row(recommender):
    found = list(offered(iter([batch()]), recommender=recommender))
    assert sum(part.num_rows for part in found) == 0
    for part in (*found, *offered(iter([batch(("ann", [0], [1], None, False))]), recommender=recommender)):
        assert part.schema.names == [column.name for column in RECOMMENDATIONS.columns]
        kinds = {
            "string": pa.string(),
            "int": pa.int32(),
            "double": pa.float64(),
            "boolean": pa.bool_(),
            "date": pa.date32(),
        }
        assert part.schema.types == [kinds[column.type] for column in RECOMMENDATIONS.columns]


def test_arrow_tables_of_several_chunks_and_none_are_read_as_well():
    rows = ("ann", [1, 0], [3, 9], "DE", False), ("bob", [2], [1], None, False)
    table = pa.Table.from_batches([batch(row) for row in rows])
    found = histories_of(table, ("DE",))
    assert (found.customer.tolist(), found.product.tolist(), found.day.tolist()) == (
        [0, 0, 1],
        [0, 1, 2],
        [DAY - 9, DAY - 3, DAY - 1],
    )
    assert found.place.tolist() == [0, -1]
    assert histories_of(table.slice(0, 0), ()).size == 0
    # A slice of a table has arrays that begin somewhere in the middle.
    assert histories_of(table.combine_chunks().slice(1), ("DE",)).product.tolist() == [2]
