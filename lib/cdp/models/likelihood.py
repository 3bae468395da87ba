"""Maximum likelihood over the logarithms of positive parameters: the fit, and how sure its parameters are."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

M = TypeVar("M")
Loss = Callable[[Floats], tuple[float, Floats]]

_BOUND = 8.0  # of log-parameters
_STARTS = 4  # in a narrow valley the search gives up with a wrong picture of it, which a new one from there has not
_SLOPE = 1e-5  # of the mean loss, at a minimum that was reached
_STEP = 1e-3  # of log-parameters, between two slopes
_FLAT = 1e-8  # curvature of the mean loss that differences of slopes cannot tell from none


@dataclass(frozen=True)
class Fitted(Generic[M]):
    """A fitted model, and what speaks for it.

    Attributes:
        model: the most likely one.
        standard_errors: of each parameter, in its own unit, from the observed information; None where the parameter
            stands at its bound, the likelihood is flat around it, or the fit has not converged. A parameter at its bound
            counts as known in those of the others.
        log_likelihood: of all customers, in the units of the data.
        customers: how many there were.
        is_converged: whether a small step within the bounds no longer raises the likelihood.
        bounded: parameters at their bounds: the data ask for a simpler model than this one.
    """

    model: M
    standard_errors: Mapping[str, float | None]
    log_likelihood: float
    customers: int
    is_converged: bool
    bounded: tuple[str, ...]


@dataclass(frozen=True)
class Family(Generic[M]):
    """A kind of model whose parameters are positive numbers.

    Attributes:
        make: a model of its parameters.
        evaluate: of a model and the data, the log-likelihood of each row, and its derivatives: a row a parameter.
        start: parameters to begin with, for measures of about 10 at most.
        measured: names of all parameters; True for those in the unit of the measures.
    """

    make: Callable[..., M]
    evaluate: Callable[..., tuple[Floats, Floats]]
    start: Sequence[float]
    measured: Mapping[str, bool]

    def fit(self, x: Floats, measures: Sequence[Floats], weight: Floats, unit: float) -> M:
        """The most likely model.

        Args:
            x: purchases.
            measures: times or amounts, in the order in which `evaluate` takes them after `x`.
            weight: customers with each row of data.
            unit: divides the measures during the fit, and keeps log-parameters near 0 whatever they are measured in.
        """
        loss = self._loss(x, measures, weight, unit)
        return self._model(minimum(loss, self.start)[0], unit)

    def estimate(self, x: Floats, measures: Sequence[Floats], weight: Floats, unit: float) -> Fitted[M]:
        """The same with standard errors; arguments as for `fit`."""
        loss = self._loss(x, measures, weight, unit)
        logs, is_converged = minimum(loss, self.start)
        model, customers, scale = self._model(logs, unit), float(weight.sum()), self._scale(unit)
        is_bound = np.abs(logs) >= _BOUND - 1e-6
        errors = standard_errors(loss, logs, ~is_bound & is_converged, customers)
        return Fitted(
            model=model,
            standard_errors={
                name: None if error is None else error * float(by)
                for name, error, by in zip(self.measured, errors, scale, strict=True)
            },
            log_likelihood=float(self.evaluate(model, x, *measures)[0] @ weight),
            customers=round(customers),
            is_converged=is_converged,
            bounded=tuple(name for name, bound in zip(self.measured, is_bound, strict=True) if bound),
        )

    def _loss(self, x: Floats, measures: Sequence[Floats], weight: Floats, unit: float) -> Loss:
        data, share = (x, *[measure / unit for measure in measures]), weight / weight.sum()

        def loss(logs: Floats) -> tuple[float, Floats]:
            values, slopes = self.evaluate(self.make(*np.exp(logs)), *data)
            return -float(values @ share), -(slopes @ share) * np.exp(logs)

        return loss

    def _model(self, logs: Floats, unit: float) -> M:
        return self.make(*[float(value) for value in np.exp(logs) * self._scale(unit)])

    def _scale(self, unit: float) -> Floats:
        return np.array([unit if is_measured else 1.0 for is_measured in self.measured.values()])


def minimum(loss: Loss, start: Sequence[float]) -> tuple[Floats, bool]:
    """Logarithms of the parameters that make a loss smallest, and whether it is flat there, as far as the bounds allow.

    Args:
        loss: of the logarithms of the parameters: its value and its slope.
        start: parameters to begin with.
    """
    from scipy.optimize import minimize

    logs = np.log(start)
    for _ in range(_STARTS):
        found: Any = minimize(
            loss,
            logs,
            jac=True,
            method="L-BFGS-B",
            bounds=[(-_BOUND, _BOUND)] * len(start),
            options={"ftol": 1e-14, "gtol": 1e-9},
        )
        logs = np.asarray(found.x)
        if np.abs(logs - np.clip(logs - found.jac, -_BOUND, _BOUND)).max() < _SLOPE:
            return logs, True
    return logs, False


def standard_errors(loss: Loss, logs: Floats, is_free: NDArray[np.bool_], customers: float) -> list[float | None]:
    """Standard errors of parameters at a minimum of the mean loss; None where there is none to tell.

    The observed information is the Hessian in log-parameters, from differences of the slope; from there to the parameters by
    the delta method.

    Args:
        loss: of the logarithms of the parameters: its value and its slope.
        logs: where it is smallest.
        is_free: False for parameters that count as known.
        customers: over which the loss is a mean.
    """
    free = np.flatnonzero(is_free)
    if not len(free):
        return [None] * len(logs)
    steps = _STEP * np.eye(len(logs))[free]
    hessian = np.array([(loss(logs + step)[1] - loss(logs - step)[1])[free] / (2 * _STEP) for step in steps])
    curvature, direction = np.linalg.eigh((hessian + hessian.T) / 2)
    is_flat = curvature <= _FLAT
    variance = (direction[:, ~is_flat] ** 2 / curvature[~is_flat]).sum(axis=1) / customers
    is_known = (direction[:, is_flat] ** 2).sum(axis=1) < 1e-3
    errors: list[float | None] = [None] * len(logs)
    for place, of_log, known in zip(free, np.sqrt(variance), is_known, strict=True):
        errors[place] = float(np.exp(logs[place]) * of_log) if known else None
    return errors
