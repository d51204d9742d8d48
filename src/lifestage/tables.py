"""Column names, the time unit, and the frozen records that travel down the corridor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifestage.errors import ConfigError

__all__ = ["Counts", "Note", "Period", "Quality", "Summary"]

Floats = NDArray[np.float64]

CUSTOMER = "customer_id"
FREQUENCY = "frequency"
RECENCY = "recency"
T = "T"
MONETARY = "monetary_value"
KEYS = (FREQUENCY, RECENCY, T)
"""What the purchase likelihood sees of a customer; equal keys mean equal purchase predictions."""

SUMMARY_COLUMNS = (CUSTOMER, *KEYS, MONETARY)
"""Columns that every customer table has; the rest (orders, revenue, dates, channel) is optional."""

TERMS = ("horizon_days", "stage_window_days", "level", "discount_rate", "margin")
"""Constant columns of a scores table that name the terms under which its numbers hold."""

PERIODS = {"day": 1.0, "week": 7.0, "month": 30.4375, "year": 365.25}


@dataclass(frozen=True)
class Period:
    """The unit in which recency, T and horizons are expressed.

    Examples
    --------
    >>> Period.parse("week").days
    7.0
    """

    name: str
    days: float

    @classmethod
    def parse(cls, period: str | Period) -> Period:
        """Return the period called *period*: day, week, month (30.4375 days) or year (365.25 days).

        Raises
        ------
        ConfigError
            If the name is none of these.
        """
        if isinstance(period, Period):
            return period
        if period not in PERIODS:
            raise ConfigError(f"period must be one of {', '.join(PERIODS)}; got {period!r}")
        return cls(period, PERIODS[period])

    @property
    def per_year(self) -> float:
        """Periods in a year of 365.25 days."""
        return PERIODS["year"] / self.days


@dataclass(frozen=True)
class Note:
    """Something a reader must know: a stable code, one English sentence, and the numbers in it."""

    code: str
    text: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Quality:
    """What became of every row of the log: ``rows_read == rows_used + sum(dropped.values())``.

    Attributes
    ----------
    rows_read, rows_used : int
        Order lines read, and order lines that belong to a purchase day up to ``until``.
    dropped : dict of str to int
        Lines left out, by reason; each line has exactly one reason.
    merged : dict of str to int
        Lines that were used but folded into another (several lines of one customer and day).
    found : dict of str to int
        Things counted but not dropped (exact duplicates that were kept, negative lines netted on their day ...).
    notes : tuple of Note
        Warnings about the log, worst first.
    """

    rows_read: int
    rows_used: int
    dropped: Mapping[str, int] = field(default_factory=dict)
    merged: Mapping[str, int] = field(default_factory=dict)
    found: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class Summary:
    """One row a customer, and what the log says beside it.

    Attributes
    ----------
    table : frame
        In the kind that went in. Columns ``customer_id``, ``frequency`` (repeat purchase days, integer),
        ``recency`` and ``T`` (periods), ``monetary_value`` (mean spend of repeat purchase days, 0 without any);
        and, when made from orders, ``orders``, ``revenue`` (net, all purchase days up to ``until``),
        ``first_purchase``, ``last_purchase`` (dates) and ``channel`` (of the first purchase).
    period : Period
        Unit of ``recency`` and ``T``.
    until : date or None
        Last day of observation; T counts from the first purchase to this day.
    stage_window : float
        H in days: the window over which ``retained`` and the stages are judged.
    customers, repeaters, orders : int
        Rows of ``table``, those with frequency > 0, and orders up to ``until``.
    gaps : dict of int to int
        Days between consecutive purchase days of a customer → how often.
    quality : Quality or None
        The fate of every row of the log.
    calendar : pandas.DataFrame or None
        One row a day with any purchase, by customers first seen up to ``until``, through the end of the log:
        ``day`` (date), ``new_customers``, ``repeat_purchases``, ``revenue``.
    holdout : pandas.DataFrame or None
        What came after ``until``: a row a calibration ``frequency`` with ``customers``, ``purchases`` (purchase days
        after ``until``) and ``buyers``; its last day is ``holdout_end``.
    channels : pandas.DataFrame or None
        ``channel``, ``orders``, ``revenue`` up to ``until``, by the channel of the order.
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
    channels: Any = None

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        period: str | Period,
        until: date | str | None = None,
        stage_window: float | None = None,
    ) -> Summary:
        """Accept a table that is already one row a customer: see :func:`lifestage.data.summary.from_frame`."""
        from lifestage.data.summary import from_frame

        return from_frame(frame, period=period, until=until, stage_window=stage_window)

    def __repr__(self) -> str:
        return (
            f"Summary({self.customers:,} customers, {self.repeaters:,} repeaters, period={self.period.name}, "
            f"until={self.until}, stage_window={self.stage_window:g} days)"
        )
