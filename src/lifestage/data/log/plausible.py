"""Days on which no order can have been made.

They come from placeholders such as 1970-01-01, from years of two digits, and from other calendars.
Gaps of ten years or more without a line split a log into parts, and the part with most lines is the
real log. Lines before that part, or before 1900, are left out as ``implausible_time`` with a note,
and refused when they are more than a few; so is a log that lies beyond 2199. A day far beyond the
others is refused until the last day of observation is given.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from lifestage.core.dates import as_number
from lifestage.core.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "MAX_EMPTY_DAYS",
    "Implausible",
    "few",
    "plausible_days",
    "refuse_implausible",
    "usual_end",
    "usual_start",
]

FIRST, LAST = as_number(date(1900, 1, 1)), as_number(date(2199, 12, 31))
END = as_number(date.max)
MAX_EMPTY_DAYS = 3650
"""Longest gap between the days of a real log."""
STRAY_DAYS = 366
"""Distance in days from all others at which a few lines get a note."""
STRAY_SHARE = 0.001
MAX_IMPLAUSIBLE = 0.05
"""Share of lines on implausible days above which a log is refused: its dates are misread."""


@dataclass(frozen=True)
class Implausible:
    """Lines of implausible days.

    Their number, the first plausible day, and the smallest and largest of their dates as text.
    """

    lines: int
    first: int
    low: str
    high: str

    @property
    def samples(self) -> str:
        """One or two of the texts."""
        return " and ".join(repr(text) for text in dict.fromkeys((self.low, self.high)))


def few(lines: int) -> float:
    """Largest number of lines that counts as a few: a thousandth, or two but not over a third."""
    return max(STRAY_SHARE * lines, min(2, lines / 3))


def plausible_days(days: pd.DataFrame, earliest: int | None) -> tuple[int, int]:
    """Return the first and the last plausible day of a log.

    Parameters
    ----------
    days : pandas.DataFrame
        ``day`` (a number) and its ``lines``; a day may have several rows.
    earliest : int, optional
        First plausible day, if the user has set it.

    Examples
    --------
    >>> import pandas as pd
    >>> log = pd.DataFrame({"day": [0, 19_787, 19_879], "lines": 1})
    >>> plausible_days(log, None)[0], plausible_days(log, 0)[0]
    (19787, 0)
    """
    if earliest is not None:
        return earliest, END
    by_day = _by_day(days[days["day"] >= FIRST])
    if by_day.empty:
        return FIRST, END
    start, _ = _main_part(by_day)
    if start > LAST:
        return FIRST, LAST
    return (FIRST if start == by_day.index[0] else start), END


def refuse_implausible(implausible: Implausible, column: str, lines: int) -> None:
    """Refuse a log with more than a few lines on implausible days.

    Raises
    ------
    DataError
        With samples.
    """
    if implausible.lines > max(few(lines), MAX_IMPLAUSIBLE * lines):
        raise DataError(
            f"expected the days of orders in column {column!r}; {implausible.lines:,} of {lines:,}"
            " lines are before 1900, more than ten years before all others, or beyond 2199, such as"
            f" {implausible.samples}: write years with four digits, of the Gregorian calendar, or"
            " set earliest= to the first possible day, to leave out the lines before it"
        )


def usual_end(days: pd.DataFrame) -> int:
    """Last day of the log without the few latest lines and those beyond a gap of ten years."""
    by_day = _by_day(days)
    _, end = _main_part(by_day)
    beyond = by_day.sum() - by_day.cumsum()
    return min(end, int(by_day.index[beyond <= few(int(by_day.sum()))].min()))


def usual_start(days: pd.DataFrame) -> int:
    """First day after the last gap of more than a year that has only a few lines before it."""
    by_day = _by_day(days)
    before = by_day.cumsum() - by_day
    gap = by_day.index.to_series().diff()
    after = by_day.index[(gap > STRAY_DAYS) & (before <= few(int(by_day.sum())))]
    return int(after.max() if len(after) else by_day.index[0])


def _by_day(days: pd.DataFrame) -> pd.Series[int]:
    """Lines by day, in order."""
    return days.astype({"day": "int64"}).groupby("day")["lines"].sum()


def _main_part(by_day: pd.Series[int]) -> tuple[int, int]:
    """First and last day of the part with most lines between gaps of ten years.

    The latest part, if several have as many.
    """
    part = (by_day.index.to_series().diff() > MAX_EMPTY_DAYS).cumsum()
    lines = by_day.groupby(part.to_numpy()).sum()
    main = by_day.index[part.to_numpy() == lines.index[lines == lines.max()].max()]
    return int(main.min()), int(main.max())
