"""Columns of a frame in this process as Arrow, exactly: types of Python objects are not guessed.

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

__all__ = ["REST", "exact_column", "hash_of_rest", "names", "opened", "position_of", "types_of"]

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
    """Return a frame without its narwhals wrapper; other tables of pyarrow become a pyarrow Table.

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
    if duck.is_native(source):
        duck.check_connection(source)
    return source


def names(frame: Any) -> list[Any]:
    """Names of the columns as they are, which need not be text, nor different."""
    return list(
        frame.column_names if type(frame).__module__.startswith("pyarrow") else frame.columns
    )


def position_of(frame: Any, name: Any, role: str) -> int | None:
    """Return the position of a column, by its name or that as text; None if there is none.

    Raises
    ------
    DataError
        If several have the name.
    """
    columns = names(frame)
    positions = [position for position, column in enumerate(columns) if column == name]
    if not positions:
        texts = enumerate(map(str, columns))
        positions = [position for position, text in texts if text == str(name)]
    if len(positions) > 1:
        raise DataError(
            f"expected one column {name!r} ({role}=); the orders have {len(positions)} of that name"
        )
    return positions[0] if positions else None


def types_of(frame: Any, position: int) -> dict[str, int]:
    """Count the Python types in a column of objects; empty for a column of one type."""
    column = _column(frame, position)
    if str(column.dtype if hasattr(column, "dtype") else "") not in ("object", "Object"):
        return {}
    types = _objects(column).dropna().map(lambda value: type(value).__name__)
    counts = types.value_counts().to_dict()
    return counts if len(counts) > 1 else {}


def exact_column(frame: Any, position: int, role: str) -> Any:
    """Return a column as Arrow in a type that the engine reads exactly; money as doubles.

    Raises
    ------
    DataError
        If its values cannot have this role.
    """
    import pyarrow as pa

    name, column = names(frame)[position], _column(frame, position)
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


def hash_of_rest(frame: Any, used: Collection[int], rows: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return a hash per row: equal for those of *rows* that are equal in the unused columns."""
    hashes = np.zeros(rows.size, np.uint64)
    for position in sorted(set(range(len(names(frame)))) - set(used)):
        hashes = hashes * np.uint64(31) + _hashes(_column(frame, position), rows)
    all_rows = np.zeros(len(frame), np.uint64)
    all_rows[rows] = hashes
    return all_rows


def _hashes(column: Any, rows: NDArray[np.int64]) -> NDArray[np.uint64]:
    from pandas.util import hash_pandas_object

    values = column.iloc[rows] if hasattr(column, "iloc") else _objects(column, rows)
    try:
        return np.asarray(hash_pandas_object(values, index=False, categorize=False), np.uint64)
    except (TypeError, ValueError, NotImplementedError):
        text = values.astype(object).map(repr, na_action="ignore")
        return np.asarray(hash_pandas_object(text.astype("str"), index=False), np.uint64)


def _column(frame: Any, position: int) -> Any:
    if hasattr(frame, "iloc"):
        return frame.iloc[:, position]
    if hasattr(frame, "column_names"):
        return frame.column(position)
    return frame.to_series(position)


def _objects(column: Any, rows: NDArray[np.int64] | None = None) -> Any:
    """Values of a column, or some of them, as a pandas column.

    They are Python objects where pandas has no type for them.
    """
    import pandas as pd

    if type(column).__module__.startswith("pandas"):
        return column if rows is None else column.iloc[rows]
    part = column
    if rows is not None:
        part = column[rows] if hasattr(column, "to_list") else column.take(rows)
    try:
        values = part.to_pandas()
    except Exception:  # each engine has its own errors for a type that it cannot give away
        listed = part.to_pylist() if hasattr(part, "to_pylist") else part.to_list()
        return pd.Series(listed, dtype=object)
    return values.reset_index(drop=True)


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

    values = column.dropna()
    kinds = set(map(type, values))
    if role in MONEY and all(issubclass(kind, Real | Decimal) for kind in kinds):
        return _with_nulls(values.map(float), column)
    if role not in MONEY and all(
        issubclass(kind, int | np.integer | Decimal) and kind is not bool for kind in kinds
    ):
        return _with_nulls(_integers(values), column)
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


def _with_nulls(values: Any, column: Any) -> Any:
    """Put values where the column has some, and null elsewhere."""
    import pyarrow as pa

    present = column.notna().to_numpy()
    positions = pa.array(np.cumsum(present) - 1, mask=~present)
    return pa.array(values, from_pandas=True).take(positions)
