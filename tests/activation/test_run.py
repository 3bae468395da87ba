"""The activate stage on a small lake: the consent gate, the files, and what changes from day to day."""

import csv
import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cdp.activation.load import load_destinations
from cdp.activation.run import STAGE
from cdp.base.contracts import Table
from cdp.base.errors import ConfigError
from cdp.base.settings import ConfigFolder
from cdp.base.stage import Run, StageResult
from cdp.tables.activation import DELIVERED_MEMBERS, DELIVERIES
from cdp.tables.gold import (
    CUSTOMER_IDENTIFIERS,
    EFFECTIVE_CONSENT,
    PROFILES,
    RECOMMENDATIONS,
    SEGMENT_MEMBERS,
)

PROJECT = Path(__file__).resolve().parents[2]
DAY = date(2026, 1, 31)
SEGMENT = """
name: vip
rule: {type: And, conditions: [{type: Value, attribute: traits.orders, operator: {type: Greater, value: 1}}]}
"""
MAIL = """
name: mail
layout: plain
segments: [vip]
requires_consent: {all: [email_marketing, profiling]}
fields:
  - {from: profile.email, to: email, transform: [lower], identifier: true}
  - {from: profile.given_name, to: first name}
  - {from: identifiers.loyalty_id, to: card}
  - {from: recommendations.1, to: product}
  - {from: segment, to: audience}
"""
ADS = """
name: ads
layout: google_customer_match
segments: [vip]
requires_consent: {all: [advertising]}
"""
GOOGLE = ["Email", "Phone", "First Name", "Last Name", "Country", "Zip"]


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class Shop:
    """A lake with members of `vip`, and the stage on it."""

    def __init__(self, run: Run, fill: Callable[..., Any]) -> None:
        self.run, self.fill = run, fill

    def configure(self, **files: str) -> None:
        for path, text in {
            "segments/vip": SEGMENT,
            **{f"destinations/{n}": t for n, t in files.items()},
        }.items():
            file = self.run.config.path / f"{path}.yaml"
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")

    def put(self, **tables: list[dict[str, Any]]) -> None:
        by_name: dict[str, Table] = {
            t.name.split(".")[1]: t
            for t in (PROFILES, CUSTOMER_IDENTIFIERS, EFFECTIVE_CONSENT, RECOMMENDATIONS, SEGMENT_MEMBERS)
        }
        puts = [
            partial(self.run.lake.replace, by_name[n], self.fill(by_name[n], *rows))
            for n, rows in tables.items()
        ]
        self.run.lake.together(puts)

    def on(self, day: date = DAY, **more: Any) -> StageResult:
        again = ConfigFolder(self.run.config.path)
        return STAGE.run(replace(self.run, as_of=day, run_id=f"r{day}", config=again, **more))

    def file(self, name: str) -> list[list[str]]:
        with (Path(self.run.lake.root) / "activation" / name).open(encoding="utf-8", newline="") as file:
            return list(csv.reader(file))

    def files(self) -> list[str]:
        root = Path(self.run.lake.root) / "activation"
        tables = ("deliveries", "delivered_members")
        return sorted(
            str(p.relative_to(root))
            for p in root.rglob("*")
            if p.is_file() and p.relative_to(root).parts[0] not in tables
        )

    def fates(self, destination: str, day: date = DAY) -> dict[str, tuple[str, str, str | None]]:
        rows = self.run.lake.read(DELIVERIES).where(
            f"destination = '{destination}' AND delivered_on = '{day}'"
        )
        newest = max(row["batch"] for row in rows.collect())
        return {
            r["customer_id"]: (r["action"], r["outcome"], r["reason"])
            for r in rows.collect()
            if r["batch"] == newest
        }


@pytest.fixture
def shop(run: Run, fill: Callable[..., Any]) -> Shop:
    return Shop(run, fill)


def person(name: str, **more: Any) -> dict[str, Any]:
    return {
        "customer_id": name,
        "email": f"{name.title()}@example.com",
        "emails": [f"{name}@example.com"],
        **more,
    }


def member(name: str, **more: Any) -> dict[str, Any]:
    return {"segment": "vip", "customer_id": name, **more}


def identifier(name: str, id_type: str, value: str, **more: Any) -> dict[str, Any]:
    return {"customer_id": name, "id_type": id_type, "id_value": value, "is_current": True, **more}


def allowed(name: str, *purposes: str) -> list[dict[str, Any]]:
    return [{"customer_id": name, "purpose": p, "status": "granted", "is_allowed": True} for p in purposes]


