"""Every sentence and label of the report, in English, Traditional and Simplified Chinese."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lifestage.core.errors import ConfigError
from lifestage.report.words import en, notes, outlook, trust, zh_hans, zh_hant
from lifestage.report.words.format import DASH, THIN, Money, Numbers

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LANGUAGES", "Translator", "tight", "voice"]

LANGUAGES: Mapping[str, Mapping[str, str]] = {
    lang: words | outlook.WORDS[lang] | trust.WORDS[lang]
    for lang, words in (("en", en.WORDS), ("zh-Hant", zh_hant.WORDS), ("zh-Hans", zh_hans.WORDS))
}


@dataclass(frozen=True)
class Translator(Numbers):
    """Speaks one language and writes its numbers and one currency."""

    money: Money = field(default_factory=Money)

    def say(self, key: str, quantity: float | None = None, /, **values: str) -> str:
        """The sentence or label *key* with its values, which are text already.

        Where the language has a form of it for the *quantity*, such as ``days_one``, that is taken.

        Examples
        --------
        >>> voice("zh-Hant").say("days", n="78")
        '78 天'
        >>> voice("en").say("days", 1, n="1")
        '1 day'
        """
        words = LANGUAGES[self.lang]
        form = key if quantity is None else f"{key}_{self.plural(quantity)}"
        return tight(words.get(form, words[key]).format(**values))

    def name(self, family: str, key: str) -> str:
        """The label of *key* among those that start with *family*; the key itself where there is none."""
        return LANGUAGES[self.lang].get(f"{family}_{key}", key.replace("_", " "))

    def days(self, days: float | None) -> str:
        """A length in days."""
        return self.say("days", None if days is None else round(days), n=self.integer(days))

    def customers(self, count: int) -> str:
        """A number of customers."""
        return self.say("count_customers", count, n=self.integer(count))

    def periods(self, count: float, period: str) -> str:
        """A length in periods of the model, such as 52 weeks; 26 × fortnight where there is no word for many."""
        n, key = self.number(count, 0 if float(count).is_integer() else 1), f"periods_{period}"
        return (
            self.say(key, count, n=n)
            if key in LANGUAGES[self.lang]
            else f"{n}{THIN}×{THIN}{period}"
        )

    def note(self, note: Mapping[str, Any]) -> str:
        """A note's sentence in this language; the English one where there is no other."""
        template = notes.NOTES.get(self.lang, {}).get(note["code"])
        if template is None:
            return tight(str(note["text"]))
        values = {
            name: self.integer(each) if isinstance(each, int) else each
            for name, each in note["values"].items()
        }
        try:
            return tight(template.format(**values))
        except (KeyError, IndexError, TypeError, ValueError):
            return str(note["text"])

    def gap(self, expected: float, actual: float) -> str:
        """How far an expectation lies from what came, as words: 12 % too low."""
        if not actual:
            return DASH
        off = expected / actual - 1
        if abs(off) < 0.01:
            return self.say("about_right")
        return self.say("too_low" if off < 0 else "too_high", gap=self.percent(abs(off)))

    def reason(self, key: str) -> str:
        """Why a row of the log was left out, merged or noticed."""
        return notes.REASONS[self.lang].get(key, key.replace("_", " "))


def tight(text: str) -> str:
    """Per cent signs stand at their number, as everywhere on the page, in texts that are written elsewhere, too."""
    return re.sub(r"(?<=\d) %", "%", text)


def voice(lang: str = "en", currency: str = "") -> Translator:
    """Return the voice of a language and a currency.

    Raises
    ------
    ConfigError
        If the report is not written in that language.
    """
    if lang not in LANGUAGES:
        raise ConfigError(f"lang must be one of {', '.join(LANGUAGES)}; got {lang!r}")
    return Translator(lang, Money(currency, Numbers(lang)))
