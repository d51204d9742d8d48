"""When observed values leave the band of their simulations, over windows of several lengths."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from lifestage.core.typing import Floats

__all__ = ["Departure", "first_signal", "window_sums"]

WINDOWS = (4, 13)
"""Lengths of the windows in weeks, beside all weeks so far."""


class Departure(NamedTuple):
    """The first week past the limit, where the clearest window to it begins, and the direction."""

    week: int
    begin: int
    sign: float


def first_signal(actual: Floats, simulated: Floats, level: float) -> Departure | None:
    """The first week in which a window is past the limit; None without one.

    Parameters
    ----------
    actual : array, shape (weeks,)
        Observed values.
    simulated : array, shape (scenarios, weeks)
        Their simulations.
    level : float
        Probability that no week is past the limit if the simulations are right.
    """
    weeks, scenarios = actual.size, simulated.shape[0]
    lengths = [length for length in WINDOWS if length < weeks]
    lengths.append(weeks)
    scores, highest = [], np.zeros(scenarios)
    for length in lengths:
        sums = window_sums(simulated, length)
        mean = sums.mean(axis=0)
        sd = np.maximum(sums.std(axis=0, ddof=1), np.finfo(float).tiny)
        highest = np.maximum(highest, np.abs((sums - mean) / sd).max(axis=1))
        scores.append((window_sums(actual, length) - mean) / sd)
    # The upper end of the 90 % interval of the quantile's rank: with few scenarios the limit is
    # higher, and false alarms stay as rare as promised.
    rank = scenarios * level + 1.645 * np.sqrt(scenarios * level * (1 - level))
    limit = np.sort(highest)[min(int(np.ceil(rank)), scenarios) - 1]
    past = np.abs(scores) > limit
    if not past.any():
        return None
    week = int(np.argmax(past.any(axis=0)))
    clearest = int(np.argmax(np.abs([score[week] for score in scores])))
    begin = max(week + 1 - lengths[clearest], 0)
    return Departure(week, begin, float(np.sign(scores[clearest][week])))


def window_sums(values: Floats, length: int) -> Floats:
    """Sums over the *length* weeks that end at each week, or over all so far if there are fewer."""
    total = np.cumsum(values, axis=-1)
    padded = np.concatenate([np.zeros((*values.shape[:-1], length)), total], axis=-1)
    return np.asarray(total - padded[..., : values.shape[-1]])
