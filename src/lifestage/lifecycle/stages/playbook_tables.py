"""Taxonomies in a TOML file: texts for those of the package, and taxonomies of the user."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from lifestage.core.errors import ConfigError
from lifestage.lifecycle.stages.conditions import check_condition
from lifestage.lifecycle.stages.taxonomies import LANGUAGES, Stage, Taxonomy, check_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["RESERVED_NAMES", "custom_taxonomy", "expect_table", "with_user_texts"]

RESERVED_NAMES = ("window_days",)
"""Names whose column is one of the scores."""

TEXTS = {"labels": "label", "goals": "goal", "actions": "actions"}
"""Fields of a Stage, and their keys in the file."""

STAGE_KEYS = ("key", *TEXTS.values(), "when")


def expect_table(value: Any, keys: Sequence[str] | None, where: str) -> dict[str, Any]:
    """Return *value*, a table of these keys."""
    if not isinstance(value, dict):
        raise ConfigError(f"{where}: expected a table; got {value!r}")
    for key in value:
        if keys is not None and key not in keys:
            raise ConfigError(f"{where}: expected {', '.join(keys)}; got {key!r}")
    return value


def with_user_texts(taxonomy: Taxonomy, table: Any, where: str) -> Taxonomy:
    """Lay the texts of the user over a taxonomy of the package."""
    fixed = f"expected texts alone, the rules of {taxonomy.name} are fixed"
    if isinstance(table, dict) and "exclusive" in table:
        raise ConfigError(f"{where}: {fixed}; got 'exclusive'")
    table = expect_table(table, ("title", "stage"), where)
    rows = _stage_rows(table, where)
    for key, row in rows.items():
        if key not in taxonomy.keys:
            expected = ", ".join(taxonomy.keys)
            raise ConfigError(f"{where}.stage: expected one of {expected}; got {key!r}")
        if "when" in row:
            raise ConfigError(f"{where}.stage.{key}: {fixed}; got 'when'")
    stages = []
    for stage in taxonomy.stages:
        row, place = rows.get(stage.key, {}), f"{where}.stage.{stage.key}"
        texts: dict[str, Any] = {}
        for field, key in TEXTS.items():
            if key in row:
                texts[field] = _texts(row[key], getattr(stage, field), f"{place}.{key}")
        stages.append(replace(stage, **texts))
    titles = taxonomy.titles
    if "title" in table:
        titles = _texts(table["title"], taxonomy.name, f"{where}.title")
    return replace(taxonomy, titles=titles, stages=tuple(stages))


def custom_taxonomy(name: str, table: Any, where: str) -> Taxonomy:
    """Read a taxonomy of the user's own, and check its rules."""
    check_name(name, where)
    if name in RESERVED_NAMES:
        raise ConfigError(
            f"{where}: expected another name, stage_{name} is a column of the scores; got {name!r}"
        )
    table = expect_table(table, ("title", "exclusive", "stage"), where)
    rows = _stage_rows(table, where)
    if not rows:
        raise ConfigError(
            f"{where}: expected one stage or more, [[taxonomy.{name}.stage]]; got none"
        )
    exclusive = table.get("exclusive", False)
    if not isinstance(exclusive, bool):
        raise ConfigError(f"{where}.exclusive: expected true or false; got {exclusive!r}")
    stages, rules = [], []
    for number, (key, row) in enumerate(rows.items(), 1):
        place = f"{where}.stage.{key}"
        if "when" in row:
            check_condition(row["when"], f"{place}.when")
        elif number < len(rows):
            raise ConfigError(
                f"{place}: expected `when`, only the last stage takes everyone else; got none"
            )
        rules.append(row.get("when"))
        defaults = {"label": _title(key), "goal": "", "actions": ""}
        texts = []
        for text, default in defaults.items():
            texts.append(_texts(row.get(text, default), default, f"{place}.{text}"))
        stages.append(Stage(name, key, *texts))
    titles = _texts(table.get("title", _title(name)), _title(name), f"{where}.title")
    return Taxonomy(name, titles, tuple(stages), tuple(rules), exclusive)


def _stage_rows(table: dict[str, Any], where: str) -> dict[str, dict[str, Any]]:
    """Read the stages of a taxonomy by their key."""
    rows = table.get("stage", [])
    if not isinstance(rows, list):
        raise ConfigError(
            f"{where}.stage: expected tables [[taxonomy.NAME.stage]]; got {rows!r:.80}"
        )
    by_key: dict[str, dict[str, Any]] = {}
    for number, row in enumerate(rows, 1):
        place = f"{where}.stage, number {number}"
        key = expect_table(row, STAGE_KEYS, place).get("key")
        check_name(key, f"{place}: key")
        if key in by_key:
            raise ConfigError(f"{where}.stage: expected each key once; got {key!r} twice")
        by_key[str(key)] = row
    return by_key


def _texts(value: Any, fallback: Mapping[str, str] | str, where: str) -> Mapping[str, str]:
    """Complete a text in every language by the English one, else by *fallback*.

    A plain *fallback* gives way to the first text there is.
    """
    if not isinstance(value, str | dict):
        raise ConfigError(
            f"{where}: expected a text, or a table of {', '.join(LANGUAGES)}; got {value!r}"
        )
    if isinstance(value, str):
        texts = dict.fromkeys(LANGUAGES, value)
    else:
        texts = expect_table(value, LANGUAGES, where)
    for lang, text in texts.items():
        if not isinstance(text, str):
            raise ConfigError(f"{where}.{lang}: expected a text; got {text!r}")
    if isinstance(fallback, str):
        fallback = dict.fromkeys(LANGUAGES, next(iter(texts.values()), fallback))
    default = {**fallback, **dict.fromkeys(LANGUAGES, texts["en"])} if "en" in texts else fallback
    return MappingProxyType({lang: texts.get(lang, default[lang]) for lang in LANGUAGES})


def _title(key: str) -> str:
    """Write a key as words: what a stage is called where the user gave no label."""
    return key.replace("_", " ").capitalize()
