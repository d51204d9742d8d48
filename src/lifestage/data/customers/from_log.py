"""A log that was read, up to a day, as a Summary."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import narwhals as nw

from lifestage.core.dates import as_date, as_number
from lifestage.core.errors import DataError
from lifestage.core.names import CUSTOMER, FREQUENCY, MONETARY, RECENCY, T
from lifestage.core.period import Period
from lifestage.data.customers.holdout import holdout_by_customer, holdout_by_frequency
from lifestage.data.customers.rounding import round_times
from lifestage.data.customers.stage_window import choose_stage_window
from lifestage.data.customers.summary import Summary
from lifestage.data.engines.fixed_point import in_money, in_units
from lifestage.data.engines.frames import ENGINES, native, to_kind, to_pandas
from lifestage.data.engines.operations import by_customer_and_day, drop, materialize, with_dates
from lifestage.data.log.fates import DAY
from lifestage.data.log.order_ids import order_totals, orders_with_id, totals_by_channel
from lifestage.data.log.plausible import MAX_EMPTY_DAYS, usual_end
from lifestage.data.log.quality import complete_quality, count_fates, raise_if_too_many_dropped
from lifestage.data.log.warnings import GIANT_ORDER, notes

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

    from lifestage.data.customers.log_options import LogOptions
    from lifestage.data.log.lines import Log

__all__ = ["summary_of_log"]


def summary_of_log(log: Log, options: LogOptions, until: date | None) -> Summary:
    """Summarise a log up to *until*, its last day if None.

    Raises
    ------
    DataError
        If no purchase is left, too many lines are unusable, or the last day is far beyond the log.
    """
    end = log.last if until is None else as_number(until)
    period, has_money = Period.parse(options.period), options.amount is not None
    quality = count_fates(log, end, has_money=has_money, drop_duplicates=options.drop_duplicates)
    raise_if_too_many_dropped(quality, end, options.max_dropped)
    usual = usual_end(log.days)
    if end - usual > MAX_EMPTY_DAYS:
        raise DataError(
            f"expected a last day within {MAX_EMPTY_DAYS:,} days of the orders; {as_date(end)} is"
            f" far beyond {as_date(usual)}, when nearly all of them end: set until="
        )

    def observed(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        return frame if log.last <= end else frame.filter(nw.col(DAY) <= end)

    sample = observed(log.sample)
    gaps = _gaps(sample)
    history = end - int(log.days[DAY].min())
    window, window_notes = choose_stage_window(gaps, options.stage_window, history)
    sums = by_customer_and_day(observed(log.purchase_days), log.unit)
    totals = order_totals(observed(log.purchase_lines()), log.unit)
    table = _customers(sums.filter(nw.col("of_day") == 0), totals, period, end)
    table = table if has_money else table.drop(MONETARY)
    if options.resolution != 1:
        table = round_times(table, options.resolution, period)
    table = materialize(table.sort(CUSTOMER) if log.sampling_factor == 1 else table)
    of_days = sums.filter(nw.col("of_day") == 1).select(DAY, "days", "revenue")
    by_day = to_pandas(of_days.sort(DAY))
    facts = {**_totals(table), "revenue": by_day["revenue"].sum()}
    quality = complete_quality(quality, log, table, int(by_day["days"].sum()), end)
    # A mistyped date does not make a holdout of centuries.
    far = log.last - usual > MAX_EMPTY_DAYS
    holdout_end = max(end, usual) if far else log.last
    holdout_days = None
    if holdout_end > end:
        holdout_days = _holdout_days(log, table, end, holdout_end)
    calendar = _calendar(table, by_day, holdout_days, log.unit)
    warnings = notes(
        quality,
        log,
        calendar,
        facts,
        _order_sizes(log, end),
        window=window,
        until=end,
        default_until=until is None,
        default_earliest=options.earliest is None,
    )
    holdout_fields: dict[str, Any] = {}
    if holdout_days is not None:
        by_customer = holdout_by_customer(holdout_days, log.unit)
        holdout_fields = {
            "holdout": holdout_by_frequency(holdout_days, table),
            "holdout_end": as_date(holdout_end),
            "holdout_purchases": _in_kind(by_customer, log.kind, "next_purchase"),
        }
    summary = Summary(
        period=period,
        until=as_date(end),
        stage_window=window,
        customers=int(facts["customers"]),
        repeaters=int(facts["repeaters"]),
        orders=int(facts["orders"]),
        gaps=gaps,
        quality=replace(quality, notes=(*warnings, *window_notes)),
        calendar=calendar.assign(day=[as_date(day) for day in calendar[DAY]]),
        purchases=_in_kind(_purchases(sample), log.kind, "date"),
        channels=totals_by_channel(totals, log.unit),
        table=_in_kind(table, log.kind, "first_purchase", "last_purchase"),
        **holdout_fields,
    )
    for stored in (sums, holdout_days, totals):
        if stored is not None:
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
    sums: nw.LazyFrame[Any], totals: nw.LazyFrame[Any] | None, period: Period, end: int
) -> nw.LazyFrame[Any]:
    """One row per customer; dates are still numbers of days."""
    if totals is not None and "order_id" in totals.collect_schema().names():
        orders = orders_with_id(totals).select(CUSTOMER, "order_id").unique()
        counts = orders.group_by(CUSTOMER).agg(nw.len().alias("orders"))
        sums = sums.join(counts, on=CUSTOMER, how="left")
        sums = sums.with_columns(nw.col("orders").fill_null(1))
    else:
        sums = sums.with_columns(nw.col("days").alias("orders"))
    frequency = nw.col("days") - 1
    repeat_revenue = nw.col("revenue") - nw.col("opening")
    days = nw.lit(period.days)
    return sums.select(
        CUSTOMER,
        frequency.cast(nw.Int64).alias(FREQUENCY),
        ((nw.col("last_purchase") - nw.col("first_purchase")) / days).alias(RECENCY),
        ((nw.lit(end) - nw.col("first_purchase")) / days).alias(T),
        nw.when(frequency > 0)
        .then(repeat_revenue / frequency)
        .otherwise(nw.lit(0.0))
        .alias(MONETARY),
        nw.col("orders").cast(nw.Int64),
        "revenue",
        "first_purchase",
        "last_purchase",
        *(["channel"] if "channel" in sums.collect_schema().names() else []),
    )


def _totals(table: nw.LazyFrame[Any]) -> dict[Any, Any]:
    """Customers, repeaters and orders of the base, and the largest revenue of one customer."""
    totals = table.select(
        nw.len().alias("customers"),
        (nw.col(FREQUENCY) > 0).cast(nw.Int64).sum().cast(nw.Int64).alias("repeaters"),
        nw.col("orders").sum().cast(nw.Int64),
        nw.col("revenue").max().alias("largest"),
    )
    return dict(to_pandas(totals).iloc[0].to_dict())


def _holdout_days(
    log: Log, table: nw.LazyFrame[Any], end: int, holdout_end: int
) -> nw.LazyFrame[Any]:
    """Store the purchase days of the customers after the last day of observation."""
    after = (nw.col(DAY) > end) & (nw.col(DAY) <= holdout_end)
    days = log.purchase_days.filter(after)
    return materialize(days.join(table.select(CUSTOMER), on=CUSTOMER, how="semi"))


def _calendar(
    table: nw.LazyFrame[Any],
    by_day: pd.DataFrame,
    holdout_days: nw.LazyFrame[Any] | None,
    unit: float | None,
) -> pd.DataFrame:
    """New customers, repeat purchases and revenue by day, to the end of the log.

    Only customers in *table* count.
    """
    import pandas as pd

    parts = [by_day]
    if holdout_days is not None:
        purchases = nw.len().alias("days")
        revenue = nw.col("net").sum().alias("revenue")
        sums = in_units(holdout_days, {"net": unit}).group_by(DAY).agg(purchases, revenue)
        money = in_money("revenue", unit).alias("revenue")
        parts.append(to_pandas(sums.with_columns(money)))
    first = to_pandas(table.group_by("first_purchase").agg(nw.len().alias("new")))
    new_by_day = dict(zip(first["first_purchase"], first["new"], strict=True))
    calendar = pd.concat(parts).sort_values(DAY, ignore_index=True)
    new = calendar[DAY].map(new_by_day).fillna(0).astype("int64")
    return pd.DataFrame(
        {
            DAY: calendar[DAY],
            "new_customers": new,
            "repeat_purchases": calendar["days"].astype("int64") - new,
            "revenue": calendar["revenue"],
        }
    )


def _order_sizes(log: Log, end: int) -> dict[str, float]:
    """Median and largest purchase day, and the largest line.

    Of a sampled log all large lines are read.
    """

    def measure(days: nw.LazyFrame[Any]) -> dict[Any, Any]:
        net = nw.col("net")
        paid = days.filter((nw.col(DAY) <= end) & (net > 0))
        sizes = paid.select(
            net.median().alias("median"), net.max().alias("day"), nw.col("largest").max()
        )
        return dict(to_pandas(sizes).iloc[0].to_dict())

    sizes = measure(log.sample)
    giant = 0.5 * GIANT_ORDER * sizes["median"]
    if log.sampling_factor > 1 and log.days["largest"].max() > giant:
        large = measure(log.purchase_days_with(in_money("money", log.unit) > giant))
        for name in ("day", "largest"):
            sizes[name] = max(large[name], sizes[name])
    return sizes


def _purchases(sample: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """One row per purchase day with the days since the one before."""
    gap = (nw.col(DAY) - nw.col("previous")).alias("gap_days")
    return materialize(sample.select(CUSTOMER, nw.col(DAY).alias("date"), gap))


def _in_kind(table: nw.LazyFrame[Any], kind: str, *dates: str) -> Any:
    """Return a stored table with dates, as a frame of the same kind as the orders.

    The engine keeps its own table only where the result reads it.
    """
    dated = with_dates(table, *dates)
    if kind in ENGINES:
        return native(dated, kind)
    result = to_kind(dated.to_native(), kind)
    drop(table)
    return result
