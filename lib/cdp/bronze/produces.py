"""The canonical entities that the rows of a source hold, field by field."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator, Field

from cdp.base.settings import Strict
from cdp.bronze.yaml_values import as_text, as_tuple

Expression = Annotated[str, BeforeValidator(as_text), Field(min_length=1)]
"""A column's name or a Spark SQL expression over the source's columns."""


class Campaign(Strict):
    """A campaign, under Segment's names."""

    name: Expression | None = None
    source: Expression | None = None
    medium: Expression | None = None
    content: Expression | None = None
    term: Expression | None = None


class Entity(Strict):
    """What every canonical entity may say beside its fields."""

    where: Expression | None = None
    """Only rows for which this holds."""
    explode: str | None = None
    """An array column; a row of each of its elements, which takes the array's place."""
    key: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = ()
    """The entity's key where it is not the source's primary key."""


class CustomerRecord(Entity):
    """A source's record of a person."""

    full_name: Expression | None = None
    given_name: Expression | None = None
    middle_name: Expression | None = None
    family_name: Expression | None = None
    name_suffix: Expression | None = None
    native_name: Expression | None = None
    birth_date: Expression | None = None
    birth_year: Expression | None = None
    gender: Expression | None = None
    email: Expression | None = None
    emails: Expression | None = None
    phone: Expression | None = None
    phones: Expression | None = None
    address: Expression | None = None
    street: Expression | None = None
    street_2: Expression | None = None
    city: Expression | None = None
    region: Expression | None = None
    postal_code: Expression | None = None
    country: Expression | None = None
    language: Expression | None = None
    created_at: Expression | None = None
    identifiers: Mapping[str, Expression] = Field(default_factory=dict)
    attributes: Mapping[str, Expression] = Field(default_factory=dict)


class Identified(Entity):
    """An entity that says by identifiers whose it is; without any it belongs to the row's customer record."""

    identifiers: Mapping[str, Expression] = Field(default_factory=dict)


class Event(Identified):
    """Something somebody did."""

    event: Expression
    occurred_at: Expression
    event_id: Expression | None = None
    channel: Expression | None = None
    campaign: Campaign | None = None
    session_id: Expression | None = None
    properties: Mapping[str, Expression] = Field(default_factory=dict)


class Order(Identified):
    """An order, receipt, cancellation or return."""

    order_id: Expression
    ordered_at: Expression
    channel: Expression | None = None
    store_id: Expression | None = None
    status: Expression | None = None
    refers_to: Expression | None = None
    currency: Expression | None = None
    total: Expression | None = None
    refunded: Expression | None = None
    discount: Expression | None = None
    shipping: Expression | None = None
    tax: Expression | None = None
    coupon: Expression | None = None
    campaign: Campaign | None = None


class OrderLine(Entity):
    """A line of an order."""

    order_id: Expression
    product_id: Expression
    quantity: Expression
    line_no: Expression | None = None
    unit_price: Expression | None = None
    discount: Expression | None = None
    amount: Expression | None = None


class Product(Entity):
    """A product of the catalogue."""

    product_id: Expression
    name: Expression | None = None
    category: Expression | None = None
    brand: Expression | None = None
    price: Expression | None = None
    cost: Expression | None = None
    in_stock: Expression | None = None
    attributes: Mapping[str, Expression] = Field(default_factory=dict)


class Consent(Identified):
    """A consent or opt-out statement."""

    purpose: Expression
    status: Expression
    captured_at: Expression | None = None
    legal_basis: Expression | None = None
    jurisdiction: Expression | None = None
    proof: Expression | None = None
    expires_at: Expression | None = None


class CampaignCost(Entity):
    """Spend of a campaign on a day."""

    campaign: Expression
    day: Expression
    cost: Expression
    channel: Expression | None = None
    currency: Expression | None = None
    impressions: Expression | None = None
    clicks: Expression | None = None


class ExchangeRate(Entity):
    """What one unit of a currency is worth on a day."""

    currency: Expression
    day: Expression
    rate: Expression
    """Units of the reporting currency for one of `currency`."""


class Produces(Strict):
    """The canonical entities that a source's rows hold, each once or as a list."""

    customer_record: Annotated[tuple[CustomerRecord, ...], BeforeValidator(as_tuple)] = ()
    event: Annotated[tuple[Event, ...], BeforeValidator(as_tuple)] = ()
    order: Annotated[tuple[Order, ...], BeforeValidator(as_tuple)] = ()
    order_line: Annotated[tuple[OrderLine, ...], BeforeValidator(as_tuple)] = ()
    product: Annotated[tuple[Product, ...], BeforeValidator(as_tuple)] = ()
    consent: Annotated[tuple[Consent, ...], BeforeValidator(as_tuple)] = ()
    campaign_cost: Annotated[tuple[CampaignCost, ...], BeforeValidator(as_tuple)] = ()
    exchange_rate: Annotated[tuple[ExchangeRate, ...], BeforeValidator(as_tuple)] = ()
