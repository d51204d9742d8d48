"""Period: the unit of recency, T and horizons."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real

from lifestage.core.errors import ConfigError

__all__ = ["PERIODS", "Period"]

PERIODS = {
    "hour": 1 / 24,
    "day": 1.0,
    "week": 7.0,
    "month": 30.4375,
    "quarter": 91.3125,
    "year": 365.25,
}
"""Days in each period that has a name of its own."""


@dataclass(frozen=True)
class Period:
    """The unit of recency, T and horizons: one of ``PERIODS`` or one of your own.

    Parameters
    ----------
    name : str
        Singular, as texts say it.
    days : float
        Length in days, above 0.

    Raises
    ------
    ConfigError
        If the name is empty or the length is no number above 0.

    Examples
    --------
    >>> Period.parse("week").days
    7.0
    >>> str(Period("fortnight", 14))
    'fortnight of 14 days'
    """

    name: str
    days: float

    def __post_init__(self) -> None:
        if not (isinstance(self.name, str) and self.name.strip()):
            raise ConfigError(f"expected a period with a name; got {self.name!r}")
        if not (isinstance(self.days, Real) and 0 < self.days < float("inf")):
            raise ConfigError(
                f"expected the days of the period {self.name} as a number above 0; got"
                f" {self.days!r}"
            )

    def __str__(self) -> str:
        return (
            self.name
            if PERIODS.get(self.name) == self.days
            else f"{self.name} of {self.days:g} days"
        )

    @classmethod
    def parse(cls, period: str | Period) -> Period:
        """Return the period of a name; a Period is returned as it is.

        Parameters
        ----------
        period : str or Period
            ``"hour"``, ``"day"``, ``"week"``, ``"month"`` (30.4375 days), ``"quarter"`` (91.3125
            days), ``"year"`` (365.25 days), or a Period.

        Returns
        -------
        Period

        Raises
        ------
        ConfigError
            If the name is none of these.

        Examples
        --------
        >>> import lifestage as ls
        >>> ls.Period.parse("month").days
        30.4375
        """
        if isinstance(period, Period):
            return period
        if not isinstance(period, str) or period not in PERIODS:
            raise ConfigError(
                f"period must be one of {', '.join(PERIODS)}, or a Period(name, days); got"
                f" {period!r}"
            )
        return cls(period, PERIODS[period])

    @property
    def per_year(self) -> float:
        """Periods in a year of 365.25 days.

        Returns
        -------
        float

        Examples
        --------
        >>> Period("fortnight", 14).per_year
        26.089285714285715
        """
        return PERIODS["year"] / self.days
