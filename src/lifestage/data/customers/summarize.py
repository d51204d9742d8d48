"""From an order log to one row a customer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import narwhals as nw

from lifestage.core.dates import as_date, as_number, parse_day
from lifestage.core.errors import ConfigError, DataError
from lifestage.core.names import CUSTOMER, FREQUENCY, MONETARY, RECENCY, T
from lifestage.core.period import Period
from lifestage.core.steps import step
from lifestage.data.customers.holdout import later_by_customer, later_by_frequency
from lifestage.data.customers.rounding import rounded
from lifestage.data.customers.stage_window import stage_window_of
from lifestage.data.customers.summary import Summary
from lifestage.data.engines.frames import (
    ENGINES,
    as_kind,
    by_customer_and_day,
    drop,
    materialize,
    native,
    to_pandas,
    with_dates,
)
from lifestage.data.log.lines import DAY, Log, read_log
from lifestage.data.log.order_ids import channels_of, real_orders, tickets_of
from lifestage.data.log.plausible import FARTHEST, usual_end
from lifestage.data.log.quality import account, complete_quality, raise_if_too_many_dropped
from lifestage.data.log.warnings import GIANT, notes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    import pandas as pd

__all__ = ["summarize"]

MAX_DROPPED = 0.6


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
    earliest: str | date | None = None,
    period: str | Period = "week",
    tz: str | None = None,
    drop_duplicates: bool = False,
    drop_zero: bool = False,
    stage_window: float | None = None,
    resolution: float = 1,
    max_dropped: float = MAX_DROPPED,
) -> Summary:
    """Turn order lines into one row a customer.

    All lines of a customer on one calendar day are one purchase, worth their net, Σ amount ×
    quantity. A day is a purchase if it nets to more than zero, or if all of its lines are free.
    Refunds and cancellations (negative lines) are netted on their day; a day that nets to zero or
    less is no purchase and takes nothing from earlier days. ``frequency`` = purchase days − 1,
    ``recency`` = last − first day, ``T`` = until − first day (in periods), and ``monetary_value`` =
    mean net of the purchase days after the first, 0 without any.

    Parameters
    ----------
    orders : pandas, polars, pyarrow, DuckDB or Spark table, or the path of a file (see
    :func:`lifestage.read_orders`)
        One row an order line.
    customer, time, amount : str
        Columns. Without amount (None) every day with a line is a purchase, and money is not known.
    quantity : str, optional
        Column that multiplies *amount*.
    order : str, optional
        Column of order ids: ``orders`` then counts distinct ones that are not all refunds; else
        purchase days.
    channel : str, optional
        Column of channels; a customer's channel is that of the first purchase day (the smallest
        text if several).
    until : date or str, optional
        Last day of observation, included; default is the last day of the log. What comes later is
        the holdout.
    earliest : date or str, optional
        First day that an order can be of; lines before it are dropped as ``implausible_time``. By
        default that is 1900, or the end of a hole of ten years that most lines come after: so a few
        placeholders such as 1970-01-01 are dropped with a note, and a log with more of them, or
        with years of two digits or of another calendar, is refused. See
        :mod:`lifestage.data.log.plausible`.
    period : ``"hour"``, ``"day"``, ``"week"``, ``"month"``, ``"quarter"``, ``"year"``, or a
    :class:`lifestage.Period` tz : str, optional
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
        Days to whose multiples recency and T are rounded; 1 leaves them as they are. Weeks (7) make
        a fit of a huge base cheaper and a little wrong: see
        :mod:`lifestage.data.customers.compress`.
    max_dropped : float
        Largest share of lines that may be unusable, for other reasons than coming after *until*.

    Returns
    -------
    Summary
        Its table is sorted by customer and of the kind that came in (DuckDB for files); ``quality``
        accounts for every line. Of Spark, and on large bases, it has no order.

    Raises
    ------
    DataError
        If columns are missing or unreadable, too many lines are, no purchase is left, or H is
        longer than the history.
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
    first = None if earliest is None else as_number(parse_day(earliest, "earliest"))
    if not 0 <= max_dropped <= 1:
        raise ConfigError(f"max_dropped must be a share between 0 and 1; got {max_dropped}")
    roles = {
        "customer": customer,
        "time": time,
        "amount": amount,
        "quantity": quantity,
        "order": order,
    }
    options: dict[str, Any] = {
        "tz": tz,
        "earliest": first,
        "drop_duplicates": drop_duplicates,
        "drop_zero": drop_zero,
    }
    with step(__name__, "Reading and summarising orders"):
        log = read_log(orders, roles | {"channel": channel}, **options)
        try:
            return _summary(
                log, options, unit, last, amount is not None, stage_window, resolution, max_dropped
            )
        finally:
            log.close()


