r"""The body of the BG/NBD and MBG/NBD: Poisson buying that stops after any purchase.

The two differ by one argument, ``first_dropout``: whether the customer is tested once more, right
after the first purchase. With b' = b + first_dropout, the odds of having dropped out by T are

.. math:: \frac{a}{b' + x - 1} \left(\frac{\alpha+T}{\alpha+t_x}\right)^{r+x},

none at x = 0 without ``first_dropout``. Given that a customer is alive at T, the rate is Gamma(r +
x, α + T) and the dropout probability Beta(a, b' + x), so all of the future follows from (x, T).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lifestage.core.errors import ConfigError
from lifestage.families._dropout_survival import dropout_survival
from lifestage.numerics import quadrature, special

if TYPE_CHECKING:
    from lifestage.core.typing import Floats

__all__ = [
    "Living",
    "Params",
    "alive_purchases",
    "count_survival",
    "discounted_purchases",
    "dropout_log_odds",
    "living",
    "log_likelihood",
    "next_purchase_quantile",
    "p_alive",
    "p_alive_at",
    "p_purchase",
    "purchase_pmf",
    "purchase_sf",
    "rate_shape",
    "residual_purchases",
]

Data = ArrayLike

ENDLESS = 40.0
"""Discounted times rate·t beyond which nothing is left (e^-40 ≈ 4e-18): an endless horizon ends
here."""


class Params(NamedTuple):
    """Parameters, and whether a customer may drop out right after the first purchase."""

    r: Any
    alpha: Any
    a: Any
    b: Any
    first_dropout: bool


class Living(NamedTuple):
    """A living customer's rate, Gamma(shape, scale), and dropout probability, Beta(a, b)."""

    shape: Any
    scale: Any
    a: Any
    b: Any


def living(x: Data, T: Data, params: Params) -> Living:
    """Return what is known of a customer who is alive at T."""
    r, alpha, a, b, first_dropout = params
    x = np.asarray(x, float)
    return Living(r + x, alpha + np.asarray(T, float), a, b + first_dropout + x)


def rate_shape(x: Data, *, r: Any, **_: Any) -> Floats:
    """Squared mean over variance of a living customer's purchase rate."""
    return np.asarray(r + np.asarray(x, float))


def dropout_log_odds(x: Data, t_x: Data, T: Data, params: Params) -> Floats:
    """Log odds of having dropped out by T."""
    r, alpha, a, b, first_dropout = params
    x, t_x = np.asarray(x, float), np.asarray(t_x, float)
    wait = np.log1p((np.asarray(T, float) - t_x) / (alpha + t_x))
    passed = x if first_dropout else np.maximum(x, 1.0) - 1.0
    odds = np.log(a) - np.log(b + passed) + (r + x) * wait
    return np.asarray(odds if first_dropout else np.where(x > 0, odds, -np.inf))


def log_likelihood(x: Data, t_x: Data, T: Data, params: Params) -> Floats:
    """Log-likelihood of each customer's (x, t_x, T), with every constant."""
    r, alpha, a, b, first_dropout = params
    x, T = np.asarray(x, float), np.asarray(T, float)
    repeated = (
        special.log_rising(r, x)
        + special.log_beta_ratio(a, b, x + first_dropout)
        - r * np.log1p(T / alpha)
        - x * np.log(alpha + T)
        + np.logaddexp(0.0, dropout_log_odds(x, t_x, T, params))
    )
    if not first_dropout:
        return np.asarray(repeated)[()]
    # the same at x = 0, exact near zero: no purchase by T
    once = np.log1p(-special.power_survival(r, T / alpha) * b / (a + b))
    return np.asarray(np.where(x > 0, repeated, once))[()]


def p_alive(x: Data, t_x: Data, T: Data, params: Params) -> Floats:
    """P(the customer has not dropped out by T)."""
    return special.sigmoid(-dropout_log_odds(x, t_x, T, params))[()]


def p_alive_at(t: Data, x: Data, t_x: Data, T: Data, params: Params) -> Floats:
    """P(the customer has not dropped out by T + t)."""
    shape, scale, a, b = living(x, T, params)
    still = dropout_survival(shape, a, b, np.asarray(t, float) / scale)
    return np.asarray(p_alive(x, t_x, T, params) * still)[()]


