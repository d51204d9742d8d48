"""The law of a customer's total future spend over v + x·m: a mixture of beta-primes over how often they will buy.

The total of n purchases is beta-prime(p·n, q + p·x). Its logarithm has a density that is smooth on
the grid of its frequency; densities are mixed over n and integrated there. Where single counts
stand out as narrow peaks, as they do when everything costs the same, the mixture is solved
directly: few counts matter near any total. The grid, and which of the two serves, follow from the
frequency and the parameters alone, and rows only end their tables where their own law ends; so a
quantile never depends on the other rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erfc, exp, log, log1p, sqrt
from typing import TYPE_CHECKING

import numba
import numpy as np
from scipy import special as sp

from lifestage.numerics import special

if TYPE_CHECKING:
    from lifestage.core.typing import Floats

__all__ = [
    "Mixing",
    "SpendDraws",
    "SpendGrids",
    "direct_quantile",
    "mixing",
    "odds_table",
    "spend_at",
    "spend_grids",
]


STEP, FINEST, MOST_POINTS = 0.08, 0.002, 2000
"""Of the grids in the logarithm of spend, finer where the law is narrow; the least step; and points at most."""

SMOOTH = 0.35
"""Of the narrowest feature of a law: that of the counts, or peaks of single counts where spends are nearly equal."""

NARROW, REGULAR = 0.004, 300.0
"""Steps below which, and p from which on, the mixture is solved directly: all totals then are nearly normal."""

LOWEST = 1e-5
"""Share of totals of one purchase that lies below the grids."""

NEGLIGIBLE = -300.0
"""Logarithm of a density that is taken as 0: numbers that underflow are slow to multiply."""

SPEND_DRAWS = 12
"""Draws of the spend parameters that a law averages over."""

HALVINGS, SIGMAS = 32, 9.0
"""Bisections of a direct solution, and how far it is looked for around a count's total."""

EDGE = 2
"""Points beyond the end of a law that interpolation asks for."""


@dataclass(frozen=True, eq=False)
class SpendDraws:
    """Spend parameters, arrays of shape (draws,), and the mean spend μ at which their scales are compared.

    The unit of a total is v̄ + x·m. Under one draw it is v + x·m; their ratio is taken at m = μ,
    which is exact for one draw and for one-time buyers.
    """

    p: Floats
    q: Floats
    v: Floats
    mean: float


@dataclass(frozen=True, eq=False)
class SpendGrids:
    """Where laws of total spend are tabulated, by frequency.

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


@dataclass(frozen=True, eq=False)
class Mixing:
    """Densities on the grid of one frequency.

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


def spend_grids(spend: SpendDraws, x: Floats, shape: Floats) -> SpendGrids:
    """Grids for frequencies x, whose rates have the largest shape *shape* of the draws."""
    pick = np.unique(np.linspace(0, spend.p.size - 1, SPEND_DRAWS).round().astype(int))
    p, q, v = spend.p[pick], spend.q[pick], spend.v[pick]
    x = x[:, None]
    spends = q + p * x
    unit = np.log((v + x * spend.mean) / (spend.v.mean() + x * spend.mean))
    least = np.clip(sp.betaincinv(p, spends, LOWEST), special.TINY, 1.0 - 1e-16)
    low = (np.log(least) - np.log1p(-least) + unit).min(axis=1)
    peaks = np.minimum(
        1.0 / p, 9.0 / p**2
    )  # of single counts; from p/9 purchases on they run together
    spread = np.sqrt(1.0 / spends + np.minimum(peaks, 1.0 / shape[:, None]))
    step = np.minimum(STEP, SMOOTH * spread.min(axis=1))
    direct = (step < NARROW) & (p.min() >= REGULAR)
    step = np.maximum(np.maximum(step, FINEST), -low / MOST_POINTS)
    return SpendGrids(p, spends, unit, low, np.where(direct, 0.0, step))


def mixing(grids: SpendGrids, place: int, counts: Floats, most: float, tail: float) -> Mixing:
    """Densities of the totals of *counts* purchases, up to where that of *most* exceeds with a small part of *tail*."""
    spends, unit, low, step = (
        getattr(grids, name)[place] for name in ("spends", "unit", "low", "step")
    )
    end = np.clip(sp.betaincinv(spends, grids.p * most, 0.4 * tail), special.TINY, 1.0 - 1e-16)
    reach = float((np.log1p(-end) - np.log(end) + unit).max()) - low
    padded = counts.size + -counts.size % 4
    bought = grids.p * counts[:, None]
    log_norm = sp.betaln(bought, spends)
    short = np.zeros(padded)
    short[: counts.size] = special.mean_over_draws(
        sp.betainc(bought, spends, sp.expit(low - unit)).T
    )
    density = np.zeros((padded, max(int(np.ceil(reach / step)), 4) + 1 + EDGE))
    _densities(grids.p, spends, unit, bought, log_norm, low, step, density)
    return Mixing(density, short, float(low), float(step))


