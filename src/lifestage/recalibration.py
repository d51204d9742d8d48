"""Correct the chance of a purchase by what was observed: learned on the past, judged on what came after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lifestage.errors import ConfigError
from lifestage.evaluate.splits import Split, split_purchases
from lifestage.families import STACK, family
from lifestage.fitting import fit_purchases

if TYPE_CHECKING:
    from lifestage.model import LTVModel
    from lifestage.tables import Summary

__all__ = ["Calibration", "calibrate", "learn"]

Floats = NDArray[np.float64]

KINDS = ("logit", "isotonic")
SMALLEST = 1e-9
"""Chances are kept this far from 0 and 1."""

DRAWS = 50


@dataclass(frozen=True)
class Calibration:
    r"""A map from the model's chance of a purchase to the one that was observed.

    Attributes
    ----------
    kind : ``"logit"`` or ``"isotonic"``
        :math:`\operatorname{logit} q = c + a \ln p - b \ln(1 - p)` with a, b ≥ 0; or steps that never fall.
    values : mapping
        ``a``, ``b``, ``c``; or ``p`` and ``q``, the ends of the steps, between which lines run.
    horizon : float
        Periods; of the forecasts it was learned on.
    learned, judged : str
        Days (ISO dates) of the forecasts that it was learned on for good, and that it was judged on before.
    before, after : float
        Log-loss a customer of the forecasts that it was judged on, without and with a map learned before that day.
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
            f"Recalibration of the chance of a purchase {said}: log-loss {self.before:.4f} without and "
            f"{self.after:.4f} with it, forecasting from {self.judged} with a map learned before that day."
        )


def calibrate(
    model: LTVModel,
    customers: Summary,
    *,
    kind: str = "logit",
    horizon: float | None = None,
    level: float = 0.9,
) -> LTVModel:
    """Learn to correct ``p_purchase``, and keep the map with the model for ``predict(calibrated=True)``.

    The base is split at two days of the past. A map is learned on the forecasts of the earlier one, and judged on those
    of the later one, made by a fit of that day. If it helps beyond chance a map is learned on the later forecasts,
    and serves from now on; else none does.

    Parameters
    ----------
    model : LTVModel
        Its family is fitted anew at each of the two days, by ``"map"``.
    customers : Summary
        What the model was fitted on, made from orders.
    kind : ``"logit"`` or ``"isotonic"``
        Three parameters (Kull, Silva Filho & Flach 2017), or free but never falling.
    horizon : float, optional
        Periods of the forecasts; a quarter of the days observed if left out. The map then serves forecasts of any
        horizon, as far as the errors of the model are of one kind over them: a backtest tells.
    level : float
        Coverage of the interval that must lie below 0.

    Returns
    -------
    LTVModel
        The model with its ``calibration``.

    Raises
    ------
    DataError
        If the summary was not made from orders, or is too short for two splits.
    ConfigError
        If the kind or the level is not known.

    Source: Kull, Silva Filho & Flach (2017), Beta calibration, AISTATS, 623–631.

    Examples
    --------
    >>> import lifestage as ls
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> model = ls.calibrate(ls.fit(customers, purchases="mbg/nbd"), customers)
    >>> model.calibration.helps
    True
    >>> plain, better = (model.predict(customers, calibrated=on)["p_purchase"].mean() for on in (False, True))
    >>> bool(better > plain)
    True
    """
    from scipy.special import ndtri

    if kind not in KINDS or not 0 < level < 1:
        raise ConfigError(f"kind must be one of {', '.join(KINDS)} and level in (0, 1); got {kind!r} and {level!r}")
    earlier, later = split_purchases(customers, horizon=horizon, origins=2)
    first, second = _chances(model, earlier), _chances(model, later)
    bought = later.y > 0
    before = log_losses(second, bought)
    after = log_losses(apply(kind, learn(kind, first, earlier.y > 0), second), bought)
    gap = after - before
    reach = float(ndtri((1 + level) / 2)) * float(gap.std()) / np.sqrt(gap.size)
    found = Calibration(
        kind=kind,
        values=learn(kind, second, bought),
        horizon=later.horizon,
        learned=later.origin.isoformat(),
        judged=later.origin.isoformat(),
        before=float(before.mean()),
        after=float(after.mean()),
        difference=float(gap.mean()),
        low=float(gap.mean() - reach),
        high=float(gap.mean() + reach),
        helps=bool(gap.mean() + reach < 0),
    )
    return replace(model, calibration=found)


def log_losses(chance: Floats, bought: NDArray[np.bool_]) -> Floats:
    """Minus the logarithm of the chance that was given to what came, a customer."""
    chance = np.clip(chance, SMALLEST, 1 - SMALLEST)
    return np.asarray(-np.where(bought, np.log(chance), np.log1p(-chance)))


def learn(kind: str, chance: Floats, bought: NDArray[np.bool_]) -> dict[str, Any]:
    """Learn the map from chances to what came of them.

    The three parameters lean on those of no correction by a standard normal prior, and each step counts one customer
    more who did as the model said: a handful of customers changes next to nothing, and no chance becomes 0 or 1.
    """
    from scipy.optimize import isotonic_regression, minimize

    chance = np.clip(chance, SMALLEST, 1 - SMALLEST)
    levels, place = np.unique(chance, return_inverse=True)
    people = np.bincount(place.ravel()).astype(float)
    buyers = np.bincount(place.ravel(), bought.astype(float))
    if kind == "isotonic":
        blocks = isotonic_regression(buyers / people, weights=people).blocks
        expected, size, came = (np.add.reduceat(each, blocks[:-1]) for each in (people * levels, people, buyers))
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

    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(None, None), (0, None), (0, None)])
    return dict(zip("cab", found.x.tolist(), strict=True))


def apply(kind: str, values: Mapping[str, Any], chance: Floats) -> Floats:
    """Carry chances through a map."""
    chance = np.clip(chance, SMALLEST, 1 - SMALLEST)
    if kind == "isotonic":
        return np.asarray(np.interp(chance, values["p"], values["q"]))
    z = values["c"] + values["a"] * np.log(chance) - values["b"] * np.log1p(-chance)
    return np.asarray(1.0 / (1.0 + np.exp(-z)))


def _chances(model: LTVModel, split: Split) -> Floats:
    """P(a purchase within the horizon) of each customer by a fit of the model's family at the split."""
    rows, place = split.distinct()
    x, t_x, T, _ = rows.T
    counts, name = split.counts(), model.purchases.family
    weights = model.purchases.diagnostics["weights"] if name == STACK else {name: 1.0}
    out = np.zeros(x.size)
    for each, weight in weights.items():
        part = fit_purchases(counts, each, method="map").columns()
        out += weight * family(each).p_purchase(split.horizon, x, t_x, T, **part)[0]
    return out[place]
