"""`cdp why`: whether somebody is in a segment, and the value that met or missed each condition; without Spark."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from cdp.base.errors import UsageError
from cdp.base.masks import mask_of, masked_row
from cdp.base.settings import ConfigFolder, did_you_mean
from cdp.conditions.clock import Clock
from cdp.lookup.ask import guessed
from cdp.lookup.command import Nobody
from cdp.lookup.find import find
from cdp.lookup.known import known_of
from cdp.lookup.mask import masked_own, masked_values
from cdp.lookup.read import Row, Tables, is_one_of
from cdp.lookup.words import as_json, own_traits, said
from cdp.segments.attributes import Attribute, Catalogue
from cdp.segments.config import AttributeCondition, BehaviorCondition, Segment
from cdp.segments.lists import CUSTOMER, ListCondition
from cdp.segments.load import catalogue_of, load_segments, versions
from cdp.segments.members import needs_of
from cdp.segments.person import Judge, Outcome
from cdp.segments.sequence import SequenceCondition
from cdp.segments.words import said_condition
from cdp.tables.gold import HOUSEHOLDS, LOOKUP_KEYS, PROFILES, SEGMENT_STATUS, TRAITS

_MARKS = {True: "✓", False: "✗", None: "?"}


@dataclass(frozen=True)
class Answer:
    """Why somebody is in a segment, or is not.

    Attributes:
        customer_id: who.
        segment: its name.
        as_of: the date as of which the rule was judged.
        member: the row of `gold.segment_members`; None: not in it.
        outcome: how the rule comes out on the tables as they are now.
        notes: what else there is to say.
    """

    customer_id: str
    segment: str
    as_of: date
    member: Row | None
    outcome: Outcome
    notes: tuple[str, ...]


def why(
    lake: Path, config: Path, customer: str, segment: str, *, as_of: date | None, in_json: bool, show_pii: bool
) -> None:
    """Print why somebody is in a segment, or is not.

    Args:
        lake: the folder of the tables.
        config: the configuration.
        customer: a customer id, or anything else by which `cdp lookup` finds one person.
        segment: its name.
        as_of: the date as of which the rule is judged; None: that of the segment's last run.
        in_json: as JSON, in the shape of docs/segments.md.
        show_pii: whether personal values stand as they are.

    Raises:
        UsageError: there is no such segment or lake, several people may be meant, or the segment was never computed.
        Nobody: nobody was found.
        ConfigError: the configuration is wrong.
    """
    folder = ConfigFolder(config)
    segments, catalogue = load_segments(folder), catalogue_of(folder)
    if segment not in segments:
        raise UsageError(
            f"SEGMENT: found {segment}, and no segment of this name{did_you_mean(segment, sorted(segments))}"
        )
    tables = Tables(lake, PROFILES, LOOKUP_KEYS)
    country = folder.platform.default_country
    found = answer(tables, _customer(tables, customer), segment, segments, catalogue, as_of, country)
    told = shape(found, catalogue, show_pii=show_pii)
    if in_json:
        print(json.dumps(told, default=as_json, ensure_ascii=False, indent=2))
    else:
        _show(told, Console())


def answer(
    tables: Tables,
    customer_id: str,
    name: str,
    segments: Mapping[str, Segment],
    catalogue: Catalogue,
    as_of: date | None,
    default_country: str | None,
) -> Answer:
    """Judge a customer by a segment's rule on the tables as they are now."""
    reached = _reached(name, segments)
    status = tables.rows(SEGMENT_STATUS, is_one_of("segment", [name]))
    if not status and as_of is None:
        raise UsageError(
            f"SEGMENT: {name} was never computed; `./spark-submit.sh segment` does, or judge it with --as-of DATE"
        )
    on = as_of or status[0]["computed_on"]
    needs = needs_of([segments[other].model_copy(update={"purpose": None}) for other in reached], catalogue)
    person, members = known_of(tables, customer_id, needs, as_of=on, default_country=default_country)
    outcome = Judge(person, segments, Clock(on), catalogue).membership(name)
    member = members.get(name)
    notes = []
    if status and status[0]["version"] != versions(segments)[name]:
        notes.append(f"the rule has changed since the run of {status[0]['computed_on']}")
    if status and status[0]["status"] == "failed":
        notes.append(f"the segment failed: {status[0]['error']}")
    if outcome.holds is None:
        notes.append("what is marked with ? cannot be told here; gold.segment_members says what the last run found")
    elif outcome.holds != (member is not None):
        notes.append(
            "the last run found otherwise: the tables or the rule are newer, or the segment was not computed as of this date"
        )
    return Answer(customer_id, name, on, member, outcome, tuple(notes))


