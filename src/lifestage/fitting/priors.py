"""Weakly informative priors on scale-free quantities, so that a fit does not depend on the units of time or money.

Purchases, with τ the mean time observed of the base:

    ln r ~ Normal(ln 0.5, 1.5)             how alike the customers' rates are
    ln (r·τ/α) ~ Normal(0, 2)              repeat purchases that a never-leaving customer makes while observed
    ln (a/b) ~ Normal(ln 0.33, 1.5)        odds of the mean dropout chance (mean about 25 %, 90 % within 3–80 %)
    ln (a + b) ~ Normal(ln 4, 1.5)         how alike the customers' dropout chances are

Spend, with μ the mean spend of the base:

    ln p ~ Normal(ln 4, 1.5)               regularity of one customer's spends
    ln q ~ Normal(ln 4, 0.7)               how alike the customers' mean spends are
    ln (v·p/(μ·q)) ~ Normal(0, 1)          typical spend, near the observed mean

Each is a density of the logarithms of the parameters (a linear map of them but for a + b), the scale on which the
mode, the Hessian and the posterior live.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["DESCRIPTIONS", "LogPrior", "log_prior", "sample_prior"]

Floats = NDArray[np.float64]
LogPrior = Callable[[Floats], tuple[float, Floats]]

PURCHASES = {"r": (np.log(0.5), 1.5), "rate": (0.0, 2.0), "odds": (np.log(0.33), 1.5), "size": (np.log(4.0), 1.5)}
SPEND = {"p": (np.log(4.0), 1.5), "q": (np.log(4.0), 0.7), "level": (0.0, 1.0)}

DESCRIPTIONS = {
    "purchases": {
        "r": "ln r ~ Normal(ln 0.5, 1.5)",
        "rate": "ln(r·mean T/alpha) ~ Normal(0, 2)",
        "odds": "ln(a/b) ~ Normal(ln 0.33, 1.5)",
        "size": "ln(a + b) ~ Normal(ln 4, 1.5)",
    },
    "spend": {
        "p": "ln p ~ Normal(ln 4, 1.5)",
        "q": "ln q ~ Normal(ln 4, 0.7)",
        "level": "ln(v·p/(mean spend·q)) ~ Normal(0, 1)",
    },
}


def _normal(values: Floats, spec: dict[str, tuple[float, float]], jacobian: Floats) -> tuple[float, Floats]:
    mean, sd = np.array(list(spec.values())).T
    z = (values - mean) / sd
    density = -0.5 * z @ z - np.log(sd).sum() - 0.5 * z.size * np.log(2 * np.pi)
    return float(density), -(z / sd) @ jacobian


def _purchases(theta: Floats) -> tuple[float, Floats]:
    """Log prior and gradient at theta = ln(r, α/τ, a, b)."""
    r, alpha, a, b = theta
    share = 1.0 / (1.0 + np.exp(b - a))
    values = np.array([r, r - alpha, a - b, np.logaddexp(a, b)])
    jacobian = np.array([[1, 0, 0, 0], [1, -1, 0, 0], [0, 0, 1, -1], [0, 0, share, 1 - share]], float)
    return _normal(values, PURCHASES, jacobian)


def _spend(theta: Floats) -> tuple[float, Floats]:
    """Log prior and gradient at theta = ln(p, q, v/μ)."""
    p, q, v = theta
    jacobian = np.array([[1, 0, 0], [0, 1, 0], [1, -1, 1]], float)
    return _normal(np.array([p, q, v + p - q]), SPEND, jacobian)


def log_prior(kind: str) -> LogPrior:
    """Return the log prior density and its gradient in the scaled log parameters of ``"purchases"`` or ``"spend"``."""
    return {"purchases": _purchases, "spend": _spend}[kind]


def sample_prior(kind: str, size: int, seed: int | np.random.Generator) -> Floats:
    """Draw the scaled log parameters of ``"purchases"`` or ``"spend"`` from their prior, shape (size, k).

    Examples
    --------
    >>> sample_prior("spend", 5, seed=1).shape
    (5, 3)
    """
    spec = {"purchases": PURCHASES, "spend": SPEND}[kind]
    mean, sd = np.array(list(spec.values())).T
    drawn = (mean + sd * np.random.default_rng(seed).standard_normal((size, len(spec)))).T
    if kind == "purchases":
        r, rate, odds, both = drawn
        return np.stack([r, r - rate, both - np.logaddexp(0.0, -odds), both - np.logaddexp(0.0, odds)], axis=1)
    p, q, level = drawn
    return np.stack([p, q, level - p + q], axis=1)
