"""Every sentence and label of the report, in English, Traditional and Simplified Chinese."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lifestage.errors import ConfigError
from lifestage.report.format import DASH, THIN, Money, integer, number, percent
from lifestage.report.words import en, notes, outlook, trust, zh_hans, zh_hant

__all__ = ["LANGUAGES", "Voice", "tight", "voice"]

LANGUAGES: Mapping[str, Mapping[str, str]] = {
    lang: words | outlook.WORDS[lang] | trust.WORDS[lang]
    for lang, words in (("en", en.WORDS), ("zh-Hant", zh_hant.WORDS), ("zh-Hans", zh_hans.WORDS))
}


@dataclass(frozen=True)
class Voice:
    """Speaks one language and writes one currency."""

    lang: str
    money: Money

    def say(self, key: str, **values: str) -> str:
        """The sentence or label *key* with its values, which are text already.

        Examples
        --------
        >>> voice("zh-Hant").say("days", n="78")
        '78 天'
        """
        return tight(LANGUAGES[self.lang][key].format(**values))

    def name(self, family: str, key: str) -> str:
        """The label of *key* among those that start with *family*; the key itself where there is none."""
        return LANGUAGES[self.lang].get(f"{family}_{key}", key.replace("_", " "))

    def days(self, days: float | None) -> str:
        """A length in days."""
        return self.say("days", n=integer(days))

    def periods(self, count: float, period: str) -> str:
        """A length in periods of the model, such as 52 weeks; 26 × fortnight where there is no word for many."""
        n, key = number(count, 0 if float(count).is_integer() else 1), f"periods_{period}"
        return self.say(key, n=n) if key in LANGUAGES[self.lang] else f"{n}{THIN}×{THIN}{period}"

    def note(self, note: Mapping[str, Any]) -> str:
        """A note's sentence in this language; the English one where there is no other."""
        template = notes.NOTES.get(self.lang, {}).get(note["code"])
        if template is None:
            return tight(str(note["text"]))
        values = {name: integer(each) if isinstance(each, int) else each for name, each in note["values"].items()}
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
        return self.say("too_low" if off < 0 else "too_high", gap=percent(abs(off)))

    def reason(self, key: str) -> str:
        """Why a row of the log was left out, merged or noticed."""
        return notes.REASONS[self.lang].get(key, key.replace("_", " "))


def tight(text: str) -> str:
    """Write digits in groups and per cent signs beside their number with spaces that never break."""
    return re.sub(r"(?<=\d),(?=\d{3})", THIN, re.sub(r"(?<=\d) ?%", f"{THIN}%", text))


def voice(lang: str = "en", currency: str = "") -> Voice:
    """Return the voice of a language and a currency.

    Raises
    ------
    ConfigError
        If the report is not written in that language.
    """
    if lang not in LANGUAGES:
        raise ConfigError(f"lang must be one of {', '.join(LANGUAGES)}; got {lang!r}")
    return Voice(lang, Money(currency))
