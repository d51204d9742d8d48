"""Quantiles of the time to the next purchase."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lifestage.families import family
from lifestage.families.tables import purchase_probability
from lifestage.numerics import special
from lifestage.numerics.distinct import distinct_pairs

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from lifestage.core.typing import Floats
    from lifestage.fitting.posterior import Posterior


__all__ = ["SHARES", "WAIT_DRAWS", "next_purchase_waits"]

SHARES = (0.25, 0.5, 0.75)
"""Of the waits that the columns of a scores table name."""

WAIT_DRAWS = 20
"""Draws that the wait to the next purchase is a mixture of."""

PRECISION, MAX_STEPS = 1e-10, 60
"""Relative size of a step after which a search ends, and steps at most; a few are needed."""


def next_purchase_waits(
    shares: tuple[float, ...], t: float, x: Floats, t_x: Floats, t_obs: Floats, part: Posterior
) -> list[Floats]:
    """Compute quantiles of the wait from now to the next purchase, given one within *t*.

    Over the draws the wait is a mixture, weighted by the probability of
    a purchase. Its quantile lies between those of the draws, and is solved for to 1e-10.
    """
    module, params = family(part.family), part.columns()
    alive = np.atleast_2d(module.p_alive(x, t_x, t_obs, **params)) / part.size

    def bought(wait: Floats | float, rows: NDArray[np.intp]) -> Floats:
        living = module.count_survival(1, wait, x[rows], t_obs[rows], **params)
        return np.asarray(alive[:, rows] * living)

    weight = alive * purchase_probability(module, params, t, x, t_obs)
    first, place = distinct_pairs(x, t_obs)
    total = np.maximum(special.sum_over_draws(weight), special.TINY)
    waits = []
    for share in shares:
        of_state = module.next_purchase_quantile(share, t, x[first], t_obs[first], **params)
        by_draw = np.atleast_2d(of_state)[:, place]
        wait = special.sum_over_draws(weight * by_draw) / total
        if part.size > 1:

            def over(wait: Floats, rows: NDArray[np.intp], share: float = share) -> Floats:
                return special.sum_over_draws(bought(wait, rows)) / total[rows] - share

            wait = _root(over, by_draw.min(axis=0), wait, by_draw.max(axis=0))
        waits.append(np.asarray(wait))
    return waits


def _root(
    rising: Callable[[Floats, NDArray[np.intp]], Floats], low: Floats, start: Floats, high: Floats
) -> Floats:
    """Roots between *low* and *high* of functions that rise, from *start*, row by row.

    By false position with the weights of Anderson and Björck (1973), BIT 13, 253–264: the bracket
    is kept, and steps shrink faster than geometrically.
    """
    root, rows = np.array(start), np.arange(start.size)
    a, b, at = low.copy(), high.copy(), np.clip(start, low, high)
    f_a, f_b = rising(a, rows), rising(b, rows)
    for _ in range(MAX_STEPS):
        f = rising(at, rows)
        same = f * f_b > 0.0
        # where the bracket keeps its other end, that end counts for less
        weight = np.where(same, 1.0 - f / np.where(f_b == 0.0, 1.0, f_b), 1.0)
        weight = np.where(weight > 0.0, weight, 0.5)
        a, f_a = np.where(same, a, b), np.where(same, f_a * weight, f_b)
        b, f_b = at, f
        slope = np.where(f_b == f_a, 1.0, f_b - f_a)
        step = np.where(f == 0.0, 0.0, f_b * (b - a) / slope)
        root[rows] = at = b - step
        going = np.abs(step) > PRECISION * np.abs(at)
        if not going.any():
            break
        rows, a, b, at = rows[going], a[going], b[going], at[going]
        f_a, f_b = f_a[going], f_b[going]
    return root
