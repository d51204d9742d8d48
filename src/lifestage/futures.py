"""The future of living customers under one draw, tabulated by (frequency, time): expectations, counts, total spend.

Given that a customer is alive the future depends on (frequency, T) alone, so all of this is computed once a distinct
pair: some 16 thousand pairs for a million customers.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numba
import numpy as np
from numpy.typing import NDArray

from lifestage import special
from lifestage.curves import discounted_purchases
from lifestage.families import family
from lifestage.intervals import longest_count
from lifestage.spend_laws import SpendLaws, mix_spend
from lifestage.value import Terms

if TYPE_CHECKING:
    from lifestage.model import LTVModel

__all__ = ["Futures", "Pairs", "find_pairs", "tabulate"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_CELLS, MOST_COUNTS = 20_000_000, 20_000_000
"""Frequencies times distinct times, and pairs times counts, that are tabulated."""

LONGEST = 100_000
"""Days that a table of times may span."""

COUNT_TAIL = 1e-5
"""Counts are tabulated until fewer than this share of living customers would exceed them (a thousandth of the tails of
the intervals where that is less)."""

EXPECTED, DISCOUNTED, IN_HORIZON, IN_WINDOW, WAITS = 0, 1, 2, 3, 4
"""Columns of ``Futures.values``; three waits follow."""

SHARES = (0.25, 0.5, 0.75)


@dataclass(frozen=True, eq=False)
class Pairs:
    """Distinct (x, time), sorted; time is the T of some customers, or only the recency of some.

    Attributes
    ----------
    x, time : array, shape (n,)
    observed : array of bool, shape (n,)
        Whether a customer of frequency x was observed for this time.
    place : array of int, shape (frequencies, times)
        Index of each pair.
    times : array, shape (times,)
    t_x, T : array of int, shape (customers,)
        Column of each customer's recency and T.
    """

    x: Floats
    time: Floats
    observed: NDArray[np.bool_]
    place: Ints
    times: Floats
    t_x: Ints
    T: Ints


@dataclass(frozen=True, eq=False)
class Futures:
    """What a living customer of each pair will do.

    Attributes
    ----------
    values : array, shape (pairs, 7)
        Expected and discounted purchases and P(a purchase) within the horizon; P(a purchase) within the window; and
        quantiles of the wait to the next purchase, given one within the horizon (periods).
    start, top : array of int, shape (pairs,)
        Where ``survival`` has P(at least 1 purchase), and up to how many it goes on.
    survival : array
    spend : SpendLaws
        Of total spend; empty without a spend model.
    """

    values: Floats
    start: Ints
    top: Ints
    survival: Floats
    spend: SpendLaws


def find_pairs(x: Floats, t_x: Floats, T: Floats, days: float) -> Pairs | None:
    """Find the distinct pairs of customers whose times are whole days; None where they are not, or are too many."""
    if not x.size:
        return None
    at = np.empty((2, x.size), np.int64)
    longest, most, off = _in_days(x, t_x, T, days, at)
    if off > 1e-6 or longest > LONGEST or (most + 1) * (longest + 1) > MOST_CELLS:
        return None
    seen = np.zeros((int(most) + 1, int(longest) + 1), np.uint8)
    _mark(x, at, seen)
    frequency, time = np.nonzero(seen)
    place = np.zeros(seen.shape, np.int64)
    place[frequency, time] = np.arange(frequency.size)
    times = np.arange(seen.shape[1]) / days
    return Pairs(
        frequency.astype(float), times[time], (seen[frequency, time] & 1).astype(bool), place, times, at[0], at[1]
    )


@numba.njit(cache=True, nogil=True)
def _in_days(x, t_x, T, days, at):  # type: ignore[no-untyped-def]
    """Write times in days; the longest, the highest frequency, and the largest distance from a whole day."""
    longest, most, off = 0.0, 0.0, 0.0
    for i in range(x.size):
        a, b = t_x[i] * days, T[i] * days
        a_day, b_day = np.rint(a), np.rint(b)
        off = max(off, abs(a - a_day), abs(b - b_day))
        longest = max(longest, a_day, b_day)
        most = max(most, x[i])
        at[0, i] = int(a_day)
        at[1, i] = int(b_day)
    return longest, most, off


@numba.njit(cache=True, nogil=True)
def _mark(x, at, seen):  # type: ignore[no-untyped-def]
    """1 for pairs of frequency and T, 2 for pairs of frequency and recency."""
    for i in range(x.size):
        seen[int(x[i]), at[1, i]] |= 1
        seen[int(x[i]), at[0, i]] |= 2


def tabulate(model: LTVModel, pairs: Pairs, terms: Terms, window: float) -> Futures | None:
    """Tabulate the future of every pair under a model of one draw; None where the tables would be too large.

    Parameters
    ----------
    window : float
        The stage window in periods.
    """
    module, params, t = family(model.purchases.family), model.purchases.columns(), float(terms.horizon)
    rate = float(np.log1p(terms.discount_rate)) / model.period.per_year
    shape, scale, a, b = (
        np.broadcast_to(v, (1, pairs.x.size))[0] for v in module.alive_law(pairs.x, pairs.time, **params)
    )
    use = np.flatnonzero(pairs.observed)
    values = np.zeros((pairs.x.size, WAITS + len(SHARES)))
    values[:, IN_HORIZON] = special.power_survival(shape, t / scale)
    values[:, IN_WINDOW] = special.power_survival(shape, window / scale)
    for k, share in enumerate(SHARES):
        values[:, WAITS + k] = scale * np.expm1(-np.log1p(-share * values[:, IN_HORIZON]) / shape)
    tail = 0.5 * (1.0 - terms.level)
    top = np.zeros(pairs.x.size, np.int64)
    beyond = min(COUNT_TAIL, 1e-3 * tail)
    groups = np.split(use, np.flatnonzero(np.diff(pairs.x[use])) + 1)
    for rows in groups:
        one = rows[:1]
        top[rows] = longest_count(shape[one], t / scale[one], a[one], b[one], beyond, MOST_COUNTS)
    start = np.concatenate([[0], np.cumsum(top)])
    if start[-1] > MOST_COUNTS:
        return None
    survival = np.empty(start[-1])
    _survivals(shape, t / scale, a, b, start, survival)
    laws = [survival[start[rows[0]] : start[rows[-1] + 1]].reshape(rows.size, -1) for rows in groups]
    with ThreadPoolExecutor(1) as pool:
        purchases = pool.submit(discounted_purchases, module, params, t, pairs.x, pairs.time, rate)
        spend = mix_spend(model, pairs.x.size, pairs.place.shape[0], groups, laws, shape, tail)
        values[:, EXPECTED], values[:, DISCOUNTED] = (each[0] for each in purchases.result())
    return Futures(values, start[:-1], top, survival, spend)


@numba.njit(cache=True, nogil=True)
def _survivals(shape, ratio, a, b, start, out):  # type: ignore[no-untyped-def]
    """P(at least n purchases | alive) of every pair, n = 1, 2, …, by recurrence."""
    for j in range(shape.size):
        log_pmf, grow = -shape[j] * np.log1p(ratio[j]), ratio[j] / (1.0 + ratio[j])
        pmf, below, survived = np.exp(log_pmf), 0.0, 1.0
        for n in range(1, start[j + 1] - start[j] + 1):
            below += pmf
            out[start[j] + n - 1] = max(1.0 - below, 0.0) * survived
            step = (shape[j] + n - 1.0) / n * grow
            if log_pmf < -600.0:  # too small to be multiplied up
                log_pmf += np.log(step)
                pmf = np.exp(log_pmf)
            else:
                pmf *= step
            survived *= (b[j] + n - 1.0) / (a[j] + b[j] + n - 1.0)
