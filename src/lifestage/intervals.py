"""Quantiles of the true predictive distribution: how many purchases, and how much money in all.

The number of purchases is 0 with probability 1 − P(alive) and else follows the family's law, in which only
(frequency, T) matter: its survival function is built once a distinct pair by recurrence, mixed with each row's
P(alive) and averaged over the draws. The spend of n purchases, over v + x·m, is beta-prime(p·n, q + p·x); with the
draws of purchases and spend independent, the two averages multiply, and the mixture over n is inverted on a grid.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray
from scipy import special as sp

from lifestage import special

__all__ = ["PredictiveLaw", "SpendDraws", "count_law", "longest_count", "predictive_laws", "predictive_quantiles"]

Floats = NDArray[np.float64]

COUNT_TAIL = 1e-7
"""Purchase counts are tabulated until fewer than this share of living customers would exceed them."""

EXACT_COUNTS = 48
"""Counts up to here are tabulated one by one; larger ones in bins of about 2 % (their law is smooth there)."""

LONGEST_TABLE = 200_000
"""Where counts can exceed this, the closed form at the bins replaces the recurrence over every count."""

SPEND_POINTS = 257
"""Points of the spend table, equally spaced in the logarithm of spend."""

SPEND_DRAWS = 12
"""Draws of the spend parameters that the spend table averages over."""


@dataclass(frozen=True, eq=False)
class SpendDraws:
    """Spend parameters, arrays of shape (draws,), and the mean spend μ at which their scales are compared.

    The unit of the spend table is v̄ + x·m. Under one draw it is v + x·m; their ratio is taken at m = μ, which is exact
    for one draw and for one-time buyers.
    """

    p: Floats
    q: Floats
    v: Floats
    mean: float


@numba.njit(cache=True, nogil=True)
def _mix(
    shape: Any, ratio: Any, a: Any, b: Any, alive: Any, bounds: Any, at: Any, tails: Any, mixed: Any, quantile: Any
) -> None:
    """For the rows of each pair, P(X ≥ at[k]) averaged over draws, and the smallest n with P(X > n) ≤ each tail."""
    draws = shape.size
    log_pmf, below, survived, sf = np.empty(draws), np.empty(draws), np.empty(draws), np.empty(draws)
    for j in range(ratio.shape[1]):
        for d in range(draws):
            log_pmf[d] = -shape[d] * np.log1p(ratio[d, j])
            below[d] = 0.0
            survived[d] = 1.0
        k = 0
        for n in range(1, int(at[-1]) + 1):
            for d in range(draws):
                below[d] += np.exp(log_pmf[d])
                sf[d] = max(1.0 - below[d], 0.0) * survived[d]
                log_pmf[d] += np.log((shape[d] + n - 1.0) / n * ratio[d, j] / (1.0 + ratio[d, j]))
                survived[d] *= (b[d] + n - 1.0) / (a[d] + b[d] + n - 1.0)
            wanted = n == int(at[k])
            for i in range(bounds[j], bounds[j + 1]):
                value = 0.0
                for d in range(draws):
                    value += alive[d, i] * sf[d]
                value /= draws
                for q in range(tails.size):
                    if quantile[i, q] < 0.0 and value <= tails[q]:
                        quantile[i, q] = n - 1.0
                if wanted:
                    mixed[i, k] = value
            if wanted:
                k += 1


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


def _bins(module: ModuleType, params: dict[str, Floats], t: float, x: float, first: float) -> tuple[Floats, Floats]:
    """Counts (the middle of each bin) and where the survival function is needed, up to a negligible tail."""
    law = np.broadcast_arrays(*(np.ravel(v) for v in module.alive_law(x, first, **params)))
    shape, scale, a, b = (np.ascontiguousarray(each) for each in law)
    top = longest_count(shape, t / scale, a, b, COUNT_TAIL, LONGEST_TABLE) + 1.0
    if top > LONGEST_TABLE:
        at = np.full(1, first)

        def sf(n: Floats, _: NDArray[np.intp]) -> Floats:
            return np.asarray(module.alive_sf(n, t, x, at, **params).mean(axis=0))

        top = special.smallest_count(sf, np.full(1, COUNT_TAIL))[0] + 1.0
    edges = np.arange(1.0, min(top, EXACT_COUNTS) + 1.0)
    if top > EXACT_COUNTS:
        steps = int(np.ceil(np.log(top / EXACT_COUNTS) / 0.02))
        edges = np.unique(np.concatenate([edges, np.ceil(np.geomspace(EXACT_COUNTS, top, steps + 1))]))
    before = np.concatenate([[0.0], edges[:-1]])
    return 0.5 * (before + 1.0 + edges), np.concatenate([before + 1.0, edges[-1:] + 1.0])


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
        P(count in the bin) of each row, averaged over the draws; the rest is the chance of no purchase.
    quantiles : array, shape (n, tails)
        Smallest counts that are exceeded with at most the tail probability.
    """
    times, pair = np.unique(T, return_inverse=True)
    counts, at = _bins(module, params, t, x, float(times[0]))
    order = np.argsort(pair, kind="stable")
    mixed = np.empty((T.size, at.size))
    quantile = np.full((T.size, tails.size), -1.0)
    if at[-1] <= LONGEST_TABLE:
        shape, scale, a, b = module.alive_law(x, times, **params)
        draws = alive.shape[0]
        shape, a, b = (np.ascontiguousarray(np.broadcast_to(v, (draws, 1))[:, 0]) for v in (shape, a, b))
        ratio = np.ascontiguousarray(np.broadcast_to(t / scale, (draws, times.size)))
        bounds = np.searchsorted(pair[order], np.arange(times.size + 1))
        rows = np.empty_like(mixed)
        found = quantile.copy()
        _mix(shape, ratio, a, b, np.ascontiguousarray(alive[:, order]), bounds, at, tails, rows, found)
        mixed[order], quantile[order] = rows, found
        quantile[quantile < 0.0] = at[-1] - 1.0
    else:
        for k, n in enumerate(at):
            mixed[:, k] = (alive * module.alive_sf(n, t, x, T, **params)).mean(axis=0)

        def sf(n: Floats, rows: NDArray[np.intp]) -> Floats:
            return np.asarray((alive[:, rows] * module.alive_sf(n, t, x, T[rows], **params)).mean(axis=0))

        for k, tail in enumerate(tails):
            quantile[:, k] = special.smallest_count(sf, np.full(T.size, tail))
    return counts, np.maximum(mixed[:, :-1] - mixed[:, 1:], 0.0), quantile


