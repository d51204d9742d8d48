"""Read an order log, give every line exactly one fate, and fold the lines of a day into one purchase."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import narwhals as nw

from lifestage.data.engine import (
    columns,
    drop,
    materialize,
    mixed_types,
    open_file,
    relation,
    to_pandas,
)
from lifestage.data.parse import typed_lines
from lifestage.errors import ConfigError, DataError
from lifestage.tables import CUSTOMER

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Log", "read_log", "read_orders"]

UNREADABLE = (
    "missing_id",
    "missing_time",
    "unparseable_time",
    "missing_amount",
    "non_finite_amount",
    "missing_quantity",
    "non_finite_quantity",
)
"""Reasons that a line itself gives, in order: the first that holds is its fate."""

PURCHASE, NOT_POSITIVE, ZERO = "purchase", "day_net_not_positive", "zero_value_day"
"""What a customer's day comes to."""

TOLERANCE = 1e-9
"""A day whose net is below this share of its gross is a day netted to nothing, up to rounding."""

DAY = "day"
KEYS = (CUSTOMER, DAY)


@dataclass(frozen=True)
class Log:
    """An order log after one scan, inside its engine; days are counted from 1970-01-01.

    Attributes
    ----------
    tickets : lazy frame
        Readable lines by customer, day and, if given, order and channel.
    visits : lazy frame
        A row a customer and purchase day: ``net``, ``largest`` line, ``channel``, ``previous`` purchase day.
    refused : lazy frame
        Days of a customer that are no purchase because they do not net to more than zero.
    unreadable : dict of str to int
        Lines that could not be read, by reason.
    days : pandas.DataFrame
        A row a day and ``fate``: ``lines``, ``duplicates`` and ``negative`` lines, ``customers``, ``empty`` ones.
    kind : str
        The kind of frame that came in.
    """

    tickets: nw.LazyFrame[Any]
    visits: nw.LazyFrame[Any]
    refused: nw.LazyFrame[Any]
    unreadable: Mapping[str, int]
    days: pd.DataFrame
    kind: str

    @property
    def last(self) -> int:
        """Last day with a readable line."""
        return int(self.days[DAY].max())

    def close(self) -> None:
        """Release what the engine stored for this log."""
        for frame in (self.tickets, self.visits, self.refused):
            drop(frame)


def read_orders(source: str | Path, *, table: str | None = None) -> Any:
    """Open an order log as a DuckDB relation; nothing is loaded.

    Parameters
    ----------
    source : str or Path
        A ``.csv`` or ``.tsv`` (also ``.gz``) or ``.parquet`` file or glob, or a ``.duckdb`` or ``.db`` database file.
        Columns of CSV files are text, so that an identifier such as 00012 stays what it is.
    table : str, optional
        Table of the database; not needed if it has one.

    Raises
    ------
    DataError
        If there is no such file or table, or it is empty or of another kind.
    """
    return open_file(source, table)


def read_log(
    orders: Any, roles: Mapping[str, str | None], *, tz: str | None, drop_duplicates: bool, drop_zero: bool
) -> Log:
    """Scan an order log once.

    Parameters
    ----------
    orders : frame, relation or path
    roles : dict
        Role (customer, time, amount, quantity, order, channel) → column, None if not there.

    Raises
    ------
    DataError
        If a column is missing or of a wrong type, or the log cannot be read.
    """
    if isinstance(orders, str | Path):
        orders = open_file(orders)
    named = _check_columns(orders, roles)
    rel, kind = relation(orders)
    lines = typed_lines(rel, named, tz=tz)
    tickets = materialize(_tickets(lines, named, drop_duplicates))
    unreadable = to_pandas(
        tickets.filter(nw.col("reason") > 0).group_by("reason").agg(nw.col("lines").sum().cast(nw.Int64))
    )
    counts = dict(zip(unreadable["reason"], unreadable["lines"], strict=True))
    days = materialize(_days(tickets.filter(nw.col("reason") == 0), drop_zero))
    by_day = to_pandas(
        days.group_by(DAY, "fate")
        .agg(
            *(nw.col(name).sum().cast(nw.Int64) for name in ("lines", "duplicates", "negative")),
            (nw.col("gross") == 0).cast(nw.Int64).sum().cast(nw.Int64).alias("empty"),
            nw.len().alias("customers"),
        )
        .sort(DAY, "fate")
    )
    visits = days.filter(nw.col("fate") == PURCHASE).with_columns(
        nw.col(DAY).shift(1).over(CUSTOMER, order_by=DAY).alias("previous")
    )
    log = Log(
        tickets=tickets,
        visits=materialize(visits),
        refused=materialize(days.filter(nw.col("fate") == NOT_POSITIVE).select(*KEYS, "net")),
        unreadable={reason: int(counts[code]) for code, reason in enumerate(UNREADABLE, 1) if code in counts},
        days=by_day,
        kind=kind,
    )
    drop(days)
    if not len(by_day):
        log.close()
        listed = ", ".join(f"{reason} {count:,}" for reason, count in log.unreadable.items())
        raise DataError(f"expected order lines; none can be read: {listed or 'the log is empty'}")
    return log


