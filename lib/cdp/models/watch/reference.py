"""What a model was trained on and what it said then, as histograms: counts alone, nothing of a customer."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError, model_validator

from cdp.base.errors import CdpError

BINS = 10
"""Bins of about equal counts, where so many different values allow them."""

Count = Annotated[int, Field(ge=0)]
Score = Literal["ltv", "churn_probability"]


class Histogram(BaseModel):
    """How values spread.

    Bin i holds the values above edge i-1 and up to edge i; the first has no lower end and the last no upper one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    edges: tuple[FiniteFloat, ...]
    counts: tuple[Count, ...]
    missing: Count

    @model_validator(mode="after")
    def _is_whole(self) -> "Histogram":
        if len(self.counts) != len(self.edges) + 1:
            raise ValueError(f"wanted a count more than edges ({len(self.edges)}), found {len(self.counts)}")
        if any(a >= b for a, b in zip(self.edges, self.edges[1:], strict=False)):
            raise ValueError("wanted edges in rising order")
        return self

    @property
    def present(self) -> int:
        """Customers with a value."""
        return sum(self.counts)

    @property
    def total(self) -> int:
        """All customers."""
        return self.present + self.missing

    @property
    def all_counts(self) -> np.ndarray:
        """Counts of the bins, and of customers without a value last."""
        return np.array([*self.counts, self.missing], dtype=float)


class Reference(BaseModel):
    """What is kept beside a registered model, to hold its later input and output against.

    Attributes:
        score: the column of scores that the model gives.
        trained_on: the run's date of the training.
        features: by name, of all customers (or a sample of them) as of the newest day that it was judged by.
        scores: by horizon in days, of what it said on the day that it was judged by.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    score: Score
    trained_on: date
    features: Mapping[str, Histogram]
    scores: Mapping[int, Histogram]

    def to_json(self) -> str:
        """As text; the same reference gives the same text."""
        return self.model_dump_json()

    @classmethod
    def from_json(cls, text: str, *, model: str) -> "Reference":
        """From `to_json`.

        Args:
            text: the content of the artifact.
            model: registered model and version, for the message.

        Raises:
            CdpError: it is none.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"]) or "the whole"
            raise CdpError(
                f"{model}: its reference histograms cannot be read: {place}: {first['msg']}; `train` makes new ones"
            ) from None


def reference(features: pd.DataFrame, scores: Mapping[int, Any], *, score: Score, trained_on: date) -> Reference:
    """The histograms of a training.

    Args:
        features: a column a feature; a row a customer, as of the newest day that the models were judged by. Rows of several
            days would be no independent ones, and older days are further from today.
        scores: by horizon in days, what the model said of each customer on the day that it was judged by.
        score: the column of scores that the model gives.
        trained_on: the run's date.
    """
    return Reference(
        score=score,
        trained_on=trained_on,
        features={str(name): histogram(features[name].to_numpy(dtype=float)) for name in features.columns},
        scores={int(h): histogram(np.asarray(values, dtype=float)) for h, values in sorted(scores.items())},
    )


def histogram(values: np.ndarray) -> Histogram:
    """A histogram with at most some `BINS` bins of about equal counts; what is no finite number is missing.

    A value that alone fills a bin (0 of a feature that is mostly 0, the only value of a constant one) has it to itself,
    and what is left over is shared out among the bins that are left.
    """
    known = values[np.isfinite(values)]
    edges = _edges(*np.unique(known, return_counts=True)) if len(known) else ()
    counts = np.bincount(np.searchsorted(edges, known, side="left"), minlength=len(edges) + 1)
    return Histogram(edges=edges, counts=tuple(int(c) for c in counts), missing=len(values) - len(known))


def _edges(values: np.ndarray, counts: np.ndarray) -> tuple[float, ...]:
    ends = np.cumsum(counts)
    edges: list[float] = []
    first, bins_left, fills_it = 0, BINS, False
    while first < len(values):
        before = ends[first - 1] if first else 0
        wanted = (ends[-1] - before) / max(bins_left, 1)
        last = min(int(np.searchsorted(ends, before + wanted)), len(values) - 1)
        fills_it = bool(counts[last] >= wanted)
        if fills_it and last > first:
            last, fills_it = last - 1, False
        elif fills_it and not edges:
            edges.append(float(np.nextafter(values[last], -np.inf)))
        edges.append(float(values[last]))
        first, bins_left = last + 1, bins_left - 1
    # The greatest value is one customer's, unless many share it: the last bin stays open.
    kept = edges if fills_it else edges[:-1]
    return tuple(edge for edge in kept if np.isfinite(edge))
