"""SQL of DuckDB that narwhals cannot express; names as in :mod:`lifestage.data.engines.spark`."""

from __future__ import annotations

from contextlib import contextmanager
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from lifestage.core.addresses import local_path
from lifestage.core.errors import ConfigError, DataError
from lifestage.core.files import process_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = [
    "aggregate",
    "aware_stamp",
    "by_customer_and_day",
    "check_connection",
    "connect",
    "date_of",
    "day_of",
    "drop",
    "exact_sum",
    "finite_stamp",
    "hash_of",
    "is_native",
    "kinds",
    "like",
    "line_hash",
    "number",
    "parsed",
    "project",
    "quoted",
    "readable",
    "remainder",
    "repeated",
    "store",
    "text",
    "text_stamp",
    "to_arrow",
    "upload",
    "wall_stamp",
    "whole",
    "write_parquet",
]

INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT",
            "UINTEGER", "UBIGINT", "UHUGEINT")  # fmt: skip
FAMILIES = {"FLOAT": "float", "DOUBLE": "float", "DECIMAL": "decimal", "DATE": "time",
            "TIMESTAMP": "time"}  # fmt: skip
"""How the name of a type begins, and what it holds."""
DICTIONARY_SIZE = 200
"""Parquet stores up to so many distinct values per row group once: stages, but not money."""

ONE_THREAD = (
    "a connection serves one thread, and closed serves none: read the orders again, once a thread,"
    " or summarise them as a pandas or polars table, which all threads may use"
)

SESSION_HAS_ZONE = False
"""Whether an instant without tz= has a day: that of the clocks of the session."""


def is_native(frame: Any) -> bool:
    """Whether a frame is a relation of DuckDB."""
    return type(frame).__name__ == "DuckDBPyRelation"


