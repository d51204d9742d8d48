"""What customers did after an origin, beside what was known of them at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lifestage.core.names import CUSTOMER
from lifestage.data.engines.frames import to_pandas

if TYPE_CHECKING:
    from datetime import date, timedelta

    import pandas as pd

    from lifestage.data.customers.order_log import OrderLog
    from lifestage.data.customers.summary import Summary

__all__ = ["with_outcomes"]


def with_outcomes(
    customers: Summary, log: OrderLog, origin: date, horizon: timedelta
) -> pd.DataFrame:
    """The customers at an origin with their purchases after and shortly before it.

    Returns
    -------
    pandas.DataFrame
        The customer table with ``purchases`` and ``spent`` within the horizon after the origin;
        ``recent``, purchases within a horizon before it (NaN where the log does not reach back);
        and ``known``, whether the customer had bought before those.
    """
    table = to_pandas(customers.table)
    if "revenue" not in table:
        table = table.assign(revenue=np.nan)
    later = to_pandas(log.at(origin + horizon).table).set_index(CUSTOMER)
    later = later.reindex(table[CUSTOMER])
    table["purchases"] = later["frequency"].to_numpy(float) - table["frequency"].to_numpy(float)
    spent = later["revenue"].to_numpy(float) - table["revenue"].to_numpy(float)
    # two sums of the same amounts differ by rounding: no purchase is no spend, and none is negative
    table["spent"] = np.where(table["purchases"] > 0, np.maximum(spent, 0.0), 0.0)
    assert customers.calendar is not None
    table["recent"], table["known"] = np.nan, False
    if origin - horizon > min(customers.calendar["day"]):
        earlier = to_pandas(log.at(origin - horizon).table).set_index(CUSTOMER)
        frequency = earlier["frequency"].reindex(table[CUSTOMER]).to_numpy(float)
        table["known"] = np.isfinite(frequency)
        gained = table["frequency"] - frequency
        table["recent"] = np.where(np.isfinite(frequency), gained, table["frequency"])
    return table
