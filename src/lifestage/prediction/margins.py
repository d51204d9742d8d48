"""A margin per customer: a column of the customers' table, or values beside its rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

from lifestage.core.errors import ConfigError
from lifestage.core.names import CUSTOMER
from lifestage.core.terms import short
from lifestage.data.engines.frames import ENGINES, lazy, native, to_pandas

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lifestage.data.customers.summary import Summary

__all__ = ["MARGIN_OF_ROW", "with_margins"]

MARGIN_OF_ROW = "_margin"
"""Column that holds the margin of a customer until the scores are made."""

MAX_NAMED = 3
"""Customers that an error names."""


def with_margins(customers: Summary, margin: Any) -> Summary:
    """Add the column ``_margin`` to the customers, where *margin* has a value per customer.

    Parameters
    ----------
    margin : str, or a sequence, array or Series of numbers, shape (customers,)
        A column of the table; or, for a table held in this process, values: a pandas Series is
        aligned by the index of a pandas table, everything else goes by position.

    Raises
    ------
    ConfigError
        If there is no such column, the values are not one number per customer, or one is not in (0,
        1].
    """
    table, kind = lazy(customers.table)
    names = table.collect_schema().names()
    if isinstance(margin, str):
        if margin not in names:
            raise ConfigError(
                f"margin: expected a share in (0, 1] or a column of the customers; got {margin!r},"
                f" and they have {', '.join(names)}"
            )
        if not table.collect_schema()[margin].is_numeric():
            raise ConfigError(
                f"margin: expected a column of numbers; got {margin} of"
                f" {table.collect_schema()[margin]}"
            )
        table = table.with_columns(nw.col(margin).cast(nw.Float64).alias(MARGIN_OF_ROW))
    elif kind in ENGINES:
        raise ConfigError(
            f"margin: expected a share in (0, 1], or a column of a {kind} table, whose rows have no"
            f" order; got {type(margin).__name__}"
        )
    else:
        held = table.collect()
        values = _by_row(margin, customers.table, len(held))
        column = nw.new_series(MARGIN_OF_ROW, values, nw.Float64, backend=held.implementation)
        if kind == "pandas":
            column = nw.from_native(
                column.to_native().set_axis(customers.table.index), series_only=True
            )
        table = held.with_columns(column).lazy()
    share = nw.col(MARGIN_OF_ROW)
    fine = nw.when((share > 0) & (share <= 1)).then(nw.lit(1)).otherwise(nw.lit(0))
    wrong = table.select(CUSTOMER, MARGIN_OF_ROW, fine.alias("_fine")).filter(nw.col("_fine") == 0)
    rows = to_pandas(wrong.select(CUSTOMER, MARGIN_OF_ROW).head(MAX_NAMED))
    if len(rows):
        count = int(to_pandas(wrong.select(nw.len().alias("n")))["n"].iloc[0])
        shown = ", ".join(
            f"{customer!r}: {value}" for customer, value in rows.to_numpy(dtype=object).tolist()
        )
        raise ConfigError(
            f"margin: expected shares in (0, 1]; {count:,} customers have others, first {shown}"
        )
    return replace(customers, table=native(table, kind))


def _by_row(margin: Any, table: Any, size: int) -> NDArray[np.float64]:
    """One value per row of the table."""
    import pandas as pd

    if (
        isinstance(margin, pd.Series)
        and isinstance(table, pd.DataFrame)
        and not margin.index.equals(table.index)
    ):
        if (
            not margin.index.is_unique
            or len(margin) != size
            or not table.index.isin(margin.index).all()
        ):
            lost = table.index[~table.index.isin(margin.index)][:MAX_NAMED].tolist()
            raise ConfigError(
                f"margin: expected a Series with the index of the customers' table, {size:,} rows;"
                f" got {len(margin):,} rows{f', without {lost} and perhaps more' if lost else ''}:"
                " give an array to go by position"
            )
        margin = margin.reindex(table.index)
    expected = (
        f"margin: expected a share in (0, 1], a column of the customers, or {size:,} shares, one"
        " per customer"
    )
    try:
        values = np.asarray(margin)
        numbers = values.astype(float) if values.dtype.kind in "iufO" else None
    except (TypeError, ValueError):
        numbers = None
    if (
        numbers is None
        or values.ndim != 1
        or any(isinstance(value, str | bool) for value in values.tolist())
    ):
        raise ConfigError(f"{expected}; got {short(margin)}")
    if numbers.size != size:
        raise ConfigError(f"{expected}; got {numbers.size:,}")
    return numbers
