"""What a wrong segment file says."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import TypeAdapter

from cdp.base.errors import ConfigError
from cdp.base.settings import ConfigFolder
from cdp.segments.config import Lookalike, Segment
from cdp.segments.limits import places
from cdp.segments.load import load_segments, versions

PROJECT = Path(__file__).resolve().parents[2]


def folder(tmp_path: Path, **files: str) -> ConfigFolder:
    (tmp_path / "segments").mkdir()
    for name, text in files.items():
        (tmp_path / "segments" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return ConfigFolder(tmp_path)


def rule(*conditions: str) -> str:
    return "name: a\nrule:\n  type: And\n  conditions:\n" + "".join(f"    - {c}\n" for c in conditions)


def problems(tmp_path: Path, **files: str) -> list[str]:
    with pytest.raises(ConfigError) as error:
        load_segments(folder(tmp_path, **files))
    return list(error.value.problems)


ORDERS = "type: Value, attribute: traits.orders"


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        ("{type: Value, attribute: '', operator: {type: IsNull}}", "attribute: EMPTY_ATTRIBUTE"),
        (f"{{{ORDERS}, operator: {{type: Equl, value: 1}}}}", "operator: INVALID_OPERATOR_TYPE: no operator Equl; did"),
        (f"{{{ORDERS}}}", "operator: INVALID_OPERATOR_TYPE: missing"),
        (f"{{{ORDERS}, operator: {{type: Equal}}}}", "operator.value: MISSING_OPERATOR_VALUE"),
        (f"{{{ORDERS}, operator: {{type: Between}}}}", "operator: MISSING_BETWEEN_BOUNDS"),
        ("{type: Value, attribute: traits.last_order_at, operator: {type: TimeWithinPast, value: 3}}", "operator.unit: MISSING_TIME_UNIT"),
        (f"{{{ORDERS}, operator: {{type: Equal, value: 1}}, arrayMatching: some}}", "arrayMatching: INVALID_ARRAY_MATCHING"),
        (f"{{{ORDERS}, operator: {{type: Equal, value: 1}}, arrayMatching: all}}", "arrayMatching: INVALID_ARRAY_MATCHING: traits.orders is no list"),
        ("{type: include}", "segment: MISSING_SEGMENT_REFERENCE"),
        ("{type: include, segment: b}", "segment: MISSING_SEGMENT_REFERENCE: no segment b"),
        ("{type: And, conditions: []}", "conditions: MISSING_CONDITIONS"),
        ("{type: Chain}", "INVALID_RULE_TYPE: wanted type And, Or, Not, Value, Sequence, include, exclude, List or Sql"),
        ("{type: include, segment: a, when: once}", "when: SEGMENT_SCHEMA_ERROR: input should be 'now', 'ever' or 'before'"),
        ("{type: exclude, segment: b, when: ever}", "segment: MISSING_SEGMENT_REFERENCE: no segment b"),
        ("{type: Value, source: behavior_timeline, timeWindow: {duration: 9999, unit: year}, operator: {type: IsNull}}", "timeWindow: SEGMENT_SCHEMA_ERROR: 9999 year reach beyond the calendar"),
        ("{type: Sql}", "query: INVALID_QUERY: missing, but required"),
        ("{type: Sql, query: ''}", "query: INVALID_QUERY: wanted a name, found nothing"),
        ("{type: Sql, query: 'SELECT customer_id FROM gold.ordrs'}", "query: INVALID_QUERY: no table gold.ordrs; did you mean gold.orders?"),
        ("{type: Sql, query: 'SELECT customer_id FROM gold.segment_members'}", "query: INVALID_QUERY: no table gold.segment_members"),
        ("{type: Sql, query: 'SELECT customer_id FROM gold.orders WHERE ordered_on = current_date()'}", "query: INVALID_QUERY: current_date changes from run to run"),
        ("{type: Sql, query: 'SELECT order_id FROM gold.orders'}", "query: INVALID_QUERY: it has no column customer_id; wanted customer_id"),
        ("{type: Sql, query: 'DELETE FROM gold.orders'}", "query: INVALID_QUERY: found DELETE, wanted one SELECT"),
        ("{type: Sql, query: \"SELECT * FROM VALUES ('ann') t(customer_id)\"}", "query: INVALID_QUERY: it reads no table"),
        (f"{{{ORDERS}, operatr: 1, operator: {{type: IsNull}}}}", "operatr: SEGMENT_SCHEMA_ERROR: unknown key; did you mean operator?"),
        ("{type: Value, attribute: traits.ordes, operator: {type: IsNull}}", "attribute: UNKNOWN_ATTRIBUTE: unknown attribute traits.ordes; did you mean traits.orders?"),
        (f"{{{ORDERS}, operator: {{type: Equal, value: many}}}}", "operator: SEGMENT_SCHEMA_ERROR: traits.orders wants a number"),
        (f"{{{ORDERS}, operator: {{type: Contain, value: x}}}}", "operator.type: INVALID_OPERATOR_TYPE: Contain does not go with traits.orders"),
        ("{type: Value, attribute: predictions.ltv, operator: {type: IsNull}}", "attribute: UNKNOWN_ATTRIBUTE: predictions.ltv wants horizon_days"),
        ("{type: include, segment: a}", "SEGMENT_CYCLE"),
        ("{type: Value, source: behavior_timeline, aggregation: {type: Sum}, operator: {type: IsNull}}", "aggregation: SEGMENT_SCHEMA_ERROR: Sum wants a column"),
        ("{type: Value, source: behavior_timeline, filter: {type: And, conditions: [{type: Column, column: evnt, operator: {type: IsNull}}]}, operator: {type: Equal, value: 1}}", "filter.conditions.0.column: UNKNOWN_ATTRIBUTE: unknown column evnt; did you mean event?"),
    ],
)  # fmt: skip
def test_a_wrong_condition_is_named_by_its_path_and_code(tmp_path: Path, condition: str, wanted: str) -> None:
    found = problems(tmp_path, a=rule(condition))

    assert len(found) == 1
    assert found[0].startswith("rule") and wanted in found[0]


A = "{event: A}"


@pytest.mark.parametrize(
    ("sequence", "wanted"),
    [
        ("", "steps: INVALID_SEQUENCE: missing"),
        ("steps: []", "steps: INVALID_SEQUENCE: wanted at least one"),
        (f"steps: [{A}]", "steps: INVALID_SEQUENCE: found one step, wanted two or more"),
        (f"steps: [{', '.join([A] * 11)}]", "steps: INVALID_SEQUENCE: tuple should have at most 10 items"),
        (f"steps: [{{event: A, not: true}}, {A}]", "steps.0.not: INVALID_SEQUENCE: the first step must come"),
        (f"steps: [{{event: A, within: {{duration: 1, unit: day}}}}, {A}]", "steps.0.within: INVALID_SEQUENCE: the first step has none before it"),
        (f"steps: [{A}, {{event: A, not: true}}, {{event: B, not: true}}]", "steps.2.not: INVALID_SEQUENCE: two not steps in a row"),
        (f"steps: [{A}, {{event: A, not: true, within: {{duration: 1, unit: day}}}}, {A}]", "steps.1.within: INVALID_SEQUENCE: a not step between others"),
        (f"steps: [{A}, {{event: A, within: {{duration: 1, unit: month}}}}]", "steps.1.within.unit: MISSING_TIME_UNIT: input should be 'week', 'day'"),
        (f"steps: [{A}, {{event: A, within: {{duration: 1}}}}]", "steps.1.within.unit: MISSING_TIME_UNIT: missing"),
        (f"steps: [{A}, {{event: A, within: {{duration: 36501, unit: day}}}}]", "steps.1.within: INVALID_SEQUENCE: wanted at most 36,500 days"),
        (f"steps: [{A}, {{event: A, within: {{duration: 1, units: day}}}}]", "steps.1.within.units: SEGMENT_SCHEMA_ERROR: unknown key; did you mean unit?"),
        (f"steps: [{A}, {{evnt: A}}]", "steps.1.evnt: SEGMENT_SCHEMA_ERROR: unknown key; did you mean event?"),
        (f"steps: [{A}, {{}}]", "steps.1.event: INVALID_SEQUENCE: wanted event, filter or both"),
        (f"steps: [{A}, {{event: []}}]", "steps.1.event: INVALID_SEQUENCE: wanted event, filter or both"),
        (f"steps: [{A}, {{event: [A, '']}}]", "steps.1.event: INVALID_SEQUENCE: found an empty name"),
        (f"steps: [{A}, {{source: order_lines, event: A}}]", "steps.1.event: INVALID_SEQUENCE: order lines have none"),
        (f"steps: [{A}, {{source: orders}}]", "steps.1.source: SEGMENT_SCHEMA_ERROR: input should be 'behavior_timeline' or 'order_lines'"),
        (f"steps: [{A}, {{filter: {{type: And, conditions: []}}}}]", "steps.1.filter.conditions: MISSING_CONDITIONS"),
        (f"steps: [{A}, {{filter: {{type: And, conditions: [{{type: Column, column: chanel, operator: {{type: IsNull}}}}]}}}}]", "steps.1.filter.conditions.0.column: UNKNOWN_ATTRIBUTE: unknown column chanel; did you mean channel?"),
        (f"steps: [{A}, {A}], timeWindow: {{duration: 9999, unit: year}}", "timeWindow: SEGMENT_SCHEMA_ERROR: 9999 year reach beyond the calendar"),
        (f"steps: [{A}, {A}], correlateOn: [cart_id]", "steps.0.correlateOn: UNKNOWN_ATTRIBUTE: unknown column cart_id"),
        (f"steps: [{A}, {A}], correlateOn: [properties.a, properties.a]", "correlateOn: INVALID_SEQUENCE: a column is there twice"),
        (f"steps: [{A}, {{event: A, correlateOn: {{properties.a: amount}}}}], correlateOn: [properties.a]", "steps.1.correlateOn: INVALID_SEQUENCE: amount is no text"),
        (f"steps: [{A}, {{event: A, correlateOn: {{properties.b: channel}}}}], correlateOn: [properties.a]", "steps.1.correlateOn.properties.b: INVALID_SEQUENCE: the sequence's own correlateOn has no properties.b"),
        (f"steps: [{A}, {A}], keep: [chanel]", "keep.0: UNKNOWN_ATTRIBUTE: unknown column chanel; did you mean channel?"),
        (f"steps: [{A}, {A}], keep: [channel, channel]", "keep.0: INVALID_SEQUENCE: channel is there twice"),
        (f"steps: [{A}, {{source: order_lines, not: true}}], keep: [brand]", "keep.0: UNKNOWN_ATTRIBUTE: unknown column brand"),
        (f"steps: [{A}, {A}], operator: {{type: IsNull}}", "operator: SEGMENT_SCHEMA_ERROR: unknown key"),
    ],
)  # fmt: skip
def test_a_wrong_sequence_is_named_by_its_path_and_code(tmp_path: Path, sequence: str, wanted: str) -> None:
    found = problems(tmp_path, a=rule(f"{{type: Sequence{', ' if sequence else ''}{sequence}}}"))

    assert any(line.startswith(f"rule.conditions.0.{wanted}") for line in found), found


@pytest.mark.parametrize(
    ("lookalike", "wanted"),
    [
        ("{seed: a, size: 5%}", "lookalike.seed: SEGMENT_CYCLE: a -> a; a segment cannot depend on itself"),
        ("{seed: buyrs, size: 5%}", "lookalike.seed: MISSING_SEGMENT_REFERENCE: no segment buyrs; did you mean buyers?"),
        ("{size: 5%}", "lookalike.seed: MISSING_SEGMENT_REFERENCE: missing, but required"),
        ("{seed: buyers}", "lookalike.size: SEGMENT_SCHEMA_ERROR: missing, but required"),
        *[
            (f"{{seed: buyers, size: {size}}}", f"lookalike.size: SEGMENT_SCHEMA_ERROR: wanted a number of people such as 10000, or a share such as 5%, found {found}")
            for size, found in (("0", "0"), ("0%", "'0%'"), ("101%", "'101%'"), ("2.5", "2.5"), ("many", "'many'"), ("true", "True"), ("[5]", "[5]"))
        ],
        ("{seed: buyers, size: 9, min_seed: 5}", "lookalike.min_seed: SEGMENT_SCHEMA_ERROR: input should be greater than or equal to 20"),
        ("{seed: buyers, size: 9, if_unproven: hide}", "lookalike.if_unproven: SEGMENT_SCHEMA_ERROR: input should be 'empty' or 'keep'"),
        ("{seed: buyers, size: 9, sed: 1}", "lookalike.sed: SEGMENT_SCHEMA_ERROR: unknown key; did you mean seed?"),
        ("{seed: buyers, size: 9, exclude_features: [revenu]}", "lookalike.exclude_features.0: UNKNOWN_ATTRIBUTE: unknown feature revenu; did you mean revenue?"),
        ("buyers", "lookalike: SEGMENT_SCHEMA_ERROR"),
    ],
)  # fmt: skip
def test_a_wrong_lookalike_is_named_by_its_path_and_code(tmp_path: Path, lookalike: str, wanted: str) -> None:
    buyers = rule(f"{{{ORDERS}, operator: {{type: Greater, value: 1}}}}").replace("name: a", "name: buyers")
    found = problems(tmp_path, a=f"name: a\nlookalike: {lookalike}\n", buyers=buyers)

    assert len(found) == 1 and wanted in found[0]


def lists(tmp_path: Path) -> Path:
    (tmp_path / "segments" / "lists").mkdir(parents=True)
    return tmp_path / "segments" / "lists"


def listed(file: str, more: str = "") -> str:
    return rule(f"{{type: List, file: {file}, identifier: email{more}}}")


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        ("{type: List, identifier: email}", "file: INVALID_LIST: missing, but required"),
        ("{type: List, file: people.csv}", "identifier: INVALID_LIST: missing, but required"),
        *[
            (f"{{type: List, file: {file}, identifier: email}}", "file: INVALID_LIST: string should match pattern")
            for file in ("../people.csv", "/etc/passwd", "people.txt", ".people.csv", "people.csv.bz2")
        ],
        ("{type: List, file: peple.csv, identifier: email}", "file: INVALID_LIST: no file lists/peple.csv; did you mean people.csv?"),
        ("{type: List, file: people.csv, identifier: email, column: e_mail}", "column: INVALID_LIST: people.csv has no column e_mail in its first line; did you mean email?"),
        ("{type: List, file: people.csv, identifier: phone}", "column: INVALID_LIST: people.csv has no column phone in its first line; wanted a line of names"),
        ("{type: List, file: headless.csv, identifier: email}", "column: INVALID_LIST: headless.csv has no column email in its first line; wanted a line of names"),
        ("{type: List, file: nothing.csv, identifier: email}", "file: INVALID_LIST: nothing.csv is empty"),
        ("{type: List, file: header.csv, identifier: email}", "file: INVALID_LIST: header.csv holds no value in column email"),
        ("{type: List, file: twice.csv, identifier: email}", "column: INVALID_LIST: twice.csv has column email twice"),
        ("{type: List, file: latin.csv, identifier: email}", "file: INVALID_LIST: latin.csv cannot be read: byte 7 is not UTF-8"),
        ("{type: List, file: plain.csv.gz, identifier: email}", "file: INVALID_LIST: plain.csv.gz cannot be read: it is damaged, or not of the kind its name says"),
        ("{type: List, file: plain.parquet, identifier: email}", "file: INVALID_LIST: plain.parquet cannot be read: it is damaged"),
        ("{type: List, file: numbers.parquet, identifier: email}", "column: INVALID_LIST: email of numbers.parquet is double, wanted texts or whole numbers"),
        ("{type: List, file: none.parquet, identifier: email}", "file: INVALID_LIST: none.parquet holds no value in column email"),
    ],
)  # fmt: skip
def test_a_wrong_list_is_named_without_what_it_holds(tmp_path: Path, condition: str, wanted: str) -> None:
    here = lists(tmp_path)
    for name, content in {
        "people.csv": b"email;name\nann@example.com;Ann\n",
        "headless.csv": b"emily@example.com\nann@example.com\n",
        "nothing.csv": b"",
        "header.csv": b"email,name\n , Ann\n\n",
        "twice.csv": b"email,email\na,b\n",
        "latin.csv": b"email\n\n\xe9\n",
        "plain.csv.gz": b"email\nann@example.com\n",
        "plain.parquet": b"email\nann@example.com\n",
    }.items():
        (here / name).write_bytes(content)
    pq.write_table(pa.table({"email": [1.5]}), here / "numbers.parquet")
    pq.write_table(pa.table({"email": pa.array([None, " "], pa.string())}), here / "none.parquet")
    (tmp_path / "segments" / "a.yaml").write_text(rule(condition), encoding="utf-8")

    with pytest.raises(ConfigError) as error:
        load_segments(ConfigFolder(tmp_path))

    assert len(error.value.problems) == 1
    assert error.value.problems[0].startswith(f"rule.conditions.0.{wanted}")
    assert "emily" not in str(error.value)


def test_the_version_follows_what_a_list_holds(tmp_path: Path) -> None:
    here = lists(tmp_path)
    for name in ("a", "b"):
        text = listed("people.csv") if name == "a" else rule("{type: include, segment: a}")
        (tmp_path / "segments" / f"{name}.yaml").write_text(text.replace("name: a", f"name: {name}"), encoding="utf-8")

    def found(*emails: str) -> dict[str, str]:
        (here / "people.csv").write_text("\n".join(["email", *emails]), encoding="utf-8")
        return versions(load_segments(ConfigFolder(tmp_path)))

    first = found("ann@example.com")

    assert first == found("ann@example.com")
    assert all(first[name] != version for name, version in found("bob@example.com").items())


@pytest.mark.parametrize(
    ("limit", "wanted"),
    [
        ("{size: 0}", "limit.size: SEGMENT_SCHEMA_ERROR: wanted a number of people such as 10000, or a share such as 5%, found 0"),
        ("{by: random}", "limit.size: SEGMENT_SCHEMA_ERROR: missing, but required"),
        ("{size: 5%, by: chance}", "limit.by: SEGMENT_SCHEMA_ERROR: wanted random, or an attribute and an order"),
        ("{size: 5%, by: {attribute: traits.ordes}}", "limit.by.attribute: UNKNOWN_ATTRIBUTE: unknown attribute traits.ordes; did you mean traits.orders?"),
        ("{size: 5%, by: {attribute: predictions.ltv}}", "limit.by.attribute: UNKNOWN_ATTRIBUTE: predictions.ltv wants horizon_days"),
        ("{size: 5%, by: {attribute: profile.city}}", "limit.by.attribute: SEGMENT_SCHEMA_ERROR: profile.city is a text, wanted a number"),
        ("{size: 5%, by: {attribute: profile.emails}}", "limit.by.attribute: SEGMENT_SCHEMA_ERROR: profile.emails is a list, wanted a number"),
        ("{size: 5%, by: {attribute: traits.orders, ordr: descending}}", "limit.by.ordr: SEGMENT_SCHEMA_ERROR: unknown key; did you mean order?"),
        ("{size: 5%, by: {attribute: traits.orders, order: down}}", "limit.by.order: SEGMENT_SCHEMA_ERROR: input should be 'descending' or 'ascending'"),
        ("{size: 5%, by: {attribute: traits.orders}, salt: x}", "limit.salt: SEGMENT_SCHEMA_ERROR: only a draw (by: random) has a salt"),
    ],
)  # fmt: skip
def test_a_wrong_limit_is_named_by_its_path_and_code(tmp_path: Path, limit: str, wanted: str) -> None:
    found = problems(tmp_path, a=rule(f"{{{ORDERS}, operator: {{type: IsNull}}}}") + f"limit: {limit}\n")

    assert len(found) == 1 and found[0].startswith(wanted)


def test_a_lookalike_has_no_limit_beside_its_size(tmp_path: Path) -> None:
    buyers = rule(f"{{{ORDERS}, operator: {{type: Greater, value: 1}}}}").replace("name: a", "name: buyers")
    found = problems(tmp_path, a="name: a\nlookalike: {seed: buyers, size: 5}\nlimit: {size: 5}\n", buyers=buyers)

    assert len(found) == 1 and "limit.size: SEGMENT_SCHEMA_ERROR: lookalike.size says how many" in found[0]


def three() -> dict[str, str]:
    text = rule(f"{{{ORDERS}, operator: {{type: Greater, value: 1}}}}")
    return {name: text.replace("name: a", f"name: {name}") for name in ("a", "b", "c")}


@pytest.mark.parametrize(
    ("shared", "wanted"),
    [
        ("exclude_always: [d]", ["segments.yaml: exclude_always.0: MISSING_SEGMENT_REFERENCE: no segment d"]),
        ("priorities: {promo: [a, b, a]}", ["segments.yaml: priorities.promo.2: DUPLICATE_NAME: a stands in the list already"]),
        ("priorities: {promo: [a]}", ["segments.yaml: priorities: promo: wanted two segments or more"]),
        ("priority: {promo: [a, b]}", ["segments.yaml: priority: unknown key; did you mean priorities?"]),
        ("holdout: {percent: 101}", ["segments.yaml: holdout.percent: input should be less than or equal to 100"]),
        (
            "priorities: {one: [a, b], two: [b, a]}",
            ["a.yaml: rule: SEGMENT_CYCLE: a -> b -> a; a segment cannot depend on itself; conf/segments.yaml has part in it: priorities.one, priorities.two",
             "b.yaml: rule: SEGMENT_CYCLE: b -> a -> b; a segment cannot depend on itself; conf/segments.yaml has part in it: priorities.one, priorities.two"],
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_in_the_file_of_all_segments(tmp_path: Path, shared: str, wanted: list[str]) -> None:
    (tmp_path / "segments.yaml").write_text(shared, encoding="utf-8")

    with pytest.raises(ConfigError) as error:
        load_segments(folder(tmp_path, **three()))

    file = Path(error.value.file).name
    found = [
        p.removeprefix(f"{tmp_path}/segments/") if p.startswith("/") else f"{file}: {p}" for p in error.value.problems
    ]
    assert len(found) == len(wanted) and all(map(str.startswith, found, wanted)), found


def test_a_segment_that_an_exclusion_refers_to_has_to_ignore_exclusions(tmp_path: Path) -> None:
    (tmp_path / "segments.yaml").write_text("exclude_always: [b]", encoding="utf-8")
    files = three() | {"b": rule("{type: include, segment: a}").replace("name: a", "name: b")}
    config = folder(tmp_path, **files)
    with pytest.raises(ConfigError, match=r"`ignore_exclusions: true` takes a segment out of it"):
        load_segments(config)

    (tmp_path / "segments" / "a.yaml").write_text(files["a"] + "ignore_exclusions: true\n", encoding="utf-8")
    found = load_segments(ConfigFolder(tmp_path))

    assert {name: dict(s.shared.barred) for name, s in found.items()} == {
        "a": {},
        "b": {},
        "c": {"b": "exclude_always"},
    }


def test_the_file_of_all_segments_and_limits_are_part_of_a_version(tmp_path: Path) -> None:
    def found(name: str, shared: str = "", more: str = "") -> dict[str, str]:
        (tmp_path / name).mkdir()
        (tmp_path / name / "segments.yaml").write_text(shared, encoding="utf-8")
        files = three()
        return versions(load_segments(folder(tmp_path / name, **{**files, "a": files["a"] + more})))

    plain, held = found("1"), found("2", "holdout: {percent: 5}")
    ranked, capped = found("3", "priorities: {promo: [a, b]}"), found("4", more="limit: {size: 5}\n")

    assert plain == held
    assert [ranked[n] == plain[n] for n in "abc"] == [True, False, True]
    assert [capped[n] == plain[n] for n in "abc"] == [False, True, True]


def test_a_segment_without_rule_and_seed_is_refused(tmp_path: Path) -> None:
    wanted = "rule: SEGMENT_SCHEMA_ERROR: missing, but required; wanted a rule, a lookalike, or both"
    assert problems(tmp_path, a="name: a\n") == [wanted]


def test_a_circle_through_a_seed_is_refused(tmp_path: Path) -> None:
    b = rule("{type: exclude, segment: a}").replace("name: a", "name: b")
    found = problems(tmp_path, a="name: a\nlookalike: {seed: b, size: 10}\n", b=b)

    assert [p.split("yaml: ")[1].split(";")[0] for p in found] == [
        "lookalike.seed: SEGMENT_CYCLE: a -> b -> a",
        "rule: SEGMENT_CYCLE: b -> a -> b",
    ]


def test_a_lookalike_comes_after_its_seed_and_its_version_follows_both(tmp_path: Path) -> None:
    seed = rule(f"{{{ORDERS}, operator: {{type: Greater, value: 1}}}}").replace("name: a", "name: z")

    def found(name: str, alike: str, seed: str) -> dict[str, str]:
        (tmp_path / name).mkdir()
        return versions(load_segments(folder(tmp_path / name, a=f"name: a\nlookalike: {{seed: z, {alike}}}\n", z=seed)))

    first = found("1", "size: 5%", seed)

    assert list(first) == ["z", "a"]
    assert first == found("2", "size: 5 %, min_seed: 100", seed)  # the same, said otherwise
    assert first["z"] == found("3", "size: 6%", seed)["z"] and first["a"] != found("4", "size: 6%", seed)["a"]
    assert first["a"] != found("5", "size: 5%", seed.replace("1", "2"))["a"]


@pytest.mark.parametrize(
    ("size", "candidates", "wanted"),
    [(10, 1000, 10), (10, 7, 7), ("5%", 1000, 50), ("5%", 1001, 51), ("0.1%", 20, 1), ("100%", 7, 7), ("5%", 0, 0)],
)
def test_a_size_is_a_number_or_a_share_of_the_candidates_rounded_up(
    size: int | str, candidates: int, wanted: int
) -> None:
    assert places(Lookalike(seed="a", size=size).size, candidates) == wanted


def test_every_problem_of_every_file_is_reported_at_once(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        a=rule("{type: include, segment: b}").replace("name: a\n", ""),
        b=rule("{type: Nand}", f"{{{ORDERS}, operator: {{type: Is}}}}"),
        c=rule(f"{{{ORDERS}, operator: {{type: Equal, value: 2026-02-30}}}}"),
    )

    assert [p.split("segments/")[1].split(": ", 3)[:3] for p in found] == [
        ["a.yaml", "name", "MISSING_NAME"],
        ["b.yaml", "rule.conditions.0", "INVALID_RULE_TYPE"],
        ["b.yaml", "rule.conditions.1.operator", "INVALID_OPERATOR_TYPE"],
        ["c.yaml", "SEGMENT_SCHEMA_ERROR", "it holds a date that cannot be"],
    ]


def test_a_circle_of_three_is_refused(tmp_path: Path) -> None:
    files = {
        name: rule(f"{{type: include, segment: {other}}}").replace("name: a", f"name: {name}")
        for name, other in (("a", "b"), ("b", "c"), ("c", "a"))
    }

    assert any("SEGMENT_CYCLE: a -> b -> c -> a" in p for p in problems(tmp_path, **files))


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    text = rule(f"{{{ORDERS}, operator: {{type: IsNull}}}}")

    assert "DUPLICATE_NAME" in problems(tmp_path, one=text, two=text)[0]


def test_a_version_follows_the_rule_and_the_rules_it_refers_to_and_nothing_else(tmp_path: Path) -> None:
    base = rule(f"{{{ORDERS}, operator: {{type: Greater, value: 1}}}}")
    other = rule("{type: include, segment: a}").replace("name: a", "name: z")

    def found(name: str, **files: str) -> dict[str, str]:
        (tmp_path / name).mkdir()
        return versions(load_segments(folder(tmp_path / name, **files)))

    first = found("1", a=base, z=other)
    described = found("2", a=base + "owner: me\nholdout: {percent: 5}\n", z=other)
    changed = found("3", a=base.replace("1", "2"), z=other)

    assert first == described
    assert first["a"] != changed["a"] and first["z"] != changed["z"]


def test_the_shipped_segments_are_valid() -> None:
    assert {"abandoned_cart", "high_value_at_risk", "lapsed_loyal_store_customers"} <= set(
        load_segments(ConfigFolder(PROJECT / "conf"))
    )


def test_a_schema_for_editors_can_be_made() -> None:
    assert TypeAdapter(Segment).json_schema()["title"] == "Segment"
