"""Baselines: simple forecasts that need no model, which a model has to beat."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from lifestage.core.typing import Floats

__all__ = ["BASELINES", "baseline_forecasts"]


BASELINES = (
    "base rate",
    "historical average",
    "last period repeats",
    "days since last purchase",
    "formula",
)


def baseline_forecasts(table: pd.DataFrame, horizon: float) -> dict[str, dict[str, Floats]]:
    r"""Forecasts of each baseline: some of ``purchases``, ``probability``, ``revenue``, ``score``.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per customer: ``frequency``, ``recency``, ``T`` (periods), ``revenue`` up to the
        last day, ``recent`` (purchases in the last *horizon* periods, NaN where the log does not
        reach back so far) and ``known`` (who had bought before those).
    horizon : float
        Periods.

    Returns
    -------
    dict
        - ``base rate``: the same for everybody, the mean of the last *horizon* periods among those
          known before them, or the mean rate so far.
        - ``historical average``: x/T · h, with probability :math:`1 - e^{-x h/T}`.
        - ``last period repeats``: the purchases of the last *horizon* periods again.
        - ``days since last purchase``: a ranking alone, by −(T − recency).
        - ``formula``: the same for everybody, average order value × purchases per period × h.
    """
    x, t_x, T = (table[name].to_numpy(float) for name in ("frequency", "recency", "T"))
    revenue, recent = table["revenue"].to_numpy(float), table["recent"].to_numpy(float)
    rate = x / np.maximum(T, 1e-9)
    mean, probability = _base_rate(table, horizon)
    order_value = float(revenue.sum() / (x + 1).sum())
    purchase_rate = float((x + 1).sum() / max(T.sum(), 1e-9))
    ones = np.ones(x.size)
    forecasts = {
        "base rate": {
            "purchases": mean * ones,
            "probability": probability * ones,
            "revenue": mean * order_value * ones,
        },
        "historical average": {
            "purchases": rate * horizon,
            "probability": -np.expm1(-rate * horizon),
            "revenue": rate * horizon * revenue / (x + 1),
            "score": rate,
        },
        "days since last purchase": {"score": t_x - T},
        "formula": {"revenue": order_value * purchase_rate * horizon * ones},
    }
    if np.isfinite(recent).all():
        forecasts["last period repeats"] = {
            "purchases": recent,
            "revenue": recent * revenue / (x + 1),
            "score": recent,
        }
    return {name: forecasts[name] for name in BASELINES if name in forecasts}


def _base_rate(table: pd.DataFrame, horizon: float) -> tuple[float, float]:
    """Mean purchases, and share of buyers, within a horizon."""
    recent = table["recent"].to_numpy(float)
    seen = table["known"].to_numpy(bool) & np.isfinite(recent)
    if seen.any():
        return float(recent[seen].mean()), float((recent[seen] > 0).mean())
    x, T = table["frequency"].to_numpy(float), table["T"].to_numpy(float)
    mean = float(x.sum() / max(T.sum(), 1e-9)) * horizon
    return mean, -float(np.expm1(-mean))
