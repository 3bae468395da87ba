"""A run on some of the records leaves what one on all of them would leave."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product
from random import Random
from typing import Any

import pytest
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cdp.base.settings import ConfigFolder
from cdp.base.stage import Run
from cdp.identity import scope
from cdp.identity.digests import differing, digests
from cdp.identity.graph import Graph, graph_of
from cdp.identity.last_run import known_of
from cdp.identity.run import _audit, _links, load_settings, resolve
from cdp.identity.scope import Part, scope_of
from cdp.tables.identity import ASSIGNMENTS, AUDIT, CHANGES, LINKS, PARAMETERS, RESOLVED_RECORDS
from cdp.tables.ops import RESOLVED
from cdp.tables.silver import CUSTOMER_RECORDS, IDENTIFIERS_TABLE
from tests.identity.conftest import START, activity, clusters, person

_GIVEN = "ann bob carla dmitri eve frank greta hans ines john karim lena marco nadia oscar paula rosa stefan tom vera".split()
_FAMILY = "smith meyer rossi novak garcia dubois jensen kowalski silva papadakis brown costa weber moreau lindt haas".split()
_STREETS = "oak street,mill lane,high road,rue verte,via roma,hauptstr,canal view,park row".split(",")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few records there are, and however many are new, only those are looked at that these have to do with."""
    monkeypatch.setattr(scope, "_FEW_RECORDS", 0)
    for name in ("_SMALL_SHARE", "_OLD_SHARE", "_MOST_LOOKED_AT"):
        monkeypatch.setattr(scope, name, 1.0)


def population(seed: int, homes: int) -> list[dict[str, Any]]:
    """Records of households: people with two or three records each, some of them mistyped or with little in them."""
    random = Random(seed)
    found: list[dict[str, Any]] = []
    for home in range(homes):
        family, phone = random.choice(_FAMILY), f"+331{seed:02d}{home:06d}"
        address = {"street": f"{home + 1} {random.choice(_STREETS)}", "city": "paris", "postal_code": f"75{home % 40:03d}"}
        for member in range(random.randint(1, 3)):
            given = random.choice(_GIVEN)
            born = f"{random.randint(1940, 2004)}-{random.randint(1, 12):02d}-{random.randint(1, 28):02d}"
            email = f"{given}.{family}{home}@x.org"
            for copy in range(random.randint(1, 3)):
                slip = given if random.random() < 0.8 else given[:-1] + "x"
                contact = {"emails": [email]} if random.random() < 0.4 else {}
                contact |= {"phones": [phone]} if random.random() < 0.4 else {}
                birth = {"born": born} if random.random() < 0.7 else {}
                place = address if random.random() < 0.7 else {"city": "paris"}
                found.append(person(f"s{copy}:{seed}-{home}-{member}", slip, family=family, **contact, **birth, **place))
    return found


def all_at_once(run: Run) -> Graph:
    """The obvious way: everything is looked at, by what was learnt before."""
    settings = load_settings(run.config)
    last = run.lake.read(RESOLVED).first()
    assert last is not None
    known = known_of(run.lake, last["learnt_from"])
    assert known is not None
    records, identifiers = run.lake.read(CUSTOMER_RECORDS), run.lake.read(IDENTIFIERS_TABLE)
    return graph_of(records, identifiers, settings.config, settings.rules, known)


def people_of(members: DataFrame) -> list[set[str]]:
    found: dict[int, set[str]] = {}
    for row in members.collect():
        found.setdefault(row["component"], set()).add(f"{row['source']}:{row['record_key'].removeprefix('ids:')}")
    return sorted(found.values(), key=sorted)


def told(links: DataFrame) -> set[tuple[Any, ...]]:
    names = ["left_source", "left_record_key", "right_source", "right_record_key", "rule", "decision", "reason"]
    return {(*row[:-1], round(row[-1] or 0.0, 6)) for row in links.select(*names, "match_weight").collect()}


