"""Random samples of Pareto/NBD customers: histories, futures, latent rates.

Parameters
----------
x, t_x, T : array_like
    Of each customer: repeat purchases, the time of the last one, and the time observed.
times : array_like
    Times after T, rising.
size : int
    Samples per customer.
rng : numpy.random.Generator
seed : int or numpy.random.Generator
r, alpha, s, beta : array_like
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from lifestage.families._lomax import lomax_quantile
from lifestage.families._pareto_history import p_alive
from lifestage.numerics import special

if TYPE_CHECKING:
    from lifestage.core.typing import Floats

__all__ = ["sample_latent", "simulate_customers", "simulate_future"]

Data = ArrayLike


def sample_latent(
    size: int,
    x: Data,
    t_x: Data,
    T: Data,
    *,
    r: Any,
    alpha: Any,
    s: Any,
    beta: Any,
    seed: int | np.random.Generator,
) -> dict[str, Any]:
    """Draw ``alive``, ``rate`` and ``dropout`` (λ and µ) of each customer from their posterior.

    Of a customer who dropped out, the time of it comes first: t_x + u, with u of density
    ∝ (1 + u/(α + t_x))^(−r−x)·(1 + u/(β + t_x))^(−s−1) on (0, T − t_x). Given the time that a
    customer was alive, both rates are Gamma.

    Returns
    -------
    dict
        Arrays of shape (size, n).

    Examples
    --------
    >>> cdnow = {"r": 0.5531, "alpha": 10.578, "s": 0.6063, "beta": 11.669}
    >>> sample_latent(4, [0, 2], [0, 3], [9, 9], **cdnow, seed=1)["alive"].shape
    (4, 2)
    """
    rng = np.random.default_rng(seed)
    x, t_x, T = (np.asarray(v, float) for v in (x, t_x, T))
    probability = p_alive(x, t_x, T, r=r, alpha=alpha, s=s, beta=beta)
    shape = (size, *np.shape(probability))
    alive = rng.random(shape) < probability
    share = np.where(alive, 1.0, rng.random(shape))  # a share of 1 is all of the silence
    silent = lomax_quantile(share, r + x, s + 1.0, alpha + t_x, beta + t_x, T - t_x)
    lived = np.where(alive, T, t_x + silent)
    return {
        "alive": alive,
        "rate": rng.standard_gamma(r + x, shape) / (alpha + lived),
        "dropout": rng.standard_gamma(s + ~alive) / (beta + lived),
    }


def simulate_customers(
    rng: np.random.Generator, T: Data, *, r: Any, alpha: Any, s: Any, beta: Any
) -> dict[str, Any]:
    """Simulate customers observed for T time units after their first purchase.

    Returns
    -------
    dict
        ``x``, ``t_x``, ``T``, the latent ``rate`` and ``dropout``, and ``alive`` at T (one value
        per customer); every repeat purchase as ``customer`` (row number) and ``time``.

    Examples
    --------
    >>> cdnow = {"r": 0.5531, "alpha": 10.578, "s": 0.6063, "beta": 11.669}
    >>> simulate_customers(np.random.default_rng(1), [39.0] * 3, **cdnow)["x"].shape
    (3,)
    """
    T = np.atleast_1d(np.asarray(T, float))
    rate = rng.standard_gamma(r, T.size) / alpha
    dropout = rng.standard_gamma(s, T.size) / beta
    lifetime = _lifetimes(rng, dropout)
    lived = np.minimum(T, lifetime)
    x = rng.poisson(rate * lived)
    customer = np.repeat(np.arange(T.size), x)
    time = lived[customer] * (1.0 - rng.random(customer.size))  # of a Poisson process, given x
    time = time[np.lexsort((time, customer))]
    t_x = np.zeros(T.size)
    t_x[x > 0] = time[np.cumsum(x)[x > 0] - 1]
    return {
        "x": x.astype(float),
        "t_x": t_x,
        "T": T,
        "rate": rate,
        "dropout": dropout,
        "alive": lifetime > T,
        "customer": customer,
        "time": time,
    }


def simulate_future(
    rng: np.random.Generator,
    times: Data,
    x: Data,
    t_x: Data,
    T: Data,
    *,
    r: Any,
    alpha: Any,
    s: Any,
    beta: Any,
) -> dict[str, Any]:
    """Carry each customer's history on to T + each of *times*, which rise.

    Returns
    -------
    dict
        ``x``, ``t_x``, ``T`` and ``alive`` then, of shape (n, times).

    Examples
    --------
    >>> cdnow = {"r": 0.5531, "alpha": 10.578, "s": 0.6063, "beta": 11.669}
    >>> rng = np.random.default_rng(1)
    >>> future = simulate_future(rng, [13, 26], [0, 2], [0, 3], [9, 9], **cdnow)
    >>> future["T"]
    array([[22., 35.],
           [22., 35.]])
    """
    times = np.asarray(times, float)
    x, t_x, T = (np.asarray(v, float) for v in (x, t_x, T))
    probability = p_alive(x, t_x, T, r=r, alpha=alpha, s=s, beta=beta)
    shape = np.shape(probability)
    rate = rng.standard_gamma(r + x, shape) / (alpha + T)
    dropout = rng.standard_gamma(s, shape) / (beta + T)
    alive = rng.random(shape) < probability
    lifetime = np.where(alive, _lifetimes(rng, dropout), 0.0)[..., None]
    ends = np.minimum(times, lifetime)
    starts = np.concatenate([np.zeros((*shape, 1)), ends[..., :-1]], axis=-1)
    new = rng.poisson(rate[..., None] * (ends - starts))
    # the latest of n times, spread evenly at random, lies at a share U^(1/n) of the interval
    latest = starts + (ends - starts) * rng.random(new.shape) ** (1.0 / np.maximum(new, 1))
    last = np.where(new > 0, T[..., None] + latest, t_x[..., None])
    return {
        "x": x[..., None] + np.cumsum(new, axis=-1),
        "t_x": np.maximum.accumulate(last, axis=-1),
        "T": np.broadcast_to(T[..., None] + times, new.shape),
        "alive": lifetime > times,
    }


def _lifetimes(rng: np.random.Generator, dropout: Floats) -> Floats:
    return np.asarray(rng.standard_exponential(dropout.shape) / np.maximum(dropout, special.TINY))
