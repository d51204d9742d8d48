"""Warnings about a log that affect how far its results can be trusted."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from lifestage.core.dates import as_date
from lifestage.core.notes import Note
from lifestage.data.log.plausible import STRAY_DAYS, Implausible, usual_end, usual_start

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

    from lifestage.data.log.lines import Log
    from lifestage.data.log.quality import Quality

__all__ = ["notes"]

MAX_MISSING_IDS, MAX_CANCELLATIONS, MAX_DUPLICATES = 0.05, 0.01, 0.005
"""Shares of the lines above which there is a note."""
GIANT_ORDER = 100.0
"""An order is called giant from so many times the median purchase day."""
WHOLESALER_SHARE = 0.2
"""Share of the revenue above which one customer is called a wholesaler."""
TRUNCATED_SHARE, TRUNCATED_SIGMAS = 0.05, 3.0
"""Excess of the first inflow over the later one: share of the customers, standard deviations."""
SMALL_BASE = 500
"""Customers below which estimates are rough."""
SHORT_HISTORY = 28
"""Days; a shorter log is short whatever the stage window."""


def notes(  # noqa: PLR0913
    quality: Quality,
    log: Log,
    calendar: pd.DataFrame,
    facts: Mapping[Any, Any],
    sizes: Mapping[Any, Any],
    *,
    window: float,
    until: int,
    default_until: bool,
    default_earliest: bool,
) -> tuple[Note, ...]:
    """Warnings about a log, worst first.

    Parameters
    ----------
    quality : Quality
    log : Log
    calendar : pandas.DataFrame
        ``day`` (a number), ``new_customers``.
    facts : mapping with ``customers``, ``revenue`` and ``largest`` (revenue of one customer)
    sizes : mapping with ``median`` and largest ``day`` spend, and ``largest`` line
    window : float
        Stage window in days.
    until : int
        Last day of observation; *default_until* if it is only the last of the log.
    default_earliest : bool
        Whether the first plausible day follows from the log.
    """
    return (
        *_malformed(log.malformed, quality),
        *_implausible(log.implausible, quality),
        *(_early(log.days) if default_earliest else ()),
        *_future(log.days, until, default_until),
        *_history(log.days, until, window),
        *_truncated(calendar, until, window, facts),
        *_lines(quality),
        *_sizes(facts, sizes),
    )


def _malformed(lines: tuple[str, ...], quality: Quality) -> Iterator[Note]:
    if lines:
        count = quality.dropped["malformed_line"]
        yield Note(
            "malformed_lines",
            f"{count:,} of {quality.rows_read:,} lines have other columns than the first line of"
            " their file and are left out:"
            f" {'; '.join(lines)}{' ...' if count > len(lines) else ''}",
            {"lines": count, "samples": "; ".join(lines)},
        )


def _implausible(implausible: Implausible | None, quality: Quality) -> Iterator[Note]:
    if implausible is not None:
        lines, samples, first = implausible.lines, implausible.samples, _iso(implausible.first)
        yield Note(
            "implausible_dates",
            f"{lines:,} of {quality.rows_read:,} lines have implausible dates, such as"
            f" {samples}, and are left out; the others begin after {first}. Set earliest= if the"
            " dates are right.",
            {"lines": lines, "samples": samples, "earliest": first},
        )


def _early(days: pd.DataFrame) -> Iterator[Note]:
    """Whether a few lines lie more than a year before all others."""
    first, usual = int(days["day"].min()), usual_start(days)
    if first < usual:
        yield Note(
            "early_dates",
            f"The first day of the log is {_iso(first)}, but nearly all lines are of {_iso(usual)}"
            f" or later; set earliest='{_iso(usual)}' if the earlier ones are typing errors.",
            {"first": _iso(first), "usual": _iso(usual)},
        )


def _future(days: pd.DataFrame, until: int, default_until: bool) -> Iterator[Note]:
    """Whether the last lines lie more than a year after all but a thousandth of the others."""
    usual = usual_end(days)
    if default_until and until - usual > STRAY_DAYS:
        yield Note(
            "future_dates",
            f"The last day of the log is {_iso(until)}, but nearly all lines are of {_iso(usual)}"
            f" or earlier; set until='{_iso(usual)}' if the later ones are typing errors.",
            {"last": _iso(until), "usual": _iso(usual)},
        )


def _history(days: pd.DataFrame, until: int, window: float) -> Iterator[Note]:
    history = until - int(days["day"].min())
    if history < max(SHORT_HISTORY, 2 * window):
        yield Note(
            "short_history",
            f"The log covers {history} days up to {_iso(until)}, less than twice the stage window"
            f" of {window:g} days; estimates of dropout and repeat purchases are uncertain.",
            {"days": history, "stage_window": window},
        )


def _truncated(
    calendar: pd.DataFrame, until: int, window: float, facts: Mapping[Any, Any]
) -> Iterator[Note]:
    """Whether more customers appear in the first half window than the later inflow explains.

    The others must have bought before the log begins. The inflow is measured up to the last day
    with a new customer, so that a cohort is not taken for a truncated log.
    """
    new = calendar[(calendar["day"] <= until) & (calendar["new_customers"] > 0)]
    first, last = int(new["day"].min()), int(new["day"].max())
    early_days = window / 2
    later_days = last - first + 1 - early_days
    if later_days < early_days / 2:
        return
    is_early = new["day"] < first + early_days
    early = float(new["new_customers"][is_early].sum())
    later = float(new["new_customers"][~is_early].sum())
    usual = later / later_days * early_days
    share = (early - usual) / float(facts["customers"])
    noise = math.sqrt(early + usual * early_days / later_days)
    if share > TRUNCATED_SHARE and early - usual > TRUNCATED_SIGMAS * noise:
        yield Note(
            "truncated_start",
            f"About {share:.0%} of the customers seem to be old ones whose earlier orders are not"
            f" in the log: {early:,.0f} appear in its first {early_days:.0f} days, {usual:,.0f}"
            " would be usual later on.",
            {"share": share, "early": early, "days": early_days},
        )


def _lines(quality: Quality) -> Iterator[Note]:
    read = quality.rows_read
    missing = quality.dropped.get("missing_id", 0)
    if missing > MAX_MISSING_IDS * read:
        yield Note(
            "high_missing_id",
            f"{missing:,} of {read:,} lines ({missing / read:.0%}) have no customer and are left"
            " out.",
            {"lines": missing, "share": missing / read},
        )
    negative = quality.found.get("negative_lines", 0)
    if negative > MAX_CANCELLATIONS * read:
        yield Note(
            "cancellations",
            f"{negative:,} of {read:,} lines ({negative / read:.1%}) are refunds or cancellations;"
            " they are netted on their own day and take nothing from earlier days.",
            {"lines": negative, "share": negative / read},
        )
    copies = quality.found.get("exact_duplicates", 0)
    if copies > MAX_DUPLICATES * read:
        yield Note(
            "duplicates_kept",
            f"{copies:,} of {read:,} lines ({copies / read:.1%}) repeat another in every column and"
            " are kept; drop_duplicates leaves them out.",
            {"lines": copies, "share": copies / read},
        )


def _sizes(facts: Mapping[Any, Any], sizes: Mapping[Any, Any]) -> Iterator[Note]:
    customers, revenue = int(facts["customers"]), float(facts["revenue"])
    if revenue > 0 and customers > 1 and float(facts["largest"]) > WHOLESALER_SHARE * revenue:
        share = float(facts["largest"]) / revenue
        yield Note("wholesaler", f"One customer has {share:.0%} of the revenue.", {"share": share})
    median = float(sizes["median"])
    largest = max(float(sizes["largest"]), float(sizes["day"]))
    if largest > GIANT_ORDER * median:
        yield Note(
            "giant_order",
            f"The largest order is worth {largest:,.2f}, {largest / median:,.0f} times the median"
            " purchase day.",
            {"largest": largest, "median": median},
        )
    if customers < SMALL_BASE:
        yield Note(
            "small_base",
            f"The base has {customers:,} customers; below {SMALL_BASE} the estimates are rough.",
            {"customers": customers},
        )


def _iso(day: int) -> str:
    return as_date(day).isoformat()
