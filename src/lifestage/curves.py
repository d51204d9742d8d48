"""Expected purchases of living customers by frequency and time observed, from a few points of each curve.

For a given frequency the expectation is a smooth, falling function of T (its only singularities are at T ≤ −α), so its
logarithm is interpolated in ln(T + scale) on Chebyshev points. Where a frequency has fewer distinct times than points,
the expectation is computed at those times.
"""

from __future__ import annotations

from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from lifestage import special

__all__ = ["alive_purchases"]

Floats = NDArray[np.float64]

POINTS, POINTS_PER_LOG = 12, 4
"""Chebyshev points a frequency, and more for each unit that ln(T + scale) spans: the error stays below 1e-9."""


def alive_purchases(
    module: ModuleType, params: dict[str, Floats], t: float, x: Floats, T: Floats, rate: float
) -> Floats:
    """Expected (discounted) purchases within t given alive, for pairs (x, T); shape (draws, n).

    Parameters
    ----------
    params : dict of arrays of shape (draws, 1)
    x, T : arrays, shape (n,)
        Equal pairs are computed once.
    rate : float
        Continuous discount rate per period.
    """
    scale = float(np.median(params[module.TIME_PARAM]))
    order = np.argsort(x, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(x[order])) + 1)
    plans: list[tuple[NDArray[np.intp], Floats, NDArray[np.intp], Floats | None]] = []
    for rows in groups:
        times, index = np.unique(T[rows], return_inverse=True)
        low, high = np.log(scale + times[[0, -1]])
        points = POINTS + int(np.ceil(POINTS_PER_LOG * (high - low)))
        if times.size <= points:
            plans.append((rows, times, index, None))
            continue
        z = 0.5 * (low + high) - 0.5 * (high - low) * np.cos(np.pi * np.arange(points) / (points - 1))
        at = np.clip(np.exp(z) - scale, times[0], times[-1])
        plans.append((rows, at, index, _barycentric(z, np.log(scale + times))))
    sizes = [plan[1].size for plan in plans]
    at_x = np.repeat([x[rows[0]] for rows in groups], sizes)
    values = module.alive_purchases(t, at_x, np.concatenate([plan[1] for plan in plans]), rate=rate, **params)
    out = np.empty((values.shape[0], x.size))
    for (rows, _, index, weights), part in zip(plans, np.split(values, np.cumsum(sizes)[:-1], axis=1), strict=True):
        if weights is None:
            out[:, rows] = part[:, index]
        else:
            curve = np.exp(np.log(np.maximum(part, special.TINY)) @ weights.T)
            out[:, rows] = curve[:, index]
    return out


def _barycentric(nodes: Floats, at: Floats) -> Floats:
    """Matrix that carries values at Chebyshev points of the second kind to values at *at* (Berrut & Trefethen 2004)."""
    weights = np.where(np.arange(nodes.size) % 2, -1.0, 1.0)
    weights[[0, -1]] *= 0.5
    difference = at[:, None] - nodes
    exact = difference == 0.0
    terms = weights / np.where(exact, 1.0, difference)
    matrix = terms / terms.sum(axis=1, keepdims=True)
    hit = exact.any(axis=1)
    matrix[hit] = exact[hit]
    return np.asarray(matrix)
