"""The stages of the three taxonomies in order, with labels and advice in three languages from ``playbook.toml``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from lifestage.core.errors import ConfigError

__all__ = [
    "LANGUAGES",
    "TAXONOMIES",
    "Stage",
    "Taxonomy",
    "check_language",
    "check_name",
    "column_of",
    "label",
    "laid_over",
    "rows_of",
    "stage",
    "table_of",
    "texts_of",
    "words_of",
]

NAME = re.compile(r"[a-z][a-z0-9_]*")
LANGUAGES = ("en", "zh-Hant", "zh-Hans")
COLUMNS = {"line": "activity_stage", "phase": "lifecycle_phase", "segment": "value_segment"}


@dataclass(frozen=True)
class Stage:
    """One stage: its key in the columns, and label, goal and actions by language (``en``, ``zh-Hant``, ``zh-Hans``)."""

    taxonomy: str
    key: str
    labels: Mapping[str, str]
    goals: Mapping[str, str]
    actions: Mapping[str, str]


@dataclass(frozen=True)
class Taxonomy:
    """One taxonomy of a playbook.

    Attributes
    ----------
    name : str
        The column is that of :func:`column_of`.
    titles : mapping
        Title by language; empty for line, phase and segment unless the user gave one.
    stages : tuple of Stage
        In order, with their texts.
    rules : tuple of str or None
        The condition of each stage, None for the last that takes everyone else; empty for line,
        phase and segment.
    exclusive : bool
        Whether at most one rule may hold for a customer.
    """

    name: str
    titles: Mapping[str, str]
    stages: tuple[Stage, ...]
    rules: tuple[str | None, ...] = ()
    exclusive: bool = False


def column_of(taxonomy: str) -> str:
    """Return the column of the staged table that holds the stages of a taxonomy.

    Examples
    --------
    >>> column_of("line"), column_of("tempo")
    ('activity_stage', 'stage_tempo')
    """
    return COLUMNS.get(taxonomy, f"stage_{taxonomy}")


def check_language(lang: str) -> str:
    """Return *lang*, or raise a ConfigError if there are no texts in it."""
    if lang not in LANGUAGES:
        raise ConfigError(f"lang must be one of {', '.join(LANGUAGES)}; got {lang!r}")
    return lang


def stage(taxonomy: str, key: str) -> Stage:
    """Return the stage called *key*.

    Raises
    ------
    ConfigError
        If there is no such taxonomy or stage.
    """
    if taxonomy not in TAXONOMIES:
        raise ConfigError(f"taxonomy must be one of {', '.join(TAXONOMIES)}; got {taxonomy!r}")
    found = {each.key: each for each in TAXONOMIES[taxonomy]}
    if key not in found:
        raise ConfigError(f"stage of {taxonomy} must be one of {', '.join(found)}; got {key!r}")
    return found[key]


def label(taxonomy: str, key: str, lang: str = "en") -> str:
    """Name of a stage for people.

    Examples
    --------
    >>> label("line", "drowsy"), label("line", "drowsy", "zh-Hant")
    ('Drowsy', '嗜睡好友')
    """
    return stage(taxonomy, key).labels[check_language(lang)]


@cache
def _packaged() -> dict[str, tuple[Stage, ...]]:
    """The stages in the package's own ``playbook.toml``."""
    content = tomllib.loads((files("lifestage.lifecycle") / "playbook.toml").read_text("utf-8"))
    return {
        name: tuple(
            Stage(
                name,
                row["key"],
                *(MappingProxyType(row[text]) for text in ("label", "goal", "actions")),
            )
            for row in taxonomy["stage"]
        )
        for name, taxonomy in content["taxonomy"].items()
    }


class _Packaged(Mapping[str, tuple[Stage, ...]]):
    """What :func:`_packaged` reads, read when it is first looked at."""

    def __getitem__(self, name: str) -> tuple[Stage, ...]:
        return _packaged()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_packaged())

    def __len__(self) -> int:
        return len(_packaged())

    def __repr__(self) -> str:
        return f"TAXONOMIES({', '.join(self)})"


