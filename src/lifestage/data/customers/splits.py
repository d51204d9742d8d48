"""The customer base on past days, and the purchases of each customer after them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.core.errors import ConfigError, DataError
from lifestage.core.names import CUSTOMER
from lifestage.core.terms import check_horizon
from lifestage.data.customers.counts import Counts
from lifestage.data.customers.summary import Summary, expect_summary
from lifestage.data.engines.frames import ENGINES, lazy, to_pandas
from lifestage.data.engines.operations import hash_sample

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from lifestage.core.typing import Floats

__all__ = ["NO_STAGES", "Split", "split_purchases"]


NO_STAGES: dict[str, Any] = {"stage_window": 1.0}
"""Options for summaries whose forecasts need no stages.

A measured stage window can be longer than the history before a past day, which is an error.
"""

MAX_PURCHASE_DAYS = 4_000_000
"""Purchase days above which a random sample of customers stands for all of them."""

HORIZON_SHARE = 0.25
"""Horizon of a split where none is asked for, as a share of the days observed."""


@dataclass(frozen=True, eq=False)
class Split:
    """Customers up to a day, and their purchases within a horizon after it.

    Attributes
    ----------
    origin : date
    horizon : float
        Periods.
    customer : array of int, shape (n,)
        The same number for the same customer in every split of a base.
    x, t_x, T : array, shape (n,)
        History up to the origin (periods).
    y : array, shape (n,)
        Purchase days within the horizon.
    """

    origin: date
    horizon: float
    customer: NDArray[np.intp]
    x: Floats
    t_x: Floats
    T: Floats
    y: Floats

    def counts(self) -> Counts:
        """Count the distinct histories, for a fit."""
        return Counts.from_arrays(self.x, self.t_x, self.T)

    def distinct(self) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Return the distinct (x, t_x, T, y), shape (rows, 4), and the row of each customer."""
        rows, place = np.unique(
            np.column_stack([self.x, self.t_x, self.T, self.y]), axis=0, return_inverse=True
        )
        return rows, place.ravel()


def split_purchases(
    customers: Summary, *, horizon: float | None = None, origins: int = 2
) -> list[Split]:
    """Split a base at *origins* days, a horizon apart, the last one a horizon before its last day.

    Parameters
    ----------
    customers : Summary
        Made from orders. Very large bases are represented by a random sample of customers.
    horizon : float, optional
        Periods; a quarter of the days observed if left out.
    origins : int

    Returns
    -------
    list of Split
        The earliest origin first.

    Raises
    ------
    DataError
        If the summary was not made from orders, or is too short for the origins.
    ConfigError
        If an option is out of range.

    Examples
    --------
    >>> import lifestage as ls
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> for split in split_purchases(customers, horizon=13):
    ...     print(split.origin, split.x.size, int(split.y.sum()))
    1997-04-01 2357 918
    1997-07-01 2357 711
    """
    expect_summary(customers)
    if horizon is not None:
        check_horizon(horizon)
    if origins < 1:
        raise ConfigError(f"expected 1 or more origins; got {origins!r}")
    if customers.purchases is None or customers.until is None:
        raise DataError(
            "expected a Summary made from orders: a ready-made customer table does not have the"
            " dates of all purchases"
        )
    rows = _purchase_days(customers)
    first = int(rows["day"].min())
    until = int(np.datetime64(customers.until, "D").astype(int))
    unit = customers.period.days
    horizon_days = max(
        1, round(HORIZON_SHARE * (until - first) if horizon is None else horizon * unit)
    )
    days = [until - horizon_days * k for k in range(origins, 0, -1)]
    if days[0] - first < horizon_days / 2:
        raise DataError(
            f"expected half a horizon of {horizon_days} days before the first of {origins} origins;"
            f" the log is {until - first} days long: ask for a shorter horizon or fewer origins"
        )
    return [
        _split(rows, day, horizon_days, unit, customers.until - timedelta(days=until - day))
        for day in days
    ]


def _purchase_days(customers: Summary) -> pd.DataFrame:
    """``code`` of the customer and ``day`` (number) of every purchase day, in order."""
    import pandas as pd

    table, kind = lazy(customers.purchases)
    if kind in ENGINES and customers.orders > MAX_PURCHASE_DAYS:
        table = hash_sample(table, CUSTOMER, customers.orders // MAX_PURCHASE_DAYS + 1)
    purchases = to_pandas(table.select(CUSTOMER, "date"))
    code = pd.factorize(purchases[CUSTOMER])[0]
    dates = pd.to_datetime(purchases["date"]).to_numpy()
    day = dates.astype("datetime64[D]").astype(np.int64)
    days = pd.DataFrame({"code": code, "day": day})
    return days.sort_values(["code", "day"], ignore_index=True)


def _split(rows: pd.DataFrame, day: int, horizon_days: int, unit: float, origin: date) -> Split:
    past = rows[rows["day"] <= day].groupby("code")["day"].agg(["size", "first", "last"])
    in_horizon = (rows["day"] > day) & (rows["day"] <= day + horizon_days)
    purchases = rows[in_horizon].groupby("code").size()
    first, last = past["first"].to_numpy(float), past["last"].to_numpy(float)
    return Split(
        origin=origin,
        horizon=horizon_days / unit,
        customer=past.index.to_numpy(),
        x=past["size"].to_numpy(float) - 1.0,
        t_x=(last - first) / unit,
        T=(day - first) / unit,
        y=np.asarray(purchases.reindex(past.index).fillna(0), float),
    )
