"""The law of how often a customer will buy: tabulated by frequency, mixed over draws, with quantiles.

Given that a customer is alive only (frequency, T) matter: the survival function of each distinct
pair is built by recurrence, mixed with each row's P(alive) and averaged over the draws. Counts are
binned at places that depend on the frequency alone, and a law ends where its own pair does: a row's
law is a function of the row.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numba
import numpy as np

from lifestage.numerics import special

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray

    from lifestage.core.typing import Floats

__all__ = ["COUNT_TAIL", "LONGEST_TABLE", "count_edges", "count_law", "tabulate_counts"]


COUNT_TAIL = 1e-7
"""Purchase counts are tabulated until fewer than this share of living customers would exceed them."""

EXACT_COUNTS = 256
"""Counts up to here are tabulated one by one, larger ones in bins."""

LONGEST_TABLE = 200_000
"""Where counts can exceed this, the closed form at the bins replaces the recurrence over every count."""


@numba.njit(cache=True, nogil=True)
def _mix(shape, ratio, a, b, alive, bounds, at, tails, tail, mixed, quantile, ended):  # type: ignore[no-untyped-def]
    """For the rows of each pair, P(X ≥ at[k]) averaged over draws, and the smallest n with P(X > n) ≤ each tail.

    A pair ends where no more than *tail* of its living customers would buy so often; *ended* says
    which do within *at*.
    """
    draws = shape.size
    log_pmf, pmf, below = np.empty(draws), np.empty(draws), np.empty(draws)
    survived, sf = np.empty(draws), np.empty(draws)
    for j in range(ratio.shape[1]):
        for d in range(draws):
            log_pmf[d] = -shape[d] * np.log1p(ratio[d, j])
            pmf[d] = np.exp(log_pmf[d])
            below[d] = 0.0
            survived[d] = 1.0
        k = 0
        for n in range(1, int(at[-1]) + 1):
            beyond = 0.0
            for d in range(draws):
                below[d] += pmf[d]
                sf[d] = max(1.0 - below[d], 0.0) * survived[d]
                beyond += sf[d]
                step = (shape[d] + n - 1.0) / n * ratio[d, j] / (1.0 + ratio[d, j])
                if log_pmf[d] < -600.0:  # too small to be multiplied up
                    log_pmf[d] += np.log(step)
                    pmf[d] = np.exp(log_pmf[d])
                else:
                    pmf[d] *= step
                survived[d] *= (b[d] + n - 1.0) / (a[d] + b[d] + n - 1.0)
            wanted, last = n == int(at[k]), beyond <= tail * draws
            for i in range(bounds[j], bounds[j + 1]):
                value = 0.0
                for d in range(draws):
                    value += alive[d, i] * sf[d]
                value /= draws
                for q in range(tails.size):
                    if quantile[i, q] < 0.0 and (value <= tails[q] or last):
                        quantile[i, q] = n - 1.0
                if wanted:
                    mixed[i, k] = value
            if wanted:
                k += 1
            if last:
                ended[j] = True
                mixed[bounds[j] : bounds[j + 1], k:] = 0.0
                break


@numba.njit(cache=True, nogil=True)
def longest_count(shape, ratio, a, b, tail, most):  # type: ignore[no-untyped-def]
    """Smallest n with P(more than n purchases | alive) ≤ tail on average over draws, or *most*; arrays of them."""
    log_pmf, below, survived = -shape * np.log1p(ratio), np.zeros(shape.size), np.ones(shape.size)
    for n in range(1, most):
        beyond = 0.0
        for d in range(shape.size):
            below[d] += np.exp(log_pmf[d])
            beyond += max(1.0 - below[d], 0.0) * survived[d]
            log_pmf[d] += np.log((shape[d] + n - 1.0) / n * ratio[d] / (1.0 + ratio[d]))
            survived[d] *= (b[d] + n - 1.0) / (a[d] + b[d] + n - 1.0)
        if beyond <= tail * shape.size:
            return n
    return most


def count_edges(top: float, shape: float) -> Floats:
    """Counts from 1 up to the first that reaches *top*: every one, then steps that are small beside their law.

    Given a rate of this *shape*, counts near n vary by n + n²/shape at least. What steps leave out
    of that, or add to it, moves a quantile of total spend by less than 1e-4.
    """
    counts = [float(n) for n in range(1, int(min(top, EXACT_COUNTS)) + 1)]
    while counts[-1] < top:
        n = counts[-1]
        counts.append(n + max(1.0, math.floor(min(0.02 * n, 0.05 * math.sqrt(n + n * n / shape)))))
    return np.array(counts)


def _last_count(
    module: ModuleType, params: dict[str, Floats], t: float, x: float, T: float
) -> float:
    """Count that a negligible share of living customers reach, in closed form beyond all tables."""
    shape, scale, a, b = _law(module, params, x, T)
    top = longest_count(shape, t / scale, a, b, COUNT_TAIL, LONGEST_TABLE)
    if top < LONGEST_TABLE:
        return float(top)

    def sf(n: Floats, _: NDArray[np.intp]) -> Floats:
        return special.mean_over_draws(
            np.asarray(module.alive_sf(n, t, x, np.full(1, T), **params))
        )

    return float(special.smallest_count(sf, np.full(1, COUNT_TAIL))[0])


def _law(module: ModuleType, params: dict[str, Floats], x: float, T: float) -> list[Floats]:
    """Shape, scale, a and b of the living under each draw."""
    law = np.broadcast_arrays(*(np.ravel(v) for v in module.alive_law(x, T, **params)))
    return [np.ascontiguousarray(each) for each in law]


def count_law(
    module: ModuleType,
    params: dict[str, Floats],
    alive: Floats,
    t: float,
    x: float,
    T: Floats,
    tails: Floats,
) -> tuple[Floats, Floats, Floats]:
    """Tabulate the purchase counts of customers of one frequency.

    Parameters
    ----------
    alive : array, shape (draws, n)
        P(alive) of each row under each draw.
    T : array, shape (n,)

    Returns
    -------
    counts : array, shape (k,)
        From 1; the middle of a bin where counts are binned.
    pmf : array, shape (n, k)
        P(count in the bin) of each row, averaged over the draws; the rest is the chance of no
        purchase.
    quantiles : array, shape (n, tails)
        Smallest counts that are exceeded with at most the tail probability.
    """
    counts, _, pmf, quantiles = tabulate_counts(module, params, alive, t, x, T, tails)
    return counts, pmf, quantiles


def tabulate_counts(
    module: ModuleType,
    params: dict[str, Floats],
    alive: Floats,
    t: float,
    x: float,
    T: Floats,
    tails: Floats,
) -> tuple[Floats, Floats, Floats, Floats]:
    """Counts, the first of each bin and of the one after the last, chances, and quantiles; see count_law."""
    times, pair = np.unique(T, return_inverse=True)
    widest = float(np.max(module.alive_law(x, 0.0, **params)[0]))
    edges = count_edges(_last_count(module, params, t, x, float(times[0])) + 2.0, widest)
    at = np.concatenate([[1.0], edges + 1.0])
    order = np.argsort(pair, kind="stable")
    bounds = np.searchsorted(pair[order], np.arange(times.size + 1))
    shape, scale, a, b = module.alive_law(x, times, **params)
    draws = alive.shape[0]
    shape, a, b = (
        np.ascontiguousarray(np.broadcast_to(v, (draws, 1))[:, 0]) for v in (shape, a, b)
    )
    ratio = np.ascontiguousarray(np.broadcast_to(t / scale, (draws, times.size)))
    rows, found = np.empty((T.size, at.size)), np.full((T.size, tails.size), -1.0)
    ended = np.zeros(times.size, bool)
    within = at[: np.searchsorted(at, LONGEST_TABLE)]
    _mix(
        shape,
        ratio,
        a,
        b,
        np.ascontiguousarray(alive[:, order]),
        bounds,
        within,
        tails,
        COUNT_TAIL,
        rows,
        found,
        ended,
    )
    mixed, quantile = np.empty_like(rows), np.empty_like(found)
    mixed[order], quantile[order] = rows, found
    for j in np.flatnonzero(~ended):
        some = order[bounds[j] : bounds[j + 1]]
        mixed[some], quantile[some] = _closed(
            module, params, alive[:, some], t, x, float(times[j]), at, tails
        )
    middle = 0.5 * (at[:-1] + edges)
    return middle, at, np.maximum(mixed[:, :-1] - mixed[:, 1:], 0.0), quantile


def _closed(
    module: ModuleType,
    params: dict[str, Floats],
    alive: Floats,
    t: float,
    x: float,
    T: float,
    at: Floats,
    tails: Floats,
) -> tuple[Floats, Floats]:
    """What ``_mix`` finds, for rows of one pair whose counts go beyond its tables."""
    size = alive.shape[1]
    mixed, quantile = np.zeros((size, at.size)), np.zeros((size, tails.size))
    last = np.searchsorted(at, _last_count(module, params, t, x, T), side="right")
    living = np.asarray(module.alive_sf(at[:last], t, x, T, **params))
    for k in range(last):
        mixed[:, k] = special.mean_over_draws(alive * living[:, k, None])

    def sf(n: Floats, rows: NDArray[np.intp]) -> Floats:
        return special.mean_over_draws(
            alive[:, rows] * module.alive_sf(n, t, x, np.full(rows.size, T), **params)
        )

    for k, tail in enumerate(tails):
        quantile[:, k] = special.smallest_count(sf, np.full(size, tail))
    return mixed, quantile