TAXONOMIES: Mapping[str, tuple[Stage, ...]] = _Packaged()
"""Each taxonomy's stages in the order of a life cycle; the file is read on first use."""


# ---------------------------------------------------------------- stages in a TOML file


def table_of(value: Any, keys: Sequence[str] | None, where: str) -> dict[str, Any]:
    """Return *value*, a table of these keys."""
    if not isinstance(value, dict):
        raise ConfigError(f"{where}: expected a table; got {value!r}")
    for key in value:
        if keys is not None and key not in keys:
            raise ConfigError(f"{where}: expected {', '.join(keys)}; got {key!r}")
    return value


def texts_of(value: Any, fallback: Mapping[str, str] | str, where: str) -> Mapping[str, str]:
    """A text in every language: as given, else in English, else *fallback* (a plain one: the first text given)."""
    if not isinstance(value, str | dict):
        raise ConfigError(
            f"{where}: expected a text, or a table of {', '.join(LANGUAGES)}; got {value!r}"
        )
    given = (
        dict.fromkeys(LANGUAGES, value)
        if isinstance(value, str)
        else table_of(value, LANGUAGES, where)
    )
    for lang, text in given.items():
        if not isinstance(text, str):
            raise ConfigError(f"{where}.{lang}: expected a text; got {text!r}")
    if isinstance(fallback, str):
        fallback = dict.fromkeys(LANGUAGES, next(iter(given.values()), fallback))
    return MappingProxyType(
        {lang: given.get(lang, given.get("en", fallback[lang])) for lang in LANGUAGES}
    )


def rows_of(table: dict[str, Any], keys: Sequence[str], where: str) -> dict[str, dict[str, Any]]:
    """The stages of a taxonomy by their key."""
    rows = table.get("stage", [])
    if not isinstance(rows, list):
        raise ConfigError(
            f"{where}.stage: expected tables [[taxonomy.NAME.stage]]; got {rows!r:.80}"
        )
    out: dict[str, dict[str, Any]] = {}
    for number, row in enumerate(rows, 1):
        key = table_of(row, keys, f"{where}.stage, number {number}").get("key")
        check_name(key, f"{where}.stage, number {number}: key")
        if key in out:
            raise ConfigError(f"{where}.stage: expected each key once; got {key!r} twice")
        out[str(key)] = row
    return out


def check_name(name: Any, where: str) -> None:
    """Refuse what cannot be part of a column's name."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ConfigError(
            f"{where}: expected a small letter, then small letters, digits and _; got {name!r}"
        )


def laid_over(own: Taxonomy, table: Any, where: str) -> Taxonomy:
    """The package's taxonomy with the texts of the user."""
    if isinstance(table, dict) and "exclusive" in table:
        raise ConfigError(
            f"{where}: expected texts alone, the rules of {own.name} are fixed; got 'exclusive'"
        )
    table = table_of(table, ("title", "stage"), where)
    rows = rows_of(table, ("key", "label", "goal", "actions", "when"), where)
    known = [stage.key for stage in own.stages]
    for key, row in rows.items():
        if key not in known:
            raise ConfigError(f"{where}.stage: expected one of {', '.join(known)}; got {key!r}")
        if "when" in row:
            raise ConfigError(
                f"{where}.stage.{key}: expected texts alone, the rules of {own.name} are fixed; got"
                " 'when'"
            )
    stages = tuple(
        _with_texts(stage, rows.get(stage.key, {}), f"{where}.stage.{stage.key}")
        for stage in own.stages
    )
    titles = (
        texts_of(table["title"], own.name, f"{where}.title") if "title" in table else own.titles
    )
    return replace(own, titles=titles, stages=stages)


def _with_texts(stage: Stage, row: dict[str, Any], where: str) -> Stage:
    fields = {"labels": "label", "goals": "goal", "actions": "actions"}
    new: dict[str, Any] = {
        f: texts_of(row[k], getattr(stage, f), f"{where}.{k}")
        for f, k in fields.items()
        if k in row
    }
    return replace(stage, **new)


def words_of(key: str) -> str:
    """A key as words: what a stage is called where the user gave no label."""
    return key.replace("_", " ").capitalize()
