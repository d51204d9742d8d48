r"""Pareto/NBD: a customer buys at a Poisson rate while an unseen exponential lifetime lasts.

The rate λ is Gamma(r, α) over customers, the rate µ of dropping out Gamma(s, β); α and β are in
time units. ``x`` counts repeat purchases, ``t_x`` is the time of the last one and ``T`` the time
observed, both since the first purchase and in one unit. Given that a customer is alive at T,
λ ~ Gamma(r + x, α + T) and µ ~ Gamma(s, β + T) are independent, so the future depends on x and T.

Sources: Schmittlein, Morrison & Colombo (1987), Management Science 33(1), 1–24; Fader & Hardie
(2005), A Note on Deriving the Pareto/NBD Model; Fader, Hardie & Lee (2005), RFM and CLV, Journal of
Marketing Research 42(4), 415–430.
Arguments broadcast against each other: data of shape (n,) with parameters of shape (draws, 1) give
(draws, n).

Parameters
----------
x, t_x, T : array_like
    Of each customer: repeat purchases, the time of the last one, and the time observed.
t : array_like
    Length of the time after T that is looked at.
n : array_like
    A number of purchases.
share : array_like
    Level of a quantile, from 0 to 1.
rate : float
    Continuous discount rate per time unit: ln(1 + annual rate) ÷ time units per year.
r, alpha, s, beta : array_like

Returns
-------
array
    In the broadcast shape of the arguments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import exprel, gammaln

from lifestage.core.errors import ConfigError
from lifestage.families import _beta_geometric, _pareto_counts, _pareto_fit
from lifestage.families._lomax import log_lomax_integral, lomax_quantile
from lifestage.families._pareto_history import (
    dropout_log_odds,
    log_likelihood,
    mean_dropout,
    p_alive,
    p_alive_at,
)
from lifestage.families._pareto_priors import PRIORS
from lifestage.families._pareto_simulation import sample_latent, simulate_customers, simulate_future
from lifestage.families._rows import Rows
from lifestage.numerics import special

if TYPE_CHECKING:
    from lifestage.core.typing import Floats

__all__ = [
    "PARAMS",
    "PRIORS",
    "STATE",
    "UNITS",
    "alive_purchases",
    "count_survival",
    "discounted_purchases",
    "expected_purchases",
    "log_likelihood",
    "mean_dropout",
    "next_purchase_quantile",
    "p_alive",
    "p_alive_at",
    "p_purchase",
    "purchase_pmf",
    "purchase_sf",
    "residual_purchases",
    "sample_latent",
    "simulate_customers",
    "simulate_future",
]

Data = ArrayLike

PARAMS = ("r", "alpha", "s", "beta")
UNITS = {"r": 0, "alpha": 1, "s": 0, "beta": 1}
"""Power of the time unit in which each parameter is expressed."""

STATE = ("frequency", "T")
"""What the future of a living customer depends on, besides the parameters."""

rows = Rows
"""Distinct rows (x, t_x, T, weight), made ready for :func:`log_likelihood_with_hessian`."""

log_likelihood_with_hessian = _pareto_fit.log_likelihood_with_hessian
total_log_likelihood = _pareto_fit.total_log_likelihood
initial_points, identified = _pareto_fit.initial_points, _pareto_fit.identified
rate_shape = _beta_geometric.rate_shape  # the rate is Gamma distributed as well

count_table = _pareto_counts.count_table
"""Many values of :func:`count_survival`; see :func:`lifestage.families.tables.count_table`."""


def p_purchase(
    t: Data, x: Data, t_x: Data, T: Data, *, r: Any, alpha: Any, s: Any, beta: Any
) -> Floats:
    r"""P(at least one purchase in (T, T + t]).

    .. math:: P(\text{alive}) \frac{r+x}{\alpha+T} \int_0^t
              \left(1+\frac{u}{\alpha+T}\right)^{-(r+x+1)}
              \left(1+\frac{u}{\beta+T}\right)^{-s} du

    Examples
    --------
    >>> p_purchase(39, 2, 30.43, 38.86, r=0.5531, alpha=10.578, s=0.6063, beta=11.669).round(3)
    np.float64(0.592)
    """
    alive = p_alive(x, t_x, T, r=r, alpha=alpha, s=s, beta=beta)
    return np.asarray(alive * count_survival(1, t, x, T, r=r, alpha=alpha, s=s, beta=beta))[()]


def expected_purchases(
    t: Data, x: Data, t_x: Data, T: Data, *, r: Any, alpha: Any, s: Any, beta: Any
) -> Floats:
    r"""Expected purchases in (T, T + t] given the history; of a new customer with x = t_x = T = 0.

    .. math:: P(\text{alive}) \frac{r+x}{\alpha+T} \int_0^t \left(1+\frac{u}{\beta+T}\right)^{-s} du

    Examples
    --------
    >>> cdnow = {"r": 0.5531, "alpha": 10.578, "s": 0.6063, "beta": 11.669}
    >>> expected_purchases(52, 26, 30.86, 31, **cdnow).round(2)
    np.float64(25.46)
    """
    return discounted_purchases(t, x, t_x, T, r=r, alpha=alpha, s=s, beta=beta, rate=0.0)


def discounted_purchases(
    t: Data, x: Data, t_x: Data, T: Data, *, r: Any, alpha: Any, s: Any, beta: Any, rate: float
) -> Floats:
    r"""Expected purchases in (T, T + t], each discounted continuously: ∫₀ᵗ e^(−rate·u) dE[X(u)].

    Examples
    --------
    >>> cdnow = {"r": 0.5531, "alpha": 10.578, "s": 0.6063, "beta": 11.669}
    >>> discounted_purchases(52, 26, 30.86, 31, **cdnow, rate=0.002).round(3)
    np.float64(24.277)
    """
    future = alive_purchases(t, x, T, r=r, alpha=alpha, s=s, beta=beta, rate=rate)
    return np.asarray(p_alive(x, t_x, T, r=r, alpha=alpha, s=s, beta=beta) * future)[()]


def residual_purchases(
    x: Data, t_x: Data, T: Data, *, r: Any, alpha: Any, s: Any, beta: Any, rate: float
) -> Floats:
    r"""Discounted expected residual transactions (DERT): purchases without a horizon.

    Raises
    ------
    ConfigError
        If *rate* is not positive: the sum without an end need not be finite.

    Examples
    --------
    >>> cdnow = {"r": 0.5531, "alpha": 10.578, "s": 0.6063, "beta": 11.669}
    >>> residual_purchases(26, 30.86, 31, **cdnow, rate=0.002).round(3)
    np.float64(102.497)
    """
    if not rate > 0.0:
        raise ConfigError(f"expected a rate above 0 for purchases without a horizon; got {rate}")
    return discounted_purchases(np.inf, x, t_x, T, r=r, alpha=alpha, s=s, beta=beta, rate=rate)


def alive_purchases(
    t: Data, x: Data, T: Data, *, r: Any, alpha: Any, s: Any, beta: Any, rate: float = 0.0
) -> Floats:
    """Expected (discounted) purchases in (T, T + t] given that the customer is alive at T.

    Examples
    --------
    >>> cdnow = {"r": 0.5531, "alpha": 10.578, "s": 0.6063, "beta": 11.669}
    >>> alive_purchases(39, 2, 38.86, **cdnow).round(3)
    np.float64(1.674)
    """
    T = np.asarray(T, float)
    A, B = alpha + T, beta + T
    if rate == 0.0:
        log_time = np.log1p(np.asarray(t, float) / B)
        while_alive = B * log_time * exprel((1.0 - s) * log_time)  # no singularity at s = 1
    else:
        while_alive = np.exp(log_lomax_integral(0.0, 0.0, s, rate, B, B, t))
    return np.asarray((r + np.asarray(x, float)) / A * while_alive)[()]


def count_survival(
    n: Data, t: Data, x: Data, T: Data, *, r: Any, alpha: Any, s: Any, beta: Any
) -> Floats:
    r"""P(at least n purchases in (T, T + t] | alive at T), 1 for n ≤ 0.

    With A = α + T and B = β + T, the time of the n-th purchase has the density

    .. math:: \frac{\Gamma(r+x+n)}{\Gamma(r+x)\,\Gamma(n)} \frac{A^{r+x}\, u^{n-1}}{(A+u)^{r+x+n}}
              \left(1+\frac{u}{B}\right)^{-s}

    Examples
    --------
    >>> cdnow = {"r": 0.5531, "alpha": 10.578, "s": 0.6063, "beta": 11.669}
    >>> count_survival([0, 1, 2], 39, 2, 38.86, **cdnow).round(3)
    array([1.   , 0.681, 0.429])
    """
    n, T = np.asarray(n, float), np.asarray(T, float)
    R, A, at = r + np.asarray(x, float), alpha + T, np.maximum(n, 1.0)
    integral = log_lomax_integral(at - 1.0, R + at, s, 0.0, A, beta + T, t)
    sf = np.exp(np.minimum(integral - np.log(A) - special.log_beta(at, R), 0.0))
    return np.asarray(np.where(n <= 0.0, 1.0, sf))[()]


def purchase_sf(
    n: Data, t: Data, x: Data, t_x: Data, T: Data, *, r: Any, alpha: Any, s: Any, beta: Any
) -> Floats:
    """P(at least n purchases in (T, T + t]), 1 for n ≤ 0.

    Examples
    --------
    >>> cdnow = {"r": 0.5531, "alpha": 10.578, "s": 0.6063, "beta": 11.669}
    >>> purchase_sf([0, 1, 2], 39, 2, 30.43, 38.86, **cdnow).round(3)
    array([1.   , 0.592, 0.373])
    """
    alive = p_alive(x, t_x, T, r=r, alpha=alpha, s=s, beta=beta)
    sf = alive * count_survival(n, t, x, T, r=r, alpha=alpha, s=s, beta=beta)
    return np.asarray(np.where(np.asarray(n) <= 0, 1.0, sf))[()]


def purchase_pmf(
    n: Data, t: Data, x: Data, t_x: Data, T: Data, *, r: Any, alpha: Any, s: Any, beta: Any
) -> Floats:
    """P(exactly n purchases in (T, T + t]); of a new customer with x = t_x = T = 0.

    A living customer makes them and is alive at T + t, or makes them and drops out before it.

    Examples
    --------
    >>> cdnow = {"r": 0.5531, "alpha": 10.578, "s": 0.6063, "beta": 11.669}
    >>> purchase_pmf([0, 1, 2], 39, 2, 30.43, 38.86, **cdnow).round(3)
    array([0.408, 0.219, 0.152])
    """
    odds = dropout_log_odds(x, t_x, T, r=r, alpha=alpha, s=s, beta=beta)
    n, t, T = (np.asarray(v, float) for v in (n, t, T))
    R, A, B = r + np.asarray(x, float), alpha + T, beta + T
    stays = np.exp(-s * np.log1p(t / B)) * special.negative_binomial_pmf(n, R, t / A)
    leaves = log_lomax_integral(n, R + n, s + 1.0, 0.0, A, B, t) + np.log(s) - np.log(B)
    pmf = stays + np.exp(leaves + special.log_rising(R, n) - gammaln(n + 1.0))
    dropped = np.where(n == 0.0, special.sigmoid(odds), 0.0)
    return np.asarray(np.minimum(special.sigmoid(-odds) * pmf + dropped, 1.0))[()]


def next_purchase_quantile(
    share: Data, t: Data, x: Data, T: Data, *, r: Any, alpha: Any, s: Any, beta: Any
) -> Floats:
    """Quantile of the wait from T to the next purchase, given alive at T and a purchase within t.

    Examples
    --------
    >>> cdnow = {"r": 0.5531, "alpha": 10.578, "s": 0.6063, "beta": 11.669}
    >>> next_purchase_quantile([0.25, 0.5, 0.75], 52, 26, 31, **cdnow).round(2)
    array([0.44, 1.08, 2.18])
    """
    T = np.asarray(T, float)
    R = r + np.asarray(x, float)
    return lomax_quantile(share, R + 1.0, s, alpha + T, beta + T, t)[()]
