"""Accept a table that is already one row a customer."""

from __future__ import annotations

from datetime import date
from typing import Any

import narwhals as nw

from lifestage.data.compress import rounded
from lifestage.data.days import parse_day
from lifestage.data.engine import columns, lazy, native, numbered, to_pandas
from lifestage.data.window import stage_window_of
from lifestage.errors import DataError
from lifestage.tables import CUSTOMER, FREQUENCY, MONETARY, RECENCY, Period, Summary, T

__all__ = ["from_frame"]

OPTIONAL = ("orders", "revenue", "first_purchase", "last_purchase", "channel")
SHOWN = 5
ROUNDING = 1e-6
"""Days by which a span may miss a whole number of days for the rounding of its unit."""


def from_frame(
    frame: Any,
    *,
    period: str | Period,
    until: date | str | None = None,
    stage_window: float | None = None,
    resolution: float | None = None,
) -> Summary:
    """Check a customer table in the convention of lifetimes and PyMC-Marketing and make a Summary of it.

    Parameters
    ----------
    frame : pandas, polars, pyarrow, DuckDB or Spark table
        ``frequency`` (repeat purchases), ``recency`` and ``T`` (periods since the first purchase), and optionally
        ``monetary_value`` (mean spend of repeat purchases; 0 if absent), ``customer_id`` (else the index of a pandas
        table, or the row number), ``orders``, ``revenue``, ``first_purchase``, ``last_purchase``, ``channel``.
    period : ``"hour"``, ``"day"``, ``"week"``, ``"month"``, ``"quarter"``, ``"year"``, or a :class:`lifestage.Period`
    until : date or str, optional
        Last day of observation; without it no dates are predicted.
    stage_window : float, optional
        H in days; default is the 80th percentile of the mean gaps, each counted *frequency* times, in 14 to 730 days.
    resolution : float, optional
        Days to whose multiples recency and T are rounded, so that customers share histories; see
        :mod:`lifestage.data.compress`. Default is not to round.

    Raises
    ------
    DataError
        If a column is missing, or a row cannot be a customer: the first such rows are named.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"frequency": [0, 2], "recency": [0.0, 8.0], "T": [9.0, 9.0]})
    >>> from_frame(table, period="week")
    Summary(2 customers, 1 repeaters, period=week, until=None, stage_window=28 days)
    """
    unit = Period.parse(period)
    came = columns(frame)
    absent = [name for name in (FREQUENCY, RECENCY, T) if name not in came]
    if absent:
        raise DataError(
            f"expected the columns frequency, recency and T; {', '.join(absent)} is missing; got {', '.join(came)}"
        )
    table, kind = lazy(frame if CUSTOMER in came else numbered(frame, CUSTOMER))
    money = nw.col(MONETARY) if MONETARY in came else nw.lit(0.0).alias(MONETARY)
    table = table.select(CUSTOMER, FREQUENCY, RECENCY, T, money, *(name for name in OPTIONAL if name in came))
    _check(table)
    table = table.with_columns(
        nw.col(FREQUENCY).cast(nw.Int64), *(nw.col(name).cast(nw.Float64) for name in (RECENCY, T, MONETARY))
    )
    if resolution is not None:
        table = rounded(table, resolution, unit)
    window, _ = stage_window_of(_gaps(table, unit), stage_window, None)
    x = nw.col(FREQUENCY)
    facts = to_pandas(
        table.select(nw.len().alias("customers"), (x > 0).cast(nw.Int64).sum().alias("repeaters"), x.sum().alias("x"))
    ).iloc[0]
    return Summary(
        table=native(table, kind),
        period=unit,
        until=None if until is None else parse_day(until),
        stage_window=window,
        customers=int(facts["customers"]),
        repeaters=int(facts["repeaters"]),
        orders=int(facts["x"] + facts["customers"]),
    )


def _gaps(table: nw.LazyFrame[Any], period: Period) -> dict[float, int]:
    """Mean gap in days of the repeat buyers → how often: a customer has as many gaps as repeat purchases.

    The days from the first to the last purchase are made whole before they are divided where they are whole but for
    the rounding of a recency in other units: gaps that are equal in days are then equal numbers, whatever the unit.
    They are also added up in days, so that no gap stands twice in what the engine returns.
    """
    span, x = nw.col(RECENCY) * period.days, nw.col(FREQUENCY)
    whole = span.round(0)
    days = nw.when((span - whole).abs() < ROUNDING).then(whole).otherwise(span)
    gaps = table.filter(x > 0).select((days / x.cast(nw.Float64)).alias("gap"), x)
    found = to_pandas(gaps.group_by("gap").agg(nw.col(FREQUENCY).sum()))
    return dict(zip(found["gap"].tolist(), map(int, found[FREQUENCY]), strict=True))


def _check(table: nw.LazyFrame[Any]) -> None:
    """Refuse rows that no customer can have, naming the first ones."""
    x, t_x, t_obs, money = (nw.col(name) for name in (FREQUENCY, RECENCY, T, MONETARY))
    numbers = [nw.col(name).cast(nw.Float64) for name in (FREQUENCY, RECENCY, T, MONETARY)]
    unknown = nw.any_horizontal(*(~(each.is_finite()) | each.is_null() for each in numbers), ignore_nulls=False)
    tests = {
        "finite numbers in frequency, recency, T and monetary_value": unknown,
        "no negative frequency, recency, T or monetary_value": (x < 0) | (t_x < 0) | (t_obs < 0) | (money < 0),
        "whole numbers of repeat purchases in frequency": x.cast(nw.Float64) != x.cast(nw.Float64).round(0),
        "recency no greater than T": t_x > t_obs + 1e-9,
        "recency 0 where frequency is 0": (x == 0) & (t_x > 0),
        "recency above 0 where frequency is": (x > 0) & (t_x == 0),
    }
    for expected, bad in tests.items():
        wrong = table.filter(bad)
        rows = to_pandas(wrong.select(CUSTOMER, FREQUENCY, RECENCY, T, MONETARY).head(SHOWN))
        if len(rows):
            total = int(to_pandas(wrong.select(nw.len().alias("n")))["n"].iloc[0])
            raise DataError(f"expected {expected}; got {total:,} other rows, the first: {rows.to_dict('records')}")
    if not int(to_pandas(table.select(nw.len().alias("n")))["n"].iloc[0]):
        raise DataError("expected customers; the table has no rows")
