"""What a wrong segment file says."""

from pathlib import Path

import pytest
from pydantic import TypeAdapter

from cdp.base.errors import ConfigError
from cdp.base.settings import ConfigFolder
from cdp.segments.config import Lookalike, Segment
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
        ("{type: Sequence}", "INVALID_RULE_TYPE"),
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
    assert Lookalike(seed="a", size=size).places(candidates) == wanted


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
