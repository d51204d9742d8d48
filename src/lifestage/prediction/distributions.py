"""The predictive distribution and its quantiles: how many purchases, and how much money.

The number of purchases is 0 with probability 1 − P(alive) and else follows the family's
distribution, in which only the state of the customer matters. The spend of n purchases, over v +
x·m, is beta-prime(p·n, q + p·x); with the draws of purchases and spend independent, the two
averages multiply, and the mixture over n is inverted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numba
import numpy as np
from scipy import special as sp

from lifestage.families.tables import TableLimits, count_table, rate_shape
from lifestage.numerics import special
from lifestage.prediction.count_distribution import (
    COUNT_TAIL,
    LONGEST_TABLE,
    count_distribution,
)
from lifestage.prediction.spend_direct import direct_quantile
from lifestage.prediction.spend_grids import (
    SpendDraws,
    odds_table,
    spend_at,
    spend_density,
    spend_grids,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from numpy.typing import NDArray

    from lifestage.core.typing import Floats
    from lifestage.prediction.count_distribution import CountDistribution

__all__ = [
    "PredictiveDistribution",
    "SpendDraws",
    "predictive_distributions",
    "predictive_quantiles",
]


SPEND_POINTS = 257
"""Points of a table of spend, equally spaced in its logarithm."""


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
    """Compute quantiles of purchases, and of total future spend over v̄ + x·m, for upper tails.

    A row's quantiles are a function of the row. Those of counts are exact, those of spend within
    1e-4 of the mixture of ``spend_grids.SPEND_DRAWS`` draws.

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
        bought = count_distribution(module, params, alive[:, rows], t, frequency, T[rows], wanted)
        purchases[:, rows] = bought.quantiles.T
        if spend is not None:
            shape = rate_shape(module, params, x[rows[:1]])
            factors[:, rows] = _spend_quantiles(spend, frequency, shape, bought, wanted).T
    return purchases, factors


@dataclass(frozen=True, eq=False)
class PredictiveDistribution:
    """What customers of one frequency will buy and spend.

    Attributes
    ----------
    rows : array of int, shape (n,)
    counts, more : arrays, shapes (k + 1,) and (n, k + 1)
        Purchases from 0 on, and P(more than so many) of each row; middles of bins where counts are
        binned.
    spend, above : arrays, shapes (m,) and (n, m), or None
        Total future spend over v̄ + x·m, from 0 on, and P(more than that) of each row.
    """

    rows: NDArray[np.intp]
    counts: Floats
    more: Floats
    spend: Floats | None = None
    above: Floats | None = None


def predictive_distributions(
    module: ModuleType,
    params: dict[str, Floats],
    alive: Floats,
    t: float,
    x: Floats,
    T: Floats,
    spend: SpendDraws | None = None,
) -> Iterator[PredictiveDistribution]:
    """Yield the distributions behind :func:`predictive_quantiles`, frequency by frequency."""
    for rows in _by_frequency(x):
        frequency = float(x[rows[0]])
        bought = count_distribution(module, params, alive[:, rows], t, frequency, T[rows])
        survival = np.cumsum(bought.pmf[:, ::-1], axis=1)[:, ::-1]
        counts = np.append(0.0, bought.counts)
        more = np.column_stack([survival, np.zeros(rows.size)])
        if spend is None:
            yield PredictiveDistribution(rows, counts, more)
            continue
        longest = _longest_count(module, params, t, frequency)
        log_s, exceeded = _spend_table(spend, frequency, bought.counts, longest)
        above = np.column_stack([survival[:, 0], bought.pmf @ exceeded])
        yield PredictiveDistribution(rows, counts, more, np.append(0.0, np.exp(log_s)), above)


def _longest_count(module: ModuleType, params: dict[str, Floats], t: float, x: float) -> float:
    """Count that a negligible share of the living reach, of those observed for 0 or for *t*.

    So the end of a table of spend does not depend on the customers at hand.
    """
    limits = TableLimits(COUNT_TAIL, LONGEST_TABLE)
    table = count_table(module, params, t, np.full(2, x), np.array([0.0, t]), limits)
    return float(np.diff(table.start).max())


