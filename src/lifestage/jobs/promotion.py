"""Champion against challenger: their forecasts of the same customers, and who is promoted."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from lifestage.data.customers.splits import NO_STAGES, Split, split_purchases
from lifestage.families import family
from lifestage.jobs.run import fit_orders, summarize_orders
from lifestage.numerics.statistics import log_losses, log_scores, resampled_mean

if TYPE_CHECKING:
    from typing import Any

    import pandas as pd

    from lifestage.core.typing import Floats
    from lifestage.data.customers.summary import Summary
    from lifestage.fitting.posterior import Posterior
    from lifestage.jobs.model_spec import ModelSpec, Promotion
    from lifestage.model import LTVModel

__all__ = ["compare_forecasts", "compare_with_champion", "is_promoted"]

PREDICTIVE_DRAWS = 50
"""Draws of the parameters that a forecast averages over."""


def compare_forecasts(
    split: Split, champion: Posterior, challenger: Posterior, level: float = 0.9
) -> pd.DataFrame:
    """Losses of two posteriors on the same forecasts of purchases.

    Returns
    -------
    pandas.DataFrame
        ``loss`` (``"log_score"``, minus the log probability of the number of purchases;
        ``"log_loss"``, that of any purchase), ``champion``, ``challenger`` (means per customer),
        ``difference`` (below 0 the challenger is better), ``low``, ``high``.
    """
    import pandas as pd

    before, after = _losses(champion, split), _losses(challenger, split)
    rng = np.random.default_rng(0)
    rows = []
    for loss in before:
        gap = after[loss] - before[loss]
        means = float(before[loss].mean()), float(after[loss].mean()), float(gap.mean())
        rows.append((loss, *means, *resampled_mean(gap, level, rng)))
    columns = ["loss", "champion", "challenger", "difference", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def _losses(part: Posterior, split: Split) -> dict[str, Floats]:
    """Losses per customer."""
    rows, place = split.distinct()
    x, t_x, T, y = rows.T
    part = part.thin(PREDICTIVE_DRAWS)
    module, params = family(part.family), part.columns()
    pmf = module.purchase_pmf(y, split.horizon, x, t_x, T, **params).mean(axis=0)
    p_purchase = module.p_purchase(split.horizon, x, t_x, T, **params).mean(axis=0)
    return {
        "log_score": -log_scores(pmf)[place],
        "log_loss": log_losses(p_purchase, y > 0)[place],
    }


def compare_with_champion(
    source: Any, customers: Summary, champion: LTVModel, spec: ModelSpec
) -> pd.DataFrame:
    """Compare forecasts from a horizon before the last day, with a challenger fitted at that day.

    The champion may have been fitted on some of the days that it forecasts here:
    ``days_known_to_champion`` says how many.
    """
    split = split_purchases(customers, horizon=spec.promotion.horizon, origins=1)[0]
    update = {"until": split.origin, "spend": None, "calibrate": False} | NO_STAGES
    config = spec.run.model_copy(update=update)
    challenger = fit_orders(summarize_orders(source, config), config, champion)
    table = compare_forecasts(split, champion.purchases, challenger.purchases, spec.promotion.level)
    known = timedelta(0)
    if champion.data.until is not None:
        known = max(champion.data.until - split.origin, known)
    return table.assign(origin=split.origin.isoformat(), days_known_to_champion=known.days)


def is_promoted(comparison: pd.DataFrame | None, promotion: Promotion) -> bool:
    """Whether the challenger replaces the champion; a first version always does."""
    if comparison is None:
        return True
    tolerated = promotion.tolerance * comparison["champion"]
    not_worse = bool((comparison["low"] <= tolerated).all())
    if promotion.rule == "never" or not not_worse:
        return False
    return promotion.rule == "not worse" or bool((comparison["high"] < 0).any())
