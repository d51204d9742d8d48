"""One compiled pass over the rows of customers, which looks their scores up in tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numba
import numpy as np

from lifestage.prediction.spend_direct import direct_quantile
from lifestage.prediction.spend_grids import spend_at

if TYPE_CHECKING:
    from lifestage.core.typing import Floats, Ints
    from lifestage.prediction.point_tables import SpendTables

__all__ = ["Lookup", "fill_rows"]


class Lookup(NamedTuple):
    """What the compiled pass over the rows reads; arrays by pair, as in PointTables.

    Attributes
    ----------
    x, at_once : arrays, shape (pairs,)
        Frequency, and P(alive) right after a purchase at the time of the pair.
    values, start, survival : as in PointTables
    spend : SpendTables
        Empty without a spend model.
    tails : array, shape (2,)
        Upper-tail probabilities of the two ends of the intervals.
    """

    x: Floats
    at_once: Floats
    values: Floats
    start: Ints
    survival: Floats
    spend: SpendTables
    tails: Floats


@numba.njit(cache=True, nogil=True)
def fill_rows(now, fresh, lookup, out):  # type: ignore[no-untyped-def]
    """Fill the columns of rows, given P(alive) and the pairs of their T and of their recency."""
    x, at_once, values, start, survival, spend, tails = lookup
    grids, begin, odds = spend
    money = out.shape[0] > 11
    # a row that has the columns of all customers without a repeat, by pair
    filled = np.full(x.size, -1)
    for i in range(now.size):
        j, new = now[i], fresh[i]
        if x[j] == 0.0:
            like = filled[j]
            if like >= 0 and fresh[like] == new:
                for k in range(out.shape[0]):
                    out[k, i] = out[k, like]
                continue
            filled[j] = i
        alive = out[0, i]
        out[1, i] = alive * values[j, 2]
        out[2, i] = alive * values[j, 0]
        current, then = alive * values[j, 3], at_once[new] * values[new, 3]
        out[5, i] = current
        out[6, i] = then
        out[7, i] = min(max(current / max(then, 1e-300), 1e-300), 1.0)
        for k in range(3):
            out[8 + k, i] = values[j, 4 + k]
        if money:
            out[11, i] = alive * values[j, 1]
            out[12, i] = at_once[new] * values[new, 1]
        living = survival[start[j] : start[j + 1]]
        for q in range(2):
            level, spent = tails[q] / max(alive, 1e-300), 0.0
            count = _exceeded(living, level)
            if money and count > 0:
                if grids.step[j] > 0.0:
                    table = odds[begin[j] : begin[j + 1]]
                    wanted = np.log(level / (1.0 - level))
                    spent = np.exp(spend_at(table, grids.low[j], grids.step[j], wanted))
                else:
                    counts = np.arange(1.0, living.size + 1.0)
                    spends, unit = grids.spends[j], grids.unit[j]
                    total = direct_quantile(counts, living, grids.p, spends, unit, level)
                    spent = np.exp(total)
            out[3 + q, i] = count
            if money:
                out[13 + q, i] = spent


@numba.njit(cache=True, nogil=True)
def _exceeded(living, level):  # type: ignore[no-untyped-def]
    """Smallest n with P(more than n) ≤ level, where P(at least n) stands at n − 1."""
    low, high, top = 0, 8, living.size
    while high < top and living[high - 1] > level:
        low, high = high, 2 * high
    high = min(high, top)
    while low < high:
        middle = (low + high) // 2
        if living[middle] > level:
            low = middle + 1
        else:
            high = middle
    return low
