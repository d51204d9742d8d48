r"""Integrals over products of Lomax survival functions, which all of the Pareto/NBD consists of.

With a Gamma rate of buying and a Gamma rate of dropping out, the probability that neither event
comes within u is (1 + u/A)^(-P)·(1 + u/B)^(-S). Every quantity of the model is a closed form times

.. math:: K = \int_0^w (u/A)^n\, (1 + u/A)^{-P}\, (1 + u/B)^{-S}\, e^{-\delta u}\, du

The integrand is positive, so nothing cancels, and α = β is no special case (the textbook's ₂F₁
forms differ for α < β and α > β). In v = ln(1 + u/c) its logarithm is concave and its nearest
singularities lie π off the real axis for c below A/(P + 1) and B/(S + 1); Gauss–Legendre panels
march from its peak until it is negligible.
"""

from __future__ import annotations

from math import exp, expm1, inf, log, log1p, sqrt
from typing import TYPE_CHECKING, Any

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from lifestage.core.typing import Floats

__all__ = ["NODES", "WEIGHTS", "WIDTH", "log_lomax_integral", "lomax_quantile", "time_unit"]


NODES, WEIGHTS = np.polynomial.legendre.leggauss(14)
"""Of one panel, on (−1, 1)."""

WIDTH = 2.5
"""Of a panel in v, at most: the ellipse on which 14 nodes give 1e-13 stays clear of the
singularities."""

DROP = 36.0
"""Panels end where the log integrand is this far below its peak (e^-36 ≈ 2e-16)."""

LONGEST = 800.0
"""Discounted times δ·u beyond which nothing is left: an endless horizon ends here."""

STEPS = 100
"""Of a search by Newton's method or by halves, at most; both need fewer."""


@numba.njit(cache=True, nogil=True)
def time_unit(P: Any, S: Any, delta: Any, A: Any, B: Any) -> Any:
    """The c of v = ln(1 + u/c): short enough for each of the three factors."""
    return 1.0 / ((P + 1.0) / A + (S + 1.0) / B + delta)


@numba.njit(cache=True, nogil=True)
def _log_integrand(v: Any, c: Any, n: Any, P: Any, S: Any, delta: Any, A: Any, B: Any) -> Any:
    """Logarithm of the integrand of K, times du/dv = c·e^v."""
    u = c * expm1(v)
    value = log(c) + v - P * log1p(u / A) - S * log1p(u / B) - delta * u
    return value + n * log(u / A) if n > 0.0 else value


@numba.njit(cache=True, nogil=True)
def _slope(v: Any, c: Any, n: Any, P: Any, S: Any, delta: Any, A: Any, B: Any) -> Any:
    """First derivative of the log integrand in v, and the negative second."""
    u = c * expm1(v)
    power = n / u if n > 0.0 else 0.0
    curve = P / (A + u) ** 2 + S / (B + u) ** 2 - (power / u if n > 0.0 else 0.0)
    rise = (u + c) * (power - P / (A + u) - S / (B + u) - delta)
    return 1.0 + rise, -rise - (u + c) ** 2 * curve


@numba.njit(cache=True, nogil=True)
def _panel(
    low: Any, high: Any, top: Any, c: Any, n: Any, P: Any, S: Any, delta: Any, A: Any, B: Any
) -> Any:
    """Integral over v from *low* to *high*, over e^top."""
    half, middle, total = 0.5 * (high - low), 0.5 * (high + low), 0.0
    for i in range(NODES.size):
        v = middle + half * NODES[i]
        total += WEIGHTS[i] * exp(_log_integrand(v, c, n, P, S, delta, A, B) - top)
    return half * total


