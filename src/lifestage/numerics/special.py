"""Gamma and beta ratios without cancellation, the dropout integral, guarded elementary functions.

Everything works in logs where a factor may overflow, and every integral has an integrand whose
pieces are bounded by the result, so that nothing large cancels.
"""

from __future__ import annotations

from math import exp, expm1, log, log1p, sqrt
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
from scipy import special

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from lifestage.core.typing import Floats

__all__ = [
    "clip_probability",
    "dropout_integral",
    "log_beta",
    "log_beta_ratio",
    "log_rising",
    "mean_over_draws",
    "negative_binomial_pmf",
    "negative_binomial_sf",
    "power_survival",
    "sigmoid",
    "smallest_count",
    "sum_over_draws",
    "time_nodes",
]


TINY = float(np.finfo(np.float64).tiny)
"""The smallest normal double; a positive probability that underflows is raised to it."""

CERTAIN = 1e-15
"""Distance that probabilities keep from 0 and 1 in log losses and recalibration."""

STIRLING_FROM = 16.0
"""Stirling's series with four terms is exact to 1e-14 from here on."""

INTEGRAND_DROP = 36.0
"""The trapezoid rule stops where the log of the envelope is this far below its maximum.

e^-36 ≈ 2e-16 is the rounding error of a double.
"""

COUNT_LIMIT = 2.0**52
"""Counts are doubles; a quantile beyond this is no longer an exact integer and the search stops."""


def clip_probability(p: ArrayLike) -> Floats:
    """Keep probabilities within [1e-15, 1 − 1e-15], where ln p and ln(1 − p) are finite.

    Examples
    --------
    >>> clip_probability([0.0, 0.5]).tolist()
    [1e-15, 0.5]
    """
    return np.asarray(np.clip(np.asarray(p, float), CERTAIN, 1 - CERTAIN))


def _stirling(z: Floats) -> Floats:
    """Stirling's correction lnΓ(z) − ((z − ½) ln z − z + ½ ln 2π) for z ≥ ``STIRLING_FROM``."""
    w = 1.0 / (z * z)
    return (1 / 12 - w * (1 / 360 - w * (1 / 1260 - w * (1 / 1680 - w / 1188)))) / z


def log_rising(z: ArrayLike, n: ArrayLike) -> Floats:
    """Return ln Γ(z + n) − ln Γ(z) for real z > 0, n ≥ 0.

    It avoids the cancellation of a plain difference.

    Examples
    --------
    >>> float(np.exp(log_rising(3.0, 2.0)).round(9))
    12.0
    """
    z, n = np.broadcast_arrays(np.asarray(z, float), np.asarray(n, float))
    shift = np.zeros(z.shape)
    low = z < STIRLING_FROM
    if low.any():
        zl, nl = z[low], n[low]
        sums = np.zeros(zl.shape)
        # One by one: numpy orders a sum over an axis by how many columns there are.
        for i in range(int(STIRLING_FROM)):
            sums += np.log1p(nl / (zl + i))
        shift[low] = sums
    big = np.where(low, z + STIRLING_FROM, z)
    top = big + n
    return np.asarray(
        (big - 0.5) * np.log1p(n / big)
        + n * (np.log(top) - 1.0)
        + _stirling(top)
        - _stirling(big)
        - shift
    )


def log_beta(a: ArrayLike, b: ArrayLike) -> Floats:
    """Return ln B(a, b) for positive a, b of any size."""
    small, large = np.minimum(a, b), np.maximum(a, b)
    return np.asarray(special.gammaln(small) - log_rising(large, small))


def log_beta_ratio(a: ArrayLike, b: ArrayLike, n: ArrayLike) -> Floats:
    """Return ln B(a, b + n) − ln B(a, b) for real n ≥ 0.

    It is the log probability of surviving n dropouts whose probability is Beta(a, b).
    """
    a, b, n = np.broadcast_arrays(np.asarray(a, float), np.asarray(b, float), np.asarray(n, float))
    # Symmetric in a and n: the smaller one is the exact increment.
    step, gap = np.minimum(a, n), np.maximum(a, n)
    return np.asarray(log_rising(b, step) - log_rising(b + gap, step))


