"""What the BG/NBD and MBG/NBD share: Gamma-mixed Poisson buying that stops after any purchase with a Beta chance.

Given that a customer is alive at T, the rate is Gamma(r + x, α + T) and the dropout chance Beta(a,
b'), with b' = b + x (BG/NBD) or b + x + 1 (MBG/NBD, which tests the customer once more, right after
the first purchase). The two models differ in b' and in the odds of having dropped out; all of the
future follows from (x, T, b').
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numba
import numpy as np

from lifestage.numerics import special
from lifestage.numerics.distinct import coded

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from lifestage.core.typing import Floats

Law = tuple[Any, Any, Any, Any]
"""Shape and scale of the Gamma rate, a and b of the Beta dropout chance of a living customer."""


def expected_alive(
    t: ArrayLike, shape: ArrayLike, scale: ArrayLike, a: ArrayLike, b: ArrayLike, rate: float
) -> Floats:
    """Expected (discounted) purchases within t of a living customer: rate Gamma(shape, scale), dropout Beta(a, b)."""
    arrays = np.broadcast_arrays(*(np.asarray(v, float) for v in (t, shape, scale, a, b)))
    out_shape = arrays[0].shape
    t_, r_, scale_, a_, b_ = (np.ascontiguousarray(v).ravel() for v in arrays)
    nodes, weights = special.time_nodes(t_, scale_ / (1.0 + r_), rate)
    return special.dropout_integral(r_, a_, b_, nodes / scale_[:, None], weights).reshape(out_shape)


def sf_alive(
    n: ArrayLike, t: ArrayLike, shape: ArrayLike, scale: ArrayLike, a: ArrayLike, b: ArrayLike
) -> Floats:
    """P(at least n purchases within t | alive) = P(N ≥ n)·P(the first n − 1 purchases are survived)."""
    n = np.asarray(n, float)
    survived = np.exp(special.log_beta_ratio(a, b, np.maximum(n - 1.0, 0.0)))
    return np.asarray(
        special.negative_binomial_sf(n, shape, np.asarray(t, float) / np.asarray(scale)) * survived
    )


def pmf_alive(
    n: ArrayLike, t: ArrayLike, shape: ArrayLike, scale: ArrayLike, a: ArrayLike, b: ArrayLike
) -> Floats:
    """P(exactly n purchases within t | alive): n made and survived, or dropout at the n-th of n or more."""
    n, a, b = (np.asarray(v, float) for v in (n, a, b))
    ratio = np.asarray(t, float) / np.asarray(scale)
    before = np.exp(special.log_beta_ratio(a, b, np.maximum(n - 1.0, 0.0)))
    stop = np.where(n > 0, before * a / (a + b + np.maximum(n - 1.0, 0.0)), 0.0)
    survive = np.exp(special.log_beta_ratio(a, b, n))
    return np.asarray(
        survive * special.negative_binomial_pmf(n, shape, ratio)
        + stop * special.negative_binomial_sf(n, shape, ratio)
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


LARGE = 1e60
"""Odds, and products of 1 + odds, beyond which logarithms are taken one by one: three of them do not overflow."""


@numba.njit(cache=True, nogil=True)
def _dead_sums(  # type: ignore[no-untyped-def]
    r, alpha, odds, log_odds, days, bounds, occurring, x, start, stop, at_T, at_t_x, weight, dead
):
    """Sum over rows of w·ln(1 + e^z), z = ln odds + (r + x)·ln((α + T)/(α + t_x)), and its slopes in r and α.

    Rows are sorted by frequency, *start* and *stop* are those of each. ((α + day)/(α + middle))^(r
    + x) takes as many values as a frequency has distinct days, so rows need no exponential, and the
    logarithm is taken of products of rows. *dead* collects w·P(dropped out) by frequency.
    """
    total, by_r, by_alpha = 0.0, 0.0, 0.0
    log_days = np.log(alpha + days)
    middle = 0.5 * (log_days[0] + log_days[-1])
    power, inverse_power, inverse = np.empty(days.size), np.empty(days.size), 1.0 / (alpha + days)
    for f in range(x.size):
        if log_odds[f] == -np.inf:
            continue
        shape = r + x[f]
        near = shape * (log_days[-1] - log_days[0]) < 600.0
        if near:
            for k in range(bounds[f], bounds[f + 1]):
                power[occurring[k]] = np.exp(shape * (log_days[occurring[k]] - middle))
                inverse_power[occurring[k]] = 1.0 / power[occurring[k]]
        product, gone_here, by_shape, by_time = 1.0, 0.0, 0.0, 0.0
        for i in range(start[f], stop[f]):
            now, then, w = at_T[i], at_t_x[i], weight[i]
            spread = log_days[now] - log_days[then]
            grown = odds[f] * power[now] * inverse_power[then] if near else np.inf
            if grown < LARGE:
                one = 1.0 + grown
                gone = w * grown / one
                if w == 1.0:
                    product *= one
                elif w == 2.0:
                    product *= one * one
                else:
                    total += w * np.log(one)
                if product > LARGE:
                    total += np.log(product)
                    product = 1.0
            else:
                z = log_odds[f] + shape * spread
                total += w * (max(z, 0.0) + np.log1p(np.exp(-abs(z))))
                gone = w / (1.0 + np.exp(-z))
            gone_here += gone
            by_shape += gone * spread
            by_time += gone * (inverse[now] - inverse[then])
        total += np.log(product)
        by_r += by_shape
        by_alpha += shape * by_time
        dead[f] = gone_here
    return total, by_r, by_alpha


@numba.njit(cache=True, nogil=True)
def _rising(r, a, b, more, survivors):  # type: ignore[no-untyped-def]
    """Σ over customers of ln Γ(r + x)/Γ(r) + ln B(a, b + s)/B(a, b), s the dropouts survived, and its slopes.

    Both are sums of logarithms over whole steps: ln(r + i) for every customer with x > i (*more*),
    and ln(b + i) − ln(a + b + i) for every one with s > i (*survivors*).
    """
    total, by_r, by_a, by_b = 0.0, 0.0, 0.0, 0.0
    for i in range(more.size):
        total += more[i] * np.log(r + i)
        by_r += more[i] / (r + i)
    for i in range(survivors.size):
        total -= survivors[i] * np.log1p(a / (b + i))
        by_a -= survivors[i] / (a + b + i)
        by_b += survivors[i] * (1.0 / (b + i) - 1.0 / (a + b + i))
    return total, by_r, by_a, by_b


class Rows:
    """The distinct rows of a base, sorted by frequency and indexed for look-ups, and their marginal sums.

    Attributes
    ----------
    x, weight : repeat purchases and customers, one a row
    days : times (T and t_x together, in periods);  at_T, at_t_x : places in ``days``, one a row
    frequency : distinct frequencies;  start, stop : rows of each
    per_frequency, per_T, x_per_T : customers by frequency and by T, and the sum of their x by T
    more : customers with x > i, i = 0, 1, …
    """

    def __init__(self, x: Floats, t_x: Floats, T: Floats, weight: Floats) -> None:
        if np.any(np.diff(x) < 0):
            order = np.argsort(x, kind="stable")
            x, t_x, T, weight = x[order], t_x[order], T[order], weight[order]
        self.x, self.weight = np.asarray(x, float), np.asarray(weight, float)
        times = coded(np.concatenate([T, t_x]))
        codes, self.days = times.codes(), np.asarray(times.table, float)
        self.at_T, self.at_t_x = codes[: T.size], codes[T.size :]
        self.start = np.concatenate([[0], np.flatnonzero(np.diff(x)) + 1])
        self.stop = np.concatenate([self.start[1:], [x.size]])
        self.frequency = self.x[self.start]
        self.per_frequency = np.add.reduceat(self.weight, self.start)
        self.per_T = np.bincount(self.at_T, self.weight, self.days.size)
        self.x_per_T = np.bincount(self.at_T, self.weight * self.x, self.days.size)
        by_count = np.bincount(self.frequency.astype(np.intp), self.per_frequency)
        self.more = (by_count.sum() - np.cumsum(by_count))[:-1]

    @cached_property
    def occurring(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Places of the days that occur with each frequency, one frequency after another, and where each begins."""
        seen = np.zeros((self.start.size, self.days.size), bool)
        place = np.repeat(np.arange(self.start.size), self.stop - self.start)
        seen[place, self.at_T] = True
        seen[place, self.at_t_x] = True
        found, days = np.nonzero(seen)
        return days, np.searchsorted(found, np.arange(self.start.size + 1))


