"""The distribution of how often a customer will buy, by frequency, averaged over the draws.

Given that a customer is alive only the state matters, so the family tabulates the survival function
of each distinct state; a row mixes it with its P(alive). Counts are binned at places that depend on
the frequency alone, and a distribution ends where its own state's does: what a row gets is a
function of the row.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numba
import numpy as np

from lifestage.families.tables import TableLimits, count_table, rate_shape
from lifestage.numerics import special

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray

    from lifestage.core.typing import Floats

__all__ = ["COUNT_TAIL", "LONGEST_TABLE", "CountDistribution", "count_distribution", "count_edges"]


COUNT_TAIL = 1e-7
"""Counts are tabulated until fewer than this share of living customers would exceed them."""

EXACT_COUNTS = 256
"""Counts up to here are tabulated one by one, larger ones in bins."""

LONGEST_TABLE = 200_000
"""Where counts can exceed this, the survival function is evaluated at the bins alone."""

TABLE_VALUES = 4_000_000
"""Values of the survival functions of several states that are held at once: 32 MB."""


class CountDistribution(NamedTuple):
    """Purchase counts of the customers of one frequency.

    Attributes
    ----------
    counts : array, shape (k,)
        From 1; the middle of a bin where counts are binned.
    first : array, shape (k + 1,)
        Smallest count of each bin, and of the one after the last.
    pmf : array, shape (n, k)
        P(count in the bin) of each row, averaged over the draws; the rest is the probability of no
        purchase.
    quantiles : array, shape (n, tails)
        Smallest counts that are exceeded with at most the tail probability.
    """

    counts: Floats
    first: Floats
    pmf: Floats
    quantiles: Floats


def count_edges(top: float, shape: float) -> Floats:
    """Return counts from 1 to the first that reaches *top*: all of them, then in growing steps.

    Given a rate of this *shape* (squared mean over variance), counts near n vary by n + n²/shape at
    least. What steps leave out of that, or add to it, moves a quantile of total spend by less than
    1e-4.
    """
    counts = [float(n) for n in range(1, int(min(top, EXACT_COUNTS)) + 1)]
    while counts[-1] < top:
        n = counts[-1]
        spread = math.sqrt(n + n * n / shape)
        counts.append(n + max(1.0, math.floor(min(0.02 * n, 0.05 * spread))))
    return np.array(counts)


def count_distribution(
    module: ModuleType,
    params: dict[str, Floats],
    alive: Floats,
    t: float,
    x: float,
    T: Floats,
    tails: Floats | tuple[float, ...] = (),
) -> CountDistribution:
    """Tabulate the purchase counts within *t* of customers of one frequency.

    Parameters
    ----------
    params : dict of arrays of shape (draws, 1)
    alive : array, shape (draws, n)
        P(alive) of each row under each draw.
    x : float
        Their frequency.
    T : array, shape (n,)
    tails : upper-tail probabilities whose quantiles are wanted
    """
    times, place = np.unique(T, return_inverse=True)
    order = np.argsort(place, kind="stable")
    bounds = np.searchsorted(place[order], np.arange(times.size + 1))
    limits = TableLimits(COUNT_TAIL, LONGEST_TABLE)
    shape = float(rate_shape(module, params, np.array([x]))[0])
    probe = count_table(module, params, t, np.array([x]), times[:1], limits)
    size = max(1, TABLE_VALUES // max(probe.survival.size, 1))
    first, parts = np.ones(1), []
    for begin in range(0, times.size, size):
        state = slice(begin, begin + size)
        rows = order[bounds[begin] : bounds[min(begin + size, times.size)]]
        counts = _Counts(module, params, t, x, shape, np.asarray(tails, float))
        bins, mixed, quantiles = counts.mix(times[state], T[rows], alive[:, rows])
        first = max(first, bins, key=len)  # the shorter one is the beginning of the longer one
        parts.append((rows, mixed, quantiles))
    survival, quantile = np.zeros((T.size, first.size)), np.zeros((T.size, len(tails)))
    for rows, mixed, quantiles in parts:
        survival[rows, : mixed.shape[1]] = mixed
        quantile[rows] = quantiles
    middle = 0.5 * (first[:-1] + first[1:] - 1.0)
    pmf = np.maximum(survival[:, :-1] - survival[:, 1:], 0.0)
    return CountDistribution(middle, first, pmf, quantile)


class _Counts(NamedTuple):
    """What the counts of customers of one frequency follow from, and the tails wanted."""

    module: ModuleType
    params: dict[str, Floats]
    t: float
    x: float
    shape: float
    tails: Floats

    def mix(self, times: Floats, T: Floats, alive: Floats) -> tuple[Floats, Floats, Floats]:
        """Firsts of the bins, P(at least so many) of rows sorted by T, and their quantiles."""
        limits = TableLimits(COUNT_TAIL, LONGEST_TABLE)
        states = np.full(times.size, self.x)
        table = count_table(self.module, self.params, self.t, states, times, limits)
        lengths = np.diff(table.start)
        ends = special.mean_over_draws(table.survival[table.start[1:] - 1].T) <= COUNT_TAIL
        longest = [float(lengths.max()), *(self.last_count(time) for time in times[~ends])]
        first = np.append(1.0, count_edges(max(longest) + 2.0, self.shape) + 1.0)
        survival = np.zeros((T.size, first.size))
        quantiles = np.full((T.size, self.tails.size), -1.0)
        bounds = np.searchsorted(T, np.append(times, np.inf))
        by_row = np.ascontiguousarray(alive.T)
        _mix(table, bounds, by_row, first, self.tails, survival, quantiles)
        for j in np.flatnonzero(~ends):
            rows = slice(bounds[j], bounds[j + 1])
            survival[rows], quantiles[rows] = self.direct(float(times[j]), alive[:, rows], first)
        return first, survival, quantiles

    def last_count(self, T: float) -> float:
        """Count that a negligible share of living customers reach, where no table goes so far."""

        def sf(n: Floats, _: NDArray[np.intp]) -> Floats:
            values = self.module.count_survival(n, self.t, self.x, np.full(1, T), **self.params)
            return special.mean_over_draws(np.asarray(values))

        return float(special.smallest_count(sf, np.full(1, COUNT_TAIL))[0])

    def direct(self, T: float, alive: Floats, first: Floats) -> tuple[Floats, Floats]:
        """P(at least so many) and quantiles of rows of one T whose counts no table holds."""
        size = alive.shape[1]
        survival, quantiles = np.zeros((size, first.size)), np.zeros((size, self.tails.size))
        used = np.searchsorted(first, self.last_count(T), side="right")
        living = self.module.count_survival(first[:used], self.t, self.x, T, **self.params)
        for k in range(used):
            survival[:, k] = special.mean_over_draws(alive * living[:, k, None])

        def sf(n: Floats, rows: NDArray[np.intp]) -> Floats:
            now = np.full(rows.size, T)
            values = self.module.count_survival(n, self.t, self.x, now, **self.params)
            return special.mean_over_draws(alive[:, rows] * values)

        for k, tail in enumerate(self.tails):
            quantiles[:, k] = special.smallest_count(sf, np.full(size, tail))
        return survival, quantiles


@numba.njit(cache=True, nogil=True)
def _mix(table, bounds, alive, first, tails, survival, quantiles):  # type: ignore[no-untyped-def]
    """Fill P(X ≥ first[k]), averaged over draws, and the smallest n with P(X > n) ≤ each tail.

    The rows of a state lie between its *bounds*.
    """
    draws = alive.shape[1]
    for j in range(table.start.size - 1):
        k, begin = 0, table.start[j]
        for n in range(1, table.start[j + 1] - begin + 1):
            living = table.survival[begin + n - 1]
            wanted, last = n == int(first[k]), begin + n == table.start[j + 1]
            for i in range(bounds[j], bounds[j + 1]):
                value = 0.0
                for d in range(draws):
                    value += alive[i, d] * living[d]
                value /= draws
                for q in range(tails.size):
                    if quantiles[i, q] < 0.0 and (value <= tails[q] or last):
                        quantiles[i, q] = n - 1.0
                if wanted:
                    survival[i, k] = value
            if wanted:
                k += 1
