"""Maps from the chance of a purchase that a model gives to the one that was observed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.numerics.special import clip_probability

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from lifestage.core.typing import Floats

__all__ = ["KINDS", "Calibration", "apply", "learn"]


KINDS = ("logit", "isotonic")


@dataclass(frozen=True)
class Calibration:
    r"""A map from the model's chance of a purchase to the one that was observed.

    Attributes
    ----------
    kind : ``"logit"`` or ``"isotonic"``
        :math:`\operatorname{logit} q = c + a \ln p - b \ln(1 - p)` with a, b ≥ 0; or steps that
        never fall.
    values : mapping
        ``a``, ``b``, ``c``; or ``p`` and ``q``, the ends of the steps, between which lines run.
    horizon : float
        Periods; of the forecasts it was learned on.
    learned, judged : str
        Days (ISO dates) of the forecasts that it was learned on for good, and that it was judged on
        before.
    before, after : float
        Log-loss a customer of the forecasts that it was judged on, without and with a map learned
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

    def __call__(self, chance: ArrayLike) -> Floats:
        """The corrected chances; the same ones where the map does not help."""
        chance = np.asarray(chance, float)
        return apply(self.kind, self.values, chance) if self.helps else chance

    def __str__(self) -> str:
        said = "helps and is used" if self.helps else "does not help beyond chance and is not used"
        return (
            f"Recalibration of the chance of a purchase {said}: log-loss {self.before:.4f} without"
            f" and {self.after:.4f} with it, forecasting from {self.judged} with a map learned"
            " before that day."
        )


def learn(kind: str, chance: Floats, bought: NDArray[np.bool_]) -> dict[str, Any]:
    """Learn the map from chances to what came of them.

    The three parameters lean on those of no correction by a standard normal prior, and each step
    counts one customer more who did as the model said: a handful of customers changes next to
    nothing, and no chance becomes 0 or 1.
    """
    from scipy.optimize import isotonic_regression, minimize

    chance = clip_probability(chance)
    levels, place = np.unique(chance, return_inverse=True)
    people = np.bincount(place.ravel()).astype(float)
    buyers = np.bincount(place.ravel(), bought.astype(float))
    if kind == "isotonic":
        blocks = isotonic_regression(buyers / people, weights=people).blocks
        expected, size, came = (
            np.add.reduceat(each, blocks[:-1]) for each in (people * levels, people, buyers)
        )
        heights = np.maximum.accumulate((came + expected / size) / (size + 1.0))
        ends = np.column_stack([blocks[:-1], blocks[1:] - 1])
        single = ends[:, 0] == ends[:, 1]
        keep = np.column_stack([np.ones(single.size, bool), ~single]).ravel()
        return {"p": levels[ends.ravel()[keep]].tolist(), "q": np.repeat(heights, 2)[keep].tolist()}
    logs = np.column_stack([np.ones(levels.size), np.log(levels), -np.log1p(-levels)])
    start = np.array([0.0, 1.0, 1.0])

    def loss(theta: Floats) -> tuple[float, Floats]:
        z = logs @ theta
        value = people @ np.logaddexp(0.0, z) - buyers @ z + 0.5 * ((theta - start) ** 2).sum()
        slope = logs.T @ (people / (1.0 + np.exp(-z)) - buyers) + theta - start
        return float(value) / people.sum(), slope / people.sum()

    found = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=[(None, None), (0, None), (0, None)]
    )
    return dict(zip("cab", found.x.tolist(), strict=True))


def apply(kind: str, values: Mapping[str, Any], chance: Floats) -> Floats:
    """Carry chances through a map."""
    chance = clip_probability(chance)
    if kind == "isotonic":
        return np.asarray(np.interp(chance, values["p"], values["q"]))
    z = values["c"] + values["a"] * np.log(chance) - values["b"] * np.log1p(-chance)
    return np.asarray(1.0 / (1.0 + np.exp(-z)))
