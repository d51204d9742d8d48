"""Random samples of BG/NBD and MBG/NBD customers: histories, futures, latent rates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numba
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
    """Simulate customers observed for T: their latent state and every purchase."""
    r, alpha, a, b, first_dropout = params
    T = np.atleast_1d(np.asarray(T, float))
    rate = np.maximum(rng.gamma(r, 1.0 / alpha, T.size), special.TINY)
    dropout = np.clip(rng.beta(a, b, T.size), special.TINY, 1.0)
    alive = np.ones(T.size, bool)
    if first_dropout:
        alive = rng.random(T.size) >= dropout
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
    """Carry each customer's history on to T + each of *times*; arrays of shape (n, times)."""
    times = np.asarray(times, float)
    history = x, t_x, T, p_alive(x, t_x, T, params), *living(x, T, params)
    columns = np.broadcast_arrays(*(np.asarray(column, float) for column in history))
    shape = (*columns[0].shape, times.size)
    customers = Customers(*(np.ascontiguousarray(column).ravel() for column in columns))
    bought, last, alive = np.empty((3, customers.x.size, times.size))
    _carry_on(rng, times, customers, bought, last, alive)
    return {
        "x": bought.reshape(shape),
        "t_x": last.reshape(shape),
        "T": columns[2][..., None] + times,
        "alive": alive.reshape(shape) > 0.0,
    }


class Customers(NamedTuple):
    """Histories, P(alive), and what is known of the living: arrays of shape (n,)."""

    x: Floats
    t_x: Floats
    T: Floats
    p_alive: Floats
    shape: Floats
    scale: Floats
    a: Floats
    b: Floats


@numba.njit(cache=True, nogil=True)
def _carry_on(rng: Any, times: Any, customers: Any, bought: Any, last: Any, alive: Any) -> None:
    """Make purchases one by one, and fill the state at each of *times*."""
    x, t_x, T, probability, shape, scale, a, b = customers
    for i in range(x.size):
        n, latest, following, rate, dropout = x[i], t_x[i], np.inf, 1.0, 0.0
        lives = rng.random() < probability[i]
        if lives:
            rate = rng.gamma(shape[i], 1.0 / scale[i])
            dropout = rng.beta(a[i], b[i])
            if rate > 1e-300:
                following = T[i] + rng.exponential(1.0 / rate)
        for k in range(times.size):
            while following <= T[i] + times[k]:
                n += 1.0
                latest = following
                lives = rng.random() >= dropout
                following = latest + rng.exponential(1.0 / rate) if lives else np.inf
            bought[i, k] = n
            last[i, k] = latest
            alive[i, k] = lives


def sample_latent(
    size: int,
    x: Data,
    t_x: Data,
    T: Data,
    params: Params,
    seed: int | np.random.Generator,
) -> dict[str, Any]:
    """Draw (alive, rate, dropout) given each customer's history, shape (size, n)."""
    rng = np.random.default_rng(seed)
    x, t_x, T = (np.asarray(v, float) for v in (x, t_x, T))
    probability = np.asarray(p_alive(x, t_x, T, params))
    alive = rng.random((size, *probability.shape)) < probability
    shape, _, a, b = living(x, T, params)
    rate = rng.gamma(shape, 1.0 / (params.alpha + np.where(alive, T, t_x)))
    # who dropped out failed one test more and passed one less: none at x = 0, where b may be 0
    passed = np.where(alive, b, np.asarray(b) - 1.0 + special.TINY)
    return {"alive": alive, "rate": rate, "dropout": rng.beta(a + ~alive, passed)}