def shape(found: Answer, catalogue: Catalogue, *, show_pii: bool) -> Row:
    """What `--json` prints."""
    member = found.member
    return {
        "customer_id": found.customer_id,
        "segment": found.segment,
        "as_of": found.as_of,
        "is_member": member is not None,
        "entered_on": member["entered_on"] if member else None,
        "is_suppressed": member["is_suppressed"] if member else None,
        "is_held_out": member["is_held_out"] if member else None,
        "holds": found.outcome.holds,
        "conditions": [_told(part, catalogue, show_pii=show_pii) for part in found.outcome.inner],
        "notes": list(found.notes),
    }


def _customer(tables: Tables, text: str) -> str:
    found = find(tables, guessed(text, option="CUSTOMER"))
    if not found.matches:
        raise Nobody("nobody has this identifier or name")
    if len(found.matches) > 1:
        ids = ", ".join(match.customer_id for match in found.matches[:5])
        raise UsageError(
            f"CUSTOMER: found {len(found.matches)} people or more, wanted one; choose by customer id: {ids}"
        )
    return found.matches[0].customer_id


def _reached(name: str, segments: Mapping[str, Segment]) -> list[str]:
    reached, waiting = {name}, [name]
    while waiting:
        new = set(segments[waiting.pop()].references) - reached
        reached |= new
        waiting += sorted(new)
    return sorted(reached)


def _told(outcome: Outcome, catalogue: Catalogue, *, show_pii: bool) -> Row:
    of = outcome.of
    value = outcome.value
    if not show_pii and value is not None:
        value = _shown(of, value, catalogue)
    told: Row = {"condition": said_condition(of), "holds": outcome.holds}
    if isinstance(of, AttributeCondition | BehaviorCondition) or value is not None:
        told["value"] = value
    told["note"] = outcome.note or None
    told["conditions"] = [_told(part, catalogue, show_pii=show_pii) for part in outcome.inner]
    return told


def _shown(of: Any, value: Any, catalogue: Catalogue) -> Any:
    """A value without what could be read of a person."""
    if isinstance(of, AttributeCondition):
        return _masked(catalogue.find(of.attribute, of.horizon_days), value)
    if isinstance(of, ListCondition):
        return value if of.identifier == CUSTOMER else mask_of(of.identifier)(value)
    return masked_values(value) if isinstance(of, SequenceCondition) else value


def _masked(attribute: Attribute, value: Any) -> Any:
    tables = {"profile": PROFILES, "traits": TRAITS, "household": HOUSEHOLDS}
    if attribute.source not in tables:
        return value
    if attribute.source == "traits" and own_traits({attribute.name: value}):
        return masked_own(value)
    row = {attribute.name: {attribute.key: value} if attribute.key else value}
    found = masked_row(row, tables[attribute.source])[attribute.name]
    return found[attribute.key] if attribute.key else found


def _show(told: Row, console: Console) -> None:
    state = f"in {told['segment']} since {told['entered_on']}" if told["is_member"] else f"not in {told['segment']}"
    state += ", without consent for its purpose" if told["is_suppressed"] else ""
    state += ", held out" if told["is_held_out"] else ""
    tree = Tree(Text(f"{told['customer_id']}: {state}; judged as of {told['as_of']}", style="bold"), guide_style="dim")
    for part in told["conditions"]:
        _branch(tree, part)
    console.print(tree)
    for note in told["notes"]:
        console.print(Text(note))


def _branch(tree: Tree, told: Row) -> None:
    style = {True: "green", False: "red", None: "yellow"}[told["holds"]]
    # As text: what a person typed somewhere is no markup.
    line = Text.assemble((f"{_MARKS[told['holds']]} ", style), told["condition"])
    beside = [told["note"]] if told["note"] else []
    if told.get("value") is not None:
        beside.insert(0, said(told["value"]) or "empty")
    elif "value" in told and not beside:
        beside = ["missing"]
    if beside:
        line.append(f"  ({': '.join(beside)})", style="dim")
    branch = tree.add(line)
    for part in told["conditions"]:
        _branch(branch, part)
