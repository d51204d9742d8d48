"""From an order log to one row a customer."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import narwhals as nw

from lifestage.data.days import as_date, as_number, parse_day
from lifestage.data.engine import as_kind, drop, materialize, native, to_pandas, with_dates
from lifestage.data.frames import from_frame
from lifestage.data.notes import notes, usual_end
from lifestage.data.orders import DAY, KEYS, Log, read_log
from lifestage.data.quality import account, refuse_bad
from lifestage.data.window import stage_window_of
from lifestage.errors import ConfigError, DataError
from lifestage.tables import CUSTOMER, FREQUENCY, MONETARY, RECENCY, Period, Summary, T

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["from_frame", "summarize"]

MAX_DROPPED = 0.6
FARTHEST = 3650
"""Days between the end of nearly all orders and the last day of observation beyond which a typing error is assumed."""
NO_CHANNEL = "unknown"


def summarize(
    orders: Any,
    *,
    customer: str = "customer_id",
    time: str = "date",
    amount: str | None = "amount",
    quantity: str | None = None,
    order: str | None = None,
    channel: str | None = None,
    until: str | date | None = None,
    period: str | Period = "week",
    tz: str | None = None,
    drop_duplicates: bool = False,
    drop_zero: bool = False,
    stage_window: float | None = None,
    max_dropped: float = MAX_DROPPED,
) -> Summary:
    """Turn order lines into one row a customer.

    All lines of a customer on one calendar day are one purchase, worth their net, Σ amount × quantity. A day is a
    purchase if it nets to more than zero, or if all of its lines are free. Refunds and cancellations (negative lines)
    are netted on their day; a day that nets to zero or less is no purchase and takes nothing from earlier days.
    ``frequency`` = purchase days − 1, ``recency`` = last − first day, ``T`` = until − first day (in periods), and
    ``monetary_value`` = mean net of the purchase days after the first, 0 without any.

    Parameters
    ----------
    orders : pandas, polars, pyarrow or DuckDB table, or the path of a file (see :func:`lifestage.read_orders`)
        One row an order line.
    customer, time, amount : str
        Columns. Without amount (None) every day with a line is a purchase and money is 0.
    quantity : str, optional
        Column that multiplies *amount*.
    order : str, optional
        Column of order ids: ``orders`` then counts distinct ones that are not all refunds; else purchase days.
    channel : str, optional
        Column of channels; a customer's channel is that of the first purchase day (the smallest text if several).
    until : date or str, optional
        Last day of observation, included; default is the last day of the log. What comes later is the holdout.
    period : ``"day"``, ``"week"``, ``"month"`` or ``"year"``
    tz : str, optional
        Time zone whose calendar cuts the days; required for, and only used on, times with a UTC offset.
    drop_duplicates : bool
        Drop lines that equal another in every column; otherwise they are only counted.
    drop_zero : bool
        Drop days of which all lines are free.
    stage_window : float, optional
        H in days; default is the 80th percentile of the gaps between purchase days, within 14 to 730 days.
    max_dropped : float
        Largest share of lines that may be unusable, for other reasons than coming after *until*.

    Returns
    -------
    Summary
        Its table is sorted by customer and of the kind that came in (DuckDB for files); ``quality`` accounts for
        every line.

    Raises
    ------
    DataError
        If columns are missing or unreadable, too many lines are, no purchase is left, or H is longer than the history.
    ConfigError
        If an option is out of range.

    Examples
    --------
    >>> import lifestage as ls
    >>> ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week").repeaters
    946
    """
    unit = Period.parse(period)
    last = None if until is None else parse_day(until)
    if not 0 <= max_dropped <= 1:
        raise ConfigError(f"max_dropped must be a share between 0 and 1; got {max_dropped}")
    roles = {"customer": customer, "time": time, "amount": amount, "quantity": quantity, "order": order}
    log = read_log(orders, roles | {"channel": channel}, tz=tz, drop_duplicates=drop_duplicates, drop_zero=drop_zero)
    try:
        return _summary(log, unit, last, amount is not None, drop_duplicates, stage_window, max_dropped)
    finally:
        log.close()


def _summary(
    log: Log,
    period: Period,
    until: date | None,
    has_money: bool,
    drop_duplicates: bool,
    stage_window: float | None,
    max_dropped: float,
) -> Summary:
    end = log.last if until is None else as_number(until)
    quality = account(log, end, has_money=has_money, drop_duplicates=drop_duplicates)
    refuse_bad(quality, end, max_dropped)
    if end - usual_end(log.days) > FARTHEST:
        raise DataError(
            f"expected a last day within {FARTHEST:,} days of the orders; {as_date(end)} is far beyond "
            f"{as_date(usual_end(log.days))}, when nearly all of them end: set until="
        )
    before = log.visits.filter(nw.col(DAY) <= end)
    gaps = _gaps(before)
    first = int(log.days[DAY].min())
    window, window_notes = stage_window_of(gaps, stage_window, end - first)
    tickets = log.tickets.filter((nw.col("reason") == 0) & (nw.col(DAY) <= end)).join(
        before.select(*KEYS), on=list(KEYS), how="semi"
    )
    table = materialize(_customers(before, tickets, period, end).sort(CUSTOMER))
    facts = (
        to_pandas(
            table.select(
                nw.len().alias("customers"),
                (nw.col(FREQUENCY) > 0).cast(nw.Int64).sum().cast(nw.Int64).alias("repeaters"),
                nw.col("orders").sum().cast(nw.Int64),
                nw.col("revenue").sum(),
                nw.col("revenue").max().alias("largest"),
            )
        )
        .iloc[0]
        .to_dict()
    )
    close = log.last if log.last - usual_end(log.days) <= FARTHEST else max(end, usual_end(log.days))
    visits = log.visits.filter(nw.col(DAY) <= close)  # a mistyped date is no holdout of centuries
    calendar = _calendar(visits, table)
    sizes = (
        to_pandas(
            before.filter(nw.col("net") > 0).select(
                nw.col("net").median().alias("median"), nw.col("net").max().alias("day"), nw.col("largest").max()
            )
        )
        .iloc[0]
        .to_dict()
    )
    found = notes(quality, log.days, calendar, facts, sizes, window=window, until=end, default_until=until is None)
    return Summary(
        period=period,
        until=as_date(end),
        stage_window=window,
        customers=int(facts["customers"]),
        repeaters=int(facts["repeaters"]),
        orders=int(facts["orders"]),
        gaps=gaps,
        quality=replace(quality, notes=(*found, *window_notes)),
        calendar=calendar.assign(day=[as_date(day) for day in calendar[DAY]]),
        holdout=_holdout(visits, table, end) if close > end else None,
        holdout_end=as_date(close) if close > end else None,
        channels=_channels(tickets),
        table=_finished(table, log.kind),
    )


def _gaps(visits: nw.LazyFrame[Any]) -> dict[int, int]:
    """Days between consecutive purchase days → how often."""
    gaps = to_pandas(
        visits.filter(~nw.col("previous").is_null())
        .select((nw.col(DAY) - nw.col("previous")).alias("gap"))
        .group_by("gap")
        .agg(nw.len().alias("n"))
        .sort("gap")
    )
    return dict(zip(map(int, gaps["gap"]), map(int, gaps["n"]), strict=True))


def _customers(visits: nw.LazyFrame[Any], tickets: nw.LazyFrame[Any], period: Period, end: int) -> nw.LazyFrame[Any]:
    """A row a customer; dates are still numbers of days."""
    names = tickets.collect_schema().names()
    opening = nw.col("previous").is_null()
    channel = [nw.when(opening).then(nw.col("channel")).min().alias("channel")] if "channel" in names else []
    table = visits.group_by(CUSTOMER).agg(
        nw.col(DAY).min().alias("first_purchase"),
        nw.col(DAY).max().alias("last_purchase"),
        nw.len().alias("days"),
        nw.col("net").sum().alias("revenue"),
        nw.when(opening).then(nw.lit(0.0)).otherwise(nw.col("net")).sum().alias("repeat"),
        *channel,
    )
    if "order_id" in names:
        orders = _real_orders(tickets).select(CUSTOMER, "order_id").unique()
        counted = orders.group_by(CUSTOMER).agg(nw.len().alias("orders"))
        table = table.join(counted, on=CUSTOMER, how="left").with_columns(nw.col("orders").fill_null(1))
    else:
        table = table.with_columns(nw.col("days").alias("orders"))
    frequency = nw.col("days") - 1
    day = nw.lit(period.days)
    return table.select(
        CUSTOMER,
        frequency.cast(nw.Int64).alias(FREQUENCY),
        ((nw.col("last_purchase") - nw.col("first_purchase")) / day).alias(RECENCY),
        ((nw.lit(end) - nw.col("first_purchase")) / day).alias(T),
        nw.when(frequency > 0).then(nw.col("repeat") / frequency).otherwise(nw.lit(0.0)).alias(MONETARY),
        nw.col("orders").cast(nw.Int64),
        "revenue",
        "first_purchase",
        "last_purchase",
        *(["channel"] if channel else []),
    )


def _real_orders(tickets: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Tickets with an order id that are not made of refunds alone."""
    return tickets.filter(~nw.col("order_id").is_null() & (nw.col("largest") >= 0))


