"""A family that the package does not know: Poisson buying at a Gamma rate, and nobody ever drops out.

It has the functions that every family has, without tables of its own. Everything is in closed form
by scipy.stats, as the future of customers is negative binomial (Ehrenberg 1959).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

PARAMS = ("r", "alpha")
UNITS = {"r": 0, "alpha": 1}
STATE = ("frequency", "T")


def _future(t: Any, x: Any, T: Any, r: Any, alpha: Any) -> Any:
    """Purchases within t, negative binomial."""
    scale = alpha + np.asarray(T, float)
    return stats.nbinom(r + np.asarray(x, float), scale / (scale + t))


def log_likelihood(x: Any, t_x: Any, T: Any, *, r: Any, alpha: Any) -> Any:
    x, T = np.asarray(x, float), np.asarray(T, float)
    log_counts = stats.nbinom(r, alpha / (alpha + T)).logpmf(x)
    return log_counts + 0.0 * np.asarray(t_x)


def p_alive(x: Any, t_x: Any, T: Any, *, r: Any, alpha: Any) -> Any:
    return np.ones(np.broadcast(x, t_x, T, r, alpha).shape)[()]


def p_alive_at(t: Any, x: Any, t_x: Any, T: Any, **params: Any) -> Any:
    return p_alive(x, t_x, np.asarray(T) + t, **params)


def p_purchase(t: Any, x: Any, t_x: Any, T: Any, **params: Any) -> Any:
    return count_survival(1, t, x, T, **params) + 0.0 * np.asarray(t_x)


def count_survival(n: Any, t: Any, x: Any, T: Any, **params: Any) -> Any:
    return _future(t, x, T, **params).sf(np.asarray(n) - 1)


def purchase_sf(n: Any, t: Any, x: Any, t_x: Any, T: Any, **params: Any) -> Any:
    return count_survival(n, t, x, T, **params) + 0.0 * np.asarray(t_x)


def purchase_pmf(n: Any, t: Any, x: Any, t_x: Any, T: Any, **params: Any) -> Any:
    return _future(t, x, T, **params).pmf(n) + 0.0 * np.asarray(t_x)


def alive_purchases(t: Any, x: Any, T: Any, *, rate: float = 0.0, r: Any, alpha: Any) -> Any:
    time = t if rate == 0.0 else -np.expm1(-rate * np.asarray(t, float)) / rate
    return (r + np.asarray(x, float)) / (alpha + np.asarray(T, float)) * time


def expected_purchases(t: Any, x: Any, t_x: Any, T: Any, **params: Any) -> Any:
    return alive_purchases(t, x, T, **params) + 0.0 * np.asarray(t_x)


def discounted_purchases(t: Any, x: Any, t_x: Any, T: Any, *, rate: float, **params: Any) -> Any:
    return alive_purchases(t, x, T, rate=rate, **params) + 0.0 * np.asarray(t_x)


def next_purchase_quantile(share: Any, t: Any, x: Any, T: Any, *, r: Any, alpha: Any) -> Any:
    wait = stats.lomax(r + np.asarray(x, float), scale=alpha + np.asarray(T, float))
    return wait.ppf(share * wait.cdf(t))


def simulate_customers(rng: np.random.Generator, T: Any, *, r: Any, alpha: Any) -> dict[str, Any]:
    T = np.atleast_1d(np.asarray(T, float))
    rate = rng.gamma(r, 1.0 / np.asarray(alpha), T.size)
    x = rng.poisson(rate * T)
    latest = T * rng.random(T.size) ** (1.0 / np.maximum(x, 1))
    return {"x": x.astype(float), "t_x": np.where(x > 0, latest, 0.0), "T": T, "rate": rate}


def simulate_future(
    rng: np.random.Generator, times: Any, x: Any, t_x: Any, T: Any, *, r: Any, alpha: Any
) -> dict[str, Any]:
    times = np.asarray(times, float)
    x, t_x, T = (np.asarray(column, float) for column in (x, t_x, T))
    rate = rng.gamma(r + x, 1.0 / (alpha + T))[..., None]
    widths = np.diff(times, prepend=0.0)
    new = rng.poisson(rate * widths)
    share = rng.random(new.shape) ** (1.0 / np.maximum(new, 1))
    latest = T[..., None] + times - widths * (1.0 - share)
    last = np.where(new > 0, latest, t_x[..., None])
    return {
        "x": x[..., None] + np.cumsum(new, axis=-1),
        "t_x": np.maximum.accumulate(last, axis=-1),
        "T": T[..., None] + times,
        "alive": np.ones(new.shape, bool),
    }
