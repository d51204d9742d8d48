"""Playbooks in TOML, and what they make of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lifestage.lifecycle import assign_stages
from tests.lifecycle.tables import to_pandas

if TYPE_CHECKING:
    from pathlib import Path

TEMPO = """
[taxonomy.tempo]
title = "Tempo"
[[taxonomy.tempo.stage]]
key = "fast"
label = { en = "Fast", zh-Hant = "快" }
goal = "Keep up"
actions = "Nothing, they come by themselves"
when = "activity_ratio >= 0.7 and frequency >= 3"
[[taxonomy.tempo.stage]]
key = "odd_ones"
when = '''
  (0.1 < R <= 0.5 and not cannot_lose and activity_stage != "asleep")
  or N * 2 - 1 > days_silent / 10.0 and high_value
'''
[[taxonomy.tempo.stage]]
key = "rest"
goal = { zh-Hant = "其餘" }
"""


def rules(*conditions: str | None, head: str = "") -> str:
    """A taxonomy called tempo with stages a, b, c, …"""
    out = [f"[taxonomy.tempo]\n{head}"]
    for key, when in zip("abcdefgh", conditions, strict=False):
        out.append(f"[[taxonomy.tempo.stage]]\nkey = '{key}'")
        out += [] if when is None else [f"when = '''{when}'''"]
    return "\n".join(out)


def tempo_of(table: Any, path: Path, **options: Any) -> list[Any]:
    return to_pandas(assign_stages(table, playbook=path, **options))["stage_tempo"].tolist()