def _by_frequency(x: Floats) -> list[NDArray[np.intp]]:
    """Rows of each frequency."""
    order = np.argsort(x, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(x[order])) + 1)


def _spend_table(
    spend: SpendDraws, x: float, counts: Floats, longest: float
) -> tuple[Floats, Floats]:
    """Grid of ln spend (over v̄ + x·m), and P(total of n purchases > spend), one row per count.

    Averaged over the draws. The grid ends where a total of *longest* purchases is negligible.
    """
    grids = spend_grids(spend, np.array([x]), np.array([1.0]))
    p, shape, unit = grids.p, grids.spends[0], grids.unit[0]
    low = np.max(sp.betaincinv(p, shape, 1e-5))
    high = np.min(sp.betaincinv(shape, p * longest, COUNT_TAIL * 0.05))
    log_s = np.linspace(
        np.log(max(low, special.TINY)) - np.log1p(-low) + unit.min(),
        np.log1p(-high) - np.log(max(high, special.TINY)) + unit.max(),
        SPEND_POINTS,
    )
    above = np.zeros((counts.size, SPEND_POINTS))
    for i in range(p.size):
        share = 1.0 / (1.0 + np.exp(log_s - unit[i]))
        above += sp.betainc(shape[i], p[i] * counts[:, None], share)
    return log_s, above / p.size


def _spend_quantiles(
    spend: SpendDraws, x: float, shape: Floats, bought: CountDistribution, tails: Floats
) -> Floats:
    """Totals that rows of one frequency exceed with the tail probabilities.

    0 where a purchase is less likely than that.
    """
    grids = spend_grids(spend, np.array([x]), shape)
    counts, first, pmf, _ = bought
    out, tail = np.zeros((pmf.shape[0], tails.size)), float(tails.min())
    if grids.step[0] == 0.0:
        _solve(pmf, first, grids.p, grids.spends[0], grids.unit[0], tails, out)
        return out
    more = np.cumsum(pmf.max(axis=0)[::-1])[::-1]  # no row's counts go further
    most = float(counts[np.count_nonzero(more > 0.4 * tail) - 1])
    table = spend_density(grids, 0, counts, most, tail)
    _invert(pmf, table, tails, 0.9 * tail, out)
    return out


@numba.njit(cache=True, nogil=True)
def _invert(pmf, table, tails, least, out):  # type: ignore[no-untyped-def]
    """Quantiles from a table of each row's distribution of total spend."""
    share = np.zeros(table.density.shape[0])
    f, odds = np.empty(table.density.shape[1]), np.empty(table.density.shape[1])
    for i in range(pmf.shape[0]):
        buys = 0.0
        for k in range(pmf.shape[1]):
            buys += pmf[i, k]
            share[k] = pmf[i, k]
        if buys <= tails.min():
            continue
        used = odds_table(share, table, least, f, odds)
        for k in range(tails.size):
            if buys > tails[k]:
                wanted = np.log(tails[k] / (1.0 - tails[k]))
                out[i, k] = np.exp(spend_at(odds[:used], table.low, table.step, wanted))


@numba.njit(cache=True, nogil=True)
def _solve(pmf, at, p, spends, unit, tails, out):  # type: ignore[no-untyped-def]
    """Quantiles of each row's mixture itself.

    Bins of several counts are opened, evenly, where they can be held.
    """
    for i in range(pmf.shape[0]):
        size = 0
        for k in range(pmf.shape[1]):
            if pmf[i, k] > 0.0:
                size = k + 1
        top = int(at[size]) - 1
        single = top <= LONGEST_TABLE
        counts, more = np.empty(top if single else size), np.empty(top if single else size)
        place, left = counts.size, 0.0
        for k in range(size - 1, -1, -1):
            width = int(at[k + 1] - at[k]) if single else 1
            for n in range(width - 1, -1, -1):
                place -= 1
                left += pmf[i, k] / width
                more[place] = left
                counts[place] = at[k] + n if single else 0.5 * (at[k] + at[k + 1] - 1.0)
        for k in range(tails.size):
            if size > 0 and left > tails[k]:
                out[i, k] = np.exp(direct_quantile(counts, more, p, spends, unit, tails[k]))
