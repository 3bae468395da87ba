"""What a wrong journey file says."""

from pathlib import Path

import pytest

from cdp.base.errors import ConfigError
from cdp.base.settings import ConfigFolder
from cdp.journeys.check import is_circular
from cdp.journeys.load import load_journeys

PROJECT = Path(__file__).resolve().parents[2]

SEGMENT = "{name}\nrule: {type: And, conditions: [{type: Value, attribute: traits.orders, operator: {type: Equal, value: 1}}]}\n"
BUYERS = SEGMENT.replace("{name}", "name: buyers")
MET = "{type: Value, attribute: traits.orders, operator: {type: Greater, value: 1}}"


def folder(tmp_path: Path, **files: str) -> ConfigFolder:
    for path, text in {
        "segments/buyers": BUYERS,
        **{name.replace("__", "/"): text for name, text in files.items()},
    }.items():
        file = tmp_path / f"{path}.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return ConfigFolder(tmp_path)


def journey(*steps: str, name: str = "a", more: str = "") -> str:
    listed = "".join(f"  - {step}\n" for step in steps)
    return f"name: {name}\nentry: {{segment: buyers}}\n{more}steps:\n{listed}"


def problems(tmp_path: Path, **files: str) -> list[str]:
    with pytest.raises(ConfigError) as error:
        load_journeys(folder(tmp_path, **files))
    return list(error.value.problems)


END = "{name: over, type: end}"


