"""What was fitted and on which data, as plain dicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lifestage.core.plain import records

if TYPE_CHECKING:
    from lifestage.core.notes import Note
    from lifestage.data.log.quality import Quality
    from lifestage.fitting.posterior import Posterior

__all__ = ["fit_facts", "quality_facts"]

SCORES = ("log_likelihood", "aic", "bic", "observations")


def fit_facts(part: Posterior) -> dict[str, Any]:
    """What was fitted, how well, and what a reader must know of it."""
    diagnostics = part.diagnostics
    return {
        "family": part.family,
        "method": part.method,
        "params": part.estimate,
        "table": records(part.table()),
        **{name: diagnostics.get(name) for name in SCORES},
        "status": str(part.status),
        "converged": part.status.converged,
        "notes": list(map(_note, part.status.notes)),
        "independence": diagnostics.get("independence"),
    }


def quality_facts(quality: Quality | None) -> dict[str, Any]:
    """What became of the rows of the log; None and empty for a ready-made customer table."""
    facts: dict[str, Any] = {"rows_read": None, "rows_used": None}
    facts |= {"dropped": {}, "merged": {}, "found": {}, "notes": []}
    if quality is None:
        return facts
    for name in ("rows_read", "rows_used", "dropped", "merged", "found"):
        facts[name] = getattr(quality, name)
    facts["notes"] = list(map(_note, quality.notes))
    return facts


def _note(note: Note) -> dict[str, Any]:
    return {"code": note.code, "text": note.text, "values": note.values}
