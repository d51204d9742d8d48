"""Integrals over time and over the dropout probability.

Every integrand has pieces that are bounded by the result, so that nothing large cancels.
"""

from __future__ import annotations

from math import exp, expm1, log, log1p, sqrt
from typing import TYPE_CHECKING, Any

import numba
import numpy as np

from lifestage.numerics.special import log_beta, log_beta_ratio, power_survival

if TYPE_CHECKING:
    from lifestage.core.typing import Floats

__all__ = ["TIME_NODES", "dropout_integral", "time_nodes"]


TIME_NODES = 32
"""Nodes of the quadrature of a discounted sum."""

INTEGRAND_DROP = 36.0
"""The trapezoid rule stops where the log of the envelope is this far below its maximum.

e^-36 ≈ 2e-16 is the rounding error of a double.
"""


def time_nodes(t: Floats, scale: Floats, rate: float) -> tuple[Floats, Floats]:
    """Return nodes and weights with ∫₀ᵗ e^(−rate·s) dE(s) = Σ weight·E(node).

    E is concave with time scale *scale*. Integration by parts leaves
    e^(−rate·t)·E(t) + rate·∫₀ᵗ e^(−rate·s)·E(s) ds; the integral is Gauss–Legendre in
    ln(1 + s/scale), where E is smooth however short the scale. Its error is below 1e-10 of the sum.

    Returns
    -------
    nodes, weights : arrays, shape (n, TIME_NODES + 1); (n, 1) when the rate is zero
    """
    if rate == 0.0:
        return t[:, None], np.ones((t.size, 1))
    span = np.log1p(t / scale)[:, None]
    x, w = np.polynomial.legendre.leggauss(TIME_NODES)
    y = 0.5 * span * (x + 1.0)
    nodes = scale[:, None] * np.expm1(y)
    weights = rate * 0.5 * span * w * scale[:, None] * np.exp(y) * np.exp(-rate * nodes)
    return (
        np.concatenate([nodes, t[:, None]], axis=1),
        np.concatenate([weights, np.exp(-rate * t)[:, None]], axis=1),
    )


@numba.njit(cache=True, nogil=True)
def _trapezoid(r: Any, a: Any, b: Any, s: Any, w: Any, power: Any, log_norm: Any, out: Any) -> None:
    """Add to *out* the part of :func:`dropout_integral` that the closed-form terms leave."""
    k = s.shape[1]
    edge = np.empty(k)
    for i in range(r.size):
        reach = 0.0
        for j in range(k):
            edge[j] = -expm1(-r[i] * log1p(s[i, j]))
            reach = max(reach, (r[i] + 1.0) * s[i, j])
        if reach == 0.0:
            continue
        log_reach = log(reach)
        h = min(0.28, 0.5 * sqrt(1.0 / (a[i] + 1.0) + 1.0 / (b[i] + 1.0)))
        start = log((a[i] + 1.0) / (b[i] + 1.0))
        top = -np.inf
        total = 0.0
        for direction in (-1.0, 1.0):
            step = 0 if direction < 0.0 else 1
            while True:
                u = start + direction * step * h
                tail = log1p(exp(-abs(u)))
                log_p = min(u, 0.0) - tail
                log_q = min(-u, 0.0) - tail
                weight = a[i] * log_p + b[i] * log_q - log_norm[i]
                envelope = weight + min(0.0, log_p + log_reach) + log_q
                top = max(top, envelope)
                if envelope < top - INTEGRAND_DROP:
                    break
                p = exp(log_p)
                lead = exp(power[i] * log_q)
                value = 0.0
                for j in range(k):
                    survived = -expm1(-r[i] * log1p(p * s[i, j]))
                    value += w[i, j] * (survived / p - r[i] * s[i, j] * lead - edge[j] * p)
                total += value * exp(weight)
                step += 1
        out[i] += h * total


def dropout_integral(r: Floats, a: Floats, b: Floats, s: Floats, w: Floats) -> Floats:
    r"""Weighted sum over times of the expected purchases of a living customer; geometric dropout.

    .. math:: \sum_j w_j \int_0^1 \frac{1 - (1 + p s_j)^{-r}}{p}\; \mathrm{Beta}(p; a, b)\, dp

    The integrand is positive and has no singularity at a = 1. Its value r·s_j·(1 − p)^M near p = 0
    and its value (1 − (1 + s_j)^{-r})·p near p = 1 are integrated in closed form; both lie below
    the integrand, so nothing cancels for any a, b however small. What is left decays at both ends
    and goes to the trapezoid rule in logit(p), which converges geometrically; its step is scaled to
    the width of the Beta.

    Parameters
    ----------
    r, a, b : arrays, shape (n,)
    s, w : arrays, shape (n, k)
        Times over the scale of the rate, and their weights.

    Returns
    -------
    array, shape (n,)
        Purchases.
    """
    reach = 0.5 * (r + 1.0) * s.max(axis=1, initial=0.0)
    power = np.maximum(1.0, reach)
    with np.errstate(under="ignore"):
        near_zero = np.exp(log_beta_ratio(a, b, power)) * r * (w * s).sum(axis=1)
    near_one = a / (a + b) * (w * power_survival(r[:, None], s)).sum(axis=1)
    out = near_zero + near_one
    _trapezoid(
        r, a, b, np.ascontiguousarray(s), np.ascontiguousarray(w), power, log_beta(a, b), out
    )
    return out
