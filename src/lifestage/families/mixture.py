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
from numpy.typing import ArrayLike

from lifestage.families import _beta_geometric as body
from lifestage.families import _beta_geometric_simulation as body_simulation
from lifestage.families import bgnbd
from lifestage.families._beta_geometric import Params
from lifestage.families._count_recurrence import count_survival_rows
from lifestage.families._purchase_curves import purchase_curves

if TYPE_CHECKING:
    from lifestage.core.typing import Floats

__all__ = [
    "PARAMS",
    "STATE",
    "TIME_PARAM",
    "UNITS",
    "alive_law",
    "alive_purchases",
    "alive_sf",
    "count_survival",
    "count_table",
    "discounted_purchases",
    "dropout_log_odds",
    "expected_purchases",
    "log_likelihood",
    "next_purchase_quantile",
    "p_alive",
    "p_alive_at",
    "p_purchase",
    "purchase_pmf",
    "purchase_sf",
    "purchase_table",
    "rate_shape",
    "residual_purchases",
    "sample_latent",
    "simulate_customers",
    "simulate_future",
]

Data = ArrayLike

PARAMS = (*bgnbd.PARAMS, "first_dropout")
UNITS = {**bgnbd.UNITS, "first_dropout": 0}
STATE = bgnbd.STATE
TIME_PARAM = bgnbd.TIME_PARAM


def _params(r: Any, alpha: Any, a: Any, b: Any, first_dropout: Any) -> Params:
    return Params(r, alpha, a, b, np.asarray(first_dropout) > 0)


def dropout_log_odds(x: Data, t_x: Data, T: Data, **params: Any) -> Floats:
    """Log odds of having dropped out."""
    return body.dropout_log_odds(x, t_x, T, _params(**params))


def alive_law(x: Data, T: Data, **params: Any) -> tuple[Any, Any, Any, Any]:
    """Shape and scale of a living customer's Gamma rate, a and b of the Beta dropout probability."""
    return body.living(x, T, _params(**params))


def log_likelihood(x: Data, t_x: Data, T: Data, **params: Any) -> Floats:
    """Log-likelihood of each customer's (x, t_x, T) under the model of each draw, with every constant."""
    return body.log_likelihood(x, t_x, T, _params(**params))


def p_alive(x: Data, t_x: Data, T: Data, **params: Any) -> Floats:
    """P(the customer has not dropped out by T)."""
    return body.p_alive(x, t_x, T, _params(**params))


def p_alive_at(t: Data, x: Data, t_x: Data, T: Data, **params: Any) -> Floats:
    """P(the customer has not dropped out by T + t)."""
    return body.p_alive_at(t, x, t_x, T, _params(**params))


def p_purchase(t: Data, x: Data, t_x: Data, T: Data, **params: Any) -> Floats:
    """P(at least one purchase within t)."""
    return body.p_purchase(t, x, t_x, T, _params(**params))


def expected_purchases(t: Data, x: Data, t_x: Data, T: Data, **params: Any) -> Floats:
    """Expected purchases within t."""
    return body.discounted_purchases(t, x, t_x, T, _params(**params), 0.0)


def discounted_purchases(
    t: Data, x: Data, t_x: Data, T: Data, *, rate: float, **params: Any
) -> Floats:
    """Expected purchases within t, each discounted at the continuous *rate* per period."""
    return body.discounted_purchases(t, x, t_x, T, _params(**params), rate)


def residual_purchases(x: Data, t_x: Data, T: Data, *, rate: float, **params: Any) -> Floats:
    """Expected discounted purchases without a horizon."""
    return body.residual_purchases(x, t_x, T, _params(**params), rate)


def alive_purchases(t: Data, x: Data, T: Data, *, rate: float = 0.0, **params: Any) -> Floats:
    """Expected (discounted) purchases within t of a living customer."""
    return body.alive_purchases(t, x, T, _params(**params), rate)


def count_survival(n: Data, t: Data, x: Data, T: Data, **params: Any) -> Floats:
    """P(at least n purchases within t | alive)."""
    return body.count_survival(n, t, x, T, _params(**params))


alive_sf = count_survival


def purchase_sf(n: Data, t: Data, x: Data, t_x: Data, T: Data, **params: Any) -> Floats:
    """P(at least n purchases within t), 1 for n ≤ 0."""
    return body.purchase_sf(n, t, x, t_x, T, _params(**params))


def purchase_pmf(n: Data, t: Data, x: Data, t_x: Data, T: Data, **params: Any) -> Floats:
    """P(exactly n purchases within t)."""
    return body.purchase_pmf(n, t, x, t_x, T, _params(**params))


def next_purchase_quantile(share: Data, t: Data, x: Data, T: Data, **params: Any) -> Floats:
    """Quantile of the wait to the next purchase, given alive and a purchase within t."""
    return body.next_purchase_quantile(share, t, x, T, _params(**params))


def sample_latent(
    size: int, x: Data, t_x: Data, T: Data, *, seed: int | np.random.Generator, **params: Any
) -> dict[str, Any]:
    """Draw (alive, rate, dropout) given each customer's history under one draw of the parameters."""
    return body_simulation.sample_latent(size, x, t_x, T, _params(**params), seed)


def simulate_customers(rng: np.random.Generator, T: Data, **params: Any) -> dict[str, Any]:
    """Simulate customers observed for T; see :func:`lifestage.families.bgnbd.simulate_customers`."""
    return body_simulation.simulate_customers(rng, T, _params(**params))


def simulate_future(
    rng: np.random.Generator, times: Data, x: Data, t_x: Data, T: Data, **params: Any
) -> dict[str, Any]:
    """Carry each customer's history on; see :func:`lifestage.families.bgnbd.simulate_future`."""
    return body_simulation.simulate_future(rng, times, x, t_x, T, _params(**params))


def count_table(
    t: float, x: Floats, T: Floats, limits: tuple[float, int, int], **params: Any
) -> tuple[Any, Floats]:
    """Tabulate :func:`count_survival`; see :func:`lifestage.families.tables.count_table`."""
    return count_survival_rows(t, body.living(x, T, _params(**params)), *limits)


def purchase_table(
    t: float, x: Floats, T: Floats, rate: float, **params: Any
) -> tuple[Floats, Floats]:
    """Tabulate :func:`alive_purchases`; see :func:`lifestage.families.tables.purchase_table`."""
    return purchase_curves(t, x, T, rate, _params(**params))


def rate_shape(x: Data, *, r: Any, **_: Any) -> Floats:
    """Squared mean over variance of a living customer's purchase rate."""
    return np.asarray(r + np.asarray(x, float))
