"""Weighted quantiles, log loss, and intervals of means, shares and lognormal sums."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lifestage.numerics.special import TINY, clip_probability

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from lifestage.core.typing import Floats

__all__ = [
    "RESAMPLES",
    "log_loss",
    "log_losses",
    "log_scores",
    "lognormal_interval",
    "resampled_mean",
    "share_interval",
    "weighted_quantile",
    "z_score",
]

RESAMPLES = 300


def weighted_quantile(values: ArrayLike, weights: ArrayLike, shares: ArrayLike) -> Floats:
    """Return quantiles of values with whole weights, linear between neighbours, as ``np.quantile``.

    A value of weight w counts as w equal values.

    Parameters
    ----------
    values, weights : array, shape (n,)
    shares : float or array
        In [0, 1].

    Examples
    --------
    >>> weighted_quantile([11, 1], [1, 2], [0.75, 1.0])
    array([ 6., 11.])
    """
    order = np.argsort(values, kind="stable")  # of sorted values it costs one pass
    ordered = np.asarray(values, float)[order]
    last = np.cumsum(np.asarray(weights, float)[order])  # the place after the last equal value
    place = np.asarray(shares, float) * (last[-1] - 1.0)
    low = ordered[np.searchsorted(last, np.floor(place), side="right")]
    high = ordered[np.searchsorted(last, np.ceil(place), side="right")]
    return np.asarray(low + (place - np.floor(place)) * (high - low))


def resampled_mean(values: Floats, level: float, rng: np.random.Generator) -> tuple[float, float]:
    """Return the bootstrap interval of a mean over 300 resamples of the customers.

    Resamples weight each customer by a Poisson count, as in the Poisson bootstrap.
    """
    means = np.empty(RESAMPLES)
    for i in range(RESAMPLES):
        weight = rng.poisson(1.0, values.size).astype(float)
        means[i] = weight @ values / max(float(weight.sum()), 1.0)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def float_arrays(*values: ArrayLike) -> list[Floats]:
    return [np.asarray(value, float) for value in values]


def log_loss(probability: ArrayLike, outcome: ArrayLike) -> float:
    """Mean of :func:`log_losses`; lower is better."""
    return float(log_losses(probability, outcome).mean())


def log_losses(probability: ArrayLike, outcome: ArrayLike) -> Floats:
    r"""Log loss of each customer, :math:`-y \ln p - (1 - y) \ln(1 - p)`.

    p is kept within [1e-15, 1 − 1e-15].

    Parameters
    ----------
    probability : array, shape (n,)
        p, the predicted probability of a purchase.
    outcome : array, shape (n,)
        y: 1 or True for customers who bought, else 0.

    Examples
    --------
    >>> log_losses([0.8, 0.8, 0.0], [True, False, True]).round(3).tolist()
    [0.223, 1.609, 34.539]
    """
    p, y = clip_probability(probability), np.asarray(outcome, float)
    return np.asarray(-(y * np.log(p) + (1 - y) * np.log1p(-p)))


def log_scores(probability: ArrayLike) -> Floats:
    """Log probabilities of the observed counts; one that underflows counts as 2e-308."""
    return np.asarray(np.log(np.maximum(np.asarray(probability, float), TINY)))


def z_score(level: float) -> float:
    """Half-width, in standard deviations, of the central interval of a normal distribution.

    Examples
    --------
    >>> round(z_score(0.95), 3)
    1.96
    """
    from scipy.special import ndtri

    return float(ndtri((1 + level) / 2))


def share_interval(count: ArrayLike, total: ArrayLike, level: float) -> tuple[Floats, Floats]:
    r"""Wilson's interval of a share: :math:`(k + z^2/2 \mp z\sqrt{k(n-k)/n + z^2/4}) / (n + z^2)`.

    Source: Wilson (1927), Probable inference, JASA 22, 209–212.

    Examples
    --------
    >>> [round(float(end), 3) for end in share_interval(15, 50, 0.95)]
    [0.191, 0.438]
    """
    k, n, z = np.asarray(count, float), np.asarray(total, float), z_score(level)
    middle, reach = k + z * z / 2, z * np.sqrt(k * (n - k) / np.maximum(n, 1.0) + z * z / 4)
    return (middle - reach) / (n + z * z), (middle + reach) / (n + z * z)


def lognormal_interval(mean: Floats, sd: Floats, level: float) -> tuple[Floats, Floats]:
    """Central interval of lognormal distributions, by their means and standard deviations.

    The interval stays finite as the mean goes to 0.
    """
    variance = np.log1p((sd / np.maximum(mean, np.finfo(float).tiny)) ** 2)
    reach = z_score(level) * np.sqrt(variance)
    return mean * np.exp(-0.5 * variance - reach), mean * np.exp(-0.5 * variance + reach)