def test_days_one_by_one_leave_what_all_records_together_would(small, silver, run: Run, monkeypatch: pytest.MonkeyPatch):
    base, more = population(1, 40), population(2, 8)
    # many records of one value that is nobody's; browsers; and what the ledger will speak of
    crowd = [person(f"list:{n}", f"{a}{b}", family="noname", emails=["office@x.org"]) for n, (a, b) in enumerate(product(_GIVEN[:9], "abc"))]
    web = [activity("web:a", anonymous_id="cookie-1"), activity("web:b", anonymous_id="cookie-2", email="ann.smith@x.org")]
    ruled = [person(f"crm:{n}", "Ada", emails=["ada@x.org"]) for n in range(2)]
    ruled += [person("crm:7", "Eve", emails=["eve@x.org"]), person("shop:7", "Kim", emails=["kim@x.org"])]
    ruled += [person(f"shop:{n}", emails=["till@x.org"]) for n in range(2)]
    # who could be either of two, by an e-mail or by a browser; a browser one of whose two people will be gone
    unclear = [
        *(person(f"crm:two{name}", name, emails=["two@x.org"]) for name in ("Ann", "Bob")),
        activity("web:u1", email="two@x.org", anonymous_id="cookie-11"),
        activity("web:u2", email="two@x.org", device_id="device-12"),
        activity("web:p1", email="p1@x.org", anonymous_id="cookie-20"),
        activity("web:p2", email="p2@x.org", anonymous_id="cookie-20"),
        activity("web:w1", anonymous_id="cookie-20"),
        activity("web:p3", user_id="u3", anonymous_id="cookie-30"),
        activity("web:w2", anonymous_id="cookie-30"),
    ]
    leaves = activity("web:p4", user_id="u4", anonymous_id="cookie-30")
    header, link = "action,left,right,reason,author\n", "always_link,crm|7,late|77,comes later,me\n"
    ledger = run.config.path / "identity_rules.csv"
    ledger.write_text(header + link)
    silver(*base, *crowd, *web, *ruled, *unclear, leaves)
    assert part_of(run) is None  # nothing is there yet
    assert "line 2: names a record" in resolve(run).notes[-1]
    learnt = run.lake.version(PARAMETERS)
    ids = {row["customer_id"] for row in run.lake.read(ASSIGNMENTS).collect()}
    assert part_of(run) is not None

    random = Random(3)
    gone, other = random.sample(range(len(base)), 4), random.sample(range(len(base)), 6)
    changed = [
        {**p, "phones": ["+33999000111"] if n % 2 else p.get("phones", []), "born": "1960-02-03"} if n in other else p
        for n, p in enumerate(base)
        if n not in gone
    ]
    # one more like one there is, one with the value that is nobody's, a browser that turns out to be somebody's
    late = [
        {**base[5], "source": "late", "record_key": "5"},
        person("late:office", "zoe", family="noname", emails=["office@x.org"]),
        activity("web:c", anonymous_id="cookie-1", email="karim.novak@x.org"),
        person("late:7", "karim", family="novak", emails=["karim.novak@x.org"]),
        activity("web:n", user_id="u9", anonymous_id="cookie-11", device_id="device-12"),
        person("late:pia", "pia", emails=["p1@x.org", "p2@x.org"]),
        person("late:77", "zed"),
    ]
    silver(*changed, *crowd, *web, *ruled, *unclear, *late, *more)
    second = replace(run, run_id="second", as_of=run.as_of + timedelta(days=1))
    resolve_and_compare(second)

    assert run.lake.version(PARAMETERS) == learnt
    found = clusters(second)
    assert {"crm:7", "late:77"} in found and {"late:pia", "web:p1", "web:p2", "web:w1"} in found and {"web:p3", "web:w2"} in found
    # every id there ever was is somebody's, or was told to be another's, or its records are gone
    last = {row["customer_id"] for row in run.lake.read(ASSIGNMENTS).where("is_current").collect()}
    merged = {row["previous_customer_id"] for row in run.lake.read(CHANGES).where("change = 'merged'").collect()}
    closed = {row["customer_id"] for row in run.lake.read(ASSIGNMENTS).where("not is_current").collect()}
    assert ids <= last | merged | closed

    # the ledger counts on some of the records as on all, and so does what is no more in it
    link += "always_link,crm|7,email=kim@x.org,one,me\n"
    ledger.write_text(f"{header}{link}never_link,crm|0,crm|1,two,me\nblock,email=till@x.org,,everybody's,me\n")
    assert resolve(second).notes[1].startswith("6 of them new")
    found = clusters(second)
    assert {"crm:0"} in found and {"crm:1"} in found and {"crm:7", "shop:7", "late:77"} in found and {"shop:0"} in found
    ledger.write_text(header + link)
    found_part = part_of(second)
    assert found_part is not None and found_part.told == 4

    # and where some of the records would not do, all are looked at
    for other_run in (replace(second, full_refresh=True), run, with_config(second, "max_cluster_size: 50\n")):
        assert part_of(other_run) is None
    for name, value in {"_FEW_RECORDS": 10_000, "_SMALL_SHARE": 0.0, "_OLD_SHARE": 0.0}.items():
        with monkeypatch.context() as changed_constant:
            changed_constant.setattr(scope, name, value)
            assert part_of(second) is None
    # somebody else's hand, or a run that was killed between its tables
    run.lake.delete(LINKS, F.lit(True))
    assert part_of(second) is None


