"""How well the models predict CDNOW's customers, beside the Python package lifetimes on the same histories.

    python benchmarks/models/cdnow.py [--data ../shared/data] [--no-lifetimes]

The published sample: 2,357 people who bought first in early 1997, 39 weeks to learn from, and the 39 weeks after to judge
by. Printed are, for the purchase days of those weeks, the mean absolute error, its root mean square, the correlation and the
error of the total; and for churn (no purchase day in those weeks) the ROC AUC of three scores: the probability of a purchase,
purchases to expect, and the probability of not having left. Seconds of cdp are with standard errors. lifetimes gets an environment of its own in `.cache/lifetimes` on
the first call; where that cannot be made, its rows are left out.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "lib"))

WEEKS = 39
LEARNED, JUDGED = pd.Timestamp("1997-09-30"), pd.Timestamp("1998-06-30")
PYTHON = PROJECT / ".cache" / "lifetimes" / "bin" / "python"
LIFETIMES = ("lifetimes==0.11.3", "numpy==1.26.4", "pandas==2.0.3", "scipy==1.11.4", "setuptools<81")
SCORES = ("buys", "purchases", "alive")
FIGURES = {
    "seconds": ".2f",
    "likelihood": ".2f",
    "MAE": ".4f",
    "RMSE": ".4f",
    "corr.": ".4f",
    "total %": "+.1f",
    **{f"AUC {score}": ".4f" for score in SCORES},
}


def histories(data: Path) -> pd.DataFrame:
    """x, tx and age of each customer in weeks, and purchase days of the weeks after."""
    names = ["master", "customer", "day", "discs", "value"]
    path = data / "retail" / "cdnow" / "CDNOW_sample.txt"
    if not path.exists():
        sys.exit(f"the public data set is not at {path}; see --data")
    rows = pd.read_csv(path, sep=r"\s+", header=None, names=names)
    rows["day"] = pd.to_datetime(rows["day"], format="%Y%m%d")
    days = rows[["customer", "day"]].drop_duplicates()
    before = days[days["day"] <= LEARNED].groupby("customer")["day"].agg(["size", "min", "max"])
    after = days[(days["day"] > LEARNED) & (days["day"] <= JUDGED)].groupby("customer").size()
    return pd.DataFrame(
        {
            "x": before["size"] - 1.0,
            "tx": (before["max"] - before["min"]).dt.days / 7,
            "age": (LEARNED - before["min"]).dt.days / 7,
            "bought": after.reindex(before.index, fill_value=0).astype(float),
        }
    )


def ours(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """What each of our models predicts; prints the parameters with their standard errors."""
    from cdp.models.lifetime_models import LIFETIME_MODELS

    history = [rows[name].to_numpy() for name in ("x", "tx", "age")]
    found = []
    for name, kind in LIFETIME_MODELS.items():
        began = time.perf_counter()
        fitted = kind.estimate(*history, np.ones(len(rows)))
        seconds, model = time.perf_counter() - began, fitted.model
        errors = {key: "-" if error is None else f"{error:.4f}" for key, error in fitted.standard_errors.items()}
        print(f"{name:10} " + ", ".join(f"{key} {value:.4f} (+-{errors[key]})" for key, value in vars(model).items()))
        found.append(
            {
                "name": f"cdp {name}",
                "seconds": seconds,
                "likelihood": fitted.log_likelihood,
                "purchases": model.purchases(*history, WEEKS),
                "buys": model.buys(*history, WEEKS),
                "alive": model.alive(*history),
            }
        )
    return found


def plain(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Without a model: the rate so far goes on; and the time since the last purchase, which only ranks."""
    quiet = rows["age"] - rows["tx"]
    rate = (rows["x"] / rows["age"] * WEEKS).to_numpy()
    return [
        {"name": "rate so far", "purchases": rate},
        {"name": "recency", "buys": -quiet.to_numpy()},
    ]


