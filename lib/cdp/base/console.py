"""What a person or a log collector sees of a run. Everything goes to standard error; standard output is the summary's."""

import json
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any, Literal

from rich.console import Console as RichConsole
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table as RichTable

Mode = Literal["rich", "plain", "json", "quiet"]
LOG_FORMATS = ("auto", "plain", "json")


def choose_mode(log_format: str) -> Mode:
    """`auto` is a live display on a terminal and plain lines elsewhere."""
    if log_format == "json":
        return "json"
    return "rich" if log_format == "auto" and sys.stderr.isatty() else "plain"


class Console:
    """Progress, events and messages of one run, safe to use from several threads.

    Args:
        mode: `rich` a live display, `plain` a line an event, `json` an object a line, `quiet` nothing.
    """

    def __init__(self, mode: Mode) -> None:
        self.mode = mode
        self._rich = RichConsole(stderr=True, highlight=False)
        self._lock = threading.Lock()
        self._progress: Progress | None = None

    def event(self, name: str, level: str = "INFO", **fields: Any) -> None:
        """Something that happened: counts, names of tables, run ids; never personal data."""
        if self.mode == "json":
            self._line(json.dumps({"at": _now(), "level": level, "event": name, **fields}, default=str))
        elif self.mode == "plain":
            pairs = " ".join(f"{k}={_plain(v)}" for k, v in fields.items() if v is not None)
            self._line(f"{_now()} {level} {name} {pairs}".rstrip())

    def note(self, text: str) -> None:
        """A line for a person."""
        if self.mode == "rich":
            self._rich.print(f"  [dim]·[/dim] {_escape(text)}")
        else:
            self.event("note", text=text)

    def warn(self, text: str) -> None:
        """A line for a person who should look."""
        if self.mode == "rich":
            self._rich.print(f"  [yellow]![/yellow] {_escape(text)}")
        else:
            self.event("warning", level="WARN", text=text)

    def error(self, text: str) -> None:
        """Why the run ends."""
        if self.mode == "json":
            self.event("error", level="ERROR", text=text)
        elif self.mode == "rich":
            self._rich.print(f"[bold red]error:[/bold red] {_escape(text)}")
        else:
            self._line(f"error: {text}")

    @contextmanager
    def live(self) -> Iterator[None]:
        """The time in which a live display may be drawn."""
        if self.mode != "rich":
            yield
            return
        columns = (
            SpinnerColumn(finished_text="[green]✓[/green]"),
            TextColumn("[bold]{task.description:<9}[/bold] {task.fields[detail]}"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self._rich) as progress:
            self._progress = progress
            try:
                yield
            finally:
                self._progress = None

    @contextmanager
    def step(self, name: str, title: str) -> Iterator["Step"]:
        """One stage: shown as running inside, as done with `Step.done`'s text after it."""
        task = self._progress.add_task(name, total=1, detail=title) if self._progress else None
        if task is None:
            self.event("stage_started", stage=name)
        try:
            yield Step(self, name, task)
        except BaseException:
            if self._progress and task is not None:
                self._progress.update(task, detail=f"[red]failed[/red] {title}")
                self._progress.stop_task(task)
            raise

    def finish_step(self, name: str, task: TaskID | None, detail: str, fields: dict[str, Any]) -> None:
        if self._progress and task is not None:
            self._progress.update(task, completed=1, detail=detail)
            self._progress.stop_task(task)
        else:
            self.event("stage_done", stage=name, **fields)

    def table(self, title: str, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """A table on standard output; numbers to the right."""
        if self.mode in ("json", "quiet"):
            return
        table = RichTable(title=title, title_justify="left", title_style="bold", header_style="bold")
        for i, name in enumerate(header):
            numeric = any(isinstance(row[i], int | float) for row in rows)
            table.add_column(name, justify="right" if numeric else "left", overflow="fold")
        for row in rows:
            table.add_row(*[_cell(value) for value in row])
        # Off a terminal rich would fold at 80 columns, which breaks numbers in logs.
        width = None if sys.stdout.isatty() else 120
        RichConsole(file=sys.stdout, highlight=False, width=width).print(table)

    def _line(self, text: str) -> None:
        with self._lock:
            print(text, file=sys.stderr, flush=True)


class Step:
    """A running stage of the display."""

    def __init__(self, console: Console, name: str, task: TaskID | None) -> None:
        self._console, self._name, self._task = console, name, task

    def done(self, detail: str, **fields: Any) -> None:
        self._console.finish_step(self._name, self._task, detail, fields)


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _plain(value: Any) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if " " in text or '"' in text or not text else text


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else _escape(str(value))


def _escape(text: str) -> str:
    return text.replace("[", r"\[")