def p_purchase(t: Data, x: Data, t_x: Data, T: Data, params: Params) -> Floats:
    """P(at least one purchase within t): alive, and the Lomax wait is over."""
    shape, scale, _, _ = living(x, T, params)
    within = special.power_survival(shape, np.asarray(t, float) / scale)
    return np.asarray(p_alive(x, t_x, T, params) * within)[()]


def alive_purchases(t: Data, x: Data, T: Data, params: Params, rate: float) -> Floats:
    """Expected (discounted) purchases within t of a living customer."""
    columns = (np.asarray(v, float) for v in (t, *living(x, T, params)))
    arrays = np.broadcast_arrays(*columns)
    t_, shape, scale, a, b = (np.ascontiguousarray(v).ravel() for v in arrays)
    nodes, weights = quadrature.time_nodes(t_, scale / (1.0 + shape), rate)
    integral = quadrature.dropout_integral(shape, a, b, nodes / scale[:, None], weights)
    return integral.reshape(arrays[0].shape)


def discounted_purchases(
    t: Data, x: Data, t_x: Data, T: Data, params: Params, rate: float
) -> Floats:
    """Expected purchases within t, each discounted at the continuous *rate*."""
    future = alive_purchases(t, x, T, params, rate)
    return np.asarray(p_alive(x, t_x, T, params) * future)[()]


def residual_purchases(x: Data, t_x: Data, T: Data, params: Params, rate: float) -> Floats:
    """Discounted expected purchases without a horizon."""
    if not rate > 0.0:
        raise ConfigError(f"expected a rate above 0 for purchases without a horizon; got {rate}")
    return discounted_purchases(ENDLESS / rate, x, t_x, T, params, rate)


def count_survival(n: Data, t: Data, x: Data, T: Data, params: Params) -> Floats:
    """P(at least n purchases within t | alive) = P(N ≥ n)·P(n − 1 dropouts are survived)."""
    shape, scale, a, b = living(x, T, params)
    n = np.asarray(n, float)
    if n.shape == () and n == 1.0:  # the same, without the functions of n
        return special.power_survival(shape, np.asarray(t, float) / np.asarray(scale))
    survived = np.exp(special.log_beta_ratio(a, b, np.maximum(n - 1.0, 0.0)))
    made = special.negative_binomial_sf(n, shape, np.asarray(t, float) / np.asarray(scale))
    return np.asarray(made * survived)


def purchase_sf(n: Data, t: Data, x: Data, t_x: Data, T: Data, params: Params) -> Floats:
    """P(at least n purchases within t), 1 for n ≤ 0."""
    sf = p_alive(x, t_x, T, params) * count_survival(n, t, x, T, params)
    return np.asarray(np.where(np.asarray(n) <= 0, 1.0, sf))[()]


def purchase_pmf(n: Data, t: Data, x: Data, t_x: Data, T: Data, params: Params) -> Floats:
    """P(exactly n purchases within t).

    A living customer makes them and survives, or makes n or more and drops out at the n-th.
    """
    shape, scale, a, b = living(x, T, params)
    n, a, b = (np.asarray(v, float) for v in (n, a, b))
    ratio = np.asarray(t, float) / np.asarray(scale)
    before = np.exp(special.log_beta_ratio(a, b, np.maximum(n - 1.0, 0.0)))
    stop = np.where(n > 0, before * a / (a + b + np.maximum(n - 1.0, 0.0)), 0.0)
    survive = np.exp(special.log_beta_ratio(a, b, n))
    pmf = survive * special.negative_binomial_pmf(
        n, shape, ratio
    ) + stop * special.negative_binomial_sf(n, shape, ratio)
    odds = dropout_log_odds(x, t_x, T, params)
    nothing = np.where(n == 0, special.sigmoid(odds), 0.0)
    return np.asarray(special.sigmoid(-odds) * pmf + nothing)[()]


def next_purchase_quantile(share: Data, t: Data, x: Data, T: Data, params: Params) -> Floats:
    """Quantile of the wait, given alive and a purchase within t: Lomax, cut off at t."""
    shape, scale, _, _ = living(x, T, params)
    within = special.power_survival(shape, np.asarray(t, float) / scale)
    wait = scale * np.expm1(-np.log1p(-np.asarray(share, float) * within) / shape)
    return np.asarray(np.minimum(wait, t))[()]