def predictive_quantiles(
    module: ModuleType,
    params: dict[str, Floats],
    alive: Floats,
    t: float,
    x: Floats,
    T: Floats,
    tails: list[float],
    spend: SpendDraws | None = None,
) -> tuple[Floats, Floats]:
    """Quantiles of purchases, and of total future spend over v̄ + x·m, for each upper-tail probability.

    The spend table is exact in its points and linear in between on the scale (ln spend, ln odds); its quantiles are
    right to about 1e-4.

    Parameters
    ----------
    alive : array, shape (draws, n)
    x, T : arrays, shape (n,)
    tails : 1 − level of each quantile

    Returns
    -------
    purchases, factors : arrays, shape (tails, n); factors are zero without a spend model
    """
    wanted = np.asarray(tails, float)
    purchases, factors = np.zeros((2, wanted.size, x.size))
    for rows in _by_frequency(x):
        frequency = float(x[rows[0]])
        counts, pmf, quantiles = count_law(module, params, alive[:, rows], t, frequency, T[rows], wanted)
        purchases[:, rows] = quantiles.T
        if spend is not None:
            log_s, above = _spend_table(spend, frequency, counts, float(wanted.min()))
            found = np.zeros((rows.size, wanted.size))
            _invert(np.ascontiguousarray(pmf), np.ascontiguousarray(above.T), wanted, log_s, found)
            factors[:, rows] = found.T
    return purchases, factors


@dataclass(frozen=True, eq=False)
class PredictiveLaw:
    """What customers of one frequency will buy and spend.

    Attributes
    ----------
    rows : array of int, shape (n,)
    counts, more : arrays, shapes (k + 1,) and (n, k + 1)
        Purchases from 0 on, and P(more than so many) of each row; middles of bins where counts are binned.
    spend, above : arrays, shapes (m,) and (n, m), or None
        Total future spend over v̄ + x·m, from 0 on, and P(more than that) of each row.
    """

    rows: NDArray[np.intp]
    counts: Floats
    more: Floats
    spend: Floats | None = None
    above: Floats | None = None


