"""Gamma and beta ratios without cancellation, counts, and guarded elementary functions.

Everything works in logs where a factor may overflow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from lifestage.core.typing import Floats

__all__ = [
    "clip_probability",
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
]


TINY = float(np.finfo(np.float64).tiny)
"""The smallest normal double; a positive probability that underflows is raised to it."""

CERTAIN = 1e-15
"""Distance that probabilities keep from 0 and 1 in log losses and recalibration."""

STIRLING_FROM = 16.0
"""Stirling's series with four terms is exact to 1e-14 from here on."""

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
    log_ways = log_rising(r, n) - special.gammaln(n + 1.0)
    return np.asarray(np.exp(log_ways - r * np.log1p(s) + log_q))


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
