"""The golden record once more, in plain Python: one customer at a time, slow and obvious."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from cdp.gold.config import GROUPS, LISTS, ProfilesConfig, Strategy

Record = dict[str, Any]
LONG_AGO = datetime(1, 1, 1)
REACHED = {"email": ("Email Delivered", "Email Opened", "Email Link Clicked"), "phone": ("SMS Delivered",)}
ENGAGED = {"email": ("Email Opened", "Email Link Clicked"), "phone": ()}
FAILED = {"email": "Email Bounced", "phone": "SMS Rejected"}
PURPOSE = {"email": "email_marketing", "phone": "sms_marketing"}


@dataclass
class Customer:
    """What is known of one: rows of silver by the end of the run's date, none of an identifier that identifies nobody."""

    records: list[Record] = field(default_factory=list)
    identifiers: list[Record] = field(default_factory=list)
    events: list[Record] = field(default_factory=list)
    consents: list[Record] = field(default_factory=list)


@dataclass(frozen=True)
class Choice:
    """A value that may win, and where it comes from."""

    value: Any
    source: str
    record_key: str
    at: datetime

    @property
    def origin(self) -> tuple[str, str, datetime]:
        return self.source, self.record_key, self.at


def golden(customer: Customer, config: ProfilesConfig, end: datetime) -> Record:
    """The golden columns of `gold.profiles`, and for `provenance` and `runners_up` plain tuples."""
    made: Record = {"attributes": {}}
    origins: dict[str, Any] = {}
    others: dict[str, Any] = {}
    for group, columns in GROUPS.items():
        ranked = _of_group(customer.records, columns, config.strategy(group))
        best = ranked[0] if ranked else None
        for i, column in enumerate(columns):
            made[column] = best.value[i] if best else None
            if best and best.value[i] is not None:
                origins[column] = (*best.origin, config.strategy(group).strategy)
        if len(ranked) > 1:
            others[group] = [
                ({c: str(v) for c, v in zip(columns, o.value, strict=True) if v is not None}, *o.origin) for o in ranked[1:11]
            ]
    if made["full_name"] is None:
        made["full_name"] = " ".join(n for n in (made["given_name"], made["family_name"]) if n) or None
    for kind, name in LISTS.items():
        strategy = config.strategy(kind)
        ranked = _of_contacts(customer, kind, strategy, end)
        made[kind] = ranked[0].value if ranked else None
        made[name] = [c.value for c in ranked][: strategy.limit]
        if ranked:
            origins[kind] = (*ranked[0].origin, strategy.strategy)
        if len(ranked) > 1:
            others[kind] = [({kind: o.value}, *o.origin) for o in ranked[1:11]]
    for key in sorted({k for r in customer.records for k in r["attributes"] or {}}):
        name = f"attributes.{key}"
        strategy = config.strategy(name)
        ranked = _of_attribute(customer.records, key, strategy)
        if not ranked:
            continue
        chosen = 1 if strategy.strategy != "union" else strategy.limit or len(ranked)
        made["attributes"][key] = (strategy.separator or ", ").join(c.value for c in ranked[:chosen])
        origins[name] = (*ranked[0].origin, strategy.strategy)
        if ranked[chosen : chosen + 10]:
            others[name] = [({name: o.value}, *o.origin) for o in ranked[chosen : chosen + 10]]
    return {**made, "provenance": origins, "runners_up": others}


def _of_group(records: Sequence[Record], columns: tuple[str, ...], strategy: Strategy) -> list[Choice]:
    found = []
    for r in records:
        value = tuple(None if isinstance(r[c], str) and not r[c].strip() else r[c] for c in columns)
        if any(v is not None for v in value):
            found.append(Choice(value, r["source"], r["record_key"], r["updated_at"]))

    def whole(choice: Choice) -> int:
        there = {c for c, v in zip(columns, choice.value, strict=True) if v is not None}
        worth = (("given_name",), 1), (("family_name",), 1), (("street",), 2), (("postal_code", "city"), 1)
        return sum(weight for names, weight in worth if there & set(names))

    def filled(value: tuple[Any, ...]) -> int:
        return len(str(value[0]).strip(" ")) if len(columns) == 1 else sum(v is not None for v in value)

    return _ranked(found, strategy, whole, filled)


def _of_attribute(records: Sequence[Record], key: str, strategy: Strategy) -> list[Choice]:
    found = [
        Choice(r["attributes"][key], r["source"], r["record_key"], r["updated_at"])
        for r in records
        if r["attributes"] and (r["attributes"].get(key) or "").strip()
    ]
    return _ranked(found, strategy, lambda choice: 0, lambda value: len(value.strip(" ")))


