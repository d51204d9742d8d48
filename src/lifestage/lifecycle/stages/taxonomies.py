"""The stages of the three taxonomies, with their texts and rules from ``playbook.toml``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from lifestage.core.errors import ConfigError

__all__ = [
    "LANGUAGES",
    "LINE_RULES",
    "TAXONOMIES",
    "Stage",
    "Taxonomy",
    "built_in",
    "check_language",
    "check_name",
    "column_of",
    "label",
    "stage",
]

NAME = re.compile(r"[a-z][a-z0-9_]*")
LANGUAGES = ("en", "zh-Hant", "zh-Hans")
COLUMNS = {
    "line": "activity_stage",
    "phase": "lifecycle_phase",
    "segment": "value_segment",
}

LINE_RULES = {"activity_ratio": "when", "nes": "when_nes"}
"""The rules of the line, and the key of the playbook under which each stands."""


@dataclass(frozen=True)
class Stage:
    """One stage of a taxonomy.

    Attributes
    ----------
    taxonomy : str
        Name of the taxonomy: ``"line"``, ``"phase"``, ``"segment"``, or one of a playbook.
    key : str
        What stands in the column of the taxonomy.
    labels, goals, actions : mapping of str to str
        Texts by language (``"en"``, ``"zh-Hant"``, ``"zh-Hans"``).

    Examples
    --------
    >>> TAXONOMIES["line"][3].labels["en"]
    'Drowsy'
    """

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
        The condition of each stage in the language of :func:`read_playbook`; None for a last stage
        that takes everyone else.
    exclusive : bool
        Whether at most one rule may hold for a customer.
    """

    name: str
    titles: Mapping[str, str]
    stages: tuple[Stage, ...]
    rules: tuple[str | None, ...] = ()
    exclusive: bool = False

    @property
    def column(self) -> str:
        """The column of the staged table that holds the stages."""
        return column_of(self.name)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the stages, in order."""
        return tuple(stage.key for stage in self.stages)


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


def check_name(name: Any, where: str) -> None:
    """Refuse what cannot be part of a column's name."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ConfigError(
            f"{where}: expected a small letter, then small letters, digits and _; got {name!r}"
        )


def stage(taxonomy: str, key: str) -> Stage:
    """Return one stage of the three taxonomies, with its texts.

    Parameters
    ----------
    taxonomy : {"line", "phase", "segment"}
    key : str
        As it stands in ``activity_stage``, ``lifecycle_phase`` or ``value_segment``.

    Returns
    -------
    Stage

    Raises
    ------
    ConfigError
        If there is no such taxonomy or stage.

    Examples
    --------
    >>> stage("segment", "loyal").goals["en"]
    'Deepen loyalty and spread the word'
    """
    if taxonomy not in TAXONOMIES:
        raise ConfigError(f"taxonomy must be one of {', '.join(TAXONOMIES)}; got {taxonomy!r}")
    stages = {member.key: member for member in TAXONOMIES[taxonomy]}
    if key not in stages:
        raise ConfigError(f"stage of {taxonomy} must be one of {', '.join(stages)}; got {key!r}")
    return stages[key]


def label(taxonomy: str, key: str, lang: str = "en") -> str:
    """Return the name of a stage for people.

    Parameters
    ----------
    taxonomy : {"line", "phase", "segment"}
    key : str
        Key of the stage.
    lang : {"en", "zh-Hant", "zh-Hans"}

    Returns
    -------
    str

    Raises
    ------
    ConfigError
        If there is no such taxonomy, stage or language.

    Examples
    --------
    >>> label("line", "drowsy"), label("line", "drowsy", "zh-Hant")
    ('Drowsy', '嗜睡好友')
    """
    return stage(taxonomy, key).labels[check_language(lang)]


@cache
def built_in(line_rule: str = "activity_ratio") -> Mapping[str, Taxonomy]:
    """Read the taxonomies of the package's ``playbook.toml``, under this rule of the line."""
    content = tomllib.loads((files("lifestage.lifecycle") / "playbook.toml").read_text("utf-8"))
    taxonomies = {}
    for name, table in content["taxonomy"].items():
        key_of_rule = LINE_RULES[line_rule] if name == "line" else "when"
        stages = tuple(_stage(name, row) for row in table["stage"])
        rules = tuple(row.get(key_of_rule) for row in table["stage"])
        taxonomies[name] = Taxonomy(name, MappingProxyType({}), stages, rules)
    return MappingProxyType(taxonomies)


def _stage(taxonomy: str, row: dict[str, Any]) -> Stage:
    texts = [MappingProxyType(row[text]) for text in ("label", "goal", "actions")]
    return Stage(taxonomy, row["key"], *texts)


class _Packaged(Mapping[str, tuple[Stage, ...]]):
    """The stages of :func:`built_in`, read when they are first looked at."""

    def __getitem__(self, name: str) -> tuple[Stage, ...]:
        return built_in()[name].stages

    def __iter__(self) -> Iterator[str]:
        return iter(built_in())

    def __len__(self) -> int:
        return len(built_in())

    def __repr__(self) -> str:
        return f"TAXONOMIES({', '.join(self)})"


TAXONOMIES: Mapping[str, tuple[Stage, ...]] = _Packaged()
"""Each taxonomy's stages in the order of a life cycle; the file is read on first use."""