@numba.njit(cache=True, nogil=True)
def _densities(p, q, unit, bought, log_norm, low, step, out):  # type: ignore[no-untyped-def]
    """Density of ln total on the grid, averaged over draws."""
    for d in range(p.size):
        for g in range(out.shape[1]):
            log_s = low - unit[d] + step * g
            more = max(log_s, 0.0) + np.log1p(np.exp(-abs(log_s)))
            for k in range(bought.shape[0]):
                log_density = bought[k, d] * (log_s - more) - q[d] * more - log_norm[k, d]
                if log_density > NEGLIGIBLE:
                    out[k, g] += np.exp(log_density) / p.size


@numba.njit(cache=True, nogil=True)
def odds_table(share, density, short, step, least, f, out):  # type: ignore[no-untyped-def]
    """Log odds of exceeding the totals of a grid, for a customer who makes the counts with chances *share*.

    The mixture is integrated from the left, where it begins with nothing, by a rule of fourth
    order.

    Parameters
    ----------
    least : float
        The law is followed until it is exceeded with no more than this chance.

    Returns
    -------
    int
        Points in use of *out*, some beyond that end.
    """
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
    """ln total at which falling log odds reach *wanted*, by the cubic through the four nearest points."""
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


@numba.njit(cache=True, nogil=True)
def direct_quantile(counts, more, p, spends, unit, level):  # type: ignore[no-untyped-def]
    """ln total that is exceeded with chance *level*, by bisection of the mixture itself.

    Parameters
    ----------
    counts, more : arrays, shape (k,)
        Numbers of purchases, rising, and P(at least so many).
    p, spends, unit : arrays, shape (draws,)
    """
    low, high = 0, counts.size - 1  # the first count after which no more than the level is left
    while low < high:
        middle = (low + high) // 2
        if more[middle + 1] > level:
            low = middle + 1
        else:
            high = middle
    down, up = np.inf, -np.inf
    for d in range(p.size):
        at = log(p[d] * counts[low] / spends[d]) + unit[d]
        reach = SIGMAS * sqrt(1.0 / (p[d] * counts[low]) + 1.0 / spends[d])
        down, up = min(down, at - reach), max(up, at + reach)
    for _ in range(HALVINGS):
        middle_s = 0.5 * (down + up)
        total = 0.0
        for d in range(p.size):
            total += _exceeds(counts, more, p[d], spends[d], middle_s - unit[d])
        if total > level * p.size:
            down = middle_s
        else:
            up = middle_s
    return 0.5 * (down + up)


@numba.njit(cache=True, nogil=True)
def _exceeds(counts, more, p, spends, log_s):  # type: ignore[no-untyped-def]
    """P(total > s): counts far above s·(q + p·x)/p exceed it surely, those far below never do."""
    middle = exp(log_s) * spends / p
    reach = exp(SIGMAS * sqrt(1.0 / spends + 1.0 / max(p * middle, p)))
    low, high = 0, counts.size
    while low < high:  # the first count that may exceed s
        at = (low + high) // 2
        if counts[at] < middle / reach:
            low = at + 1
        else:
            high = at
    total = 0.0
    for k in range(low, counts.size):
        if counts[k] > middle * reach:
            return total + more[k]
        exactly = more[k] - (more[k + 1] if k + 1 < counts.size else 0.0)
        total += exactly * _beta_prime_sf(log_s, p * counts[k], spends)
    return total


@numba.njit(cache=True, nogil=True)
def _beta_prime_sf(log_s, a, b):  # type: ignore[no-untyped-def]
    """P(a beta-prime(a, b) > s) for large a and b, by the normal approximation of Peizer and Pratt (1968)."""
    below, above = 1.0 / (1.0 + exp(log_s)), 1.0 / (1.0 + exp(-log_s))
    n, s, t = a + b - 1.0, a - 0.5, b - 0.5
    d = s + 1.0 / 6.0 - (n + 1.0 / 3.0) * above
    d += 0.02 * (below / a - above / b + (below - 0.5) / (a + b))
    spread = 1.0 + below * _peizer_pratt(s / (n * above)) + above * _peizer_pratt(t / (n * below))
    return 0.5 * erfc(-d * sqrt(spread / ((n + 1.0 / 6.0) * below * above)) / sqrt(2.0))


@numba.njit(cache=True, nogil=True)
def _peizer_pratt(y):  # type: ignore[no-untyped-def]
    e = y - 1.0
    if abs(e) < 0.01:
        return e * (-1.0 / 3.0 + e * (1.0 / 6.0 + e * (-1.0 / 10.0 + e / 15.0)))
    return (1.0 - y * y + 2.0 * y * (log1p(e) if abs(e) < 0.5 else log(y))) / (e * e)