@numba.njit(cache=True, nogil=True)
def _peak(end: Any, c: Any, n: Any, P: Any, S: Any, delta: Any, A: Any, B: Any) -> Any:
    """Where the log integrand is highest on (0, end], and the length of a panel there."""
    low, high, at = 0.0, end, end
    slope, curve = _slope(end, c, n, P, S, delta, A, B)
    if slope < 0.0:
        for _ in range(STEPS):
            at = 0.5 * (low + high)
            slope, curve = _slope(at, c, n, P, S, delta, A, B)
            if (high - low) * sqrt(max(curve, 0.04)) < 0.5:
                break
            if slope > 0.0:
                low = at
            else:
                high = at
    return at, min(WIDTH, 3.0 / sqrt(max(curve, 1e-9)), 16.0 / max(abs(slope), 1e-9))


@numba.njit(cache=True, nogil=True)
def _log_integral(n: Any, P: Any, S: Any, delta: Any, A: Any, B: Any, w: Any) -> Any:
    """Return ln K of one set of arguments."""
    if w <= 0.0:
        return -inf
    c = time_unit(P, S, delta, A, B)
    end = log1p((min(w, LONGEST / delta) if delta > 0.0 else w) / c)
    at, length = _peak(end, c, n, P, S, delta, A, B)
    top, total = _log_integrand(at, c, n, P, S, delta, A, B), 0.0
    edge = at
    while edge < end:
        far = min(edge + length, end)
        total += _panel(edge, far, top, c, n, P, S, delta, A, B)
        edge = far
        if edge < end and _log_integrand(edge, c, n, P, S, delta, A, B) < top - DROP:
            break
    edge = at
    while edge > 0.0:
        far = max(edge - length, 0.0)
        total += _panel(far, edge, top, c, n, P, S, delta, A, B)
        edge = far
        if edge > 0.0 and _log_integrand(edge, c, n, P, S, delta, A, B) < top - DROP:
            break
    return top + log(total)


@numba.njit(cache=True, nogil=True)
def _quantile(share: Any, P: Any, S: Any, A: Any, B: Any, w: Any) -> Any:
    """Return the q in [0, w] up to which *share* of K lies, for n = δ = 0."""
    if w <= 0.0 or share <= 0.0:
        return 0.0
    if share >= 1.0:
        return w
    c = time_unit(P, S, 0.0, A, B)
    end = log1p(w / c)
    whole = _log_integral(0.0, P, S, 0.0, A, B, w)
    low, high, v = 0.0, end, share * end
    for _ in range(STEPS):
        over = exp(_log_integral(0.0, P, S, 0.0, A, B, c * expm1(v)) - whole) - share
        if over > 0.0:
            high = v
        else:
            low = v
        density = exp(_log_integrand(v, c, 0.0, P, S, 0.0, A, B) - whole)
        step = over / density if density > 0.0 else end
        if abs(step) <= 1e-13 * v:
            break
        v -= step
        if not low < v < high:
            v = 0.5 * (low + high)
    return min(c * expm1(v), w)


_log_integrals = numba.vectorize(cache=True)(_log_integral.py_func)  # type: ignore[no-untyped-call]
_quantiles = numba.vectorize(cache=True)(_quantile.py_func)  # type: ignore[no-untyped-call]


def log_lomax_integral(
    n: ArrayLike,
    P: ArrayLike,
    S: ArrayLike,
    delta: ArrayLike,
    A: ArrayLike,
    B: ArrayLike,
    w: ArrayLike,
) -> Floats:
    """Return ln K of arguments that broadcast; −inf for w = 0.

    w may be infinite where *delta* is positive.
    """
    with np.errstate(all="ignore"):  # compiled code may divide on a path that it then does not take
        return np.asarray(_log_integrals(n, P, S, delta, A, B, w), float)


def lomax_quantile(
    share: ArrayLike, P: ArrayLike, S: ArrayLike, A: ArrayLike, B: ArrayLike, w: ArrayLike
) -> Floats:
    """Return the time up to which *share* of K lies, for n = δ = 0; arguments broadcast."""
    with np.errstate(all="ignore"):
        return np.asarray(_quantiles(share, P, S, A, B, w), float)
