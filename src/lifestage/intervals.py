"""Quantiles of the true predictive distribution: how many purchases, and how much money in all.

The number of purchases is 0 with probability 1 − P(alive) and else follows the family's law, in which only
(frequency, T) matter. The spend of n purchases, over v + x·m, is beta-prime(p·n, q + p·x); its mixture over n is
tabulated once a distinct (frequency, T) and inverted at the level that the mass at zero leaves.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special as sp

from lifestage import special

__all__ = ["count_nodes", "purchase_quantiles", "spend_factors"]

Floats = NDArray[np.float64]

COUNT_TAIL = 1e-7
"""Purchase counts are tabulated until fewer than this share of living customers would exceed them."""

EXACT_COUNTS = 48
"""Counts up to here are tabulated one by one; larger ones in bins of about 2 % (their law is smooth there)."""

SPEND_POINTS = 257
"""Points of the spend table, equally spaced in the logarithm of spend."""


def purchase_quantiles(
    module: ModuleType, params: dict[str, Floats], alive: Floats, t: float, x: Floats, T: Floats, tails: list[float]
) -> list[Floats]:
    """Smallest counts n with P(X > n) ≤ tail, for each tail; integers as doubles, a value a row."""

    def sf(n: Floats, rows: NDArray[np.intp]) -> Floats:
        values = alive[:, rows] * module.alive_sf(n, t, x[rows], T[rows], **params)
        return np.asarray(values.mean(axis=0))

    return [special.smallest_count(sf, np.full(x.size, tail)) for tail in tails]


def count_nodes(module: ModuleType, params: dict[str, Floats], t: float, x: float, T: Floats) -> tuple[Floats, Floats]:
    """Tabulate the purchase counts of living customers of one frequency.

    Returns
    -------
    nodes : array, shape (k,)
        Counts, from 1; the middle of a bin where counts are binned.
    pmf : array, shape (T.size, k)
        P(count in the bin | alive), averaged over the draws.
    """
    first = np.full(1, T.min())

    def sf(n: Floats, _: NDArray[np.intp]) -> Floats:
        return np.asarray(module.alive_sf(n, t, x, first, **params).mean(axis=0))

    top = special.smallest_count(sf, np.full(1, COUNT_TAIL))[0] + 1.0
    edges = np.arange(1.0, min(top, EXACT_COUNTS) + 1.0)
    if top > EXACT_COUNTS:
        steps = int(np.ceil(np.log(top / EXACT_COUNTS) / 0.02))
        edges = np.unique(np.concatenate([edges, np.ceil(np.geomspace(EXACT_COUNTS, top, steps + 1))]))
    before = np.concatenate([[0.0], edges[:-1]])
    at = np.concatenate([before + 1.0, edges[-1:] + 1.0])
    sf_at = module.alive_sf(at[:, None, None], t, x, T, **params).mean(axis=1).T
    return 0.5 * (before + 1.0 + edges), np.maximum(sf_at[:, :-1] - sf_at[:, 1:], 0.0)


def spend_factors(
    module: ModuleType,
    params: dict[str, Floats],
    alive: Floats,
    t: float,
    x: Floats,
    T: Floats,
    tails: list[float],
    *,
    p: float,
    q: float,
) -> list[Floats]:
    """Quantiles of total future spend over v + x·m, for each upper-tail probability; a value a row.

    The table is exact in its points and linear in between on the scale (ln spend, ln odds of the distribution); its
    quantiles are right to about 1e-4.
    """
    out = [np.zeros(x.size) for _ in tails]
    p_alive = np.asarray(alive.mean(axis=0))
    order = np.argsort(x, kind="stable")
    cuts = np.flatnonzero(np.diff(x[order])) + 1
    for rows in np.split(order, cuts):
        frequency = float(x[rows[0]])
        times, pair = np.unique(T[rows], return_inverse=True)
        nodes, pmf = count_nodes(module, params, t, frequency, times)
        shape = q + p * frequency
        log_s = _spend_grid(p, shape, nodes[-1], min(tails))
        above = sp.betainc(shape, p * nodes[:, None], 1.0 / (1.0 + np.exp(log_s)))  # P(total of n > s)
        survival = pmf @ above  # P(total > s | alive), a row a distinct T
        buys = pmf.sum(axis=1)
        for tail, values in zip(tails, out, strict=True):
            target = tail / np.maximum(p_alive[rows], special.TINY)
            values[rows] = np.where(target < buys[pair], np.exp(_invert(survival, pair, target, log_s)), 0.0)
    return out


def _spend_grid(p: float, shape: float, most: float, tail: float) -> Floats:
    """ln spend from where one purchase seldom stays below, to where the most purchases seldom reach."""
    low = sp.betaincinv(p, shape, 1e-5)
    high = sp.betaincinv(shape, p * most, min(tail, 0.5) * 0.05)
    low_s = np.log(max(low, special.TINY)) - np.log1p(-low)
    return np.linspace(low_s, np.log1p(-high) - np.log(max(high, special.TINY)), SPEND_POINTS)


def _invert(survival: Floats, pair: NDArray[np.intp], target: Floats, log_s: Floats) -> Floats:
    """ln spend at which the survival of each row's pair falls to its target, linear in logits between points."""
    out = np.empty(target.size)
    order = np.argsort(pair, kind="stable")
    bounds = np.searchsorted(pair[order], np.arange(survival.shape[0] + 1))
    logit = sp.logit(np.clip(survival, 1e-300, 1.0 - 1e-16))
    wanted: Any = sp.logit(np.clip(target, 1e-300, 1.0 - 1e-16))
    for k in range(survival.shape[0]):
        rows = order[bounds[k] : bounds[k + 1]]
        out[rows] = np.interp(-wanted[rows], -logit[k], log_s)
    return out
