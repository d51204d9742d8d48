"""Forecasts of a model for every customer, and their reliability and tracking curve."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lifestage.core.names import CUSTOMER, KEYS, MONETARY
from lifestage.data.engines.frames import to_pandas
from lifestage.evaluate.scoring_rules import crps
from lifestage.families import family
from lifestage.families.tables import purchase_table
from lifestage.numerics.statistics import share_interval
from lifestage.prediction.distributions import predictive_distributions
from lifestage.prediction.spend import spend_draws

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

    from lifestage.core.typing import Floats
    from lifestage.data.customers.summary import Summary
    from lifestage.model import LTVModel

__all__ = ["model_forecast", "reliability", "tracking_curve"]


PREDICTIVE_DRAWS = 50
"""Draws of the parameters that a distribution of counts averages over."""

BINS, POINTS = 10, 12

PURCHASE_COLUMNS = {
    "purchases": "expected_purchases",
    "probability": "p_purchase",
    "low": "purchases_low",
    "high": "purchases_high",
}
SPEND_COLUMNS = {"revenue": "ltv", "spend_low": "ltv_low", "spend_high": "ltv_high"}
"""Names in a forecast → columns of the scores; without discount, LTV is revenue."""


def model_forecast(
    model: LTVModel, customers: Summary, table: pd.DataFrame, horizon: float, level: float
) -> dict[str, Floats]:
    """Forecast of every customer of a table with outcomes, in its order.

    Returns
    -------
    dict of arrays
        ``purchases``, ``probability``, ``score``, ``low``, ``high`` and ``crps`` of purchases; with
        a spend model also ``revenue`` (undiscounted), ``spend_low``, ``spend_high``,
        ``spend_crps``.
    """
    scored = model.predict(customers, horizon=horizon, level=level, discount_rate=0.0)
    scores = to_pandas(scored).set_index(CUSTOMER).reindex(table[CUSTOMER])
    columns = PURCHASE_COLUMNS
    if "expected_spend" in scores:
        columns = columns | SPEND_COLUMNS
    forecast = {name: scores[column].to_numpy(float) for name, column in columns.items()}
    forecast["score"] = forecast["probability"]
    return forecast | _crps(model, table, horizon)


def _crps(model: LTVModel, table: pd.DataFrame, horizon: float) -> dict[str, Floats]:
    """CRPS per customer of purchases, and of spend with a spend model.

    The predictive distributions are those of the intervals, computed once per distinct history.
    """
    part = model.purchases.thin(PREDICTIVE_DRAWS)
    module, params = family(part.family), part.columns()
    spend = None if model.spend is None else spend_draws(model)
    grouped = table.groupby(list(KEYS))
    history = grouped.ngroup().to_numpy()
    x, t_x, T = (np.asarray(v, float) for v in zip(*grouped.indices, strict=True))
    bought, spent = table["purchases"].to_numpy(float), table["spent"].to_numpy(float)
    scores = {"crps": np.empty(bought.size)}
    if spend is not None:
        scores["spend_crps"] = np.empty(bought.size)
    place = np.empty(x.size, np.intp)
    alive = module.p_alive(x, t_x, T, **params)
    for block in predictive_distributions(module, params, alive, horizon, x, T, spend):
        place[block.rows] = np.arange(block.rows.size)
        inside = np.flatnonzero(np.isin(history, block.rows))
        at = place[history[inside]]
        scores["crps"][inside] = crps(block.counts, block.more[at], bought[inside], steps=True)
        if spend is not None and block.spend is not None and block.above is not None:
            money = table[MONETARY].to_numpy(float)[inside] if MONETARY in table else 0.0
            # the distribution of spend is in units of v + x·m, and all histories of a block share x
            frequency = x[block.rows[0]]
            unit = float(spend.v.mean()) + np.where(frequency > 0, frequency * money, 0.0)
            scaled = crps(block.spend, block.above[at], spent[inside] / unit, steps=False)
            scores["spend_crps"][inside] = scaled * unit
    return scores


def reliability(probability: ArrayLike, bought: ArrayLike, level: float = 0.9) -> pd.DataFrame:
    """Compare predicted probabilities with observed shares, over tenths of the customers.

    Returns
    -------
    pandas.DataFrame
        ``bin`` (from 1), ``customers``, ``predicted`` (mean probability), ``observed`` (share of
        buyers), ``low``, ``high`` (Wilson's interval of the share). Customers with equal
        probabilities stay together, so there can be fewer bins.

    Examples
    --------
    >>> reliability([0.1] * 50 + [0.9] * 50, [0] * 50 + [1] * 50)["observed"].tolist()
    [0.0, 1.0]
    """
    import pandas as pd

    probability, bought = np.asarray(probability, float), np.asarray(bought, float)
    cuts = np.arange(1, BINS) / BINS
    edges = np.unique(np.quantile(probability, cuts, method="inverted_cdf"))
    place = np.searchsorted(edges, probability, side="left")
    size = np.bincount(place, minlength=edges.size + 1).astype(float)
    used = size > 0
    n = size[used]
    predicted = np.bincount(place, probability, edges.size + 1)[used] / n
    observed = np.bincount(place, bought, edges.size + 1)[used] / n
    low, high = share_interval(observed * n, n, level)
    return pd.DataFrame(
        {
            "bin": np.arange(1, n.size + 1),
            "customers": n.astype(int),
            "predicted": predicted,
            "observed": observed,
            "low": np.maximum(low, 0.0),
            "high": np.minimum(high, 1.0),
        }
    )


def tracking_curve(
    model: LTVModel, customers: Summary, table: pd.DataFrame, horizon: float
) -> pd.DataFrame:
    """Purchases of the base since the last day, expected and actual, at twelve points in time.

    Returns
    -------
    pandas.DataFrame
        ``periods``, ``expected``, ``actual`` (purchase days of the customers of the table,
        cumulative).
    """
    import pandas as pd

    assert customers.calendar is not None
    assert customers.until is not None
    part = model.purchases.thin(PREDICTIVE_DRAWS)
    module, params = family(part.family), part.columns()
    counts = table.groupby(list(KEYS)).size()
    x, t_x, T = (counts.index.get_level_values(name).to_numpy(float) for name in KEYS)
    alive, weight = module.p_alive(x, t_x, T, **params), counts.to_numpy(float)
    days = np.array([(day - customers.until).days for day in customers.calendar["day"]])
    bought = customers.calendar["repeat_purchases"].to_numpy(float)
    rows = []
    for t in horizon * np.arange(1, POINTS + 1) / POINTS:
        living, _ = purchase_table(module, params, float(t), x, T, rate=0.0)
        expected = float(((alive * living) @ weight).mean())
        actual = float(bought[(days > 0) & (days <= round(t * model.period.days))].sum())
        rows.append((float(t), expected, actual))
    return pd.DataFrame(rows, columns=["periods", "expected", "actual"])
