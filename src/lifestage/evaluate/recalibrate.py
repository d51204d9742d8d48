"""Correct the chance of a purchase by what was observed: learned on the past, judged on what came after it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from lifestage.core.errors import ConfigError
from lifestage.core.steps import step
from lifestage.data.customers.splits import Split, split_purchases
from lifestage.families import STACK, family
from lifestage.fitting import fit_purchases
from lifestage.fitting.recalibration import KINDS, Calibration, apply, learn
from lifestage.numerics.statistics import log_losses, z_score

if TYPE_CHECKING:
    from lifestage.core.typing import Floats
    from lifestage.data.customers.summary import Summary
    from lifestage.model import LTVModel

__all__ = ["calibrate"]


def calibrate(
    model: LTVModel,
    customers: Summary,
    *,
    kind: str = "logit",
    horizon: float | None = None,
    level: float = 0.9,
) -> LTVModel:
    """Learn to correct ``p_purchase``, and keep the map with the model for ``predict(calibrated=True)``.

    The base is split at two days of the past. A map is learned on the forecasts of the earlier one,
    and judged on those of the later one, made by a fit of that day. If it helps beyond chance a map
    is learned on the later forecasts, and serves from now on; else none does.

    Parameters
    ----------
    model : LTVModel
        Its family is fitted anew at each of the two days, by ``"map"``.
    customers : Summary
        What the model was fitted on, made from orders.
    kind : ``"logit"`` or ``"isotonic"``
        Three parameters (Kull, Silva Filho & Flach 2017), or free but never falling.
    horizon : float, optional
        Periods of the forecasts; a quarter of the days observed if left out. The map then serves
        forecasts of any horizon, as far as the errors of the model are of one kind over them: a
        backtest tells.
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
    if kind not in KINDS or not 0 < level < 1:
        raise ConfigError(
            f"kind must be one of {', '.join(KINDS)} and level in (0, 1); got {kind!r} and"
            f" {level!r}"
        )
    earlier, later = split_purchases(customers, horizon=horizon, origins=2)
    with step(__name__, "Fitting at two days of the past, to correct probabilities"):
        first, second = _chances(model, earlier), _chances(model, later)
    bought = later.y > 0
    before = log_losses(second, bought)
    after = log_losses(apply(kind, learn(kind, first, earlier.y > 0), second), bought)
    gap = after - before
    reach = z_score(level) * float(gap.std()) / np.sqrt(gap.size)
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