def predictive_laws(
    module: ModuleType,
    params: dict[str, Floats],
    alive: Floats,
    t: float,
    x: Floats,
    T: Floats,
    spend: SpendDraws | None = None,
) -> Iterator[PredictiveLaw]:
    """The laws that :func:`predictive_quantiles` takes its quantiles of, one frequency after the other."""
    for rows in _by_frequency(x):
        frequency = float(x[rows[0]])
        counts, pmf, _ = count_law(module, params, alive[:, rows], t, frequency, T[rows], np.empty(0))
        more = np.cumsum(pmf[:, ::-1], axis=1)[:, ::-1]
        law = PredictiveLaw(rows, np.append(0.0, counts), np.column_stack([more, np.zeros(rows.size)]))
        if spend is not None:
            log_s, table = _spend_table(spend, frequency, counts, COUNT_TAIL)
            above = np.column_stack([more[:, 0], pmf @ table])
            law = replace(law, spend=np.append(0.0, np.exp(log_s)), above=above)
        yield law


def _by_frequency(x: Floats) -> list[NDArray[np.intp]]:
    """Rows of each frequency."""
    order = np.argsort(x, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(x[order])) + 1)


def _spend_table(spend: SpendDraws, x: float, counts: Floats, tail: float) -> tuple[Floats, Floats]:
    """Grid of ln spend (over v̄ + x·m), and P(total of n purchases > spend), a row a count, averaged over draws."""
    pick = np.unique(np.linspace(0, spend.p.size - 1, SPEND_DRAWS).round().astype(int))
    p, q, v = spend.p[pick], spend.q[pick], spend.v[pick]
    unit = np.log((v + x * spend.mean) / (spend.v.mean() + x * spend.mean))
    shape = q + p * x
    low = np.max(sp.betaincinv(p, shape, 1e-5))
    high = np.min(sp.betaincinv(shape, p * counts[-1], min(tail, 0.5) * 0.05))
    log_s = np.linspace(
        np.log(max(low, special.TINY)) - np.log1p(-low) + unit.min(),
        np.log1p(-high) - np.log(max(high, special.TINY)) + unit.max(),
        SPEND_POINTS,
    )
    above = [
        sp.betainc(shape[i], p[i] * counts[:, None], 1.0 / (1.0 + np.exp(log_s - unit[i]))) for i in range(pick.size)
    ]
    return log_s, np.asarray(np.mean(above, axis=0))


@numba.njit(cache=True, nogil=True)
def _invert(pmf: Any, above: Any, tails: Any, log_s: Any, out: Any) -> None:
    """Spend at which each row's P(total > spend) falls to each tail; stays zero where no purchase is that likely.

    The survival at a grid point is the row's law of counts times the table, and bisection asks for few of them; between
    two points the logit of the survival is linear in ln spend.
    """
    for i in range(pmf.shape[0]):
        buys = pmf[i].sum()
        for k in range(tails.size):
            if buys <= tails[k]:
                continue
            low, high = 0, log_s.size - 1
            at_low, at_high = np.dot(pmf[i], above[low]), np.dot(pmf[i], above[high])
            while high - low > 1:
                middle = (low + high) // 2
                value = np.dot(pmf[i], above[middle])
                if value > tails[k]:
                    low, at_low = middle, value
                else:
                    high, at_high = middle, value
            at_low = min(max(at_low, 1e-300), 1.0 - 1e-16)
            at_high = min(max(at_high, 1e-300), 1.0 - 1e-16)
            upper, lower = np.log(at_low / (1.0 - at_low)), np.log(at_high / (1.0 - at_high))
            wanted = np.log(tails[k] / (1.0 - tails[k]))
            share = (upper - wanted) / (upper - lower) if upper > lower else 0.0
            out[i, k] = np.exp(log_s[low] + min(max(share, 0.0), 1.0) * (log_s[high] - log_s[low]))
