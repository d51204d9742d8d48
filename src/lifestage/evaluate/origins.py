"""The origins of a backtest and its horizon: as asked for, or as the log has room for."""

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
"""Default horizon in days where the log is long enough."""

MIN_DAYS = 28.0
"""Horizon from which several origins are better than a longer horizon."""

DEFAULT_ORIGINS = 3
"""Where the log is long enough."""

MIN_WHOLE_PERIODS = 4
"""Longer horizons are whole numbers of periods."""


@dataclass(frozen=True)
class Origins:
    """Origins, the horizon from each (periods), and a note where a longer log would get more."""

    days: tuple[date, ...]
    horizon: float
    notes: tuple[Note, ...] = ()


def choose_origins(
    whole: Summary, horizon: float | None = None, origins: int | Sequence[date | str] | None = None
) -> Origins:
    """Choose the origins, with a horizon of the log after each and half as much before.

    Parameters
    ----------
    whole : Summary
        Of the whole log.
    horizon : float, optional
        Periods; half a year, or what the log has room for, if left out.
    origins : int or dates, optional
        So many dates a horizon apart, or these dates; 3, or what the log has room for, if left out.

    Raises
    ------
    DataError
        If the log is too short.
    ConfigError
        If an option is out of range.

    Examples
    --------
    >>> import lifestage as ls
    >>> chosen = choose_origins(ls.summarize(ls.datasets.cdnow(), period="week"))
    >>> chosen.horizon, [str(day) for day in chosen.days]
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
        span = _whole(min(HALF_YEAR, room), unit) if horizon is None else horizon
        count = len(days)
    else:
        if origins is not None and (isinstance(origins, bool) or origins < 1):
            raise ConfigError(f"expected 1 or more origins; got {origins!r}")
        count = origins or _count(length, None if horizon is None else horizon * unit)
        span = _whole(min(HALF_YEAR, length / (count + 0.5)), unit) if horizon is None else horizon
        step = timedelta(days=round(span * unit))
        days = [whole.until - step * k for k in range(count, 0, -1)]
    _check(days, timedelta(days=round(span * unit)), first, whole.until)
    notes = _notes(count, span, whole.period, horizon, origins)
    return Origins(tuple(days), float(span), notes)


def _count(length: float, span: float | None) -> int:
    """Number of origins, at most 3 and at least 1, that a log of so many days has room for."""
    shortest = MIN_DAYS if span is None else span
    return max(1, min(DEFAULT_ORIGINS, int(length / shortest - 0.5)))


def _whole(days: float, unit: float) -> float:
    """Periods in so many whole days; whole ones unless they are few."""
    periods = np.floor(days) / unit
    return float(np.floor(periods) if periods >= MIN_WHOLE_PERIODS else periods)


def _check(days: Sequence[date], span: timedelta, first: date, until: date) -> None:
    for day in days:
        if span < timedelta(days=1) or day + span > until or day - first < span / 2:
            raise DataError(
                f"expected origins with {max(span.days, 1)} days of the log after them and half as"
                f" many before; the log goes from {first} to {until}, and {day} is an origin: ask"
                " for fewer, or for a shorter horizon"
            )


def _notes(
    count: int,
    span: float,
    period: Period,
    horizon: float | None,
    origins: int | Sequence[date | str] | None,
) -> tuple[Note, ...]:
    """Note where the log had no room for the defaults."""
    shorter = horizon is None and span * period.days < HALF_YEAR - period.days
    fewer = origins is None and count < DEFAULT_ORIGINS
    if not (shorter or fewer):
        return ()
    plural = "s" if count > 1 else ""
    text = (
        f"The log has room for {count} origin{plural} and a horizon of {span:.3g} {period.name}s; a"
        f" longer log is tested at {DEFAULT_ORIGINS} origins over half a year."
    )
    return (Note("short_backtest", text, {"origins": count, "days": round(span * period.days)}),)