def total_log_likelihood(params: Floats, rows: Rows, first_dropout: bool) -> tuple[float, Floats]:
    """Log-likelihood of all customers and its exact gradient in (r, alpha, a, b), from the distinct rows."""
    r, alpha, a, b = (float(v) for v in params)
    x, customers = rows.frequency, float(rows.per_frequency.sum())
    if first_dropout:
        below, survivors = b + x, np.concatenate([[customers], rows.more])
    else:
        below, survivors = np.where(x > 0, b + x - 1.0, np.inf), rows.more
    with np.errstate(divide="ignore"):
        log_odds = np.log(a) - np.log(below)
    dead = np.zeros(x.size)
    occurring, bounds = rows.occurring
    mixture, by_r, by_alpha = _dead_sums(
        r, alpha, a / below, log_odds, rows.days, bounds, occurring, x, rows.start, rows.stop, rows.at_T, rows.at_t_x,
        rows.weight, dead,
    )  # fmt: skip
    log_time, shape = np.log1p(rows.days / alpha), r * rows.per_T + rows.x_per_T
    rising, rising_r, rising_a, rising_b = _rising(r, a, b, rows.more, survivors)
    repeats = float(rows.x_per_T.sum())
    total = mixture + rising - shape @ log_time - repeats * np.log(alpha)
    gradient = np.array(
        [
            by_r + rising_r - rows.per_T @ log_time,
            by_alpha + shape @ (rows.days / (alpha * (alpha + rows.days))) - repeats / alpha,
            rising_a + dead.sum() / a,
            rising_b - dead @ (1.0 / below),
        ]
    )
    return float(total), gradient


