"""The future of living customers under one draw, tabulated: expectations, counts, total spend.

Given that a customer is alive the future depends on (frequency, T) alone, so all of this is
computed once per distinct pair: some 16 thousand pairs for a million customers. What a pair gets is
a function of the pair, the model and the terms; the others decide at most how much of a table is
shared.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numba
import numpy as np

from lifestage.core.terms import rate_per_period
from lifestage.families import family
from lifestage.families.tables import (
    CountTable,
    TableLimits,
    count_table,
    purchase_table,
    rate_shape,
)
from lifestage.prediction.count_distribution import LONGEST_TABLE, count_edges
from lifestage.prediction.next_purchase import SHARES
from lifestage.prediction.spend import spend_draws
from lifestage.prediction.spend_grids import (
    SpendDensity,
    SpendGrids,
    odds_table,
    spend_density,
    spend_grids,
)

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray

    from lifestage.core.terms import Terms
    from lifestage.core.typing import Floats, Ints
    from lifestage.fitting.fitted import FittedModel
    from lifestage.prediction.point_pairs import Pairs

__all__ = ["PointTables", "tabulate"]


MAX_VALUES = 20_000_000
"""Values of a table that are held at once."""

COUNT_TAIL = 1e-5
"""Counts are tabulated until fewer than this share of living customers would exceed them.

A thousandth of the tails of the intervals where that is less.
"""

EXPECTED, DISCOUNTED, IN_HORIZON, IN_WINDOW, WAITS = 0, 1, 2, 3, 4
"""Columns of ``PointTables.values``; three waits follow."""


@dataclass(frozen=True, eq=False)
class PointTables:
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
    spend : SpendTables or None
        None without a spend model.
    """

    values: Floats
    start: Ints
    survival: Floats
    open: NDArray[np.bool_]
    spend: SpendTables | None


class SpendTables(NamedTuple):
    """Total spend of a living customer of each pair.

    Attributes
    ----------
    grids : SpendGrids
        A row per pair.
    begin : array of int, shape (pairs + 1,)
        Where ``odds`` has those of each pair; nothing of pairs that are solved directly.
    odds : array
        ln of P(total > s) : P(total ≤ s) given alive, from one point of the grid of ln s to the
        next.
    """

    grids: SpendGrids
    begin: Ints
    odds: Floats


class TooManyPairs(Exception):
    """The tables of so many pairs cannot be held at once."""


def tabulate(model: FittedModel, pairs: Pairs, terms: Terms, window: float) -> PointTables:
    """Tabulate the future of every pair under a model of one draw.

    Parameters
    ----------
    window : float
        The stage window in periods.

    Raises
    ------
    TooManyPairs
        If that is too much to hold at once.
    """
    module, params = family(model.purchases.family), model.purchases.columns()
    t, tail = float(terms.horizon), 0.5 * (1.0 - terms.level)
    rate = rate_per_period(terms.discount_rate, model.period)
    table = _tabulate_counts(module, params, t, pairs, min(COUNT_TAIL, 1e-3 * tail))
    values = np.zeros((pairs.x.size, WAITS + len(SHARES)))
    # before the threads: what a family compiles at its first call is compiled by one of them
    values[:, IN_HORIZON] = module.count_survival(1, t, pairs.x, pairs.time, **params)
    with ThreadPoolExecutor(1) as pool:
        purchases = pool.submit(purchase_table, module, params, t, pairs.x, pairs.time, rate)
        values[:, IN_WINDOW] = module.count_survival(1, window, pairs.x, pairs.time, **params)
        x, T = pairs.x[pairs.observed], pairs.time[pairs.observed]
        for k, share in enumerate(SHARES):
            wait = module.next_purchase_quantile(share, t, x, T, **params)
            values[pairs.observed, WAITS + k] = wait
        spend = None
        if model.spend is not None:
            shape = rate_shape(module, params, pairs.x)
            spend = _tabulate_spend(model, pairs, shape, table, tail)
        expected, discounted = purchases.result()
        values[:, EXPECTED], values[:, DISCOUNTED] = expected[0], discounted[0]
    reaches_end = np.diff(table.start) == LONGEST_TABLE
    return PointTables(values, table.start, table.survival[:, 0], reaches_end, spend)