def _summary(
    log: Log,
    options: Mapping[str, Any],
    period: Period,
    until: date | None,
    has_money: bool,
    stage_window: float | None,
    resolution: float,
    max_dropped: float,
) -> Summary:
    end = log.last if until is None else as_number(until)
    quality = account(log, end, has_money=has_money, drop_duplicates=options["drop_duplicates"])
    raise_if_too_many_dropped(quality, end, max_dropped)
    if end - usual_end(log.days) > FARTHEST:
        raise DataError(
            f"expected a last day within {FARTHEST:,} days of the orders; {as_date(end)} is far"
            f" beyond {as_date(usual_end(log.days))}, when nearly all of them end: set until="
        )

    def known(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        return frame if log.last <= end else frame.filter(nw.col(DAY) <= end)

    gaps = _gaps(known(log.sample))
    window, window_notes = stage_window_of(gaps, stage_window, end - int(log.days[DAY].min()))
    sums = by_customer_and_day(known(log.visits))
    tickets = tickets_of(known(log.bought()))
    parts = sums.filter(nw.col("of_day") == 0)
    table = _customers(parts, tickets, period, end)
    table = table if has_money else table.drop(MONETARY)
    if resolution != 1:
        table = rounded(table, resolution, period)
    table = materialize(table.sort(CUSTOMER) if log.every == 1 else table)
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
    by_day = to_pandas(sums.filter(nw.col("of_day") == 1).select(DAY, "days", "revenue"))
    quality = complete_quality(quality, log, table, int(by_day["days"].sum()), end)
    # a mistyped date is no holdout of centuries
    close = (
        log.last if log.last - usual_end(log.days) <= FARTHEST else max(end, usual_end(log.days))
    )
    later = None
    if close > end:
        after = log.visits.filter((nw.col(DAY) > end) & (nw.col(DAY) <= close))
        later = materialize(after.join(table.select(CUSTOMER), on=CUSTOMER, how="semi"))
    calendar = _calendar(table, by_day, later)
    found = notes(
        quality,
        log.days,
        calendar,
        facts,
        _sizes(log, end),
        window=window,
        until=end,
        default_until=until is None,
        malformed=log.malformed,
        implausible=log.implausible,
        default_earliest=options["earliest"] is None,
    )
    summary = Summary(
        period=period,
        until=as_date(end),
        stage_window=window,
        customers=int(facts["customers"]),
        repeaters=int(facts["repeaters"]),
        orders=int(facts["orders"]),
        gaps=gaps,
        quality=replace(quality, notes=(*found, *window_notes)),
        calendar=calendar.assign(day=[as_date(day) for day in calendar[DAY]]),
        holdout=None if later is None else later_by_frequency(later, table),
        holdout_end=as_date(close) if close > end else None,
        later=(
            None
            if later is None
            else _finished(later_by_customer(later), log.kind, "next_purchase")
        ),
        purchases=_finished(_purchases(known(log.sample)), log.kind, "date"),
        channels=channels_of(tickets),
        table=_finished(table, log.kind, "first_purchase", "last_purchase"),
    )
    for stored in (sums, *(frame for frame in (later, tickets) if frame is not None)):
        drop(stored)
    return summary


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


def _customers(
    sums: nw.LazyFrame[Any], tickets: nw.LazyFrame[Any] | None, period: Period, end: int
) -> nw.LazyFrame[Any]:
    """A row a customer; dates are still numbers of days."""
    if tickets is not None and "order_id" in tickets.collect_schema().names():
        orders = real_orders(tickets).select(CUSTOMER, "order_id").unique()
        counted = orders.group_by(CUSTOMER).agg(nw.len().alias("orders"))
        sums = sums.join(counted, on=CUSTOMER, how="left").with_columns(
            nw.col("orders").fill_null(1)
        )
    else:
        sums = sums.with_columns(nw.col("days").alias("orders"))
    frequency = nw.col("days") - 1
    day = nw.lit(period.days)
    return sums.select(
        CUSTOMER,
        frequency.cast(nw.Int64).alias(FREQUENCY),
        ((nw.col("last_purchase") - nw.col("first_purchase")) / day).alias(RECENCY),
        ((nw.lit(end) - nw.col("first_purchase")) / day).alias(T),
        nw.when(frequency > 0)
        .then((nw.col("revenue") - nw.col("opening")) / frequency)
        .otherwise(nw.lit(0.0))
        .alias(MONETARY),
        nw.col("orders").cast(nw.Int64),
        "revenue",
        "first_purchase",
        "last_purchase",
        *(["channel"] if "channel" in sums.collect_schema().names() else []),
    )


def _calendar(
    table: nw.LazyFrame[Any], by_day: pd.DataFrame, later: nw.LazyFrame[Any] | None
) -> pd.DataFrame:
    """New customers, repeat purchases and revenue by day, of the customers in *table*, to the end of the log."""
    import pandas as pd

    days = [by_day]
    if later is not None:
        days.append(
            to_pandas(
                later.group_by(DAY).agg(
                    nw.len().alias("days"), nw.col("net").sum().alias("revenue")
                )
            )
        )
    first = to_pandas(table.group_by("first_purchase").agg(nw.len().alias("new")))
    fresh = dict(zip(first["first_purchase"], first["new"], strict=True))
    calendar = pd.concat(days).sort_values(DAY, ignore_index=True)
    new = calendar[DAY].map(fresh).fillna(0).astype("int64")
    return pd.DataFrame(
        {
            DAY: calendar[DAY],
            "new_customers": new,
            "repeat_purchases": calendar["days"].astype("int64") - new,
            "revenue": calendar["revenue"],
        }
    )


def _sizes(log: Log, end: int) -> dict[str, float]:
    """Median and largest purchase day, and the largest line of one; large ones are looked for beyond the sample."""

    def measure(visits: nw.LazyFrame[Any]) -> dict[Any, Any]:
        paid = visits.filter((nw.col(DAY) <= end) & (nw.col("net") > 0))
        net = nw.col("net")
        facts = paid.select(
            net.median().alias("median"), net.max().alias("day"), nw.col("largest").max()
        )
        return dict(to_pandas(facts).iloc[0].to_dict())

    sizes = measure(log.sample)
    giant = 0.5 * GIANT * sizes["median"]
    if log.every > 1 and log.days["largest"].max() > giant:
        few = log.visits_of(nw.col("money") > giant)
        sizes |= {
            name: max(value, sizes[name])
            for name, value in measure(few).items()
            if name != "median"
        }
    return sizes


def _purchases(sample: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """A row a purchase day with the days since the one before."""
    gap = (nw.col(DAY) - nw.col("previous")).alias("gap_days")
    return materialize(sample.select(CUSTOMER, nw.col(DAY).alias("date"), gap))


def _finished(table: nw.LazyFrame[Any], kind: str, *dates: str) -> Any:
    """A stored table with dates, in the kind that came in; what the engine stored is kept only if it is used."""
    dated = with_dates(table, *dates)
    if kind in ENGINES:
        return native(dated, kind)
    result = as_kind(dated.to_native(), kind)
    drop(table)
    return result
