"""Journeys in plain Python: slow, one person and one step at a time, on what everybody is and does on each day."""

import calendar
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from cdp.journeys.config import Journey, Reentry
from cdp.journeys.steps import BranchStep, Duration, EndStep, SendStep, SplitStep, WaitStep

_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True)
class World:
    """What is known on a run's date.

    Attributes:
        people: what each customer meets: names of columns of conditions.
        members: segment to customer to the day of coming in.
        heirs: a former id to those who have its records now.
        erased: ids.
        excluded: customers in a segment that is excluded always.
        suppressed: (journey, customer) without consent.
    """

    people: Mapping[str, set[str]]
    members: Mapping[str, Mapping[str, date]]
    heirs: Mapping[str, set[str]] = field(default_factory=dict)
    erased: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()
    suppressed: frozenset[tuple[str, str]] = frozenset()


@dataclass
class Stay:
    """A row of `gold.journey_history`."""

    journey: str
    version: str
    customer_id: str
    entered_as: str
    entered_on: date
    position: int
    step: str
    since: date
    until: date | None
    arrived_on: date
    left_on: date | None
    reason: str
    outcome: str | None = None


class Book:
    """The history, run by run."""

    def __init__(self) -> None:
        self.stays: list[Stay] = []
        self.changes: list[tuple[object, ...]] = []

    def run(self, journeys: Mapping[str, Journey], world: World, on: date) -> None:
        self._take_back(on)
        self.changes = []
        # Those who were in are named anew before anybody comes in.
        for name in sorted({s.journey for s in self.stays} | set(journeys)):
            been_in = self._been_in(name, world)
            for stay in self._standing(name, journeys.get(name), world, on):
                self._go_on(journeys.get(name), stay, world, on)
            if name in journeys:
                self._let_in(journeys[name], been_in, world, on)

    def _take_back(self, on: date) -> None:
        self.stays = [s for s in self.stays if s.arrived_on < on]
        for i, stay in enumerate(self.stays):
            if stay.left_on is not None and stay.left_on >= on:
                self.stays[i] = replace(stay, left_on=None, until=None, outcome=None)

    def _been_in(self, name: str, world: World) -> dict[str, list[Stay]]:
        found: dict[str, list[Stay]] = {}
        for stay in self.stays:
            if stay.journey == name:
                for customer in world.heirs.get(stay.customer_id, {stay.customer_id}):
                    found.setdefault(customer, []).append(replace(stay))
        return found

    def _standing(self, name: str, journey: Journey | None, world: World, on: date) -> list[Stay]:
        groups: dict[str, list[Stay]] = {}
        for stay in [s for s in self.stays if s.journey == name and s.left_on is None]:
            heirs = world.heirs.get(stay.customer_id, {stay.customer_id})
            if len(heirs) > 1:
                self._leave(stay, "split", on, on)
            else:
                groups.setdefault(min(heirs), []).append(stay)
        kept = []
        for customer, stays in groups.items():
            first, *others = sorted(stays, key=lambda s: (s.entered_on, s.customer_id != customer, s.entered_as))
            for other in others:
                self._leave(other, "merge", on, on)
            if first.customer_id != customer:
                self._leave(first, "merge", on, on)
                first = replace(first, customer_id=customer, position=first.position + 1, arrived_on=on, reason="merge")
                first.until = first.left_on = first.outcome = None
                first.version = journey.hash if journey else first.version
                self._arrive(first, None, on, on)
            kept.append(first)
        return kept

    def _go_on(self, journey: Journey | None, stay: Stay, world: World, on: date) -> None:
        if stay.customer_id not in world.people:
            return self._leave(stay, "erasure" if stay.customer_id in world.erased else "data", on, on)
        if journey is None or stay.step not in journey.by_name:
            return self._leave(stay, "rule", on, on)
        if outcome := self._outcome(journey, stay.customer_id, world):
            return self._leave(stay, outcome, on, on)
        self._walk(journey, stay, world, on)

    def _let_in(self, journey: Journey, been_in: Mapping[str, list[Stay]], world: World, on: date) -> None:
        for customer, came in sorted(world.members.get(journey.entry.segment, {}).items()):
            if customer not in world.people or self._outcome(journey, customer, world):
                continue
            if journey.entry.since and came < journey.entry.since:
                continue
            if past := been_in.get(customer):
                if not isinstance(journey.reentry, Reentry) or any(s.left_on is None for s in past):
                    continue
                if later(max(s.until for s in past if s.until), journey.reentry.after) > on:
                    continue
            first = journey.steps[0].name
            stay = Stay(journey.name, journey.hash, customer, customer, on, 1, first, on, None, on, None, "data")
            self._arrive(stay, None, on, on)
            self._walk(journey, stay, world, on)

    def _outcome(self, journey: Journey, customer: str, world: World) -> str | None:
        meets, columns = world.people[customer], journey.columns()
        if columns.get("goal") in meets:
            return "converted"
        if columns.get("exit") in meets or (journey.excluded and customer in world.excluded):
            return "exited"
        return None

    def _walk(self, journey: Journey, stay: Stay, world: World, on: date) -> None:
        while True:
            step = journey.by_name[stay.step]
            if isinstance(step, EndStep):
                return self._leave(stay, "ended", stay.since, on)
            move = self._move(journey, stay, world, on)
            if move is None:
                return None
            following, since, reason = move
            if isinstance(journey.by_name[following], SendStep):
                since = on
            stay.until, stay.left_on = since, on
            before = stay.step
            stay = Stay(
                journey.name,
                journey.hash,
                stay.customer_id,
                stay.entered_as,
                stay.entered_on,
                stay.position + 1,
                following,
                since,
                None,
                on,
                None,
                reason,
            )
            self._arrive(stay, before, since, on)

    def _move(self, journey: Journey, stay: Stay, world: World, on: date) -> tuple[str, date, str] | None:
        step = journey.by_name[stay.step]
        ways, columns, i = journey.ways(step), journey.columns(), journey.steps.index(step)
        meets = world.people[stay.customer_id]
        if isinstance(step, BranchStep):
            for n in range(len(step.cases)):
                if columns[f"steps.{i}.cases.{n}.if"] in meets:
                    return str(ways[f"cases.{n}.next"]), stay.since, "condition"
            return str(ways["else"]), stay.since, "otherwise"
        if isinstance(step, SplitStep):
            digest = hashlib.sha256(f"split|{step.salt or f'{journey.name}.{step.name}'}|{stay.customer_id}".encode())
            drawn, below = int(digest.hexdigest()[:8], 16) / 16**8 * 100, 0.0
            for n, share in enumerate(step.shares):
                below += share.percent
                if drawn < below or n == len(step.shares) - 1:
                    return str(ways[f"shares.{n}.next"]), stay.since, "share"
        if isinstance(step, WaitStep) and step.until is not None and step.at_most is not None:
            if columns[f"steps.{i}.until"] in meets:
                return str(ways["next"]), on, "condition"
            over = later(stay.since, step.at_most)
            return (str(ways.get("otherwise", ways["next"])), over, "otherwise") if over <= on else None
        over = stay.since
        if isinstance(step, SendStep):
            over = later(over, step.stay)
        if isinstance(step, WaitStep) and step.for_ is not None:
            over = later(over, step.for_)
        while isinstance(step, WaitStep) and step.weekday and _WEEK[over.weekday()] != step.weekday:
            over += timedelta(days=1)
        return (str(ways["next"]), over, "time") if over <= on else None

    def _arrive(self, stay: Stay, before: str | None, since: date, on: date) -> None:
        self.stays.append(stay)
        change = "moved" if before else "entered"
        self._tell(stay, change, before, stay.step, since, stay.reason)

    def _leave(self, stay: Stay, outcome: str, until: date, on: date) -> None:
        stay.until, stay.left_on, stay.outcome = until, on, outcome
        self._tell(stay, "left", stay.step, None, until, outcome)

    def _tell(self, stay: Stay, *what: object) -> None:
        self.changes.append((stay.journey, stay.customer_id, stay.entered_as, stay.entered_on, stay.position, *what))


def later(since: date, wait: Duration) -> date:
    """By the calendar."""
    year, month = divmod(since.year * 12 + since.month - 1 + wait.months, 12)
    day = min(since.day, calendar.monthrange(year, month + 1)[1])
    return date(year, month + 1, day) + timedelta(days=wait.days)
