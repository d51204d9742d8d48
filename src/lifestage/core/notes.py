"""Notes: facts for people, each with a code, a sentence and its values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Note", "NoteCode"]

NoteCode = Literal[
    "alive_by_assumption",
    "at_bound",
    "cancellations",
    "chains_unmixed",
    "dropout_not_identified",
    "duplicates_kept",
    "early_dates",
    "few_repeaters",
    "few_spenders",
    "flat",
    "future_dates",
    "giant_order",
    "high_missing_id",
    "implausible_dates",
    "malformed_lines",
    "no_repeaters",
    "no_repeats",
    "selected",
    "short_backtest",
    "short_history",
    "small_base",
    "spend_at_limit",
    "spend_frequency_correlated",
    "spend_mean_infinite",
    "stacked",
    "truncated_start",
    "unreliable_draws",
    "wholesaler",
]
"""Codes of all notes; each has its translations in the words of the report."""


@dataclass(frozen=True)
class Note:
    """Something a reader must know: a stable code, one English sentence, and the numbers in it."""

    code: NoteCode
    text: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.text


def html_table(title: str, facts: Mapping[str, str], notes: tuple[Note, ...]) -> str:
    """A two-column table and the notes below it, for notebooks."""
    from html import escape

    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in facts.items()
    )
    items = "".join(f"<li>{escape(note.text)}</li>" for note in notes)
    return f"<table><caption>{title}</caption>{rows}</table>" + (
        f"<ul>{items}</ul>" if items else ""
    )
