"""What a model said of every customer, and how it can be held against what came."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lifestage.core.names import CUSTOMER, KEYS, MONETARY
from lifestage.data.engines.frames import to_pandas
from lifestage.evaluate import scoring_rules as scores
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


DRAWS = 50
"""Draws of the parameters that a distribution of counts averages over."""

BINS, POINTS = 10, 12


def model_forecast(
    model: LTVModel, customers: Summary, table: pd.DataFrame, horizon: float, level: float
) -> dict[str, Floats]:
    """What a model says of every customer of a table, in its order.

    Returns
    -------
    dict of arrays
        ``purchases``, ``probability``, ``score``, ``low``, ``high`` and ``crps`` of purchases; with a
        spend model also ``revenue`` (undiscounted), ``spend_low``, ``spend_high``, ``spend_crps``.
    """
    said = to_pandas(
        model.predict(customers, horizon=horizon, level=level, discount_rate=0.0)
    ).set_index(CUSTOMER)
    said = said.reindex(table[CUSTOMER])
    names = {
        "purchases": "expected_purchases",
        "probability": "p_purchase",
        "low": "purchases_low",
        "high": "purchases_high",
    }
    out = {short: said[name].to_numpy(float) for short, name in names.items()}
    out |= {"score": out["probability"]} | _crps(model, table, horizon)
    if "expected_spend" in said:
        spend = {"revenue": "ltv", "spend_low": "ltv_low", "spend_high": "ltv_high"}
        out |= {short: said[name].to_numpy(float) for short, name in spend.items()}
    return out


def _crps(model: LTVModel, table: pd.DataFrame, horizon: float) -> dict[str, Floats]:
    """Of purchases, and of spend where it is modelled: a value a customer, from the laws of the intervals."""
    part = model.purchases.thin(DRAWS)
    module, params = family(part.family), part.columns()
    spend = None if model.spend is None else spend_draws(model)
    grouped = table.groupby(list(KEYS))
    code = grouped.ngroup().to_numpy()
    x, t_x, T = (np.asarray(v, float) for v in zip(*grouped.indices, strict=True))
    bought, spent = table["purchases"].to_numpy(float), table["spent"].to_numpy(float)
    out = {"crps": np.empty(bought.size)} | (
        {} if spend is None else {"spend_crps": np.empty(bought.size)}
    )
    place = np.empty(x.size, np.intp)
    for law in predictive_distributions(
        module, params, module.p_alive(x, t_x, T, **params), horizon, x, T, spend
    ):
        place[law.rows] = np.arange(law.rows.size)
        inside = np.flatnonzero(np.isin(code, law.rows))
        at = place[code[inside]]
        out["crps"][inside] = scores.crps(law.counts, law.more[at], bought[inside], steps=True)
        if spend is not None and law.spend is not None and law.above is not None:
            money = table[MONETARY].to_numpy(float)[inside] if MONETARY in table else 0.0
            unit = float(spend.v.mean()) + np.where(x[law.rows[0]] > 0, x[law.rows[0]] * money, 0.0)
            found = scores.crps(law.spend, law.above[at], spent[inside] / unit, steps=False)
            out["spend_crps"][inside] = found * unit
    return out


def reliability(chance: ArrayLike, came: ArrayLike, level: float = 0.9) -> pd.DataFrame:
    """Chances against shares, in tenths of the customers by their chance.

    Returns
    -------
    pandas.DataFrame
        ``bin`` (from 1), ``customers``, ``predicted`` (mean chance), ``observed`` (share to whom it
        came), ``low``, ``high`` (Wilson's interval of the share). Customers of one chance stay
        together, so bins can be fewer.

    Examples
    --------
    >>> reliability([0.1] * 50 + [0.9] * 50, [0] * 50 + [1] * 50)["observed"].tolist()
    [0.0, 1.0]
    """
    import pandas as pd

    chance, came = np.asarray(chance, float), np.asarray(came, float)
    edges = np.unique(np.quantile(chance, np.arange(1, BINS) / BINS, method="inverted_cdf"))
    place = np.searchsorted(edges, chance, side="left")
    size = np.bincount(place, minlength=edges.size + 1).astype(float)
    used = size > 0
    n = size[used]
    predicted, share = (
        np.bincount(place, each, edges.size + 1)[used] / n for each in (chance, came)
    )
    low, high = share_interval(share * n, n, level)
    columns = {
        "bin": np.arange(1, n.size + 1),
        "customers": n.astype(int),
        "predicted": predicted,
        "observed": share,
    }
    return pd.DataFrame({**columns, "low": np.maximum(low, 0.0), "high": np.minimum(high, 1.0)})


def tracking_curve(
    model: LTVModel, customers: Summary, table: pd.DataFrame, horizon: float
) -> pd.DataFrame:
    """Purchases of the base since the last day, expected and actual, up to each of twelve points of the horizon.

    Returns
    -------
    pandas.DataFrame
        ``periods``, ``expected``, ``actual`` (purchase days of the customers of the table,
        cumulative).
    """
    import pandas as pd

    assert customers.calendar is not None
    assert customers.until is not None
    part = model.purchases.thin(DRAWS)
    module, params = family(part.family), part.columns()
    counts = table.groupby(list(KEYS)).size()
    x, t_x, T = (counts.index.get_level_values(name).to_numpy(float) for name in KEYS)
    alive, weight = module.p_alive(x, t_x, T, **params), counts.to_numpy(float)
    days = np.array([(day - customers.until).days for day in customers.calendar["day"]])
    bought, at = (
        customers.calendar["repeat_purchases"].to_numpy(float),
        horizon * np.arange(1, POINTS + 1) / POINTS,
    )
    rows = []
    for t in at:
        living, _ = purchase_table(module, params, float(t), x, T, rate=0.0)
        expected = float(((alive * living) @ weight).mean())
        actual = float(bought[(days > 0) & (days <= round(t * model.period.days))].sum())
        rows.append((float(t), expected, actual))
    return pd.DataFrame(rows, columns=["periods", "expected", "actual"])
