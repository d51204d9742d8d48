"""Terms of a prediction: horizon, discount rate, margin and interval level, checked once."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lifestage.core.period import Period

__all__ = ["MAX_HORIZON", "Terms", "check_horizon", "check_number", "rate_per_period", "short"]

MAX_HORIZON = 1e6
"""Largest horizon, in periods."""


@dataclass(frozen=True)
class Terms:
    """Horizon (periods), discount rate per year, margin and interval level, checked."""

    horizon: float
    discount_rate: float = 0.10
    margin: float = 1.0
    level: float = 0.9

    def __post_init__(self) -> None:
        check_horizon(self.horizon)
        rate = "a share per YEAR from 0 to 1, such as 0.10 for 10 % a year"
        check_number("discount_rate", self.discount_rate, rate, lambda share: 0 <= share <= 1)
        check_number("margin", self.margin, "a share in (0, 1]", lambda share: 0 < share <= 1)
        check_number("level", self.level, "a probability in (0, 1)", lambda share: 0 < share < 1)


def rate_per_period(discount_rate: float, period: Period) -> float:
    r"""Continuous discount rate per period, :math:`\ln(1 + d) / n`, with n periods in a year.

    Money that comes after t periods is worth :math:`e^{-\text{rate} \cdot t}` of its amount today.

    Parameters
    ----------
    discount_rate : float
        d, per year: 0.10 for 10 %.
    period : Period

    Examples
    --------
    >>> from lifestage.core.period import Period
    >>> round(rate_per_period(0.10, Period.parse("week")), 6)
    0.001827
    """
    return float(np.log1p(discount_rate)) / period.per_year


def check_number(name: str, value: Any, expected: str, holds: Callable[[float], bool]) -> None:
    """Raise a ConfigError unless an option is a number, not NaN, that *holds* accepts."""
    number = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
    if not number or not holds(float(value)):
        raise ConfigError(f"{name}: expected {expected}; got {short(value)}")


def check_horizon(value: Any, least: str = "above 0") -> None:
    """Raise a ConfigError unless a horizon is a number *least*: "above 0" or "of 0 or more"."""
    expected = f"one number of periods {least}, at most {MAX_HORIZON:,.0f}"
    check_number(
        "horizon",
        value,
        expected,
        lambda t: (t > 0 if least == "above 0" else t >= 0) and t <= MAX_HORIZON,
    )


def short(value: Any) -> str:
    """Return the repr of a value in one line of at most 80 characters, for a message."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else f"{text[:79]}…"