@pytest.mark.parametrize(
    ("steps", "wanted"),
    [
        (["{name: x, type: sendd}", END], "steps.0: INVALID_STEP_TYPE: wanted type send, wait, branch, split or end"),
        (["{name: x}", END], "steps.0: INVALID_STEP_TYPE"),
        (["{type: send}", END], "steps.0.name: MISSING_NAME: missing"),
        (["{name: X y, type: send}", END], "steps.0.name: JOURNEY_SCHEMA_ERROR"),
        (["{name: x, type: send, stya: 1}", END], "steps.0.stya: JOURNEY_SCHEMA_ERROR: unknown key; did you mean stay?"),
        (["{name: x, type: wait}", END], "steps.0: JOURNEY_SCHEMA_ERROR: wanted for, weekday or both, or until with at_most"),
        (["{name: x, type: wait, for: {duration: 0, unit: day}}", END], "steps.0.for.duration: JOURNEY_SCHEMA_ERROR: input should be greater than 0, found 0"),
        (["{name: x, type: wait, for: {duration: -3, unit: day}}", END], "steps.0.for.duration: JOURNEY_SCHEMA_ERROR: input should be greater than 0, found -3"),
        (["{name: x, type: wait, for: {duration: 3, unit: hour}}", END], "steps.0.for.unit: MISSING_TIME_UNIT: input should be 'year', 'quarter', 'month', 'week' or 'day', found 'hour'"),
        (["{name: x, type: wait, for: {duration: 3}}", END], "steps.0.for.unit: MISSING_TIME_UNIT: missing"),
        (["{name: x, type: wait, for: {duration: 3, units: day}}", END], "steps.0.for.units: JOURNEY_SCHEMA_ERROR: unknown key; did you mean unit?"),
        (["{name: x, type: wait, for: {duration: 9999, unit: year}}", END], "steps.0.for: JOURNEY_SCHEMA_ERROR: wanted at most 36,500 days, found 9999 year"),
        (["{name: x, type: wait, weekday: mon}", END], "steps.0.weekday: JOURNEY_SCHEMA_ERROR: input should be 'monday'"),
        ([f"{{name: x, type: wait, until: {MET}}}", END], "steps.0: JOURNEY_SCHEMA_ERROR: until wants at_most"),
        (["{name: x, type: wait, weekday: monday, at_most: {duration: 1, unit: day}}", END], "steps.0: JOURNEY_SCHEMA_ERROR: only until has at_most"),
        (["{name: x, type: wait, weekday: monday, otherwise: over}", END], "steps.0: JOURNEY_SCHEMA_ERROR: only until has otherwise"),
        (["{name: x, type: branch, cases: []}", END], "steps.0.cases: JOURNEY_SCHEMA_ERROR: wanted at least one"),
        (["{name: x, type: branch, cases: [{next: over}]}", END], "steps.0.cases.0.if: SEGMENT_SCHEMA_ERROR: missing, but required"),
        ([f"{{name: x, type: branch, cases: [{{if: {MET}}}]}}", END], "steps.0.cases.0.next: UNKNOWN_STEP: missing"),
        (["{name: x, type: branch, cases: [{if: {type: Valu}, next: over}]}", END], "steps.0.cases.0.if: INVALID_RULE_TYPE: wanted type And, Or"),
        ([f"{{name: x, type: branch, cases: [{{if: {MET.replace('Greater, value: 1', 'Contain, value: x')}, next: over}}]}}", END], "steps.0.cases.0.if.operator.type: INVALID_OPERATOR_TYPE: Contain does not go with traits.orders"),
        ([f"{{name: x, type: branch, cases: [{{if: {{type: And, conditions: [{MET.replace('orders', 'ordes')}]}}, next: over}}]}}", END], "steps.0.cases.0.if.conditions.0.attribute: UNKNOWN_ATTRIBUTE: unknown attribute traits.ordes; did you mean traits.orders?"),
        (["{name: x, type: branch, cases: [{if: {type: include, segment: buyrs}, next: over}]}", END], "steps.0.cases.0.if.segment: MISSING_SEGMENT_REFERENCE: no segment buyrs; did you mean buyers?"),
        (["{name: x, type: branch, cases: [{if: {type: include, segment: buyers}, next: ovr}]}", END], "steps.0.cases.0.next: UNKNOWN_STEP: no step ovr; did you mean over?"),
        (["{name: x, type: split, shares: [{percent: 100, next: over}]}", END], "steps.0.shares: INVALID_SHARES: found one, wanted two or more"),
        (["{name: x, type: split, shares: [{percent: 50, next: over}, {percent: 40, next: over}]}", END], "steps.0.shares: INVALID_SHARES: they come to 90 %, wanted 100"),
        (["{name: x, type: send, next: over}", END, END], "steps.2.name: DUPLICATE_NAME: over is already the name of steps.1"),
        (["{name: x, type: send, next: over}", "{name: lost, type: send}", END], "steps.1.name: UNREACHABLE_STEP: no way leads to lost"),
        (["{name: x, type: send}"], "steps.0.next: UNKNOWN_STEP: missing, and no step follows; a journey ends with a step of type end"),
        ([f"{{name: x, type: branch, cases: [{{if: {MET}, next: over}}], else: x}}", END], "steps.0: JOURNEY_CYCLE: x -> x may take no time; wanted a step of type send, or a wait with for, in it"),
        (["{name: x, type: wait, weekday: monday}", f"{{name: y, type: branch, cases: [{{if: {MET}, next: over}}], else: x}}", END], "steps.0: JOURNEY_CYCLE: x -> y -> x may take no time"),
        ([f"{{name: x, type: wait, until: {MET}, at_most: {{duration: 1, unit: day}}, next: x, otherwise: over}}", END], "steps.0: JOURNEY_CYCLE: x -> x"),
    ],
)  # fmt: skip
def test_a_wrong_step_is_named_by_its_path_and_code(tmp_path: Path, steps: list[str], wanted: str) -> None:
    found = problems(tmp_path, journeys__a=journey(*steps))

    assert any(line.startswith(wanted) for line in found), found
    assert len(found) == 1 or "units" in wanted


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ("reentry: always\n", "reentry: JOURNEY_SCHEMA_ERROR: wanted never, or a time after leaving such as"),
        ("reentry: {after: {duration: 0, unit: day}}\n", "reentry.after.duration: JOURNEY_SCHEMA_ERROR"),
        ("goal: {type: include, segment: none}\n", "goal.segment: MISSING_SEGMENT_REFERENCE: no segment none"),
        (f"exit: {MET.replace('value: 1', 'value: many')}\n", "exit.operator: SEGMENT_SCHEMA_ERROR: traits.orders wants a number"),
        ("goals: 1\n", "goals: JOURNEY_SCHEMA_ERROR: unknown key; did you mean goal?"),
        ("holdout: {percent: 101}\n", "holdout.percent: JOURNEY_SCHEMA_ERROR"),
    ],
)  # fmt: skip
def test_what_stands_beside_the_steps_is_checked_as_well(tmp_path: Path, more: str, wanted: str) -> None:
    found = problems(tmp_path, journeys__a=journey(END, more=more))

    assert len(found) == 1 and found[0].startswith(wanted), found


