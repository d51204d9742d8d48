"""The facts of a base without its customers, as JSON and back."""

from __future__ import annotations

from datetime import date
from typing import Any

from lifestage.core.notes import Note
from lifestage.core.period import Period
from lifestage.data.customers.summary import Summary
from lifestage.data.log.quality import Quality

__all__ = ["facts_from_json", "facts_to_json", "note_to_json"]

FRAMES = ("calendar", "holdout", "channels")


def note_to_json(note: Note) -> dict[str, Any]:
    """A note as a plain dict."""
    return {"code": note.code, "text": note.text, "values": dict(note.values)}


def facts_to_json(summary: Summary) -> dict[str, Any]:
    """Everything of a Summary but its table; frames become lists of values by column."""
    quality = summary.quality
    frames: dict[str, Any] = {}
    for name in FRAMES:
        frame = getattr(summary, name)
        if frame is not None:
            frame = {column: _plain(frame[column].tolist()) for column in frame.columns}
        frames[name] = frame
    return {
        "period": summary.period.name,
        "period_days": float(summary.period.days),
        "until": _plain(summary.until),
        "stage_window": summary.stage_window,
        "customers": summary.customers,
        "repeaters": summary.repeaters,
        "orders": summary.orders,
        "gaps": {str(days): int(count) for days, count in summary.gaps.items()},
        "quality": (
            None
            if quality is None
            else {
                "rows_read": quality.rows_read,
                "rows_used": quality.rows_used,
                "dropped": dict(quality.dropped),
                "merged": dict(quality.merged),
                "found": dict(quality.found),
                "notes": [note_to_json(note) for note in quality.notes],
            }
        ),
        "holdout_end": _plain(summary.holdout_end),
        **frames,
    }


def facts_from_json(raw: dict[str, Any]) -> Summary:
    """The Summary (with ``table=None``) that :func:`facts_to_json` wrote."""
    import pandas as pd

    frames: dict[str, Any] = {}
    for name in FRAMES:
        frames[name] = None if raw[name] is None else pd.DataFrame(raw[name])
    if frames["calendar"] is not None:
        days = frames["calendar"]["day"]
        frames["calendar"]["day"] = list(map(date.fromisoformat, days))
    quality = None
    if raw["quality"] is not None:
        notes = tuple(Note(**note) for note in raw["quality"]["notes"])
        quality = Quality(**{**raw["quality"], "notes": notes})
    return Summary(
        table=None,
        period=_period(raw),
        until=_day(raw["until"]),
        stage_window=raw["stage_window"],
        customers=raw["customers"],
        repeaters=raw["repeaters"],
        orders=raw["orders"],
        gaps={int(days): count for days, count in raw["gaps"].items()},
        quality=quality,
        holdout_end=_day(raw["holdout_end"]),
        **frames,
    )


def _period(raw: dict[str, Any]) -> Period:
    """The period; files without its length name one of the standard periods."""
    return (
        Period(raw["period"], raw["period_days"])
        if "period_days" in raw
        else Period.parse(raw["period"])
    )


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _plain(value: Any) -> Any:
    """Dates as ISO text, lists element by element, everything else as it is."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.isoformat()[:10] if hasattr(value, "isoformat") else value
