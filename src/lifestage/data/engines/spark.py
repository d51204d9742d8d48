"""SQL of Spark that narwhals cannot express; names as in :mod:`lifestage.data.engines.duckdb`.

Frames stay Spark's and lazy; only aggregates come to the driver, as Arrow.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lifestage.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = [
    "aggregate",
    "aware_stamp",
    "by_customer_and_day",
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
    "store",
    "text",
    "text_stamp",
    "to_arrow",
    "upload",
    "wall_stamp",
    "whole",
    "write_parquet",
]

KINDS = {"string": "text", "void": "text", "float": "float", "double": "float", "date": "time",
         "timestamp_ntz": "time", "timestamp": "aware", "tinyint": "integer", "smallint": "integer",
         "int": "integer", "bigint": "integer"}  # fmt: skip
NUMBER = r"^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?$"
"""Java would read more, such as 1.5d."""
ISO = r"^[+-]?[0-9]{4,}-[0-9]{1,2}-[0-9]{1,2}"
"""Spark would read more, such as a year."""

LETTERS = {"%Y": "yyyy", "%m": "M", "%d": "d", "%H": "H", "%M": "m", "%S": "s", "%b": "MMM",
           "%B": "MMMM", "%I": "h", "%p": "a"}  # fmt: skip
"""Formats of strptime as those of Java."""
DAY_IN_MICROSECONDS = 86_400_000_000

SESSION_HAS_ZONE = True
"""Whether an instant without tz= has a day: that of the clocks of the session."""


def is_native(frame: Any) -> bool:
    """Whether a frame is one of Spark, classic or Connect."""
    kind = type(frame)
    return kind.__name__ == "DataFrame" and kind.__module__.startswith("pyspark.sql")


@contextmanager
def readable(name: str = "the orders", verb: str = "read") -> Iterator[None]:
    """Turn an error of the engine into one sentence."""
    from pyspark.errors import PySparkException

    try:
        yield
    except PySparkException as error:
        raise DataError(f"could not {verb} {name}: {str(error).strip().splitlines()[0]}") from error


def project(frame: Any, terms: Sequence[str]) -> Any:
    """The frame of these SQL expressions."""
    with readable():
        return frame.selectExpr(*terms)


def aggregate(frame: Any, terms: Sequence[str]) -> tuple[Any, ...]:
    """Values of these SQL aggregates over all rows."""
    with readable():
        return tuple(frame.selectExpr(*terms).collect()[0])


def store(frame: Any) -> Any:
    """Keep the rows of a frame once they are computed, in memory or on the disks of the cluster."""
    return frame.persist()


def drop(frame: Any) -> None:
    """Release what :func:`store` keeps."""
    frame.unpersist()


def upload(table: Any, like: Any) -> Any:
    """An Arrow table in the session of *like*."""
    return like.sparkSession.createDataFrame(table)


def to_arrow(frame: Any) -> Any:
    """The rows as an Arrow table on the driver."""
    with readable():
        return frame.toArrow()


def write_parquet(frame: Any, path: str | Path) -> None:
    """Write the rows as one Parquet file."""
    import pyarrow.parquet as pq

    pq.write_table(to_arrow(frame), str(path))


def by_customer_and_day(visits: Any, unit: float | None) -> Any:
    """The SQL of :func:`lifestage.data.engines.operations.by_customer_and_day`."""
    from pyspark.sql import functions as F  # noqa: N812 - everybody's name for it

    terms = [
        "min(day) as first_purchase",
        "max(day) as last_purchase",
        "count(*) as days",
        f"{exact_sum('net', unit)} as revenue",
        "min_by(net, day) as opening",
    ]
    if "channel" in visits.columns:
        terms.append("min_by(channel, day) as channel")
    sets = visits.groupingSets([["customer_id"], ["day"]], "customer_id", "day")
    return store(sets.agg(F.grouping("customer_id").alias("of_day"), *map(F.expr, terms)))


def kinds(frame: Any) -> dict[str, tuple[str, str]]:
    """Column → its type, and one of text, integer, float, decimal, time, aware, other.

    A ``timestamp`` of Spark is an instant; its day is that of the session's time zone.
    """

    def kind(name: str) -> str:
        return "decimal" if name.startswith("decimal") else KINDS.get(name, "other")

    return {column: (name, kind(name)) for column, name in frame.dtypes}


def quoted(name: str) -> str:
    """A column name, quoted for SQL."""
    return "`" + name.replace("`", "``") + "`"


def text(column: str, blanks: str) -> str:
    """SQL: a column as text without blanks around it."""
    return f"trim(both {blanks} from cast({column} as string))"


def number(text: str) -> str:
    """SQL: a text as a number, or null."""
    return f"case when {like(text, NUMBER)} then try_cast({text} as double) end"


def whole(column: str, unit: float) -> str:
    """SQL: a number in whole multiples of a unit, a power of two; their sums are exact."""
    return f"cast({column} * {1 / unit:.17e} as decimal(38, 0))"


def exact_sum(column: str, unit: float | None) -> str:
    """SQL: the sum of a column, added up in whole multiples of a unit where there is one."""
    if unit is None:
        return f"sum({column})"
    return f"cast(sum({whole(column, unit)}) as double) * {unit:.17e}"


def like(text: str, pattern: str) -> str:
    """SQL: whether a text holds a match of a regular expression."""
    return f"regexp_like({text}, r'{pattern}')"


def hash_of(text: str) -> str:
    """SQL: the hash of a text."""
    return f"xxhash64({text})"


def line_hash(frame: Any) -> str:
    """SQL: the hash of a whole row.

    The engine's hash skips nulls, so whether a value is null is hashed as well.
    """
    terms = []
    for name, kind in frame.dtypes:
        term = f"to_json({quoted(name)})" if kind.startswith("map") else quoted(name)
        terms += [term, f"{term} is null"]
    return f"xxhash64({', '.join(terms)})"


def remainder(column: str, divisor: int) -> str:
    """SQL: a pseudo-random number below *divisor* that is the same for the same value."""
    return f"pmod(xxhash64({column}), {divisor})"


def wall_stamp(column: str) -> str:
    """SQL: the timestamp of a column of dates or of times without a zone."""
    return f"cast({column} as timestamp_ntz)"


def aware_stamp(column: str, zone: str) -> str:
    """SQL: the day, at midnight, on the calendar of a zone at the instants of a column."""
    local = f"unix_micros(from_utc_timestamp({column}, '{zone}'))"
    return (
        f"cast(date_from_unix_date(cast(floor({local} / {DAY_IN_MICROSECONDS}) as int)) as"
        " timestamp_ntz)"
    )


def text_stamp(text: str) -> str:
    """SQL: a text with a UTC offset as an instant, or null."""
    return f"try_cast({text} as timestamp)"


def parsed(text: str, formats: Sequence[str]) -> str:
    """SQL: a text in ISO format or one of these formats of strptime as a timestamp, or null."""
    tries = [f"case when {like(text, ISO)} then try_cast({text} as timestamp_ntz) end"]
    for form in map(_java, formats):
        tries += [f'cast(try_to_timestamp({text}, r"{form}") as timestamp_ntz)']
    return f"coalesce({', '.join(tries)})"


def _java(form: str) -> str:
    compact = "%Y%m" in form  # without separators every part has its full width
    for python, java in LETTERS.items():
        form = form.replace(python, java * 2 if compact and len(java) == 1 else java)
    return form.replace("T", "'T'")


def finite_stamp(stamp: str) -> str:
    """SQL: whether a timestamp is one of the calendar."""
    return f"year({stamp}) between 1 and 9999"


def day_of(stamp: str) -> str:
    """SQL: days from 1970-01-01 to the day of a timestamp."""
    return f"datediff(cast({stamp} as date), date'1970-01-01')"


def date_of(day: str) -> str:
    """SQL: the date that many days after 1970-01-01."""
    return f"date_add(date'1970-01-01', cast({day} as int))"
