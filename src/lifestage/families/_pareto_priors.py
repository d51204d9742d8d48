"""Priors of the Pareto/NBD, with τ the mean time observed.

    r                     LogNormal(median=0.5, sigma=1.5)    how alike the customers' rates are
    rate = r·τ/α          LogNormal(median=1, sigma=2)        repeat purchases of a never-leaving
                                                              customer while observed
    s                     LogNormal(median=0.5, sigma=1.5)    how alike the customers' dropout rates
                                                              are
    dropout_rate = s·τ/β  LogNormal(median=1, sigma=2)        mean dropout rate, per time observed

``alpha`` and ``beta`` (periods) can take the places of ``rate`` and ``dropout_rate``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.families.prior_quantities import Priors

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PRIORS"]


def _parameters(u: Mapping[str, Any]) -> list[Any]:
    """ln r, ln α, ln s and ln β from the quantities."""
    alpha = u["alpha"] if "alpha" in u else u["r"] - u["rate"]
    beta = u["beta"] if "beta" in u else u["s"] - u["dropout_rate"]
    return [u["r"], alpha, u["s"], beta]


_R, _ALPHA, _S, _BETA = np.eye(4)

PRIORS = Priors(
    defaults={
        "r": "LogNormal(median=0.5, sigma=1.5)",
        "rate": "LogNormal(median=1, sigma=2)",
        "s": "LogNormal(median=0.5, sigma=1.5)",
        "dropout_rate": "LogNormal(median=1, sigma=2)",
    },
    slopes={
        "r": _R,
        "rate": _R - _ALPHA,
        "alpha": _ALPHA,
        "s": _S,
        "dropout_rate": _S - _BETA,
        "beta": _BETA,
    },
    parameters=_parameters,
    replaces={"alpha": "rate", "beta": "dropout_rate"},
)
