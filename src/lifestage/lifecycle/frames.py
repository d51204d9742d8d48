"""Checks of the tables that come in, and expressions that every part of the life cycle needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw

from lifestage.core.dates import parse_day
from lifestage.core.errors import ConfigError, DataError
from lifestage.core.names import CUSTOMER, FREQUENCY, LAST_DAY
from lifestage.data.engines.frames import EXPECTED, to_pandas

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    import pandas as pd

__all__ = [
    "Frame",
    "as_count",
    "collect",
    "constant",
    "days_observed",
    "last_day",
    "open_frame",
    "orders_made",
    "require",
    "require_term",
    "required_day",
]

Frame = Any
"""A narwhals frame, eager or lazy."""


def open_frame(table: Any, needed: Iterable[str]) -> Frame:
    """Wrap *table* and check that it has the columns *needed*.

    Raises
    ------
    DataError
        If it is not a frame, or columns are missing.
    """
    try:
        frame = nw.from_native(table)
    except TypeError as error:
        raise DataError(f"expected {EXPECTED}; got {type(table).__name__}") from error
    schema = frame.collect_schema()
    missing = [name for name in needed if name not in schema]
    if missing:
        raise DataError(
            f"columns missing: {', '.join(missing)}; the table has {', '.join(schema.names())}"
        )
    return frame


def collect(frame: Frame) -> pd.DataFrame:
    """Compute a small result and bring it into pandas."""
    return to_pandas(frame)


def require(frame: Frame, holds: nw.Expr, expected: str, column: str) -> None:
    """Check that a condition holds in every row.

    Raises
    ------
    DataError
        If it is false or null in any row; the first ones are shown.
    """
    failed = frame.with_columns(_holds=as_count(holds)).filter(nw.col("_holds") == 0)
    count = int(collect(failed.select(nw.len().alias("n")))["n"].iloc[0])
    if count:
        rows = collect(failed.select(CUSTOMER, column).head(3)).to_numpy(dtype=object).tolist()
        first = ", ".join(f"{customer!r}: {value!r}" for customer, value in rows)
        raise DataError(f"{column} must be {expected}; {count:,} customers are not, first {first}")


def require_term(frame: Frame, name: str, way_out: str) -> None:
    """Check that a term which the model carries is in the scores of every buyer.

    Raises
    ------
    DataError
        If the column is missing, or holds no number.
    """
    if name in frame.collect_schema():
        finite = as_count(nw.col(name).cast(nw.Float64).is_finite())
        buyers = frame.filter(orders_made() >= 1).select(finite=finite)
        if not collect(buyers.filter(nw.col("finite") == 0).select(n=nw.len()))["n"].iloc[0]:
            return
    raise DataError(
        f"expected {name} in the scores, as a model carries it since its fit; got none: {way_out}"
    )


def constant(frame: Frame, name: str) -> float:
    """Return the one value of a term of the scores over the buyers.

    Raises
    ------
    DataError
        If there are several, or there is no buyer.
    """
    column = nw.col(name).cast(nw.Float64)
    ends = collect(
        frame.filter(orders_made() >= 1).select(low=column.min(), high=column.max())
    ).iloc[0]
    if ends["low"] is None or ends["low"] != ends["low"]:
        raise DataError("no customer has bought: there is nothing to measure")
    if ends["low"] != ends["high"]:
        raise DataError(
            f"expected one {name} in the whole table; got {ends['low']:g} to {ends['high']:g}:"
            " score all customers by one model and under the same terms"
        )
    return float(ends["low"])


def last_day(frame: Frame, until: date | str | None) -> date | None:
    """Return the last day of observation: *until*, or else the one that the scores name.

    Raises
    ------
    DataError
        If the scores name several.
    """
    if until is not None:
        return parse_day(until)
    if LAST_DAY not in frame.collect_schema():
        return None
    day = nw.col(LAST_DAY).cast(nw.Date)
    ends = collect(frame.select(low=day.min(), high=day.max()))
    if ends["low"].isna().iloc[0]:
        return None
    low, high = (parse_day(str(end)[:10]) for end in ends.iloc[0])
    if low != high:
        raise DataError(
            f"expected scores of one day of observation; got {low} to {high}: give until="
        )
    return low


def required_day(frame: Frame, until: date | str | None) -> date:
    """Return the last day of observation where nothing can be dated without it.

    Raises
    ------
    ConfigError
        If there is none.
    """
    day = last_day(frame, until)
    if day is None:
        raise ConfigError(
            "expected until=, the last day of observation of the customers: their scores name none"
        )
    return day


def as_count(condition: nw.Expr) -> nw.Expr:
    """1 where a condition holds, else 0: to be added up on any engine."""
    return nw.when(condition).then(nw.lit(1)).otherwise(nw.lit(0))


def orders_made() -> nw.Expr:
    """N, the purchase days of a customer: frequency + 1, 0 for a contact (null frequency)."""
    return (nw.col(FREQUENCY).cast(nw.Float64).fill_nan(None) + 1.0).fill_null(0.0)


def days_observed() -> nw.Expr:
    """T in days: days_silent + mean_gap_days · frequency."""
    return nw.col("days_silent") + span_days()


def span_days() -> nw.Expr:
    """Days from the first to the last purchase, 0 with one purchase."""
    x = orders_made() - 1.0
    return nw.when(x > 0).then(nw.col("mean_gap_days") * x).otherwise(nw.lit(0.0))
