"""Scores by distinct history: the purchase columns, and the coefficients that money is made of.

Given that a customer is alive purchases depend on the family's state alone, so the heavy functions
run once per distinct state and are mixed with P(alive) row by row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lifestage.core.names import KEYS, NEXT_PURCHASE
from lifestage.core.terms import rate_per_period
from lifestage.families import family
from lifestage.families.tables import purchase_probability, purchase_table
from lifestage.numerics import special
from lifestage.prediction.distributions import predictive_quantiles
from lifestage.prediction.limits import PREDICTION_DRAWS
from lifestage.prediction.next_purchase import SHARES, WAIT_DRAWS, next_purchase_waits
from lifestage.prediction.point_lookup import point_scores
from lifestage.prediction.spend import spend_coefficients, spend_draws

if TYPE_CHECKING:
    import pandas as pd

    from lifestage.core.terms import Terms
    from lifestage.core.typing import Floats
    from lifestage.fitting.fitted import FittedModel

__all__ = ["purchase_scores", "scores_under_draws"]


VALUES_PER_CHUNK = 4_000_000
"""Rows times draws worked on at once: 32 MB per array."""


def purchase_scores(
    model: FittedModel, keys: pd.DataFrame, terms: Terms, window: float
) -> pd.DataFrame:
    """Compute everything that depends on the history alone, one row per (frequency, recency, T).

    A posterior of many draws is thinned to ``PREDICTION_DRAWS`` and rows are taken in chunks, so
    memory is bounded; every column is the mean of its values under the draws. A row's values are a
    function of the row, the model and the terms: they have the same bytes whatever other rows are
    there, and in whatever order.

    Parameters
    ----------
    keys : pandas.DataFrame with frequency, recency, T (periods)
    window : float
        The stage window in days.

    Returns
    -------
    pandas.DataFrame
        The keys, the purchase columns of a scores table, waits to the next purchase (periods), and
        columns with a leading underscore that money is made of.
    """
    import pandas as pd

    model, periods = model.thin(PREDICTION_DRAWS), window / model.period.days
    x, t_x, T = (keys[name].to_numpy(float) for name in KEYS)
    if model.size == 1:
        return keys.assign(**point_scores(model, x, t_x, T, terms, periods))
    order = np.lexsort((T, x))
    size = max(1, VALUES_PER_CHUNK // model.purchases.size)
    parts = []
    for rows in np.split(order, np.arange(size, x.size, size)):
        columns = scores_under_draws(model, x[rows], t_x[rows], T[rows], terms, periods)
        parts.append(keys.iloc[rows].assign(**columns))
    return pd.concat(parts, ignore_index=True)


def scores_under_draws(
    model: FittedModel, x: Floats, t_x: Floats, t_obs: Floats, terms: Terms, window: float
) -> dict[str, Floats]:
    """Score rows under many draws; *window* in periods."""
    part, t = model.purchases, float(terms.horizon)
    module, params = family(part.family), part.columns()
    rate = rate_per_period(terms.discount_rate, model.period)
    mean = special.mean_over_draws
    alive = np.broadcast_to(module.p_alive(x, t_x, t_obs, **params), (part.size, x.size))
    # of living customers now, and of those of the same frequency right after the last purchase
    both = np.tile(x, 2), np.concatenate([t_obs, t_x])
    living, discounted_living = purchase_table(module, params, t, *both, rate)
    expected, discounted = alive * living[:, : x.size], alive * discounted_living[:, : x.size]
    alive_fresh = module.p_alive(x, t_x, t_x, **params)
    fresh = alive_fresh * discounted_living[:, x.size :]
    p_purchase = mean(alive * purchase_probability(module, params, t, x, t_obs))
    p_window = mean(alive * purchase_probability(module, params, window, x, t_obs))
    p_fresh = mean(alive_fresh * purchase_probability(module, params, window, x, t_x))
    ratio = p_window / np.maximum(p_fresh, special.TINY)
    tails = (1.0 - np.array([1 - terms.level, 1 + terms.level]) / 2).tolist()
    spend = None if model.spend is None else spend_draws(model)
    purchases, factors = predictive_quantiles(module, params, alive, t, x, t_obs, tails, spend)
    columns = {
        "p_alive": mean(alive),
        "p_purchase": p_purchase,
        "expected_purchases": mean(expected),
        "purchases_low": purchases[0],
        "purchases_high": purchases[1],
        "p_window": p_window,
        "p_window_fresh": p_fresh,
        "activity_ratio": np.clip(ratio, special.TINY, 1.0),
    }
    if spend is not None:
        intercept, slope = spend_coefficients(model, x)
        columns |= {
            "_spend_0": mean(intercept),
            "_spend_1": mean(slope),
            "_ltv_0": mean(discounted * intercept),
            "_ltv_1": mean(discounted * slope),
            "_lost_0": mean((fresh - discounted) * intercept),
            "_lost_1": mean((fresh - discounted) * slope),
            "_discount": mean(discounted) / np.maximum(mean(expected), special.TINY),
            "_factor_low": factors[0],
            "_factor_high": factors[1],
        }
    waits = next_purchase_waits(SHARES, t, x, t_x, t_obs, part.thin(WAIT_DRAWS))
    return columns | dict(zip(NEXT_PURCHASE, waits, strict=True))
