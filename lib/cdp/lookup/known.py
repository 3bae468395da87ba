"""What rules ask of one person, read without Spark."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import cache
from typing import Any

from cdp.base.contracts import Table
from cdp.lookup.read import Row, Tables, has, is_one_of
from cdp.segments.attributes import Attribute
from cdp.segments.config import SegmentCondition
from cdp.segments.lists import CUSTOMER, ListCondition
from cdp.segments.members import Needs
from cdp.segments.person import Known
from cdp.segments.sequence import SequenceCondition
from cdp.tables.gold import (
    CUSTOMER_IDENTIFIERS,
    CUSTOMER_ORDER_LINES,
    EFFECTIVE_CONSENT,
    HOUSEHOLDS,
    LOOKUP_KEYS,
    PREDICTIONS,
    PROFILES,
    PROPENSITIES,
    SEGMENT_HISTORY,
    SEGMENT_MEMBERS,
    TIMELINE,
    TRAITS,
)

_TABLES: Mapping[str, Table] = {
    "profile": PROFILES,
    "traits": TRAITS,
    "predictions": PREDICTIONS,
    "propensities": PROPENSITIES,
    "consent": EFFECTIVE_CONSENT,
    "household": HOUSEHOLDS,
    "behavior_timeline": TIMELINE,
    "order_lines": CUSTOMER_ORDER_LINES,
    "identifiers": CUSTOMER_IDENTIFIERS,
    "members": SEGMENT_MEMBERS,
}
_ALWAYS = {
    "profile": ("is_anonymous",),
    "predictions": ("horizon_days",),
    "propensities": ("model",),
    "consent": ("purpose", "is_allowed"),
    "household": ("household_id", "size"),
    "identifiers": ("id_type", "id_value"),
}
"""Columns that are read whatever is asked; of tables that are not here and that no attribute is of, all are."""


def known_of(
    tables: Tables, customer_id: str, needs: Needs, *, as_of: date, default_country: str | None
) -> tuple[Known, Mapping[str, Row]]:
    """What the rules ask of the person, and the rows of `gold.segment_members`. A table that is not there knows nothing.

    Args:
        tables: of the lake.
        customer_id: who.
        needs: what the rules ask.
        as_of: the date as of which they are judged.
        default_country: country of phone numbers of lists without a country code.
    """
    is_it = is_one_of("customer_id", [customer_id])
    # Not clustered by customer: all of it is read.
    where = {"household": has("customer_ids", customer_id)}
    with ThreadPoolExecutor(max_workers=4) as pool:
        reads = {
            source: pool.submit(tables.rows, _TABLES[source], where.get(source, is_it), columns=_columns(source, needs))
            for source in sorted(_sources(needs))
        }
        past = pool.submit(_past, tables, customer_id, needs, as_of)
        rows = {source: read.result() for source, read in reads.items()}
        former, were = past.result()
    members = {row["segment"]: row for row in rows["members"]}
    identifiers: dict[str, list[str]] = {CUSTOMER: [customer_id, *former]}
    for row in rows.get("identifiers", []):
        identifiers.setdefault(row["id_type"], []).append(row["id_value"])

    def value(attribute: Attribute) -> Any:
        return _value(attribute, rows[attribute.source])

    def on_list(condition: ListCondition) -> str | None:
        from cdp.segments.named import named_as  # what reads addresses and numbers takes a while to import

        return named_as(condition, identifiers, default_country)

    is_anonymous = bool(rows["profile"] and rows["profile"][0]["is_anonymous"])
    person = Known(
        is_anonymous=is_anonymous,
        value=value,
        timeline=rows.get("behavior_timeline", []),
        stored=members.__contains__,
        customer_id=customer_id,
        order_lines=rows.get("order_lines", []),
        was_in=were.__contains__,
        on_list=cache(on_list),
    )
    return person, members


def _sources(needs: Needs) -> set[str]:
    found = {"profile", "members", *(a.source for a in needs.attributes)}
    found |= {"behavior_timeline"} if needs.behaviors else set()
    for fact in needs.facts.values():
        if isinstance(fact, SequenceCondition):
            found |= {step.source for step in fact.steps}
        elif isinstance(fact, ListCondition):
            found.add("identifiers")
    return found


def _columns(source: str, needs: Needs) -> tuple[str, ...]:
    asked = {a.score[1] if a.score else a.name for a in needs.attributes if a.source == source and source != "consent"}
    return tuple(sorted({*_ALWAYS.get(source, ()), *asked}))


def _past(tables: Tables, customer_id: str, needs: Needs, as_of: date) -> tuple[list[str], set[str]]:
    """Ids that the person had before, where somebody asks; and which segments the person was in before the date."""
    facts = needs.facts.values()
    segments = sorted({fact.segment for fact in facts if isinstance(fact, SegmentCondition)})
    if not segments and not any(isinstance(fact, ListCondition) and fact.identifier == CUSTOMER for fact in facts):
        return [], set()
    former = _former_ids(tables, customer_id)
    where = f"{is_one_of('segment', segments)} AND {is_one_of('customer_id', [customer_id, *former])}"
    rows = tables.rows(SEGMENT_HISTORY, where, columns=("segment", "entered_on")) if segments else []
    return former, {row["segment"] for row in rows if row["entered_on"] < as_of}


def _former_ids(tables: Tables, customer_id: str) -> list[str]:
    """As `cdp.segments.past.former_ids`. The index is not clustered by customer: all of it is read."""
    where = f"{is_one_of('kind', [CUSTOMER])} AND {is_one_of('customer_id', [customer_id])}"
    had: Iterable[str] = {row["value"] for row in tables.rows(LOOKUP_KEYS, where, columns=("value",))}
    there = tables.rows(PROFILES, is_one_of("customer_id", sorted(had)), columns=("customer_id",)) if had else []
    return sorted(set(had) - {row["customer_id"] for row in there})


def _value(attribute: Attribute, rows: list[Row]) -> Any:
    """The value of an attribute, as `cdp.segments.frame` finds it."""
    if attribute.source == "consent":
        return any(row["purpose"] == attribute.name and row["is_allowed"] for row in rows)
    if attribute.score:
        model, score = attribute.score
        return next((row[score] for row in rows if row["model"] == model), None)
    if attribute.source == "household":
        row = max(rows, key=lambda home: (home["size"], home["household_id"]), default=None)
    else:
        row = next(
            (r for r in rows if attribute.horizon_days is None or r["horizon_days"] == attribute.horizon_days), None
        )
    found = row.get(attribute.name) if row else None
    return (found or {}).get(attribute.key) if attribute.key else found
