r"""BG/NBD: a customer buys at a Poisson rate and may drop out right after any repeat purchase.

The rate is Gamma(r, α) over customers (α in time units), the dropout probability Beta(a, b). ``x``
counts repeat purchases, ``t_x`` is the time of the last one and ``T`` the time observed, both since
the first purchase and in one unit. A customer without a repeat purchase has had no occasion to drop
out, so P(alive) = 1 by assumption. Given that a customer is alive at T, the rate is Gamma(r + x,
α + T) and the dropout probability Beta(a, b + x), so the future depends on x and T.

Source: Fader, Hardie & Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24(2),
275–284. Arguments broadcast against each other: data of shape (n,) with parameters of shape (draws,
1) give (draws, n).

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
r, alpha, a, b : array_like

Returns
-------
array
    In the broadcast shape of the arguments.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from lifestage.families import _beta_geometric as body
from lifestage.families import _beta_geometric_fit as body_fit
from lifestage.families import _beta_geometric_samples as samples
from lifestage.families import _count_recurrence, _derivatives, _purchase_curves
from lifestage.families._beta_geometric_priors import PRIORS
from lifestage.families._rows import Rows

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

PARAMS = ("r", "alpha", "a", "b")
UNITS = {"r": 0, "alpha": 1, "a": 0, "b": 0}
"""Power of the time unit in which each parameter is expressed."""

STATE = ("frequency", "T")
"""What the future of a living customer depends on, besides the parameters."""

rows = Rows
"""Distinct rows (x, t_x, T, weight), made ready for :func:`log_likelihood_with_hessian`."""

_params = partial(body.Params, first_dropout=False)


def log_likelihood(x: Data, t_x: Data, T: Data, *, r: Any, alpha: Any, a: Any, b: Any) -> Floats:
    r"""Log-likelihood of each customer's (x, t_x, T), with every constant (equation 6).

    .. math:: L = \frac{B(a, b+x)}{B(a, b)} \frac{\Gamma(r+x)\,\alpha^r}{\Gamma(r)}
              \left[(\alpha+T)^{-(r+x)} + 1_{x>0} \frac{a}{b+x-1} (\alpha+t_x)^{-(r+x)}\right]

    Examples
    --------
    >>> log_likelihood(2, 30.43, 38.86, r=0.243, alpha=4.414, a=0.793, b=2.426).round(4)
    np.float64(-9.4586)
    """
    return body.log_likelihood(x, t_x, T, _params(r, alpha, a, b))


total_log_likelihood = partial(body_fit.total_log_likelihood, first_dropout=False)
"""Sum of :func:`log_likelihood` over all customers and its exact gradient, from their rows."""

log_likelihood_with_hessian = partial(_derivatives.log_likelihood_with_hessian, first_dropout=False)
"""The same with the exact Hessian, of shape (4, 4), as the third."""

initial_points, rate_shape = body_fit.initial_points, body.rate_shape
identified = partial(body_fit.identified, first_dropout=False)

count_table = partial(_count_recurrence.count_table, first_dropout=False)
"""Many values of :func:`count_survival`; see :func:`lifestage.families.tables.count_table`."""

purchase_table = partial(_purchase_curves.purchase_table, first_dropout=False)
"""Many values of :func:`alive_purchases`; see :func:`lifestage.families.tables.purchase_table`."""

sample_latent = samples.of_sister(samples.sample_latent, first_dropout=False)
simulate_customers = samples.of_sister(samples.simulate_customers, first_dropout=False)
simulate_future = samples.of_sister(samples.simulate_future, first_dropout=False)


def p_alive(x: Data, t_x: Data, T: Data, *, r: Any, alpha: Any, a: Any, b: Any) -> Floats:
    r"""P(the customer has not dropped out by T); 1 by assumption when x = 0.

    .. math:: \left[1 + 1_{x>0} \frac{a}{b+x-1}
              \left(\frac{\alpha+T}{\alpha+t_x}\right)^{r+x}\right]^{-1}

    Source: Fader, Hardie & Lee (2008), Computing P(alive) Using the BG/NBD Model.

    Examples
    --------
    >>> p_alive(26, 30.857, 31, r=0.2426, alpha=4.414, a=0.793, b=2.426).round(3)
    np.float64(0.969)
    """
    return body.p_alive(x, t_x, T, _params(r, alpha, a, b))


def p_alive_at(
    t: Data, x: Data, t_x: Data, T: Data, *, r: Any, alpha: Any, a: Any, b: Any
) -> Floats:
    r"""P(the customer has not dropped out by T + t).

    .. math:: P(\text{alive}) \int_0^1 (1 + p\,t/(\alpha+T))^{-(r+x)}\,
              \mathrm{Beta}(p; a, b+x)\, dp

    Examples
    --------
    >>> p_alive_at([0, 52], 26, 30.857, 31, r=0.2426, alpha=4.414, a=0.793, b=2.426).round(3)
    array([0.969, 0.498])
    """
    return body.p_alive_at(t, x, t_x, T, _params(r, alpha, a, b))


def mean_dropout(t: Data, *, r: Any, alpha: Any, a: Any, b: Any) -> Floats:  # noqa: ARG001
    """Mean probability a/(a + b) of dropping out after a purchase, whatever the time t.

    Examples
    --------
    >>> mean_dropout(39, r=0.243, alpha=4.414, a=0.793, b=2.426).round(3)
    np.float64(0.246)
    """
    return np.asarray(a / (np.asarray(a) + b))[()]


def p_purchase(
    t: Data, x: Data, t_x: Data, T: Data, *, r: Any, alpha: Any, a: Any, b: Any
) -> Floats:
    r"""P(at least one purchase in (T, T + t]) = P(alive)·(1 − ((α+T)/(α+T+t))^(r+x)).

    Examples
    --------
    >>> p_purchase(39, 2, 30.43, 38.86, r=0.243, alpha=4.414, a=0.793, b=2.426).round(3)
    np.float64(0.555)
    """
    return body.p_purchase(t, x, t_x, T, _params(r, alpha, a, b))


def expected_purchases(
    t: Data, x: Data, t_x: Data, T: Data, *, r: Any, alpha: Any, a: Any, b: Any
) -> Floats:
    r"""Expected purchases in (T, T + t]; with x = t_x = T = 0, of a new customer (equation 10).

    .. math:: P(\text{alive}) \int_0^1 \frac{1 - (1 + p\,t/(\alpha+T))^{-(r+x)}}{p}\,
              \mathrm{Beta}(p; a, b+x)\, dp

    The integral replaces the paper's ₂F₁ form, which is singular at a = 1 and overflows for large
    x.

    Examples
    --------
    >>> expected_purchases(39, 2, 30.43, 38.86, r=0.243, alpha=4.414, a=0.793, b=2.426).round(3)
    np.float64(1.226)
    """
    return body.discounted_purchases(t, x, t_x, T, _params(r, alpha, a, b), 0.0)


def discounted_purchases(
    t: Data, x: Data, t_x: Data, T: Data, *, r: Any, alpha: Any, a: Any, b: Any, rate: float
) -> Floats:
    r"""Expected purchases in (T, T + t], each discounted continuously: ∫₀ᵗ e^(−rate·s) dE[X(s)].

    Examples
    --------
    >>> params = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
    >>> discounted_purchases(39, 2, 30.43, 38.86, **params, rate=0.002).round(3)
    np.float64(1.182)
    """
    return body.discounted_purchases(t, x, t_x, T, _params(r, alpha, a, b), rate)


def residual_purchases(
    x: Data, t_x: Data, T: Data, *, r: Any, alpha: Any, a: Any, b: Any, rate: float
) -> Floats:
    r"""Discounted expected residual transactions (DERT): discounted purchases without a horizon.

    Raises
    ------
    ConfigError
        If *rate* is not positive: the sum without an end need not be finite.

    Examples
    --------
    >>> params = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
    >>> residual_purchases(2, 30.43, 38.86, **params, rate=0.002).round(3)
    np.float64(6.074)
    """
    return body.residual_purchases(x, t_x, T, _params(r, alpha, a, b), rate)


def alive_purchases(
    t: Data, x: Data, T: Data, *, r: Any, alpha: Any, a: Any, b: Any, rate: float = 0.0
) -> Floats:
    """Expected (discounted) purchases in (T, T + t] given that the customer is alive at T.

    Examples
    --------
    >>> alive_purchases(39, 2, 38.86, r=0.243, alpha=4.414, a=0.793, b=2.426).round(3)
    np.float64(1.687)
    """
    return body.alive_purchases(t, x, T, _params(r, alpha, a, b), rate)


def count_survival(
    n: Data, t: Data, x: Data, T: Data, *, r: Any, alpha: Any, a: Any, b: Any
) -> Floats:
    """P(at least n purchases in (T, T + t] | alive at T), 1 for n ≤ 0.

    It is P(N ≥ n)·P(n − 1 dropouts survived), with N the negative binomial count of a customer who
    never drops out.

    Examples
    --------
    >>> count_survival([0, 1, 2], 39, 2, 38.86, r=0.243, alpha=4.414, a=0.793, b=2.426).round(3)
    array([1.   , 0.763, 0.434])
    """
    return body.count_survival(n, t, x, T, _params(r, alpha, a, b))


def purchase_sf(
    n: Data, t: Data, x: Data, t_x: Data, T: Data, *, r: Any, alpha: Any, a: Any, b: Any
) -> Floats:
    """P(at least n purchases in (T, T + t]), 1 for n ≤ 0.

    Examples
    --------
    >>> params = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
    >>> purchase_sf([0, 1, 2], 39, 2, 30.43, 38.86, **params).round(3)
    array([1.   , 0.555, 0.315])
    """
    return body.purchase_sf(n, t, x, t_x, T, _params(r, alpha, a, b))


def purchase_pmf(
    n: Data, t: Data, x: Data, t_x: Data, T: Data, *, r: Any, alpha: Any, a: Any, b: Any
) -> Floats:
    """P(exactly n purchases in (T, T + t]); with x = t_x = T = 0, of a new customer (equation 8).

    Examples
    --------
    >>> params = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
    >>> purchase_pmf([0, 1, 2], 39, 2, 30.43, 38.86, **params).round(3)
    array([0.445, 0.239, 0.144])
    """
    return body.purchase_pmf(n, t, x, t_x, T, _params(r, alpha, a, b))


def next_purchase_quantile(
    share: Data, t: Data, x: Data, T: Data, *, r: Any, alpha: Any, a: Any, b: Any
) -> Floats:
    """Quantile of the wait from T to the next purchase, given alive at T and a purchase within t.

    Examples
    --------
    >>> params = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
    >>> next_purchase_quantile([0.25, 0.5, 0.75], 52, 26, 31, **params).round(2)
    array([0.39, 0.95, 1.92])
    """
    return body.next_purchase_quantile(share, t, x, T, _params(r, alpha, a, b))
