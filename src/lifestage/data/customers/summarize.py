"""From an order log to one row per customer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lifestage.core.dates import parse_day
from lifestage.data.customers.log_options import MAX_DROPPED, LogOptions
from lifestage.data.customers.order_log import order_log

if TYPE_CHECKING:
    from datetime import date

    from lifestage.core.period import Period
    from lifestage.data.customers.summary import Summary

__all__ = ["summarize"]


def summarize(  # noqa: PLR0913
    orders: Any,
    *,
    customer: str = "customer_id",
    time: str = "date",
    amount: str | None = "amount",
    quantity: str | None = None,
    order: str | None = None,
    channel: str | None = None,
    until: str | date | None = None,
    earliest: str | date | None = None,
    period: str | Period = "week",
    tz: str | None = None,
    drop_duplicates: bool = False,
    drop_zero: bool = False,
    stage_window: float | None = None,
    resolution: float = 1,
    max_dropped: float = MAX_DROPPED,
) -> Summary:
    """Turn order lines into one row per customer.

    All lines of a customer on one calendar day are one purchase, worth their net, Σ amount ×
    quantity. A day is a purchase if it nets to more than zero, or if all of its lines are free.
    Refunds and cancellations (negative lines) are netted on their day; a day that nets to zero or
    less is no purchase and takes nothing from earlier days. ``frequency`` = purchase days − 1,
    ``recency`` = last − first day, ``T`` = until − first day (in periods), and ``monetary_value`` =
    mean net of the purchase days after the first, 0 without any.

    Parameters
    ----------
    orders : frame or path
        One row per order line: a pandas, polars, pyarrow, DuckDB or Spark table, or the path of a
        file (see :func:`lifestage.read_orders`).
    customer, time, amount : str
        Columns. Without amount (None) every day with a line is a purchase, and there is no spend.
    quantity : str, optional
        Column that multiplies *amount*.
    order : str, optional
        Column of order ids: ``orders`` then counts distinct ones that are not all refunds; else
        purchase days.
    channel : str, optional
        Column of channels; a customer's channel is that of the first purchase day (the smallest
        text if several).
    until : date or str, optional
        Last day of observation, included; default is the last day of the log. Later lines are the
        holdout.
    earliest : date or str, optional
        First possible day of an order; lines before it are dropped as ``implausible_time``. The
        default is 1900, or the end of a gap of ten years if most lines come after it: a few
        placeholders such as 1970-01-01 are dropped with a note, and a log with more of them, or
        with years of two digits or of another calendar, is refused. See
        :mod:`lifestage.data.log.plausible`.
    period : str or Period
        Unit of recency and T: ``"hour"``, ``"day"``, ``"week"``, ``"month"``, ``"quarter"``,
        ``"year"``, or a :class:`lifestage.Period`.
    tz : str, optional
        Time zone whose calendar cuts the days; required for, and only used on, times with a UTC
        offset.
    drop_duplicates : bool
        Drop lines that equal another in every column; otherwise they are only counted.
    drop_zero : bool
        Drop days of which all lines are free.
    stage_window : float, optional
        H in days; default is the 80th percentile of the gaps between purchase days, within 14 to
        730 days.
    resolution : float
        Recency and T are rounded to multiples of so many days; 1 leaves them as they are. Weeks (7)
        make the fit of a huge base faster, with a small bias: see
        :mod:`lifestage.data.customers.compress`.
    max_dropped : float
        Largest share of lines that may be unusable, not counting lines after *until*.

    Returns
    -------
    Summary
        Its table is of the same kind as the orders (DuckDB for files) and sorted by customer, but
        unsorted from Spark and for large bases; ``quality`` accounts for every line.

    Raises
    ------
    DataError
        If columns are missing or unreadable, too many lines are unusable, no purchase is left, or H
        is longer than the history.
    ConfigError
        If an option is out of range.

    Examples
    --------
    >>> import lifestage as ls
    >>> ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week").repeaters
    946
    """
    options = LogOptions(
        customer=customer,
        time=time,
        amount=amount,
        quantity=quantity,
        order=order,
        channel=channel,
        earliest=earliest,
        period=period,
        tz=tz,
        drop_duplicates=drop_duplicates,
        drop_zero=drop_zero,
        stage_window=stage_window,
        resolution=resolution,
        max_dropped=max_dropped,
    )
    last = None if until is None else parse_day(until)
    with order_log(orders, options) as log:
        return log.summary(last)
