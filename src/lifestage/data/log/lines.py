"""Read an order log, give every line exactly one fate, and fold the lines of a day into one purchase."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import narwhals as nw

from lifestage.core.errors import DataError
from lifestage.core.names import CUSTOMER
from lifestage.data.engines.fixed_point import common_unit, in_money, in_units
from lifestage.data.engines.frames import to_pandas
from lifestage.data.engines.local import names, opened
from lifestage.data.engines.operations import drop, hash_sample, materialize
from lifestage.data.engines.relation import relation
from lifestage.data.log.parse import typed_lines
from lifestage.data.log.plausible import Implausible, plausible_days, refuse_implausible
from lifestage.data.log.roles import check_roles
from lifestage.data.sources.files import read_orders

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

__all__ = ["Log", "read_log"]

UNREADABLE = (
    "malformed_line",
    "missing_id",
    "missing_time",
    "unparseable_time",
    "implausible_time",
    "missing_amount",
    "non_finite_amount",
    "missing_quantity",
    "non_finite_quantity",
)
"""Reasons that a line itself gives, in order: the first that holds is its fate."""

CODES = {reason: code for code, reason in enumerate(UNREADABLE, 1)}
"""Reason → its number in a scan; 0 is a line that can be read."""

PURCHASE, NOT_POSITIVE, ZERO = "purchase", "day_net_not_positive", "zero_value_day"
"""What a customer's day comes to."""

TOLERANCE = 1e-9
"""A day whose net is below this share of its gross is a day netted to nothing, up to rounding."""

DAY = "day"
KEYS = (CUSTOMER, DAY)


SAMPLED = 4_000_000
"""Lines from which what needs a sort or a distinct count is measured on a sample of whole customers."""