def sigmoid(log_odds: ArrayLike) -> Floats:
    """Return 1/(1 + e^(−log_odds)), exact at both ends."""
    return np.asarray(special.expit(np.asarray(log_odds, float)))


def power_survival(exponent: ArrayLike, ratio: ArrayLike) -> Floats:
    """Return 1 − (1 + ratio)^(−exponent), exact for small ratios.

    It is the probability that a Lomax wait is at most ratio · scale.
    """
    return np.asarray(-np.expm1(-np.asarray(exponent, float) * np.log1p(ratio)))


def negative_binomial_pmf(n: ArrayLike, r: ArrayLike, s: ArrayLike) -> Floats:
    """P(N = n) = Γ(r + n)/(Γ(r) n!)·(1 + s)^(−r)·(s/(1 + s))^n.

    N is a Poisson count whose mean is Gamma distributed with shape r and mean r·s.
    """
    n, r, s = np.asarray(n, float), np.asarray(r, float), np.asarray(s, float)
    log_q = special.xlogy(n, s) - special.xlog1py(n, s)
    return np.asarray(np.exp(log_rising(r, n) - special.gammaln(n + 1.0) - r * np.log1p(s) + log_q))


def negative_binomial_sf(n: ArrayLike, r: ArrayLike, s: ArrayLike) -> Floats:
    """P(N ≥ n) of the count of :func:`negative_binomial_pmf`.

    It is the regularised incomplete beta function I_{s/(1+s)}(n, r).
    """
    n, r, s = np.broadcast_arrays(np.asarray(n, float), np.asarray(r, float), np.asarray(s, float))
    at = np.maximum(n, 1.0)
    sf = np.where(
        s < 1.0, special.betainc(at, r, s / (1.0 + s)), special.betaincc(r, at, 1.0 / (1.0 + s))
    )
    return np.where(n <= 0.0, 1.0, sf)


def smallest_count(sf: Callable[[Floats, NDArray[np.intp]], Floats], target: Floats) -> Floats:
    """Return the smallest integer n ≥ 0 with P(X > n) ≤ target.

    Doubling and bisection evaluate only the rows that are still open.

    Parameters
    ----------
    sf : callable
        ``sf(n, rows)`` gives P(X ≥ n) for the rows with those indices.
    target : array, shape (n,)
        1 − u for the quantile at level u.
    """
    low = np.full(target.shape, -1.0)  # P(X > low) > target is known (or low = -1)
    high = np.zeros(target.shape)
    rows = np.arange(target.size)
    while rows.size:
        above = sf(high[rows] + 1.0, rows) > target[rows]
        rows = rows[above & (high[rows] < COUNT_LIMIT)]
        low[rows] = high[rows]
        high[rows] = 2.0 * high[rows] + 1.0
    rows = np.flatnonzero(high - low > 1.0)
    while rows.size:
        middle = np.floor(0.5 * (low[rows] + high[rows]))
        above = sf(middle + 1.0, rows) > target[rows]
        low[rows] = np.where(above, middle, low[rows])
        high[rows] = np.where(above, high[rows], middle)
        rows = rows[high[rows] - low[rows] > 1.0]
    return high


def mean_over_draws(values: Floats) -> Floats:
    """Mean over the first axis, added up draw by draw.

    numpy orders the sum over an axis by the shape of the array, so a column alone can differ in its
    last digits from the same column among others.
    """
    return sum_over_draws(values) / len(values)


def sum_over_draws(values: Floats) -> Floats:
    """Sum over the first axis, draw by draw."""
    total = np.array(values[0], float)
    for draw in values[1:]:
        total += draw
    return total


TIME_NODES = 32
"""Nodes of the quadrature of a discounted sum."""


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
