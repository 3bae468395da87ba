"""Sessions: what a device did without a long pause, whatever the order in which its events came."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame

from cdp.silver.sessions import session_events, sessions
from cdp.tables.silver import EVENTS, SESSIONS

Fill = Callable[..., DataFrame]
NOON = datetime(2026, 1, 10, 12)
NEWS = ("news", None, "email", None, None)
ADS = ("ads", None, "cpc", None, None)


def event(event_id: str, seconds: float = 0, name: str = "Page Viewed", device: str | None = "d1", **more: Any) -> dict[str, Any]:
    return {
        "source": "web",
        "event_id": event_id,
        "event": name,
        "occurred_at": NOON + timedelta(seconds=seconds),
        "channel": "web",
        "record_key": f"ids:{device}",
        "identifiers": {"anonymous_id": device} if device else None,
        **more,
    }


def cut(events: DataFrame, *columns: str, idle_minutes: int = 30) -> list[tuple[Any, ...]]:
    rows = sessions(events, idle_minutes=idle_minutes).orderBy("source", "device", "started_at", "session_id")
    return [tuple(row) for row in rows.select(*columns).collect()]


@pytest.mark.parametrize(("pause", "expected"), [(1800, [2]), (1800.000001, [1, 1]), (1801, [1, 1])])
def test_a_session_ends_after_more_than_half_an_hour_without_anything(fill: Fill, pause: float, expected: list[int]):
    found = cut(fill(EVENTS, event("a"), event("b", pause, "Product Added")), "events")

    assert [row[0] for row in found] == expected


def test_what_a_session_says(fill: Fill):
    login = {"identifiers": {"anonymous_id": "d1", "user_id": "u1"}, "record_key": "ids:u1"}
    events = fill(
        EVENTS,
        event("a", 0, "Cart Viewed"),
        event("b", 60, properties={"path": "/toys"}, campaign=NEWS),
        event("c", 120, properties={"path": "/ball"}, campaign=ADS),  # neither another campaign nor midnight ends it
        event("d", 180, "Signed In", **login),
        event("e", 240, "Order Completed", properties={"order_id": "o2"}),
        event("f", 240, "Order Completed", properties={"order_id": "o1"}),
        event("g", 301.7, "Screen Viewed", properties={"path": " "}),
    )
    columns = [c.name for c in SESSIONS.columns if c.name not in ("session_id", "campaign")]

    assert cut(events, *columns, "campaign.name") == [
        ("web", "d1", "ids:u1", NOON, NOON + timedelta(seconds=301.7), 301, 7, 3, "Cart Viewed", "/toys", "web", True, ["o1", "o2"], "news")
    ]


@pytest.mark.parametrize(
    ("more", "device"),
    [
        pytest.param({}, "d1", id="a device on the web"),
        pytest.param({"channel": "app"}, "d1", id="in the app"),
        pytest.param({"channel": None}, "d1", id="a tracker that names no channel"),
        pytest.param({"channel": "email"}, None, id="an e-mail that is opened"),
        pytest.param({"channel": "service", "identifiers": None}, None, id="a ticket"),
        pytest.param({"identifiers": {"user_id": "u"}}, "ids:d1", id="an account without a device"),
        pytest.param({"identifiers": {"anonymous_id": ""}}, "ids:d1", id="an empty device"),
        pytest.param({"identifiers": None, "channel": None}, None, id="a server that names neither"),
        pytest.param({"identifiers": None, "record_key": None}, None, id="nobody"),
    ],
)
def test_what_counts_and_for_which_device(fill: Fill, more: dict[str, Any], device: str | None):
    found = session_events(fill(EVENTS, event("a", **more))).collect()

    assert [row["device"] for row in found] == ([device] if device else [])


def test_the_sources_own_session_holds_in_place_of_pauses(fill: Fill):
    events = fill(
        EVENTS,
        event("a", 0, session_id="s1"),
        event("b", 9000, session_id="s1"),  # the source knows better
        event("c", 9001, session_id="s2"),
        event("d", 9002),
        event("e", 0, device="d2", session_id="s1"),  # GA4 counts them anew on each device
    )
    found = cut(events, "device", "session_id", "events")

    hashed = next(session_id for _, session_id, _ in found if len(session_id) == 64)
    assert found == [("d1", "s1", 2), ("d1", "s2", 1), ("d1", hashed, 1), ("d2", "s1", 1)]


def test_sessions_fit_their_table_and_shuffle_once(fill: Fill):
    found = sessions(fill(EVENTS, event("a")), idle_minutes=30)

    assert found._jdf.queryExecution().executedPlan().toString().count("Exchange") == 1
    assert found.dtypes == [(c.name, c.type) for c in SESSIONS.columns]



def slow_sessions(events: list[dict[str, Any]], idle: timedelta) -> list[tuple[Any, ...]]:
    """Walk through each device's events by time."""
    cuts: list[list[dict[str, Any]]] = []
    for row in sorted(events, key=lambda e: (e["source"], e["identifiers"]["anonymous_id"], e["occurred_at"], e["event_id"])):
        same = [s for s in cuts if all(s[-1][k] == row[k] for k in ("source", "identifiers", "session_id"))]
        goes_on = same and (row["session_id"] or row["occurred_at"] - same[-1][-1]["occurred_at"] <= idle)
        same[-1].append(row) if goes_on else cuts.append([row])
    return sorted(
        (
            s[0]["source"],
            s[0]["identifiers"]["anonymous_id"],
            s[0]["occurred_at"],
            s[-1]["occurred_at"],
            len(s),
            sum(e["event"] == "Page Viewed" for e in s),
            s[0]["event"],
            next((e["campaign"][0] for e in s if e["campaign"]), ""),
            s[-1]["record_key"],
            s[0]["session_id"] or "",
        )
        for s in cuts
    )


