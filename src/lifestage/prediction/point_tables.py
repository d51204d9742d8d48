"""The future of living customers under one draw, tabulated by (frequency, time): expectations, counts, total spend.

Given that a customer is alive the future depends on (frequency, T) alone, so all of this is
computed once a distinct pair: some 16 thousand pairs for a million customers. What a pair gets is a
function of the pair, the model and the terms; the others decide at most how much of a table is
shared.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numba
import numpy as np

from lifestage.families import family
from lifestage.numerics import special
from lifestage.prediction.count_distribution import LONGEST_TABLE, count_edges
from lifestage.prediction.expected_purchases import discounted_purchases
from lifestage.prediction.point_spend import (
    Mixing,
    SpendDraws,
    SpendGrids,
    mixing,
    odds_table,
    spend_grids,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lifestage.core.terms import Terms
    from lifestage.core.typing import Floats, Ints
    from lifestage.fitting.fitted import FittedModel

__all__ = ["Futures", "Pairs", "find_pairs", "tabulate"]


MOST_CELLS, MOST_VALUES = 20_000_000, 20_000_000
"""Frequencies times days in which pairs are looked up without sorting, and values of a table held at once."""

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
    now, fresh : array of int, shape (customers,)
        Pair of each customer's T, and of their recency.
    """

    x: Floats
    time: Floats
    observed: NDArray[np.bool_]
    now: Ints
    fresh: Ints


@dataclass(frozen=True, eq=False)
class Futures:
    """What a living customer of each pair will do.

    Attributes
    ----------
    values : array, shape (pairs, 7)
        Expected and discounted purchases and P(a purchase) within the horizon; P(a purchase) within
        the window; and quantiles of the wait to the next purchase, given one within the horizon
        (periods).
    start : array of int, shape (pairs + 1,)
        Where ``survival`` has P(at least 1 purchase) of each pair.
    survival : array
    open : array of bool, shape (pairs,)
        Of pairs whose counts go on beyond any table.
    grids : SpendGrids or None
        A row a pair; None without a spend model.
    begin : array of int, shape (pairs + 1,)
        Where ``odds`` has those of each pair; nothing of pairs that are solved directly.
    odds : array
        ln of P(total > s) : P(total ≤ s) given alive, from one point of the grid of ln s to the
        next.
    """

    values: Floats
    start: Ints
    survival: Floats
    open: NDArray[np.bool_]
    grids: SpendGrids | None
    begin: Ints
    odds: Floats


def find_pairs(x: Floats, t_x: Floats, T: Floats, days: float) -> Pairs:
    """Find the distinct pairs of customers: in a table where all times are whole days, else by sorting."""
    at = np.empty((2, x.size), np.int64)
    longest, most, whole = _in_days(x, t_x, T, days, at)
    if not whole or (most + 1.0) * (longest + 1.0) > MOST_CELLS:
        return _sorted_pairs(x, t_x, T)
    seen = np.zeros((int(most) + 1, int(longest) + 1), np.uint8)
    _mark(x, at, seen)
    frequency, time = np.nonzero(seen)
    place = np.zeros(seen.shape, np.int64)
    place[frequency, time] = np.arange(frequency.size)
    _look_up(x, at, place)
    observed = (seen[frequency, time] & 1).astype(bool)
    return Pairs(
        frequency.astype(float), (np.arange(seen.shape[1]) / days)[time], observed, at[1], at[0]
    )


def _sorted_pairs(x: Floats, t_x: Floats, T: Floats) -> Pairs:
    both, times = np.tile(x, 2), np.concatenate([T, t_x])
    order = np.lexsort((times, both))
    both, times = both[order], times[order]
    new = np.concatenate([[True], (np.diff(both) != 0.0) | (np.diff(times) != 0.0)])
    place = np.empty(order.size, np.int64)
    place[order] = np.cumsum(new) - 1
    observed = np.zeros(int(new.sum()), bool)
    observed[place[: x.size]] = True
    return Pairs(both[new], times[new], observed, place[: x.size], place[x.size :])


