r"""MBG/NBD: the BG/NBD with one more occasion to drop out, right after the first purchase.

So a customer who bought once may already be gone, and P(alive) is below 1 for everyone. Given that
a customer is alive, the model is the BG/NBD with b + 1 in place of b; only the odds of having
dropped out are its own.

Sources: Batislam, Denizel & Filiztekin (2007), International Journal of Research in Marketing
24(3), 201–209; Hoppe & Wagner (2007), Marketing – Journal of Research and Management 3(2), 75–90.
Arguments and units are those of :mod:`lifestage.families.bgnbd`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.families import _beta_geometric as _geometric
from lifestage.families import _derivatives as _curvature
from lifestage.families import bgnbd
from lifestage.families._beta_geometric import Rows, starts
from lifestage.numerics import special

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from lifestage.core.typing import Floats

__all__ = [
    "PARAMS",
    "TIME_PARAM",
    "Rows",
    "alive_law",
    "alive_purchases",
    "alive_sf",
    "discounted_purchases",
    "dropout_log_odds",
    "expected_purchases",
    "log_likelihood",
    "log_likelihood_with_hessian",
    "p_alive",
    "p_purchase",
    "purchase_pmf",
    "purchase_sf",
    "sample_latent",
    "simulate",
    "starts",
    "total_log_likelihood",
]


PARAMS = bgnbd.PARAMS
TIME_PARAM = bgnbd.TIME_PARAM


def dropout_log_odds(
    x: Floats, t_x: ArrayLike, T: ArrayLike, r: Any, alpha: Any, a: Any, b: Any
) -> Floats:
    """ln of a/(b + x)·((α + T)/(α + t_x))^(r + x), the odds of having dropped out."""
    t_x = np.asarray(t_x, float)
    wait = np.log1p((np.asarray(T, float) - t_x) / (alpha + t_x))
    return np.asarray(np.log(a) - np.log(b + x) + (r + x) * wait)


def log_likelihood(
    x: ArrayLike, t_x: ArrayLike, T: ArrayLike, *, r: Any, alpha: Any, a: Any, b: Any
) -> Floats:
    r"""Log-likelihood of each customer's (x, t_x, T), with every constant.

    .. math:: L = \frac{\Gamma(r+x)\,\alpha^r}{\Gamma(r)} \left[\frac{B(a, b+x+1)}{B(a, b)} (\alpha+T)^{-(r+x)}
              + \frac{B(a+1, b+x)}{B(a, b)} (\alpha+t_x)^{-(r+x)}\right]

    Examples
    --------
    >>> log_likelihood(2, 30.43, 38.86, r=0.525, alpha=6.183, a=0.891, b=1.614).round(4)
    np.float64(-9.4856)
    """
    x = np.asarray(x, float)
    odds = dropout_log_odds(x, t_x, T, r, alpha, a, b)
    T = np.asarray(T, float)
    repeated = (
        special.log_rising(r, x)
        + special.log_beta_ratio(a, b, x + 1.0)
        - r * np.log1p(T / alpha)
        - x * np.log(alpha + T)
        + np.logaddexp(0.0, odds)
    )
    once = np.log1p(
        -special.power_survival(r, T / alpha) * b / (a + b)
    )  # the same at x = 0, exact near zero
    return np.asarray(np.where(x > 0, repeated, once))[()]


def total_log_likelihood(params: Floats, rows: Rows) -> tuple[float, Floats]:
    """Sum of :func:`log_likelihood` over all customers and its exact gradient, from the distinct rows.

    Parameters
    ----------
    params : array, shape (4,), in the order of ``PARAMS``
    rows : Rows

    Returns
    -------
    float, array of shape (4,)
    """
    return _geometric.total_log_likelihood(params, rows, first_dropout=True)


def log_likelihood_with_hessian(params: Floats, rows: Rows) -> tuple[float, Floats, Floats]:
    """:func:`total_log_likelihood` with its exact Hessian, of shape (4, 4), as the third."""
    return _curvature.log_likelihood_with_hessian(params, rows, first_dropout=True)


def p_alive(
    x: ArrayLike, t_x: ArrayLike, T: ArrayLike, *, r: Any, alpha: Any, a: Any, b: Any
) -> Floats:
    r"""P(the customer has not dropped out by T), below 1 also for one-time buyers.

    .. math:: \left[1 + \frac{a}{b+x} \left(\frac{\alpha+T}{\alpha+t_x}\right)^{r+x}\right]^{-1}

    Examples
    --------
    >>> p_alive(0, 0, 39, r=0.525, alpha=6.183, a=0.891, b=1.614).round(3)
    np.float64(0.389)
    """
    return special.sigmoid(-dropout_log_odds(np.asarray(x, float), t_x, T, r, alpha, a, b))[()]


def p_purchase(
    t: ArrayLike, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, *, r: Any, alpha: Any, a: Any, b: Any
) -> Floats:
    r"""P(at least one purchase in (T, T + t]) = P(alive)·(1 − ((α+T)/(α+T+t))^(r+x)).

    Examples
    --------
    >>> p_purchase(39, 0, 0, 39, r=0.525, alpha=6.183, a=0.891, b=1.614).round(3)
    np.float64(0.109)
    """
    alive, law = (
        p_alive(x, t_x, T, r=r, alpha=alpha, a=a, b=b),
        alive_law(x, T, r=r, alpha=alpha, a=a, b=b),
    )
    return _geometric.p_purchase(t, alive, law)


def expected_purchases(
    t: ArrayLike, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, *, r: Any, alpha: Any, a: Any, b: Any
) -> Floats:
    """Expected purchases in (T, T + t] given the history; with x = t_x = T = 0, of a new customer.

    P(alive) times the integral of :func:`lifestage.families.bgnbd.expected_purchases` with b + 1 in
    place of b.

    Examples
    --------
    >>> expected_purchases(39, 2, 30.43, 38.86, r=0.525, alpha=6.183, a=0.891, b=1.614).round(3)
    np.float64(1.263)
    """
    return discounted_purchases(t, x, t_x, T, r=r, alpha=alpha, a=a, b=b, rate=0.0)


def discounted_purchases(
    t: ArrayLike,
    x: ArrayLike,
    t_x: ArrayLike,
    T: ArrayLike,
    *,
    r: Any,
    alpha: Any,
    a: Any,
    b: Any,
    rate: float,
) -> Floats:
    """Expected purchases in (T, T + t], each discounted continuously at *rate* per time unit.

    Examples
    --------
    >>> discounted_purchases(39, 2, 30.43, 38.86, r=0.525, alpha=6.183, a=0.891, b=1.614, rate=0.002).round(3)
    np.float64(1.218)
    """
    future = alive_purchases(t, x, T, r=r, alpha=alpha, a=a, b=b, rate=rate)
    return np.asarray(p_alive(x, t_x, T, r=r, alpha=alpha, a=a, b=b) * future)[()]


def alive_law(
    x: ArrayLike, T: ArrayLike, *, r: Any, alpha: Any, a: Any, b: Any
) -> tuple[Any, Any, Any, Any]:
    """What is known of a living customer: the law of the BG/NBD with b + 1 in place of b."""
    return bgnbd.alive_law(x, T, r=r, alpha=alpha, a=a, b=b + 1.0)


def alive_purchases(
    t: ArrayLike,
    x: ArrayLike,
    T: ArrayLike,
    *,
    r: Any,
    alpha: Any,
    a: Any,
    b: Any,
    rate: float = 0.0,
) -> Floats:
    """Expected (discounted) purchases in (T, T + t] given that the customer is alive at T."""
    return _geometric.expected_alive(t, *alive_law(x, T, r=r, alpha=alpha, a=a, b=b), rate)


def alive_sf(
    n: ArrayLike, t: ArrayLike, x: ArrayLike, T: ArrayLike, *, r: Any, alpha: Any, a: Any, b: Any
) -> Floats:
    """P(at least n purchases in (T, T + t] | alive at T)."""
    return _geometric.sf_alive(n, t, *alive_law(x, T, r=r, alpha=alpha, a=a, b=b))


def purchase_sf(
    n: ArrayLike,
    t: ArrayLike,
    x: ArrayLike,
    t_x: ArrayLike,
    T: ArrayLike,
    *,
    r: Any,
    alpha: Any,
    a: Any,
    b: Any,
) -> Floats:
    """P(at least n purchases in (T, T + t]), 1 for n ≤ 0.

    Examples
    --------
    >>> purchase_sf([0, 1, 2], 39, 2, 30.43, 38.86, r=0.525, alpha=6.183, a=0.891, b=1.614).round(3)
    array([1.   , 0.56 , 0.326])
    """
    alive, law = (
        p_alive(x, t_x, T, r=r, alpha=alpha, a=a, b=b),
        alive_law(x, T, r=r, alpha=alpha, a=a, b=b),
    )
    return _geometric.purchase_sf(n, t, alive, law)


def purchase_pmf(
    n: ArrayLike,
    t: ArrayLike,
    x: ArrayLike,
    t_x: ArrayLike,
    T: ArrayLike,
    *,
    r: Any,
    alpha: Any,
    a: Any,
    b: Any,
) -> Floats:
    """P(exactly n purchases in (T, T + t]); with x = t_x = T = 0, of a new customer.

    Examples
    --------
    >>> purchase_pmf([0, 1, 2], 39, 2, 30.43, 38.86, r=0.525, alpha=6.183, a=0.891, b=1.614).round(3)
    array([0.44 , 0.234, 0.146])
    """
    odds = dropout_log_odds(np.asarray(x, float), t_x, T, r, alpha, a, b)
    law = alive_law(x, T, r=r, alpha=alpha, a=a, b=b)
    return _geometric.purchase_pmf(n, t, special.sigmoid(-odds), special.sigmoid(odds), law)


def sample_latent(
    size: int,
    x: ArrayLike,
    t_x: ArrayLike,
    T: ArrayLike,
    *,
    r: float,
    alpha: float,
    a: float,
    b: float,
    seed: int | np.random.Generator,
) -> dict[str, Any]:
    """Draw ``alive``, ``rate`` and ``dropout`` of each customer from their posterior; arrays of shape (size, n).

    Examples
    --------
    >>> sample_latent(4, [0, 2], [0, 3], [9, 9], r=0.5, alpha=6.2, a=0.9, b=1.6, seed=1)["alive"].shape
    (4, 2)
    """
    alive = p_alive(x, t_x, T, r=r, alpha=alpha, a=a, b=b)
    return _geometric.sample_latent(
        size,
        x,
        t_x,
        T,
        alive,
        r=r,
        alpha=alpha,
        a=a,
        b_alive=b + 1.0 + np.asarray(x, float),
        seed=seed,
    )


def simulate(
    T: ArrayLike, *, r: float, alpha: float, a: float, b: float, seed: int | np.random.Generator
) -> dict[str, Any]:
    """Simulate customers observed for T time units after their first purchase; see the BG/NBD for the result.

    Examples
    --------
    >>> simulate([39.0] * 3, r=0.5, alpha=6.2, a=0.9, b=1.6, seed=1)["x"].shape
    (3,)
    """
    return _geometric.simulate(T, r=r, alpha=alpha, a=a, b=b, seed=seed, first_dropout=True)
