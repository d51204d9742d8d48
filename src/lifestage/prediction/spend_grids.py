"""The distribution of a customer's total future spend over v + x·m, tabulated on grids of ln spend.

The total of n purchases is beta-prime(p·n, q + p·x), mixed over how often the customer will buy.
Its logarithm has a density that is smooth on the grid of its frequency; densities are mixed over n
and integrated there. Where single counts stand out as narrow peaks, as when everything costs the
same, the mixture is solved directly instead (``spend_direct``). The grid, and which of the two
serves, follow from the frequency and the parameters alone, and rows only end their tables where
their own distribution ends; so a quantile never depends on the other rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numba
import numpy as np
from scipy import special as sp

from lifestage.numerics import special

if TYPE_CHECKING:
    from lifestage.core.typing import Floats

__all__ = [
    "SpendDensity",
    "SpendDraws",
    "SpendGrids",
    "odds_table",
    "spend_at",
    "spend_density",
    "spend_grids",
]


STEP, FINEST_STEP, MAX_POINTS = 0.08, 0.002, 2000
"""Of the grids in ln spend, finer for narrow distributions; the least step; points at most."""

SMOOTH = 0.35
"""Of the narrowest feature: counts, or peaks of single counts where spends are nearly equal."""

NARROW_STEP, REGULAR_P = 0.004, 300.0
"""Steps below which, and p from which on, the mixture is solved directly.

