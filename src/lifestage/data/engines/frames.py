"""Frames of every kind behind one set of names; what an engine says its own way is in :mod:`duck` and :mod:`spark`.

Local frames and files become DuckDB relations, so a log is never pulled into Python memory; a
relation of the user's stays on its own connection, and a frame of Spark in its session. Everything
else in this folder is narwhals over a lazy frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

from lifestage.core.errors import DataError
from lifestage.core.names import CUSTOMER
from lifestage.data.engines import duckdb as duck
from lifestage.data.engines import local, spark

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import ModuleType

    import pandas as pd

__all__ = [
    "as_kind",
    "by_customer_and_day",
    "columns",
    "date_column",
    "dialect_of",
    "drawn",
    "drop",
    "engine_of",
    "join_to",
    "lazy",
    "materialize",
    "native",
    "portable",
    "relation",
    "sampled",
    "to_pandas",
    "to_reader",
    "upload",
    "with_dates",
    "wrapped",
    "write_parquet",
]

ENGINES = {"duckdb": duck, "pyspark": spark, "pyspark[connect]": spark}
"""Kinds of frames that are computed elsewhere, and what speaks to them."""
KINDS = ("pandas", "polars", "pyarrow", *ENGINES)
EXPECTED = local.TABLES


def engine_of(frame: Any) -> ModuleType | None:
    """The module that speaks to the engine of a native frame; None for a frame in this process."""
    return next((module for module in (duck, spark) if module.is_mine(frame)), None)


def dialect_of(rel: Any) -> ModuleType:
    """The same for what is known to be a frame of an engine."""
    found = engine_of(rel)
    assert found is not None, "expected a frame of an engine"
    return found


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
    if duck.is_mine(frame):
        duck.check_connection(frame)
    try:
        found = nw.from_native(frame)
    except TypeError:
        found = None
    kind = "" if found is None else found.implementation.value
    if found is None or kind not in KINDS:
        raise DataError(f"expected {EXPECTED}; got {type(frame).__name__}")
    return found.lazy(), kind


def wrapped(rel: Any) -> nw.LazyFrame[Any]:
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
    >>> type(upload(pd.DataFrame({"x": [1]}), like=pl.DataFrame({"y": [2]}))).__module__.split(".")[0]
    'polars'
    """
    _, kind = lazy(like)
    return ENGINES[kind].upload(_to_arrow(table), like) if kind in ENGINES else as_kind(table, kind)


def as_kind(table: Any, kind: str) -> Any:
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
    if duck.is_mine(frame):
        with duck.readable():
            return frame.df()  # type: ignore[no-any-return]
    if spark.is_mine(frame):
        return spark.to_arrow(frame).to_pandas()  # type: ignore[no-any-return]
    found = nw.from_native(frame)
    return (found.collect() if isinstance(found, nw.LazyFrame) else found).to_pandas()


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
    if spark.is_mine(value):
        raise DataError(
            "expected tables that can be pickled; a frame of Spark stays in its session:"
            " toPandas() it"
        )
    return duck.to_arrow(value) if duck.is_mine(value) else value


def to_reader(table: Any) -> Any:
    """Any frame as a reader of Arrow batches; one of a DuckDB relation is read as it is computed."""
    if duck.is_mine(table):
        with duck.readable():
            return table.to_arrow_reader()
    return _to_arrow(table).to_reader()


def date_column(days: Any, kind: str) -> Any:
    """Numpy dates as a column for :func:`upload` to *kind*: pandas itself has no type for a date without a time."""
    import pandas as pd

    if kind == "pandas":
        return days.astype("datetime64[s]")
    return pd.array(days.astype("datetime64[D]")).astype("date32[day][pyarrow]")


