r"""BG/NBD: a customer buys at a Poisson rate and may drop out right after any repeat purchase.

The rate is Gamma(r, α) over customers (α in time units), the dropout chance Beta(a, b). ``x``
counts repeat purchases, ``t_x`` is the time of the last one and ``T`` the time observed, both since
the first purchase and in one unit. A customer without a repeat purchase has had no occasion to drop
out, so P(alive) = 1 by assumption.

Source: Fader, Hardie & Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24(2),
275–284. Arguments broadcast against each other: data of shape (n,) with parameters of shape (draws,
1) give (draws, n).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.families import _beta_geometric as _geometric
from lifestage.families import _derivatives as _curvature
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


PARAMS = ("r", "alpha", "a", "b")
TIME_PARAM = "alpha"
"""The parameter that carries the time unit."""


def dropout_log_odds(
    x: Floats, t_x: ArrayLike, T: ArrayLike, r: Any, alpha: Any, a: Any, b: Any
) -> Floats:
    """ln of a/(b + x − 1)·((α + T)/(α + t_x))^(r + x), the odds of having dropped out; −inf without a repeat."""
    t_x = np.asarray(t_x, float)
    wait = np.log1p((np.asarray(T, float) - t_x) / (alpha + t_x))
    odds = np.log(a) - np.log(b + (np.maximum(x, 1.0) - 1.0)) + (r + x) * wait
    return np.asarray(np.where(x > 0, odds, -np.inf))


def log_likelihood(
    x: ArrayLike, t_x: ArrayLike, T: ArrayLike, *, r: Any, alpha: Any, a: Any, b: Any
) -> Floats:
    r"""Log-likelihood of each customer's (x, t_x, T), with every constant (equation 6 of the paper).

    .. math:: L = \frac{B(a, b+x)}{B(a, b)} \frac{\Gamma(r+x)\,\alpha^r}{\Gamma(r)} \left[(\alpha+T)^{-(r+x)}
              + 1_{x>0} \frac{a}{b+x-1} (\alpha+t_x)^{-(r+x)}\right]

    Returns
    -------
    array
        Natural logarithm, in the broadcast shape of the arguments.

    Examples
    --------
    >>> log_likelihood(2, 30.43, 38.86, r=0.243, alpha=4.414, a=0.793, b=2.426).round(4)
    np.float64(-9.4586)
    """
    x = np.asarray(x, float)
    odds = dropout_log_odds(x, t_x, T, r, alpha, a, b)
    T = np.asarray(T, float)
    return np.asarray(
        special.log_rising(r, x)
        + special.log_beta_ratio(a, b, x)
        - r * np.log1p(T / alpha)
        - x * np.log(alpha + T)
        + np.logaddexp(0.0, odds)
    )[()]


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
    return _geometric.total_log_likelihood(params, rows, first_dropout=False)


def log_likelihood_with_hessian(params: Floats, rows: Rows) -> tuple[float, Floats, Floats]:
    """:func:`total_log_likelihood` with its exact Hessian, of shape (4, 4), as the third."""
    return _curvature.log_likelihood_with_hessian(params, rows, first_dropout=False)


def p_alive(
    x: ArrayLike, t_x: ArrayLike, T: ArrayLike, *, r: Any, alpha: Any, a: Any, b: Any
) -> Floats:
    r"""P(the customer has not dropped out by T); 1 by assumption when x = 0.

    .. math:: \left[1 + 1_{x>0} \frac{a}{b+x-1} \left(\frac{\alpha+T}{\alpha+t_x}\right)^{r+x}\right]^{-1}

    Source: Fader, Hardie & Lee (2008), Computing P(alive) Using the BG/NBD Model.

    Examples
    --------
    >>> p_alive(26, 30.857, 31, r=0.2426, alpha=4.414, a=0.793, b=2.426).round(3)
    np.float64(0.969)
    """
    return special.sigmoid(-dropout_log_odds(np.asarray(x, float), t_x, T, r, alpha, a, b))[()]


def p_purchase(
    t: ArrayLike, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, *, r: Any, alpha: Any, a: Any, b: Any
) -> Floats:
    r"""P(at least one purchase in (T, T + t]) = P(alive)·(1 − ((α+T)/(α+T+t))^(r+x)).

    Examples
    --------
    >>> p_purchase(39, 2, 30.43, 38.86, r=0.243, alpha=4.414, a=0.793, b=2.426).round(3)
    np.float64(0.555)
    """
    alive, law = (
        p_alive(x, t_x, T, r=r, alpha=alpha, a=a, b=b),
        alive_law(x, T, r=r, alpha=alpha, a=a, b=b),
    )
    return _geometric.p_purchase(t, alive, law)


def expected_purchases(
    t: ArrayLike, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, *, r: Any, alpha: Any, a: Any, b: Any
) -> Floats:
    r"""Expected purchases in (T, T + t] given the history; with x = t_x = T = 0, of a new customer (equation 10).

    .. math:: P(\text{alive}) \int_0^1 \frac{1 - (1 + p\,t/(\alpha+T))^{-(r+x)}}{p}\, \mathrm{Beta}(p; a, b+x)\, dp

    The integral replaces the paper's ₂F₁ form, which is singular at a = 1 and overflows for large
    x.

    Examples
    --------
    >>> expected_purchases(39, 2, 30.43, 38.86, r=0.243, alpha=4.414, a=0.793, b=2.426).round(3)
    np.float64(1.226)
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
    r"""Expected purchases in (T, T + t], each discounted continuously: ∫₀ᵗ e^(−rate·s) dE[X(s)].

    *rate* is per time unit of the data (ln(1 + annual rate) ÷ time units a year).

    Examples
    --------
    >>> discounted_purchases(39, 2, 30.43, 38.86, r=0.243, alpha=4.414, a=0.793, b=2.426, rate=0.002).round(3)
    np.float64(1.182)
    """
    future = alive_purchases(t, x, T, r=r, alpha=alpha, a=a, b=b, rate=rate)
    return np.asarray(p_alive(x, t_x, T, r=r, alpha=alpha, a=a, b=b) * future)[()]


