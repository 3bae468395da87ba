"""What the configuration lets be offered."""

import pyarrow as pa
import pytest

from cdp.models.products.catalogue import catalogue_of
from cdp.models.products.config import RecommendationsConfig

SOLD = pa.table(
    {
        "product_id": ["tea", "mug", "hat", "sofa", "pen"],
        "category": ["food", "home", "wear", "home", None],
        "brand": ["a", None, "b", "a", None],
        "price": [4.0, 9.0, 30.0, 800.0, None],
        "in_stock": [True, False, None, True, None],
    }
)


@pytest.mark.parametrize(
    ("rules", "offered"),
    [
        ({}, ["tea", "hat", "sofa", "pen"]),
        ({"in_stock_only": False}, ["tea", "mug", "hat", "sofa", "pen"]),
        ({"min_price": 5}, ["hat", "sofa"]),
        ({"max_price": 30}, ["tea", "hat"]),
        ({"exclude_products": ["tea"]}, ["hat", "sofa", "pen"]),
        ({"exclude_categories": ["home"]}, ["tea", "hat", "pen"]),
    ],
)
def test_a_rule_leaves_out_what_it_says(rules, offered):
    found, _ = catalogue_of(SOLD, RecommendationsConfig.model_validate(rules))
    assert [name for name, may in zip(found.ids, found.may_offer, strict=True) if may] == offered


def test_categories_and_brands_are_numbered_by_name():
    found, _ = catalogue_of(SOLD, RecommendationsConfig())
    assert found.categories == ("food", "home", "wear")
    assert found.category.tolist() == [0, 1, 2, 1, -1] and found.brand.tolist() == [0, -1, 1, 0, -1]


def test_a_rule_that_has_nothing_to_work_on_is_told():
    rules = {"min_price": 5, "exclude_products": ["tee", "tea"], "exclude_categories": ["toys"]}
    silent = SOLD.set_column(4, "in_stock", pa.array([None] * 5, pa.bool_()))
    _, notes = catalogue_of(silent, RecommendationsConfig.model_validate(rules))
    told = "\n".join(notes)
    assert "1 products without a price are not offered" in told
    assert "in_stock_only has no effect" in told
    assert "exclude_products names tee," in told and "exclude_categories names toys," in told
    assert catalogue_of(SOLD, RecommendationsConfig())[1] == []


def test_an_empty_catalogue_offers_nothing():
    found, notes = catalogue_of(SOLD.slice(0, 0), RecommendationsConfig())
    assert len(found) == 0 and not found.may_offer.any() and notes == []
