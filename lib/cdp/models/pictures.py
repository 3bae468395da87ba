"""What a person looks at before trusting a model: one picture a horizon, of the back-tests."""

from typing import TYPE_CHECKING

import numpy as np

from cdp.models.contest import Outcome
from cdp.models.likelihood import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TENTHS = 10
_BLUE, _RED, _GREY = "#2f5d8a", "#c7673b", "#8a8a8a"


def contest_picture(outcome: Outcome, actual: Floats, said: Floats, importance: dict[str, float]) -> "Figure":
    """Calibration, gains, error by tenth, candidates and importance of the chosen one.

    Args:
        outcome: the contest.
        actual, said: of the chosen one, over all back-tests: what happened and what it said, one number a row.
        importance: by reason, the mean size of what it adds to a score.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 8), layout="constrained")
    figure.suptitle(
        f"{outcome.target.name}, {outcome.horizon_days} days ahead: {outcome.chosen}, judged by {outcome.split.learn_days}"
        f" days after {', '.join(str(fold.judge) for fold in reversed(outcome.split.folds))}"
    )
    axes = figure.subplots(2, 3)
    _calibration(axes[0, 0], actual, said)
    _gains(axes[0, 1], actual, said)
    _tenths(axes[0, 2], actual, said)
    _candidates(axes[1, 0], outcome)
    _by_backtest(axes[1, 1], outcome)
    _importance(axes[1, 2], importance)
    return figure


def _parts(said: Floats) -> list[np.ndarray]:
    return np.array_split(np.argsort(said, kind="stable"), min(_TENTHS, len(said)))


def _calibration(axes: "Axes", actual: Floats, said: Floats) -> None:
    told = [said[part].mean() for part in _parts(said)]
    found = [actual[part].mean() for part in _parts(said)]
    # A mean of n outcomes strays by its standard error.
    error = [2 * actual[part].std() / np.sqrt(len(part)) for part in _parts(said)]
    end = max(*told, *found)
    axes.plot([0, end], [0, end], color=_GREY, linewidth=1, label="as said")
    axes.errorbar(told, found, yerr=error, fmt="o", color=_BLUE, capsize=2, label="as found, by tenth (2 s.e.)")
    axes.set(title="Calibration", xlabel="mean predicted", ylabel="mean found")
    axes.legend(fontsize=8)


def _gains(axes: "Axes", actual: Floats, said: Floats) -> None:
    share = np.arange(1, len(actual) + 1) / len(actual)
    total = max(float(actual.sum()), 1e-9)
    step = slice(None, None, max(len(actual) // 500, 1))
    for order, name, colour in (
        (np.argsort(-said, kind="stable"), "as ranked", _BLUE),
        (np.argsort(-actual), "best possible", _GREY),
    ):
        axes.plot(share[step], (np.cumsum(actual[order]) / total)[step], color=colour, label=name)
    axes.plot([0, 1], [0, 1], color=_GREY, linewidth=1, linestyle=":", label="at random")
    axes.set(title="Gains", xlabel="share of customers, highest first", ylabel="share of all")
    axes.legend(fontsize=8)


def _tenths(axes: "Axes", actual: Floats, said: Floats) -> None:
    parts = _parts(said)[::-1]
    mean = max(float(actual.mean()), 1e-9)
    places = np.arange(1, len(parts) + 1)
    axes.bar(places - 0.2, [actual[part].mean() / mean for part in parts], 0.4, color=_BLUE, label="found")
    axes.bar(places + 0.2, [said[part].mean() / mean for part in parts], 0.4, color=_RED, label="predicted")
    axes.axhline(1, color=_GREY, linewidth=1)
    axes.set(title="Lift and error by tenth", xlabel="tenth of customers, highest first", ylabel="times the mean found")
    axes.legend(fontsize=8)


def _candidates(axes: "Axes", outcome: Outcome) -> None:
    figure, name = outcome.target.headline
    names = sorted(outcome.metrics, key=lambda n: outcome.metrics[n][figure])
    colours = [_RED if n == outcome.chosen else _GREY if n in outcome.target.baselines else _BLUE for n in names]
    axes.barh(names, [outcome.metrics[n][figure] for n in names], color=colours)
    least = min(outcome.metrics[n][figure] for n in names)
    axes.set(title=f"{name} of candidates", xlim=(max(least - 0.1, 0), None))
    axes.tick_params(labelsize=8)


def _by_backtest(axes: "Axes", outcome: Outcome) -> None:
    figure, name = outcome.target.headline
    days = [str(fold.judge) for fold in reversed(outcome.split.folds)]
    for candidate in dict.fromkeys((outcome.chosen, *outcome.target.baselines)):
        if candidate in outcome.by_backtest:
            told = [found[figure] for found in outcome.by_backtest[candidate]]
            axes.plot(days, told, marker="o", label=candidate, color=_RED if candidate == outcome.chosen else None)
    axes.set(title=f"{name} by back-test")
    axes.tick_params(labelsize=8)
    axes.legend(fontsize=8)


def _importance(axes: "Axes", importance: dict[str, float]) -> None:
    axes.set(title="What moves scores most (mean size)")
    if not importance:
        axes.text(0.5, 0.5, "a rule: nothing but itself", ha="center", va="center")
        axes.set_axis_off()
        return
    names = sorted(importance, key=lambda n: importance[n])[-12:]
    axes.barh(names, [importance[n] for n in names], color=_BLUE)
    axes.tick_params(labelsize=8)
