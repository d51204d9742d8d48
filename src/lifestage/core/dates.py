"""Calendar days as integers: days since 1970-01-01."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from lifestage.core.errors import ConfigError

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


def parse_day(day: Any, name: str = "until") -> date:
    """Return the day of a date, a timestamp or an ISO text such as 1997-09-30.

    Numbers and texts of another form are refused: 19970930 could count nanoseconds, and 03/04/1997
    is a day of March or of April.

    Parameters
    ----------
    day : date, datetime, numpy.datetime64 or str
    name : str
        Name of the option, for the error.

    Raises
    ------
    ConfigError
        If it is none of these.

    Examples
    --------
    >>> parse_day("1997-09-30")
    datetime.date(1997, 9, 30)
    """
    value = day.astype("datetime64[s]").item() if isinstance(day, np.datetime64) else day
    try:
        if isinstance(value, str):
            value = datetime.fromisoformat(value.strip())
        # NaT is a datetime that differs from itself.
        if isinstance(value, datetime) and value == value:
            return value.date()
    except ValueError:
        value = None
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise ConfigError(f"{name} must be a date such as 2024-12-31; got {day!r}")
