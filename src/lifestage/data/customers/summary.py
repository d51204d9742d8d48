"""Summary: the customer base as a table with one row per customer, and facts of its order log."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import narwhals as nw

from lifestage.core.dates import parse_day
from lifestage.core.errors import DataError
from lifestage.core.names import FREQUENCY
from lifestage.core.notes import html_table
from lifestage.core.period import Period
from lifestage.data.customers.customer_columns import open_table, typed
from lifestage.data.customers.rounding import round_times
from lifestage.data.customers.row_checks import check_ids, check_rows
from lifestage.data.customers.stage_window import choose_stage_window, mean_gaps
from lifestage.data.engines.frames import native, portable, to_pandas

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from lifestage.data.log.quality import Quality

__all__ = ["Summary", "expect_summary"]


@dataclass(frozen=True, eq=False)
class Summary:
    """One row per customer, and facts about the order log that the rows were made from.

    Made by :func:`lifestage.summarize` from orders or by :meth:`from_frame` from a customer table.

    Attributes
    ----------
    table : frame
        Of the same kind as the orders. Columns ``customer_id``, ``frequency`` (repeat purchase
        days, integer), ``recency`` and ``T`` (periods), ``monetary_value`` (mean spend of repeat
        purchase days, 0 without any; no such column without amounts); and, when made from orders,
        ``orders``, ``revenue`` (net, all purchase days up to ``until``), ``first_purchase``,
        ``last_purchase`` (dates) and ``channel`` (of the first purchase).
    period : Period
        Unit of ``recency`` and ``T``.
    until : date or None
        Last day of observation; T counts from the first purchase to this day.
    stage_window : float
        H in days: the window for ``activity_ratio`` and the stages.
    customers, repeaters, orders : int
        Customers in ``table``, those with frequency > 0, and orders up to ``until``.
    gaps : dict of int to int
        Days between consecutive purchase days of a customer → number of such gaps.
    quality : Quality or None
        The fate of every row of the log.
    calendar : pandas.DataFrame or None
        One row per day with purchases of customers who first bought up to ``until``, through the
        end of the log: ``day`` (date), ``new_customers``, ``repeat_purchases``, ``revenue``.
    holdout : pandas.DataFrame or None
        Purchases after ``until``, one row per ``frequency`` up to then: ``customers``,
        ``purchases`` (purchase days) and ``buyers``.
    holdout_end : date or None
        Last day of the holdout.
    holdout_purchases : frame or None
        Purchases after ``until``, through ``holdout_end``; one row per customer of *table* who
        bought: ``customer_id``, ``next_purchase`` (date), ``purchases`` (purchase days),
        ``revenue``. Of the same kind as the orders.
    purchases : frame or None
        One row per customer and purchase day up to ``until``, of all customers or, on large logs,
        of a sample: ``customer_id``, ``date``, ``gap_days`` since the purchase day before (null for
        the first). Of the same kind as the orders.
    channels : pandas.DataFrame or None
        One row per ``channel`` of orders: ``orders`` and ``revenue`` up to ``until``.
    weights : str or None
        Column of *table* with the number of customers that each row stands for; None where each is
        one.

    Examples
    --------
    >>> import lifestage as ls
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> customers
    Summary(2,357 customers, 946 repeaters, period=week, until=1997-09-30, stage_window=77 days)
    >>> customers.table[["customer_id", "frequency", "recency", "T"]].head(1).round(2)
       customer_id  frequency  recency      T
    0            1          2    30.43  38.86
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
    holdout_purchases: Any = None
    purchases: Any = None
    channels: Any = None
    weights: str | None = None

    def __getstate__(self) -> dict[str, Any]:
        # Tables of DuckDB are pickled as those of Arrow.
        return {name: portable(value) for name, value in vars(self).items()}

    def without_customers(self) -> Summary:
        """Return the facts of the base without any row of a customer, as a stored model keeps them.

        Returns
        -------
        Summary
            The same with None for ``table``, ``holdout_purchases``, ``purchases`` and ``weights``.

        Examples
        --------
        >>> import lifestage as ls
        >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
        >>> customers.without_customers().table is None
        True
        """
        return replace(self, table=None, holdout_purchases=None, purchases=None, weights=None)

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
        """Make a Summary of a table with one row per customer.

        This is the table that lifetimes and PyMC-Marketing use.

        Parameters
        ----------
        frame : pandas, polars, pyarrow, DuckDB or Spark table
            ``frequency`` (repeat purchases), ``recency`` and ``T`` (periods since the first
            purchase), and optionally ``monetary_value`` (mean spend of repeat purchases; missing
            counts as 0 where frequency is 0), ``customer_id`` (else the index of a pandas table, or
            the row number), ``orders``, ``revenue``, ``first_purchase``, ``last_purchase`` (dates),
            ``channel``. All other columns, and the index of a pandas table, are kept as they are,
            through :meth:`lifestage.LTVModel.predict` too. Names of columns become text.
        period : str or Period
            Unit of recency and T: ``"hour"``, ``"day"``, ``"week"``, ``"month"``, ``"quarter"``,
            ``"year"``, or a :class:`lifestage.Period`.
        until : date or str, optional
            Last day of observation; without it no dates are predicted.
        stage_window : float, optional
            H in days; default is the 80th percentile of the mean gaps, each counted *frequency*
            times, in 14 to 730 days.
        resolution : float, optional
            Recency and T are rounded to multiples of so many days, so that customers share
            histories; see :mod:`lifestage.data.customers.compress`. Default is not to round.
        weights : str, optional
            Column with the number of customers that each row stands for, whole and at least 1,
            where rows are distinct histories: the fit is that of the table with every row repeated
            so many times. Predictions are then per row and include the column, to weight sums by.
            A column ``weight`` or ``weights`` that is not named here is refused.

        Returns
        -------
        Summary

        Raises
        ------
        DataError
            If a column is missing, repeated or of another type, a ``customer_id`` is missing or
            repeated, or a row cannot be a customer: the first such rows are named.
        ConfigError
            If an option is out of range.

        Examples
        --------
        >>> import pandas as pd
        >>> import lifestage as ls
        >>> table = pd.DataFrame({"frequency": [0, 2], "recency": [0.0, 8.0], "T": [9.0, 9.0]})
        >>> ls.Summary.from_frame(table, period="week")
        Summary(2 customers, 1 repeaters, period=week, until=None, stage_window=28 days)
        >>> ls.Summary.from_frame(table.assign(n=[300, 120]), period="week", weights="n").customers
        420
        """
        unit = Period.parse(period)
        table, kind, has_ids = open_table(frame, weights)
        table = typed(table, weights)
        check_rows(table, weights)
        if has_ids and weights is None:
            check_ids(table)
        whole = [FREQUENCY] if weights is None else [FREQUENCY, weights]
        table = table.with_columns(nw.col(*whole).cast(nw.Int64))
        if resolution is not None:
            table = round_times(table, resolution, unit)
        people = nw.lit(1) if weights is None else nw.col(weights)
        gaps = mean_gaps(table, unit, people) if stage_window is None else {}
        window, _ = choose_stage_window(gaps, stage_window, None)
        x = nw.col(FREQUENCY)
        repeaters = nw.when(x > 0).then(people).otherwise(nw.lit(0))
        counts = table.select(n=people, repeaters=repeaters, purchases=x * people)
        sums = to_pandas(counts.select(nw.col("n", "repeaters", "purchases").sum())).iloc[0]
        return cls(
            table=native(table, kind),
            period=unit,
            until=None if until is None else parse_day(until),
            stage_window=window,
            customers=int(sums["n"]),
            repeaters=int(sums["repeaters"]),
            orders=int(sums["purchases"] + sums["n"]),
            weights=weights,
        )

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
