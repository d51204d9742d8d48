"""Posteriors of several families as one: a share of the draws belongs to each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.core.notes import Note
from lifestage.families import STACK, mbgnbd
from lifestage.families import family as family_of
from lifestage.families import mixture as stack
from lifestage.fitting.posterior import Posterior, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifestage.core.typing import Floats

__all__ = ["SURE", "stack_posteriors", "stacking_weights"]


DRAWS = 50
"""Draws that stand for a mixture of point estimates, so that weights are right to 1 %."""

SURE = 0.99
"""From this weight on a family stands alone."""

STEPS, CLOSE = 5000, 1e-10


def stacking_weights(density: Floats) -> Floats:
    r"""Weights of the mixture that foretells best: they maximise Σ log Σ w·p over the simplex, by EM.

    Parameters
    ----------
    density : array, shape (n, families)
        What each family gave to what came.

    Examples
    --------
    >>> stacking_weights(np.array([[0.9, 0.1], [0.1, 0.9], [0.9, 0.1], [0.1, 0.9]])).round(6)
    array([0.5, 0.5])
    """
    weights = np.full(density.shape[1], 1.0 / density.shape[1])
    for _ in range(STEPS):
        shares = density * weights
        moved = np.asarray((shares / shares.sum(axis=1, keepdims=True)).mean(axis=0))
        if np.abs(moved - weights).max() < CLOSE:
            break
        weights = moved
    return weights


def stack_posteriors(
    parts: Mapping[str, Posterior], weights: Mapping[str, float], diagnostics: Mapping[str, Any]
) -> Posterior:
    """Put posteriors together; the draws of the families take turns, so that every share of them holds the weights.

    Parameters
    ----------
    parts : mapping of family to Posterior
    weights : mapping of family to float
        They add up to one. A family of 99 % or more stands alone.
    diagnostics : mapping
        Of the mixture.
    """
    said = ", ".join(f"{name} {weights[name]:.0%}" for name in parts)
    note = Note(
        "stacked", f"Weights of the stack, from forecasts of the past: {said}.", {"weights": said}
    )
    best = max(parts, key=lambda name: weights[name])
    if weights[best] >= SURE:
        part = parts[best]
        return replace(part, status=Status(part.status.converged, (*part.status.notes, note)))
    size = max(DRAWS, *(part.size for part in parts.values()))
    columns: dict[str, list[Floats]] = {name: [] for name in stack.PARAMS}
    turn = []
    for name, part in parts.items():
        share = round(weights[name] * size)
        pick = np.linspace(0, part.size - 1, share).round().astype(int)
        for param, values in part.draws.items():
            columns[param].append(values[pick])
        columns["first_dropout"].append(np.full(share, float(family_of(name) is mbgnbd)))
        turn.append((np.arange(share) + 0.5) / max(share, 1))
    order = np.argsort(np.concatenate(turn), kind="stable")
    notes = {note.code: note for part in parts.values() for note in part.status.notes}
    notes.pop("alive_by_assumption", None)
    rows = [row for name, part in parts.items() for row in _rows(part, weights[name])]
    return Posterior(
        family=STACK,
        method=next(iter(parts.values())).method,
        draws={name: np.concatenate(values)[order] for name, values in columns.items()},
        status=Status(
            all(part.status.converged for part in parts.values()), (*notes.values(), note)
        ),
        diagnostics={**diagnostics, "weights": dict(weights), "components": rows},
        priors={
            f"{name}: {quantity}": law
            for name, part in parts.items()
            for quantity, law in part.priors.items()
        },
    )


def _rows(part: Posterior, weight: float) -> list[dict[str, Any]]:
    rows = part.table().assign(weight=weight).to_dict("records")
    return [
        {str(name): None if value != value else value for name, value in row.items()}
        for row in rows
    ]
