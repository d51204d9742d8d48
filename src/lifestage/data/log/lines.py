"""Read an order log once: one reason per line left out, one purchase per customer and day."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import narwhals as nw

from lifestage.core.errors import DataError
from lifestage.core.names import CUSTOMER
from lifestage.data.engines.fixed_point import common_unit, in_units
from lifestage.data.engines.frames import to_pandas
from lifestage.data.engines.local import names, opened
from lifestage.data.engines.operations import drop, hash_sample, materialize
from lifestage.data.engines.relation import relation
from lifestage.data.log.fates import (
    CODES,
    DAY,
    KEYS,
    nonpositive_days,
    reason_code,
    without_refused_days,
)
from lifestage.data.log.parse import typed_lines
from lifestage.data.log.plausible import Implausible, plausible_days, refuse_implausible
from lifestage.data.log.roles import check_roles
from lifestage.data.log.totals import (
    count_by_reason_and_day,
    count_copies,
    count_negative,
    distinct_lines,
    purchase_days,
)
from lifestage.data.sources.files import read_orders

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

__all__ = ["Log", "read_log"]

MAX_MEASURED_LINES = 4_000_000
"""Lines from which what needs a sort or a distinct count is measured on a sample of customers."""

MAX_MALFORMED_EXAMPLES = 3


@dataclass(frozen=True, eq=False)
class Log:
    """An order log after one scan, inside its engine; days are counted from 1970-01-01.

    Attributes
    ----------
    lines : lazy frame
        Readable lines: ``customer_id``, ``day``, ``money`` (multiples of *unit*) and, where there
        are such columns, ``order_id`` and ``channel``.
    nonpositive : lazy frame
        Days of a customer with a line that is not above zero: ``lines``, ``net``, ``gross`` and
        ``fate``.
    purchase_days : lazy frame
        One row per customer and purchase day: ``net`` and ``channel``. Stored, or computed when it
        is read.
    sample : lazy frame
        The same for a random sample of customers, with the ``largest`` line and the ``previous``
        purchase day.
    sampling_factor : int
        Customers per customer in the sample; 1 if the sample is the whole log.
    unreadable : dict of str to int
        Lines that could not be read, by reason.
    days : pandas.DataFrame
        One row per day: ``lines``, ``duplicates`` among them (scaled up from the sample),
        ``negative``, ``largest``.
    malformed : tuple of str
        Some malformed lines of a file, each with its number.
    implausible : Implausible or None
        Lines left out as ``implausible_time`` because of the other days of this log, not because of
        an option.
    kind : str
        Kind of frame of the orders.
    unit : float or None
        Unit in which amounts are added up, and of ``money`` in *lines*; None if it is doubles. See
        :mod:`lifestage.data.engines.fixed_point`.
    stored : list
        Frames that the engine stored, released by :meth:`close`.
    """

    lines: nw.LazyFrame[Any]
    nonpositive: nw.LazyFrame[Any]
    purchase_days: nw.LazyFrame[Any]
    sample: nw.LazyFrame[Any]
    sampling_factor: int
    unreadable: Mapping[str, int]
    days: pd.DataFrame
    malformed: tuple[str, ...]
    implausible: Implausible | None
    kind: str
    unit: float | None
    stored: list[nw.LazyFrame[Any]]

    @property
    def last(self) -> int:
        """Last day with a readable line."""
        return int(self.days[DAY].max())

    def purchase_lines(self) -> nw.LazyFrame[Any]:
        """Lines of purchase days."""
        return without_refused_days(self.lines, self.nonpositive)

    def purchase_days_with(self, condition: nw.Expr) -> nw.LazyFrame[Any]:
        """Purchase days with a line that fulfils a condition."""
        keys = materialize(self.lines.filter(condition).select(*KEYS).unique())
        lines = self.lines.join(keys, on=list(KEYS), how="semi")
        lines = without_refused_days(lines, self.nonpositive)
        days = materialize(purchase_days(lines, self.unit, largest=True))
        drop(keys)
        self.stored.append(days)
        return days

    def close(self) -> None:
        """Release what the engine stored for this log."""
        for frame in self.stored:
            drop(frame)


def read_log(
    orders: Any,
    roles: Mapping[str, str | None],
    *,
    tz: str | None,
    earliest: int | None,
    drop_duplicates: bool,
    drop_zero: bool,
) -> Log:
    """Scan an order log once.

    Parameters
    ----------
    orders : frame, relation or path
    roles : dict
        Role (customer, time, amount, quantity, order, channel) → column, None if there is none.
    earliest : int, optional
        First plausible day; otherwise it follows from the log, see
        :mod:`lifestage.data.log.plausible`.

    Raises
    ------
    DataError
        If a column is missing or of a wrong type, or the log cannot be read.
    """
    if isinstance(orders, str | Path):
        orders = read_orders(orders)
    orders = opened(orders)
    positions = check_roles(orders, roles)
    columns = {role: str(names(orders)[position]) for role, position in positions.items()}
    rel, kind = relation(orders, positions)
    lines = _lines_with_reason(rel, columns, tz)
    scan = count_by_reason_and_day(lines)
    dated = (scan["reason"] == 0) | (scan["reason"] > CODES["implausible_time"])
    first, last = plausible_days(scan[dated], earliest)
    outside = dated & ~scan[DAY].between(first, last).fillna(False)
    scan.loc[outside, "reason"] = CODES["implausible_time"]
    implausible = None
    if outside.any() and earliest is None:
        implausible = _implausible(lines, scan, first, last)
        refuse_implausible(implausible, columns["time"], int(scan["lines"].sum()))
    unreadable = _unreadable(scan)
    malformed = _malformed(lines) if "malformed_line" in unreadable else ()
    lines = lines.filter(nw.col("reason") == 0)
    if not unreadable:  # an engine may then skip parts of a file that a filter leaves out
        lines = typed_lines(rel, columns, tz=tz, checked=False)
        lines = lines.with_columns(_money(columns).alias("money"))
    if outside.any():
        lines = lines.filter(nw.col(DAY).is_between(first, last))
    # Of the whole scan: an engine may convert lines before it filters them.
    unit = common_unit(scan["greatest"].max(), scan["least"].min(), int(scan["lines"].sum()))
    if unit is not None:
        lines = in_units(lines, {"money": unit})
    days = scan[scan["reason"] == 0].drop(columns=["reason", "greatest", "least"])
    return _add_up(
        lines,
        days.reset_index(drop=True),
        drop_duplicates=drop_duplicates,
        drop_zero=drop_zero,
        has_money="amount" in columns,
        unreadable=unreadable,
        malformed=malformed,
        implausible=implausible,
        kind=kind,
        unit=unit,
    )


def _add_up(
    lines: nw.LazyFrame[Any],
    days: pd.DataFrame,
    *,
    drop_duplicates: bool,
    drop_zero: bool,
    has_money: bool,
    unit: float | None,
    **facts: Any,
) -> Log:
    """Find duplicates, refused days and purchase days among the readable lines."""
    stored = []
    sampling_factor = max(1, int(days["lines"].sum()) // MAX_MEASURED_LINES)
    if drop_duplicates:
        lines = materialize(distinct_lines(lines))
        stored.append(lines)
        days = days.drop(columns="negative").merge(count_negative(lines), on=DAY)
    columns = lines.collect_schema().names()
    kept = [name for name in ("money", *KEYS, "order_id", "channel") if name in columns]
    sampled = lines.select(*kept, "copies" if drop_duplicates else "line")
    if sampling_factor > 1:
        sampled = materialize(hash_sample(sampled, CUSTOMER, sampling_factor))
        stored.append(sampled)
    distinct = sampled if drop_duplicates else distinct_lines(sampled)
    copies = count_copies(distinct, sampling_factor)
    days["duplicates"] = days[DAY].map(copies).fillna(0).astype(int)
    lines, sampled = lines.select(*kept), sampled.select(*kept)
    refunds = has_money and bool(days["other"].any())
    nonpositive = nonpositive_days(lines if refunds else lines.head(0), drop_zero, unit)
    nonpositive = materialize(nonpositive)
    paid = lines
    if refunds:
        sampled = without_refused_days(sampled, nonpositive)
        paid = without_refused_days(lines, nonpositive)
    sample = purchase_days(sampled, unit, largest=True)
    if sampling_factor == 1:
        purchases = sample = materialize(sample)
        stored.append(sample)
    else:
        purchases = purchase_days(paid, unit)
    previous = nw.col(DAY).shift(1).over(CUSTOMER, order_by=DAY).alias("previous")
    sample = materialize(sample.with_columns(previous))
    stored += [nonpositive, sample]
    return Log(
        lines=lines,
        nonpositive=nonpositive,
        purchase_days=purchases,
        sample=sample,
        sampling_factor=sampling_factor,
        days=days,
        unit=unit,
        stored=stored,
        **facts,
    )


def _lines_with_reason(rel: Any, columns: Mapping[str, str], tz: str | None) -> nw.LazyFrame[Any]:
    lines = typed_lines(rel, dict(columns), tz=tz)
    malformed = "malformed" in lines.collect_schema().names()
    reason = reason_code(columns, malformed=malformed).alias("reason")
    return lines.with_columns(reason, _money(columns).alias("money"))


def _money(columns: Mapping[str, str]) -> nw.Expr:
    """The amount of a line, times its quantity if there is one."""
    money: nw.Expr = nw.col("amount") if "amount" in columns else nw.lit(0.0)
    return money * nw.col("quantity") if "quantity" in columns else money


def _unreadable(scan: pd.DataFrame) -> dict[str, int]:
    """Lines that cannot be read by reason; raises a DataError if no line can."""
    counts = scan.groupby("reason")["lines"].sum()
    unreadable = {}
    for reason, code in CODES.items():
        if code in counts.index:
            unreadable[reason] = int(counts[code])
    if 0 not in counts.index:
        listed = ", ".join(f"{reason} {count:,}" for reason, count in unreadable.items())
        raise DataError(f"expected order lines; none can be read: {listed or 'the log is empty'}")
    return unreadable


def _malformed(lines: nw.LazyFrame[Any]) -> tuple[str, ...]:
    """Examples of malformed lines."""
    wrong = lines.filter(nw.col("reason") == CODES["malformed_line"])
    examples = to_pandas(wrong.select("source_text").head(MAX_MALFORMED_EXAMPLES))
    return tuple(examples["source_text"])


def _implausible(
    lines: nw.LazyFrame[Any], scan: pd.DataFrame, first: int, last: int
) -> Implausible:
    """Count the lines outside the plausible days; find the smallest and largest of their texts."""
    reason, day = nw.col("reason"), nw.col(DAY)
    dated = lines.filter((reason == 0) | (reason > CODES["implausible_time"]))
    outside = dated.filter((day < first) | (day > last))
    text = nw.col("source_text")
    extremes = outside.select(text.min().alias("low"), text.max().alias("high"))
    texts = to_pandas(extremes).iloc[0]
    count = int(scan.loc[scan["reason"] == CODES["implausible_time"], "lines"].sum())
    return Implausible(count, first, str(texts["low"]), str(texts["high"]))
