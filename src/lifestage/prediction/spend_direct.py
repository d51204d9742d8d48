"""Quantiles of total future spend as roots of the mixture over counts itself.

Where everything costs nearly the same, single counts stand out as peaks that no grid resolves; but
few counts matter near any total, and each total is nearly normal.
"""

from __future__ import annotations

from math import erfc, exp, log, log1p, sqrt

import numba
import numpy as np

__all__ = ["direct_quantile"]

HALVINGS, SIGMAS = 32, 9.0
"""Bisections of a solution, and how far it is looked for around a count's total."""


@numba.njit(cache=True, nogil=True)
def direct_quantile(counts, more, p, spends, unit, level):  # type: ignore[no-untyped-def]
    """Find the ln total that is exceeded with probability *level*, by bisection.

    Parameters
    ----------
    counts, more : arrays, shape (k,)
        Numbers of purchases, rising, and P(at least so many).
    p, spends, unit : arrays, shape (draws,)
    """
    low, high = 0, counts.size - 1  # the first count after which no more than the level is left
    while low < high:
        middle = (low + high) // 2
        if more[middle + 1] > level:
            low = middle + 1
        else:
            high = middle
    down, up = np.inf, -np.inf
    for d in range(p.size):
        at = log(p[d] * counts[low] / spends[d]) + unit[d]
        reach = SIGMAS * sqrt(1.0 / (p[d] * counts[low]) + 1.0 / spends[d])
        down, up = min(down, at - reach), max(up, at + reach)
    for _ in range(HALVINGS):
        middle_s = 0.5 * (down + up)
        total = 0.0
        for d in range(p.size):
            total += _exceeds(counts, more, p[d], spends[d], middle_s - unit[d])
        if total > level * p.size:
            down = middle_s
        else:
            up = middle_s
    return 0.5 * (down + up)


@numba.njit(cache=True, nogil=True)
def _exceeds(counts, more, p, spends, log_s):  # type: ignore[no-untyped-def]
    """P(total > s): counts far above s·(q + p·x)/p exceed it surely, those far below never do."""
    middle = exp(log_s) * spends / p
    reach = exp(SIGMAS * sqrt(1.0 / spends + 1.0 / max(p * middle, p)))
    low, high = 0, counts.size
    while low < high:  # the first count that may exceed s
        at = (low + high) // 2
        if counts[at] < middle / reach:
            low = at + 1
        else:
            high = at
    total = 0.0
    for k in range(low, counts.size):
        if counts[k] > middle * reach:
            return total + more[k]
        exactly = more[k] - (more[k + 1] if k + 1 < counts.size else 0.0)
        total += exactly * _beta_prime_sf(log_s, p * counts[k], spends)
    return total


@numba.njit(cache=True, nogil=True)
def _beta_prime_sf(log_s, a, b):  # type: ignore[no-untyped-def]
    """P(a beta-prime(a, b) > s) for large a and b, by Peizer and Pratt (1968)."""
    below, above = 1.0 / (1.0 + exp(log_s)), 1.0 / (1.0 + exp(-log_s))
    n, s, t = a + b - 1.0, a - 0.5, b - 0.5
    d = s + 1.0 / 6.0 - (n + 1.0 / 3.0) * above
    d += 0.02 * (below / a - above / b + (below - 0.5) / (a + b))
    spread = 1.0 + below * _peizer_pratt(s / (n * above)) + above * _peizer_pratt(t / (n * below))
    return 0.5 * erfc(-d * sqrt(spread / ((n + 1.0 / 6.0) * below * above)) / sqrt(2.0))


@numba.njit(cache=True, nogil=True)
def _peizer_pratt(y):  # type: ignore[no-untyped-def]
    e = y - 1.0
    if abs(e) < 0.01:
        return e * (-1.0 / 3.0 + e * (1.0 / 6.0 + e * (-1.0 / 10.0 + e / 15.0)))
    return (1.0 - y * y + 2.0 * y * (log1p(e) if abs(e) < 0.5 else log(y))) / (e * e)