@dataclass(frozen=True, eq=False)
class Log:
    """An order log after one scan, inside its engine; days are counted from 1970-01-01.

    Attributes
    ----------
    lines : lazy frame
        Readable lines: ``customer_id``, ``day``, ``money`` (multiples of *unit*) and, if given,
        ``order_id`` and ``channel``.
    odd : lazy frame
        Days of a customer with a line that is not above zero: ``lines``, ``net``, ``gross`` and
        ``fate``.
    visits : lazy frame
        A row a customer and purchase day: ``net`` and ``channel``. Stored, or made when it is read.
    sample : lazy frame
        The same of one customer in *every*, with the ``largest`` line and the ``previous`` purchase
        day.
    every : int
        1 if the sample is everything.
    unreadable : dict of str to int
        Lines that could not be read, by reason.
    days : pandas.DataFrame
        A row a day: ``lines``, ``duplicates`` among them (scaled up from the sample), ``negative``,
        ``largest``.
    malformed : tuple of str
        Some malformed lines of a file, each with its number.
    implausible : Implausible or None
        Lines left out as ``implausible_time`` because of what this log is, not because of an
        option.
    kind : str
        The kind of frame that came in.
    unit : float or None
        Unit in which amounts are added up, and of ``money`` in *lines*; None if it is doubles. See :mod:`lifestage.data.engines.fixed_point`.
    """

    lines: nw.LazyFrame[Any]
    odd: nw.LazyFrame[Any]
    visits: nw.LazyFrame[Any]
    sample: nw.LazyFrame[Any]
    every: int
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

    def bought(self) -> nw.LazyFrame[Any]:
        """Lines of purchase days."""
        return _without(self.lines, self.odd)

    def visits_of(self, condition: nw.Expr) -> nw.LazyFrame[Any]:
        """Purchase days with a line that fulfils a condition."""
        keys = materialize(self.lines.filter(condition).select(*KEYS).unique())
        lines = _without(self.lines.join(keys, on=list(KEYS), how="semi"), self.odd)
        found = materialize(_visits(lines, self.unit, nw.col("money").max().alias("largest")))
        drop(keys)
        self.stored.append(found)
        return found

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
        Role (customer, time, amount, quantity, order, channel) → column, None if not there.
    earliest : int, optional
        First plausible day; without it the log tells, see :mod:`lifestage.data.log.plausible`.

    Raises
    ------
    DataError
        If a column is missing or of a wrong type, or the log cannot be read.
    """
    if isinstance(orders, str | Path):
        orders = read_orders(orders)
    orders = opened(orders)
    places = check_roles(orders, roles)
    named = {role: str(names(orders)[place]) for role, place in places.items()}
    rel, kind = relation(orders, places)
    lines = typed_lines(rel, named, tz=tz)
    reason = _reason(named, malformed="malformed" in lines.collect_schema().names())
    lines = lines.with_columns(reason.alias("reason"), _money(named).alias("money"))
    scan = _scan(lines)
    dated = (scan["reason"] == 0) | (scan["reason"] > CODES["implausible_time"])
    first, last = plausible_days(scan[dated], earliest)
    outside = dated & ~scan[DAY].between(first, last).fillna(False)
    scan.loc[outside, "reason"] = CODES["implausible_time"]
    implausible = None
    if outside.any() and earliest is None:
        implausible = _implausible(lines, scan, first, last)
        refuse_implausible(implausible, named["time"], int(scan["lines"].sum()))
    unread, days = (
        scan[scan["reason"] > 0],
        scan[scan["reason"] == 0]
        .drop(columns=["reason", "greatest", "least"])
        .reset_index(drop=True),
    )
    counts = unread.groupby("reason")["lines"].sum()
    unreadable = {
        reason: int(counts[code]) for reason, code in CODES.items() if code in counts.index
    }
    if days.empty:
        listed = ", ".join(f"{reason} {count:,}" for reason, count in unreadable.items())
        raise DataError(f"expected order lines; none can be read: {listed or 'the log is empty'}")
    malformed: tuple[str, ...] = ()
    if "malformed_line" in unreadable:
        wrong = lines.filter(nw.col("reason") == CODES["malformed_line"])
        malformed = tuple(to_pandas(wrong.select("said").head(3))["said"])
    lines = lines.filter(nw.col("reason") == 0)
    if not unreadable:
        lines = typed_lines(rel, named, tz=tz, checked=False).with_columns(
            _money(named).alias("money")
        )
    if outside.any():
        lines = lines.filter(nw.col(DAY).is_between(first, last))
    # Of the whole scan: an engine may convert lines before it filters them.
    unit = common_unit(scan["greatest"].max(), scan["least"].min(), int(scan["lines"].sum()))
    if unit is not None:
        lines = in_units(lines, {"money": unit})
    stored = []
    every = max(1, int(days["lines"].sum()) // SAMPLED)
    if drop_duplicates:
        lines = materialize(_folded(lines))
        stored.append(lines)
        days = days.drop(columns="negative").merge(_negative(lines), on=DAY)
    kept = [
        name
        for name in ("money", *KEYS, "order_id", "channel")
        if name in lines.collect_schema().names()
    ]
    few = lines.select(*kept, "copies" if drop_duplicates else "line")
    if every > 1:
        few = materialize(hash_sample(few, CUSTOMER, every))
        stored.append(few)
    repeated = _repeated(few if drop_duplicates else _folded(few), every)
    days["duplicates"] = days[DAY].map(repeated).fillna(0).astype(int)
    lines, few = lines.select(*kept), few.select(*kept)
    strange = "amount" in named and bool(days["other"].any())
    odd = materialize(_odd(lines if strange else lines.head(0), drop_zero, unit))
    if strange:
        few = _without(few, odd)
    sample = _visits(few, unit, nw.col("money").max().alias("largest"))
    if every == 1:
        visits = sample = materialize(sample)
        stored.append(sample)
    else:
        visits = _visits(_without(lines, odd) if strange else lines, unit)
    sample = materialize(
        sample.with_columns(nw.col(DAY).shift(1).over(CUSTOMER, order_by=DAY).alias("previous"))
    )
    stored += [odd, sample]
    return Log(
        lines,
        odd,
        visits,
        sample,
        every,
        unreadable,
        days,
        malformed,
        implausible,
        kind,
        unit,
        stored,
    )


def _scan(lines: nw.LazyFrame[Any]) -> pd.DataFrame:
    """Lines by reason and day: how many, below zero or not above it; the largest and extreme amounts."""
    money = nw.col("money")
    size = money.abs()
    return to_pandas(
        lines.group_by("reason", DAY)
        .agg(
            nw.len().cast(nw.Int64).alias("lines"),
            (money < 0).cast(nw.Int64).sum().cast(nw.Int64).alias("negative"),
            (money <= 0).cast(nw.Int64).sum().cast(nw.Int64).alias("other"),
            money.max().alias("largest"),
            size.max().alias("greatest"),
            nw.when(money != 0).then(size).min().alias("least"),
        )
        .sort("reason", DAY)
    )


def _implausible(
    lines: nw.LazyFrame[Any], scan: pd.DataFrame, first: int, last: int
) -> Implausible:
    """How many lines lie outside the plausible days, and what two of them say."""
    outside = lines.filter((nw.col("reason") == 0) | (nw.col("reason") > CODES["implausible_time"]))
    outside = outside.filter((nw.col(DAY) < first) | (nw.col(DAY) > last))
    said = to_pandas(
        outside.select(nw.col("said").min().alias("low"), nw.col("said").max().alias("high"))
    ).iloc[0]
    count = int(scan.loc[scan["reason"] == CODES["implausible_time"], "lines"].sum())
    return Implausible(count, first, str(said["low"]), str(said["high"]))


def _folded(lines: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Lines that differ in some column, and how many copies of each there are."""
    keys = [
        name
        for name in lines.collect_schema().names()
        if name in (*KEYS, "order_id", "channel", "line")
    ]
    return lines.group_by(*keys).agg(nw.len().alias("copies"), nw.col("money").min())


