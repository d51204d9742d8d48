"""The log-likelihood of a base with its gradient and its curvature, in NumPy.

One pass costs about three of the compiled one in :mod:`lifestage.families._beta_geometric_fit`, but
Newton steps that know the curvature need a tenth of the passes, and a process that only fits
compiles and loads nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from lifestage.core.typing import Floats
    from lifestage.families._rows import Rows

__all__ = ["BLOCK", "log_likelihood_with_hessian"]


BLOCK = 16_384
"""Rows at a time: what is computed of them stays in the cache."""


def log_likelihood_with_hessian(
    params: Floats, rows: Rows, first_dropout: bool
) -> tuple[float, Floats, Floats]:
    """Log-likelihood of all customers, its gradient and Hessian in (r, alpha, a, b)."""
    r, alpha, a, b = (float(value) for value in params)
    customers, repeats = float(rows.per_frequency.sum()), float(rows.x_per_T.sum())
    survivors = np.concatenate([[customers], rows.more]) if first_dropout else rows.more
    value, gradient, hessian = _dropped(
        r, alpha, a, b + (0.0 if first_dropout else -1.0), rows, not first_dropout
    )

    rate = r + np.arange(rows.more.size)
    stay = b + np.arange(survivors.size)
    either = a + stay
    time, log_time = alpha + rows.days, np.log1p(rows.days / alpha)
    shape = r * rows.per_T + rows.x_per_T
    value += float(rows.more @ np.log(rate) - survivors @ np.log1p(a / stay) - shape @ log_time)
    value -= repeats * float(np.log(alpha))
    gradient += [
        rows.more @ (1.0 / rate) - rows.per_T @ log_time,
        shape @ (rows.days / (alpha * time)) - repeats / alpha,
        -(survivors @ (1.0 / either)),
        survivors @ (1.0 / stay - 1.0 / either),
    ]
    hessian[0, 0] -= rows.more @ rate**-2.0
    mixed = rows.per_T @ (rows.days / (alpha * time))
    hessian[0, 1] += mixed
    hessian[1, 0] += mixed
    hessian[1, 1] += shape @ (time**-2.0 - alpha**-2.0) + repeats / alpha**2
    hessian[2:, 2:] += survivors @ either**-2.0
    hessian[3, 3] -= survivors @ stay**-2.0
    return value, gradient, hessian


def _dropped(
    r: float, alpha: float, a: float, b: float, rows: Rows, repeaters: bool
) -> tuple[float, Floats, Floats]:
    """Σ w·ln(1 + e^z), with z the log odds of having dropped out, and its derivatives.

    z = ln a − ln(b + x) + (r + x)·ln((α + T)/(α + t_x)).

    With s the probability of having dropped out, 1/(1 + e^−z), these are Σ w·s·z' and Σ w·(s·(1 −
    s)·z'z'ᵀ + s·z'').
    """
    value, gradient, hessian = 0.0, np.zeros(4), np.zeros((4, 4))
    log_time, inverse = np.log(alpha + rows.days), 1.0 / (alpha + rows.days)
    squared = inverse * inverse
    begin = int(np.searchsorted(rows.x, 0.0, side="right")) if repeaters else 0
    for start in range(begin, rows.x.size, BLOCK):
        part = slice(start, start + BLOCK)
        now, then, weight = rows.at_T[part], rows.at_t_x[part], rows.weight[part]
        shape, below = r + rows.x[part], b + rows.x[part]
        slopes = np.empty((4, shape.size))
        slopes[0] = log_time[now] - log_time[then]
        slopes[1] = inverse[now] - inverse[then]
        slopes[2] = 1.0 / a
        slopes[3] = -1.0 / below
        z = np.log(a / below) + shape * slopes[0]
        small = np.exp(-np.abs(z))
        one = 1.0 + small
        value += float(weight @ (np.maximum(z, 0.0) + np.log(one)))
        dropped = weight * np.where(z > 0, 1.0, small) / one
        mixed = dropped @ slopes[1]
        hessian[0, 1] += mixed
        hessian[1, 0] += mixed
        hessian[1, 1] -= (dropped * shape) @ (squared[now] - squared[then])
        hessian[2, 2] -= dropped.sum() / (a * a)
        hessian[3, 3] += dropped @ (slopes[3] * slopes[3])
        slopes[1] *= shape
        gradient += slopes @ dropped
        hessian += (slopes * (weight * small / (one * one))) @ slopes.T
    return value, gradient, hessian
