"""Column names, the time unit, and the frozen records that travel down the corridor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lifestage.distinct import distinct
from lifestage.errors import ConfigError, DataError

__all__ = ["Counts", "Note", "Period", "Quality", "Summary", "expect_summary"]

Floats = NDArray[np.float64]

CUSTOMER = "customer_id"
FREQUENCY = "frequency"
RECENCY = "recency"
T = "T"
MONETARY = "monetary_value"
LAST_DAY = "observed_until"
"""Column of a scores table that names the last day of observation, where one is known."""

KEYS = (FREQUENCY, RECENCY, T)
"""What the purchase likelihood sees of a customer; equal keys mean equal purchase predictions."""

SUMMARY_COLUMNS = (CUSTOMER, *KEYS, MONETARY)
"""Columns that every customer table has; the rest (orders, revenue, dates, channel) is optional."""

HIGH_VALUE_CUT, MEDIAN_GAP = "high_value_cut", "median_gap_days"
TERMS = ("horizon_days", "stage_window_days", HIGH_VALUE_CUT, MEDIAN_GAP, "level", "discount_rate", "margin")
"""Columns of a scores table that name the terms under which its numbers hold."""

PERIODS = {"hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 30.4375, "quarter": 91.3125, "year": 365.25}
"""Days in each period that has a name of its own."""


@dataclass(frozen=True)
class Period:
    """The unit in which recency, T and horizons are expressed: one of ``PERIODS`` or one of your own.

    Parameters
    ----------
    name : str
        Singular, as texts say it.
    days : float
        Length in days, above 0.

    Raises
    ------
    ConfigError
        If the name is empty or the length is no number above 0.

    Examples
    --------
    >>> Period.parse("week").days
    7.0
    >>> str(Period("fortnight", 14))
    'fortnight of 14 days'
    """

    name: str
    days: float

    def __post_init__(self) -> None:
        if not (isinstance(self.name, str) and self.name.strip()):
            raise ConfigError(f"expected a period with a name; got {self.name!r}")
        if not (isinstance(self.days, Real) and 0 < self.days < float("inf")):
            raise ConfigError(f"expected the days of the period {self.name} as a number above 0; got {self.days!r}")

    def __str__(self) -> str:
        return self.name if PERIODS.get(self.name) == self.days else f"{self.name} of {self.days:g} days"

    @classmethod
    def parse(cls, period: str | Period) -> Period:
        """Return the period called *period*; a Period is returned as it is.

        An hour, a day, a week, a month (30.4375 days), a quarter (91.3125 days) or a year (365.25 days).

        Raises
        ------
        ConfigError
            If the name is none of these.
        """
        if isinstance(period, Period):
            return period
        if not isinstance(period, str) or period not in PERIODS:
            raise ConfigError(f"period must be one of {', '.join(PERIODS)}, or a Period(name, days); got {period!r}")
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


def _html_table(title: str, facts: Mapping[str, str], notes: tuple[Note, ...]) -> str:
    """A two-column table and the notes below it, for notebooks."""
    from html import escape

    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in facts.items())
    items = "".join(f"<li>{escape(note.text)}</li>" for note in notes)
    return f"<table><caption>{title}</caption>{rows}</table>" + (f"<ul>{items}</ul>" if items else "")


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

    def _repr_html_(self) -> str:
        counts = {"order lines read": self.rows_read, "used": self.rows_used}
        for fate in ("dropped", "merged", "found"):
            counts |= {f"{fate}: {reason.replace('_', ' ')}": n for reason, n in getattr(self, fate).items()}
        return _html_table("Quality", {name: f"{n:,}" for name, n in counts.items()}, self.notes)


@dataclass(frozen=True, eq=False)
class Summary:
    """One row a customer, and what the log says beside it.

    Attributes
    ----------
    table : frame
        In the kind that went in. Columns ``customer_id``, ``frequency`` (repeat purchase days, integer),
        ``recency`` and ``T`` (periods), ``monetary_value`` (mean spend of repeat purchase days, 0 without any; no such
        column where spend is not known); and, when made from orders, ``orders``, ``revenue`` (net, all purchase days
        up to ``until``), ``first_purchase``, ``last_purchase`` (dates) and ``channel`` (of the first purchase).
    period : Period, the unit of ``recency`` and ``T``
    until : date or None
        Last day of observation; T counts from the first purchase to this day.
    stage_window : float
        H in days: the window over which ``retained`` and the stages are judged.
    customers, repeaters, orders : int
        Customers in ``table``, those with frequency > 0, and orders up to ``until``.
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
    later : frame or None
        What came after ``until``, to ``holdout_end``: per customer of *table* who bought again ``customer_id``,
        ``next_purchase`` (date), ``purchases`` (purchase days), ``revenue``. In the kind that went in.
    purchases : frame or None
        Per purchase day up to ``until``, of all customers or, on large logs, of a sample: ``customer_id``, ``date``,
        ``gap_days`` since the purchase day before (null for the first). In the kind that went in.
    channels : pandas.DataFrame or None, with ``channel`` of the order, ``orders``, ``revenue`` up to ``until``
    weights : str or None
        Column of *table* with the number of customers that each row stands for; None where each is one.
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
        from lifestage.data import engine  # tables of DuckDB are pickled as those of Arrow

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
        """Accept a table that already has one row per customer: see :func:`lifestage.data.frames.from_frame`."""
        from lifestage.data.frames import from_frame

        terms: dict[str, Any] = {"stage_window": stage_window, "resolution": resolution, "weights": weights}
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
        return _html_table("Summary", facts, self.quality.notes if self.quality else ())

    def __repr__(self) -> str:
        return (
            f"Summary({self.customers:,} customers, {self.repeaters:,} repeaters, period={self.period.name}, "
            f"until={self.until}, stage_window={self.stage_window:g} days)"
        )