def _of_contacts(customer: Customer, kind: str, strategy: Strategy, end: datetime) -> list[Choice]:
    of_kind = [i for i in customer.identifiers if i["id_type"] == kind]
    ranked = []
    for value in {i["id_value"] for i in of_kind}:
        carriers = [i for i in of_kind if i["id_value"] == value]
        theirs = {(c["source"], c["record_key"]) for c in carriers}
        signs = _signs(customer, kind, value, theirs, end)

        def best(carrier: Record, held: int = len(carriers)) -> tuple[Any, ...]:
            at = carrier["last_seen_at"] if carrier["last_seen_at"] < end else carrier["first_seen_at"]
            own = next((r for r in customer.records if _key(r) == _key(carrier)), None)
            is_first = own is not None and own[LISTS[kind]][:1] == [carrier["id_value"]]
            score = _score(strategy, carrier["source"], at, held=held)
            return carrier["record_type"] == "customer_record", score, at, is_first, *_key(carrier)

        of = max(best(c) for c in carriers)
        lead = signs if strategy.strategy == "best" else signs[:1]
        ranked.append(((*lead, of), Choice(value, of[4], of[5], of[2])))
    return [choice for _, choice in sorted(ranked, key=lambda r: (r[0], r[1].value), reverse=True)]


def _signs(customer: Customer, kind: str, value: str, records: set[tuple[str, str]], end: datetime) -> tuple[Any, ...]:
    """Whether it can be reached; 1, 0 or -1 for what was said of being written to; when somebody last cared."""
    events = [e for e in customer.events if _key(e) in records and e["occurred_at"] < end]
    hard = [
        e["occurred_at"]
        for e in events
        if e["event"] == FAILED[kind]
        and not re.search("soft|temporary|transient|block|delay", ((e["properties"] or {}).get("bounce_type") or "").lower())
    ]
    reached = [e["occurred_at"] for e in events if e["event"] in REACHED[kind]]
    is_disposable = any(
        "disposable" in (flags or "")
        for r in customer.records
        for address, flags in zip(r["emails"], r["email_flags"] or [], strict=False)
        if kind == "email" and address == value
    )
    is_failed = bool(hard) and max(hard) > max(reached, default=LONG_AGO)
    said = [
        (c["captured_at"], c["status"] != "granted", c["expires_at"] is not None and c["expires_at"] < end)
        for c in customer.consents
        if _key(c) in records and c["purpose"] == PURPOSE[kind] and c["captured_at"] < end
    ]
    _, is_against, has_ended = max(said, default=(None, False, True))
    permission = -1 if is_against else 0 if has_ended else 1
    engaged = max((e["occurred_at"] for e in events if e["event"] in ENGAGED[kind]), default=LONG_AGO)
    return not is_failed and not is_disposable, permission, engaged


def _ranked(found: list[Choice], strategy: Strategy, whole: Any, filled: Any) -> list[Choice]:
    """Each value once, the best first."""

    def key(choice: Choice) -> tuple[Any, ...]:
        held = sum(o.value == choice.value for o in found)
        smaller = sum(_is_less(o.value, choice.value, [f.value for f in found]) for o in found)
        score = _score(strategy, choice.source, choice.at, held=held, filled=filled(choice.value), smaller=smaller)
        parts = choice.value if isinstance(choice.value, tuple) else (choice.value,)
        # Nothing comes before anything.
        return whole(choice), score, choice.at, choice.source, choice.record_key, [(v is not None, str(v)) for v in parts]

    kept: dict[Any, Choice] = {}
    for choice in sorted(found, key=key, reverse=True):
        kept.setdefault(choice.value, choice)
    return list(kept.values())


def _score(strategy: Strategy, source: str, at: datetime, *, held: int, filled: int = 0, smaller: int = 0) -> Any:
    if strategy.strategy == "source_priority":
        return -(strategy.sources.index(source) if source in strategy.sources else len(strategy.sources))
    if strategy.strategy == "oldest":
        return LONG_AGO - at
    by_name = {"most_frequent": held, "most_complete": filled, "max": smaller, "min": -smaller}
    return by_name.get(strategy.strategy, at - LONG_AGO)


def _is_less(one: Any, other: Any, all_values: Iterable[Any]) -> bool:
    if isinstance(one, tuple):
        # A group; only of one column the least is asked for.
        return len(one) == 1 and one[0] < other[0]
    numbers = [_number(v) for v in all_values]
    if None in numbers:
        return bool(one < other)
    return bool(_number(one) < _number(other))  # type: ignore[operator]


def _number(text: str) -> Decimal | None:
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text.strip()):
        return None
    return Decimal(text.strip()).quantize(Decimal("1e-10"), rounding=ROUND_HALF_UP)


def _key(row: Record) -> tuple[str, str]:
    return row["source"], row["record_key"]
