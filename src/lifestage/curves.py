"""Expected purchases of living customers by frequency and time observed, from a few points of each curve.

For a given frequency the expectation is a smooth, falling function of T (its only singularities are at T ≤ −α), so its
logarithm is interpolated in ln(T + scale) on Chebyshev points, with the smallest α of the draws as the scale. Where a
frequency has fewer distinct times than points, the expectation is computed at those times.

Discounting takes the expectation at many times to come. Of a living customer it depends on u = t/(α + T) alone, and the
logarithm of E(u)/u is as smooth in y = ln(1 + (1 + r + x)·u): one interpolant for each frequency serves all times,
observed and to come.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from lifestage import special

__all__ = ["alive_purchases", "discounted_purchases"]

Floats = NDArray[np.float64]
Params = dict[str, Floats]

DIGITS, CLEAR = 20.0, 0.5 * np.pi
"""Natural digits that an interpolant is to have, and how far from the real axis its curve stays bounded."""

VALUES = 1_000_000
"""Draws times points times times to come that are worked on at once."""


@dataclass(frozen=True, eq=False)
class Plan:
    """Where the curve of one frequency is computed, and the matrix that carries it to the distinct times (or None)."""

    rows: NDArray[np.intp]
    x: float
    at: Floats
    index: NDArray[np.intp]
    weights: Floats | None


def alive_purchases(module: ModuleType, params: Params, t: float, x: Floats, T: Floats) -> Floats:
    """Expected purchases within t given alive, for pairs (x, T); shape (draws, n).

    Parameters
    ----------
    params : dict of arrays of shape (draws, 1)
    x, T : arrays, shape (n,)
        Equal pairs are computed once.
    """
    plans = list(_plans(module, params, x, T))
    return _spread(plans, module.alive_purchases(t, *_points(plans), rate=0.0, **params), x.size)


def discounted_purchases(
    module: ModuleType, params: Params, t: float, x: Floats, T: Floats, rate: float
) -> tuple[Floats, Floats]:
    """Expected purchases within t given alive, and the same discounted at the continuous *rate* per period."""
    if rate == 0.0:
        expected = alive_purchases(module, params, t, x, T)
        return expected, expected
    plans = list(_plans(module, params, x, T))
    at_x, at_T = _points(plans)
    first = np.cumsum([0, *(plan.at.size for plan in plans[:-1])])
    draws = next(iter(params.values())).shape[0]
    size = max(1, VALUES // (at_x.size * special.TIME_NODES))
    parts = [
        _discounted(module, {name: each[i : i + size] for name, each in params.items()}, t, at_x, at_T, first, rate)
        for i in range(0, draws, size)
    ]
    expected, discounted = (np.concatenate(each) for each in zip(*parts, strict=True))
    return _spread(plans, expected, x.size), _spread(plans, discounted, x.size)


def _plans(module: ModuleType, params: Params, x: Floats, T: Floats) -> Iterator[Plan]:
    scale = float(params[module.TIME_PARAM].min())
    order = np.argsort(x, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(x[order])) + 1):
        times, index = np.unique(T[rows], return_inverse=True)
        low, high = np.log(scale + times[[0, -1]])
        points = _enough(high - low)
        if times.size <= points:
            yield Plan(rows, float(x[rows[0]]), times, index, None)
            continue
        z = 0.5 * (low + high) - 0.5 * (high - low) * np.cos(np.pi * np.arange(points) / (points - 1))
        at = np.clip(np.exp(z) - scale, times[0], times[-1])
        yield Plan(rows, float(x[rows[0]]), at, index, _barycentric(z, np.log(scale + times)))


def _points(plans: list[Plan]) -> tuple[Floats, Floats]:
    """Frequency and T of every point, one plan after another."""
    at_x = np.repeat([plan.x for plan in plans], [plan.at.size for plan in plans])
    return at_x, np.concatenate([plan.at for plan in plans])


def _spread(plans: list[Plan], values: Floats, size: int) -> Floats:
    """From the points to all rows."""
    out = np.empty((values.shape[0], size))
    ends = np.cumsum([plan.at.size for plan in plans])[:-1]
    for plan, part in zip(plans, np.split(values, ends, axis=1), strict=True):
        curve = part if plan.weights is None else np.exp(np.log(np.maximum(part, special.TINY)) @ plan.weights.T)
        out[:, plan.rows] = curve[:, plan.index]
    return out


def _discounted(
    module: ModuleType, params: Params, t: float, x: Floats, T: Floats, first: NDArray[np.intp], rate: float
) -> tuple[Floats, Floats]:
    """Expected and discounted purchases at points in groups of one frequency that begin at *first*."""
    law = module.alive_law(x, T, **params)
    draws = next(iter(params.values())).shape[0]
    shape, scale = (np.broadcast_to(each, (draws, x.size)) for each in law[:2])
    nodes, weights = special.time_nodes(np.full(scale.size, t), (scale / (1.0 + shape)).ravel(), rate)
    u = nodes.reshape(draws, x.size, -1) / scale[:, :, None]
    y = np.log1p((1.0 + shape)[:, :, None] * u)
    high = np.maximum.reduceat(y[:, :, -1], first, axis=1)
    points = _enough(float(high.max()))
    angle = np.pi * (np.arange(points) + 0.5) / points
    at = np.expm1(0.5 * high[:, :, None] * (1.0 + np.cos(angle))) / (1.0 + shape[:, first, None])
    unit = np.broadcast_to(module.alive_law(x[first], 0.0, **params)[1], (draws, first.size))
    times = (at * unit[:, :, None]).reshape(draws, -1)
    curve = module.alive_purchases(times, np.repeat(x[first], points), 0.0, rate=0.0, **params).reshape(at.shape)
    coefficients = np.log(np.maximum(curve, special.TINY) / at) @ np.cos(np.outer(angle, np.arange(points)))
    coefficients *= np.where(np.arange(points) > 0, 2.0, 1.0) / points
    group = np.repeat(np.arange(first.size), np.diff(first, append=x.size))
    place = 2.0 * y / high[:, group, None] - 1.0
    values = u * np.exp(chebyshev.chebval(place, np.moveaxis(coefficients, 2, 0)[:, :, group, None], tensor=False))
    return values[:, :, -1], (values * weights.reshape(values.shape)).sum(axis=2)


def _enough(span: float) -> int:
    """Chebyshev points for an interval: the error falls by a factor of e^asinh(2·CLEAR/span) with each."""
    return int(np.ceil(DIGITS / np.arcsinh(2.0 * CLEAR / max(span, 0.1)))) + 1


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
