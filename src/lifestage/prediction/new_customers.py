"""What a customer who is yet to be acquired will be value, and what a cohort of them will be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lifestage.core.errors import ConfigError
from lifestage.core.terms import Terms, rate_per_period
from lifestage.families import family
from lifestage.numerics.statistics import lognormal_interval
from lifestage.prediction.count_distribution import count_distribution
from lifestage.prediction.distributions import predictive_quantiles
from lifestage.prediction.limits import LEAST_SHAPE
from lifestage.prediction.spend import spend_coefficients, spend_draws

if TYPE_CHECKING:
    import pandas as pd

    from lifestage.core.typing import Floats
    from lifestage.fitting.fitted import FittedModel

__all__ = ["new_customers"]

COHORT_DRAWS = 400
"""Draws that a cohort integrates over."""


def new_customers(
    model: FittedModel,
    n: int = 1,
    *,
    horizon: float = 52,
    discount_rate: float = 0.10,
    margin: float = 1.0,
    level: float = 0.9,
) -> pd.DataFrame:
    r"""Predict purchases and LTV of *n* new customers within a horizon from their first purchase.

    The first purchase counts: a new customer is value margin·E[spend]·(1 + ∫₀ʰ e^(−δs) dE[X(s)]) at
    the moment of it. For one customer the interval is the quantiles of the predictive distribution
    of the repeat purchases (and of their money, on top of the expected first purchase); for more it
    is that of a lognormal distribution, with the variance of n customers who buy independently and
    the spread over the draws of the parameters.

    Parameters
    ----------
    model : LTVModel
    n : int
        Customers in the cohort.
    horizon : float
        Length of the forecast in periods of the model.
    discount_rate : float
        Per YEAR, whatever the period; 0.10 is 10 % a year.
    margin : float
        Share of spend that is profit before marketing, in (0, 1].
    level : float
        Level of the predictive intervals, in (0, 1).

    Returns
    -------
    pandas.DataFrame
        ``quantity`` (repeat_purchases, purchases, ltv), ``estimate``, ``low``, ``high`` of the
        whole cohort; purchases are counts of purchase days, ltv is money, absent without a spend
        model.

    Raises
    ------
    ConfigError
        If n is below 1 or a term is out of range.

    Examples
    --------
    >>> import lifestage as ls
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> ls.new_customers(ls.fit(customers), horizon=52)["estimate"].round(3).tolist()[:2]
    [1.444, 2.444]
    """
    import pandas as pd

    if n < 1:
        raise ConfigError(f"n must be 1 customer or more; got {n!r}")
    Terms(horizon, discount_rate, margin, level)  # checks them
    model = model.thin(COHORT_DRAWS)
    module, params = family(model.purchases.family), model.purchases.columns()
    zero = np.zeros(1)
    alive = np.broadcast_to(module.p_alive(zero, zero, zero, **params), (model.purchases.size, 1))
    rate = rate_per_period(discount_rate, model.period)
    repeat = module.expected_purchases(horizon, zero, zero, zero, **params)[:, 0]
    discounted = module.discounted_purchases(horizon, zero, zero, zero, rate=rate, **params)[:, 0]
    spend = spend_coefficients(model, zero)[0][:, 0]
    value = margin * spend * (1.0 + discounted)
    tails = [1 - (1 - level) / 2, 1 - (1 + level) / 2]
    drawn = None if model.spend is None else spend_draws(model)
    counts, factors = predictive_quantiles(module, params, alive, horizon, zero, zero, tails, drawn)
    means = np.array([repeat.mean(), 1.0 + repeat.mean(), value.mean()])
    if n == 1:
        scale = model.spend.estimate["v"] if model.spend is not None else 0.0
        later = factors[:, 0] * scale * margin * discounted.mean() / repeat.mean()
        bounds = np.array([counts[:, 0], 1.0 + counts[:, 0], margin * spend.mean() + later])
    else:
        bought = count_distribution(module, params, alive, horizon, 0.0, zero)
        nodes, pmf = bought.counts, bought.pmf[0]
        variance = float(pmf @ nodes**2 - (pmf @ nodes) ** 2)
        shared = np.array([repeat.var(), repeat.var(), value.var()])
        own = np.array([variance, variance, _value_variance(model, nodes, pmf, margin)])
        bounds = n * np.column_stack(lognormal_interval(means, np.sqrt(own / n + shared), level))
    table = {"quantity": ["repeat_purchases", "purchases", "ltv"], "estimate": n * means}
    frame = pd.DataFrame({**table, "low": bounds[:, 0], "high": bounds[:, 1]})
    return frame if model.spend is not None else frame.iloc[:2]


def _value_variance(model: FittedModel, nodes: Floats, pmf: Floats, margin: float) -> float:
    """Variance of a new customer's spend over 1 + X purchases, without discounting."""
    if model.spend is None:
        return 0.0
    p, q, v = (model.spend.estimate[name] for name in ("p", "q", "v"))
    q = max(q, LEAST_SHAPE)
    total = np.append(1.0, 1.0 + nodes)
    probability = np.append(1.0 - pmf.sum(), pmf)
    second = probability @ (p * total * (p * total + 1.0)) * v**2 / ((q - 1.0) * (q - 2.0))
    first = probability @ total * p * v / (q - 1.0)
    return float(margin**2 * (second - first**2))
