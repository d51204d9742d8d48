"""On which days of the past a backtest stands, and how far it looks from there: as asked for, or as the log allows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from lifestage.core.dates import parse_day
from lifestage.core.errors import ConfigError, DataError
from lifestage.core.notes import Note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lifestage.core.period import Period
    from lifestage.data.customers.summary import Summary

__all__ = ["Origins", "choose_origins"]

HALF_YEAR = 182.0
"""Days to look ahead where the log is long enough and nothing else is asked for."""

SHORTEST = 28.0
"""Days to look ahead from which on several origins are better than a longer horizon."""

MOST = 3
"""Origins where the log is long enough and nothing else is asked for."""

WHOLE = 4
"""Periods from which on a horizon is made of whole ones."""


@dataclass(frozen=True)
class Origins:
    """Days to stand at, the horizon from each (periods), and a note where it is not what a longer log would get."""

    days: tuple[date, ...]
    horizon: float
    notes: tuple[Note, ...] = ()


def choose_origins(
    whole: Summary, horizon: float | None = None, origins: int | Sequence[date | str] | None = None
) -> Origins:
    """Find the days to stand at, with a horizon of the log after each and half as much before.

    Parameters
    ----------
    whole : Summary
        Of the whole log.
    horizon : float, optional
        Periods; half a year, or what the log has room for, if left out.
    origins : int or dates, optional
        So many days a horizon apart, or these; 3, or what the log has room for, if left out.

    Raises
    ------
    DataError
        If the log is too short.
    ConfigError
        If an option is out of range.

    Examples
    --------
    >>> import lifestage as ls
    >>> found = choose_origins(ls.summarize(ls.datasets.cdnow(), period="week"))
    >>> found.horizon, [str(day) for day in found.days]
    (22.0, ['1997-03-25', '1997-08-26', '1998-01-27'])
    """
    if whole.until is None or whole.calendar is None:
        raise DataError("expected a Summary made from orders")
    first, unit = min(whole.calendar["day"]), whole.period.days
    length = float((whole.until - first).days)
    if origins is not None and not isinstance(origins, int):
        asked = [origins] if isinstance(origins, str) else origins
        days = sorted(parse_day(day, "an origin") for day in asked)
        if not days:
            raise ConfigError("expected 1 or more origins; got none")
        room = min((whole.until - days[-1]).days, 2 * (days[0] - first).days)
        ahead = _whole(min(HALF_YEAR, room), unit) if horizon is None else horizon
        count = len(days)
    else:
        if origins is not None and (isinstance(origins, bool) or origins < 1):
            raise ConfigError(f"expected 1 or more origins; got {origins!r}")
        count = origins or _count(length, None if horizon is None else horizon * unit)
        ahead = _whole(min(HALF_YEAR, length / (count + 0.5)), unit) if horizon is None else horizon
        step = timedelta(days=round(ahead * unit))
        days = [whole.until - step * k for k in range(count, 0, -1)]
    _check(days, timedelta(days=round(ahead * unit)), first, whole.until)
    notes = _notes(count, ahead, whole.period, horizon, origins)
    return Origins(tuple(days), float(ahead), notes)


def _count(length: float, ahead: float | None) -> int:
    """How many origins, at most 3 and at least 1, a log of so many days has room for."""
    shortest = SHORTEST if ahead is None else ahead
    return max(1, min(MOST, int(length / shortest - 0.5)))


def _whole(days: float, unit: float) -> float:
    """Periods in so many whole days; whole ones unless they are few."""
    periods = np.floor(days) / unit
    return float(np.floor(periods) if periods >= WHOLE else periods)


def _check(days: Sequence[date], ahead: timedelta, first: date, until: date) -> None:
    for day in days:
        if ahead < timedelta(days=1) or day + ahead > until or day - first < ahead / 2:
            raise DataError(
                f"expected origins with {max(ahead.days, 1)} days of the log after them and half as"
                f" many before; the log goes from {first} to {until}, and {day} is an origin: ask"
                " for fewer, or for a shorter horizon"
            )


def _notes(
    count: int,
    ahead: float,
    period: Period,
    horizon: float | None,
    origins: int | Sequence[date | str] | None,
) -> tuple[Note, ...]:
    """A note where the log had no room for what is done if nothing is asked for."""
    shorter = horizon is None and ahead * period.days < HALF_YEAR - period.days
    fewer = origins is None and count < MOST
    if not (shorter or fewer):
        return ()
    text = (
        f"The log has room for {count} origin{'s' if count > 1 else ''} and a horizon of"
        f" {ahead:.3g} {period.name}s; a longer log is tested at {MOST} origins over half a year."
    )
    return (Note("short_backtest", text, {"origins": count, "days": round(ahead * period.days)}),)
