"""Random samples of BG/NBD and MBG/NBD customers: whole histories, histories carried on, latent rates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from lifestage.families._beta_geometric import living, p_alive
from lifestage.numerics import special

if TYPE_CHECKING:
    from lifestage.core.typing import Floats
    from lifestage.families._beta_geometric import Params

__all__ = ["sample_latent", "simulate_customers", "simulate_future"]

Data = ArrayLike


def simulate_customers(rng: np.random.Generator, T: Data, params: Params) -> dict[str, Any]:
    """Simulate customers observed for T: latent rate and dropout probability, and every purchase."""
    r, alpha, a, b, first_dropout = params
    T = np.atleast_1d(np.asarray(T, float))
    rate = np.maximum(rng.gamma(r, 1.0 / alpha, T.size), special.TINY)
    dropout = np.clip(rng.beta(a, b, T.size), special.TINY, 1.0)
    alive = np.ones(T.size, bool)
    if np.any(first_dropout):
        alive = (rng.random(T.size) >= dropout) | ~np.asarray(first_dropout, bool)
    at = np.zeros(T.size)
    customer, time = [np.zeros(0, np.intp)], [np.zeros(0)]
    rows = np.flatnonzero(alive)
    while rows.size:
        at[rows] += rng.exponential(1.0 / rate[rows])
        rows = rows[at[rows] <= T[rows]]
        customer.append(rows)
        time.append(at[rows].copy())
        gone = rng.random(rows.size) < dropout[rows]
        alive[rows[gone]] = False
        rows = rows[~gone]
    index, times = np.concatenate(customer), np.concatenate(time)
    t_x = np.zeros(T.size)
    np.maximum.at(t_x, index, times)
    return {
        "x": np.bincount(index, minlength=T.size).astype(float),
        "t_x": t_x,
        "T": T,
        "rate": rate,
        "dropout": dropout,
        "alive": alive,
        "customer": index,
        "time": times,
    }


def simulate_future(
    rng: np.random.Generator, times: Data, x: Data, t_x: Data, T: Data, params: Params
) -> dict[str, Any]:
    """Carry each customer's history on to T + each of *times*, which rise; arrays of shape (n, times).

    A customer who never dropped out would make Poisson numbers of purchases in the intervals between
    *times*. The number of the purchase after which the customer leaves is geometric.
    """
    times = np.asarray(times, float)
    x, t_x, T = (np.asarray(v, float) for v in (x, t_x, T))
    probability = p_alive(x, t_x, T, params)
    shape = np.shape(probability)
    gamma_shape, scale, a, b = living(x, T, params)
    rate = rng.standard_gamma(gamma_shape, shape) / scale
    last_purchase = _geometric(rng, np.asarray(rng.beta(a, b, shape)))
    alive = rng.random(shape) < probability
    last_purchase = np.where(alive, last_purchase, 0.0)[..., None]

    lengths = np.diff(times, prepend=0.0)
    made = rng.poisson(rate[..., None] * lengths)
    total = np.minimum(np.cumsum(made, axis=-1), last_purchase)
    new = np.diff(total, axis=-1, prepend=0.0)
    # the j-th of n times, spread evenly at random, lies at a Beta(j, n + 1 − j) share of the interval
    share = rng.beta(np.maximum(new, 1.0), np.maximum(made - new, 0.0) + 1.0)
    latest = T[..., None] + times - lengths * (1.0 - share)
    last = np.where(new > 0, latest, t_x[..., None])
    return {
        "x": x[..., None] + total,
        "t_x": np.maximum.accumulate(last, axis=-1),
        "T": np.broadcast_to(T[..., None] + times, new.shape),
        "alive": np.cumsum(made, axis=-1) < last_purchase,
    }


def _geometric(rng: np.random.Generator, probability: Floats) -> Floats:
    """Number of trials until the first success, as a float: of a tiny probability it is immense."""
    with np.errstate(divide="ignore"):  # a probability of 1 succeeds at once
        trials = rng.standard_exponential(probability.shape) / -np.log1p(-probability)
    return np.asarray(np.maximum(np.ceil(trials), 1.0))


def sample_latent(
    size: int,
    x: Data,
    t_x: Data,
    T: Data,
    params: Params,
    seed: int | np.random.Generator,
) -> dict[str, Any]:
    """Draw (alive, rate, dropout) from their posterior given each customer's history, shape (size, n)."""
    rng = np.random.default_rng(seed)
    x, t_x, T = (np.asarray(v, float) for v in (x, t_x, T))
    probability = np.asarray(p_alive(x, t_x, T, params))
    alive = rng.random((size, *probability.shape)) < probability
    shape, _, a, b = living(x, T, params)
    rate = rng.gamma(shape, 1.0 / (params.alpha + np.where(alive, T, t_x)))
    # who dropped out failed one test more and passed one less: none at x = 0, where b may be 0
    passed = np.where(alive, b, np.asarray(b) - 1.0 + special.TINY)
    return {"alive": alive, "rate": rate, "dropout": rng.beta(a + ~alive, passed)}
