"""What a fit of the Pareto/NBD asks for: starting points, the log-likelihood of a base with its curvature, notes."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

import numpy as np

from lifestage.core.notes import Note
from lifestage.families._pareto_moments import add_dropped
from lifestage.numerics import special

if TYPE_CHECKING:
    from lifestage.core.typing import Floats
    from lifestage.families._beta_geometric import Rows

__all__ = [
    "identified",
    "initial_points",
    "log_likelihood_with_hessian",
    "total_log_likelihood",
]


FEW_REPEATERS = 30
DROPOUT_IDENTIFIED = 0.005
"""Below this probability of dropping out while observed the data do not tell leaving customers from patient ones."""


def initial_points(rows: Rows) -> list[Floats]:
    """Points to begin a search at: r/α matches the purchase rate, r the spread of frequencies."""
    n = rows.per_frequency
    mean = max(float(n @ rows.frequency) / n.sum(), 1e-3)
    variance = float(n @ (rows.frequency - mean) ** 2) / n.sum()
    time = float(rows.per_T @ rows.days) / n.sum()
    shape = float(np.clip(mean * mean / max(variance - mean, 0.1 * mean), 0.05, 20.0))
    points = (
        (shape, 0.7 * shape * time / mean, 0.6, 0.4 * time),
        (0.5, 0.3 * time, 0.3, 0.3 * time),
        (2.0, time, 1.0, 3.0 * time),
    )
    return [np.array(point) for point in points]


def identified(params: Floats, rows: Rows) -> list[Note]:
    """Notes on what the data cannot determine, none if they determine everything."""
    _, _, s, beta = (float(value) for value in params)
    repeaters = float(rows.weight[rows.x > 0].sum())
    dropped = rows.per_T @ special.power_survival(s, rows.days / beta)
    dropout = float(dropped / rows.per_T.sum())
    notes = []
    if repeaters == 0:
        text = (
            "Nobody bought twice: the rate and the dropout are not identified, and predictions are"
            " near zero."
        )
        notes.append(Note("no_repeaters", text))
    elif repeaters < FEW_REPEATERS:
        text = f"Only {repeaters:.0f} repeat buyers: the parameters are poorly determined."
        notes.append(Note("few_repeaters", text, {"repeaters": int(repeaters)}))
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
    occurring, bounds = rows.occurring
    value = add_dropped(
        r, alpha, s, beta, rows.frequency, rows.days, occurring, bounds, rows.start, rows.stop, rows.at_T, rows.at_t_x,
        np.ascontiguousarray(rows.weight), gradient, hessian,
    )  # fmt: skip
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
