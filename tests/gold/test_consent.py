"""Effective consent against a slow and obvious version, on drawn statements that tie, end and contradict each other."""

import random
from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession

from cdp.gold.consent import effective_consent
from cdp.tables.gold import EFFECTIVE_CONSENT
from cdp.tables.silver import CONSENTS
from tests.conftest import Fill
from tests.gold.conftest import AS_OF, record

END = datetime(2026, 2, 1)


def obvious(statements: list[dict[str, Any]]) -> tuple[str, bool, int]:
    """Status, whether it is allowed, and how many statements there are, of one customer and purpose."""
    newest = max(s["captured_at"] for s in statements)
    last = [s for s in statements if s["captured_at"] == newest]
    said = {s["status"] for s in last}
    if "granted" in said and len(said) > 1:
        return "conflict", False, len(statements)
    if said == {"granted"}:
        has_ended = any(s["expires_at"] and s["expires_at"] < END for s in last)
        return ("expired" if has_ended else "granted"), not has_ended, len(statements)
    return ("withdrawn" if "withdrawn" in said else "denied"), False, len(statements)


def test_statements_are_weighed_as_a_slow_version_does(fill: Fill, owners: Callable[..., DataFrame]) -> None:
    draw = random.Random(7)
    instants = [datetime(2026, 1, 28) + timedelta(days=n) for n in range(6)]  # the last two are after the run's date
    ends = [None, None, datetime(2026, 1, 31, 23, 59), END, datetime(2026, 6, 1)]
    statements = [
        record(
            f"{draw.choice(['crm', 'shop'])}:r{draw.randrange(120)}",
            consent_id=str(n),
            purpose=draw.choice(["email_marketing", "profiling"]),
            status=draw.choice(["granted", "granted", "denied", "withdrawn"]),
            captured_at=draw.choice(instants),
            expires_at=draw.choice(ends),
        )
        for n in range(500)
    ]
    # Two records a customer; some records are nobody's.
    who = {f"{source}:r{n}": f"c{n // 2}" for source in ("crm", "shop") for n in range(110)}
    by_customer = defaultdict(list)
    for s in statements:
        customer = who.get(f"{s['source']}:{s['record_key']}")
        if customer and s["captured_at"] < END:
            by_customer[customer, s["purpose"]].append(s)
    expected = {key: obvious(group) for key, group in by_customer.items()}

    rows = effective_consent(fill(CONSENTS, *statements), owners(who), as_of=AS_OF).collect()

    actual = {(r["customer_id"], r["purpose"]): (r["status"], r["is_allowed"], r["statements"]) for r in rows}
    assert actual == expected
    assert {status for status, _, _ in expected.values()} == {"granted", "denied", "withdrawn", "expired", "conflict"}


def test_a_statement_speaks_for_its_own_record_and_for_nobody_who_shares_its_address(
    fill: Fill, owners: Callable[..., DataFrame], spark: SparkSession
) -> None:
    shared = {"identifiers": {"email": "family@x.uk"}, "purpose": "email_marketing"}
    granted = record(
        "crm:m", consent_id="1", status="granted", captured_at=datetime(2026, 1, 2), legal_basis="consent", **shared
    )
    rows = fill(
        CONSENTS, granted, record("crm:d", consent_id="2", status="denied", captured_at=datetime(2026, 1, 1), **shared)
    )

    actual = effective_consent(rows, owners({"crm:m": "mother", "crm:d": "daughter"}), as_of=date(2026, 1, 31))

    said = [
        ("mother", "email_marketing", "granted", True, datetime(2026, 1, 2), None, "crm", "consent", 1, AS_OF),
        ("daughter", "email_marketing", "denied", False, datetime(2026, 1, 1), None, "crm", None, 1, AS_OF),
    ]
    expected = spark.createDataFrame(said, EFFECTIVE_CONSENT.schema)
    assert_df_equality(actual, expected, ignore_row_order=True, ignore_nullable=True, ignore_metadata=True)
