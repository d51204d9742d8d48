"""Calendar days as integers: days since 1970-01-01."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from lifestage.errors import ConfigError

__all__ = ["as_date", "as_number", "parse_day"]

EPOCH = date(1970, 1, 1)


def as_date(day: int) -> date:
    """Return the date of a number of days since 1970-01-01.

    Examples
    --------
    >>> as_date(1)
    datetime.date(1970, 1, 2)
    """
    return EPOCH + timedelta(days=int(day))


def as_number(day: date) -> int:
    """Return the days from 1970-01-01 to a date."""
    return (day - EPOCH).days


def parse_day(day: str | date, name: str = "until") -> date:
    """Return a date, or the date that an ISO text says; *name* is the option it was given for.

    Raises
    ------
    ConfigError
        If it says none.

    Examples
    --------
    >>> parse_day("1997-09-30")
    datetime.date(1997, 9, 30)
    """
    try:
        if isinstance(day, str):
            day = datetime.fromisoformat(day)
        if isinstance(day, datetime):
            day = day.date()
        if isinstance(day, date) and day == day:  # pandas has a date that is none
            return day
    except (TypeError, ValueError):
        pass
    raise ConfigError(f"{name} must be a date such as 2024-12-31; got {day!r}")