def _repeated(folded: nw.LazyFrame[Any], every: int) -> Mapping[int, int]:
    """Copies beyond the first by day, scaled up from one customer in *every*."""
    more = (
        folded.filter(nw.col("copies") > 1)
        .group_by(DAY)
        .agg((nw.col("copies") - 1).sum().alias("more"))
    )
    found = to_pandas(more)
    return dict(zip(map(int, found[DAY]), (every * found["more"]).astype(int), strict=True))


def _negative(folded: nw.LazyFrame[Any]) -> pd.DataFrame:
    below = (nw.col("money") < 0).cast(nw.Int64).sum().cast(nw.Int64).alias("negative")
    return to_pandas(folded.group_by(DAY).agg(below))


def _odd(lines: nw.LazyFrame[Any], drop_zero: bool, unit: float | None) -> nw.LazyFrame[Any]:
    """Days with a line that is not above zero, and their fate."""
    keys = lines.filter(nw.col("money") <= 0).select(*KEYS).unique()
    paid = nw.col("net") > TOLERANCE * nw.col("gross")
    fate = (
        nw.when(nw.col("gross") == 0)
        .then(nw.lit(ZERO if drop_zero else PURCHASE))
        .otherwise(nw.lit(NOT_POSITIVE))
    )
    return (
        lines.join(keys, on=list(KEYS), how="semi")
        .with_columns(nw.col("money").abs().alias("gross"))
        .group_by(*KEYS)
        .agg(
            nw.len().cast(nw.Int64).alias("lines"),
            nw.col("money").sum().alias("net"),
            nw.col("gross").sum(),
        )
        .with_columns(in_money("net", unit).alias("net"), in_money("gross", unit).alias("gross"))
        .with_columns(nw.when(paid).then(nw.lit(PURCHASE)).otherwise(fate).alias("fate"))
    )


def _without(lines: nw.LazyFrame[Any], odd: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Lines of days that are purchases."""
    return lines.join(
        odd.filter(nw.col("fate") != PURCHASE).select(*KEYS), on=list(KEYS), how="anti"
    )


def _visits(lines: nw.LazyFrame[Any], unit: float | None, *more: nw.Expr) -> nw.LazyFrame[Any]:
    """One row per customer and purchase day, in money."""
    channel = [nw.col("channel").min()] if "channel" in lines.collect_schema().names() else []
    visits = lines.group_by(*KEYS).agg(nw.col("money").sum().alias("net"), *more, *channel)
    sums = [name for name in ("net", "largest") if name in visits.collect_schema().names()]
    return visits.with_columns(*(in_money(name, unit).alias(name) for name in sums))


def _reason(named: Mapping[str, str], *, malformed: bool) -> nw.Expr:
    """0 for a line that can be read, else the code of its reason; whether its day is plausible the whole log tells."""
    tests = {"malformed_line": nw.col("malformed")} if malformed else {}
    tests |= {"missing_id": nw.col("no_id"), "missing_time": nw.col("no_time")}
    tests["unparseable_time"] = nw.col(DAY).is_null()
    for role in ("amount", "quantity"):
        if role in named:
            tests |= {
                f"missing_{role}": nw.col(f"no_{role}"),
                f"non_finite_{role}": nw.col(role).is_null(),
            }
    reason: nw.Expr = nw.lit(0)
    for name in reversed(tests):
        reason = nw.when(tests[name]).then(nw.lit(CODES[name])).otherwise(reason)
    return reason


def _money(named: Mapping[str, str]) -> nw.Expr:
    """What a line is worth."""
    money: nw.Expr = nw.col("amount") if "amount" in named else nw.lit(0.0)
    return money * nw.col("quantity") if "quantity" in named else money
