"""What resolution has learnt and linked, as pictures; in a notebook they show themselves, elsewhere `savefig` writes them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cdp.identity.evaluate import Point
from cdp.identity.explain import Link, steps

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


def evidence_picture(link: Link) -> "Figure":
    """What each field adds to the score of two records, from the prior on."""
    from matplotlib.figure import Figure

    parts = steps(link)
    figure = Figure(figsize=(8, 0.45 * len(parts) + 1.6), layout="constrained")
    axes = figure.subplots()
    for row, (_, start, end) in enumerate(parts):
        axes.barh(row, end - start, left=start, color=_COLOURS["accepted" if end > start else "refused"], height=0.6)
        axes.annotate(f"{end - start:+.1f}", (max(start, end), row), xytext=(4, 0), textcoords="offset points", va="center")
    axes.set_yticks(range(len(parts)), [name for name, _, _ in parts])
    axes.invert_yaxis()
    axes.axvline(0, color="#6f7d8c", linewidth=0.8)
    axes.set_xlabel("bits: log2 of the odds that both records are one person")
    axes.set_title(f"{link.weight:+.1f} bits, probability {link.probability:.4f}: {link.decision}", loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0.12)
    return figure


def curve_picture(points: Sequence[Point]) -> "Figure":
    """Precision, recall and F1 by threshold."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    weights = [point.weight for point in points]
    for name, colour in (("precision", "#5b9279"), ("recall", "#b4506d"), ("f1", "#3d5a80")):
        axes.plot(weights, [getattr(point.scores, name) for point in points], label=name.upper() if name == "f1" else name, color=colour)
    axes.set_xlabel("threshold in bits: pairs that weigh at least as much are linked")
    axes.set_title("Compared pairs by themselves, without clustering", loc="left")
    axes.set_ylim(0, 1.02)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, loc="center right")
    axes.spines[["top", "right"]].set_visible(False)
    return figure
