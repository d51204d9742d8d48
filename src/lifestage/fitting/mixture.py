"""Posteriors of several families as one: a share of the draws belongs to each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.core.notes import Note
from lifestage.families import STACK
from lifestage.families.mixture import column_name
from lifestage.fitting.posterior import Posterior, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifestage.core.typing import Floats

__all__ = ["SURE_WEIGHT", "stack_posteriors", "stacking_weights"]


POINT_DRAWS = 50
"""Draws that stand for a mixture of point estimates, so that weights are right to 1 %."""

SURE_WEIGHT = 0.99
"""From this weight on a family stands alone."""

MAX_STEPS, CLOSE = 5000, 1e-10


def stacking_weights(density: Floats) -> Floats:
    r"""Weights of the mixture that predicts best, which maximise Σ log Σ w·p; by EM.

    Parameters
    ----------
    density : array, shape (n, families)
        Probability that each family gave to each observation.

    Examples
    --------
    >>> stacking_weights(np.array([[0.9, 0.1], [0.1, 0.9], [0.9, 0.1], [0.1, 0.9]])).round(6)
    array([0.5, 0.5])
    """
    weights = np.full(density.shape[1], 1.0 / density.shape[1])
    for _ in range(MAX_STEPS):
        shares = density * weights
        updated = np.asarray((shares / shares.sum(axis=1, keepdims=True)).mean(axis=0))
        if np.abs(updated - weights).max() < CLOSE:
            break
        weights = updated
    return weights


def stack_posteriors(
    parts: Mapping[str, Posterior], weights: Mapping[str, float], diagnostics: Mapping[str, Any]
) -> Posterior:
    """Combine posteriors; their draws alternate, so that every part of them has the weights.

    Parameters
    ----------
    parts : mapping of family to Posterior
    weights : mapping of family to float
        They add up to one. A family of 99 % or more stands alone.
    diagnostics : mapping
        Of the mixture.
    """
    text = ", ".join(f"{name} {weights[name]:.0%}" for name in parts)
    note = Note(
        "stacked", f"Weights of the stack, from forecasts of the past: {text}.", {"weights": text}
    )
    best = max(parts, key=lambda name: weights[name])
    if weights[best] >= SURE_WEIGHT:
        part = parts[best]
        return replace(part, status=Status(part.status.converged, (*part.status.notes, note)))
    notes, rows, priors, units = {}, [], {}, []
    for name, part in parts.items():
        for own in part.status.notes:
            notes[own.code] = own
        for quantity, prior in part.priors.items():
            priors[column_name(name, quantity)] = prior
        rows += _rows(part, weights[name])
        units += part.diagnostics["units"]
    notes.pop("alive_by_assumption", None)
    converged = all(part.status.converged for part in parts.values())
    return Posterior(
        family=STACK,
        method=next(iter(parts.values())).method,
        draws=_alternate(parts, weights),
        status=Status(converged, (*notes.values(), note)),
        diagnostics={**diagnostics, "units": units, "weights": dict(weights), "components": rows},
        priors=priors,
    )


def _alternate(parts: Mapping[str, Posterior], weights: Mapping[str, float]) -> dict[str, Floats]:
    """Draws of all families in turns, in the weights; NaN for the parameters of others."""
    size = max(POINT_DRAWS, *(part.size for part in parts.values()))
    shares = {name: round(weights[name] * size) for name in parts}
    turns = [(np.arange(share) + 0.5) / max(share, 1) for share in shares.values()]
    order = np.argsort(np.concatenate(turns), kind="stable")
    draws, begin = {}, 0
    for name, part in parts.items():
        end = begin + shares[name]
        pick = np.linspace(0, part.size - 1, end - begin).round().astype(int)
        for parameter, values in part.draws.items():
            column = np.full(order.size, np.nan)
            column[begin:end] = values[pick]
            draws[column_name(name, parameter)] = column[order]
        begin = end
    return draws


def _rows(part: Posterior, weight: float) -> list[dict[str, Any]]:
    """The table of a family's parameters as plain values: None where one is missing."""
    table = part.table().assign(weight=weight).astype(object)
    rows: Any = table.where(table.notna(), None).to_dict("records")
    return list(rows)
