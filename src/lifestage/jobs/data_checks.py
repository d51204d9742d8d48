"""Whether new data are there and good enough to learn from, beside those of the champion."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from lifestage.core.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from lifestage.data.customers.summary import Summary
    from lifestage.jobs.model_spec import Gates

__all__ = ["NEW_DAYS", "check_gates"]

NEW_DAYS = "new days"
"""The gate that says whether anything is new."""

SHORTEST = 28
"""Days that a ratio looks back over, at least."""


def check_gates(customers: Summary, before: Summary | None, gates: Gates) -> pd.DataFrame:
    """Hold new data against the gates.

    Parameters
    ----------
    customers : Summary
        Of the log as it is now.
    before : Summary, optional
        What the champion was made of; without one the data are judged alone.
    gates : Gates

    Returns
    -------
    pandas.DataFrame
        ``gate``, ``value``, ``low``, ``high`` (what is allowed), ``passed``.

    Raises
    ------
    DataError
        If the log ends before the champion's, or the summary was not made from orders.
    """
    import pandas as pd

    if customers.until is None or customers.calendar is None or customers.quality is None:
        raise DataError("expected a Summary made from orders")
    quality = customers.quality
    missing = quality.dropped.get("missing_id", 0) / max(quality.rows_read, 1)
    rows: list[tuple[str, float, float, float]] = [
        ("missing ids, share", missing, 0.0, gates.max_missing_ids)
    ]
    since = None if before is None else before.until
    if since is not None:
        new_days = (customers.until - since).days
        if new_days < 0:
            raise DataError(
                f"expected orders after {since}, the last day of the champion; they end on"
                f" {customers.until}"
            )
        rows.insert(0, (NEW_DAYS, float(new_days), float(gates.min_new_days), np.inf))
        if new_days > 0:
            rows += _ratios(customers.calendar, since, customers.until, gates)
    begin = min(customers.calendar["day"]) if since is None else since
    rows.append(
        (
            "days without an order",
            _longest_gap(customers.calendar, begin, customers.until),
            0.0,
            gates.max_gap_days,
        )
    )
    table = pd.DataFrame(rows, columns=["gate", "value", "low", "high"])
    return table.assign(passed=(table["low"] <= table["value"]) & (table["value"] <= table["high"]))


def _ratios(
    calendar: pd.DataFrame, since: date, until: date, gates: Gates
) -> list[tuple[str, float, float, float]]:
    """Purchases a day and money a purchase, of the new days over as many old ones."""
    back = since - timedelta(days=max((until - since).days, SHORTEST))
    day = calendar["day"]
    sums = []
    for begin, end in ((since, until), (max(back, min(day)), since)):
        part = calendar[(day > begin) & (day <= end)]
        purchases = float((part["new_customers"] + part["repeat_purchases"]).sum())
        sums.append(
            (
                purchases / max((end - begin).days, 1),
                float(part["revenue"].sum()) / max(purchases, 1.0),
            )
        )
    (volume, spend), (old_volume, old_spend) = sums
    out = [("purchases a day, ratio", volume / old_volume if old_volume else np.inf, *gates.volume)]
    if old_spend:
        out.append(("money a purchase, ratio", spend / old_spend, *gates.spend))
    return out


def _longest_gap(calendar: pd.DataFrame, begin: date, end: date) -> float:
    inside = sorted({begin, end, *(day for day in calendar["day"] if begin <= day <= end)})
    return float(max(((b - a).days - 1 for a, b in pairwise(inside)), default=0))
