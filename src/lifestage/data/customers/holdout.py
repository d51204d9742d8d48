"""Purchases after the last day of observation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw

from lifestage.core.names import CUSTOMER, FREQUENCY
from lifestage.data.engines.fixed_point import in_money, in_units
from lifestage.data.engines.frames import to_pandas
from lifestage.data.engines.operations import materialize
from lifestage.data.log.fates import DAY

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["holdout_by_customer", "holdout_by_frequency"]


def holdout_by_frequency(holdout_days: nw.LazyFrame[Any], table: nw.LazyFrame[Any]) -> pd.DataFrame:
    """Purchase days after the end, and who made them, by frequency before it."""
    counted = holdout_days.group_by(CUSTOMER).agg(nw.len().alias("purchases"))
    return to_pandas(
        table.select(CUSTOMER, FREQUENCY)
        .join(counted, on=CUSTOMER, how="left")
        .group_by(FREQUENCY)
        .agg(
            nw.len().alias("customers"),
            nw.col("purchases").fill_null(0).sum().cast(nw.Int64),
            nw.col("purchases").count().alias("buyers"),
        )
        .sort(FREQUENCY)
    )


def holdout_by_customer(holdout_days: nw.LazyFrame[Any], unit: float | None) -> nw.LazyFrame[Any]:
    """Store one row per customer who bought after the end; days are still numbers."""
    counted = (
        in_units(holdout_days, {"net": unit})
        .group_by(CUSTOMER)
        .agg(
            nw.col(DAY).min().alias("next_purchase"),
            nw.len().alias("purchases"),
            nw.col("net").sum().alias("revenue"),
        )
    )
    revenue = in_money("revenue", unit).alias("revenue")
    return materialize(counted.with_columns(revenue))
