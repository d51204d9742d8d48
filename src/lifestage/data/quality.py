"""The account of a log: what became of every line, and whether the log is too bad to go on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

import narwhals as nw

from lifestage.data.days import as_date
from lifestage.data.engine import to_pandas
from lifestage.data.orders import DAY, NOT_POSITIVE, PURCHASE, ZERO, Log
from lifestage.errors import DataError
from lifestage.tables import CUSTOMER, Quality

__all__ = ["account", "refuse_bad"]


def account(log: Log, end: int, *, has_money: bool, drop_duplicates: bool) -> Quality:
    """Count the fate of every line up to the day *end*, from the lines by day and fate."""
    days = log.days
    now = days[days[DAY] <= end]
    kept = now["lines"] - now["duplicates"] * drop_duplicates
    by_fate = {fate: int(kept[now["fate"] == fate].sum()) for fate in (PURCHASE, NOT_POSITIVE, ZERO)}
    dropped = {
        **log.unreadable,
        "after_until": int(days["lines"][days[DAY] > end].sum()),
        "exact_duplicate": int(now["duplicates"].sum()) * drop_duplicates,
        NOT_POSITIVE: by_fate[NOT_POSITIVE],
        ZERO: by_fate[ZERO],
    }
    refused = log.refused.filter(nw.col(DAY) <= end)
    firsts = log.visits.group_by(CUSTOMER).agg(nw.col(DAY).min().alias("first"))
    early = refused.join(firsts, on=CUSTOMER, how="left").filter(
        nw.col("first").is_null() | (nw.col(DAY) < nw.col("first"))
    )
    found = {
        "exact_duplicates": int(now["duplicates"].sum()) * (not drop_duplicates),
        "negative_lines": int(now["negative"].sum()),
        "zero_value_days": int(now["empty"][now["fate"] == PURCHASE].sum()) * has_money,
        "days_netted_to_nothing": int(now["customers"][now["fate"] == NOT_POSITIVE].sum()),
        "refund_days_before_purchase": int(to_pandas(early.select(nw.len().alias("n")))["n"].iloc[0]),
    }
    visits = int(now["customers"][now["fate"] == PURCHASE].sum())
    return Quality(
        rows_read=int(days["lines"].sum()) + sum(log.unreadable.values()),
        rows_used=by_fate[PURCHASE],
        dropped={reason: count for reason, count in dropped.items() if count},
        merged={"same_day_lines": by_fate[PURCHASE] - visits},
        found={name: count for name, count in found.items() if count},
    )


def refuse_bad(quality: Quality, end: int, max_dropped: float) -> None:
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
        share = f"{bad:,} of {quality.rows_read:,} lines ({bad / quality.rows_read:.0%}) cannot be used"
        refuse(f"{share}, more than max_dropped={max_dropped:g} allows", quality.dropped)


def refuse(why: str, dropped: Mapping[str, int]) -> NoReturn:
    """Raise a DataError that lists the lines dropped by reason."""
    listed = ", ".join(f"{reason} {count:,}" for reason, count in dropped.items()) or "none"
    raise DataError(f"expected usable orders; {why}; lines dropped: {listed}")
