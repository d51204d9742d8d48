"""Maps from the probability of a purchase that a model predicts to the one that was observed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.numerics.special import clip_probability

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from lifestage.core.typing import Floats

__all__ = ["KINDS", "Calibration", "calibrate_probability", "fit_calibrator"]


KINDS = ("logit", "isotonic")


@dataclass(frozen=True)
class Calibration:
    r"""A map from the predicted probability of a purchase to the one that was observed.

    Attributes
    ----------
    kind : ``"logit"`` or ``"isotonic"``
        :math:`\operatorname{logit} q = c + a \ln p - b \ln(1 - p)` with a, b ≥ 0; or steps that
        never fall.
    values : mapping
        ``a``, ``b``, ``c``; or ``p`` and ``q``, the ends of the steps, between which lines run.
    horizon : float
        Periods; of the forecasts it was fitted on.
    learned, judged : str
        Days (ISO dates) of the forecasts that it was finally fitted on, and of those that an
        earlier fit of it was judged on.
    before, after : float
        Log-loss per customer of the forecasts that it was judged on, without and with a map fitted
        before that day.
    difference, low, high : float
        after − before, and its interval; below 0 the map helps.
    helps : bool
        Whether the whole interval is below 0. Where it is not, predictions stay as they are.
    """

    kind: str
    values: Mapping[str, Any]
    horizon: float
    learned: str
    judged: str
    before: float
    after: float
    difference: float
    low: float
    high: float
    helps: bool

    def __call__(self, probability: ArrayLike) -> Floats:
        """The corrected probabilities; the same ones where the map does not help."""
        probability = np.asarray(probability, float)
        return (
            calibrate_probability(self.kind, self.values, probability)
            if self.helps
            else probability
        )

    def __str__(self) -> str:
        outcome = (
            "helps and is used" if self.helps else "does not help significantly and is not used"
        )
        return (
            f"Recalibration of the purchase probability {outcome}: log-loss {self.before:.4f}"
            f" without and {self.after:.4f} with it, in forecasts from {self.judged} with a map"
            " fitted before that day."
        )


def fit_calibrator(kind: str, probability: Floats, bought: NDArray[np.bool_]) -> dict[str, Any]:
    """Fit the map from predicted probabilities to what was observed.

    The three parameters have a standard normal prior about those of no correction, and each step
    counts one customer more who did as the model predicted: a handful of customers changes next to
    nothing, and no probability becomes 0 or 1.
    """
    levels, place = np.unique(clip_probability(probability), return_inverse=True)
    people = np.bincount(place.ravel()).astype(float)
    buyers = np.bincount(place.ravel(), bought.astype(float))
    fit = _fit_steps if kind == "isotonic" else _fit_logit
    return fit(levels, people, buyers)


def _fit_steps(levels: Floats, people: Floats, buyers: Floats) -> dict[str, Any]:
    """Steps that never fall, by isotonic regression."""
    from scipy.optimize import isotonic_regression

    blocks = isotonic_regression(buyers / people, weights=people).blocks
    begins = blocks[:-1]
    expected = np.add.reduceat(people * levels, begins)
    size, observed = np.add.reduceat(people, begins), np.add.reduceat(buyers, begins)
    heights = np.maximum.accumulate((observed + expected / size) / (size + 1.0))
    ends = np.column_stack([begins, blocks[1:] - 1])
    single = ends[:, 0] == ends[:, 1]
    keep = np.column_stack([np.ones(single.size, bool), ~single]).ravel()
    return {"p": levels[ends.ravel()[keep]].tolist(), "q": np.repeat(heights, 2)[keep].tolist()}


def _fit_logit(levels: Floats, people: Floats, buyers: Floats) -> dict[str, Any]:
    """Parameters a, b and c of the logit map, by penalised likelihood."""
    from scipy.optimize import minimize

    logs = np.column_stack([np.ones(levels.size), np.log(levels), -np.log1p(-levels)])
    unchanged = np.array([0.0, 1.0, 1.0])

    def loss(theta: Floats) -> tuple[float, Floats]:
        z = logs @ theta
        value = people @ np.logaddexp(0.0, z) - buyers @ z + 0.5 * ((theta - unchanged) ** 2).sum()
        slope = logs.T @ (people / (1.0 + np.exp(-z)) - buyers) + theta - unchanged
        return float(value) / people.sum(), slope / people.sum()

    bounds = [(None, None), (0, None), (0, None)]
    result = minimize(loss, unchanged, jac=True, method="L-BFGS-B", bounds=bounds)
    return dict(zip("cab", result.x.tolist(), strict=True))


def calibrate_probability(kind: str, values: Mapping[str, Any], probability: Floats) -> Floats:
    """Correct probabilities by a map."""
    p = clip_probability(probability)
    if kind == "isotonic":
        return np.asarray(np.interp(p, values["p"], values["q"]))
    z = values["c"] + values["a"] * np.log(p) - values["b"] * np.log1p(-p)
    return np.asarray(1.0 / (1.0 + np.exp(-z)))
