r"""The part of the Pareto/NBD likelihood that belongs to having dropped out, and its derivatives.

With A = α + t_x and B = β + t_x, the odds of having dropped out hold J = ∫ (1 + u/A)^(-R)·(1 +
u/B)^(-S) du over (0, T − t_x), R = r + x and S = s + 1. Its derivatives are means and covariances,
under that integrand, of

    q = (ln(1 + u/A), u/(A(A + u)), ln(1 + u/B), u/(B(B + u)))

Moments are kept in arrays of 15: the integrals of 1, of q, and of q_i·q_j for i ≤ j. Customers of
one frequency share R, so their integrals differ only in the two days: a table holds them from each
day to the last one, made backwards from day to day, and a customer takes the difference of two
entries.
"""

from __future__ import annotations

from math import exp, expm1, log, log1p
from typing import Any

import numba
import numpy as np

from lifestage.families._lomax import NODES, WEIGHTS, WIDTH, time_unit

__all__ = ["add_dropped"]

MOMENTS = 15

NARROW = 0.3
FEW_NODES, FEW_WEIGHTS = np.polynomial.legendre.leggauss(4)
"""Up to this width in v = ln(1 + u/c) four nodes are exact to 1e-13."""

NEGLIGIBLE = 1e-16
"""Share of the integral so far below which a panel is the last: panels shrink ever faster beyond
the peak."""

CANCELLED = 1e-3
"""A difference that is a smaller share of the entry it is taken from is integrated anew."""


@numba.njit(cache=True, nogil=True)
def _integrate(R: Any, S: Any, A: Any, B: Any, w: Any, moments: Any) -> None:
    """Fill *moments* with those on (0, w)."""
    for k in range(MOMENTS):
        moments[k] = 0.0
    c = time_unit(R, S, 0.0, A, B)
    end = log1p(w / c)
    panels = int(end / WIDTH) + 1
    half = 0.5 * end / panels
    nodes, weights = (FEW_NODES, FEW_WEIGHTS) if end < NARROW else (NODES, WEIGHTS)
    q = np.empty(4)
    for panel in range(panels):
        before = moments[0]
        for i in range(nodes.size):
            v = half * (2 * panel + 1 + nodes[i])
            u = c * expm1(v)
            _slopes(u, A, B, q)
            weight = c * half * weights[i] * exp(v - R * q[0] - S * q[2])
            moments[0] += weight
            place = 5
            for j in range(4):
                part = weight * q[j]
                moments[1 + j] += part
                for k in range(j, 4):
                    moments[place] += part * q[k]
                    place += 1
        if moments[0] - before < NEGLIGIBLE * moments[0]:
            break


@numba.njit(cache=True, nogil=True)
def _slopes(u: Any, A: Any, B: Any, q: Any) -> None:
    """Fill *q* with the four slopes at u."""
    q[0], q[1], q[2], q[3] = log1p(u / A), u / (A * (A + u)), log1p(u / B), u / (B * (B + u))


@numba.njit(cache=True, nogil=True)
def _add_later(moments: Any, left: Any, later: Any, q: Any) -> None:
    """Add *left* times the moments of a later day, whose u = 0 lies where the slopes are *q*."""
    place = 5
    for j in range(4):
        part = later[1 + j] + q[j] * later[0]
        for k in range(j, 4):
            moments[place] += left * (later[place] + q[j] * later[1 + k] + q[k] * part)
            place += 1
        moments[1 + j] += left * part
    moments[0] += left * later[0]


@numba.njit(cache=True, nogil=True)
def _tabulate(
    R: Any, S: Any, alpha: Any, beta: Any, days: Any, seen: Any, table: Any, q: Any
) -> None:
    """Fill *table* with the moments from each of the days *seen*, which rise, to the last one."""
    for k in range(MOMENTS):
        table[seen.size - 1, k] = 0.0
    for k in range(seen.size - 2, -1, -1):
        day = days[seen[k]]
        A, B, gap = alpha + day, beta + day, days[seen[k + 1]] - day
        _integrate(R, S, A, B, gap, table[k])
        _slopes(gap, A, B, q)
        _add_later(table[k], exp(-R * q[0] - S * q[2]), table[k + 1], q)


