"""The one small adapter to engines: what narwhals expressions cannot say, said here in SQL.

Local frames and files become DuckDB relations, so a log is never pulled into Python memory; a relation of the user's
stays on its own connection. Everything else in this folder is narwhals over a lazy frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import narwhals as nw

from lifestage.errors import ConfigError, DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "as_kind",
    "by_customer_and_day",
    "columns",
    "connect",
    "drop",
    "lazy",
    "materialize",
    "mixed_types",
    "native",
    "numbered",
    "quoted",
    "readable",
    "relation",
    "sampled",
    "to_pandas",
    "to_reader",
    "upload",
    "with_dates",
    "wrapped",
    "write_parquet",
]

KINDS = ("pandas", "polars", "pyarrow", "duckdb")


REPEATED = 200
"""Distinct values of a column in a row group up to which Parquet stores them once: stages and terms, not money."""


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
    try:
        found = nw.from_native(frame)
    except TypeError:
        found = None
    kind = "" if found is None else found.implementation.value
    if found is None or kind not in KINDS:
        raise DataError(f"expected a pandas, polars, pyarrow or DuckDB table; got {type(frame).__name__}")
    return found.lazy(), kind


def wrapped(rel: Any) -> nw.LazyFrame[Any]:
    """A DuckDB relation as a lazy narwhals frame."""
    frame: nw.LazyFrame[Any] = nw.from_native(rel).lazy()
    return frame


def native(frame: nw.LazyFrame[Any], kind: str) -> Any:
    """Return a lazy frame in its native kind: computed for local kinds, still lazy for DuckDB."""
    return frame.to_native() if kind == "duckdb" else frame.collect().to_native()


def upload(table: Any, like: Any) -> Any:
    """Bring a pandas or pyarrow table to the kind, and for DuckDB onto the connection, of *like*.

    Examples
    --------
    >>> import pandas as pd, polars as pl
    >>> type(upload(pd.DataFrame({"x": [1]}), like=pl.DataFrame({"y": [2]}))).__module__.split(".")[0]
    'polars'
    """
    _, kind = lazy(like)
    if kind == "duckdb":
        return _stored(like, "select * from uploaded", uploaded=_to_arrow(table))
    return as_kind(table, kind)


def as_kind(table: Any, kind: str) -> Any:
    """Return a DuckDB relation, pandas or pyarrow table as a table of *kind*."""
    if kind == "duckdb" or (kind == "pandas" and _is_pandas(table)):
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
    if _is_relation(frame):
        with readable():
            return frame.df()  # type: ignore[no-any-return]
    found = nw.from_native(frame)
    return (found.collect() if isinstance(found, nw.LazyFrame) else found).to_pandas()


def columns(frame: Any) -> list[str]:
    """Names of the columns of any frame, repeated ones too."""
    if hasattr(frame, "column_names"):  # pyarrow
        return list(frame.column_names)
    return [str(name) for name in frame.columns] if hasattr(frame, "columns") else lazy(frame)[0].columns


def write_parquet(table: Any, path: str | Path) -> None:
    """Write any frame as one Parquet file."""
    if _is_relation(table):
        literal = str(path).replace("'", "''")
        with readable():
            table.query("self", f"copy self to '{literal}' (format parquet, dictionary_size_limit {REPEATED})")
        return
    import pyarrow.parquet as pq

    pq.write_table(_to_arrow(table), str(path))


def to_reader(table: Any) -> Any:
    """Any frame as a reader of Arrow batches; one of a DuckDB relation is read as it is computed."""
    if _is_relation(table):
        with readable():
            return table.to_arrow_reader()
    return _to_arrow(table).to_reader()


def materialize(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Compute a lazy frame once, inside its engine, and return what reads the result; see :func:`drop`."""
    return wrapped(_stored(frame.to_native(), "select * from self"))


def drop(frame: nw.LazyFrame[Any]) -> None:
    """Release what :func:`materialize` stored."""
    relation = frame.to_native()
    relation.query("self", f"drop table if exists {relation.alias}")


def with_dates(frame: nw.LazyFrame[Any], *names: str) -> nw.LazyFrame[Any]:
    """Turn days since 1970-01-01 into dates."""
    rel = frame.to_native()
    terms = [
        f"date '1970-01-01' + cast({quoted(name)} as integer) as {quoted(name)}" if name in names else quoted(name)
        for name in rel.columns
    ]
    return wrapped(rel.project(", ".join(terms)))


def sampled(frame: nw.LazyFrame[Any], column: str, every: int) -> nw.LazyFrame[Any]:
    """The rows of about one in *every* values of a column, chosen by their hash."""
    return frame if every == 1 else wrapped(frame.to_native().filter(f"hash({quoted(column)}) % {every} = 0"))


