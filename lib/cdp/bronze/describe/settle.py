"""What words mean that mean what their neighbours let them mean: `name`, `title`."""

from dataclasses import replace

from cdp.bronze.describe.facts import ColumnFacts, Fact

_OF_PEOPLE = frozenset("given_name family_name email phone birth_date street address postal_code salutation".split())
_OF_PRODUCTS = frozenset("product_id unit_price category brand in_stock".split())


def settled(columns: list[ColumnFacts]) -> list[ColumnFacts]:
    """The columns, with `name` and `title` given a meaning; a name that may be a person's counts as one."""
    meanings = {f.meaning for c in columns for f in (c.own, *c.within)}
    return [replace(c, own=_settled(c.own, meanings)) for c in columns]


def _settled(fact: Fact, meanings: set[str | None]) -> Fact:
    if fact.meaning == "title":
        is_product = bool(meanings & _OF_PRODUCTS) and "product_name" not in meanings
        return replace(fact, meaning="product_name" if is_product else "salutation")
    if fact.meaning != "any_name":
        return fact
    if meanings & {"event", "event_id", "campaign"} and not meanings & {"given_name", "birth_date"}:
        return replace(fact, meaning=None)
    if "given_name" in meanings and "family_name" not in meanings:
        return replace(fact, meaning="family_name", is_personal=True)
    if meanings & {"family_name"} and "given_name" not in meanings:
        return replace(fact, meaning="given_name", is_personal=True)  # nombre, nome: a name, and the given one
    if meanings & _OF_PRODUCTS and not meanings & _OF_PEOPLE:
        return replace(fact, meaning="product_name")
    taken = "full_name" in meanings or "given_name" in meanings
    return replace(fact, meaning=None if taken else "full_name", is_personal=True)
