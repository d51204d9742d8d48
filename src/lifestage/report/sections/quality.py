"""The section on data quality: rows read, rows used, and rows dropped by reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifestage.report.page import blocks
from lifestage.report.page.blocks import Column, share_text

if TYPE_CHECKING:
    from lifestage.report.page.blocks import Block, Row, Run
    from lifestage.report.words.translator import Translator

__all__ = ["quality_section"]


def quality_section(run: Run, t: Translator) -> Block:
    """What became of the rows, and warnings; a ready-made customer table has warnings alone."""
    quality = run["quality"]
    warnings = [("warn", t.note(note)) for note in quality["notes"]]
    parts = []
    if quality["rows_read"] is None:
        lead = t("quality.none")
    else:
        lead = _lead(quality, t)
        parts.append(_table(quality, t))
        warnings = warnings or [("good", t("quality.no_warnings"))]
    if warnings:
        parts.append(blocks.notes(t("quality.warnings"), warnings))
    return blocks.section(
        "quality",
        t("quality.nav"),
        t("quality.title"),
        [lead],
        parts,
    )


def _lead(quality: Row, t: Translator) -> str:
    read, used = quality["rows_read"], quality["rows_used"]
    dropped = sum(quality["dropped"].values())
    if not dropped:
        return t("quality.all_used", read)
    share = share_text(used, read, t)
    return t(
        "quality.lead",
        dropped,
        read=t.integer(read),
        used=t.integer(used),
        share=share,
    )


def _table(quality: Row, t: Translator) -> Block:
    """Rows read, used, and by reason, the most frequent reason first."""
    read = quality["rows_read"]
    rows = [(t("quality.rows_read"), read), (t("quality.rows_used"), quality["rows_used"])]
    for fate in ("dropped", "merged", "found"):
        for key, count in sorted(quality[fate].items(), key=lambda item: -item[1]):
            if count:
                rows.append((t(f"quality.{fate}", reason=t.name("reasons", key)), count))
    columns = [
        Column(t("quality.outcome"), "name", lambda row: row[0]),
        Column(t("quality.rows"), "num", lambda row: t.integer(row[1])),
        Column(t("common.share"), "num", lambda row: share_text(row[1], read, t)),
    ]
    return blocks.table(columns, rows, narrow=True)
