"""The stage window H: how long a silence this base is used to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lifestage.core.errors import ConfigError, DataError
from lifestage.core.notes import Note
from lifestage.numerics.statistics import SHARE, weighted_quantile

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["choose_stage_window"]

SHORTEST, LONGEST = 14.0, 730.0
WITHOUT_GAPS = 90.0


def choose_stage_window(
    gaps: Mapping[Any, int], fixed: float | None, history: float | None
) -> tuple[float, tuple[Note, ...]]:
    """H in days: what the user fixed, else the 80th percentile of the gaps, within 14 to 730 days.

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
        usual = float(weighted_quantile([*gaps], [*gaps.values()], SHARE))
        window = min(max(usual, SHORTEST), LONGEST)
    else:
        window = max(min(WITHOUT_GAPS, WITHOUT_GAPS if history is None else history), SHORTEST)
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