def connect(
    memory_limit: str | None = None,
    temp_directory: str | Path | None = None,
    threads: int | None = None,
) -> Any:
    """Open a DuckDB connection that spills to a private folder below *temp_directory*.

    Raises
    ------
    ConfigError
        If a setting cannot be.
    """
    import duckdb

    folder = local_path(temp_directory or gettempdir())
    try:
        # DuckDB creates the folder when it is needed, and then removes it.
        spill = process_folder(folder, "lifestage") / uuid4().hex
    except OSError as error:
        raise ConfigError(
            f"temp_directory must be a folder to write in; got {folder}: {error}"
        ) from error
    settings = {"memory_limit": memory_limit, "temp_directory": str(spill), "threads": threads}
    settings |= {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
    config: dict[str, Any] = {name: value for name, value in settings.items() if value is not None}
    try:
        return duckdb.connect(config=config)
    except duckdb.Error as error:
        sentence = str(error).strip().splitlines()[0]
        raise ConfigError(
            f"settings of the engine: {sentence} (memory_limit is such as '4GB')"
        ) from error


@contextmanager
def readable(name: str = "the orders", verb: str = "read") -> Iterator[None]:
    """Turn an error of the engine into one sentence."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        way_out = f": {ONE_THREAD}" if type(error).__name__ == "ResourceInUseException" else ""
        raise DataError(
            f"could not {verb} {name}: {str(error).strip().splitlines()[0]}{way_out}"
        ) from error


def check_connection(frame: Any) -> None:
    """Refuse a relation whose connection is closed, or at work for another thread."""
    import duckdb

    try:
        frame.columns  # noqa: B018 - asks the connection
    except duckdb.Error as error:
        raise DataError(
            f"expected a relation of an open connection; {str(error).splitlines()[0]}: {ONE_THREAD}"
        ) from error


def project(frame: Any, terms: Sequence[str]) -> Any:
    """The frame of these SQL expressions."""
    with readable():
        return frame.project(", ".join(terms))


def aggregate(frame: Any, terms: Sequence[str]) -> tuple[Any, ...]:
    """Values of these SQL aggregates over all rows."""
    with readable():
        return tuple(frame.aggregate(", ".join(terms)).fetchall()[0])


def store(frame: Any, sql: str | None = None, uploaded: Any = None) -> Any:  # noqa: ARG001
    """Store a frame, or the result of *sql* on ``self`` and ``uploaded``, as a temporary table."""
    name = f"lifestage_{uuid4().hex}"
    with readable():
        created = frame.query("self", f"create temp table {name} as {sql or 'select * from self'}")
        # The relation that the statement returned is on the same connection but, unlike frame,
        # keeps no other table alive.
        relation = frame if created is None else created
        return relation.query("self", f"select * from {name}").set_alias(name)


def drop(frame: Any) -> None:
    """Release what :func:`store` stored."""
    frame.query("self", f"drop table if exists {frame.alias}")


def upload(table: Any, like: Any) -> Any:
    """An Arrow table on the connection of *like*."""
    return store(like, "select * from uploaded", uploaded=table)


def to_arrow(frame: Any) -> Any:
    """The rows as an Arrow table."""
    with readable():
        return frame.to_arrow_table()


def write_parquet(frame: Any, path: str | Path) -> None:
    """Write the rows as one Parquet file."""
    literal = str(path).replace("'", "''")
    with readable():
        options = f"format parquet, dictionary_size_limit {DICTIONARY_SIZE}"
        frame.query("self", f"copy self to '{literal}' ({options})")


def by_customer_and_day(visits: Any, unit: float | None) -> Any:
    """The SQL of :func:`lifestage.data.engines.operations.by_customer_and_day`."""
    channel = ", arg_min({'is': channel}, day).is as channel" if "channel" in visits.columns else ""
    sql = (
        "select customer_id, day, grouping(customer_id) as of_day, min(day) as first_purchase,"
        f" max(day) as last_purchase, count(*) as days, {exact_sum('net', unit)} as revenue,"
        f" arg_min(net, day) as opening{channel}"
        " from self group by grouping sets ((customer_id), (day))"
    )
    return store(visits, sql)


def kinds(frame: Any) -> dict[str, tuple[str, str]]:
    """Column → its type, and one of text, integer, float, decimal, time, aware, other."""

    def kind(name: str) -> str:
        if name in ("VARCHAR", "NULL", '"NULL"') or name.startswith("ENUM"):
            return "text"
        if name in INTEGERS:
            return "integer"
        if name == "TIMESTAMP WITH TIME ZONE":
            return "aware"
        if name.endswith("]"):
            return "other"
        for start, family in FAMILIES.items():
            if name.startswith(start):
                return family
        return "other"

    types = map(str, frame.types)
    return {column: (name, kind(name)) for column, name in zip(frame.columns, types, strict=True)}


def quoted(name: str) -> str:
    """A column name, quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'


def text(column: str, blanks: str) -> str:
    """SQL: a column as text without blanks around it."""
    return f"trim(cast({column} as varchar), {blanks})"


def number(text: str) -> str:
    """SQL: a text as a number, or null."""
    return f"try_cast({text} as double)"


def whole(column: str, unit: float) -> str:
    """SQL: a number in whole multiples of a unit, a power of two; their sums are exact."""
    return f"cast({column} * {1 / unit:.17e} as hugeint)"


def exact_sum(column: str, unit: float | None) -> str:
    """SQL: the sum of a column, added up in whole multiples of a unit where there is one."""
    return f"sum({column})" if unit is None else f"sum({whole(column, unit)}) * {unit:.17e}"


def like(text: str, pattern: str) -> str:
    """SQL: whether a text holds a match of a regular expression."""
    return f"regexp_matches({text}, '{pattern}')"


def hash_of(text: str) -> str:
    """SQL: the hash of a text."""
    return f"hash({text})"


def line_hash(frame: Any) -> str:
    """SQL: the hash of a whole row."""
    return f"hash({', '.join(map(quoted, frame.columns))})"


def repeated(frame: Any) -> Any:
    """Values of the column ``row`` of the rows that equal another one in all other columns."""
    key = line_hash(frame.project("* exclude row"))
    twice = f"select {key} from self group by all having count(*) > 1"
    return frame.query("self", f"select row from self where {key} in ({twice})").fetchnumpy()["row"]


def remainder(column: str, divisor: int) -> str:
    """SQL: a pseudo-random number below *divisor* that is the same for the same value."""
    return f"hash({column}) % {divisor}"


def wall_stamp(column: str) -> str:
    """SQL: the timestamp of a column of dates or of times without a zone."""
    return f"cast({column} as timestamp)"


def aware_stamp(column: str, zone: str) -> str:
    """SQL: what the clocks of a zone showed at the instants of a column."""
    return f"timezone('{zone}', {column})"


def text_stamp(text: str) -> str:
    """SQL: a text with a UTC offset as an instant, or null."""
    return f"try_cast({text} as timestamptz)"


def parsed(text: str, formats: Sequence[str]) -> str:
    """SQL: a text in ISO format or one of these formats of strptime as a timestamp, or null."""
    listed = ", ".join(f"'{form}'" for form in formats)
    return f"coalesce(try_cast({text} as timestamp), try_strptime({text}, [{listed}]))"


def finite_stamp(stamp: str) -> str:
    """SQL: whether a timestamp is one of the calendar."""
    return f"isfinite({stamp}) and year({stamp}) between 1 and 9999"


def day_of(stamp: str) -> str:
    """SQL: days from 1970-01-01 to the day of a timestamp."""
    return f"cast(cast({stamp} as date) - date '1970-01-01' as integer)"


def date_of(day: str) -> str:
    """SQL: the date that many days after 1970-01-01."""
    return f"date '1970-01-01' + cast({day} as integer)"
