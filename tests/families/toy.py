# ruff: noqa: ARG001 -- functions of one signature need not use every argument
"""A small family, to see that one module and one row are enough: every customer buys and leaves at the same rates.

Purchases are Poisson with rate λ until an exponential lifetime of rate µ ends; λ and µ are per unit of time.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.special import gammainc

from lifestage.families.prior_quantities import Priors

PARAMS = ("lam", "mu")
UNITS = {"lam": -1, "mu": -1}
STATE = ("frequency", "T")


def _parameters(u: Any) -> list[Any]:
    return [u["purchases"], u["dropouts"]]


PRIORS = Priors(
    defaults={
        "purchases": "LogNormal(median=1, sigma=2)",
        "dropouts": "LogNormal(median=1, sigma=2)",
    },
    slopes=dict(zip(("purchases", "dropouts"), np.eye(2), strict=True)),
    parameters=_parameters,
)


class Rows(NamedTuple):
    x: Any
    t_x: Any
    T: Any
    weight: Any


rows = Rows


def log_likelihood(x: Any, t_x: Any, T: Any, *, lam: Any, mu: Any) -> Any:
    both, x, t_x, T = lam + mu, np.asarray(x), np.asarray(t_x), np.asarray(T)
    return (
        x * np.log(lam) - both * t_x + np.log(lam * np.exp(-both * (T - t_x)) + mu) - np.log(both)
    )


def log_likelihood_with_hessian(params: Any, rows: Rows) -> Any:
    lam, mu = params
    x, t_x, T, weight = rows
    both, silent = lam + mu, T - t_x
    fade = np.exp(-both * silent)
    # derivatives of D = λ + µ·e^(both·silent), over e^(both·silent)
    D = lam * fade + mu
    first = np.array([fade + mu * silent, 1.0 + mu * silent]) / D
    second = (
        np.array(
            [[mu * silent**2, silent + mu * silent**2], [0 * silent, 2 * silent + mu * silent**2]]
        )
        / D
    )
    second[1, 0] = second[0, 1]
    gradient = (first - T - 1.0 / both + [x / lam, 0 * x]) @ weight
    hessian = second - first[:, None] * first + 1.0 / both**2
    hessian[0, 0] -= x / lam**2
    value = weight @ log_likelihood(x, t_x, T, lam=lam, mu=mu)
    return float(value), gradient, hessian @ weight


def total_log_likelihood(params: Any, rows: Rows) -> Any:
    return log_likelihood_with_hessian(params, rows)[:2]


def initial_points(rows: Rows) -> list[Any]:
    time = rows.weight @ rows.T
    rate = max(rows.weight @ rows.x, 1.0) / time
    return [rate * np.array([2.0, 1.0]), rate * np.array([1.5, 0.3])]


def identified(params: Any, rows: Rows) -> list[Any]:
    return []


def p_alive(x: Any, t_x: Any, T: Any, *, lam: Any, mu: Any) -> Any:
    silent = np.asarray(T, float) - t_x + 0.0 * np.asarray(x)
    return 1.0 / (1.0 + mu / (lam + mu) * np.expm1((lam + mu) * silent))


def p_alive_at(t: Any, x: Any, t_x: Any, T: Any, *, lam: Any, mu: Any) -> Any:
    return p_alive(x, t_x, T, lam=lam, mu=mu) * np.exp(-mu * np.asarray(t))


def mean_dropout(t: Any, *, lam: Any, mu: Any) -> Any:
    return -np.expm1(-mu * np.asarray(t))


def count_survival(n: Any, t: Any, x: Any, T: Any, *, lam: Any, mu: Any) -> Any:
    n = np.asarray(n, float) + 0.0 * np.asarray(x) + 0.0 * np.asarray(T)
    at = np.maximum(n, 1.0)
    made = (lam / (lam + mu)) ** at * gammainc(at, (lam + mu) * np.asarray(t))
    return np.where(n <= 0, 1.0, made)[()]


def alive_purchases(t: Any, x: Any, T: Any, *, lam: Any, mu: Any, rate: float = 0.0) -> Any:
    leaving = mu + rate
    return (
        lam
        / leaving
        * -np.expm1(-leaving * (np.asarray(t) + 0.0 * np.asarray(x) + 0.0 * np.asarray(T)))
    )


def discounted_purchases(t: Any, x: Any, t_x: Any, T: Any, *, rate: float, **params: Any) -> Any:
    return p_alive(x, t_x, T, **params) * alive_purchases(t, x, T, **params, rate=rate)


def expected_purchases(t: Any, x: Any, t_x: Any, T: Any, **params: Any) -> Any:
    return discounted_purchases(t, x, t_x, T, rate=0.0, **params)


def residual_purchases(x: Any, t_x: Any, T: Any, *, rate: float, **params: Any) -> Any:
    return discounted_purchases(np.inf, x, t_x, T, rate=rate, **params)


def p_purchase(t: Any, x: Any, t_x: Any, T: Any, **params: Any) -> Any:
    return p_alive(x, t_x, T, **params) * count_survival(1, t, x, T, **params)


def purchase_sf(n: Any, t: Any, x: Any, t_x: Any, T: Any, **params: Any) -> Any:
    sf = p_alive(x, t_x, T, **params) * count_survival(n, t, x, T, **params)
    return np.where(np.asarray(n) <= 0, 1.0, sf)[()]


def purchase_pmf(n: Any, t: Any, x: Any, t_x: Any, T: Any, **params: Any) -> Any:
    more = purchase_sf(np.asarray(n) + 1, t, x, t_x, T, **params)
    return purchase_sf(n, t, x, t_x, T, **params) - more


def next_purchase_quantile(share: Any, t: Any, x: Any, T: Any, *, lam: Any, mu: Any) -> Any:
    t = np.asarray(t) + 0.0 * np.asarray(x) + 0.0 * np.asarray(T)
    return -np.log1p(np.asarray(share) * np.expm1(-(lam + mu) * t)) / (lam + mu)


def simulate_future(
    rng: Any, times: Any, x: Any, t_x: Any, T: Any, **params: Any
) -> dict[str, Any]:
    times, (x, t_x, T) = np.asarray(times, float), np.broadcast_arrays(x, t_x, np.asarray(T, float))
    alive = np.asarray(p_alive(x, t_x, T, **params))
    shape = alive.shape
    lam, mu = (np.broadcast_to(params[name], shape)[..., None] for name in PARAMS)
    lifetime = np.where(rng.random(shape) < alive, rng.exponential(1.0 / mu[..., 0]), 0.0)[
        ..., None
    ]
    ends = np.minimum(times, lifetime)
    starts = np.concatenate([np.zeros((*shape, 1)), ends[..., :-1]], axis=-1)
    new = rng.poisson(lam * (ends - starts))
    latest = starts + (ends - starts) * rng.random(new.shape) ** (1.0 / np.maximum(new, 1))
    last = np.where(new > 0, T[..., None] + latest, t_x[..., None])
    return {
        "x": x[..., None] + np.cumsum(new, axis=-1),
        "t_x": np.maximum.accumulate(last, axis=-1),
        "T": np.broadcast_to(T[..., None] + times, new.shape),
        "alive": lifetime > times,
    }


def simulate_customers(rng: Any, T: Any, *, lam: Any, mu: Any) -> dict[str, Any]:
    T = np.atleast_1d(np.asarray(T, float))
    lifetime = rng.exponential(1.0 / np.broadcast_to(mu, T.shape))
    lived = np.minimum(T, lifetime)
    x = rng.poisson(lam * lived)
    customer = np.repeat(np.arange(T.size), x)
    time = lived[customer] * rng.random(customer.size)
    t_x = np.zeros(T.size)
    np.maximum.at(t_x, customer, time)
    return {
        "x": x.astype(float),
        "t_x": t_x,
        "T": T,
        "alive": lifetime > T,
        "customer": customer,
        "time": time,
    }


def sample_latent(
    size: int, x: Any, t_x: Any, T: Any, *, seed: Any, **params: Any
) -> dict[str, Any]:
    alive = np.asarray(p_alive(x, t_x, T, **params))
    return {"alive": np.random.default_rng(seed).random((size, *alive.shape)) < alive}
