r"""P(a living customer does not drop out within a time), for a Beta dropout probability.

.. math:: \int_0^1 (1 + p\,z)^{-R}\, \mathrm{Beta}(p; a, b)\, dp,
          \quad z = t / \text{scale of the Gamma rate}

Where it is more than a half, it is 1 − a/(a + b) times the expected purchases of a customer with
Beta(a + 1, b), which is exact near 1. Elsewhere the trapezoid rule in logit(p) sums the integrand,
which is positive and has one peak.
"""

from __future__ import annotations

from math import exp, log, log1p, sqrt
from typing import TYPE_CHECKING, Any

import numba
import numpy as np

from lifestage.numerics import quadrature, special

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from lifestage.core.typing import Floats

__all__ = ["dropout_survival"]

DROP = 36.0
"""The sum ends where the log integrand is this far below its peak (e^-36 ≈ 2e-16)."""

FARTHEST = 700.0
"""Log odds of p between which the peak is searched."""


@numba.njit(cache=True, nogil=True)
def _log_integrand(u: Any, R: Any, a: Any, b: Any, z: Any) -> Any:
    """Logarithm of the integrand times dp/du, without 1/B(a, b); u are the log odds of p."""
    tail = log1p(exp(-abs(u)))
    log_p, log_q = min(u, 0.0) - tail, -max(u, 0.0) - tail
    return a * log_p + b * log_q - R * log1p(exp(log_p) * z)


@numba.njit(cache=True, nogil=True)
def _peak(R: Any, a: Any, b: Any, z: Any) -> Any:
    """Where the log integrand is highest, to a part of its width, and half that width."""
    low, high, u, width = -FARTHEST, FARTHEST, 0.0, 1.0
    for _ in range(60):
        u = 0.5 * (low + high)
        p = 1.0 / (1.0 + exp(-u))
        q = 1.0 / (1.0 + exp(u))
        one = 1.0 + p * z
        slope = a * q - b * p - R * z * p * q / one
        curve = p * q * (a + b + R * z * (q - p - z * p * p) / one**2)
        width = 0.5 / sqrt(max(curve, 1e-9))
        if high - low < min(1.0, width):
            break
        if slope > 0.0:
            low = u
        else:
            high = u
    return u, min(0.28, width)


@numba.njit(cache=True, nogil=True)
def _log_integral(R: Any, a: Any, b: Any, z: Any) -> Any:
    """Logarithm of B(a, b) times the integral, by the trapezoid rule from the peak outwards."""
    start, step = _peak(R, a, b, z)
    top = _log_integrand(start, R, a, b, z)
    total = 1.0
    for direction in (-1.0, 1.0):
        u, value = start, top
        while value > top - DROP:
            u += direction * step
            value = _log_integrand(u, R, a, b, z)
            total += exp(value - top)
    return top + log(total * step)


_log_integrals = numba.vectorize(cache=True)(_log_integral.py_func)  # type: ignore[no-untyped-call]


def dropout_survival(R: ArrayLike, a: ArrayLike, b: ArrayLike, z: ArrayLike) -> Floats:
    """Return the integral for arguments that broadcast; R is the shape of the Gamma rate."""
    columns = (np.asarray(v, float) for v in (R, a, b, z))
    arrays = np.broadcast_arrays(*columns)
    R_, a_, b_, z_ = (np.ascontiguousarray(v).ravel() for v in arrays)
    purchases = quadrature.dropout_integral(R_, a_ + 1.0, b_, z_[:, None], np.ones((z_.size, 1)))
    survival = 1.0 - a_ / (a_ + b_) * purchases
    low = np.flatnonzero(survival < 0.5)
    if low.size:
        R_, a_, b_, z_ = R_[low], a_[low], b_[low], z_[low]
        survival[low] = np.exp(_log_integrals(R_, a_, b_, z_) - special.log_beta(a_, b_))
    return np.asarray(survival.reshape(arrays[0].shape))