def _tabulate_counts(
    module: ModuleType, params: dict[str, Floats], t: float, pairs: Pairs, tail: float
) -> CountTable:
    """P(at least n purchases | alive) of every pair; no counts of pairs that are only a recency."""
    seen = pairs.observed
    limits = TableLimits(tail, LONGEST_TABLE, MAX_VALUES)
    table = count_table(module, params, t, pairs.x[seen], pairs.time[seen], limits)
    if table.survival.size > MAX_VALUES and np.count_nonzero(seen) > 1:
        raise TooManyPairs
    lengths = np.zeros(pairs.x.size, np.int64)
    lengths[seen] = np.diff(table.start)
    return CountTable(np.append(0, np.cumsum(lengths)), table.survival)


def _tabulate_spend(
    model: FittedModel, pairs: Pairs, shape: Floats, table: CountTable, tail: float
) -> SpendTables:
    """Grids and log odds of the total spend of every pair."""
    first = np.flatnonzero(np.diff(pairs.x, prepend=-1.0))
    stop = np.append(first[1:], pairs.x.size)
    grids = spend_grids(spend_draws(model), pairs.x[first], shape[first])
    start, survival = table.start, table.survival[:, 0]
    # P(total > s) ≤ P(more than n purchases) + P(total of n > s): no table needs to reach further
    most = np.zeros(first.size, np.int64)
    _likely(start, survival, 0.4 * tail, first, stop, most)
    places = np.flatnonzero((grids.step > 0.0) & (most > 0))

    def prepare(i: int) -> tuple[Floats, SpendDensity]:
        longest = float(np.diff(start[first[i] : stop[i] + 1]).max())
        counts = count_edges(longest, float(shape[first[i]]))
        return counts, spend_density(grids, i, counts, float(most[i]), tail)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        densities = dict(zip(places.tolist(), pool.map(prepare, places), strict=True))
        room = np.zeros(pairs.x.size, np.int64)
        for i, (_, held) in densities.items():
            of_pair = pairs.observed[first[i] : stop[i]]
            room[first[i] : stop[i]] = of_pair * held.density.shape[1]
        begin = np.append(0, np.cumsum(room))
        if begin[-1] > MAX_VALUES and np.count_nonzero(pairs.observed) > 1:
            raise TooManyPairs
        odds = np.empty(int(begin[-1]))

        def work(i: int) -> None:
            (counts, held), some = densities[i], slice(first[i], stop[i] + 1)
            _mix(start[some], survival, counts, held, 0.9 * tail, begin[some], odds)

        list(pool.map(work, densities))
    group = np.repeat(np.arange(first.size), stop - first)
    by_pair = SpendGrids(
        grids.p, grids.spends[group], grids.unit[group], grids.low[group], grids.step[group]
    )
    return SpendTables(by_pair, begin, odds)


@numba.njit(cache=True, nogil=True)
def _likely(start, survival, tail, first, stop, out):  # type: ignore[no-untyped-def]
    """The most purchases of any pair of a frequency that are exceeded more likely than *tail*."""
    for i in range(first.size):
        for j in range(first[i], stop[i]):
            n = 0
            while n < start[j + 1] - start[j] and survival[start[j] + n] > tail:
                n += 1
            if start[j + 1] > start[j]:
                out[i] = max(out[i], n, 1)


@numba.njit(cache=True, nogil=True)
def _mix(start, survival, counts, table, least, begin, odds):  # type: ignore[no-untyped-def]
    """Log odds of each pair of a frequency; between two counts the density is linear in n."""
    share, f = np.empty(table.density.shape[0]), np.empty(table.density.shape[1])
    for j in range(start.size - 1):
        top, living = start[j + 1] - start[j], survival[start[j] : start[j + 1]]
        if top == 0:
            continue
        share[:] = 0.0
        at = 0
        for n in range(1, top + 1):
            while counts[at] < n:
                at += 1
            exactly = living[n - 1] - (living[n] if n < top else 0.0)
            back = (counts[at] - n) / (counts[at] - counts[at - 1]) if counts[at] > n else 0.0
            share[at] += (1.0 - back) * exactly
            if back > 0.0:
                share[at - 1] += back * exactly
        out = odds[begin[j] : begin[j + 1]]
        used = odds_table(share, table, least, f, out)
        out[used:] = -np.inf
