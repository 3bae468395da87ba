"""How people go on: the steps that somebody passes in one run, as one SQL expression over all journeys."""

from collections.abc import Mapping
from datetime import date

from pyspark.sql import Column
from pyspark.sql import functions as F

from cdp.journeys.check import is_circular
from cdp.journeys.config import Journey
from cdp.journeys.steps import AnyStep, BranchStep, Duration, SendStep, SplitStep, WaitStep

_BUCKETS = 16**8


def place(journey: str, step: str) -> str:
    """A step of a journey in one word, as destinations name it."""
    return f"{journey}.{step}"


def trail(start: str, journeys: Mapping[str, Journey], *, as_of: date) -> Column:
    """The steps that somebody passes.

    Args:
        start: column with where they are: struct of at (`place`), since (date) and reason.
        journeys: by name; the row has `Journey.columns` of them, true or false, and customer_id.
        as_of: the run's date.

    Returns:
        An array of such structs: `start`, and each step reached after it.
    """
    if not journeys:
        return F.array(start)
    day = f"DATE'{as_of.isoformat()}'"
    one = _step_on("s", journeys, day)
    moved = f"array_compact(transform(slice(t, -1, 1), s -> {one}))"
    first = f"array_compact(transform(array({start}), s -> {one}))"
    # Most people stay where they are: only for those who move more than one step is looked at. A circle takes a day or more, so
    # that there are at most so many rounds as days are made up for, with each step once in each.
    most = max(len(j.steps) for j in journeys.values())
    circular = ", ".join(f"'{name}'" for name, j in journeys.items() if is_circular(j))
    rounds = f"if(journey IN ({circular}), datediff({day}, t1[0].since), 0) + 1" if circular else "1"
    further = f"aggregate(sequence(1, {most} * ({rounds})), concat(array({start}), t1), (t, i) -> concat(t, {moved}))"
    chosen = f"if(size(t1) = 0, array({start}), {further})"
    # The first move gets a name by a transform over a list that holds it alone.
    return F.expr(f"transform(array({first}), t1 -> {chosen})[0]")


def _step_on(s: str, journeys: Mapping[str, Journey], day: str) -> str:
    """Where somebody at `s` goes on the run's date, as a struct; null: they stay."""
    cases = [
        f"WHEN '{place(name, step.name)}' THEN {_move(journey, step, s, day)}"
        for name, journey in journeys.items()
        for step in journey.steps
        if step.ways
    ]
    return f"CASE {s}.at {' '.join(cases)} END" if cases else _NOWHERE


_NOWHERE = "CAST(NULL AS struct<at: string, since: date, reason: string>)"


def _move(journey: Journey, step: AnyStep, s: str, day: str) -> str:
    ways = journey.ways(step)
    i = journey.steps.index(step)
    met = {path.removeprefix(f"steps.{i}."): f"`{column}`" for path, column in journey.columns().items()}

    def to(path: str, since: str, reason: str) -> str:
        name = ways[path] or ""
        # Whoever comes to be sent something is sent it from now on, on whatever day it was due.
        since = day if isinstance(journey.by_name[name], SendStep) else since
        return f"named_struct('at', '{place(journey.name, name)}', 'since', {since}, 'reason', '{reason}')"

    if isinstance(step, BranchStep):
        cases = [
            f"WHEN {met[f'cases.{n}.if']} THEN {to(f'cases.{n}.next', f'{s}.since', 'condition')}"
            for n in range(len(step.cases))
        ]
        return f"CASE {' '.join(cases)} ELSE {to('else', f'{s}.since', 'otherwise')} END"
    if isinstance(step, SplitStep):
        return _part(journey, step, {path: to(path, f"{s}.since", "share") for path in ways})
    if isinstance(step, WaitStep) and step.until is not None and step.at_most is not None:
        over = _later(f"{s}.since", step.at_most)
        late = to("otherwise" if "otherwise" in ways else "next", over, "otherwise")
        return f"CASE WHEN {met['until']} THEN {to('next', day, 'condition')} WHEN {over} <= {day} THEN {late} END"
    if isinstance(step, WaitStep):
        over = _later(f"{s}.since", step.for_)
        over = f"next_day(date_sub({over}, 1), '{step.weekday}')" if step.weekday else over
    else:
        assert isinstance(step, SendStep)
        over = _later(f"{s}.since", step.stay)
    return f"CASE WHEN {over} <= {day} THEN {to('next', over, 'time')} END"


def _part(journey: Journey, step: SplitStep, ways: Mapping[str, str]) -> str:
    """By the first 8 hexadecimal digits of a hash of the customer; another text is hashed than for control groups."""
    salt = step.salt if step.salt is not None else place(journey.name, step.name)
    salt = salt.replace("\\", "\\\\").replace("'", "\\'")
    bucket = f"CAST(conv(substring(sha2(concat('split|{salt}|', customer_id), 256), 1, 8), 16, 10) AS bigint)"
    cases, below = [], 0.0
    for n, share in enumerate(step.shares):
        below += share.percent
        is_last = n == len(step.shares) - 1
        cases.append(
            f"ELSE {ways[f'shares.{n}.next']}"
            if is_last
            else f"WHEN {bucket} < {round(below / 100 * _BUCKETS)} THEN {ways[f'shares.{n}.next']}"
        )
    return f"CASE {' '.join(cases)} END"


def _later(since: str, wait: Duration | None) -> str:
    if wait is None:
        return since
    months = f"add_months({since}, {wait.months})" if wait.months else since
    return f"date_add({months}, {wait.days})" if wait.days else months
