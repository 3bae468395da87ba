"""An invented service: who looks at prices subscribes soon after; who has a monthly contract cancels."""

from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np

from tests.conftest import fill  # noqa: F401 - the one that knows a value for every type

AS_OF = date(2026, 1, 31)


def happened(customer: str, on: date, name: str, **more: Any) -> dict[str, Any]:
    """A row of gold.timeline at noon of a day."""
    return {
        "customer_id": customer,
        "occurred_at": datetime.combine(on, time(12)),
        "kind": "event",
        "reference": f"{customer}{on}{name}",
        "event": name,
        **more,
    }


def service(customers: int = 250, days: int = 200, seed: int = 5) -> list[dict[str, Any]]:
    """The timeline: everybody opens the app now and then; a look at prices is often followed by a subscription in two to
    five weeks, which otherwise hardly ever happens."""
    rng = np.random.default_rng(seed)
    rows: dict[str, dict[str, Any]] = {}

    def add(customer: str, day: int, name: str, **more: Any) -> None:
        if day < days:
            row = happened(customer, AS_OF - timedelta(days=days - 1 - day), name, **more)
            rows[row["reference"]] = row

    for number in range(customers):
        customer = f"person{number:04d}"
        for day in rng.integers(0, days, rng.poisson(3) + 1):
            add(customer, int(day), "App Opened")
        for day in rng.integers(0, days, rng.poisson(1.5)):
            add(customer, int(day), "Pricing Viewed")
            if rng.random() < 0.8:
                plan = "yearly" if rng.random() < 0.5 else "monthly"
                add(customer, int(day) + int(rng.integers(12, 40)), "Subscription Started", properties={"plan": plan})
    return list(rows.values())


def contracts(customers: int = 600, seed: int = 7) -> list[dict[str, Any]]:
    """Rows of gold.profiles: contracts by the month are cancelled more often, and `exit_survey` is known of leavers alone."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(customers):
        contract = "monthly" if rng.random() < 0.6 else "two years"
        has_left = rng.random() < (0.5 if contract == "monthly" else 0.05)
        charge = f"{rng.uniform(20, 120):.2f}"
        attributes = {"contract": contract, "charge": charge, "status": "cancelled" if has_left else "active"}
        if has_left:
            attributes["exit_survey"] = "done"
        rows.append(
            {
                "customer_id": f"person{number:04d}",
                "attributes": attributes,
                "country": "DE",
                "first_seen_at": datetime(2025, 1, 1) + timedelta(days=int(rng.integers(0, 300))),
                "last_seen_at": datetime(2026, 1, 15),
            }
        )
    return rows
