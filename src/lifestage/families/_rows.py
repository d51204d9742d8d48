"""The distinct histories of a customer base, indexed for the sums of a likelihood."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lifestage.core.notes import Note
from lifestage.numerics.distinct import coded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lifestage.core.typing import Floats

__all__ = ["RowArrays", "Rows", "moment_start", "repeat_notes"]

FEW_REPEATERS = 30


class RowArrays(NamedTuple):
    """The attributes of :class:`Rows` that compiled code reads, and the days of each frequency."""

    days: Floats
    occurring: NDArray[np.intp]
    bounds: NDArray[np.intp]
    frequency: Floats
    start: NDArray[np.intp]
    stop: NDArray[np.intp]
    at_T: NDArray[np.intp]  # noqa: N815
    at_t_x: NDArray[np.intp]
    weight: Floats


class Rows:
    """The distinct rows of a base, sorted by frequency, and their marginal sums.

    Attributes
    ----------
    x, weight : repeat purchases and customers, one per row
    days : times (T and t_x together, in periods)
    at_T, at_t_x : places in ``days``, one per row
    frequency : distinct frequencies
    start, stop : rows of each frequency
    per_frequency, per_T, x_per_T : customers by frequency and by T, and the sum of their x by T
    more : customers with x > i, i = 0, 1, …
    """

    def __init__(self, x: Floats, t_x: Floats, T: Floats, weight: Floats) -> None:
        if np.any(np.diff(x) < 0):
            order = np.argsort(x, kind="stable")
            x, t_x, T, weight = x[order], t_x[order], T[order], weight[order]
        self.x, self.weight = np.asarray(x, float), np.asarray(weight, float)
        times = coded(np.concatenate([T, t_x]))
        codes, self.days = times.codes(), np.asarray(times.table, float)
        self.at_T, self.at_t_x = codes[: T.size], codes[T.size :]
        self.start = np.concatenate([[0], np.flatnonzero(np.diff(x)) + 1])
        self.stop = np.concatenate([self.start[1:], [x.size]])
        self.frequency = self.x[self.start]
        self.per_frequency = np.add.reduceat(self.weight, self.start)
        self.per_T = np.bincount(self.at_T, self.weight, self.days.size)
        self.x_per_T = np.bincount(self.at_T, self.weight * self.x, self.days.size)
        by_count = np.bincount(self.frequency.astype(np.intp), self.per_frequency)
        self.more = (by_count.sum() - np.cumsum(by_count))[:-1]

    @cached_property
    def arrays(self) -> RowArrays:
        """What compiled code reads, with the days that occur with each frequency."""
        occurs = np.zeros((self.start.size, self.days.size), bool)
        place = np.repeat(np.arange(self.start.size), self.stop - self.start)
        occurs[place, self.at_T] = True
        occurs[place, self.at_t_x] = True
        frequency, days = np.nonzero(occurs)
        bounds = np.searchsorted(frequency, np.arange(self.start.size + 1))
        return RowArrays(
            self.days,
            days,
            bounds,
            self.frequency,
            self.start,
            self.stop,
            self.at_T,
            self.at_t_x,
            np.ascontiguousarray(self.weight),
        )


def moment_start(rows: Rows) -> tuple[float, float, float]:
    """Return r from the spread of frequencies, the mean frequency, and the mean time observed."""
    n = rows.per_frequency
    mean = max(float(n @ rows.frequency) / n.sum(), 1e-3)
    variance = float(n @ (rows.frequency - mean) ** 2) / n.sum()
    time = float(rows.per_T @ rows.days) / n.sum()
    shape = float(np.clip(mean * mean / max(variance - mean, 0.1 * mean), 0.05, 20.0))
    return shape, mean, time


def repeat_notes(rows: Rows) -> list[Note]:
    """Notes on a base with few repeat buyers, or none."""
    repeaters = float(rows.weight[rows.x > 0].sum())
    if repeaters == 0:
        text = (
            "Nobody bought twice: the rate and the dropout are not identified, and predictions are"
            " near zero."
        )
        return [Note("no_repeaters", text)]
    if repeaters < FEW_REPEATERS:
        text = f"Only {repeaters:.0f} repeat buyers: the parameters are poorly determined."
        return [Note("few_repeaters", text, {"repeaters": int(repeaters)})]
    return []
