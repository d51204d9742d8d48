"""Distinct (frequency, time) of customers: time is the T of some and the recency of others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lifestage.core.typing import Floats, Ints

__all__ = ["Pairs", "find_pairs"]


MAX_CELLS = 20_000_000
"""Frequencies times days in which pairs are looked up without sorting."""


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


def find_pairs(x: Floats, t_x: Floats, T: Floats, days: float) -> Pairs:
    """Find the distinct pairs: in a table where all times are whole days, else by sorting."""
    at = np.empty((2, x.size), np.int64)
    longest, most, whole = _in_days(x, t_x, T, days, at)
    if not whole or (most + 1.0) * (longest + 1.0) > MAX_CELLS:
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
    """Write times in days; the longest, the highest frequency, and whether all are whole days."""
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