@numba.njit(cache=True, nogil=True)
def _in_days(x, t_x, T, days, at):  # type: ignore[no-untyped-def]
    """Write times in days; the longest, the highest frequency, and whether all of them are whole days."""
    longest, most, whole = 0.0, 0.0, True
    for i in range(x.size):
        a_day, b_day = np.rint(t_x[i] * days), np.rint(T[i] * days)
        if a_day / days != t_x[i] or b_day / days != T[i]:
            return longest, most, False
        longest = max(longest, a_day, b_day)
        most = max(most, x[i])
        at[0, i] = int(a_day)
        at[1, i] = int(b_day)
    return longest, most, whole


@numba.njit(cache=True, nogil=True)
def _mark(x, at, seen):  # type: ignore[no-untyped-def]
    """1 for pairs of frequency and T, 2 for pairs of frequency and recency."""
    for i in range(x.size):
        seen[int(x[i]), at[1, i]] |= 1
        seen[int(x[i]), at[0, i]] |= 2


@numba.njit(cache=True, nogil=True)
def _look_up(x, at, place):  # type: ignore[no-untyped-def]
    """From days to pairs."""
    for i in range(x.size):
        at[0, i] = place[int(x[i]), at[0, i]]
        at[1, i] = place[int(x[i]), at[1, i]]


def tabulate(model: FittedModel, pairs: Pairs, terms: Terms, window: float) -> Futures | None:
    """Tabulate the future of every pair under a model of one draw; None where that is too much to hold at once.

    Parameters
    ----------
    window : float
        The stage window in periods.
    """
    module, params, t = (
        family(model.purchases.family),
        model.purchases.columns(),
        float(terms.horizon),
    )
    rate = float(np.log1p(terms.discount_rate)) / model.period.per_year
    shape, scale, a, b = (
        np.ascontiguousarray(np.broadcast_to(v, (1, pairs.x.size))[0])
        for v in module.alive_law(pairs.x, pairs.time, **params)
    )
    values = np.zeros((pairs.x.size, WAITS + len(SHARES)))
    within = special.power_survival(shape, t / scale)
    values[:, IN_HORIZON], values[:, IN_WINDOW] = (
        within,
        special.power_survival(shape, window / scale),
    )
    for k, share in enumerate(SHARES):
        values[:, WAITS + k] = scale * np.expm1(-np.log1p(-share * within) / shape)
    tail = 0.5 * (1.0 - terms.level)
    start, survival = _survivals(
        pairs.observed,
        shape,
        t / scale,
        a,
        b,
        min(COUNT_TAIL, 1e-3 * tail),
        LONGEST_TABLE,
        MOST_VALUES,
    )
    if survival.size > MOST_VALUES and np.count_nonzero(pairs.observed) > 1:
        return None
    reaches_end = np.diff(start) == LONGEST_TABLE
    with ThreadPoolExecutor(1) as pool:
        purchases = pool.submit(discounted_purchases, module, params, t, pairs.x, pairs.time, rate)
        spend = _tabulate_spend(model, pairs, shape, start, survival, tail)
        values[:, EXPECTED], values[:, DISCOUNTED] = (each[0] for each in purchases.result())
    return None if spend is None else Futures(values, start, survival, reaches_end, *spend)


# fmt: off
@numba.njit(cache=True, nogil=True)
def _survivals(observed, shape, ratio, a, b, beyond, longest, most):  # type: ignore[no-untyped-def]
# fmt: on
    """P(at least n purchases | alive) of every pair, n = 1, 2, …, by recurrence, until *beyond* or *longest* counts."""
    start, out, size = np.zeros(shape.size + 1, np.int64), np.empty(1 << 16), 0
    for j in range(shape.size):
        start[j] = size
        if not observed[j]:
            continue
        log_pmf, grow = -shape[j] * np.log1p(ratio[j]), ratio[j] / (1.0 + ratio[j])
        pmf, below, survived = np.exp(log_pmf), 0.0, 1.0
        for n in range(1, longest + 1):
            if size == out.size:
                larger = np.empty(2 * size)
                larger[:size] = out
                out = larger
            below += pmf
            out[size] = max(1.0 - below, 0.0) * survived
            size += 1
            if out[size - 1] <= beyond:
                break
            step = (shape[j] + n - 1.0) / n * grow
            if log_pmf < -600.0:  # too small to be multiplied up
                log_pmf += np.log(step)
                pmf = np.exp(log_pmf)
            else:
                pmf *= step
            survived *= (b[j] + n - 1.0) / (a[j] + b[j] + n - 1.0)
        if size > most:
            break
    start[-1] = size
    return start, out[:size]


