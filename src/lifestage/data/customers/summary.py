"""Column names, the time unit, and the frozen records that travel down the corridor."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import narwhals as nw

from lifestage.core.dates import parse_day
from lifestage.core.errors import DataError
from lifestage.core.names import CUSTOMER, FREQUENCY, MONETARY, RECENCY, T
from lifestage.core.notes import html_table
from lifestage.core.period import Period
from lifestage.data.customers.customer_columns import open_table, typed
from lifestage.data.customers.rounding import round_times
from lifestage.data.customers.stage_window import choose_stage_window
from lifestage.data.engines.frames import native, to_pandas

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from lifestage.data.log.quality import Quality

__all__ = ["ROUNDING", "SHOWN", "Summary", "expect_summary", "from_frame"]

SHOWN = 5

ROUNDING = 1e-6
"""Days by which a span may miss a whole number of days for the rounding of its unit."""


@dataclass(frozen=True, eq=False)
class Summary:
    """One row a customer, and what the log says beside it.

    Attributes
    ----------
    table : frame
        In the kind that went in. Columns ``customer_id``, ``frequency`` (repeat purchase days,
        integer), ``recency`` and ``T`` (periods), ``monetary_value`` (mean spend of repeat purchase
        days, 0 without any; no such column where spend is not known); and, when made from orders,
        ``orders``, ``revenue`` (net, all purchase days up to ``until``), ``first_purchase``,
        ``last_purchase`` (dates) and ``channel`` (of the first purchase).
    period : Period, the unit of ``recency`` and ``T``
    until : date or None
        Last day of observation; T counts from the first purchase to this day.
    stage_window : float
        H in days: the window over which ``activity_ratio`` and the stages are judged.
    customers, repeaters, orders : int
        Customers in ``table``, those with frequency > 0, and orders up to ``until``.
    gaps : dict of int to int
        Days between consecutive purchase days of a customer → how often.
    quality : Quality or None
        The fate of every row of the log.
    calendar : pandas.DataFrame or None
        One row a day with any purchase, by customers first seen up to ``until``, through the end of
        the log: ``day`` (date), ``new_customers``, ``repeat_purchases``, ``revenue``.
    holdout : pandas.DataFrame or None
        What came after ``until``: a row a calibration ``frequency`` with ``customers``,
        ``purchases`` (purchase days after ``until``) and ``buyers``; its last day is
        ``holdout_end``.
    later : frame or None
        What came after ``until``, to ``holdout_end``: per customer of *table* who bought again
        ``customer_id``, ``next_purchase`` (date), ``purchases`` (purchase days), ``revenue``. In
        the kind that went in.
    purchases : frame or None
        Per purchase day up to ``until``, of all customers or, on large logs, of a sample:
        ``customer_id``, ``date``, ``gap_days`` since the purchase day before (null for the first).
        In the kind that went in.
    channels : pandas.DataFrame or None, with ``channel`` of the order, ``orders``, ``revenue`` up
    to ``until`` weights : str or None
        Column of *table* with the number of customers that each row stands for; None where each is
        one.
    """

    table: Any
    period: Period
    until: date | None
    stage_window: float
    customers: int
    repeaters: int
    orders: int
    gaps: Mapping[int, int] = field(default_factory=dict)
    quality: Quality | None = None
    calendar: Any = None
    holdout: Any = None
    holdout_end: date | None = None
    later: Any = None
    purchases: Any = None
    channels: Any = None
    weights: str | None = None

    def __getstate__(self) -> dict[str, Any]:
        from lifestage.data.engines import (
            frames as engine,  # tables of DuckDB are pickled as those of Arrow
        )

        return {name: engine.portable(value) for name, value in vars(self).items()}

    def without_customers(self) -> Summary:
        """What is known of the base, with no row of any customer."""
        return replace(self, table=None, later=None, purchases=None, weights=None)

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        period: str | Period,
        until: date | str | None = None,
        stage_window: float | None = None,
        resolution: float | None = None,
        weights: str | None = None,
    ) -> Summary:
        """Accept a table that already has one row per customer: see :func:`lifestage.data.customers.summary.from_frame`."""

        terms: dict[str, Any] = {
            "stage_window": stage_window,
            "resolution": resolution,
            "weights": weights,
        }
        return from_frame(frame, period=period, until=until, **terms)

    def _repr_html_(self) -> str:
        facts = {
            "customers": f"{self.customers:,}",
            "repeat buyers": f"{self.repeaters:,}",
            "orders": f"{self.orders:,}",
            "observed until": str(self.until),
            "unit of recency and T": str(self.period),
            "stage window": f"{self.stage_window:g} days",
        }
        return html_table("Summary", facts, self.quality.notes if self.quality else ())

    def __repr__(self) -> str:
        return (
            f"Summary({self.customers:,} customers, {self.repeaters:,} repeaters,"
            f" period={self.period.name}, until={self.until}, stage_window={self.stage_window:g}"
            " days)"
        )


def expect_summary(customers: Any) -> None:
    """Refuse what is no Summary, such as a table of customers, with a DataError."""
    if not isinstance(customers, Summary):
        raise DataError(
            "expected a Summary (ls.summarize or ls.Summary.from_frame); got"
            f" {type(customers).__name__}"
        )


def from_frame(
    frame: Any,
    *,
    period: str | Period,
    until: date | str | None = None,
    stage_window: float | None = None,
    resolution: float | None = None,
    weights: str | None = None,
) -> Summary:
    """Check a customer table in the convention of lifetimes and PyMC-Marketing and make a Summary of it.

    Parameters
    ----------
    frame : pandas, polars, pyarrow, DuckDB or Spark table
        ``frequency`` (repeat purchases), ``recency`` and ``T`` (periods since the first purchase),
        and optionally ``monetary_value`` (mean spend of repeat purchases; missing counts as 0 where
        frequency is 0), ``customer_id`` (else the index of a pandas table, or the row number),
        ``orders``, ``revenue``, ``first_purchase``, ``last_purchase`` (dates), ``channel``. All
        other columns, and the index of a pandas table, are kept as they are, through
        :meth:`lifestage.LTVModel.predict` too. Names of columns become text.
    period : ``"hour"``, ``"day"``, ``"week"``, ``"month"``, ``"quarter"``, ``"year"``, or a
    :class:`lifestage.Period` until : date or str, optional
        Last day of observation; without it no dates are predicted.
    stage_window : float, optional
        H in days; default is the 80th percentile of the mean gaps, each counted *frequency* times,
        in 14 to 730 days.
    resolution : float, optional
        Days to whose multiples recency and T are round_times, so that customers share histories; see
        :mod:`lifestage.data.customers.compress`. Default is not to round.
    weights : str, optional
        Column with the number of customers that each row stands for, whole and at least 1, where
        rows are distinct histories: the fit is that of the table with every row repeated so many
        times. Predictions then are per row, and the column comes back with them to weight sums by.
        A column ``weight`` or ``weights`` that is not named here is refused.

    Returns
    -------
    Summary

    Raises
    ------
    DataError
        If a column is missing, stands twice or is of another type, a ``customer_id`` is missing or
        repeated, or a row cannot be a customer: the first such rows are named.
    ConfigError
        If an option is out of range.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"frequency": [0, 2], "recency": [0.0, 8.0], "T": [9.0, 9.0]})
    >>> from_frame(table, period="week")
    Summary(2 customers, 1 repeaters, period=week, until=None, stage_window=28 days)
    >>> from_frame(table.assign(n=[300, 120]), period="week", weights="n").customers
    420
    """
    unit = Period.parse(period)
    table, kind, has_ids = open_table(frame, weights)
    table = typed(table, weights)
    _check(table, weights)
    if has_ids and weights is None:
        _check_ids(table)
    table = table.with_columns(
        *(nw.col(name).cast(nw.Int64) for name in (FREQUENCY, *([weights] if weights else ())))
    )
    if resolution is not None:
        table = round_times(table, resolution, unit)
    people = nw.lit(1) if weights is None else nw.col(weights)
    gaps = _gaps(table, unit, people) if stage_window is None else {}
    window, _ = choose_stage_window(gaps, stage_window, None)
    x = nw.col(FREQUENCY)
    counts = table.select(
        n=people, repeaters=nw.when(x > 0).then(people).otherwise(nw.lit(0)), purchases=x * people
    )
    sums = to_pandas(
        counts.select(*(nw.col(name).sum() for name in ("n", "repeaters", "purchases")))
    ).iloc[0]
    return Summary(
        table=native(table, kind),
        period=unit,
        until=None if until is None else parse_day(until),
        stage_window=window,
        customers=int(sums["n"]),
        repeaters=int(sums["repeaters"]),
        orders=int(sums["purchases"] + sums["n"]),
        weights=weights,
    )


def _gaps(table: nw.LazyFrame[Any], period: Period, people: nw.Expr) -> dict[float, int]:
    """Mean gap in days of the repeat buyers → how often: a customer has as many gaps as repeat purchases.

    The days from the first to the last purchase are made whole before they are divided where they
    are whole but for the rounding of a recency in other units: gaps that are equal in days are then
    equal numbers, whatever the unit. They are also added up in days, so that no gap stands twice in
    what the engine returns.
    """
    span, x = nw.col(RECENCY) * period.days, nw.col(FREQUENCY)
    whole = span.round(0)
    days = nw.when((span - whole).abs() < ROUNDING).then(whole).otherwise(span)
    gaps = table.filter(x > 0).select(gap=days / x.cast(nw.Float64), n=x * people)
    found = to_pandas(gaps.group_by("gap").agg(nw.col("n").sum()))
    return dict(zip(found["gap"].tolist(), map(int, found["n"]), strict=True))


def _check_ids(table: nw.LazyFrame[Any]) -> None:
    """Refuse customers without an id, or on several rows."""
    each = nw.col(CUSTOMER)
    none = (
        each.is_null() | each.is_nan()
        if table.collect_schema()[CUSTOMER].is_float()
        else each.is_null()
    )
    try:
        found = to_pandas(
            table.select(n=nw.len(), ids=each.n_unique(), none=none.cast(nw.Int64).sum())
        ).iloc[0]
    except TypeError as error:  # values of pandas that cannot be compared, such as lists
        raise DataError(f"expected numbers or text in {CUSTOMER}: {error}") from error
    if found["none"]:
        raise DataError(
            f"expected a {CUSTOMER} in every row; got {int(found['none']):,} rows without one"
        )
    if found["ids"] < found["n"]:
        twice = table.group_by(CUSTOMER).agg(nw.len().alias("n")).filter(nw.col("n") > 1)
        ids = to_pandas(twice.sort(CUSTOMER).head(SHOWN))[CUSTOMER].tolist()
        raise DataError(
            f"expected one row per {CUSTOMER} (without such a column the index of a pandas table is"
            f" it); got {int(found['n'] - found['ids']):,} rows too many, of"
            f" {', '.join(map(repr, ids))} and so on: keep one row of each, or drop what is no id"
        )


def _check(table: nw.LazyFrame[Any], weights: str | None) -> None:
    """Refuse rows that no customer can have, naming the first ones."""
    numbers = [
        name for name in (FREQUENCY, RECENCY, T, MONETARY) if name in table.collect_schema().names()
    ]
    x, t_x, t_obs = (nw.col(name) for name in (FREQUENCY, RECENCY, T))
    unknown = nw.any_horizontal(
        *(~nw.col(name).is_finite() | nw.col(name).is_null() for name in numbers),
        ignore_nulls=False,
    )
    negative = nw.any_horizontal(*(nw.col(name) < 0 for name in numbers), ignore_nulls=False)
    named = ", ".join(numbers)
    tests = {
        f"finite numbers in {named}": unknown,
        f"no negative number in {named}": negative,
        "whole numbers of repeat purchases in frequency": x != x.round(0),
        "recency no greater than T": t_x > t_obs + 1e-9,
        "recency 0 where frequency is 0": (x == 0) & (t_x > 0),
        "recency above 0 where frequency is": (x > 0) & (t_x == 0),
    }
    shown = [CUSTOMER, *numbers]
    if weights is not None:
        n = nw.col(weights)
        tests[f"whole numbers of customers, at least 1, in {weights}"] = (
            (n < 1) | (n != n.round(0)) | ~n.is_finite() | n.is_null()
        )
        shown.append(weights)
    for expected, bad in tests.items():
        wrong = table.filter(bad)
        rows = to_pandas(wrong.select(*shown).head(SHOWN))
        if len(rows):
            total = int(to_pandas(wrong.select(nw.len().alias("n")))["n"].iloc[0])
            raise DataError(
                f"expected {expected}; got {total:,} other rows, the first:"
                f" {rows.to_dict('records')}"
            )
    if not int(to_pandas(table.select(nw.len().alias("n")))["n"].iloc[0]):
        raise DataError("expected customers; the table has no rows")