def materialize(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Compute a lazy frame once, inside its engine, and return what reads the result; see :func:`drop`."""
    rel = frame.to_native()
    return wrapped(dialect_of(rel).store(rel))


def drop(frame: nw.LazyFrame[Any]) -> None:
    """Release what :func:`materialize` stored."""
    rel = frame.to_native()
    dialect_of(rel).drop(rel)


def with_dates(frame: nw.LazyFrame[Any], *names: str) -> nw.LazyFrame[Any]:
    """Turn days since 1970-01-01 into dates."""
    rel = frame.to_native()
    say = dialect_of(rel)
    terms = [
        (
            f"{say.date_of(say.quoted(name))} as {say.quoted(name)}"
            if name in names
            else say.quoted(name)
        )
        for name in rel.columns
    ]
    return wrapped(say.project(rel, terms))


def join_to(
    table: nw.LazyFrame[Any], other: nw.LazyFrame[Any], on: list[str], kind: str
) -> nw.LazyFrame[Any]:
    """Join *other* to each row of a table; rows of a local one stay in their order and, in pandas, under their index.

    Examples
    --------
    >>> import pandas as pd
    >>> many, few = pd.DataFrame({"x": [2, 1, 2]}, index=[7, 8, 9]), pd.DataFrame({"x": [1, 2], "y": [10, 20]})
    >>> native(join_to(lazy(many)[0], lazy(few)[0], ["x"], "pandas"), "pandas")["y"].to_dict()
    {7: 20, 8: 10, 9: 20}
    """
    if kind in ENGINES:
        return table.join(other, on=on, how="left")
    frame = table.collect()
    if kind == "pandas":
        joined = frame.join(other.collect(), on=on, how="left").to_native()
        return lazy(joined.set_index(frame.to_native().index))[0]
    numbered = frame.with_row_index(
        "__row"
    )  # joins of polars and Arrow give their rows in any order
    return numbered.join(other.collect(), on=on, how="left").sort("__row").drop("__row").lazy()


def sampled(frame: nw.LazyFrame[Any], column: str, every: int) -> nw.LazyFrame[Any]:
    """The rows of about one in *every* values of a column, chosen by their hash."""
    if every == 1:
        return frame
    rel = frame.to_native()
    say = dialect_of(rel)
    return wrapped(rel.filter(f"{say.remainder(say.quoted(column), every)} = 0"))


def drawn(frame: Any, rows: int, size: int) -> pd.DataFrame:
    """A table of customers in pandas, or about *size* of them drawn by lot where its *rows* are many more."""
    table, kind = lazy(frame)
    found = to_pandas(sampled(table, CUSTOMER, max(1, rows // size)) if kind in ENGINES else table)
    return found.sample(size, random_state=0) if len(found) > 2 * size else found


def by_customer_and_day(visits: nw.LazyFrame[Any], unit: float | None) -> nw.LazyFrame[Any]:
    """Store what visits come to, by customer and, with ``of_day`` = 1, by day, in one pass over them.

    Parameters
    ----------
    visits : narwhals.LazyFrame
        ``customer_id``, ``day``, ``net`` and perhaps ``channel``.
    unit : float or None
        Unit in which money is added up; see :mod:`lifestage.data.engines.fixed_point`.

    Returns
    -------
    narwhals.LazyFrame
        ``customer_id`` or ``day``; ``first_purchase``, ``last_purchase`` (days), ``days``,
        ``revenue``, the net ``opening`` day and, where visits have one, its ``channel``.
    """
    rel = visits.to_native()
    return wrapped(dialect_of(rel).by_customer_and_day(rel, unit))


def relation(source: Any, roles: Mapping[str, int]) -> tuple[Any, str]:
    """Return a log as what its engine works on, a DuckDB relation for one in this process, and the kind it came in.

    Parameters
    ----------
    source : frame, as :func:`lifestage.data.engines.local.opened` gives it
    roles : mapping
        Role → place of its column: of a frame in this process the engine gets these columns alone,
        named by what they are called, and one that stands for the rest; see
        :mod:`lifestage.data.engines.local`.

    Raises
    ------
    DataError
        If it is not a table that can be read.
    """
    if engine_of(source) is not None:
        return source, lazy(source)[1]
    import pyarrow as pa

    came = local.names(source)
    given = {
        str(came[place]): (role, place) for role, place in reversed(list(roles.items()))
    }  # the first role counts
    table = pa.table(
        {name: local.exact_column(source, place, role) for name, (role, place) in given.items()}
    )
    connection = duck.connect()
    with duck.readable():
        rel = connection.from_arrow(table)
        if len(given) < len(came):
            rows = duck.repeated(
                connection.from_arrow(table.append_column("row", pa.array(np.arange(len(table)))))
            )
            if rows.size:
                rest = local.rest_of(source, {place for _, place in given.values()}, rows)
                rel = connection.from_arrow(table.append_column(local.REST, pa.array(rest)))
    return rel, type(source).__module__.split(".")[0]


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