def _calendar(visits: nw.LazyFrame[Any], table: nw.LazyFrame[Any]) -> pd.DataFrame:
    """New customers, repeat purchases and revenue by day, of the customers in *table*, to the end of the log."""
    opening = nw.col("previous").is_null()
    return to_pandas(
        visits.join(table.select(CUSTOMER), on=CUSTOMER, how="semi")
        .group_by(DAY)
        .agg(
            opening.cast(nw.Int64).sum().cast(nw.Int64).alias("new_customers"),
            (~opening).cast(nw.Int64).sum().cast(nw.Int64).alias("repeat_purchases"),
            nw.col("net").sum().alias("revenue"),
        )
        .sort(DAY)
    )


def _holdout(visits: nw.LazyFrame[Any], table: nw.LazyFrame[Any], end: int) -> pd.DataFrame:
    """Purchase days after *end* by frequency."""
    later = visits.filter(nw.col(DAY) > end).group_by(CUSTOMER).agg(nw.len().alias("purchases"))
    return to_pandas(
        table.select(CUSTOMER, FREQUENCY)
        .join(later, on=CUSTOMER, how="left")
        .group_by(FREQUENCY)
        .agg(
            nw.len().alias("customers"),
            nw.col("purchases").fill_null(0).sum().cast(nw.Int64),
            nw.col("purchases").count().alias("buyers"),
        )
        .sort(FREQUENCY)
    )


def _channels(tickets: nw.LazyFrame[Any]) -> pd.DataFrame | None:
    """Orders and revenue by the channel of the order."""
    names = tickets.collect_schema().names()
    if "channel" not in names:
        return None
    named = tickets.with_columns(nw.col("channel").fill_null(NO_CHANNEL))
    by = "order_id" if "order_id" in names else DAY
    orders = (_real_orders(named) if by == "order_id" else named).select(CUSTOMER, by, "channel").unique()
    counted = orders.group_by("channel").agg(nw.len().alias("orders"))
    revenue = named.group_by("channel").agg(nw.col("net").sum().alias("revenue"))
    return to_pandas(
        revenue.join(counted, on="channel", how="left")
        .select("channel", nw.col("orders").fill_null(0).cast(nw.Int64), "revenue")
        .sort("channel")
    )


def _finished(table: nw.LazyFrame[Any], kind: str) -> Any:
    """The customer table with dates, in the kind that came in; what the engine stored is kept only if it is used."""
    dated = with_dates(table, "first_purchase", "last_purchase")
    if kind == "duckdb":
        return native(dated, kind)
    result = as_kind(dated.to_native(), kind)
    drop(table)
    return result
