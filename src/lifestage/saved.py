"""What is written of a model beside its draws."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lifestage.data.facts import facts_to_json, note_to_json

if TYPE_CHECKING:
    from lifestage.model import LTVModel

__all__ = ["SCHEMA", "model_to_json"]

SCHEMA = 2
"""1 was without ``stage_facts``."""


def model_to_json(model: LTVModel) -> dict[str, Any]:
    """Everything of a model but its draws."""
    return {
        "schema": SCHEMA,
        "mean_spend": model.mean_spend,
        "calibration": None if model.calibration is None else asdict(model.calibration),
        "stage_facts": None if model.stage_facts is None else asdict(model.stage_facts),
        "data": facts_to_json(model.data),
        "parts": {
            name: {
                "family": part.family,
                "method": part.method,
                "converged": part.status.converged,
                "notes": [note_to_json(note) for note in part.status.notes],
                "covariance": None if part.covariance is None else part.covariance.tolist(),
                "diagnostics": dict(part.diagnostics),
                "priors": dict(part.priors),
            }
            for name, part in model.parts.items()
        },
    }