@numba.njit(cache=True, nogil=True)
def add_dropped(params, rows, gradient, hessian):  # type: ignore[no-untyped-def]
    """Return Σ w·ln(1 + e^z), z the log odds of having dropped out, and add its derivatives.

    e^z = s/B·((α + T)/A)^R·((β + T)/B)^s·J. With p = 1/(1 + e^−z), the derivatives of ln(1 + e^z)
    are p·z' and p·z'' + p·(1 − p)·z'z'ᵀ. *rows* are the ``arrays`` of ``Rows``.
    """
    r, alpha, s, beta = params
    days, occurring, bounds, frequency, start, stop, at_T, at_t_x, weight = rows
    value, S = 0.0, s + 1.0
    longest = 0
    for f in range(frequency.size):
        longest = max(longest, bounds[f + 1] - bounds[f])
    table, place = np.empty((longest, MOMENTS)), np.empty(days.size, np.int64)
    moments, q, slope, scale = np.empty(MOMENTS), np.empty(4), np.empty(4), np.empty(4)
    for f in range(frequency.size):
        R, seen = r + frequency[f], occurring[bounds[f] : bounds[f + 1]]
        _tabulate(R, S, alpha, beta, days, seen, table, q)
        for k in range(seen.size):
            place[seen[k]] = k
        scale[0], scale[1], scale[2], scale[3] = -1.0, R, -1.0, S
        for i in range(start[f], stop[f]):
            since = days[at_T[i]] - days[at_t_x[i]]
            if since <= 0.0:
                continue
            A, B, here = alpha + days[at_t_x[i]], beta + days[at_t_x[i]], table[place[at_t_x[i]]]
            _slopes(since, A, B, q)
            for k in range(MOMENTS):
                moments[k] = here[k]
            _add_later(moments, -exp(-R * q[0] - S * q[2]), table[place[at_T[i]]], q)
            if moments[0] < CANCELLED * here[0]:
                _integrate(R, S, A, B, since, moments)
            z = log(s * moments[0] / B) + R * q[0] + s * q[2]
            small = exp(-abs(z))
            value += weight[i] * (max(z, 0.0) + log1p(small))
            w = weight[i] * (1.0 if z > 0.0 else small) / (1.0 + small)
            if w == 0.0:
                continue
            alive = (small if z > 0.0 else 1.0) / (1.0 + small)
            for k in range(1, MOMENTS):
                moments[k] /= moments[0]
            slope[0] = q[0] - moments[1]
            slope[1] = R * (moments[2] - q[1])
            slope[2] = 1.0 / s + q[2] - moments[3]
            slope[3] = S * moments[4] - s * q[3] - 1.0 / B
            cell = 5
            for j in range(4):
                gradient[j] += w * slope[j]
                for k in range(j, 4):
                    covariance = moments[cell] - moments[1 + j] * moments[1 + k]
                    hessian[j, k] += w * (
                        scale[j] * scale[k] * covariance + alive * slope[j] * slope[k]
                    )
                    cell += 1
            # means of the second derivatives of the log integrand, and what stands before the
            # integral
            hessian[0, 1] += w * (moments[2] - q[1])
            hessian[1, 1] += w * R * (q[1] * (2.0 / A - q[1]) - 2.0 * moments[2] / A + moments[9])
            hessian[2, 2] -= w / s**2
            hessian[2, 3] += w * (moments[4] - q[3])
            hessian[3, 3] += w * (
                s * q[3] * (2.0 / B - q[3]) - S * (2.0 * moments[4] / B - moments[14])
            )
            hessian[3, 3] += w / B**2
    return value
