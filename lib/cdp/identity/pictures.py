"""What resolution has learnt and linked, as pictures."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOURS = {"accepted": "#5b9279", "review": "#e0a458", "refused": "#b4506d"}


def weights_picture(rows: Sequence[Mapping[str, Any]]) -> "Figure":
    """What each level of each field is worth, where nothing is known of the fields that it depends on.

    Args:
        rows: of `identity.parameters`.
    """
    from matplotlib.figure import Figure

    shown: dict[str, list[tuple[str, float]]] = {}
    for row in rows:
        if all(part.endswith("missing") for part in row["said"].split(", ") if part) and row["field"] != "*":
            shown.setdefault(row["field"], []).append((row["level"], row["weight"]))
    bars = [(f"{field}: {level}", weight) for field, levels in shown.items() for level, weight in levels]
    figure = Figure(figsize=(8, 0.22 * len(bars) + 1.2), layout="constrained")
    axes = figure.subplots()
    axes.barh(range(len(bars)), [w for _, w in bars], color=[_COLOURS["accepted" if w > 0 else "refused"] for _, w in bars])
    axes.set_yticks(range(len(bars)), [name for name, _ in bars], fontsize=7)
    axes.set_ylim(len(bars) - 0.4, -0.6)
    axes.axvline(0, color="#6f7d8c", linewidth=0.8)
    axes.set_xlabel("bits for (right) or against one person, nothing known of other fields")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def links_picture(counts: Sequence[Mapping[str, Any]]) -> "Figure":
    """How many compared pairs have which weight, and what was done with them.

    Args:
        counts: bits (whole), decision, pairs.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    bits = sorted({row["bits"] for row in counts})
    below = dict.fromkeys(bits, 0)
    for decision, colour in _COLOURS.items():
        found = {row["bits"]: row["pairs"] for row in counts if row["decision"] == decision}
        axes.bar(bits, [found.get(b, 0) for b in bits], bottom=[below[b] for b in bits], color=colour, label=decision)
        below = {b: below[b] + found.get(b, 0) for b in bits}
    axes.set_ylim(0, 1.05 * max(below.values(), default=1))
    axes.set_xlabel("log2 odds that both records are one person")
    axes.set_ylabel("pairs")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure
