"""The account of a log: what became of every line, and whether the log is too bad to go on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NoReturn

import narwhals as nw

from lifestage.core.dates import as_date
from lifestage.core.errors import DataError
from lifestage.core.names import CUSTOMER
from lifestage.core.notes import Note, html_table
from lifestage.data.engines.frames import to_pandas
from lifestage.data.log.lines import DAY, NOT_POSITIVE, PURCHASE, ZERO, Log

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Quality", "account", "complete_quality", "raise_if_too_many_dropped"]


def account(log: Log, end: int, *, has_money: bool, drop_duplicates: bool) -> Quality:
    """Count the fate of every line up to the day *end*; lines that share a day are merged later."""
    now = log.days[log.days[DAY] <= end]
    odd = to_pandas(
        log.odd.filter(nw.col(DAY) <= end)
        .group_by("fate")
        .agg(
            nw.col("lines").sum().cast(nw.Int64),
            nw.len().cast(nw.Int64).alias("days"),
            (nw.col("gross") == 0).cast(nw.Int64).sum().cast(nw.Int64).alias("empty"),
        )
    ).set_index("fate")

    def of(fate: str, column: str) -> int:
        return int(odd[column].get(fate, 0))

    repeated = int(now["duplicates"].sum())
    lost = {fate: of(fate, "lines") for fate in (NOT_POSITIVE, ZERO)}
    dropped = {
        **log.unreadable,
        "after_until": int(log.days["lines"].sum() - now["lines"].sum()),
        "exact_duplicate": repeated * drop_duplicates,
        **lost,
    }
    found = {
        "exact_duplicates": repeated * (not drop_duplicates),
        "negative_lines": int(now["negative"].sum()),
        "zero_value_days": of(PURCHASE, "empty") * has_money,
        "days_netted_to_nothing": of(NOT_POSITIVE, "days"),
    }
    return Quality(
        rows_read=int(log.days["lines"].sum()) + sum(log.unreadable.values()),
        rows_used=int(now["lines"].sum()) - dropped["exact_duplicate"] - sum(lost.values()),
        dropped={reason: count for reason, count in dropped.items() if count},
        found={name: count for name, count in found.items() if count},
    )


def complete_quality(
    quality: Quality, log: Log, customers: nw.LazyFrame[Any], visits: int, end: int
) -> Quality:
    """Add what is known once customers are: lines merged into *visits*, and refunds before any purchase."""
    refused = log.odd.filter((nw.col(DAY) <= end) & (nw.col("fate") == NOT_POSITIVE)).select(
        CUSTOMER, DAY
    )
    early = refused.join(
        customers.select(CUSTOMER, "first_purchase"), on=CUSTOMER, how="left"
    ).filter(nw.col("first_purchase").is_null() | (nw.col(DAY) < nw.col("first_purchase")))
    count = int(to_pandas(early.select(nw.len().alias("n")))["n"].iloc[0])
    found = {**quality.found, "refund_days_before_purchase": count}
    return replace(
        quality,
        merged={"same_day_lines": quality.rows_used - visits},
        found={name: number for name, number in found.items() if number},
    )


def raise_if_too_many_dropped(quality: Quality, end: int, max_dropped: float) -> None:
    """Refuse a log without a purchase up to *end*, or with too many unusable lines.

    Raises
    ------
    DataError
        With the lines dropped by reason.
    """
    if not quality.rows_used:
        refuse(f"no purchase is left up to {as_date(end)}", quality.dropped)
    bad = sum(count for reason, count in quality.dropped.items() if reason != "after_until")
    if bad > max_dropped * quality.rows_read:
        share = (
            f"{bad:,} of {quality.rows_read:,} lines ({bad / quality.rows_read:.0%}) cannot be used"
        )
        refuse(f"{share}, more than max_dropped={max_dropped:g} allows", quality.dropped)


def refuse(why: str, dropped: Mapping[str, int]) -> NoReturn:
    """Raise a DataError that lists the lines dropped by reason."""
    listed = ", ".join(f"{reason} {count:,}" for reason, count in dropped.items()) or "none"
    raise DataError(f"expected usable orders; {why}; lines dropped: {listed}")


@dataclass(frozen=True)
class Quality:
    """What became of every row of the log: ``rows_read == rows_used + sum(dropped.values())``.

    Attributes
    ----------
    rows_read, rows_used : int
        Order lines read, and order lines that belong to a purchase day up to ``until``.
    dropped : dict of str to int
        Lines left out, by reason; each line has exactly one reason.
    merged : dict of str to int
        Lines that were used but folded into another (several lines of one customer and day).
    found : dict of str to int
        Things counted but not dropped (exact duplicates that were kept, negative lines netted on
        their day ...).
    notes : tuple of Note
        Warnings about the log, worst first.
    """

    rows_read: int
    rows_used: int
    dropped: Mapping[str, int] = field(default_factory=dict)
    merged: Mapping[str, int] = field(default_factory=dict)
    found: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()

    def _repr_html_(self) -> str:
        counts = {"order lines read": self.rows_read, "used": self.rows_used}
        for fate in ("dropped", "merged", "found"):
            counts |= {
                f"{fate}: {reason.replace('_', ' ')}": n
                for reason, n in getattr(self, fate).items()
            }
        return html_table("Quality", {name: f"{n:,}" for name, n in counts.items()}, self.notes)
