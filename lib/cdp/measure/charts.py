"""Charts as inline SVG: no script, no network, and text that stays readable at any width.

Places along the x axis are percentages of the width and nothing is scaled, so a chart fits a phone without shrinking
its labels. Hand-written, since rendering through a browser's engine would cost seconds a chart.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import NamedTuple

PALETTE = ("#1f5f8b", "#e08e45", "#5b9279", "#b4506d", "#8d7fb8", "#c9b458", "#6f7d8c", "#49a3a3")
_LEFT, _HEIGHT, _TOP, _BOTTOM = 9.0, 220, 12, 26


class Bar(NamedTuple):
    """A row of a bar chart."""

    label: str
    value: float
    text: str


def colours(names: Sequence[str]) -> dict[str, str]:
    """A colour for each name, in order."""
    return {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(names)}


def columns(
    labels: Sequence[str], series: Mapping[str, Sequence[float]], *, title: str, text: Callable[[float], str]
) -> str:
    """Stacked columns, one a label.

    Args:
        labels: below the columns, of many only some.
        series: name to its values, one a label; negative ones count as 0.
        title: what a screen reader says.
        text: a value as written on the axis and in the column's hint.
    """
    if not labels:
        return ""
    tops = [sum(max(values[i], 0.0) for values in series.values()) for i in range(len(labels))]
    ceiling, ticks = scale(max(tops))
    tint = colours(list(series))
    step = (100 - _LEFT) / len(labels)
    parts = [_open(title, _TOP + _HEIGHT + _BOTTOM)]
    for tick in ticks:
        y = _y(tick, ceiling)
        parts.append(f'<line x1="{_LEFT}%" x2="100%" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>')
        parts.append(
            f'<text x="{_LEFT - 1}%" y="{y + 4:.1f}" class="axis" text-anchor="end">{escape(text(tick))}</text>'
        )
    for i, label in enumerate(labels):
        x, below = _LEFT + step * (i + 0.12), 0.0
        for name, values in series.items():
            value = max(values[i], 0.0)
            top, bottom = _y(below + value, ceiling), _y(below, ceiling)
            hint = escape(f"{label}, {name}: {text(values[i])}")
            parts.append(
                f'<rect x="{x:.2f}%" y="{top:.1f}" width="{step * 0.76:.2f}%" height="{bottom - top:.1f}"'
                f' fill="{tint[name]}"><title>{hint}</title></rect>'
            )
            below += value
        shown = _shown(len(labels) - 1 - i, len(labels))
        parts.append(
            f'<g class="{shown}"><text x="{x + step * 0.38:.2f}%" y="{_TOP + _HEIGHT + 18}" class="axis"'
            f' text-anchor="middle">{escape(label)}</text></g>'
        )
    return "".join([*parts, "</svg>"])


def bars(rows: Sequence[Bar], *, title: str, colour: str = PALETTE[0], most: float | None = None) -> str:
    """Horizontal bars, each with its label above it and its value at the right.

    Args:
        rows: from top to bottom.
        title: what a screen reader says.
        colour: of the bars.
        most: value of a whole bar; None: the largest one.
    """
    if not rows:
        return ""
    whole = most or max(max(row.value for row in rows), 1e-12)
    parts = [_open(title, 34 * len(rows))]
    for i, row in enumerate(rows):
        y, width = 34 * i, 100 * max(row.value, 0.0) / whole
        parts.append(f'<text x="0" y="{y + 13}" class="label">{escape(row.label)}</text>')
        parts.append(f'<text x="100%" y="{y + 13}" class="value" text-anchor="end">{escape(row.text)}</text>')
        parts.append(f'<rect x="0" y="{y + 19}" width="100%" height="7" rx="2" class="track"/>')
        parts.append(f'<rect x="0" y="{y + 19}" width="{width:.2f}%" height="7" rx="2" fill="{colour}"/>')
    return "".join([*parts, "</svg>"])


def scale(most: float) -> tuple[float, list[float]]:
    """A round upper end at or above `most`, and three to six round ticks from 0 up to it."""
    if most <= 0:
        return 1.0, [0.0, 1.0]
    raw = most / 4
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(unit * m for m in (1, 2, 2.5, 5, 10) if unit * m >= raw * (1 - 1e-9))
    count = math.ceil(most / step - 1e-9)
    return step * count, [step * i for i in range(count + 1)]


def _shown(back: int, count: int) -> str:
    """The class of a label, counted from the right, so that the newest always shows: a narrow screen hides `medium`."""
    if count <= 12:
        return "medium" if back % 2 else ""
    if back % 6 == 0:
        return ""
    return "medium" if back % 3 == 0 else "never"


def _y(value: float, ceiling: float) -> float:
    return _TOP + _HEIGHT * (1 - value / ceiling)


def _open(title: str, height: int) -> str:
    # The title is an attribute, not an element: an element would show as a hint over every part of the chart.
    return f'<svg class="chart" width="100%" height="{height}" role="img" aria-label="{escape(title)}">'
