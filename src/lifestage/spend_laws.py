"""The law of a living customer's total future spend under one draw, tabulated by (frequency, T)."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numba
import numpy as np
from numpy.typing import NDArray

from lifestage import special

if TYPE_CHECKING:
    from lifestage.model import LTVModel

__all__ = ["SpendLaws", "mix_spend", "spend_at"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STEP, FINEST = 0.08, 2048
"""Of the tables in the logarithm of spend, finer where the law is narrow; and points at most."""

SMOOTH = 0.4
"""Of the narrowest feature of a law: that of the counts, or peaks of single counts where spends are nearly equal."""

LOWEST = 1e-5
"""Share of totals of one purchase that lies below the tables."""

EXACT_COUNTS = 256
"""Counts up to here have a density each; among larger ones it is interpolated."""

NEGLIGIBLE = -300.0
"""Logarithm of a density that is taken as 0: numbers that underflow are slow to multiply."""


@dataclass(frozen=True, eq=False)
class SpendLaws:
    """Log odds of exceeding a total spend, on a grid of ln s, s in units of v + x·m.

    Attributes
    ----------
    odds : array
        ln of P(total > s) : P(total ≤ s) given alive, one pair after another.
    start : array of int, shape (pairs,)
        Where those of a pair begin.
    low, step, points : arrays, shape (frequencies,)
        The grid low, low + step, … of a frequency.
    """

    odds: Floats
    start: Ints
    low: Floats
    step: Floats
    points: Ints


def mix_spend(
    model: LTVModel, pairs: int, frequencies: int, groups: list[Ints], laws: list[Floats], shape: Floats, tail: float
) -> SpendLaws:
    """Tabulate the total spend of pairs in groups of one frequency.

    The total of n purchases over v + x·m is beta-prime(p·n, q + p·x). The densities of ln s are mixed over n, and the
    mixture, which is smooth where those of large n are not, is integrated from the left, where it begins with
    nothing, by a rule of fourth order.

    Parameters
    ----------
    pairs, frequencies : int
        How many there are.
    groups : list of arrays of int
        The pairs of each group, in order.
    laws : list of arrays, shape (pairs of the group, counts)
        P(at least n purchases | alive), n = 1, 2, ….
    shape : array, shape (pairs,)
        Shape r + x of each pair's rate.
    tail : float
        The smaller tail probability that quantiles are wanted of.
    """
    from scipy import special as sp

    start, points = np.zeros(pairs, np.int64), np.zeros(frequencies, np.int64)
    low, step = np.zeros(frequencies), np.zeros(frequencies)
    if model.spend is None:
        return SpendLaws(np.zeros(0), start, low, step, points)
    p, q = model.spend.estimate["p"], model.spend.estimate["q"]
    first = np.array([rows[0] for rows in groups])
    x = np.rint(shape[first] - model.purchases.estimate["r"])
    spends, at = q + p * x, x.astype(np.int64)
    # P(total > s) ≤ P(more than n purchases) + P(total of n > s): the tables need not reach further
    most = np.array([1.0 + np.argmax(np.append(law.max(axis=0), 0.0) <= 0.5 * tail) for law in laws])
    ends = np.stack([sp.betaincinv(p, spends, LOWEST), sp.betaincinv(spends, p * most, 0.4 * tail)])
    below, above = sp.logit(np.clip(ends, special.TINY, 1.0 - 1e-16))
    spread = np.sqrt(1.0 / spends + np.minimum(min(1.0 / p, 9.0 / p**2), 1.0 / shape[first]))
    low[at], reach = below, -above - below
    points[at] = np.clip(np.ceil(reach / np.minimum(STEP, SMOOTH * spread)), 8, FINEST).astype(np.int64) + 1
    step[at] = reach / (points[at] - 1)
    sizes = np.repeat(points[at], [rows.size for rows in groups])
    start[np.concatenate(groups)] = np.cumsum(sizes) - sizes
    chance = np.empty(int(sizes.sum()))

    counts = [_nodes(law.shape[1]) for law in laws]
    until = np.cumsum([0, *(each.size for each in counts)])
    bought, group = p * np.concatenate(counts), np.repeat(np.arange(at.size), np.diff(until))
    log_norm = sp.betaln(bought, spends[group])
    short = sp.betainc(bought, spends[group], sp.expit(low[at])[group])

    def work(i: int) -> None:
        n, part, begin = at[i], slice(until[i], until[i + 1]), start[groups[i][0]]
        table = chance[begin : begin + laws[i].shape[0] * points[n]].reshape(laws[i].shape[0], -1)
        _mix(laws[i], counts[i], p, spends[i], log_norm[part], short[part], low[n], step[n], table)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(work, range(len(laws))))
    return SpendLaws(np.log(chance / (1.0 - chance)), start, low, step, points)


def _nodes(top: int) -> Floats:
    """Counts up to *top* at which densities are computed: all, then in steps of 2 %."""
    if top <= EXACT_COUNTS:
        return np.arange(1.0, top + 1.0)
    wide = np.geomspace(EXACT_COUNTS, top, int(np.ceil(np.log(top / EXACT_COUNTS) / 0.02)) + 1)
    return np.unique(np.concatenate([np.arange(1.0, EXACT_COUNTS + 1.0), np.rint(wide)]))


@numba.njit(cache=True, nogil=True)
def _mix(law, counts, p, q, log_norm, short, low, step, out):  # type: ignore[no-untyped-def]
    """P(total spend > s) of each row, from P(at least n purchases) and the law of the total of some counts.

    That is beta-prime(p·n, q), of which *short* is the chance of less than the first point of ln s. Between two of
    those counts the density is linear in n.
    """
    points, top, whole = out.shape[1], law.shape[1], counts.size - counts.size % 4
    density, f, share = np.empty((counts.size, points)), np.empty(points), np.empty(counts.size)
    for g in range(points):
        log_s = low + step * g
        more = max(log_s, 0.0) + np.log1p(np.exp(-abs(log_s)))
        for k in range(counts.size):
            log_density = p * counts[k] * (log_s - more) - q * more - log_norm[k]
            density[k, g] = np.exp(log_density) if log_density > NEGLIGIBLE else 0.0
    for j in range(law.shape[0]):
        share[:] = 0.0
        at = 0
        for n in range(1, top + 1):
            while counts[at] < n:
                at += 1
            exactly = law[j, n - 1] - (law[j, n] if n < top else 0.0)
            back = (counts[at] - n) / (counts[at] - counts[at - 1]) if counts[at] > n else 0.0
            share[at] += (1.0 - back) * exactly
            if back > 0.0:
                share[at - 1] += back * exactly
        f[:] = 0.0
        above = law[j, 0]
        for k in range(counts.size):
            above -= share[k] * short[k]
        for k in range(0, whole, 4):  # four at a time, to write half as often
            a, b, c, d = share[k], share[k + 1], share[k + 2], share[k + 3]
            for g in range(points):
                f[g] += a * density[k, g] + b * density[k + 1, g] + c * density[k + 2, g] + d * density[k + 3, g]
        for k in range(whole, counts.size):
            for g in range(points):
                f[g] += share[k] * density[k, g]
        for g in range(points):
            if g > 0:
                left, right = f[g - 2] if g > 1 else f[0], f[g + 1] if g + 1 < points else f[g]
                above -= step / 24.0 * (13.0 * (f[g - 1] + f[g]) - left - right)
            out[j, g] = min(max(above, 1e-300), 1.0 - 1e-12)


@numba.njit(cache=True, nogil=True)
def spend_at(odds, start, points, low, step, wanted):  # type: ignore[no-untyped-def]
    """ln s at which falling log odds reach *wanted*: inverse interpolation by the four nearest points."""
    left, right = 0, points - 1
    if wanted >= odds[start]:
        return low
    if wanted <= odds[start + right]:
        return low + right * step
    while right - left > 1:
        middle = (left + right) // 2
        if odds[start + middle] > wanted:
            left = middle
        else:
            right = middle
    place = left + (odds[start + left] - wanted) / (odds[start + left] - odds[start + right])
    if left > 0 and right < points - 1:
        place = 0.0
        for a in range(left - 1, left + 3):
            over, under = 1.0, 1.0
            for b in range(left - 1, left + 3):
                if a != b:
                    over *= wanted - odds[start + b]
                    under *= odds[start + a] - odds[start + b]
            place += a * over / under
    return low + step * min(max(place, left), right)
