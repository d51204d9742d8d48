"""Counts of living BG/NBD and MBG/NBD customers, tabulated by recurrence over the count.

P(at least n purchases) is that of a negative binomial count, times the probability of surviving
n − 1 dropouts. Both follow from their values for n − 1 by a multiplication.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np

from lifestage.families._beta_geometric import Params, living

if TYPE_CHECKING:
    from lifestage.core.typing import Floats, Ints

__all__ = ["count_table"]


@numba.njit(cache=True, nogil=True)
def _recur(shape: Any, ratio: Any, a: Any, b: Any, tail: Any, longest: Any, max_values: Any) -> Any:
    """Rows of every state in turn; fewer states than asked for once there are *max_values*."""
    draws, states = ratio.shape
    start, out, size = np.zeros(states + 1, np.int64), np.empty(1 << 16), 0
    log_pmf, pmf, below = np.empty(draws), np.empty(draws), np.empty(draws)
    survived, grow = np.empty(draws), np.empty(draws)
    for j in range(states):
        start[j] = size // draws
        for d in range(draws):
            log_pmf[d] = -shape[d, j] * np.log1p(ratio[d, j])
            pmf[d], below[d], survived[d] = np.exp(log_pmf[d]), 0.0, 1.0
            grow[d] = ratio[d, j] / (1.0 + ratio[d, j])
        for n in range(1, longest + 1):
            if size + draws > out.size:
                larger = np.empty(2 * (size + draws))
                larger[:size] = out[:size]
                out = larger
            beyond = 0.0
            for d in range(draws):
                below[d] += pmf[d]
                sf = max(1.0 - below[d], 0.0) * survived[d]
                out[size + d] = sf
                beyond += sf
                step = (shape[d, j] + n - 1.0) / n * grow[d]
                if log_pmf[d] < -600.0:  # too small to be multiplied up
                    log_pmf[d] += np.log(step)
                    pmf[d] = np.exp(log_pmf[d])
                else:
                    pmf[d] *= step
                survived[d] *= (b[d, j] + n - 1.0) / (a[d, j] + b[d, j] + n - 1.0)
            size += draws
            if beyond <= tail * draws:
                break
        if size > max_values:
            start[j + 1 :] = size // draws
            break
    start[-1] = size // draws
    return start, out[:size]


def count_table(
    t: float, x: Floats, T: Floats, limits: tuple[float, int, int], **params: Any
) -> tuple[Ints, Floats]:
    """Return where each state's rows start, and P(at least 1, 2, … purchases within t | alive).

    The rows of a state go on until the mean over the draws is at most the first of *limits*, or for
    as many counts as the second says; a row has a value per draw. The third is the most values.
    """
    columns = [np.atleast_2d(np.asarray(v, float)) for v in living(x, T, Params(**params))]
    shape, scale, a, b = map(np.ascontiguousarray, np.broadcast_arrays(*columns))
    start, survival = _recur(shape, t / scale, a, b, *limits)
    return start, survival.reshape(-1, shape.shape[0])