def _check_columns(orders: Any, roles: Mapping[str, str | None]) -> dict[str, str]:
    named = {role: name for role, name in roles.items() if name is not None}
    came = columns(orders)
    if len({name.lower() for name in came}) < len(came):
        raise DataError(f"expected columns of different names, whatever their case; got {', '.join(came)}")
    absent = [f"{name!r} ({role}=)" for role, name in named.items() if name not in came]
    if absent:
        raise DataError(f"expected the column {' and '.join(absent)}; the orders have {', '.join(map(repr, came))}")
    if "quantity" in named and "amount" not in named:
        raise ConfigError("expected amount= beside quantity=: quantity multiplies it; got amount=None")
    types = mixed_types(orders, named["customer"])
    if types:
        listed = ", ".join(f"{count} {name}" for name, count in types.items())
        raise DataError(f"expected ids of one type in column {named['customer']!r}; got {listed}; make them all text")
    return named


def _reason(named: Mapping[str, str]) -> nw.Expr:
    """0 for a line that can be read, else 1 + its place in UNREADABLE."""
    tests = [nw.col("no_id"), nw.col("no_time"), nw.col(DAY).is_null()]
    for role in ("amount", "quantity"):
        if role in named:
            tests += [nw.col(f"no_{role}"), nw.col(role).is_null()]
    reason: nw.Expr = nw.lit(0)
    for code, test in reversed(list(enumerate(tests, 1))):
        reason = nw.when(test).then(nw.lit(code)).otherwise(reason)
    return reason


def _tickets(lines: nw.LazyFrame[Any], named: Mapping[str, str], drop_duplicates: bool) -> nw.LazyFrame[Any]:
    """Lines by customer, day, order and channel; unreadable ones by reason alone. Equal lines are folded first."""
    keys = [*KEYS, *(["order_id"] if "order" in named else []), *(["channel"] if "channel" in named else [])]
    money: nw.Expr = nw.col("amount") if "amount" in named else nw.lit(0.0)
    money = money * nw.col("quantity") if "quantity" in named else money
    readable = nw.col("reason") == 0
    copies = nw.lit(1) if drop_duplicates else nw.col("copies")
    return (
        lines.with_columns(_reason(named).alias("reason"), money.alias("money"))
        .with_columns(*(nw.when(readable).then(nw.col(key)).alias(key) for key in [*keys, "line"]))
        .group_by("reason", *keys, "line")
        .agg(nw.len().alias("copies"), nw.col("money").min())
        .with_columns((nw.col("money") * copies).alias("money"))
        .with_columns(
            (nw.col("copies") - 1).alias("duplicates"),
            nw.col("money").abs().alias("gross"),
            nw.when(nw.col("money") < 0).then(copies).otherwise(nw.lit(0)).alias("negative"),
            (nw.col("money") / copies).alias("largest"),
        )
        .group_by("reason", *keys)
        .agg(
            nw.col("copies").sum().cast(nw.Int64).alias("lines"),
            *(nw.col(name).sum().cast(nw.Int64) for name in ("duplicates", "negative")),
            nw.col("money").sum().alias("net"),
            nw.col("gross").sum(),
            nw.col("largest").max(),
        )
    )


def _days(tickets: nw.LazyFrame[Any], drop_zero: bool) -> nw.LazyFrame[Any]:
    """A row a customer and day with its fate: a purchase if it nets to more than zero, or if all of it was free."""
    sums = ("lines", "duplicates", "negative", "net", "gross")
    channel = [nw.col("channel").min()] if "channel" in tickets.collect_schema().names() else []
    paid = nw.col("net") > TOLERANCE * nw.col("gross")
    free = nw.col("gross") == 0
    fate = nw.when(free).then(nw.lit(ZERO if drop_zero else PURCHASE)).otherwise(nw.lit(NOT_POSITIVE))
    return (
        tickets.group_by(*KEYS)
        .agg(*(nw.col(name).sum() for name in sums), nw.col("largest").max(), *channel)
        .with_columns(nw.when(paid).then(nw.lit(PURCHASE)).otherwise(fate).alias("fate"))
    )
