"""The playbook: texts and rules of the stages, the user's own laid over the package's."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from lifestage.core.errors import ConfigError
from lifestage.lifecycle.stages.playbook_tables import (
    custom_taxonomy,
    expect_table,
    with_user_texts,
)
from lifestage.lifecycle.stages.taxonomies import TAXONOMIES, Taxonomy, built_in

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

__all__ = ["Playbook", "as_playbook", "read_playbook"]


@dataclass(frozen=True)
class Playbook:
    """Taxonomies of stages with their texts and rules, as :func:`read_playbook` returns them.

    Attributes
    ----------
    taxonomies : mapping of str to Taxonomy
        By name: line, phase and segment, then those of the user in the order of the file.

    Examples
    --------
    >>> list(read_playbook().taxonomies)
    ['line', 'phase', 'segment']
    """

    taxonomies: Mapping[str, Taxonomy]

    @property
    def custom(self) -> tuple[Taxonomy, ...]:
        """The user's own taxonomies, beside line, phase and segment."""
        return tuple(self.taxonomies[name] for name in self.taxonomies if name not in TAXONOMIES)


def read_playbook(path: str | os.PathLike[str] | None = None) -> Playbook:
    """Read the package's playbook, or a TOML file laid over it.

    The file has tables ``[taxonomy.NAME]`` (``title``, ``exclusive``) with stages
    ``[[taxonomy.NAME.stage]]`` (``key``, ``label``, ``goal``, ``actions``, ``when``). A text is
    plain, for every language, or a table by language; a language left out falls back to English,
    then to the package's text. For line, phase and segment only texts can be given. Any other NAME
    is a taxonomy of your own: rules are tried in order and the first that holds decides.
    ``exclusive = true`` demands that no two rules hold for one customer.

    ``when`` compares (``< <= > >= == !=``) columns that ``assign_stages`` returns, numbers (``+ - *
    /``) and texts (``== !=``), joined by ``and``, ``or``, ``not`` and parentheses; a column that is
    true or false stands alone. These names go before columns of the same name:

    - ``N``, purchase days: frequency + 1, and 0 for a contact without a purchase;
    - ``R``, the activity ratio;
    - ``high_value``, as in the built-in rules;
    - ``own_gap``, the customer's mean gap in days, ``median_gap_days`` for those who bought once;
    - the thresholds ``awake``, ``drowsy``, ``asleep``, ``alive``, ``frequent``, ``active_gaps``,
      ``drowsy_gaps`` and ``half_asleep_gaps`` of :class:`Thresholds`.

    A comparison with a null, or with a division by zero, does not hold, so that ``not`` of it does.
    The last stage may leave ``when`` out: it takes everyone else. The built-in rules are written in
    the same language: see ``taxonomies["line"].rules``.

    Forecasts, counts and smoothing accept taxonomies whose conditions compare ``N``,
    ``frequency``, ``R``, ``activity_ratio`` and ``p_alive`` with numbers or thresholds, and ask
    for ``high_value``.

    Parameters
    ----------
    path : path, optional
        A TOML file in UTF-8; the package's playbook alone if left out.

    Returns
    -------
    Playbook

    Raises
    ------
    ConfigError
        If the file cannot be read, a key, name or stage is unknown or occurs twice, or a condition
        is not of this form.

    Examples
    --------
    >>> line = read_playbook().taxonomies["line"]
    >>> line.stages[3].goals["en"], line.rules[3]
    ('Bring back to active', 'R >= drowsy')
    >>> import tempfile
    >>> text = '''
    ... [[taxonomy.line.stage]]
    ... key = "drowsy"
    ... label = { en = "Dozing", zh-Hant = "打瞌睡" }
    ... [[taxonomy.tempo.stage]]
    ... key = "fast"
    ... when = "activity_ratio >= 0.7 and frequency >= 3"
    ... [[taxonomy.tempo.stage]]
    ... key = "rest"
    ... '''
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "playbook.toml"
    ...     _ = file.write_text(text, "utf-8")
    ...     book = read_playbook(file)
    >>> book.taxonomies["line"].stages[3].labels["zh-Hans"], book.taxonomies["tempo"].rules
    ('Dozing', ('activity_ratio >= 0.7 and frequency >= 3', None))
    """
    taxonomies = dict(built_in())
    if path is None:
        return Playbook(MappingProxyType(taxonomies))
    try:
        content = tomllib.loads(Path(path).read_text("utf-8"))
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise ConfigError(f"expected a playbook in TOML in {path}; {error}") from error
    tables = expect_table(content, ("taxonomy",), str(path)).get("taxonomy", {})
    for name, table in expect_table(tables, None, f"{path}: taxonomy").items():
        where = f"{path}: taxonomy.{name}"
        if name in TAXONOMIES:
            taxonomies[name] = with_user_texts(taxonomies[name], table, where)
        else:
            taxonomies[name] = custom_taxonomy(name, table, where)
    return Playbook(MappingProxyType(taxonomies))


def as_playbook(playbook: Any) -> Playbook:
    """Return a playbook as it is, or read the one in the file of that path."""
    return playbook if isinstance(playbook, Playbook) else read_playbook(playbook)
