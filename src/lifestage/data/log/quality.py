"""Quality of a log: the fate of each line, and whether too many lines are left out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NoReturn

import narwhals as nw

from lifestage.core.dates import as_date
from lifestage.core.errors import DataError
from lifestage.core.names import CUSTOMER
from lifestage.core.notes import Note, html_table
from lifestage.data.engines.frames import to_pandas
from lifestage.data.log.fates import DAY, NOT_POSITIVE, PURCHASE, ZERO

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifestage.data.log.lines import Log

__all__ = ["Quality", "complete_quality", "count_fates", "raise_if_too_many_dropped"]


def count_fates(log: Log, end: int, *, has_money: bool, drop_duplicates: bool) -> Quality:
    """Count the fate of every line up to the day *end*; lines that share a day are merged later."""
    observed = log.days[log.days[DAY] <= end]
    days = to_pandas(
        log.nonpositive.filter(nw.col(DAY) <= end)
        .group_by("fate")
        .agg(
            nw.col("lines").sum().cast(nw.Int64),
            nw.len().cast(nw.Int64).alias("days"),
            (nw.col("gross") == 0).cast(nw.Int64).sum().cast(nw.Int64).alias("empty"),
        )
    ).set_index("fate")
    counts: dict[Any, Any] = days.to_dict("index")
    empty = dict.fromkeys(days.columns, 0)
    paid, unpaid = counts.get(PURCHASE, empty), counts.get(NOT_POSITIVE, empty)
    free = counts.get(ZERO, empty)
    duplicates = int(observed["duplicates"].sum())
    refused = {NOT_POSITIVE: int(unpaid["lines"]), ZERO: int(free["lines"])}
    dropped = {
        **log.unreadable,
        "after_until": int(log.days["lines"].sum() - observed["lines"].sum()),
        "exact_duplicate": duplicates * drop_duplicates,
        **refused,
    }
    found = {
        "exact_duplicates": duplicates * (not drop_duplicates),
        "negative_lines": int(observed["negative"].sum()),
        "zero_value_days": int(paid["empty"]) * has_money,
        "days_netted_to_nothing": int(unpaid["days"]),
    }
    lines = int(observed["lines"].sum())
    return Quality(
        rows_read=int(log.days["lines"].sum()) + sum(log.unreadable.values()),
        rows_used=lines - dropped["exact_duplicate"] - sum(refused.values()),
        dropped=_without_zeros(dropped),
        found=_without_zeros(found),
    )


def complete_quality(
    quality: Quality, log: Log, customers: nw.LazyFrame[Any], purchase_days: int, end: int
) -> Quality:
    """Add the counts that need the customers.

    These are lines merged into purchase days, and days of refunds before any purchase.
    """
    is_refused = (nw.col(DAY) <= end) & (nw.col("fate") == NOT_POSITIVE)
    refused = log.nonpositive.filter(is_refused).select(CUSTOMER, DAY)
    first = nw.col("first_purchase")
    first_days = customers.select(CUSTOMER, "first_purchase")
    dated = refused.join(first_days, on=CUSTOMER, how="left")
    early = dated.filter(first.is_null() | (nw.col(DAY) < first))
    count = int(to_pandas(early.select(nw.len().alias("n")))["n"].iloc[0])
    found = {**quality.found, "refund_days_before_purchase": count}
    return replace(
        quality,
        merged={"same_day_lines": quality.rows_used - purchase_days},
        found=_without_zeros(found),
    )


def _without_zeros(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}


def raise_if_too_many_dropped(quality: Quality, end: int, max_dropped: float) -> None:
    """Refuse a log without a purchase up to *end*, or with too many unusable lines.

    Raises
    ------
    DataError
        With the lines dropped by reason.
    """
    if not quality.rows_used:
        refuse(f"no purchase is left up to {as_date(end)}", quality.dropped)
    read = quality.rows_read
    unusable = sum(quality.dropped.values()) - quality.dropped.get("after_until", 0)
    if unusable > max_dropped * read:
        share = f"{unusable:,} of {read:,} lines ({unusable / read:.0%}) cannot be used"
        refuse(f"{share}, more than max_dropped={max_dropped:g} allows", quality.dropped)


def refuse(problem: str, dropped: Mapping[str, int]) -> NoReturn:
    """Raise a DataError that lists the lines dropped by reason."""
    listed = ", ".join(f"{reason} {count:,}" for reason, count in dropped.items()) or "none"
    raise DataError(f"expected usable orders; {problem}; lines dropped: {listed}")


@dataclass(frozen=True)
class Quality:
    """The fate of each row of the log: ``rows_read == rows_used + sum(dropped.values())``.

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
        rows = {"order lines read": f"{self.rows_read:,}", "used": f"{self.rows_used:,}"}
        for name in ("dropped", "merged", "found"):
            for reason, count in getattr(self, name).items():
                rows[f"{name}: {reason.replace('_', ' ')}"] = f"{count:,}"
        return html_table("Quality", rows, self.notes)
