"""Totals of the lines of a log: by reason and day, by customer and day, and copies of a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw

from lifestage.data.engines.fixed_point import in_money
from lifestage.data.engines.frames import to_pandas
from lifestage.data.log.fates import DAY, KEYS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

__all__ = [
    "count_by_reason_and_day",
    "count_copies",
    "count_negative",
    "distinct_lines",
    "purchase_days",
]


def count_by_reason_and_day(lines: nw.LazyFrame[Any]) -> pd.DataFrame:
    """Count lines in one scan of the log, by the code of their reason and by day.

    Returns
    -------
    pandas.DataFrame
        ``reason``, ``day``; ``lines``, those ``negative`` and those ``other`` than above zero;
        ``largest`` amount, and the ``greatest`` and ``least`` absolute amount that is not zero.
    """
    money = nw.col("money")
    size = money.abs()
    return to_pandas(
        lines.group_by("reason", DAY)
        .agg(
            nw.len().cast(nw.Int64).alias("lines"),
            (money < 0).cast(nw.Int64).sum().cast(nw.Int64).alias("negative"),
            (money <= 0).cast(nw.Int64).sum().cast(nw.Int64).alias("other"),
            money.max().alias("largest"),
            size.max().alias("greatest"),
            nw.when(money != 0).then(size).min().alias("least"),
        )
        .sort("reason", DAY)
    )


def distinct_lines(lines: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Lines that differ in some column, and how many ``copies`` of each there are."""
    identity = (*KEYS, "order_id", "channel", "line")
    keys = [name for name in lines.collect_schema().names() if name in identity]
    return lines.group_by(*keys).agg(nw.len().alias("copies"), nw.col("money").min())


def count_copies(distinct: nw.LazyFrame[Any], sampling_factor: int) -> Mapping[int, int]:
    """Copies beyond the first by day, scaled up from a sample of the customers."""
    copies = (nw.col("copies") - 1).sum().alias("copies")
    repeated = distinct.filter(nw.col("copies") > 1)
    counts = to_pandas(repeated.group_by(DAY).agg(copies))
    scaled = (sampling_factor * counts["copies"]).astype(int)
    return dict(zip(map(int, counts[DAY]), scaled, strict=True))


def count_negative(lines: nw.LazyFrame[Any]) -> pd.DataFrame:
    """Lines below zero by day."""
    negative = (nw.col("money") < 0).cast(nw.Int64).sum().cast(nw.Int64).alias("negative")
    return to_pandas(lines.group_by(DAY).agg(negative))


def purchase_days(
    lines: nw.LazyFrame[Any], unit: float | None, *, largest: bool = False
) -> nw.LazyFrame[Any]:
    """One row per customer and day: ``net``, ``channel`` and, if asked for, ``largest`` line."""
    money = nw.col("money")
    totals = [money.sum().alias("net")]
    amounts = ["net"]
    if largest:
        totals.append(money.max().alias("largest"))
        amounts.append("largest")
    if "channel" in lines.collect_schema().names():
        totals.append(nw.col("channel").min())
    days = lines.group_by(*KEYS).agg(*totals)
    return days.with_columns(*(in_money(name, unit).alias(name) for name in amounts))
