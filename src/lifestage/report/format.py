"""Numbers, money, shares and dates as people read them; thin spaces that never break."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

__all__ = ["DASH", "THIN", "Money", "axis", "day", "integer", "number", "percent", "signed_percent"]

THIN = "\u202f"
"""Narrow no-break space: between groups of three digits, and before a unit."""
DASH = "–"
"""Stands for a value that is not known."""


def _known(value: Any) -> bool:
    return value is not None and value == value and not math.isinf(value)


def number(value: float | None, digits: int = 1) -> str:
    """Write a number with grouped digits and at most *digits* decimals.

    Examples
    --------
    >>> number(1234.5).replace(chr(0x202f), " "), number(None), number(-0.04)
    ('1 234.5', '–', '0.0')
    """
    if value is None or not _known(value):
        return DASH
    text = f"{value:,.{digits}f}"
    if text.strip("-0.,") == "":
        text = text.lstrip("-")
    return text.replace(",", THIN).replace("-", "\u2212")


def integer(value: float | None) -> str:
    """Write a count: :func:`number` without decimals."""
    return number(value, 0)


def percent(share: float | None, digits: int | None = None) -> str:
    """Write a share in per cent; small ones keep a decimal, and a positive one never reads 0 %.

    Examples
    --------
    >>> [percent(s).replace(chr(0x202f), " ") for s in (0.12, 0.034, 0.0002, 0.99999, 1.0, 0.0)]
    ['12 %', '3.4 %', '< 0.1 %', '> 99.9 %', '100 %', '0 %']
    """
    if share is None or not _known(share):
        return DASH
    if digits is None:
        if 0 < share < 0.001:
            return f"<{THIN}0.1{THIN}%"
        if 0.999 < share < 1:
            return f">{THIN}99.9{THIN}%"
        digits = 1 if 0 < abs(share) < 0.0995 or 0.9905 < share < 1 else 0
    return f"{number(100 * share, digits)}{THIN}%"


def signed_percent(change: float | None) -> str:
    """Write a relative change with its sign, such as +12 %."""
    if change is None or not _known(change):
        return DASH
    return ("+" if change > 0 else "") + (percent(change) if change > 0 else f"{number(100 * change, 0)}{THIN}%")


def day(value: Any) -> str:
    """Write a date as ISO 8601; the dash when there is none."""
    if value is None or value != value:
        return DASH
    if isinstance(value, datetime):
        value = value.date()
    return value.isoformat() if isinstance(value, date) else str(value)[:10]


class Money:
    """Writes amounts in one currency: symbols stand before the number, letter codes after it.

    Examples
    --------
    >>> Money("EUR")(1234.6).replace(chr(0x202f), " "), Money("NT$")(12.345), Money("")(3)
    ('1 235 EUR', 'NT$12.3', '3.00')
    """

    def __init__(self, currency: str = "") -> None:
        self.currency = currency.strip()

    def __call__(self, value: float | None) -> str:
        if value is None or not _known(value):
            return DASH
        size = abs(value)
        return self.with_unit(number(value, 0 if size >= 100 or size == 0 else 1 if size >= 10 else 2))

    def start(self, value: float | None) -> str:
        """The lower end of a range whose upper end names the currency: a letter code is written once."""
        return Money()(value) if self.currency[-1:].isalpha() else self(value)

    def with_unit(self, text: str) -> str:
        """Put the currency beside a number that is already written."""
        if not self.currency:
            return text
        if self.currency[-1].isalpha():
            return f"{text}{THIN}{self.currency}"
        return ("\u2212" if text.startswith("\u2212") else "") + self.currency + text.lstrip("\u2212")


def axis(ticks: Sequence[float], share: bool = False) -> list[str]:
    """Write the ticks of an axis with one number of decimals: as few as keep them apart.

    Examples
    --------
    >>> axis([0, 0.5, 1.0]), axis([0.0, 0.25], share=True)[1].replace(chr(0x202f), " ")
    (['0.0', '0.5', '1.0'], '25 %')
    """
    scale = 100.0 if share else 1.0
    values = [scale * float(t) for t in ticks]
    digits = next((d for d in range(4) if all(abs(round(v, d) - v) < 1e-6 for v in values)), 4)
    return [number(v, digits) + (f"{THIN}%" if share else "") for v in values]