def expect_summary(customers: Any) -> None:
    """Refuse what is no Summary, such as a table of customers, with a DataError."""
    if not isinstance(customers, Summary):
        raise DataError(f"expected a Summary (ls.summarize or ls.Summary.from_frame); got {type(customers).__name__}")


@dataclass(frozen=True, eq=False)
class Counts:
    """The distinct rows of a Summary with the number of customers each stands for, all of them float arrays.

    Attributes
    ----------
    x, t_x, T : array of shape (n,)
        Repeat purchase days, recency and time observed (periods); sorted by (x, T, t_x).
    weight : array of shape (n,)
        Customers of the row.
    monetary_sum, monetary_sq_sum : array of shape (n,)
        Sum of ``monetary_value``, and of its square, over the customers of the row; NaN where spend is not known.
    spend_x, spend_m, spend_weight : array of shape (k,)
        Distinct (frequency, monetary_value) of customers with both above 0, and how many they are.

    Examples
    --------
    >>> Counts.from_arrays([0, 2, 0], [0, 5, 0], [9, 9, 9]).weight
    array([2., 1.])
    """

    x: Floats
    t_x: Floats
    T: Floats
    weight: Floats
    monetary_sum: Floats
    monetary_sq_sum: Floats
    spend_x: Floats
    spend_m: Floats
    spend_weight: Floats

    @classmethod
    def from_arrays(
        cls,
        x: ArrayLike,
        t_x: ArrayLike,
        T: ArrayLike,
        monetary_value: ArrayLike | None = None,
        weight: ArrayLike | None = None,
    ) -> Counts:
        """Count distinct rows of one value per customer, or per *weight* customers; no money, NaN for its sums."""
        x, t_x, T = (np.asarray(values) for values in (x, t_x, T))
        money = None if monetary_value is None else np.asarray(monetary_value, np.float64)
        people = None if weight is None else np.asarray(weight, np.float64)
        each = 1.0 if people is None else people
        sums = () if money is None else (each * money, each * money * money)
        found = distinct(x, T, t_x, sums=sums if people is None else (*sums, people))
        total, square = found.sums[:2] if money is not None else [np.full(found.weight.size, np.nan)] * 2
        spenders = np.zeros(x.size, bool) if money is None else (x > 0) & (money > 0)
        paid, paying = (x if money is None else money)[spenders], () if people is None else (people[spenders],)
        spends = distinct(x[spenders], paid, sums=paying)
        counted = [each.weight if people is None else each.sums[-1] for each in (found, spends)]
        histories = dict(zip(("x", "T", "t_x"), found.columns, strict=True), weight=counted[0])
        spent = dict(zip(("spend_x", "spend_m"), spends.columns, strict=True), spend_weight=counted[1])
        return cls(**histories, monetary_sum=total, monetary_sq_sum=square, **spent)

    @property
    def customers(self) -> float:
        """Number of customers, the sum of ``weight``."""
        return float(self.weight.sum())