All totals then are nearly normal.
"""

LOWEST_SHARE = 1e-5
"""Share of totals of one purchase that lies below the grids."""

NEGLIGIBLE = -300.0
"""Logarithm of a density that is taken as 0: numbers that underflow are slow to multiply."""

SPEND_DRAWS = 12
"""Draws of the spend parameters that a distribution averages over."""

EDGE_POINTS = 2
"""Points beyond the end of a distribution that interpolation asks for."""


class SpendDraws(NamedTuple):
    """Spend parameters, arrays of shape (draws,), and the mean spend at which scales are compared.

    The unit of a total is v̄ + x·m. Under one draw it is v + x·m; their ratio is taken at m = mean,
    which is exact for one draw and for one-time buyers.
    """

    p: Floats
    q: Floats
    v: Floats
    mean: float


class SpendGrids(NamedTuple):
    """Where distributions of total spend are tabulated, by frequency.

    Attributes
    ----------
    p : array, shape (draws,)
    spends, unit : arrays, shape (frequencies, draws)
        q + p·x, and the logarithm of v + x·μ over that of the means.
    low, step : arrays, shape (frequencies,)
        The grid low, low + step, … of ln spend; a step of 0 asks for direct solution.
    """

    p: Floats
    spends: Floats
    unit: Floats
    low: Floats
    step: Floats


class SpendDensity(NamedTuple):
    """Densities of total spend on the grid of one frequency.

    Attributes
    ----------
    density : array, shape (counts, points)
        Of ln total, for some counts; rows of zeros make their number a multiple of four.
    short : array, shape (counts,)
        P(total below the grid).
    """

    density: Floats
    short: Floats
    low: float
    step: float


class Totals(NamedTuple):
    """Totals of some counts are beta-prime(bought, spends), in a unit of each draw.

    Attributes
    ----------
    spends, unit : arrays, shape (draws,)
    bought, log_norm : arrays, shape (counts, draws)
        p times the count, and the logarithm of the beta function of both.
    """

    spends: Floats
    unit: Floats
    bought: Floats
    log_norm: Floats


def spend_grids(spend: SpendDraws, x: Floats, shape: Floats) -> SpendGrids:
    """Make grids for frequencies x; *shape* is the squared mean of their rates ÷ the variance."""
    pick = np.unique(np.linspace(0, spend.p.size - 1, SPEND_DRAWS).round().astype(int))
    p, q, v = spend.p[pick], spend.q[pick], spend.v[pick]
    x = x[:, None]
    spends = q + p * x
    unit = np.log((v + x * spend.mean) / (spend.v.mean() + x * spend.mean))
    least = np.clip(sp.betaincinv(p, spends, LOWEST_SHARE), special.TINY, 1.0 - 1e-16)
    low = (np.log(least) - np.log1p(-least) + unit).min(axis=1)
    # of single counts; from p/9 purchases on they run together
    peaks = np.minimum(1.0 / p, 9.0 / p**2)
    spread = np.sqrt(1.0 / spends + np.minimum(peaks, 1.0 / shape[:, None]))
    step = np.minimum(STEP, SMOOTH * spread.min(axis=1))
    direct = (step < NARROW_STEP) & (p.min() >= REGULAR_P)
    step = np.maximum(np.maximum(step, FINEST_STEP), -low / MAX_POINTS)
    return SpendGrids(p, spends, unit, low, np.where(direct, 0.0, step))


def spend_density(
    grids: SpendGrids, place: int, counts: Floats, most: float, tail: float
) -> SpendDensity:
    """Tabulate densities of the totals of *counts* purchases.

    Up to where a total of *most* is exceeded with a small part of *tail*.
    """
    spends, unit = grids.spends[place], grids.unit[place]
    low, step = grids.low[place], grids.step[place]
    end = np.clip(sp.betaincinv(spends, grids.p * most, 0.4 * tail), special.TINY, 1.0 - 1e-16)
    reach = float((np.log1p(-end) - np.log(end) + unit).max()) - low
    padded = counts.size + -counts.size % 4
    bought = grids.p * counts[:, None]
    short = np.zeros(padded)
    below = sp.betainc(bought, spends, sp.expit(low - unit))
    short[: counts.size] = special.mean_over_draws(below.T)
    density = np.zeros((padded, max(int(np.ceil(reach / step)), 4) + 1 + EDGE_POINTS))
    totals = Totals(spends, unit, bought, sp.betaln(bought, spends))
    _densities(totals, low, step, density)
    return SpendDensity(density, short, float(low), float(step))


@numba.njit(cache=True, nogil=True)
def _densities(totals, low, step, out):  # type: ignore[no-untyped-def]
    """Density of ln total on the grid, averaged over draws."""
    q, unit, bought, log_norm = totals
    for d in range(q.size):
        for g in range(out.shape[1]):
            log_s = low - unit[d] + step * g
            more = max(log_s, 0.0) + np.log1p(np.exp(-abs(log_s)))
            for k in range(bought.shape[0]):
                log_density = bought[k, d] * (log_s - more) - q[d] * more - log_norm[k, d]
                if log_density > NEGLIGIBLE:
                    out[k, g] += np.exp(log_density) / q.size


@numba.njit(cache=True, nogil=True)
def odds_table(share, table, least, f, out):  # type: ignore[no-untyped-def]
    """Log odds of exceeding the totals of a grid, given the probability *share* of each count.

    The mixture is integrated from the left, where it begins with nothing, by a rule of fourth
    order.

    Parameters
    ----------
    least : float
        The distribution is followed until no more than this probability is left.

    Returns
    -------
    int
        Points in use of *out*, some beyond that end.
    """
    density, short, _, step = table
    f[:] = 0.0
    for k in range(0, share.size, 4):  # four at a time, to write half as often
        a, b, c, d = share[k], share[k + 1], share[k + 2], share[k + 3]
        if a != 0.0 or b != 0.0 or c != 0.0 or d != 0.0:
            for g in range(f.size):
                f[g] += (
                    a * density[k, g]
                    + b * density[k + 1, g]
                    + c * density[k + 2, g]
                    + d * density[k + 3, g]
                )
    above = 0.0
    for k in range(share.size):
        above += share[k] * (1.0 - short[k])
    end = f.size - 1
    for g in range(f.size - 1):
        if g > 0:
            left = f[g - 2] if g > 1 else f[0]
            above -= step / 24.0 * (13.0 * (f[g - 1] + f[g]) - left - f[g + 1])
        held = min(max(above, 1e-300), 1.0 - 1e-12)
        out[g] = np.log(held / (1.0 - held))
        if above <= least and end > g + 1:
            end = g + 1
        if g == end:
            return g + 1
    return end


@numba.njit(cache=True, nogil=True)
def spend_at(odds, low, step, wanted):  # type: ignore[no-untyped-def]
    """Find the ln total at which log odds fall to *wanted*, by the cubic through four points."""
    left, right = 0, odds.size - 1
    if wanted >= odds[0]:
        return low
    if wanted <= odds[right]:
        return low + right * step
    while right - left > 1:
        middle = (left + right) // 2
        if odds[middle] > wanted:
            left = middle
        else:
            right = middle
    drop = odds[left] - odds[right]
    if drop <= 0.0:
        return low + step * left
    place = (odds[left] - wanted) / drop
    if left > 0 and right < odds.size - 1:
        before, here, then, after = odds[left - 1], odds[left], odds[right], odds[right + 1]
        first = then - before / 3.0 - 0.5 * here - after / 6.0
        second = 0.5 * (before + then) - here
        third = (after - before) / 6.0 + 0.5 * (here - then)
        for _ in range(4):
            over = here + place * (first + place * (second + place * third)) - wanted
            slope = first + place * (2.0 * second + 3.0 * place * third)
            if slope < 0.0:
                place = min(max(place - over / slope, 0.0), 1.0)
    return low + step * (left + place)
