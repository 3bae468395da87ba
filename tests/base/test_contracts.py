"""Contracts refuse to be declared wrongly, and say which columns are personal."""

import pytest

from cdp.base.contracts import Column, Table
from tests.base.declared import TABLES


def _table(**changes: object) -> Table:
    arguments = {
        "name": "gold.people",
        "grain": "one row per person",
        "key": ("id",),
        "columns": (Column("id", "string", "id"), Column("email", "string", "address", pii=True)),
    }
    return Table(**{**arguments, **changes})  # type: ignore[arg-type]


def test_a_key_must_be_a_column():
    with pytest.raises(ValueError, match="unknown columns \\['nobody'\\]"):
        _table(key=("nobody",))


def test_personal_columns_cannot_cluster_a_table():
    with pytest.raises(ValueError, match="personal columns \\['email'\\]"):
        _table(cluster_by=("email",))


def test_statistics_are_kept_of_times_and_clusters_and_never_of_personal_columns():
    more = (Column("n", "int", "n"), Column("at", "timestamp", "at"), Column("born", "date", "born", pii=True))
    table = _table(columns=(*_table().columns, *more), cluster_by=("id",))

    assert table.stats_columns == ("id", "at")


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_every_table_describes_its_columns_and_never_nulls_its_key(table: Table):
    assert all(c.description for c in table.columns)
    assert set(table.key) <= set(table.required_columns)
    assert {e.arguments["column"] for e in table.expect} <= {c.name for c in table.columns}


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_columns_that_name_contact_points_are_tagged_personal(table: Table):
    contact = {"email", "emails", "phone", "phones", "street", "full_name", "family_name", "birth_date", "id_value"}

    assert contact & {c.name for c in table.columns} <= set(table.pii_columns)
