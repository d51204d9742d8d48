"""Looks up the sentences and labels of the report in one language and fills in their values."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lifestage.core.errors import ConfigError
from lifestage.report.words.catalogue import languages, texts
from lifestage.report.words.format import DASH, THIN, Money, Numbers

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Translator", "close_percent", "translator"]


@dataclass(frozen=True)
class Translator(Numbers):
    """The texts, numbers and money of the report in one language and currency.

    Examples
    --------
    >>> t = translator("en", "USD")
    >>> t("reading.level"), t.days(78), t.days(1), t.percent(0.12)
    ('Interval level', '78 days', '1 day', '12%')
    """

    money: Money = field(default_factory=Money)

    def text(self, key: str, count: float | None = None, /, **values: str) -> str:
        """The text *key* (``section.name``) with its values, which are text already.

        Where a text has plural forms, *count* selects one by the rules of the language (CLDR) and
        is written in the place of ``{count}``. ``t(key)`` is short for ``t.text(key)``.

        Raises
        ------
        KeyError
            If the language has no such text, or a value that it names is missing.
        """
        entry = texts(self.lang)[key]
        if not isinstance(entry, str):
            entry = entry["other" if count is None else self.plural(count)]
        if count is not None:
            values["count"] = self.number(count, 0 if float(count).is_integer() else 1)
        return entry.format(**values)

    __call__ = text

    def name(self, section: str, key: str, default: str | None = None) -> str:
        """The name of *key* in a section of names, else the *default*, else the key as words."""
        entry = texts(self.lang).get(f"{section}.{key}")
        if isinstance(entry, str):
            return entry
        return key.replace("_", " ") if default is None else default

    def days(self, days: float | None) -> str:
        """A length in days."""
        return DASH if days is None else self("counts.day", round(days))

    def customers(self, count: float) -> str:
        """A number of customers."""
        return self("counts.customer", round(count))

    def periods(self, count: float, period: str) -> str:
        """A length in periods of the model, such as 52 weeks."""
        if f"counts.{period}" in texts(self.lang):
            return self(f"counts.{period}", count)
        digits = 0 if float(count).is_integer() else 1
        return f"{self.number(count, digits)}{THIN}×{THIN}{period}"

    def note(self, note: Mapping[str, Any]) -> str:
        """A note's sentence in this language, or the English one that it carries."""
        template = texts(self.lang).get(f"notes.{note['code']}")
        if not isinstance(template, str):
            return close_percent(str(note["text"]))
        values = dict(note["values"])
        for name, value in values.items():
            if isinstance(value, int):
                values[name] = self.integer(value)
        try:
            return close_percent(template.format(**values))
        except (KeyError, IndexError, TypeError, ValueError):
            # a note of another version, with other values
            return str(note["text"])

    def gap(self, expected: float, actual: float) -> str:
        """How far an expectation is from what was observed, such as 12% too low."""
        if not actual:
            return DASH
        relative = expected / actual - 1
        if abs(relative) < 0.01:
            return self("common.about_right")
        key = "common.too_low" if relative < 0 else "common.too_high"
        return self(key, gap=self.percent(abs(relative)))


def close_percent(text: str) -> str:
    """Put per cent signs right behind their number, in texts that are written elsewhere."""
    return re.sub(r"(?<=\d) %", "%", text)


def translator(lang: str = "en", currency: str = "") -> Translator:
    """Return the translator of a language and a currency.

    Raises
    ------
    ConfigError
        If there is no file of texts in that language.
    """
    if lang not in languages():
        raise ConfigError(f"lang must be one of {', '.join(languages())}; got {lang!r}")
    return Translator(lang, Money(currency, Numbers(lang)))
