"""Customers as a model takes them: a Summary, or a ready-made table that is made one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

from lifestage.core.dates import as_date
from lifestage.core.errors import ConfigError, DataError
from lifestage.core.names import RECENCY, T
from lifestage.data.customers.compress import compress
from lifestage.data.customers.counts import Counts
from lifestage.data.customers.summary import Summary
from lifestage.data.engines.frames import lazy, to_pandas

if TYPE_CHECKING:
    from datetime import date

    from lifestage.core.period import Period
    from lifestage.fitting.fitted import FittedModel

__all__ = ["as_summary", "counts_of"]

ROUNDING = 1e-6
"""Days by which a time may miss a whole number of days for the rounding of its unit."""


def as_summary(model: FittedModel, customers: Summary | Any) -> Summary:
    """Make a Summary of a ready-made table, under the period and the stage window of a model.

    Its last day of observation is what its own dates say, ``first_purchase`` + T and
    ``last_purchase`` + T − recency; without dates it has none. That of the model is another
    table's.

    Raises
    ------
    ConfigError
        If a Summary is in another period than the model.
    DataError
        If it is no table of customers, or its dates do not agree on the last day.
    """
    if not isinstance(customers, Summary):
        made = Summary.from_frame(
            customers, period=model.period, stage_window=model.data.stage_window
        )
        customers = replace(made, until=_last_day(made.table, made.period))
    if customers.period != model.period:
        raise ConfigError(
            f"expected customers in periods of a {model.period}; got {customers.period}"
        )
    return customers


def counts_of(model: FittedModel, customers: Counts | Summary | Any) -> Counts:
    """Return the distinct histories of customers: Counts as they are, a Summary, or a table."""
    return customers if isinstance(customers, Counts) else compress(as_summary(model, customers))


def _last_day(table: Any, period: Period) -> date | None:
    """The last day of observation by the dates of a table; None where it has no dates."""
    import pandas as pd

    frame, _ = lazy(table)
    names = frame.collect_schema().names()
    since = {"first_purchase": nw.col(T), "last_purchase": nw.col(T) - nw.col(RECENCY)}
    ends = [np.zeros(0)]
    for name in (name for name in since if name in names):
        known = frame.filter(~nw.col(name).is_null())
        rows = to_pandas(known.select(day=nw.col(name), more=since[name] * period.days).unique())
        try:
            days = (
                pd.to_datetime(rows["day"]).dt.tz_localize(None).to_numpy().astype("datetime64[us]")
            )
        except (TypeError, ValueError) as error:
            raise DataError(f"expected dates in {name}: {error}") from error
        ends.append(days.astype(np.int64) / 86_400e6 + rows["more"].to_numpy(float))
    every = np.concatenate(ends)
    if not every.size:
        return None
    first, last = (as_date(int(np.floor(end + ROUNDING))) for end in (every.min(), every.max()))
    if every.max() - every.min() >= 1.0 - ROUNDING:
        raise DataError(
            "expected customers who are all observed until one day; by their dates of purchase and"
            f" T got {first} to {last}: give the day as Summary.from_frame(…, until=…), or leave"
            " out the dates"
        )
    return last