def resolve_and_compare(run: Run) -> None:
    assert "new, changed or gone" in resolve(run).notes[1]
    wanted = all_at_once(run)
    assert clusters(run) == people_of(wanted.members)
    assert told(run.lake.read(LINKS)) == told(_links(wanted, load_settings(run.config).config))
    audit = {(r["kind"], r["value_hash"], r["reason"]) for r in run.lake.read(AUDIT).collect()}
    assert audit == {(r["kind"], r["value_hash"], r["reason"]) for r in _audit(run, wanted, None).collect()}
    keys = {(r["source"], r["record_key"]): r["keys"] for r in run.lake.read(RESOLVED_RECORDS).collect()}
    nodes = {(r["source"], r["record_key"]): r["node"] for r in wanted.nodes.collect()}
    assert wanted.matches is not None
    of_node = {r["node"]: r["keys"] for r in wanted.matches.keys.collect()}
    assert keys == {key: of_node.get(node) for key, node in nodes.items()}


def part_of(run: Run) -> Part | None:
    settings = load_settings(run.config)
    records, identifiers = run.lake.read(CUSTOMER_RECORDS), run.lake.read(IDENTIFIERS_TABLE)
    found = scope_of(run, settings.config, settings.rules, records, identifiers)
    found.digests.unpersist()
    return found.part


def with_config(run: Run, text: str) -> Run:
    folder = run.config.path.with_name("other")
    folder.mkdir()
    (folder / "identity.yaml").write_text(text)
    return replace(run, config=ConfigFolder(folder))


def test_a_record_is_new_where_it_says_something_else(silver, run: Run):
    config = load_settings(run.config).config

    def state(*rows: dict[str, Any]) -> DataFrame:
        silver(*rows)
        made = digests(run.lake.read(CUSTOMER_RECORDS), run.lake.read(IDENTIFIERS_TABLE), config)
        return made.select("source", "record_key", "node", "digest").localCheckpoint()

    ann = person("crm:1", "Ann", emails=["ann@x.org"], ids={"card": "1", "club": "2"})
    bob, web = person("crm:2", "Bob"), activity("web:a", anonymous_id="cookie-1")
    before = state(ann, bob, web)
    after = state(
        {**ann, "ids": {"club": "2", "card": "1"}},
        {**bob, "born": "1970-01-01"},
        activity("web:a", at=START, anonymous_id="cookie-1"),
        activity("web:b", at=datetime(2026, 1, 9), anonymous_id="cookie-1"),
    )
    names = {row["node"]: row["record_key"] for row in before.union(after).collect()}
    assert {names[row["node"]] for row in differing(after, before).collect()} == {"2", "ids:b"}
    assert {names[row["node"]] for row in differing(before.where("source = 'crm'"), before).collect()} == {"ids:a"}