def test_all_files_are_judged_at_once_and_segments_that_are_wrong_themselves_judge_nobody(tmp_path: Path) -> None:
    good, twin = journey(END), journey(END)
    lost = journey("{name: x, type: send}", name="b").replace("buyers", "buyrs")

    found = problems(
        tmp_path, journeys__a=good, journeys__b=lost, journeys__c=twin, journeys__d="name: [", journeys__e="- 1"
    )

    assert [
        line.removeprefix(f"{tmp_path}/journeys/").split(":", 1) for line in found if "not valid YAML" not in line
    ] == [
        ["b.yaml", " entry.segment: MISSING_SEGMENT_REFERENCE: no segment buyrs; did you mean buyers?"],
        ["b.yaml", " steps.0.next: UNKNOWN_STEP: missing, and no step follows; a journey ends with a step of type end"],
        ["c.yaml", f" name: DUPLICATE_NAME: a is already the name of {tmp_path}/journeys/a.yaml"],
        ["e.yaml", " JOURNEY_SCHEMA_ERROR: wanted keys and values"],
    ]
    assert len(found) == 5
    for name in "bcde":
        (tmp_path / "journeys" / f"{name}.yaml").unlink()
    (found,) = problems(tmp_path, segments__buyers=BUYERS.replace("orders", "ordes"))
    assert found.startswith("rule.conditions.0.attribute: UNKNOWN_ATTRIBUTE")  # of the segment; the journey is right


def test_no_folder_is_no_journey_and_an_empty_list_of_steps_is_told(tmp_path: Path) -> None:
    assert load_journeys(folder(tmp_path)) == {}
    assert problems(tmp_path, journeys__a="name: a\nsteps: []\n") == [
        "entry: JOURNEY_SCHEMA_ERROR: missing, but required; wanted who comes in, such as {segment: NAME}",
        "steps: MISSING_STEPS: wanted at least one",
    ]


def test_a_version_is_another_where_somebody_might_be_elsewhere(tmp_path: Path) -> None:
    send, wait = "{name: x, type: send}", "{name: y, type: wait, for: {duration: 1, unit: day}, next: x}"

    def hash_of(*steps: str, more: str = "") -> str:
        return load_journeys(folder(tmp_path, journeys__a=journey(*steps, more=more)))["a"].hash

    first = hash_of(send, wait)
    assert first == hash_of(send, wait, more="description: x\nowner: me\npurpose: sms\nholdout: {percent: 5}\n")
    others = {
        hash_of(send, wait.replace("day", "week")),
        hash_of(send, END),
        hash_of(send, wait, more=f"goal: {MET}\n"),
    }
    assert len(others | {first}) == 4
    (tmp_path / "segments.yaml").write_text("exclude_always: [buyers]\n", encoding="utf-8")
    assert hash_of(send, wait) not in {first, *others}
    assert hash_of(send, wait, more="ignore_exclusions: true\n") not in others
    assert is_circular(load_journeys(ConfigFolder(tmp_path))["a"])


def test_the_shipped_journey_is_right() -> None:
    welcome = load_journeys(ConfigFolder(PROJECT / "conf"))["welcome"]

    assert [s.name for s in welcome.steps if s.type == "send"] == ["reminder", "small_offer", "big_offer"]
    assert not is_circular(welcome)
