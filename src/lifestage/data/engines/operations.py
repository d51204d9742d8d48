"""Operations on frames inside their engine: store, join, sample, add up by customer and day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lifestage.core.names import CUSTOMER
from lifestage.data.engines.frames import ENGINES, dialect_of, lazy, to_pandas, wrap

if TYPE_CHECKING:
    import narwhals as nw
    import pandas as pd

__all__ = [
    "by_customer_and_day",
    "drop",
    "hash_sample",
    "join_to",
    "materialize",
    "sample_customers",
    "with_dates",
]


def materialize(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Compute a lazy frame once, inside its engine, and return the stored one; see :func:`drop`."""
    rel = frame.to_native()
    return wrap(dialect_of(rel).store(rel))


def drop(frame: nw.LazyFrame[Any]) -> None:
    """Release what :func:`materialize` stored."""
    rel = frame.to_native()
    dialect_of(rel).drop(rel)


def with_dates(frame: nw.LazyFrame[Any], *names: str) -> nw.LazyFrame[Any]:
    """Turn days since 1970-01-01 into dates."""
    rel = frame.to_native()
    sql = dialect_of(rel)
    terms = []
    for name in rel.columns:
        column = sql.quoted(name)
        terms.append(f"{sql.date_of(column)} as {column}" if name in names else column)
    return wrap(sql.project(rel, terms))


def join_to(
    table: nw.LazyFrame[Any], other: nw.LazyFrame[Any], on: list[str], kind: str
) -> nw.LazyFrame[Any]:
    """Join *other* to each row of a table.

    Rows of a local table keep their order and, in pandas, their index.

    Examples
    --------
    >>> import pandas as pd
    >>> many = pd.DataFrame({"x": [2, 1, 2]}, index=[7, 8, 9])
    >>> from lifestage.data.engines.frames import native
    >>> few = pd.DataFrame({"x": [1, 2], "y": [10, 20]})
    >>> native(join_to(lazy(many)[0], lazy(few)[0], ["x"], "pandas"), "pandas")["y"].to_dict()
    {7: 20, 8: 10, 9: 20}
    """
    if kind in ENGINES:
        return table.join(other, on=on, how="left")
    frame = table.collect()
    if kind == "pandas":
        joined = frame.join(other.collect(), on=on, how="left").to_native()
        return lazy(joined.set_index(frame.to_native().index))[0]
    # Joins of polars and Arrow return their rows in any order.
    numbered = frame.with_row_index("__row")
    joined = numbered.join(other.collect(), on=on, how="left")
    return joined.sort("__row").drop("__row").lazy()


def hash_sample(frame: nw.LazyFrame[Any], column: str, factor: int) -> nw.LazyFrame[Any]:
    """Rows of a random sample of the values of a column, about one in *factor*, by their hash."""
    if factor == 1:
        return frame
    rel = frame.to_native()
    sql = dialect_of(rel)
    return wrap(rel.filter(f"{sql.remainder(sql.quoted(column), factor)} = 0"))


def sample_customers(frame: Any, rows: int, size: int) -> pd.DataFrame:
    """Customers as a pandas table; a random sample of about *size* where *rows* are many more."""
    table, kind = lazy(frame)
    if kind in ENGINES:
        table = hash_sample(table, CUSTOMER, max(1, rows // size))
    customers = to_pandas(table)
    if len(customers) <= 2 * size:
        return customers
    return customers.sample(size, random_state=0)


def by_customer_and_day(visits: nw.LazyFrame[Any], unit: float | None) -> nw.LazyFrame[Any]:
    """Add up purchase days by customer and, with ``of_day`` = 1, by day, in one pass; stored.

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
        ``revenue``, ``opening`` (the net of the first day) and, if there is one, its ``channel``.
    """
    rel = visits.to_native()
    return wrap(dialect_of(rel).by_customer_and_day(rel, unit))
