"""Data checks: whether there are new orders, and whether they look like the earlier ones."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lifestage.core.errors import DataError

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

    from lifestage.data.customers.summary import Summary
    from lifestage.jobs.model_spec import DataChecks

__all__ = ["NEW_DAYS", "check_data"]

NEW_DAYS = "new days"
"""The check that fails where nothing is new."""

MIN_DAYS_BEFORE = 28
"""A ratio compares with at least this many days before the new ones."""


class _Check(NamedTuple):
    check: str
    value: float
    low: float
    high: float


def check_data(customers: Summary, before: Summary | None, limits: DataChecks) -> pd.DataFrame:
    """Compare new data with the limits of a model specification.

    Parameters
    ----------
    customers : Summary
        Of the log as it is now.
    before : Summary, optional
        What the champion was fitted on; without one the data are checked alone.
    limits : DataChecks

    Returns
    -------
    pandas.DataFrame
        ``check``, ``value``, ``low``, ``high`` (the allowed range), ``passed``.

    Raises
    ------
    DataError
        If the log ends before the champion's, or the summary was not made from orders.
    """
    import pandas as pd

    if customers.until is None or customers.calendar is None or customers.quality is None:
        raise DataError("expected a Summary made from orders")
    calendar, until = customers.calendar, customers.until
    since = None if before is None else before.until
    checks = []
    if since is not None:
        checks.append(_new_days(since, until, limits))
    quality = customers.quality
    missing = quality.dropped.get("missing_id", 0) / max(quality.rows_read, 1)
    checks.append(_Check("missing ids, share", missing, 0.0, limits.max_missing_ids))
    if since is not None and until > since:
        checks += _ratios(calendar, since, until, limits)
    gap = _longest_gap(calendar, min(calendar["day"]) if since is None else since, until)
    checks.append(_Check("days without an order", gap, 0.0, limits.max_gap_days))
    table = pd.DataFrame(checks, columns=list(_Check._fields))
    return table.assign(passed=(table["low"] <= table["value"]) & (table["value"] <= table["high"]))


def _new_days(since: date, until: date, limits: DataChecks) -> _Check:
    days = (until - since).days
    if days < 0:
        raise DataError(
            f"expected orders after {since}, the last day of the champion; they end on {until}"
        )
    return _Check(NEW_DAYS, float(days), float(limits.min_new_days), np.inf)


def _ratios(calendar: pd.DataFrame, since: date, until: date, limits: DataChecks) -> list[_Check]:
    """Purchases per day and spend per purchase, of the new days ÷ of as many days before."""
    days = max((until - since).days, MIN_DAYS_BEFORE)
    begin = max(since - timedelta(days=days), min(calendar["day"]))
    volume, spend = _rates(calendar, since, until)
    volume_before, spend_before = _rates(calendar, begin, since)
    ratio = volume / volume_before if volume_before else np.inf
    checks = [_Check("purchases per day, ratio", ratio, *limits.volume)]
    if spend_before:
        checks.append(_Check("spend per purchase, ratio", spend / spend_before, *limits.spend))
    return checks


def _rates(calendar: pd.DataFrame, begin: date, end: date) -> tuple[float, float]:
    """Purchases per day, and spend per purchase, after *begin* up to *end*."""
    part = calendar[(calendar["day"] > begin) & (calendar["day"] <= end)]
    purchases = float((part["new_customers"] + part["repeat_purchases"]).sum())
    spend = float(part["revenue"].sum()) / max(purchases, 1.0)
    return purchases / max((end - begin).days, 1), spend


def _longest_gap(calendar: pd.DataFrame, begin: date, end: date) -> float:
    """Most days in a row without an order between two days."""
    days = {begin, end} | {day for day in calendar["day"] if begin <= day <= end}
    ordinals = np.array([day.toordinal() for day in sorted(days)])
    return float(max(np.diff(ordinals) - 1, default=0))
