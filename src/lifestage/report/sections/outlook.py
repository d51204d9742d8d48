"""Where the base is going, whether stages came true, when buyers are back, and what each group is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lifestage.report.words.translator import Translator

Run = Mapping[str, Any]
Rows = Sequence[Mapping[str, Any]]


def with_interval(value: float, low: float, high: float, say: Translator) -> str:
    return f"{say.integer(value)} ({say.integer(low)}–{say.integer(high)})"
