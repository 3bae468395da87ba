"""The evidence of a link as a picture: what each field adds, from the prior to the score."""

from pathlib import Path

from cdp.identity.explain import Link


def steps(link: Link) -> list[tuple[str, float, float]]:
    """Label, where a step begins and where it ends, in bits: the prior first, then fields by how much they say."""
    prior = [(name, bits) for name, bits in link.evidence if name == "prior"]
    others = sorted((e for e in link.evidence if e[0] != "prior"), key=lambda e: -abs(e[1]))
    found, at = [], 0.0
    for name, bits in (*prior, *others):
        found.append((name, at, at + bits))
        at += bits
    return found


def draw(link: Link, path: Path) -> None:
    """Write the waterfall of a comparison as SVG, PNG or PDF, by the ending of `path`."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    parts = steps(link)
    figure, axes = pyplot.subplots(figsize=(8, 0.45 * len(parts) + 1.6))
    for row, (_, start, end) in enumerate(parts):
        axes.barh(row, end - start, left=start, color="#5b9279" if end > start else "#b4506d", height=0.6)
        axes.annotate(f"{end - start:+.1f}", (max(start, end), row), xytext=(4, 0), textcoords="offset points", va="center")
    axes.set_yticks(range(len(parts)), [name for name, _, _ in parts])
    axes.invert_yaxis()
    axes.axvline(0, color="#6f7d8c", linewidth=0.8)
    axes.set_xlabel("bits: log2 of the odds that both records are one person")
    axes.set_title(f"{link.weight:+.1f} bits, probability {link.probability:.4f}: {link.decision}", loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0.12)
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)