ALL = ("email_marketing", "profiling", "advertising")


def test_only_those_who_allow_it_are_sent_and_later_only_what_changed(shop: Shop) -> None:
    two, three = DAY + timedelta(days=1), DAY + timedelta(days=2)
    denied = {"customer_id": "bob", "purpose": "profiling", "status": "denied", "is_allowed": False}
    ann = person("ann", given_name='Ann "A", B', family_name="Zoe\u0301", country="FR", postal_code="75001")
    shop.configure(mail=MAIL, ads=ADS)
    shop.put(
        profiles=[ann, *[person(n) for n in ("bob", "cyn", "eve", "fay")], {"customer_id": "dev"}],
        customer_identifiers=[
            identifier("ann", "email", "ann.b+shop@gmail.com"),
            identifier("ann", "phone", "+33612345678"),
            identifier("ann", "phone", "+33600000000", is_current=False),  # given up: nobody is looked for by it
            identifier("ann", "loyalty_id", "L1", last_seen_at=datetime(2025, 1, 1)),
            identifier("ann", "loyalty_id", "L2", last_seen_at=datetime(2026, 1, 1)),
        ],
        recommendations=[{"customer_id": "ann", "rank": 1, "product_id": "p9", "reason": "best_seller"}],
        effective_consent=[
            *[c for n in ("ann", "dev", "eve", "fay") for c in allowed(n, *ALL)],
            *allowed("bob", "email_marketing"),
            denied,
        ],
        segment_members=[
            *[member(n) for n in ("ann", "bob", "cyn", "dev", "fay")],
            member("eve", is_held_out=True),
        ],
    )

    result = shop.on()

    assert shop.fates("mail") == {
        "ann": ("add", "sent", None),
        "fay": ("add", "sent", None),
        "bob": ("add", "suppressed", "no consent: profiling"),
        "cyn": ("add", "suppressed", "no consent: email_marketing, profiling"),
        "dev": ("add", "rejected", "nothing the destination knows people by"),
        "eve": ("add", "held_out", "control group"),
    }
    assert all(a.difference == 0 for a in result.accounts)
    assert shop.file(f"mail/vip/{DAY}_add.csv") == [
        ["email", "first name", "card", "product", "audience"],
        ["ann@example.com", 'Ann "A", B', "L2", "p9", "vip"],
        ["fay@example.com", "", "", "", "vip"],
    ]
    ads = shop.file(f"ads/vip/{DAY}_add.csv")
    assert ads[0] == GOOGLE
    assert {row[0] for row in ads[1:4]} == set(
        map(digest, ["ann@example.com", "ann.b+shop@gmail.com", "annb@gmail.com"])
    )
    assert [row[1:] for row in ads[1:]] == [
        [digest("+33612345678"), digest('ann "a", b'), digest("zoé"), "FR", "75001"],
        [""] * 5,
        [""] * 5,
        [""] * 5,
    ]

    shop.on()  # the same again: nothing new

    assert shop.files() == [f"ads/vip/{DAY}_add.csv", f"mail/vip/{DAY}_add.csv"]
    assert shop.fates("mail")["ann"] == ("keep", "sent", None)

    shop.put(
        profiles=[ann, person("bob"), person("fay", email="ann@example.com"), person("gil")],
        effective_consent=[*allowed("bob", *ALL), *allowed("fay", *ALL), *allowed("gil", *ALL)],
        segment_members=[member(n) for n in ("ann", "bob", "fay", "gil")],
    )
    shop.on(two)  # ann takes her consent back; fay now has the address that ann had

    assert shop.fates("mail", two) == {
        "ann": ("remove", "sent", "no consent: email_marketing, profiling"),
        "bob": ("add", "sent", None),
        "fay": ("add", "sent", "its identifiers changed"),
        "gil": ("add", "sent", None),
    }
    assert shop.file(f"mail/vip/{two}_remove.csv")[1:] == [
        ["ann@example.com", "", "", "", ""],
        ["fay@example.com", "", "", "", ""],
    ]
    assert sorted(shop.file(f"ads/vip/{two}_remove.csv")) == sorted(ads[:4])  # as it was sent

    shop.put(segment_members=[member("bob"), member("hal")])
    shop.on(three)

    assert shop.fates("mail", three)["gil"] == ("remove", "sent", "left the segment")
    held = shop.run.lake.read(DELIVERED_MEMBERS).where("destination = 'mail'")
    assert [tuple(r) for r in held.select("customer_id", "identifiers", "since").collect()] == [
        ("bob", ["email=bob@example.com"], two)
    ]
    assert not [name for name in shop.files() if "/." in f"/{name}"]


