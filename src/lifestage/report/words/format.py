"""Numbers, shares, money and dates as people of a language read them, by Unicode's CLDR."""

from __future__ import annotations

import math
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from babel import Locale
    from babel.numbers import NumberPattern

__all__ = ["DASH", "THIN", "Money", "Numbers", "day"]

THIN = "\u202f"
"""Narrow no-break space: between a number and a letter code of a currency."""
DASH = "–"
"""Stands for a value that is not known."""

DECIMAL, PERCENT = "decimal_formats", "percent_formats"

LARGEST = 1e15
"""Numbers from here on are written in powers of ten: a double has no more digits."""


@lru_cache
def _locale(lang: str) -> Locale:
    from babel import Locale

    return Locale.parse(lang, sep="-")


@lru_cache
def _pattern(lang: str, kind: str, digits: int) -> NumberPattern:
    """How the language writes a number of that kind, with so many decimals."""
    pattern: NumberPattern = copy(getattr(_locale(lang), kind)[None])
    pattern.frac_prec = (digits, digits)
    return pattern


def _is_known(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


@dataclass(frozen=True)
class Numbers:
    """Writes numbers in one language, a tag of BCP 47 such as ``zh-Hant``.

    Examples
    --------
    >>> write = Numbers("en")
    >>> write.number(1234.5), write.number(None), write.number(-0.04), write.integer(1234567)
    ('1,234.5', '–', '0.0', '1,234,567')
    >>> [write.percent(share) for share in (0.12, 0.034, 0.0002, 0.99999, 1.0, 0.0)]
    ['12%', '3.4%', '<0.1%', '>99.9%', '100%', '0%']
    >>> write.signed_percent(0.12), write.signed_percent(-0.5)
    ('+12%', '-50%')
    >>> write.number(1.2345e30), write.percent(-1e30)
    ('1.23E30', '-1E32%')
    >>> write.plural(1), write.plural(2), Numbers("zh-Hant").plural(1)
    ('one', 'other', 'other')
    """

    lang: str = "en"

    def number(self, value: float | None, digits: int = 1) -> str:
        """Write a number with grouped digits and *digits* decimals."""
        return self._write(DECIMAL, value, digits)

    def integer(self, value: float | None) -> str:
        """Write a count: :meth:`number` without decimals."""
        return self.number(value, 0)

    def percent(self, share: float | None, digits: int | None = None) -> str:
        """Write a share in per cent; small ones keep a decimal, a positive one is never 0%."""
        if digits is None:
            if share is not None and 0 < share < 0.001:
                return f"<{self._write(PERCENT, 0.001, 1)}"
            if share is not None and 0.999 < share < 1:
                return f">{self._write(PERCENT, 0.999, 1)}"
            digits = (
                1 if share is not None and (0 < abs(share) < 0.0995 or 0.9905 < share < 1) else 0
            )
        return self._write(PERCENT, share, digits)

    def signed_percent(self, change: float | None) -> str:
        """Write a relative change with its sign, such as +12%."""
        if change is None or not _is_known(change):
            return DASH
        return f"+{self.percent(change)}" if change > 0 else self.percent(change, 0)

    def axis(self, ticks: Sequence[float], share: bool = False) -> list[str]:
        """Write the ticks of an axis with one number of decimals: as few as keep them apart.

        Examples
        --------
        >>> Numbers().axis([0, 0.5, 1.0]), Numbers().axis([0.0, 0.25], share=True)
        (['0.0', '0.5', '1.0'], ['0%', '25%'])
        """
        values = [(100.0 if share else 1.0) * float(tick) for tick in ticks]
        digits = 0
        while digits < 4 and any(abs(round(value, digits) - value) >= 1e-6 for value in values):
            digits += 1
        return [
            self.percent(tick, digits) if share else self.number(tick, digits) for tick in ticks
        ]

    def plural(self, count: float) -> str:
        """Plural category (CLDR) of a count as it is written, such as ``"one"`` or ``"other"``."""
        return _locale(self.lang).plural_form(
            int(count) if float(count).is_integer() else round(float(count), 1)
        )

    def _write(self, kind: str, value: float | None, digits: int) -> str:
        if value is None or not _is_known(value):
            return DASH
        if abs(value) >= LARGEST:
            from babel.numbers import format_scientific

            unit, scale = ("%", 100.0) if kind == PERCENT else ("", 1.0)
            rounded = float(f"{value * scale:.3g}")
            return f"{format_scientific(rounded, locale=_locale(self.lang))}{unit}"
        rounded = round(float(value), digits + 2 * (kind == PERCENT)) + 0.0  # no minus before zero
        return str(_pattern(self.lang, kind, digits).apply(rounded, _locale(self.lang)))


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
    ('1,235 EUR', 'NT$12.3', '3.00')
    """

    def __init__(
        self,
        currency: str = "",
        numbers: Numbers | None = None,
    ) -> None:
        self.currency = currency.strip()
        self.numbers = numbers or Numbers()

    def __call__(self, value: float | None) -> str:
        """Write an amount; small ones keep decimals."""
        if value is None or not _is_known(value):
            return DASH
        size = abs(value)
        return self.with_unit(
            self.numbers.number(value, 0 if size >= 100 or size == 0 else 1 if size >= 10 else 2)
        )

    def start(self, value: float | None) -> str:
        """The lower end of a range; a letter code of the currency stands at the upper end."""
        return Money("", self.numbers)(value) if self.currency[-1:].isalpha() else self(value)

    def with_unit(self, text: str) -> str:
        """Put the currency beside a number that is already written."""
        if not self.currency:
            return text
        if self.currency[-1].isalpha():
            return f"{text}{THIN}{self.currency}"
        return ("-" if text.startswith("-") else "") + self.currency + text.lstrip("-")
