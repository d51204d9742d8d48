"""Counts of living Pareto/NBD customers, tabulated with one quadrature for all counts of a state.

The density of the time of the n-th purchase is that of the first one times a power of u/(A + u), up
to a constant. So its values at the nodes follow from those for n − 1 by a multiplication. In v =
ln(1 + u/c) no density has a curvature above R + s + 2, whatever n is, which sets the panels.
"""

from __future__ import annotations

from math import exp, expm1, log, log1p, sqrt
from typing import TYPE_CHECKING, Any

import numba
import numpy as np

from lifestage.families._lomax import NODES, WEIGHTS, WIDTH, time_unit

if TYPE_CHECKING:
    from lifestage.core.typing import Floats, Ints

__all__ = ["count_table"]

SMALL = -600.0
"""Logarithm of a value below which it is not multiplied up but taken anew from its logarithm."""


@numba.njit(cache=True, nogil=True)
def _panels(R: Any, A: Any, s: Any, B: Any, t: Any) -> Any:
    """Unit c of time, the end of v, and the panels that any count of a state needs."""
    c = time_unit(R + 1.0, s, 0.0, A, B)
    end = log1p(t / c)
    return c, end, int(end / min(WIDTH, 3.0 / sqrt(R + s + 2.0))) + 1


@numba.njit(cache=True, nogil=True)
def _first_purchase(R: Any, A: Any, s: Any, B: Any, t: Any, log_value: Any, log_ratio: Any) -> None:
    """Fill the log density of the first purchase times weights at the nodes, and ln u/(A + u)."""
    c, end, _ = _panels(R, A, s, B, t)
    panels = log_value.size // NODES.size
    half = 0.5 * end / panels
    for panel in range(panels):
        for i in range(NODES.size):
            v = half * (2 * panel + 1 + NODES[i])
            u, at = c * expm1(v), panel * NODES.size + i
            density = log(R / A) - (R + 1.0) * log1p(u / A) - s * log1p(u / B)
            log_value[at] = density + log(c * half * WEIGHTS[i]) + v
            log_ratio[at] = -log1p(A / u)


@numba.njit(cache=True, nogil=True)
def _next_survival(value: Any, log_value: Any, ratio: Any, log_ratio: Any, grow: Any) -> Any:
    """Sum of the values at the nodes, which are then those of the next count."""
    total = 0.0
    for i in range(value.size):
        total += value[i]
        if log_value[i] < SMALL:
            log_value[i] += log_ratio[i] + log(grow)
            value[i] = exp(log_value[i])
        else:
            value[i] *= ratio[i] * grow
    return min(total, 1.0)


@numba.njit(cache=True, nogil=True)
def _tabulate(
    t: Any, R: Any, A: Any, s: Any, B: Any, tail: Any, longest: Any, max_values: Any
) -> Any:
    """Rows of every state in turn; fewer states than asked for once there are *max_values*."""
    draws, states = R.shape
    start, out, size = np.zeros(states + 1, np.int64), np.empty(1 << 16), 0
    for j in range(states):
        start[j] = size // draws
        panels = 1
        for d in range(draws):
            panels = max(panels, _panels(R[d, j], A[d, j], s[d, j], B[d, j], t)[2])
        logs, log_ratios = np.empty((2, draws, panels * NODES.size))
        for d in range(draws):
            _first_purchase(R[d, j], A[d, j], s[d, j], B[d, j], t, logs[d], log_ratios[d])
        values, ratios = np.exp(logs), np.exp(log_ratios)
        for n in range(1, longest + 1):
            if size + draws > out.size:
                larger = np.empty(2 * (size + draws))
                larger[:size] = out[:size]
                out = larger
            beyond = 0.0
            for d in range(draws):
                grow = (R[d, j] + n) / n
                sf = _next_survival(values[d], logs[d], ratios[d], log_ratios[d], grow)
                out[size + d] = sf
                beyond += sf
            size += draws
            if beyond <= tail * draws:
                break
        if size > max_values:
            start[j + 1 :] = size // draws
            break
    start[-1] = size // draws
    return start, out[:size]


def count_table(
    t: float,
    x: Floats,
    T: Floats,
    limits: tuple[float, int, int],
    *,
    r: Any,
    alpha: Any,
    s: Any,
    beta: Any,
) -> tuple[Ints, Floats]:
    """Tabulate P(at least 1, 2, … purchases within t | alive) of many states.

    Returns where each state's rows start, and the rows, with a value per draw; see
    :func:`lifestage.families.tables.count_table`.
    """
    rates = np.broadcast_arrays(*(np.atleast_2d(v) for v in (r + x, alpha + T, s, beta + T)))
    R, A, S, B = (np.ascontiguousarray(rate, float) for rate in rates)
    start, survival = _tabulate(float(t), R, A, S, B, *limits)
    return start, survival.reshape(-1, R.shape[0])
