"""Orders by their ids and channels, where a log has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw

from lifestage.core.names import CUSTOMER
from lifestage.data.engines.fixed_point import in_money, in_units
from lifestage.data.engines.frames import to_pandas
from lifestage.data.engines.operations import materialize
from lifestage.data.log.fates import DAY, KEYS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["order_totals", "orders_with_id", "totals_by_channel"]

NO_CHANNEL = "unknown"


def order_totals(lines: nw.LazyFrame[Any], unit: float | None) -> nw.LazyFrame[Any] | None:
    """Add up the lines of purchase days by customer, day, order and channel.

    None for a log without order ids and channels.
    """
    columns = lines.collect_schema().names()
    more = [name for name in ("order_id", "channel") if name in columns]
    if not more:
        return None
    money = nw.col("money")
    totals = lines.group_by(*KEYS, *more).agg(
        money.sum().alias("net"), money.max().alias("largest")
    )
    return materialize(totals.with_columns(in_money("net", unit).alias("net")))


def orders_with_id(totals: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Those with an order id that do not consist of refunds alone."""
    return totals.filter(~nw.col("order_id").is_null() & (nw.col("largest") >= 0))


def totals_by_channel(totals: nw.LazyFrame[Any] | None, unit: float | None) -> pd.DataFrame | None:
    """Orders and revenue by the channel of the order; *unit* is that of the log."""
    columns = [] if totals is None else totals.collect_schema().names()
    if totals is None or "channel" not in columns:
        return None
    named = totals.with_columns(nw.col("channel").fill_null(NO_CHANNEL))
    if "order_id" in columns:
        orders = orders_with_id(named).select(CUSTOMER, "order_id", "channel")
    else:  # every purchase day is one order
        orders = named.select(CUSTOMER, DAY, "channel")
    counts = orders.unique().group_by("channel").agg(nw.len().alias("orders"))
    by_channel = in_units(named, {"net": unit}).group_by("channel")
    revenue = by_channel.agg(nw.col("net").sum().alias("revenue"))
    joined = revenue.join(counts, on="channel", how="left")
    orders_made = nw.col("orders").fill_null(0).cast(nw.Int64)
    money = in_money("revenue", unit).alias("revenue")
    return to_pandas(joined.select("channel", orders_made, money).sort("channel"))