def alive_law(
    x: ArrayLike, T: ArrayLike, *, r: Any, alpha: Any, a: Any, b: Any
) -> tuple[Any, Any, Any, Any]:
    """What is known of a living customer: shape and scale of the Gamma rate, a and b of the Beta dropout chance.

    The whole future of a living customer follows from these four, so from (x, T) without t_x.
    """
    x = np.asarray(x, float)
    return r + x, alpha + np.asarray(T, float), a, b + x


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
    """P(at least n purchases in (T, T + t]): P(alive)·P(N ≥ n)·P(n − 1 dropouts survived), 1 for n ≤ 0.

    N is the negative binomial count of a customer who never drops out.

    Examples
    --------
    >>> purchase_sf([0, 1, 2], 39, 2, 30.43, 38.86, r=0.243, alpha=4.414, a=0.793, b=2.426).round(3)
    array([1.   , 0.555, 0.315])
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
    """P(exactly n purchases in (T, T + t]); with x = t_x = T = 0, of a new customer (equation 8 of the paper).

    Examples
    --------
    >>> purchase_pmf([0, 1, 2], 39, 2, 30.43, 38.86, r=0.243, alpha=4.414, a=0.793, b=2.426).round(3)
    array([0.445, 0.239, 0.144])
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
    >>> sample_latent(4, [0, 2], [0, 3], [9, 9], r=0.24, alpha=4.4, a=0.8, b=2.4, seed=1)["alive"].shape
    (4, 2)
    """
    alive = p_alive(x, t_x, T, r=r, alpha=alpha, a=a, b=b)
    return _geometric.sample_latent(
        size, x, t_x, T, alive, r=r, alpha=alpha, a=a, b_alive=b + np.asarray(x, float), seed=seed
    )


def simulate(
    T: ArrayLike, *, r: float, alpha: float, a: float, b: float, seed: int | np.random.Generator
) -> dict[str, Any]:
    """Simulate customers observed for T time units after their first purchase.

    Returns
    -------
    dict
        ``x``, ``t_x``, ``T``, the latent ``rate``, ``dropout`` and ``alive`` (one value a
        customer), and every repeat purchase as ``customer`` (row number) and ``time``.

    Examples
    --------
    >>> simulate([39.0] * 3, r=0.24, alpha=4.4, a=0.8, b=2.4, seed=1)["x"].shape
    (3,)
    """
    return _geometric.simulate(T, r=r, alpha=alpha, a=a, b=b, seed=seed, first_dropout=False)
