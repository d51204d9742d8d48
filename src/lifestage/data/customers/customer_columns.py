"""Columns of a ready-made customer table: checked names, numbers as floats, others unchanged."""

from __future__ import annotations

from collections import Counter
from numbers import Number
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

from lifestage.core.errors import ConfigError, DataError
from lifestage.core.names import CUSTOMER, FREQUENCY, KEYS, MONETARY, RECENCY, T
from lifestage.data.engines.frames import ENGINES, columns, lazy
from lifestage.data.engines.local import opened

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

__all__ = ["open_table", "typed"]

NUMBERS = (*KEYS, MONETARY, "orders", "revenue")
DATES = ("first_purchase", "last_purchase")
UNNAMED_WEIGHTS = ("weight", "weights")
"""Columns that weights= has to name.

Counting every row as one customer would change a fit without notice.
"""


def open_table(frame: Any, weights: str | None) -> tuple[nw.LazyFrame[Any], str, bool]:
    """Check the names of a table and give it a ``customer_id``.

    Returns
    -------
    table : narwhals.LazyFrame
    kind : str
        Kind of frame, such as ``"pandas"``.
    has_ids : bool
        Whether the table had ids of its own.

    Raises
    ------
    DataError
        If it is no table, a column is missing or stands twice, or there is one of weights that is
        not named.
    ConfigError
        If *weights* is a column that means something else.
    """
    frame = opened(frame)
    is_pandas = type(frame).__module__.startswith("pandas")
    names = columns(frame)
    _check_names(names, weights)
    has_ids = CUSTOMER in names or is_pandas
    if is_pandas:
        frame = _plain_pandas(frame, weights)
    elif not has_ids:
        frame = _numbered(frame)
    table, kind = lazy(frame)
    if kind in ENGINES:
        _check_case(names)
    first = [CUSTOMER, *KEYS]
    if MONETARY in names:
        first.append(MONETARY)
    others = [name for name in table.collect_schema().names() if name not in first]
    return table.select(*first, *others), kind, has_ids


def typed(table: nw.LazyFrame[Any], weights: str | None) -> nw.LazyFrame[Any]:
    """Return the numbers as floats; the monetary value of one-time buyers is 0 where missing.

    Raises
    ------
    DataError
        If a column of numbers or dates is of another type: text is not read.
    """
    schema = table.collect_schema()
    doubles = []
    for name in _numeric(weights):
        if name not in schema:
            continue
        if not schema[name].is_numeric():
            raise DataError(
                f"expected numbers in the column {name}; got {schema[name]}: convert it first"
            )
        # Whole orders and revenue stay whole.
        if name not in ("orders", "revenue") or not schema[name].is_integer():
            doubles.append(name)
    for name in DATES:
        if name in schema and not isinstance(schema[name], nw.Date | nw.Datetime):
            raise DataError(
                f"expected dates in the column {name}; got {schema[name]}: convert it first"
            )
    table = table.with_columns(nw.col(*doubles).cast(nw.Float64))
    if MONETARY not in schema:
        return table
    money = nw.col(MONETARY)
    unspent = (nw.col(FREQUENCY) == 0) & (money.is_null() | money.is_nan())
    filled = nw.when(unspent).then(nw.lit(0.0)).otherwise(money)
    return table.with_columns(filled.alias(MONETARY))


def _numeric(weights: str | None) -> list[str]:
    return [*NUMBERS, *([] if weights is None else [weights])]


def _repeated(names: Iterable[str]) -> str:
    """Names that occur more than once, as a list in a message; empty without any."""
    return ", ".join(name for name, count in Counter(names).items() if count > 1)


def _check_names(names: Sequence[str], weights: str | None) -> None:
    if repeated := _repeated(names):
        raise DataError(
            f"expected every column once; got {repeated} more than once: rename or drop one"
        )
    needed = [FREQUENCY, RECENCY, T, *([weights] if weights is not None else [])]
    if absent := [name for name in needed if name not in names]:
        listed = f"{', '.join(needed[:-1])} and {needed[-1]}"
        raise DataError(
            f"expected the columns {listed}; {', '.join(absent)} is missing; got {', '.join(names)}"
        )
    if weights in (CUSTOMER, *NUMBERS, *DATES):
        raise ConfigError(f"weights must name a column of counts; got {weights!r}")
    unnamed = [name for name in UNNAMED_WEIGHTS if name in names]
    if weights is None and unnamed:
        raise DataError(
            f"expected to be told what the column {unnamed[0]} is: the customers that each row"
            f" stands for, by Summary.from_frame(…, weights={unnamed[0]!r}), or something else,"
            " then rename it"
        )


def _numbered(frame: Any) -> Any:
    """Add the row number from 0 as the id."""
    table, kind = lazy(frame)
    if kind == "duckdb":
        return frame.project(f'row_number() over () - 1 as "{CUSTOMER}", *')
    if kind in ENGINES:
        raise DataError(
            f"expected the column {CUSTOMER}: rows of Spark have no order to number them by"
        )
    return table.collect().with_row_index(CUSTOMER).to_native()


def _check_case(names: Sequence[str]) -> None:
    """Refuse names that differ only in case: engines read SQL, where T and t are one column."""
    if repeated := _repeated(name.lower() for name in names):
        raise DataError(f"expected names that differ in more than case; got {repeated}: rename one")


def _plain_pandas(frame: pd.DataFrame, weights: str | None) -> pd.DataFrame:
    """Names as text and the index as ids.

    Numbers and dates that are Python objects or extension types become those of numpy.
    """
    import pandas as pd
    from pandas.api.types import infer_dtype

    frame = frame.set_axis([str(name) for name in frame.columns], axis=1)
    new: dict[str, Any] = {} if CUSTOMER in frame else {CUSTOMER: _ids_of(frame.index)}
    for name in _numeric(weights):
        if name in frame and _is_numbers(frame[name]):
            new[name] = frame[name].to_numpy(dtype="float64", na_value=np.nan)
    for name in DATES:
        if name not in frame or frame[name].dtype != object:
            continue
        if infer_dtype(frame[name], skipna=True) in ("date", "datetime"):
            new[name] = pd.to_datetime(frame[name])
    frame = frame.assign(**new)
    # an index of the name of a column would be ambiguous in every join
    return frame.rename_axis(
        [None if name in frame.columns else name for name in frame.index.names]
    )


def _ids_of(index: pd.Index) -> pd.Index:
    if CUSTOMER in index.names:
        return index.get_level_values(CUSTOMER)
    if index.nlevels > 1:
        names = ", ".join(map(str, index.names))
        raise DataError(
            f"expected the column {CUSTOMER}, or an index of one level; got the levels {names}"
        )
    return index


def _is_numbers(column: pd.Series[Any]) -> bool:
    """Whether a column holds numbers as Python objects, such as Decimal, or as extension types.

    narwhals does not see these as plain numbers.
    """
    from pandas.api.types import is_bool_dtype, is_complex_dtype, is_numeric_dtype

    if column.dtype == object:
        for kind in set(map(type, column.dropna())):
            if not issubclass(kind, Number) or issubclass(kind, bool | complex):
                return False
        return True
    if isinstance(column.dtype, np.dtype):
        return False
    return (
        is_numeric_dtype(column.dtype)
        and not is_bool_dtype(column.dtype)
        and not is_complex_dtype(column.dtype)
    )
