"""An order log that is read once and summarised per customer at any number of days."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
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
from lifestage.data.engines.fixed_point import in_money, in_units
from lifestage.data.engines.frames import ENGINES, native, to_kind, to_pandas
from lifestage.data.engines.operations import by_customer_and_day, drop, materialize, with_dates
from lifestage.data.log.lines import DAY, Log, read_log
from lifestage.data.log.order_ids import channels_of, real_orders, tickets_of
from lifestage.data.log.plausible import FARTHEST, usual_end
from lifestage.data.log.quality import account, complete_quality, raise_if_too_many_dropped
from lifestage.data.log.warnings import GIANT, notes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    import pandas as pd

__all__ = ["LogOptions", "OrderLog", "order_log"]

MAX_DROPPED = 0.6


@dataclass(frozen=True)
class LogOptions:
    """How to read and summarise an order log: the arguments of :func:`lifestage.summarize` but ``until``."""

    customer: str = "customer_id"
    time: str = "date"
    amount: str | None = "amount"
    quantity: str | None = None
    order: str | None = None
    channel: str | None = None
    earliest: str | date | None = None
    period: str | Period = "week"
    tz: str | None = None
    drop_duplicates: bool = False
    drop_zero: bool = False
    stage_window: float | None = None
    resolution: float = 1
    max_dropped: float = MAX_DROPPED

    def __post_init__(self) -> None:
        Period.parse(self.period)
        if not 0 <= self.max_dropped <= 1:
            raise ConfigError(
                f"max_dropped must be a share between 0 and 1; got {self.max_dropped}"
            )


@dataclass(frozen=True, eq=False)
class OrderLog:
    """An order log that was read once, to be summarised at any number of days."""

    log: Log
    options: LogOptions

    def summary(self, until: date | None = None, *, stage_window: float | None = None) -> Summary:
        """Summarise the log up to *until*, as :func:`lifestage.summarize` does; None for its last day.

        *stage_window* takes the place of the option, where stages are not asked for.
        """
        options = self.options
        if stage_window is not None:
            options = replace(options, stage_window=stage_window)
        with step(__name__, "Summarising orders"):
            return _summary(self.log, options, until)


@contextmanager
def order_log(orders: Any, options: LogOptions) -> Iterator[OrderLog]:
    """Read an order log; what the engine stores for it is released at the end."""
    earliest = options.earliest
    roles = ("customer", "time", "amount", "quantity", "order", "channel")
    with step(__name__, "Reading orders"):
        log = read_log(
            orders,
            {role: getattr(options, role) for role in roles},
            tz=options.tz,
            earliest=None if earliest is None else as_number(parse_day(earliest, "earliest")),
            drop_duplicates=options.drop_duplicates,
            drop_zero=options.drop_zero,
        )
    try:
        yield OrderLog(log, options)
    finally:
        log.close()


def _summary(log: Log, options: LogOptions, until: date | None) -> Summary:
    period, has_money = Period.parse(options.period), options.amount is not None
    end = log.last if until is None else as_number(until)
    quality = account(log, end, has_money=has_money, drop_duplicates=options.drop_duplicates)
    raise_if_too_many_dropped(quality, end, options.max_dropped)
    if end - usual_end(log.days) > FARTHEST:
        raise DataError(
            f"expected a last day within {FARTHEST:,} days of the orders; {as_date(end)} is far"
            f" beyond {as_date(usual_end(log.days))}, when nearly all of them end: set until="
        )

    def known(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        return frame if log.last <= end else frame.filter(nw.col(DAY) <= end)

    gaps = _gaps(known(log.sample))
    window, window_notes = stage_window_of(
        gaps, options.stage_window, end - int(log.days[DAY].min())
    )
    sums = by_customer_and_day(known(log.visits), log.unit)
    tickets = tickets_of(known(log.bought()), log.unit)
    parts = sums.filter(nw.col("of_day") == 0)
    table = _customers(parts, tickets, period, end)
    table = table if has_money else table.drop(MONETARY)
    if options.resolution != 1:
        table = rounded(table, options.resolution, period)
    table = materialize(table.sort(CUSTOMER) if log.every == 1 else table)
    facts = (
        to_pandas(
            table.select(
                nw.len().alias("customers"),
                (nw.col(FREQUENCY) > 0).cast(nw.Int64).sum().cast(nw.Int64).alias("repeaters"),
                nw.col("orders").sum().cast(nw.Int64),
                nw.col("revenue").max().alias("largest"),
            )
        )
        .iloc[0]
        .to_dict()
    )
    days = sums.filter(nw.col("of_day") == 1).select(DAY, "days", "revenue")
    by_day = to_pandas(days.sort(DAY))
    facts["revenue"] = by_day["revenue"].sum()
    quality = complete_quality(quality, log, table, int(by_day["days"].sum()), end)
    # a mistyped date is no holdout of centuries
    close = (
        log.last if log.last - usual_end(log.days) <= FARTHEST else max(end, usual_end(log.days))
    )
    later = None
    if close > end:
        after = log.visits.filter((nw.col(DAY) > end) & (nw.col(DAY) <= close))
        later = materialize(after.join(table.select(CUSTOMER), on=CUSTOMER, how="semi"))
    calendar = _calendar(table, by_day, later, log.unit)
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
        default_earliest=options.earliest is None,
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
            else _finished(later_by_customer(later, log.unit), log.kind, "next_purchase")
        ),
        purchases=_finished(_purchases(known(log.sample)), log.kind, "date"),
        channels=channels_of(tickets, log.unit),
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
    table: nw.LazyFrame[Any],
    by_day: pd.DataFrame,
    later: nw.LazyFrame[Any] | None,
    unit: float | None,
) -> pd.DataFrame:
    """New customers, repeat purchases and revenue by day, of the customers in *table*, to the end of the log."""
    import pandas as pd

    days = [by_day]
    if later is not None:
        counted = (
            in_units(later, {"net": unit})
            .group_by(DAY)
            .agg(nw.len().alias("days"), nw.col("net").sum().alias("revenue"))
        )
        days.append(to_pandas(counted.with_columns(in_money("revenue", unit).alias("revenue"))))
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
        few = log.visits_of(in_money("money", log.unit) > giant)
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
    result = to_kind(dated.to_native(), kind)
    drop(table)
    return result
