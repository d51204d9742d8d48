"""Orders by their ids and channels, where a log has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw

from lifestage.core.names import CUSTOMER
from lifestage.data.engines.fixed_point import in_money, in_units
from lifestage.data.engines.frames import to_pandas
from lifestage.data.engines.operations import materialize
from lifestage.data.log.lines import DAY, KEYS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["channels_of", "real_orders", "tickets_of"]

NO_CHANNEL = "unknown"


def tickets_of(bought: nw.LazyFrame[Any], unit: float | None) -> nw.LazyFrame[Any] | None:
    """Lines of purchase days by customer, day, order and channel; None where neither is given."""
    given = [name for name in ("order_id", "channel") if name in bought.collect_schema().names()]
    if not given:
        return None
    sums = nw.col("money").sum().alias("net"), nw.col("money").max().alias("largest")
    tickets = bought.group_by(*KEYS, *given).agg(*sums)
    return materialize(tickets.with_columns(in_money("net", unit).alias("net")))


def real_orders(tickets: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Tickets with an order id that are not made of refunds alone."""
    return tickets.filter(~nw.col("order_id").is_null() & (nw.col("largest") >= 0))


def channels_of(tickets: nw.LazyFrame[Any] | None, unit: float | None) -> pd.DataFrame | None:
    """Orders and revenue by the channel of the order; *unit* is that of the log."""
    names = [] if tickets is None else tickets.collect_schema().names()
    if tickets is None or "channel" not in names:
        return None
    named = tickets.with_columns(nw.col("channel").fill_null(NO_CHANNEL))
    by = "order_id" if "order_id" in names else DAY
    orders = (
        (real_orders(named) if by == "order_id" else named).select(CUSTOMER, by, "channel").unique()
    )
    counted = orders.group_by("channel").agg(nw.len().alias("orders"))
    by_channel = in_units(named, {"net": unit}).group_by("channel")
    revenue = by_channel.agg(nw.col("net").sum().alias("revenue"))
    return to_pandas(
        revenue.join(counted, on="channel", how="left")
        .select(
            "channel",
            nw.col("orders").fill_null(0).cast(nw.Int64),
            in_money("revenue", unit).alias("revenue"),
        )
        .sort("channel")
    )