def theirs(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """The same of lifetimes; nothing where it cannot be run."""
    from cdp.models.lifetime_models import LIFETIME_MODELS

    with tempfile.TemporaryDirectory() as folder:
        given, answer = Path(folder) / "histories.csv", Path(folder) / "predicted.json"
        rows.to_csv(given)
        failed = environment() or _failure([str(PYTHON), __file__, "--peer", str(given), str(answer)])
        if failed:
            print(f"lifetimes is left out: {failed}")
            return []
        found: list[dict[str, Any]] = json.loads(answer.read_text(encoding="utf-8"))
    history = [rows[name].to_numpy() for name in ("x", "tx", "age")]
    for row in found:
        kind = LIFETIME_MODELS[row["name"]]
        row["likelihood"] = kind.log_likelihood(kind.make(*row.pop("parameters")), *history).sum()
        row |= {"name": f"lifetimes {row['name']}", **{key: np.array(row[key]) for key in ("purchases", "alive")}}
    return found


def environment() -> str:
    """Make the environment of lifetimes, where it is not there; why it cannot be made, or nothing."""
    if not _failure([str(PYTHON), "-c", "import lifetimes"]):
        return ""
    print(f"making an environment for {LIFETIMES[0]} ...", flush=True)
    return _failure([sys.executable, "-m", "venv", "--clear", str(PYTHON.parents[1])]) or _failure(
        [str(PYTHON), "-m", "pip", "install", "--quiet", *LIFETIMES]
    )


def _failure(call: list[str]) -> str:
    """The last thing that a program said before it failed; nothing where it did not."""
    try:
        done = subprocess.run(call, capture_output=True, text=True)
    except FileNotFoundError:
        return f"{call[0]} is not there"
    return (done.stderr.strip().splitlines() or ["no reason was given"])[-1] if done.returncode else ""


def peer(given: str, answer: str) -> None:
    """lifetimes, in an environment of its own. Only its Pareto/NBD has a probability of a purchase, so that is left out."""
    import lifetimes

    rows = pd.read_csv(given)
    history, found = (rows["x"], rows["tx"], rows["age"]), []
    for name, kind in (
        ("bgnbd", lifetimes.BetaGeoFitter),
        ("mbgnbd", lifetimes.ModifiedBetaGeoFitter),
        ("pareto_nbd", lifetimes.ParetoNBDFitter),
    ):
        began = time.perf_counter()
        fitter = kind().fit(*history)
        found.append(
            {
                "name": name,
                "seconds": time.perf_counter() - began,
                "parameters": list(fitter.params_),
                "purchases": list(fitter.conditional_expected_number_of_purchases_up_to_time(WEEKS, *history)),
                "alive": list(np.asarray(fitter.conditional_probability_alive(*history))),
            }
        )
    Path(answer).write_text(json.dumps(found), encoding="utf-8")


def judged(bought: np.ndarray, row: dict[str, Any]) -> dict[str, float]:
    """How good predictions are."""
    from sklearn.metrics import roc_auc_score

    figures = {key: row[key] for key in ("seconds", "likelihood") if key in row}
    figures |= {f"AUC {score}": roc_auc_score(bought == 0, -row[score]) for score in SCORES if score in row}
    if "purchases" in row:
        off = row["purchases"] - bought
        figures |= {"MAE": np.abs(off).mean(), "RMSE": np.sqrt((off**2).mean())}
        figures |= {"corr.": np.corrcoef(row["purchases"], bought)[0, 1], "total %": 100 * off.sum() / bought.sum()}
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, default=PROJECT.parent / "shared" / "data", help="folder of public data sets"
    )
    parser.add_argument("--no-lifetimes", action="store_true", help="leave the package lifetimes out")
    parser.add_argument("--peer", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peer:
        peer(*arguments.peer)
        return
    rows = histories(arguments.data)
    bought = rows["bought"].to_numpy()
    print(
        f"{len(rows):,} customers, {bought.sum():,.0f} purchase days to predict, {(bought == 0).mean():.1%} without any"
    )
    found = [*ours(rows), *([] if arguments.no_lifetimes else theirs(rows)), *plain(rows)]
    print(f"{'':20}" + "".join(f"{name:>14}" for name in FIGURES))
    for row in found:
        figures = judged(bought, row)
        cells = [f"{figures[name]:{form}}" if name in figures else "-" for name, form in FIGURES.items()]
        print(f"{row['name']:20}" + "".join(f"{cell:>14}" for cell in cells))


if __name__ == "__main__":
    main()
