"""The models of purchases until a customer leaves, by the names that settings and stored models call them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cdp.models import bgnbd, mbgnbd, pareto_nbd
from cdp.models.lifetimes import Lifetimes
from cdp.models.likelihood import Fitted, Floats

Name = Literal["bgnbd", "mbgnbd", "pareto_nbd"]


@dataclass(frozen=True)
class LifetimeModel:
    """What can be done with one of them.

    Attributes:
        make: the model of its parameters, in the order in which it declares them.
        fit: of x, tx, age and weight, the most likely model.
        estimate: the same with standard errors and likelihood.
        log_likelihood: of a model, x, tx and age.
    """

    make: Callable[..., Lifetimes]
    fit: Callable[[Floats, Floats, Floats, Floats], Lifetimes]
    estimate: Callable[[Floats, Floats, Floats, Floats], Fitted[Any]]
    log_likelihood: Callable[[Any, Floats, Floats, Floats], Floats]


LIFETIME_MODELS: Mapping[Name, LifetimeModel] = {
    "bgnbd": LifetimeModel(bgnbd.BgNbd, bgnbd.fit_bgnbd, bgnbd.estimate_bgnbd, bgnbd.log_likelihood),
    "mbgnbd": LifetimeModel(mbgnbd.MbgNbd, mbgnbd.fit_mbgnbd, mbgnbd.estimate_mbgnbd, mbgnbd.log_likelihood),
    "pareto_nbd": LifetimeModel(
        pareto_nbd.ParetoNbd, pareto_nbd.fit_pareto_nbd, pareto_nbd.estimate_pareto_nbd, pareto_nbd.log_likelihood
    ),
}
