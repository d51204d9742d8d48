"""Forecasts that need no model: what a forecast must beat to be worth anything."""

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
    r"""What each baseline says of every customer: ``purchases``, ``chance``, ``revenue``, ``score``, as far as it does.

    Parameters
    ----------
    table : pandas.DataFrame
        A row a customer: ``frequency``, ``recency``, ``T`` (periods), ``revenue`` up to the last
        day, ``recent`` (purchases in the last *horizon* periods, NaN where the log did not reach
        back so far) and ``known`` (who had bought before those).
    horizon : float
        Periods.

    Returns
    -------
    dict
        - ``base rate``: everybody alike, at the mean of the last *horizon* periods among those
          known before them, or at the mean rate so far.
        - ``historical average``: x/T · h, with :math:`1 - e^{-x h/T}` as the chance.
        - ``last period repeats``: what was bought in the last *horizon* periods comes again.
        - ``days since last purchase``: a ranking alone, by −(T − recency).
        - ``formula``: everybody alike, average order value × purchases a period × h.
    """
    x, t_x, T = (table[name].to_numpy(float) for name in ("frequency", "recency", "T"))
    revenue, recent = table["revenue"].to_numpy(float), table["recent"].to_numpy(float)
    rate = x / np.maximum(T, 1e-9)
    seen = table["known"].to_numpy(bool) & np.isfinite(recent)
    if seen.any():
        mean, chance = float(recent[seen].mean()), float((recent[seen] > 0).mean())
    else:
        mean = float(x.sum() / max(T.sum(), 1e-9)) * horizon
        chance = -float(np.expm1(-mean))
    order = float(revenue.sum() / (x + 1).sum())
    each = np.ones(x.size)
    out = {
        "base rate": {
            "purchases": mean * each,
            "chance": chance * each,
            "revenue": mean * order * each,
        },
        "historical average": {
            "purchases": rate * horizon,
            "chance": -np.expm1(-rate * horizon),
            "revenue": rate * horizon * revenue / (x + 1),
            "score": rate,
        },
        "days since last purchase": {"score": t_x - T},
        "formula": {"revenue": order * float((x + 1).sum() / max(T.sum(), 1e-9)) * horizon * each},
    }
    if np.isfinite(recent).all():
        again = {"purchases": recent, "revenue": recent * revenue / (x + 1), "score": recent}
        out["last period repeats"] = again
    return {name: out[name] for name in BASELINES if name in out}