def starts(rows: Rows) -> list[Floats]:
    """Starting points for the optimiser, from moments: r/α matches the purchase rate, r the spread of frequencies."""
    n = rows.per_frequency
    mean = max(float(n @ rows.frequency) / n.sum(), 1e-3)
    variance = float(n @ (rows.frequency - mean) ** 2) / n.sum()
    time = float(rows.per_T @ rows.days) / n.sum()
    shape = float(np.clip(mean * mean / max(variance - mean, 0.1 * mean), 0.05, 20.0))
    alpha = shape * time / mean
    return [
        np.array(v)
        for v in (
            (shape, 0.7 * alpha, 0.8, 2.5),
            (0.5, 0.3 * time, 0.3, 3.0),
            (2.0, time, 1.0, 10.0),
        )
    ]


def simulate(
    T: ArrayLike,
    *,
    r: float,
    alpha: float,
    a: float,
    b: float,
    seed: int | np.random.Generator,
    first_dropout: Any,
) -> dict[str, Any]:
    """Simulate customers observed for T: latent rate and dropout chance, and every repeat purchase."""
    rng = np.random.default_rng(seed)
    T = np.atleast_1d(np.asarray(T, float))
    rate = np.maximum(rng.gamma(r, 1.0 / alpha, T.size), special.TINY)
    dropout = np.clip(rng.beta(a, b, T.size), special.TINY, 1.0)
    alive = np.ones(T.size, bool)
    if np.any(first_dropout):
        alive = (rng.random(T.size) >= dropout) | ~np.asarray(first_dropout)
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
    dropout = rng.beta(
        a + ~alive, np.where(alive, b_alive, np.asarray(b_alive) - 1.0 + special.TINY)
    )
    return {"alive": alive, "rate": rate, "dropout": dropout}
