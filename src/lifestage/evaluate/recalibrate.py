"""Recalibration: correct the probability of a purchase by the past, where that helps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from lifestage.core.errors import ConfigError
from lifestage.core.steps import step
from lifestage.data.customers.splits import Split, split_purchases
from lifestage.families import STACK, family
from lifestage.fitting import fit_purchases
from lifestage.fitting.recalibration import (
    KINDS,
    Calibration,
    calibrate_probability,
    fit_calibrator,
)
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
    r"""Fit a correction of ``p_purchase``, kept with the model for ``predict(calibrated=True)``.

    The base is split at two past dates. A map from predicted to observed probability is fitted to
    the forecasts from the earlier date and evaluated on those from the later one, made by a fit at
    that date. If it lowers the log-loss beyond sampling error, the map that is kept is fitted to
    the later forecasts; else predictions stay as they are. With ``"logit"`` the map is

    .. math:: \operatorname{logit} q = c + a \ln p - b \ln(1 - p), \qquad a, b \ge 0.

    Parameters
    ----------
    model : LTVModel
        Its family is fitted again at each of the two dates, by ``"map"``.
    customers : Summary
        The customers that the model was fitted on, made from orders.
    kind : ``"logit"`` or ``"isotonic"``
        Three parameters (Kull, Silva Filho & Flach 2017), or steps that never fall.
    horizon : float, optional
        Periods of the forecasts; a quarter of the days observed if left out. The map is applied to
        forecasts of any horizon; a backtest tells whether it suits them.
    level : float
        Level of the interval of the difference in log-loss, which must lie below 0.

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
    >>> scores = model.predict(customers, calibrated=True)
    >>> round(float(scores["p_purchase"].mean()), 2)
    0.29
    """
    if kind not in KINDS or not 0 < level < 1:
        raise ConfigError(
            f"kind must be one of {', '.join(KINDS)} and level in (0, 1); got {kind!r} and"
            f" {level!r}"
        )
    earlier, later = split_purchases(customers, horizon=horizon, origins=2)
    with step(__name__, "Fitting at two past dates, to correct probabilities"):
        first, second = _probabilities(model, earlier), _probabilities(model, later)
    bought = later.y > 0
    before = log_losses(second, bought)
    after = log_losses(
        calibrate_probability(kind, fit_calibrator(kind, first, earlier.y > 0), second), bought
    )
    gap = after - before
    reach = z_score(level) * float(gap.std()) / np.sqrt(gap.size)
    calibration = Calibration(
        kind=kind,
        values=fit_calibrator(kind, second, bought),
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
    return replace(model, calibration=calibration)


def _probabilities(model: LTVModel, split: Split) -> Floats:
    """P(a purchase within the horizon) per customer, by the model's family fitted at the split."""
    rows, place = split.distinct()
    x, t_x, T, _ = rows.T
    fitted = model.purchases
    weights = {fitted.family: 1.0}
    if fitted.family == STACK:
        weights = fitted.diagnostics["weights"]
    probability = np.zeros(x.size)
    for name, weight in weights.items():
        params = fit_purchases(split.counts(), name, method="map").columns()
        probability += weight * family(name).p_purchase(split.horizon, x, t_x, T, **params)[0]
    return probability[place]
