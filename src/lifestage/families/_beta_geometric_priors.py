"""Priors of the BG/NBD and MBG/NBD, with τ the mean time observed.

    r                    LogNormal(median=0.5, sigma=1.5)     how alike the customers' rates are
    rate = r·τ/α         LogNormal(median=1, sigma=2)         repeat purchases of a never-leaving
                                                              customer while observed
    odds = a/b           LogNormal(median=0.33, sigma=1.5)    odds of the mean dropout probability
                                                              (90 % within 3–80 %)
    size = a + b         LogNormal(median=4, sigma=1.5)       how alike the customers' dropout
                                                              probabilities are

``alpha`` (periods) can take the place of ``rate``, ``dropout`` = a/(a + b) that of ``odds``, ``a``
and ``b`` those of ``odds`` and ``size``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.families.prior_quantities import Priors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifestage.core.typing import Floats

__all__ = ["PRIORS"]


def _size(theta: Floats) -> tuple[float, Floats]:
    """ln(a + b) and its derivatives."""
    a, b = theta[2:]
    share = 1.0 / (1.0 + np.exp(b - a))
    return float(np.logaddexp(a, b)), np.array([0.0, 0.0, share, 1.0 - share])


def _parameters(u: Mapping[str, Any]) -> list[Any]:
    """ln r, ln α, ln a and ln b from the quantities."""
    alpha = u["alpha"] if "alpha" in u else u["r"] - u["rate"]
    if "a" in u:
        return [u["r"], alpha, u["a"], u["b"]]
    odds, size = u["dropout"] if "dropout" in u else u["odds"], u["size"]
    return [u["r"], alpha, size - np.logaddexp(0.0, -odds), size - np.logaddexp(0.0, odds)]


_R, _ALPHA, _A, _B = np.eye(4)

PRIORS = Priors(
    defaults={
        "r": "LogNormal(median=0.5, sigma=1.5)",
        "rate": "LogNormal(median=1, sigma=2)",
        "odds": "LogNormal(median=0.33, sigma=1.5)",
        "size": "LogNormal(median=4, sigma=1.5)",
    },
    slopes={
        "r": _R,
        "rate": _R - _ALPHA,
        "alpha": _ALPHA,
        "odds": _A - _B,
        "dropout": _A - _B,
        "size": np.zeros(4),
        "a": _A,
        "b": _B,
    },
    parameters=_parameters,
    replaces={"alpha": "rate", "dropout": "odds", "a": "odds", "b": "size"},
    shares=frozenset({"dropout"}),
    together=("a", "b"),
    curved={"size": _size},
)