def by_customer_and_day(visits: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Store what visits come to, by customer and, with ``of_day`` = 1, by day, in one pass over them.

    Returns
    -------
    narwhals.LazyFrame
        ``customer_id`` or ``day``; ``first_purchase``, ``last_purchase`` (days), ``days``, ``revenue``, the net
        ``opening`` day and, where visits have one, its ``channel``.
    """
    channel = ", arg_min({'is': channel}, day).is as channel" if "channel" in visits.collect_schema().names() else ""
    sql = (
        "select customer_id, day, grouping(customer_id) as of_day, min(day) as first_purchase, "
        "max(day) as last_purchase, count(*) as days, sum(net) as revenue, arg_min(net, day) as opening"
        f"{channel} from self group by grouping sets ((customer_id), (day))"
    )
    return wrapped(_stored(visits.to_native(), sql))


def numbered(frame: Any, name: str) -> Any:
    """Add the index of a pandas table, or the row number from 0 of any other, as the column *name*."""
    if _is_relation(frame):
        return frame.project(f"row_number() over () - 1 as {quoted(name)}, *")
    if _is_pandas(frame):
        return frame.assign(**{name: frame.index})
    return lazy(frame)[0].collect().with_row_index(name).to_native()


def connect(
    memory_limit: str | None = None, temp_directory: str | Path | None = None, threads: int | None = None
) -> Any:
    """A DuckDB connection of its own, that spills to a folder of its own below *temp_directory* when memory is short.

    Raises
    ------
    ConfigError
        If a setting cannot be.
    """
    import duckdb

    spill = Path(temp_directory or gettempdir()) / f"lifestage-{uuid4().hex}"  # made when needed, and then removed
    settings = {"memory_limit": memory_limit, "temp_directory": str(spill), "threads": threads}
    try:
        return duckdb.connect(config={name: value for name, value in settings.items() if value is not None})
    except duckdb.Error as error:
        sentence = str(error).strip().splitlines()[0]
        raise ConfigError(f"settings of the engine: {sentence} (memory_limit is such as '4GB')") from error


def relation(source: Any) -> tuple[Any, str]:
    """Return a log as a DuckDB relation, and the kind it came in.

    Raises
    ------
    DataError
        If it is not a table that can be read.
    """
    if _is_relation(source):
        return source, "duckdb"
    frame, kind = lazy(source)
    connection = connect()
    if kind == "pandas":
        return connection.from_df(_plain_pandas(frame.to_native())), kind
    return connection.from_arrow(frame.collect().to_arrow()), kind


@contextmanager
def readable(name: str = "the orders", verb: str = "read") -> Iterator[None]:
    """Turn an error of the engine into one sentence."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        raise DataError(f"could not {verb} {name}: {str(error).strip().splitlines()[0]}") from error


def quoted(name: str) -> str:
    """A column name as SQL takes it."""
    return '"' + name.replace('"', '""') + '"'


def _stored(rel: Any, sql: str, uploaded: Any = None) -> Any:  # noqa: ARG001 - DuckDB finds the table by its name
    """Store the answer to *sql*, over ``self`` and ``uploaded``, as a temporary table of the connection of *rel*."""
    name = f"lifestage_{uuid4().hex}"
    with readable():
        done = rel.query("self", f"create temp table {name} as {sql}")
        # What the statement returned lives on the same connection but, unlike rel, hangs on no other table.
        return (rel if done is None else done).query("self", f"select * from {name}").set_alias(name)


def _is_relation(frame: Any) -> bool:
    return type(frame).__name__ == "DuckDBPyRelation"


def _is_pandas(frame: Any) -> bool:
    return type(frame).__module__.startswith("pandas")


def _to_arrow(table: Any) -> Any:
    import pyarrow as pa

    if isinstance(table, pa.Table):
        return table
    if _is_relation(table):
        with readable():
            return table.to_arrow_table()
    if _is_pandas(table):
        return pa.Table.from_pandas(table, preserve_index=False)
    return lazy(table)[0].collect().to_arrow()


def mixed_types(frame: Any, name: str) -> dict[str, int]:
    """How many values of which Python type a pandas column of mixed objects holds; empty for any other column."""
    from pandas.api.types import infer_dtype

    if not _is_pandas(frame) or frame[name].dtype != object or not infer_dtype(frame[name]).startswith("mixed"):
        return {}
    counts = frame[name].dropna().map(lambda value: type(value).__name__).value_counts()
    return {str(kind): int(count) for kind, count in counts.items()}


def _plain_pandas(frame: pd.DataFrame) -> pd.DataFrame:
    """Turn columns of Python objects that the engine could misread into text."""
    from pandas.api.types import infer_dtype

    frame = frame.set_axis([str(name) for name in frame.columns], axis=1)
    plain = {}
    for name in (each for each in frame.columns if frame[each].dtype == "object"):
        kind = infer_dtype(frame[name], skipna=True)
        if kind == "datetime" or kind.startswith(("mixed", "unknown")):
            plain[name] = frame[name].map(str, na_action="ignore").astype("str")
    return frame.assign(**plain)
