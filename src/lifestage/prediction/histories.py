"""Predictions by history: matrices of frequency and recency, and one customer over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.core.dates import parse_day
from lifestage.core.errors import ConfigError, DataError
from lifestage.core.terms import check_horizon
from lifestage.families import family
from lifestage.families.tables import purchase_table
from lifestage.prediction.limits import PREDICTION_DRAWS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import pandas as pd
    from numpy.typing import NDArray

    from lifestage.fitting.fitted import FittedModel

__all__ = ["alive_matrix", "history_alive", "purchases_matrix"]


def alive_matrix(model: FittedModel, *, T: float, max_frequency: int = 20) -> pd.DataFrame:
    """Tabulate P(alive) of customers observed for *T*, by frequency (rows) and recency (columns).

    Cells that cannot be, a repeat buyer with recency 0 or a one-time buyer with another, are
    missing.
    """
    return _matrix(model, T, max_frequency, None)


def purchases_matrix(
    model: FittedModel, *, T: float, horizon: float = 52, max_frequency: int = 20
) -> pd.DataFrame:
    """Tabulate expected purchases within *horizon* by frequency (rows) and recency (columns)."""
    check_horizon(horizon)
    return _matrix(model, T, max_frequency, horizon)


def _matrix(
    model: FittedModel, T: float, max_frequency: int, horizon: float | None
) -> pd.DataFrame:
    """P(alive), times the expected purchases of the living where a horizon is given."""
    import pandas as pd

    if not 0 < T < np.inf or max_frequency < 1:
        raise ConfigError(f"expected T > 0 and max_frequency ≥ 1; got {T} and {max_frequency}")
    part = model.purchases.thin(PREDICTION_DRAWS)
    module, params = family(part.family), part.columns()
    x, t_x = np.arange(max_frequency + 1.0), np.linspace(0.0, T, 41)
    rows, columns = np.meshgrid(x, t_x, indexing="ij")
    values = np.broadcast_to(
        module.p_alive(rows.ravel(), columns.ravel(), T, **params), (part.size, rows.size)
    )
    values = values.reshape(part.size, *rows.shape)
    if horizon is not None:
        living, _ = purchase_table(module, params, horizon, x, np.full(x.shape, T), rate=0.0)
        values = values * living[:, :, None]
    table = np.where((rows > 0) == (columns > 0), values.mean(axis=0), np.nan)
    return pd.DataFrame(
        table,
        index=pd.Index(x.astype(int), name="frequency"),
        columns=pd.Index(t_x, name="recency"),
    )


def history_alive(
    model: FittedModel,
    purchases: Sequence[date | str],
    *,
    until: date | str | None = None,
    window: float | None = None,
) -> pd.DataFrame:
    """Compute one customer's P(alive) and P(a purchase within *window* days), day by day.

    *purchases* are dates in any order; several on one day count once, those after *until* are left
    out. *until* is by default the last purchase or the model's last day, whichever is later;
    *window* the model's stage window. The columns are ``day``, ``purchase`` (True on purchase
    days), ``p_alive`` and ``p_purchase``. Raises a DataError where there is no purchase up to
    *until*, a ConfigError where something is no date or *window* is not positive.
    """
    import pandas as pd

    window = model.data.stage_window if window is None else window
    if not 0 < window < np.inf:
        raise ConfigError(f"expected window > 0, in days; got {window}")
    bought = np.unique(_days(purchases, "a purchase"))
    if not bought.size:
        raise DataError("expected the dates of at least one purchase; got none")
    ends = [model.data.until or bought[-1], bought[-1]] if until is None else [parse_day(until)]
    last = np.array(ends, "datetime64[D]").max()
    bought = bought[bought <= last]
    if not bought.size:
        raise DataError(f"expected the dates of at least one purchase up to {last}; got none")
    days = np.arange(bought[0], last + np.timedelta64(1, "D"))
    unit = model.period.days
    x = np.searchsorted(bought, days, side="right") - 1.0
    t_x = (bought[x.astype(int)] - bought[0]).astype(float) / unit
    T = (days - bought[0]).astype(float) / unit
    part = model.purchases.thin(PREDICTION_DRAWS)
    module, params = family(part.family), part.columns()
    return pd.DataFrame(
        {
            "day": days,
            "purchase": np.isin(days, bought),
            "p_alive": module.p_alive(x, t_x, T, **params).mean(axis=0),
            "p_purchase": module.p_purchase(window / unit, x, t_x, T, **params).mean(axis=0),
        }
    )


def _days(values: Any, name: str) -> NDArray[np.datetime64]:
    """Calendar days of dates, timestamps, or text such as 1997-01-31."""
    if isinstance(values, str) or not np.iterable(values):
        raise DataError(f"expected the dates of at least one purchase, as a list; got {values!r}")
    return np.array([parse_day(value, name) for value in values], "datetime64[D]")
