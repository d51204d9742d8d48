"""What a fit of the Pareto/NBD asks for: starting points, the log-likelihood of a base, notes.

One compiled pass over the distinct rows gives the value, the gradient and the Hessian.
"""

from __future__ import annotations

from math import exp, expm1, log, log1p
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from lifestage import special
from lifestage.families._geometric import Rows
from lifestage.families._lomax import NODES, WEIGHTS, WIDTH, time_unit
from lifestage.tables import Note

__all__ = [
    "identified",
    "initial_points",
    "log_likelihood_with_hessian",
    "total_log_likelihood",
]

Floats = NDArray[np.float64]

NEGLIGIBLE = 1e-16
"""Share of the integral so far below which a panel is the last: panels shrink ever faster beyond the peak."""

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
        text = "Nobody bought twice: the rate and the dropout are not identified, and predictions are near zero."
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
    value = _add_dropped(r, alpha, s, beta, rows.x, rows.days, rows.at_T, rows.at_t_x, rows.weight, gradient, hessian)
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


@numba.njit(cache=True, nogil=True)
def _moments(R: Any, S: Any, A: Any, B: Any, w: Any, total: Any) -> Any:
    r"""Sums of products of the four slopes under (1 + u/A)^(-R)·(1 + u/B)^(-S) on (0, w), added up in *total*.

    With q = (ln(1 + u/A), u/(A(A + u)), ln(1 + u/B), u/(B(B + u))), the places of *total* are 1; q; q₂/(A + u);
    q₄/(B + u); and q_i·q_j for i ≤ j.
    """
    total[:] = 0.0
    c = time_unit(R, S, 0.0, A, B)
    end = log1p(w / c)
    panels = int(end / WIDTH) + 1
    half = 0.5 * end / panels
    for k in range(panels):
        before = total[0]
        for i in range(NODES.size):
            v = half * (2 * k + 1 + NODES[i])
            u = c * expm1(v)
            to_A, to_B = 1.0 / (A + u), 1.0 / (B + u)
            log_A, log_B = log1p(u / A), log1p(u / B)
            share_A, share_B = u * to_A / A, u * to_B / B
            weight = WEIGHTS[i] * exp(v - R * log_A - S * log_B)
            by_A, by_share_A, by_B = weight * log_A, weight * share_A, weight * log_B
            by_share_B = weight * share_B
            total[0] += weight
            total[1] += by_A
            total[2] += by_share_A
            total[3] += by_B
            total[4] += by_share_B
            total[5] += by_share_A * to_A
            total[6] += by_share_B * to_B
            total[7] += by_A * log_A
            total[8] += by_A * share_A
            total[9] += by_A * log_B
            total[10] += by_A * share_B
            total[11] += by_share_A * share_A
            total[12] += by_share_A * log_B
            total[13] += by_share_A * share_B
            total[14] += by_B * log_B
            total[15] += by_B * share_B
            total[16] += by_share_B * share_B
        if total[0] - before < NEGLIGIBLE * total[0]:
            break
    return c * half


@numba.njit(cache=True, nogil=True)
def _add_dropped(r, alpha, s, beta, x, days, at_T, at_t_x, weight, gradient, hessian):  # type: ignore[no-untyped-def]
    """Return Σ w·ln(1 + e^z), z the log odds of having dropped out, and add its derivatives (an upper triangle).

    z = ln s + (r + x)·ln((α + T)/A) + s·ln((β + T)/B) + ln ∫₀^(T − t_x) (1 + u/A)^(−r−x)·(1 + u/B)^(−s−1) du/B, with
    A = α + t_x and B = β + t_x. The derivatives of the last term are means and covariances under its integrand.
    With p = 1/(1 + e^−z), those of ln(1 + e^z) are p·z' and p·z'' + p·(1 − p)·z'z'ᵀ.
    """
    value, total, slope, scale = 0.0, np.empty(17), np.empty(4), np.empty(4)
    for i in range(x.size):
        since = days[at_T[i]] - days[at_t_x[i]]
        if since <= 0.0:
            continue
        R, S, A, B = r + x[i], s + 1.0, alpha + days[at_t_x[i]], beta + days[at_t_x[i]]
        unit = _moments(R, S, A, B, since, total)
        z = log(s * unit * total[0] / B) + R * log1p(since / A) + s * log1p(since / B)
        small = exp(-abs(z))
        value += weight[i] * (max(z, 0.0) + log1p(small))
        p = (1.0 if z > 0.0 else small) / (1.0 + small)
        if p == 0.0:
            continue
        w, alive = weight[i] * p, (small if z > 0.0 else 1.0) / (1.0 + small)
        total[1:] /= total[0]
        share_A, share_B = since / (A * (A + since)), since / (B * (B + since))
        slope[0] = log1p(since / A) - total[1]
        slope[1] = R * (total[2] - share_A)
        slope[2] = 1.0 / s + log1p(since / B) - total[3]
        slope[3] = S * total[4] - s * share_B - 1.0 / B
        scale[0], scale[1], scale[2], scale[3] = -1.0, R, -1.0, S
        place = 7
        for j in range(4):
            gradient[j] += w * slope[j]
            for k in range(j, 4):
                covariance = total[place] - total[1 + j] * total[1 + k]
                hessian[j, k] += w * (scale[j] * scale[k] * covariance + alive * slope[j] * slope[k])
                place += 1
        hessian[0, 1] += w * (total[2] - share_A)
        hessian[1, 1] += w * R * (share_A * (1.0 / A + 1.0 / (A + since)) - total[2] / A - total[5])
        hessian[2, 2] -= w / s**2
        hessian[2, 3] += w * (total[4] - share_B)
        hessian[3, 3] += w * (s * share_B * (1.0 / B + 1.0 / (B + since)) + 1.0 / B**2)
        hessian[3, 3] -= w * S * (total[4] / B + total[6])
    return value
