"""Scoring rules of forecasts: errors, probabilities, intervals, distributions, ranking."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lifestage.numerics.statistics import float_arrays

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from lifestage.core.typing import Floats

__all__ = [
    "area_under_curve",
    "bias",
    "brier",
    "coverage",
    "crps",
    "gini",
    "lift",
    "mean_absolute_error",
    "root_mean_square_error",
    "top_share",
]


def mean_absolute_error(predicted: ArrayLike, actual: ArrayLike) -> float:
    """Mean of |predicted − actual|."""
    predicted, actual = float_arrays(predicted, actual)
    return float(np.abs(predicted - actual).mean())


def root_mean_square_error(predicted: ArrayLike, actual: ArrayLike) -> float:
    """Root of the mean of (predicted − actual)²."""
    predicted, actual = float_arrays(predicted, actual)
    return float(np.sqrt(((predicted - actual) ** 2).mean()))


def bias(predicted: ArrayLike, actual: ArrayLike) -> float:
    """Total predicted ÷ total actual − 1; NaN if nothing was bought."""
    predicted, actual = float_arrays(predicted, actual)
    return float(predicted.sum() / actual.sum() - 1) if actual.sum() else float("nan")


def brier(probability: ArrayLike, bought: ArrayLike) -> float:
    """Mean of (probability − bought)²."""
    probability, bought = float_arrays(probability, bought)
    return float(((probability - bought) ** 2).mean())


def area_under_curve(score: ArrayLike, bought: ArrayLike) -> float:
    """Probability that a random buyer has a higher score than a random non-buyer.

    Ties count half; NaN without buyers or without non-buyers.

    Examples
    --------
    >>> area_under_curve([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    0.75
    """
    import pandas as pd

    score, bought = float_arrays(score, bought)
    positive = bought.sum()
    negative = bought.size - positive
    if not positive or not negative:
        return float("nan")
    ranks = pd.Series(score).rank().to_numpy()
    least = positive * (positive + 1) / 2
    return float((ranks[bought > 0].sum() - least) / (positive * negative))


def coverage(low: ArrayLike, high: ArrayLike, actual: ArrayLike) -> float:
    """Share of the actual values inside the intervals, ends included."""
    low, high, actual = float_arrays(low, high, actual)
    return float(((actual >= low) & (actual <= high)).mean())


def crps(points: ArrayLike, survival: Floats, actual: ArrayLike, *, steps: bool) -> Floats:
    r"""Continuous ranked probability score, :math:`\int_0^\infty (P(N > u) - 1_{y > u})^2 du`.

    Parameters
    ----------
    points : array, shape (m,)
        From 0, ascending.
    survival : array, shape (customers, m)
        P(N > point); negligible at the last one.
    actual : array, shape (customers,)
        0 or more.
    steps : bool
        Whether the survival falls at the points (counts) or in straight lines between them (money).

    Source: Gneiting & Raftery (2007), Strictly proper scoring rules, JASA 102, 359–378.
    """
    points, actual = np.asarray(points, float), np.asarray(actual, float)
    width, left = np.diff(points), survival[:, :-1]
    right = left if steps else survival[:, 1:]
    zero = np.zeros((actual.size, 1))
    below = np.concatenate(
        [zero, np.cumsum(width * _mean_square(1 - left, 1 - right), axis=1)], axis=1
    )
    above = np.concatenate(
        [np.cumsum((width * _mean_square(left, right))[:, ::-1], axis=1)[:, ::-1], zero], axis=1
    )
    rows, at = np.arange(actual.size), np.searchsorted(points, actual, side="right") - 1
    inside = np.minimum(at, width.size - 1)
    y = np.minimum(actual, points[-1])
    before, after = y - points[inside], points[inside + 1] - y
    begin, end = left[rows, inside], right[rows, inside]
    middle = begin + (end - begin) * before / width[inside]
    parts = before * _mean_square(1 - begin, 1 - middle) + after * _mean_square(middle, end)
    beyond = actual - y  # past the table the forecast was certain of no more
    return np.asarray(below[rows, inside] + parts + above[rows, inside + 1] + beyond)


def _mean_square(a: Floats, b: Floats) -> Floats:
    """Of a straight line from *a* to *b*."""
    return np.asarray((a * a + a * b + b * b) / 3)


def gini(score: ArrayLike, actual: ArrayLike) -> float:
    """Area between the concentration curve of a score and equality ÷ that of a perfect ranking.

    1 ranks customers by their money, 0 at random; customers with equal scores share their money.
    """
    score, actual = float_arrays(score, actual)

    def area(by: Floats) -> float:
        levels, place = np.unique(-by, return_inverse=True)
        size = np.bincount(place, minlength=levels.size)
        held = np.bincount(place, actual, levels.size)
        customers = np.concatenate([[0.0], np.cumsum(size) / by.size])
        money = np.concatenate([[0.0], np.cumsum(held) / actual.sum()])
        return float(np.trapezoid(money, customers) - 0.5)

    best = area(actual) if actual.sum() else 0.0
    return area(score) / best if best else float("nan")


def lift(score: ArrayLike, actual: ArrayLike, share: float = 0.1) -> float:
    """Money of the *share* of customers that the score ranks best ÷ that of a random share."""
    score, actual = float_arrays(score, actual)
    size = max(1, round(share * actual.size))
    mean = float(actual.mean())
    return float(actual @ _inside(score, size)) / (size * mean) if mean else float("nan")


def top_share(score: ArrayLike, actual: ArrayLike, share: float = 0.2) -> float:
    """Share of the top customers by actual money that the score also ranks in the top *share*.

    Customers who spent nothing are in no top; of customers who tie at the border each counts in
    part.
    """
    score, actual = float_arrays(score, actual)
    size = max(1, round(share * actual.size))
    best = _inside(actual, size) * (actual > 0)
    return float(best @ _inside(score, size) / best.sum()) if best.sum() else float("nan")


def _inside(values: Floats, size: int) -> Floats:
    """How much of each value is among the *size* largest: 1, 0, or a part where values tie."""
    border = np.sort(values)[-size]
    tied = np.isclose(values, border, rtol=1e-9, atol=0.0)
    above = (values > border) & ~tied
    return np.asarray(above + tied * (size - above.sum()) / tied.sum())