def _tabulate_spend(
    model: FittedModel, pairs: Pairs, shape: Floats, start: Ints, survival: Floats, tail: float
) -> tuple[SpendGrids | None, Ints, Floats] | None:
    """Grids and log odds of the total spend of every pair; None where they are too many."""
    begin = np.zeros(pairs.x.size + 1, np.int64)
    if model.spend is None:
        return None, begin, np.zeros(0)
    draws = {name: model.spend.draws[name] for name in ("p", "q", "v")}
    first = np.flatnonzero(np.diff(pairs.x, prepend=-1.0))
    grids = spend_grids(SpendDraws(**draws, mean=model.mean_spend), pairs.x[first], shape[first])
    stop = np.append(first[1:], pairs.x.size)
    # P(total > s) ≤ P(more than n purchases) + P(total of n > s): no table needs to reach further
    most = np.zeros(first.size, np.int64)
    _likely(start, survival, 0.4 * tail, first, stop, most)
    places = np.flatnonzero((grids.step > 0.0) & (most > 0))

    def prepare(i: int) -> tuple[Floats, Mixing]:
        counts = count_edges(float(np.diff(start[first[i] : stop[i] + 1]).max()), float(shape[first[i]]))
        return counts, mixing(grids, i, counts, float(most[i]), tail)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        laws = dict(zip(places.tolist(), pool.map(prepare, places), strict=True))
        room = np.zeros(pairs.x.size, np.int64)
        for i, (_, law) in laws.items():
            room[first[i] : stop[i]] = pairs.observed[first[i] : stop[i]] * law.density.shape[1]
        begin[1:] = np.cumsum(room)
        if begin[-1] > MOST_VALUES and np.count_nonzero(pairs.observed) > 1:
            return None
        odds = np.empty(int(begin[-1]))

        def work(i: int) -> None:
            (counts, law), some = laws[i], slice(first[i], stop[i] + 1)
            _mix(start[some], survival, counts, law.density, law.short, law.step, 0.9 * tail, begin[some], odds)

        list(pool.map(work, laws))
    group = np.repeat(np.arange(first.size), stop - first)
    every = SpendGrids(grids.p, *(each[group] for each in (grids.spends, grids.unit, grids.low, grids.step)))
    return every, begin, odds


@numba.njit(cache=True, nogil=True)
def _likely(start, survival, tail, first, stop, out):  # type: ignore[no-untyped-def]
    """The most purchases of any pair of a frequency that are exceeded with more than the chance *tail*."""
    for i in range(first.size):
        for j in range(first[i], stop[i]):
            n = 0
            while n < start[j + 1] - start[j] and survival[start[j] + n] > tail:
                n += 1
            if start[j + 1] > start[j]:
                out[i] = max(out[i], n, 1)


@numba.njit(cache=True, nogil=True)
def _mix(start, survival, counts, density, short, step, least, begin, odds):  # type: ignore[no-untyped-def]
    """The log odds of each pair of a frequency; between two of the counts the density is linear in n."""
    share, f = np.empty(density.shape[0]), np.empty(density.shape[1])
    for j in range(start.size - 1):
        top, law = start[j + 1] - start[j], survival[start[j] : start[j + 1]]
        if top == 0:
            continue
        share[:] = 0.0
        at = 0
        for n in range(1, top + 1):
            while counts[at] < n:
                at += 1
            exactly = law[n - 1] - (law[n] if n < top else 0.0)
            back = (counts[at] - n) / (counts[at] - counts[at - 1]) if counts[at] > n else 0.0
            share[at] += (1.0 - back) * exactly
            if back > 0.0:
                share[at - 1] += back * exactly
        out = odds[begin[j] : begin[j + 1]]
        used = odds_table(share, density, short, step, least, f, out)
        out[used:] = -np.inf
