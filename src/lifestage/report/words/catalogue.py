"""The texts of the report as they stand in the TOML files, one file per language."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

__all__ = ["Text", "languages", "texts"]

FILES = files("lifestage.report.words")

Text = str | Mapping[str, str]
"""A template, or one per plural category of the language (``one``, ``other``, …)."""


@cache
def languages() -> tuple[str, ...]:
    """Tags of the languages that have a file, in alphabetical order.

    Examples
    --------
    >>> languages()
    ('en', 'zh-Hans', 'zh-Hant')
    """
    names = sorted(file.name for file in FILES.iterdir())
    return tuple(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


@cache
def texts(lang: str) -> Mapping[str, Text]:
    """All texts of a language by ``section.name``; its file is read on first use.

    Examples
    --------
    >>> texts("en")["counts.day"]
    {'one': '{count} day', 'other': '{count} days'}
    """
    content = tomllib.loads((FILES / f"{lang}.toml").read_text("utf-8"))
    out: dict[str, Text] = {}
    for section, entries in content.items():
        for name, entry in entries.items():
            out[f"{section}.{name}"] = entry
    return out
