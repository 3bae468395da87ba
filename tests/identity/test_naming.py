"""Ids last: through ten runs of merging, splitting and merging again, and as an obvious Python version gives them."""

import hashlib
from datetime import date, datetime, timedelta
from itertools import pairwise

import numpy as np
from pyspark.sql import SparkSession

from cdp.identity.naming import assignment_changes, change_rows, named
from cdp.tables.identity import ASSIGNMENTS, CHANGES

FIRST_DAY = date(2026, 1, 1)
RECORDS = [str(n) for n in range(9)]
Ids = dict[str, str]


def obvious(components: dict[str, int], before: Ids, born: dict[str, int]) -> dict[int, str | None]:
    """The id of each cluster; None: a new one."""
    counts: dict[str, dict[int, int]] = {}
    for record, component in components.items():
        if record in before:
            of_id = counts.setdefault(before[record], {})
            of_id[component] = of_id.get(component, 0) + 1
    claims: dict[int, list[tuple[int, int, str]]] = {}
    for old, of_id in counts.items():
        best = max(of_id, key=lambda component: (of_id[component], -component))
        claims.setdefault(best, []).append((born[old], -of_id[best], old))
    return {c: min(claims[c])[2] if c in claims else None for c in set(components.values())}


def test_ids_last_through_ten_runs(spark: SparkSession):
    random = np.random.default_rng(11)
    rows: list[tuple] = []
    changes: list[tuple] = []
    before: Ids = {}
    born: dict[str, int] = {}
    for number in range(10):
        here = RECORDS[: 5 + number // 2]  # new ones come
        # One run in two has few clusters, so that people merge and split again.
        labels = random.integers(0, 2 if number % 2 else 5, len(here))
        components = {record: 100 + int(labels[i]) for i, record in enumerate(here)}
        members = [("crm", record, datetime(2026, 1, 1) + timedelta(hours=int(record)), components[record]) for record in here]
        frame = spark.createDataFrame(members, "source string, record_key string, first_seen_at timestamp, component bigint")
        assignments = spark.createDataFrame(rows, ASSIGNMENTS.schema)
        told = spark.createDataFrame(changes, CHANGES.schema)
        as_of = FIRST_DAY + timedelta(days=number)

        now, overlaps = (found.localCheckpoint() for found in named(frame, assignments, told))
        new = [tuple(r) for r in change_rows(overlaps, run_id=str(number), batch=number, as_of=as_of).collect()]
        ids = {r["record_key"]: r["customer_id"] for r in now.collect()}
        changed = [tuple(r) for r in assignment_changes(assignments, now, run_id=str(number), as_of=as_of).collect()]

        expected = obvious(components, before, born)
        for record, component in components.items():
            if expected[component] is None:
                assert ids[record] not in born  # never an id that somebody had
            else:
                assert ids[record] == expected[component]
        assert len(set(ids.values())) == len(set(components.values()))
        keys = {(*row[:2], row[3]) for row in changed}
        rows = [row for row in rows if (*row[:2], row[3]) not in keys] + changed
        changes += new
        before = ids
        for name in ids.values():
            born.setdefault(name, number)
        _check_history(rows, changes, ids, born)
    assert {row[3] for row in changes} == {"created", "merged", "split", "moved"}


def founded(record: str, number: int) -> str:
    """The id that a record of the CRM founds after so many others."""
    return "c" + hashlib.sha256(f"crm\0{record}\0{number}".encode()).hexdigest()[:20]


def test_a_record_founds_a_new_id_however_many_it_has_founded(spark: SparkSession):
    # Record n has founded n ids, one a run: it left its cluster, and came back to an older id.
    midnight = datetime(2026, 1, 1)
    given = [(record, number) for record in range(40) for number in range(record)]
    changes = [(f"run {n}", n, midnight, "split", founded(str(r), n), "old", 1, "why") for r, n in given]
    members = [("crm", str(record), midnight, 100 + record) for record in range(40)]

    now, _ = named(
        spark.createDataFrame(members, "source string, record_key string, first_seen_at timestamp, component bigint"),
        spark.createDataFrame([], ASSIGNMENTS.schema),
        spark.createDataFrame(changes, CHANGES.schema),
    )

    ids = {row["record_key"]: row["customer_id"] for row in now.collect()}
    assert ids == {str(record): founded(str(record), record) for record in range(40)}


def _check_history(rows: list[tuple], changes: list[tuple], ids: Ids, born: dict[str, int]) -> None:
    current = {row[1]: row[2] for row in rows if row[5]}
    assert current == ids
    for record in current:
        spans = sorted((row[3], row[4]) for row in rows if row[1] == record)
        assert all(end == start for (_, end), (start, _) in pairwise(spans))  # no gap, no overlap
    # The newest word on an id that is no more says whose its records are now.
    into = {row[5]: row[4] for row in changes if row[3] == "merged"}
    for name in born:
        seen = set()
        while name not in current.values():
            assert name in into and name not in seen
            seen.add(name)
            name = into[name]