def test_a_second_change_on_one_day_gets_a_file_of_its_own_and_a_killed_run_is_redone(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.configure(mail=MAIL)
    shop.put(
        profiles=[person("ann"), person("bob")],
        effective_consent=[*allowed("ann", *ALL), *allowed("bob", *ALL)],
        segment_members=[],
    )
    shop.on()
    assert shop.file(f"mail/vip/{DAY}_add.csv") == [["email", "first name", "card", "product", "audience"]]

    shop.put(segment_members=[member("ann")])
    whole = shop.run.lake.replace

    def killed(table: Table, *arguments: Any, **more: Any) -> int:
        if table is DELIVERED_MEMBERS:
            raise KeyboardInterrupt
        return whole(table, *arguments, **more)

    with monkeypatch.context() as patch:
        patch.setattr(shop.run.lake, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            shop.on()
    shop.on()
    assert shop.run.lake.read(DELIVERIES).where("action = 'add' AND outcome = 'sent'").count() == 1
    assert len(shop.file(f"mail/vip/{DAY}_add.csv")) == 2

    shop.put(segment_members=[member("ann"), member("bob")])
    shop.on()
    assert shop.files() == [f"mail/vip/{DAY}_add.csv", f"mail/vip/{DAY}_add_2.csv"]
    assert shop.file(f"mail/vip/{DAY}_add_2.csv")[1][0] == "bob@example.com"


LEFT = """
name: carts
rule:
  type: And
  conditions:
    - type: Sequence
      correlateOn: [properties.cart_id]
      keep: [properties.cart_id, properties.product_id]
      steps: [{event: Product Added}, {event: Order Completed, not: true}]
"""
OF_CARTS = """
name: mail
segments: [vip, carts]
requires_consent: {all: [email_marketing]}
fields:
  - {from: profile.email, to: email, identifier: true}
  - {from: matched.properties.cart_id, to: cart, transform: [upper]}
  - {from: matched.properties.product_id, to: products}
  - {from: matched.properties.product_id, item: 2, to: second}
"""


def test_what_a_sequence_kept_goes_into_the_columns_of_its_segment(shop: Shop) -> None:
    shop.configure(mail=OF_CARTS)
    (shop.run.config.path / "segments" / "carts.yaml").write_text(LEFT, encoding="utf-8")
    cart = {"properties.cart_id": ["c1"], "properties.product_id": ["p2", "p1"]}
    shop.put(
        profiles=[person("ann"), person("bob")],
        effective_consent=[*allowed("ann", *ALL), *allowed("bob", *ALL)],
        segment_members=[
            member("ann"),
            {**member("ann"), "segment": "carts", "matched": cart},
            {**member("bob"), "segment": "carts", "matched": {"properties.cart_id": ["c2"]}},
        ],
    )

    shop.on()

    assert shop.file(f"mail/vip/{DAY}_add.csv")[1:] == [["Ann@example.com", "", "", ""]]
    assert shop.file(f"mail/carts/{DAY}_add.csv")[1:] == [
        ["Ann@example.com", "C1", "p2,p1", "p1"],
        ["Bob@example.com", "C2", "", ""],
    ]


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        ("segments: [vpi]", "segments.0: no segment vpi; did you mean vip?"),
        ("from: profile.emial", "unknown attribute profile.emial; did you mean profile.email?"),
        ("name: deliveries", "is the folder of a table"),
        ("requires_consent: {all: []}", "requires_consent.all"),
        ("identifier: false", "wanted at least one with `identifier: true`"),
        ("from: matched.properties.cart", "fields.0.from: no sequence of its segments keeps properties.cart"),
        ("from: profile.email, item: 2", "fields.0.item: only matched.COLUMN has several values, profile.email has one"),
    ],
)
def test_a_wrong_destination_is_named(shop: Shop, found: str, wanted: str) -> None:
    key = found.split(":")[0]
    right = {
        "segments": "segments: [vip]",
        "from": "from: profile.email",
        "name": "name: mail",
        "requires_consent": "requires_consent: {all: [email_marketing, profiling]}",
        "identifier": "identifier: true",
    }
    shop.configure(mail=MAIL.replace(right[key], found))

    with pytest.raises(ConfigError) as error:
        load_destinations(ConfigFolder(shop.run.config.path))

    assert wanted in str(error.value)


def test_the_shipped_destinations_are_valid() -> None:
    assert {"email_platform", "google_ads"} <= set(load_destinations(ConfigFolder(PROJECT / "conf")))