EVENTS_DRAWN = st.lists(
    st.tuples(
        st.sampled_from(["web", "app"]),
        st.sampled_from(["d1", "d2", "d3"]),
        st.sampled_from([0, 1, 1799, 1800, 1801, 3600, 3601, 5400, 7201, 86400]),
        st.sampled_from([None, None, None, "s1", "s2"]),
        st.sampled_from([None, NEWS, ADS]),
        st.sampled_from(["Page Viewed", "Product Added"]),
    ),
    min_size=100,
    max_size=300,
)


@settings(
    max_examples=3,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate),
)
@given(drawn=EVENTS_DRAWN, idle=st.sampled_from([5, 30]), seed=st.integers(0, 9))
def test_sessions_agree_with_the_slow_obvious_way(fill: Fill, drawn: Any, idle: int, seed: int):
    # The events of each tenth are a group of devices of their own: one job answers for many small histories.
    rows = [
        event(f"e{i:03}", at, name, f"{device}-{i // 10}", source=source, session_id=own, campaign=campaign, record_key=f"k{i % 7}")
        for i, (source, device, at, own, campaign, name) in enumerate(drawn)
    ]
    shuffled = random.Random(seed).sample(rows, len(rows))
    expected = slow_sessions(rows, timedelta(minutes=idle))

    found = sessions(fill(EVENTS, *shuffled).repartition(3), idle_minutes=idle).collect()

    own = {row["session_id"] for row in rows}
    assert expected == sorted(
        (
            s["source"],
            s["device"],
            s["started_at"],
            s["ended_at"],
            s["events"],
            s["page_views"],
            s["first_event"],
            s["campaign"]["name"] if s["campaign"] else "",
            s["record_key"],
            s["session_id"] if s["session_id"] in own else "",
        )
        for s in found
    )


def test_sessions_depend_on_their_devices_events_alone(fill: Fill):
    rows = [event(f"e{i}", 1000 * (i % 7), device=f"d{i % 3}") for i in range(20)]

    def of(device: str, events: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
        found = cut(fill(EVENTS, *events), "device", "session_id", "started_at", "ended_at", "events")
        return [row for row in found if row[0] == device]

    together = of("d1", rows)
    assert together == of("d1", rows[::-1])
    assert together == of("d1", [row for row in rows if row["identifiers"]["anonymous_id"] == "d1"])
