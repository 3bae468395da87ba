"""conf/models.yaml, `recommendations`: what may be offered, and to whom."""

from decimal import Decimal

from pydantic import Field, model_validator

from cdp.base.settings import Strict


class RecommendationsConfig(Strict):
    """Which products are recommended to whom. `recommendations: false` in place of the section switches them off."""

    enabled: bool = True
    """Whether products are recommended."""
    max: int = Field(default=5, ge=1, le=5)
    """Products for a customer, at most."""
    sellable_days: int = Field(default=90, ge=1)
    """A product that nobody bought for so many days is not recommended."""
    outcome_days: int = Field(default=90, ge=1, le=365)
    """Products are ranked by the probability that the customer buys them within so many days."""
    exclude_bought_within_days: int = Field(default=0, ge=0)
    """What the customer bought in the last so many days is not recommended; 0: it may be."""
    min_price: Decimal | None = Field(default=None, ge=0)
    """Cheaper products are not recommended (list price, else the mean price they were sold at; reporting currency)."""
    max_price: Decimal | None = Field(default=None, ge=0)
    """Dearer products are not recommended."""
    max_per_category: int | None = Field(default=None, ge=1)
    """Products of one category for a customer, at most; null: any number."""
    exclude_products: tuple[str, ...] = ()
    """Product ids that are never recommended."""
    exclude_categories: tuple[str, ...] = ()
    """Categories of which nothing is recommended."""
    in_stock_only: bool = True
    """Whether products that the catalogue says are out of stock are left out; one of which it says nothing is not."""
    require_consent: str | None = Field(default=None, min_length=1)
    """Purpose that a person must allow to be offered anything, e.g. email_marketing; null: none."""
    ease_max_products: int = Field(default=5_000, ge=0, le=20_000)
    """Up to so many products what goes together is found by EASE (memory of the driver: 24 bytes by product squared), with more by BM25."""
    max_customers: int = Field(default=100_000, ge=1_000)
    """Customers whose purchases come to the driver to learn from, at most, chosen by a hash of their id."""

    @model_validator(mode="after")
    def _prices_in_order(self) -> "RecommendationsConfig":
        if self.min_price is not None and self.max_price is not None and self.min_price > self.max_price:
            raise ValueError(f"min_price must not be above max_price, found {self.min_price} and {self.max_price}")
        return self
