r"""BG/NBD and MBG/NBD side by side: each draw of the parameters says which of the two it belongs to.

A stack of models forecasts by a mixture, :math:`p(y) = \sum_k w_k\, p_k(y)`. Draws are averaged
over wherever a posterior has many, so a stack is a posterior in which a share :math:`w_k` of the
draws is of model k, and its probabilities, expectations and intervals are those of the mixture.
``first_dropout`` is 0 for a draw of the BG/NBD and 1 for one of the MBG/NBD, which tests the
customer once more, right after the first purchase. With :math:`b' = b + \text{first\_dropout}` both
have the same law of living customers, and odds of having dropped out of

.. math:: \frac{a}{b' + x - 1} \left(\frac{\alpha+T}{\alpha+t_x}\right)^{r+x},

none at x = 0 under the BG/NBD.

Sources: those of :mod:`lifestage.families.bgnbd` and :mod:`lifestage.families.mbgnbd`; for
stacking, Yao, Vehtari, Simpson & Gelman (2018), Bayesian Analysis 13(3), 917–1007.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.families import _beta_geometric as _geometric
from lifestage.families import bgnbd, mbgnbd
from lifestage.numerics import special

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from lifestage.core.typing import Floats

__all__ = [
    "PARAMS",
    "TIME_PARAM",
    "alive_law",
    "alive_purchases",
    "alive_sf",
    "discounted_purchases",
    "dropout_log_odds",
    "expected_purchases",
    "log_likelihood",
    "p_alive",
    "p_purchase",
    "purchase_pmf",
    "purchase_sf",
    "sample_latent",
    "simulate",
]


PARAMS = (*bgnbd.PARAMS, "first_dropout")
TIME_PARAM = bgnbd.TIME_PARAM


def dropout_log_odds(
    x: Floats, t_x: ArrayLike, T: ArrayLike, r: Any, alpha: Any, a: Any, b: Any, first_dropout: Any
) -> Floats:
    """ln of the odds of having dropped out."""
    return np.where(
        np.asarray(first_dropout) > 0,
        mbgnbd.dropout_log_odds(x, t_x, T, r, alpha, a, b),
        bgnbd.dropout_log_odds(x, t_x, T, r, alpha, a, b),
    )


def log_likelihood(
    x: ArrayLike, t_x: ArrayLike, T: ArrayLike, *, first_dropout: Any, **params: Any
) -> Floats:
    """Log-likelihood of each customer's (x, t_x, T) under the model of each draw, with every constant."""
    two = (module.log_likelihood(x, t_x, T, **params) for module in (mbgnbd, bgnbd))
    return np.asarray(np.where(np.asarray(first_dropout) > 0, *two))[()]


def p_alive(x: ArrayLike, t_x: ArrayLike, T: ArrayLike, **params: Any) -> Floats:
    """P(the customer has not dropped out by T)."""
    return special.sigmoid(-dropout_log_odds(np.asarray(x, float), t_x, T, **params))[()]


def p_purchase(t: ArrayLike, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, **params: Any) -> Floats:
    """P(at least one purchase within t)."""
    return _geometric.p_purchase(t, p_alive(x, t_x, T, **params), alive_law(x, T, **params))


def expected_purchases(
    t: ArrayLike, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, **params: Any
) -> Floats:
    """Expected purchases within t."""
    return discounted_purchases(t, x, t_x, T, **params, rate=0.0)


def discounted_purchases(
    t: ArrayLike, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, *, rate: float, **params: Any
) -> Floats:
    """Expected purchases within t, each discounted at the continuous *rate* per period."""
    return np.asarray(p_alive(x, t_x, T, **params) * alive_purchases(t, x, T, rate=rate, **params))[
        ()
    ]


def alive_law(
    x: ArrayLike, T: ArrayLike, *, r: Any, alpha: Any, a: Any, b: Any, first_dropout: Any
) -> tuple[Any, Any, Any, Any]:
    """Shape and scale of a living customer's Gamma rate, a and b of the Beta dropout chance."""
    return bgnbd.alive_law(x, T, r=r, alpha=alpha, a=a, b=b + first_dropout)


def alive_purchases(
    t: ArrayLike, x: ArrayLike, T: ArrayLike, *, rate: float, **params: Any
) -> Floats:
    """Expected (discounted) purchases within t of a living customer."""
    return _geometric.expected_alive(t, *alive_law(x, T, **params), rate)


def alive_sf(n: ArrayLike, t: ArrayLike, x: ArrayLike, T: ArrayLike, **params: Any) -> Floats:
    """P(at least n purchases within t | alive)."""
    return _geometric.sf_alive(n, t, *alive_law(x, T, **params))


def purchase_sf(
    n: ArrayLike, t: ArrayLike, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, **params: Any
) -> Floats:
    """P(at least n purchases within t), 1 for n ≤ 0."""
    return _geometric.purchase_sf(n, t, p_alive(x, t_x, T, **params), alive_law(x, T, **params))


def purchase_pmf(
    n: ArrayLike, t: ArrayLike, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, **params: Any
) -> Floats:
    """P(exactly n purchases within t)."""
    odds = dropout_log_odds(np.asarray(x, float), t_x, T, **params)
    return _geometric.purchase_pmf(
        n, t, special.sigmoid(-odds), special.sigmoid(odds), alive_law(x, T, **params)
    )


def sample_latent(
    size: int,
    x: ArrayLike,
    t_x: ArrayLike,
    T: ArrayLike,
    *,
    seed: int | np.random.Generator,
    **params: Any,
) -> dict[str, Any]:
    """Draw (alive, rate, dropout) given each customer's history under one draw of the parameters."""
    _, _, a, b = alive_law(x, T, **params)
    alive = np.asarray(p_alive(x, t_x, T, **params))
    return _geometric.sample_latent(
        size, x, t_x, T, alive, r=params["r"], alpha=params["alpha"], a=a, b_alive=b, seed=seed
    )


def simulate(
    T: ArrayLike, *, seed: int | np.random.Generator, first_dropout: Any, **params: Any
) -> dict[str, Any]:
    """Simulate customers observed for T; the arguments are those of :func:`lifestage.families.bgnbd.simulate`."""
    return _geometric.simulate(T, **params, seed=seed, first_dropout=np.asarray(first_dropout) > 0)
