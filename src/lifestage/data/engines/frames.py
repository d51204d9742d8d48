"""Frames of every kind behind one set of names; the SQL is in ``duckdb.py`` and ``spark.py``.

Local frames and files become DuckDB relations, so a log is never pulled into Python memory; a
relation of the user's stays on its own connection, and a frame of Spark in its session. Everything
else in this folder is narwhals over a lazy frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw

from lifestage.core.errors import DataError
from lifestage.data.engines import duckdb as duck
from lifestage.data.engines import local, spark

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    import pandas as pd

__all__ = [
    "columns",
    "date_column",
    "dialect_of",
    "engine_of",
    "lazy",
    "native",
    "portable",
    "to_kind",
    "to_pandas",
    "to_reader",
    "upload",
    "wrap",
    "write_parquet",
]

ENGINES = {"duckdb": duck, "pyspark": spark, "pyspark[connect]": spark}
"""Kinds of frames that are computed outside this process, and the modules with their SQL."""
KINDS = ("pandas", "polars", "pyarrow", *ENGINES)
EXPECTED = local.TABLES


def engine_of(frame: Any) -> ModuleType | None:
    """The module with the SQL of the engine of a native frame; None for a frame in this process."""
    for module in (duck, spark):
        if module.is_native(frame):
            return module
    return None


def dialect_of(rel: Any) -> ModuleType:
    """The same for what must be a frame of an engine."""
    module = engine_of(rel)
    assert module is not None, "expected a frame of an engine"
    return module


def lazy(frame: Any) -> tuple[nw.LazyFrame[Any], str]:
    """Wrap a native frame as a lazy narwhals frame; also return its kind, one of ``KINDS``.

    Raises
    ------
    DataError
        If the frame is of a kind that is not supported.

    Examples
    --------
    >>> import pandas as pd
    >>> lazy(pd.DataFrame({"x": [1]}))[1]
    'pandas'
    """
    if isinstance(frame, nw.LazyFrame | nw.DataFrame):
        frame = frame.to_native()
    if duck.is_native(frame):
        duck.check_connection(frame)
    try:
        table = nw.from_native(frame)
    except TypeError:
        table = None
    kind = "" if table is None else table.implementation.value
    if table is None or kind not in KINDS:
        raise DataError(f"expected {EXPECTED}; got {type(frame).__name__}")
    return table.lazy(), kind


def wrap(rel: Any) -> nw.LazyFrame[Any]:
    """A relation, or a frame of Spark, as a lazy narwhals frame."""
    frame: nw.LazyFrame[Any] = nw.from_native(rel).lazy()
    return frame


def native(frame: nw.LazyFrame[Any], kind: str) -> Any:
    """Return a lazy frame in its native kind: computed for local kinds, still lazy for engines."""
    return frame.to_native() if kind in ENGINES else frame.collect().to_native()


def upload(table: Any, like: Any) -> Any:
    """Bring a pandas or pyarrow table to the kind, and for engines into the session, of *like*.

    Examples
    --------
    >>> import pandas as pd, polars as pl
    >>> uploaded = upload(pd.DataFrame({"x": [1]}), like=pl.DataFrame({"y": [2]}))
    >>> isinstance(uploaded, pl.DataFrame)
    True
    """
    _, kind = lazy(like)
    if kind in ENGINES:
        return ENGINES[kind].upload(_to_arrow(table), like)
    return to_kind(table, kind)


def to_kind(table: Any, kind: str) -> Any:
    """Return a DuckDB relation, pandas or pyarrow table as a table of *kind*."""
    if kind in ENGINES or (kind == "pandas" and _is_pandas(table)):
        return table
    if kind == "pandas":
        return to_pandas(table)
    arrow = _to_arrow(table)
    if kind == "pyarrow":
        return arrow
    import polars as pl

    return pl.from_arrow(arrow)


def to_pandas(frame: Any) -> pd.DataFrame:
    """Return any frame, native or wrapped, as a pandas table."""
    if isinstance(frame, nw.LazyFrame):
        frame = frame.to_native()
    elif isinstance(frame, nw.DataFrame):
        return frame.to_pandas()
    if _is_pandas(frame):
        return frame  # type: ignore[no-any-return]
    if duck.is_native(frame):
        with duck.readable():
            return frame.df()  # type: ignore[no-any-return]
    if spark.is_native(frame):
        return spark.to_arrow(frame).to_pandas()  # type: ignore[no-any-return]
    table = nw.from_native(frame)
    return (table.collect() if isinstance(table, nw.LazyFrame) else table).to_pandas()


def columns(frame: Any) -> list[str]:
    """Names of the columns of any frame, repeated ones too."""
    if type(frame).__module__.startswith("pyarrow"):
        return list(frame.column_names)
    if type(frame).__name__ != "LazyFrame" and hasattr(frame, "columns"):
        return [str(name) for name in frame.columns]
    return lazy(frame)[0].collect_schema().names()


def write_parquet(table: Any, path: str | Path) -> None:
    """Write any frame as one Parquet file."""
    engine = engine_of(table)
    if engine is not None:
        engine.write_parquet(table, path)
        return
    import pyarrow.parquet as pq

    pq.write_table(_to_arrow(table), str(path))


def portable(value: Any) -> Any:
    """A frame that can be pickled in the place of one that cannot; anything else as it is.

    Raises
    ------
    DataError
        If it is a frame of Spark.
    """
    if spark.is_native(value):
        raise DataError(
            "expected tables that can be pickled; a frame of Spark stays in its session:"
            " toPandas() it"
        )
    return duck.to_arrow(value) if duck.is_native(value) else value


def to_reader(table: Any) -> Any:
    """Any frame as a reader of Arrow batches; a DuckDB relation is read as it is computed."""
    if duck.is_native(table):
        with duck.readable():
            return table.to_arrow_reader()
    return _to_arrow(table).to_reader()


def date_column(days: Any, kind: str) -> Any:
    """Numpy dates as a column for :func:`upload` to *kind*.

    Other kinds get the date type of Arrow, because pandas has no dates without a time.
    """
    import pandas as pd

    if kind == "pandas":
        return days.astype("datetime64[s]")
    return pd.array(days.astype("datetime64[D]")).astype("date32[day][pyarrow]")


def _is_pandas(frame: Any) -> bool:
    return type(frame).__module__.startswith("pandas")


def _to_arrow(table: Any) -> Any:
    import pyarrow as pa

    if isinstance(table, pa.Table):
        return table
    engine = engine_of(table)
    if engine is not None:
        return engine.to_arrow(table)
    if _is_pandas(table):
        return pa.Table.from_pandas(table, preserve_index=False)
    return lazy(table)[0].collect().to_arrow()
