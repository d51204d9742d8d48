"""The stage window H: how long customers of this base usually pause between purchases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw

from lifestage.core.errors import ConfigError, DataError
from lifestage.core.names import FREQUENCY, RECENCY
from lifestage.core.notes import Note
from lifestage.data.engines.frames import to_pandas
from lifestage.numerics.statistics import weighted_quantile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifestage.core.period import Period

__all__ = ["choose_stage_window", "mean_gaps"]

MIN_WINDOW, MAX_WINDOW = 14.0, 730.0
WINDOW_WITHOUT_GAPS = 90.0
"""Days."""

GAP_QUANTILE = 0.8
"""Share of the gaps between purchases that the window covers."""

DAY_ROUNDING = 1e-6
"""Largest rounding error, in days, of a span that is a whole number of days."""


def choose_stage_window(
    gaps: Mapping[Any, int], fixed: float | None, history: float | None
) -> tuple[float, tuple[Note, ...]]:
    """H in days: the user's choice, else the 80th percentile of the gaps, within 14 to 730 days.

    Without a single gap it is 90 days, or the history if that is shorter, and a note says so.

    Raises
    ------
    ConfigError
        If the fixed window is not positive.
    DataError
        If H is longer than the history (days from the first of the log to the last of observation;
        None if unknown).
    """
    notes: tuple[Note, ...] = ()
    if fixed is not None:
        if not 0 < fixed < float("inf"):
            raise ConfigError(f"stage_window must be a positive number of days; got {fixed!r}")
        window = float(fixed)
    elif gaps:
        usual = float(weighted_quantile([*gaps], [*gaps.values()], GAP_QUANTILE))
        window = min(max(usual, MIN_WINDOW), MAX_WINDOW)
    else:
        window = max(
            min(WINDOW_WITHOUT_GAPS, WINDOW_WITHOUT_GAPS if history is None else history),
            MIN_WINDOW,
        )
        text = (
            f"No customer bought on two days, so the stage window cannot be measured; {window:g}"
            " days are assumed."
        )
        notes = (Note("no_repeats", text, {"stage_window": window}),)
    if history is not None and window > history:
        raise DataError(
            f"expected a history at least as long as the stage window of {window:g} days; the log"
            f" covers {history:g} days up to the last day of observation; give a longer log or fix"
            " a shorter stage_window="
        )
    return window, notes


def mean_gaps(table: nw.LazyFrame[Any], period: Period, people: nw.Expr) -> dict[float, int]:
    """Count the mean gaps of repeat buyers: gap in days → number of gaps.

    A customer has as many gaps as repeat purchases. The days from the first to the last purchase
    are rounded to a whole number where only the unit of recency keeps them from being one. Gaps
    that are equal in days are then equal numbers, whatever the unit, and the engine counts each gap
    once.
    """
    span, x = nw.col(RECENCY) * period.days, nw.col(FREQUENCY)
    whole = span.round(0)
    days = nw.when((span - whole).abs() < DAY_ROUNDING).then(whole).otherwise(span)
    gaps = table.filter(x > 0).select(gap=days / x.cast(nw.Float64), n=x * people)
    counts = to_pandas(gaps.group_by("gap").agg(nw.col("n").sum()))
    return dict(zip(counts["gap"].tolist(), map(int, counts["n"]), strict=True))
