"""Quantiles of the time to the next purchase."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lifestage.families import family
from lifestage.numerics import special

if TYPE_CHECKING:
    from lifestage.core.typing import Floats
    from lifestage.fitting.posterior import Posterior


__all__ = ["NEWTON", "WAIT_DRAWS"]

WAIT_DRAWS, NEWTON = 20, 4
"""Draws that the wait to the next purchase is a mixture of, and steps that solve for its quantiles."""


def next_purchase_waits(
    shares: tuple[float, ...], t: float, x: Floats, t_x: Floats, t_obs: Floats, part: Posterior
) -> list[Floats]:
    """Quantiles of the wait from now to the next purchase, given one within t.

    Under a draw the wait is a Lomax(r + x, α + T) cut off at t. Over the draws it is their mixture,
    weighted by the chance of a purchase; Newton's steps from the weighted mean of the quantiles
    solve for its own.
    """
    module, params = family(part.family), part.columns()
    shape, scale, _, _ = module.alive_law(x, t_obs, **params)
    weight = module.p_alive(x, t_x, t_obs, **params) / part.size
    weight = np.broadcast_to(weight, np.broadcast_shapes(weight.shape, shape.shape))
    buys = weight * special.power_survival(shape, t / scale)
    total = np.maximum(special.sum_over_draws(buys), special.TINY)
    out = []
    for share in shares:
        within = special.power_survival(shape, t / scale)
        wait = (
            special.sum_over_draws(buys * scale * np.expm1(-np.log1p(-share * within) / shape))
            / total
        )
        for _ in range(NEWTON if part.size > 1 else 0):
            over = (
                special.sum_over_draws(weight * special.power_survival(shape, wait / scale)) / total
            )
            rate = weight * shape / scale * np.exp(-(shape + 1.0) * np.log1p(wait / scale))
            rate = special.sum_over_draws(rate) / total
            wait = np.clip(wait - (over - share) / np.maximum(rate, special.TINY), 0.0, t)
        out.append(np.asarray(wait))
    return out
