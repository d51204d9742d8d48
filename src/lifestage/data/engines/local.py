"""Columns of a frame in this process as Arrow, exactly: what a column of objects holds is looked at, never guessed.

Only columns that have a role are handed to the engine, so that it does not matter what the others
hold, or how many they are. They count only for lines that are equal in all columns with a role:
whether these are exact duplicates.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from numbers import Real
from typing import TYPE_CHECKING, Any
from uuid import UUID

import narwhals as nw
import numpy as np

from lifestage.core.errors import DataError
from lifestage.data.engines import duckdb as duck

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

__all__ = ["REST", "exact_column", "names", "opened", "place_of", "rest_of", "types_of"]

TABLES = "a pandas, polars, pyarrow, DuckDB or Spark table"
REST = "lifestage_rest"
"""Column that stands for all columns without a role."""
MONEY = ("amount", "quantity")
EXPECTED = {
    "customer": "ids",
    "time": "dates, timestamps or text",
    **dict.fromkeys(MONEY, "numbers"),
}
WHOLE = ((-(2**63), 2**63, "int64"), (0, 2**64, "uint64"))


def opened(source: Any) -> Any:
    """What :func:`relation` reads: a frame without its wrapper, a pyarrow table in the place of its relatives.

    Raises
    ------
    DataError
        If it is no table, or could be read only once.
    """
    if isinstance(source, nw.LazyFrame | nw.DataFrame):
        source = source.to_native()
    kind = type(source)
    if kind.__module__.startswith("pyarrow"):
        import pyarrow as pa

        if isinstance(source, pa.RecordBatchReader):
            raise DataError(
                "expected a table that can be read more than once; got a RecordBatchReader:"
                " read_all() it"
            )
        if isinstance(source, pa.RecordBatch):
            return pa.Table.from_batches([source])
        if hasattr(source, "to_table") or isinstance(source, pa.Table):
            return source if isinstance(source, pa.Table) else source.to_table()
    if kind.__module__.startswith("polars") and kind.__name__ == "LazyFrame":
        return source.collect()
    if kind.__name__ not in ("DataFrame", "DuckDBPyRelation"):
        raise DataError(f"expected {TABLES}; got {kind.__name__}")
    if duck.is_mine(source):
        duck.check_connection(source)
    return source


def names(frame: Any) -> list[Any]:
    """Names of the columns as they are, which need not be text, nor different."""
    return list(
        frame.column_names if type(frame).__module__.startswith("pyarrow") else frame.columns
    )


def place_of(frame: Any, name: Any, role: str) -> int | None:
    """The place of a column, by its name or what that is as text; None where there is none.

    Raises
    ------
    DataError
        If several have the name.
    """
    came = names(frame)
    found = [place for place, each in enumerate(came) if each == name]
    found = found or [place for place, each in enumerate(came) if str(each) == str(name)]
    if len(found) > 1:
        raise DataError(
            f"expected one column {name!r} ({role}=); the orders have {len(found)} of that name"
        )
    return found[0] if found else None


def types_of(frame: Any, place: int) -> dict[str, int]:
    """How many values of which Python type a column of objects holds; empty for a column of one type."""
    column = _column(frame, place)
    if str(column.dtype if hasattr(column, "dtype") else "") not in ("object", "Object"):
        return {}
    kinds = _objects(column).dropna().map(lambda value: type(value).__name__).value_counts()
    return {str(kind): int(count) for kind, count in kinds.items()} if len(kinds) > 1 else {}


def exact_column(frame: Any, place: int, role: str) -> Any:
    """A column as Arrow in a type that the engine reads exactly: objects by what they are, money as doubles.

    Raises
    ------
    DataError
        If its values cannot have this role.
    """
    import pyarrow as pa

    name, column = names(frame)[place], _column(frame, place)
    try:
        if type(column).__module__.startswith("pandas"):
            return pa.array(_plain_pandas(column, role), from_pandas=True)
        if type(column).__module__.startswith("polars"):
            return _plain_polars(column, role)
        return _plain_arrow(column, role)
    except (pa.ArrowException, TypeError, ValueError, NotImplementedError) as error:
        kind = column.type if hasattr(column, "type") else column.dtype
        raise DataError(
            f"expected {EXPECTED.get(role, 'text')} in column {name!r}; got {kind}: {error}"
        ) from error


def rest_of(frame: Any, used: Collection[int], rows: NDArray[np.int64]) -> NDArray[np.uint64]:
    """A number a row of the frame, equal for those of *rows* that are equal in the columns not *used*."""
    size = len(frame)
    found, few = np.zeros(size, np.uint64), np.zeros(rows.size, np.uint64)
    for place in sorted(set(range(len(names(frame)))) - set(used)):
        few = few * np.uint64(31) + _hashes(_column(frame, place), rows)
    found[rows] = few
    return found


def _hashes(column: Any, rows: NDArray[np.int64]) -> NDArray[np.uint64]:
    from pandas.util import hash_pandas_object

    values = column.iloc[rows] if hasattr(column, "iloc") else _objects(column, rows)
    try:
        return np.asarray(hash_pandas_object(values, index=False, categorize=False), np.uint64)
    except (TypeError, ValueError, NotImplementedError):
        text = values.astype(object).map(repr, na_action="ignore")
        return np.asarray(hash_pandas_object(text.astype("str"), index=False), np.uint64)


def _column(frame: Any, place: int) -> Any:
    if hasattr(frame, "iloc"):
        return frame.iloc[:, place]
    return frame.column(place) if hasattr(frame, "column_names") else frame.to_series(place)


def _objects(column: Any, rows: NDArray[np.int64] | None = None) -> Any:
    """Values of a column, or some of them, as a pandas column: of Python objects where pandas has no type for them."""
    import pandas as pd

    if type(column).__module__.startswith("pandas"):
        return column if rows is None else column.iloc[rows]
    part = (
        column
        if rows is None
        else column[rows]
        if hasattr(column, "to_list")
        else column.take(rows)
    )
    try:
        found = part.to_pandas()
    except Exception:  # each engine has its own errors for a type that it cannot give away
        listed = part.to_pylist() if hasattr(part, "to_pylist") else part.to_list()
        return pd.Series(listed, dtype=object)
    return found.reset_index(drop=True)


def _plain_pandas(column: Any, role: str) -> Any:
    import pandas as pd

    kind: Any = column.dtype
    if isinstance(kind, pd.CategoricalDtype):
        return _plain_pandas(column.astype(kind.categories.dtype), role)
    if isinstance(kind, pd.SparseDtype):
        return _plain_pandas(column.sparse.to_dense(), role)
    if isinstance(kind, pd.PeriodDtype):
        if role == "time" and (column.dt.end_time.dt.normalize() > column.dt.start_time).any():
            raise TypeError("a period longer than a day does not tell the day")
        return column.dt.to_timestamp() if role == "time" else column.astype("str")
    if isinstance(kind, np.dtype) and kind.kind == "f" and kind.itemsize not in (4, 8):
        return column.astype("float64")
    return _plain_objects(column, role) if kind == "object" else column


def _plain_polars(column: Any, role: str) -> Any:
    import polars as pl

    if column.dtype == pl.Object:
        import pyarrow as pa

        return pa.array(_plain_objects(_objects(column), role), from_pandas=True)
    if column.dtype in (pl.Int128, pl.UInt128):
        column = column.cast(pl.Float64 if role in MONEY else pl.String)
    return (column.cast(pl.Float32) if column.dtype == pl.Float16 else column).to_arrow()


def _plain_arrow(column: Any, role: str) -> Any:
    import pyarrow as pa

    if pa.types.is_decimal256(column.type):
        return column.cast(pa.float64() if role in MONEY else pa.string())
    return column.cast(pa.float32()) if pa.types.is_float16(column.type) else column


def _plain_objects(column: Any, role: str) -> Any:
    """A column of Python objects as one of numbers, dates or text, exactly."""
    import pandas as pd

    known = column.dropna()
    kinds = set(map(type, known))
    if role in MONEY and all(issubclass(kind, Real | Decimal) for kind in kinds):
        return _placed(known.map(float), column)
    if role not in MONEY and all(
        issubclass(kind, int | np.integer | Decimal) and kind is not bool for kind in kinds
    ):
        return _placed(_integers(known), column)
    if kinds == {date} or (
        role == "customer" and all(issubclass(kind, Real | np.bool_) for kind in kinds)
    ):
        return column
    if role == "customer" and not all(issubclass(kind, str | date | UUID) for kind in kinds):
        raise TypeError(
            f"{', '.join(kind.__name__ for kind in kinds)} cannot be an id; turn them into text"
        )
    return column.map(str, na_action="ignore").astype(pd.StringDtype(na_value=np.nan))


def _integers(values: Any) -> Any:
    """Whole numbers in 64 bits where all fit, else as text; so are decimals that are not whole."""
    if all(value == value.to_integral_value() for value in values if isinstance(value, Decimal)):
        whole = values.map(int)
        for low, high, kind in WHOLE:
            if not len(whole) or (min(whole) >= low and max(whole) < high):
                return whole.astype(kind)
        return whole.map(str)
    return values.map(lambda value: format(Decimal(value), "f"))


def _placed(known: Any, column: Any) -> Any:
    """The known values at their places in a column, null elsewhere."""
    import pyarrow as pa

    present = column.notna().to_numpy()
    return pa.array(known, from_pandas=True).take(pa.array(np.cumsum(present) - 1, mask=~present))
