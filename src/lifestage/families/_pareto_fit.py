"""The fit of the Pareto/NBD: initial points, the log-likelihood of a base with its curvature."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

import numpy as np

from lifestage.core.notes import Note
from lifestage.families._pareto_moments import add_dropped
from lifestage.families._rows import moment_start, repeat_notes
from lifestage.numerics import special

if TYPE_CHECKING:
    from lifestage.core.typing import Floats
    from lifestage.families._rows import Rows

__all__ = [
    "identified",
    "initial_points",
    "log_likelihood_with_hessian",
    "total_log_likelihood",
]


DROPOUT_IDENTIFIED = 0.005
"""Below this probability of dropping out while observed the data do not tell leaving customers from
patient ones."""


def initial_points(rows: Rows) -> list[Floats]:
    """Points to begin a search at: r/α matches the purchase rate, r the spread of frequencies."""
    shape, mean, time = moment_start(rows)
    points = (
        (shape, 0.7 * shape * time / mean, 0.6, 0.4 * time),
        (0.5, 0.3 * time, 0.3, 0.3 * time),
        (2.0, time, 1.0, 3.0 * time),
    )
    return [np.array(point) for point in points]


def identified(params: Floats, rows: Rows) -> list[Note]:
    """Notes on what the data cannot determine, none if they determine everything."""
    _, _, s, beta = (float(value) for value in params)
    dropped = rows.per_T @ special.power_survival(s, rows.days / beta)
    dropout = float(dropped / rows.per_T.sum())
    notes = repeat_notes(rows)
    if dropout < DROPOUT_IDENTIFIED:
        text = (
            f"Dropout is not identified (mean probability {dropout:.2%} of dropping out while "
            "observed): P(alive) is near 1 for everyone by construction, so judge customers by "
            "their probability of buying, not by P(alive)."
        )
        notes.append(Note("dropout_not_identified", text, {"dropout": dropout}))
    return notes


def log_likelihood_with_hessian(params: Floats, rows: Rows) -> tuple[float, Floats, Floats]:
    """Log-likelihood of all customers, its exact gradient and Hessian in (r, alpha, s, beta)."""
    r, alpha, s, beta = (float(value) for value in params)
    gradient, hessian = np.zeros(4), np.zeros((4, 4))
    value = add_dropped((r, alpha, s, beta), rows.arrays, gradient, hessian)
    days, customers, repeats = rows.days, rows.per_T, float(rows.x_per_T.sum())
    rate = r + np.arange(rows.more.size)
    shape = r * customers + rows.x_per_T
    log_alpha, log_beta = np.log1p(days / alpha), np.log1p(days / beta)
    share_alpha, share_beta = days / (alpha * (alpha + days)), days / (beta * (beta + days))
    value += float(rows.more @ np.log(rate) - shape @ log_alpha - s * (customers @ log_beta))
    value -= repeats * log(alpha)
    gradient += [
        rows.more @ (1.0 / rate) - customers @ log_alpha,
        shape @ share_alpha - repeats / alpha,
        -(customers @ log_beta),
        s * (customers @ share_beta),
    ]
    hessian[0, 0] -= rows.more @ rate**-2.0
    hessian[0, 1] += customers @ share_alpha
    hessian[1, 1] -= shape @ (share_alpha * (1.0 / alpha + 1.0 / (alpha + days)))
    hessian[1, 1] += repeats / alpha**2
    hessian[2, 3] += customers @ share_beta
    hessian[3, 3] -= s * (customers @ (share_beta * (1.0 / beta + 1.0 / (beta + days))))
    return value, gradient, np.triu(hessian) + np.triu(hessian, 1).T


def total_log_likelihood(params: Floats, rows: Rows) -> tuple[float, Floats]:
    """Sum of the log-likelihood over all customers and its exact gradient.

    Parameters
    ----------
    params : array, shape (4,), in the order of ``PARAMS``
    rows : Rows

    Returns
    -------
    float, array of shape (4,)
    """
    value, gradient, _ = log_likelihood_with_hessian(params, rows)
    return value, gradient
