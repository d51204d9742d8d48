"""How good predictions were, once it is known what came: errors, probabilities, intervals, ranking."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "area_under_curve",
    "bias",
    "brier",
    "coverage",
    "crps_counts",
    "gini",
    "lift",
    "log_loss",
    "mean_absolute_error",
    "root_mean_square_error",
    "top_share",
]

Floats = NDArray[np.float64]

SMALLEST = 1e-15
"""Probabilities are kept this far from 0 and 1 in a log-loss."""


def _arrays(*values: ArrayLike) -> list[Floats]:
    return [np.asarray(each, float) for each in values]


def mean_absolute_error(predicted: ArrayLike, actual: ArrayLike) -> float:
    """Mean of |predicted − actual|."""
    predicted, actual = _arrays(predicted, actual)
    return float(np.abs(predicted - actual).mean())


def root_mean_square_error(predicted: ArrayLike, actual: ArrayLike) -> float:
    """Root of the mean of (predicted − actual)²."""
    predicted, actual = _arrays(predicted, actual)
    return float(np.sqrt(((predicted - actual) ** 2).mean()))


def bias(predicted: ArrayLike, actual: ArrayLike) -> float:
    """Total predicted ÷ total actual − 1; NaN if nothing came."""
    predicted, actual = _arrays(predicted, actual)
    return float(predicted.sum() / actual.sum() - 1) if actual.sum() else float("nan")


def log_loss(chance: ArrayLike, came: ArrayLike) -> float:
    """Mean of −ln of the chance that was given to what came; lower is better."""
    chance, came = _arrays(chance, came)
    chance = np.clip(chance, SMALLEST, 1 - SMALLEST)
    return float(-(came * np.log(chance) + (1 - came) * np.log1p(-chance)).mean())


def brier(chance: ArrayLike, came: ArrayLike) -> float:
    """Mean of (chance − came)²."""
    chance, came = _arrays(chance, came)
    return float(((chance - came) ** 2).mean())


def area_under_curve(score: ArrayLike, came: ArrayLike) -> float:
    """Chance that a customer who came has a higher score than one who did not, ties counted half; NaN without both.

    Examples
    --------
    >>> area_under_curve([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    0.75
    """
    from scipy.stats import rankdata

    score, came = _arrays(score, came)
    positive = came.sum()
    negative = came.size - positive
    if not positive or not negative:
        return float("nan")
    return float((rankdata(score)[came > 0].sum() - positive * (positive + 1) / 2) / (positive * negative))


def coverage(low: ArrayLike, high: ArrayLike, actual: ArrayLike) -> float:
    """Share of what came that lies inside the intervals, ends included."""
    low, high, actual = _arrays(low, high, actual)
    return float(((actual >= low) & (actual <= high)).mean())


def crps_counts(survival: Floats, actual: ArrayLike) -> Floats:
    r"""Continuous ranked probability score of counts, :math:`\sum_n (P(N > n) - 1_{y > n})^2`, a value a customer.

    Parameters
    ----------
    survival : array, shape (customers, m)
        P(N > n) for n = 0, 1, …, m − 1; negligible beyond.
    actual : array, shape (customers,)

    Source: Gneiting & Raftery (2007), Strictly proper scoring rules, JASA 102, 359–378.
    """
    actual = np.asarray(actual, float)
    n = np.arange(survival.shape[1])
    beyond = np.maximum(actual - survival.shape[1], 0.0)  # counts past the table are certain not to come
    return np.asarray(((survival - (actual[:, None] > n)) ** 2).sum(axis=1) + beyond)


def gini(score: ArrayLike, actual: ArrayLike) -> float:
    """How well a score ranks money: the area between its concentration curve and equality, over the best there is.

    1 ranks customers as their money did, 0 as by lot; customers of one score share what they hold.
    """
    score, actual = _arrays(score, actual)

    def area(by: Floats) -> float:
        levels, place = np.unique(-by, return_inverse=True)
        size, held = np.bincount(place, minlength=levels.size), np.bincount(place, actual, levels.size)
        people, money = np.cumsum(size) / by.size, np.cumsum(held) / actual.sum()
        return float(np.trapezoid(np.concatenate([[0.0], money]), np.concatenate([[0.0], people])) - 0.5)

    best = area(actual) if actual.sum() else 0.0
    return area(score) / best if best else float("nan")


def lift(score: ArrayLike, actual: ArrayLike, share: float = 0.1) -> float:
    """Money of the *share* of customers that the score ranks best, over that of so many chosen by lot."""
    score, actual = _arrays(score, actual)
    size = max(1, round(share * actual.size))
    mean = float(actual.mean())
    return float(actual @ _inside(score, size)) / (size * mean) if mean else float("nan")


def top_share(score: ArrayLike, actual: ArrayLike, share: float = 0.2) -> float:
    """Of the customers in the top *share* by what came, how many the score had put there.

    Who spent nothing is in no top; of customers who tie at the border each counts in part.
    """
    score, actual = _arrays(score, actual)
    size = max(1, round(share * actual.size))
    best = _inside(actual, size) * (actual > 0)
    return float(best @ _inside(score, size) / best.sum()) if best.sum() else float("nan")


def _inside(values: Floats, size: int) -> Floats:
    """How much of each is among the *size* largest: 1, 0, or a share of those who tie at the border."""
    border = np.sort(values)[-size]
    tied = np.isclose(values, border, rtol=1e-9, atol=0.0)
    above = (values > border) & ~tied
    return np.asarray(above + tied * (size - above.sum()) / tied.sum())
