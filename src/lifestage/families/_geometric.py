"""What the BG/NBD and MBG/NBD share: Gamma-mixed Poisson buying that stops after any purchase with a Beta chance.

Given that a customer is alive at T, the rate is Gamma(r + x, α + T) and the dropout chance Beta(a, b'), with b' = b + x
(BG/NBD) or b + x + 1 (MBG/NBD, which tests the customer once more, right after the first purchase). The two models
differ in b' and in the odds of having dropped out; all of the future follows from (x, T, b').
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special as sp

from lifestage import special

Floats = NDArray[np.float64]
Law = tuple[Any, Any, Any, Any]
"""Shape and scale of the Gamma rate, a and b of the Beta dropout chance of a living customer."""


def expected_alive(t: ArrayLike, shape: ArrayLike, scale: ArrayLike, a: ArrayLike, b: ArrayLike, rate: float) -> Floats:
    """Expected (discounted) purchases within t of a living customer: rate Gamma(shape, scale), dropout Beta(a, b)."""
    arrays = np.broadcast_arrays(*(np.asarray(v, float) for v in (t, shape, scale, a, b)))
    out_shape = arrays[0].shape
    t_, r_, scale_, a_, b_ = (np.ascontiguousarray(v).ravel() for v in arrays)
    nodes, weights = special.time_nodes(t_, scale_ / (1.0 + r_), rate)
    return special.dropout_integral(r_, a_, b_, nodes / scale_[:, None], weights).reshape(out_shape)


def sf_alive(n: ArrayLike, t: ArrayLike, shape: ArrayLike, scale: ArrayLike, a: ArrayLike, b: ArrayLike) -> Floats:
    """P(at least n purchases within t | alive) = P(N ≥ n)·P(the first n − 1 purchases are survived)."""
    n = np.asarray(n, float)
    survived = np.exp(special.log_beta_ratio(a, b, np.maximum(n - 1.0, 0.0)))
    return np.asarray(special.negative_binomial_sf(n, shape, np.asarray(t, float) / np.asarray(scale)) * survived)


def pmf_alive(n: ArrayLike, t: ArrayLike, shape: ArrayLike, scale: ArrayLike, a: ArrayLike, b: ArrayLike) -> Floats:
    """P(exactly n purchases within t | alive): n made and survived, or dropout at the n-th of n or more."""
    n, a, b = (np.asarray(v, float) for v in (n, a, b))
    ratio = np.asarray(t, float) / np.asarray(scale)
    before = np.exp(special.log_beta_ratio(a, b, np.maximum(n - 1.0, 0.0)))
    stop = np.where(n > 0, before * a / (a + b + np.maximum(n - 1.0, 0.0)), 0.0)
    survive = np.exp(special.log_beta_ratio(a, b, n))
    return np.asarray(
        survive * special.negative_binomial_pmf(n, shape, ratio) + stop * special.negative_binomial_sf(n, shape, ratio)
    )


def p_purchase(t: ArrayLike, alive: Floats, law: Law) -> Floats:
    """P(at least one purchase within t): alive, and the Lomax wait is over."""
    shape, scale, _, _ = law
    return np.asarray(alive * special.power_survival(shape, np.asarray(t, float) / scale))[()]


def purchase_sf(n: ArrayLike, t: ArrayLike, alive: Floats, law: Law) -> Floats:
    """P(at least n purchases within t), 1 for n ≤ 0."""
    return np.asarray(np.where(np.asarray(n) <= 0, 1.0, alive * sf_alive(n, t, *law)))[()]


def purchase_pmf(n: ArrayLike, t: ArrayLike, alive: Floats, dropped: Floats, law: Law) -> Floats:
    """P(exactly n purchases within t); *dropped* is 1 − *alive* without cancellation."""
    pmf = alive * pmf_alive(n, t, *law)
    return np.asarray(pmf + np.where(np.asarray(n) == 0, dropped, 0.0))[()]


@numba.njit(cache=True, nogil=True)
def _mixture(
    r: float,
    alpha: float,
    log_odds: Any,
    frequency: Any,
    row_frequency: Any,
    row_T: Any,
    row_t_x: Any,
    days: Any,
    weight: Any,
    dead: Any,
) -> tuple[float, float, float]:
    """Sum over rows of w·(ln(1 + odds·e^g) − (r + x)·ln(α + T)), g = (r + x)·ln((α + T)/(α + t_x)), and its gradient.

    ln(α + day) is looked up: it takes as many values as there are distinct days. *dead* collects w·P(dropped out) by
    frequency, which is all that the Γ and Β terms need for the gradient in a and b.
    """
    log_days = np.log(alpha + days)
    total = 0.0
    by_r = 0.0
    by_alpha = 0.0
    for i in range(weight.size):
        f = row_frequency[i]
        shape = r + frequency[f]
        log_T = log_days[row_T[i]]
        inverse_T = 1.0 / (alpha + days[row_T[i]])
        w = weight[i]
        total -= w * shape * log_T
        by_r -= w * log_T
        by_alpha -= w * shape * inverse_T
        if log_odds[f] > -np.inf:
            spread = log_T - log_days[row_t_x[i]]
            z = log_odds[f] + shape * spread
            tail = np.log1p(np.exp(-abs(z)))
            total += w * (max(z, 0.0) + tail)
            gone = w * np.exp(min(z, 0.0) - tail)
            dead[f] += gone
            by_r += gone * spread
            by_alpha += gone * shape * (inverse_T - 1.0 / (alpha + days[row_t_x[i]]))
    return total, by_r, by_alpha


class Rows:
    """The distinct rows of a base, indexed for lookups: frequencies, the times that occur, and weights.

    Attributes
    ----------
    frequency : array of distinct frequencies;  days : array of distinct times (T and t_x together, in periods)
    row_frequency, row_T, row_t_x : indices into these, one a distinct row;  weight : customers a distinct row
    """

    __slots__ = ("days", "frequency", "per_frequency", "row_T", "row_frequency", "row_t_x", "weight")

    def __init__(self, x: Floats, t_x: Floats, T: Floats, weight: Floats) -> None:
        self.frequency, self.row_frequency = np.unique(x, return_inverse=True)
        self.days, index = np.unique(np.concatenate([T, t_x]), return_inverse=True)
        self.row_T, self.row_t_x = index[: T.size], index[T.size :]
        self.weight = np.asarray(weight, float)
        self.per_frequency = np.bincount(self.row_frequency, self.weight, self.frequency.size)


def weighted_log_likelihood(params: Floats, rows: Rows, first_dropout: bool) -> tuple[float, Floats]:
    """Log-likelihood of all customers and its exact gradient in (r, alpha, a, b), from the distinct rows."""
    r, alpha, a, b = (float(v) for v in params)
    x, n = rows.frequency, rows.per_frequency
    if first_dropout:
        survived, log_odds = x + 1.0, np.log(a) - np.log(b + x)
    else:
        survived = x
        log_odds = np.where(x > 0, np.log(a) - np.log(b + np.maximum(x, 1.0) - 1.0), -np.inf)
    dead = np.zeros(x.size)
    mixture, by_r, by_alpha = _mixture(
        r, alpha, log_odds, x, rows.row_frequency, rows.row_T, rows.row_t_x, rows.days, rows.weight, dead
    )
    customers = n.sum()
    gamma = special.log_rising(r, x) + special.log_beta_ratio(a, b, survived)
    total = mixture + n @ gamma + customers * r * np.log(alpha)
    shared = sp.psi(a + b) - sp.psi(a + b + survived)
    by_b_odds = np.where(log_odds > -np.inf, 1.0 / (b + survived - 1.0 + (survived == 0)), 0.0)
    gradient = np.array(
        [
            by_r + n @ (sp.psi(r + x) - sp.psi(r)) + customers * np.log(alpha),
            by_alpha + customers * r / alpha,
            n @ shared + dead.sum() / a,
            n @ (shared + sp.psi(b + survived) - sp.psi(b)) - dead @ by_b_odds,
        ]
    )
    return float(total), gradient


def starts(rows: Rows) -> list[Floats]:
    """Starting points for the optimiser, from moments: r/α matches the purchase rate, r the spread of frequencies."""
    n = rows.per_frequency
    mean = max(float(n @ rows.frequency) / n.sum(), 1e-3)
    variance = float(n @ (rows.frequency - mean) ** 2) / n.sum()
    time = float(rows.weight @ rows.days[rows.row_T]) / n.sum()
    shape = float(np.clip(mean * mean / max(variance - mean, 0.1 * mean), 0.05, 20.0))
    alpha = shape * time / mean
    return [np.array(v) for v in ((shape, 0.7 * alpha, 0.8, 2.5), (0.5, 0.3 * time, 0.3, 3.0), (2.0, time, 1.0, 10.0))]


def simulate(
    T: ArrayLike, *, r: float, alpha: float, a: float, b: float, seed: int | np.random.Generator, first_dropout: bool
) -> dict[str, Any]:
    """Simulate customers observed for T: latent rate and dropout chance, and every repeat purchase."""
    rng = np.random.default_rng(seed)
    T = np.atleast_1d(np.asarray(T, float))
    rate = np.maximum(rng.gamma(r, 1.0 / alpha, T.size), special.TINY)
    dropout = np.clip(rng.beta(a, b, T.size), special.TINY, 1.0)
    alive = rng.random(T.size) >= dropout if first_dropout else np.ones(T.size, bool)
    at = np.zeros(T.size)
    customer, time = [], []
    rows = np.flatnonzero(alive)
    while rows.size:
        at[rows] += rng.exponential(1.0 / rate[rows])
        rows = rows[at[rows] <= T[rows]]
        customer.append(rows)
        time.append(at[rows].copy())
        gone = rng.random(rows.size) < dropout[rows]
        alive[rows[gone]] = False
        rows = rows[~gone]
    index = np.concatenate(customer) if customer else np.zeros(0, np.intp)
    times = np.concatenate(time) if time else np.zeros(0)
    x = np.bincount(index, minlength=T.size).astype(float)
    t_x = np.zeros(T.size)
    np.maximum.at(t_x, index, times)
    return {
        "x": x, "t_x": t_x, "T": T, "rate": rate, "dropout": dropout, "alive": alive, "customer": index, "time": times,
    }  # fmt: skip


def sample_latent(
    size: int,
    x: ArrayLike,
    t_x: ArrayLike,
    T: ArrayLike,
    p_alive: Floats,
    *,
    r: float,
    alpha: float,
    a: float,
    b_alive: ArrayLike,
    seed: int | np.random.Generator,
) -> dict[str, Any]:
    """Draw (alive, rate, dropout) from their posterior given each customer's history; arrays of shape (size, n)."""
    rng = np.random.default_rng(seed)
    x, t_x, T = (np.asarray(v, float) for v in (x, t_x, T))
    alive = rng.random((size, *p_alive.shape)) < p_alive
    rate = rng.gamma(r + x, 1.0 / (alpha + np.where(alive, T, t_x)))
    dropout = rng.beta(a + ~alive, np.where(alive, b_alive, np.asarray(b_alive) - 1.0 + special.TINY))
    return {"alive": alive, "rate": rate, "dropout": dropout}
