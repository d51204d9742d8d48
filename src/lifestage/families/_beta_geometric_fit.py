"""The log-likelihood of a whole base under the BG/NBD and MBG/NBD with its gradient, compiled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from lifestage.core.notes import Note
from lifestage.families._rows import moment_start, repeat_notes

if TYPE_CHECKING:
    from lifestage.core.typing import Floats
    from lifestage.families._rows import Rows

__all__ = ["identified", "initial_points", "total_log_likelihood"]

DROPOUT_IDENTIFIED = 0.005
"""Below this mean dropout probability a/(a + b) the data do not tell leaving customers from patient
ones."""

LARGE = 1e60
"""Odds, and products of 1 + odds, beyond which logarithms are taken one by one: three of them do
not overflow."""


@numba.njit(cache=True, nogil=True)
def _dropped_sums(r, alpha, odds, log_odds, x, rows, dropped):  # type: ignore[no-untyped-def]
    """Sum over rows of w·ln(1 + e^z) and its slopes in r and α.

    z = ln odds + (r + x)·ln((α + T)/(α + t_x)). Rows are sorted by frequency. ((α + day)/(α +
    middle))^(r + x) takes as many values as a frequency has distinct days, so rows need no
    exponential, and the logarithm is taken of products of rows. *dropped* collects w·P(dropped out)
    by frequency.
    """
    total, by_r, by_alpha = 0.0, 0.0, 0.0
    days, occurring, bounds = rows.days, rows.occurring, rows.bounds
    start, stop, at_T, at_t_x, weight = rows.start, rows.stop, rows.at_T, rows.at_t_x, rows.weight
    log_days = np.log(alpha + days)
    middle = 0.5 * (log_days[0] + log_days[-1])
    power, inverse_power, inverse = np.empty(days.size), np.empty(days.size), 1.0 / (alpha + days)
    for f in range(x.size):
        if log_odds[f] == -np.inf:
            continue
        shape = r + x[f]
        near = shape * (log_days[-1] - log_days[0]) < 600.0
        if near:
            for k in range(bounds[f], bounds[f + 1]):
                power[occurring[k]] = np.exp(shape * (log_days[occurring[k]] - middle))
                inverse_power[occurring[k]] = 1.0 / power[occurring[k]]
        product, gone_here, by_shape, by_time = 1.0, 0.0, 0.0, 0.0
        for i in range(start[f], stop[f]):
            now, then, w = at_T[i], at_t_x[i], weight[i]
            spread = log_days[now] - log_days[then]
            grown = odds[f] * power[now] * inverse_power[then] if near else np.inf
            if grown < LARGE:
                one = 1.0 + grown
                gone = w * grown / one
                if w == 1.0:
                    product *= one
                elif w == 2.0:
                    product *= one * one
                else:
                    total += w * np.log(one)
                if product > LARGE:
                    total += np.log(product)
                    product = 1.0
            else:
                z = log_odds[f] + shape * spread
                total += w * (max(z, 0.0) + np.log1p(np.exp(-abs(z))))
                gone = w / (1.0 + np.exp(-z))
            gone_here += gone
            by_shape += gone * spread
            by_time += gone * (inverse[now] - inverse[then])
        total += np.log(product)
        by_r += by_shape
        by_alpha += shape * by_time
        dropped[f] = gone_here
    return total, by_r, by_alpha


@numba.njit(cache=True, nogil=True)
def _rising(r, a, b, more, survivors):  # type: ignore[no-untyped-def]
    """Σ over customers of ln Γ(r + x)/Γ(r) + ln B(a, b + s)/B(a, b), and its slopes.

    s counts the dropouts survived. Both are sums of logarithms over whole steps: ln(r + i) for
    every customer with x > i (*more*), and ln(b + i) − ln(a + b + i) for every one with s > i
    (*survivors*).
    """
    total, by_r, by_a, by_b = 0.0, 0.0, 0.0, 0.0
    for i in range(more.size):
        total += more[i] * np.log(r + i)
        by_r += more[i] / (r + i)
    for i in range(survivors.size):
        total -= survivors[i] * np.log1p(a / (b + i))
        by_a -= survivors[i] / (a + b + i)
        by_b += survivors[i] * (1.0 / (b + i) - 1.0 / (a + b + i))
    return total, by_r, by_a, by_b


def total_log_likelihood(params: Floats, rows: Rows, first_dropout: bool) -> tuple[float, Floats]:
    """Log-likelihood of all customers and its exact gradient in (r, alpha, a, b)."""
    r, alpha, a, b = (float(v) for v in params)
    x, customers = rows.frequency, float(rows.per_frequency.sum())
    if first_dropout:
        below, survivors = b + x, np.concatenate([[customers], rows.more])
    else:
        below, survivors = np.where(x > 0, b + x - 1.0, np.inf), rows.more
    with np.errstate(divide="ignore"):
        log_odds = np.log(a) - np.log(below)
    dropped = np.zeros(x.size)
    mixture, by_r, by_alpha = _dropped_sums(r, alpha, a / below, log_odds, x, rows.arrays, dropped)
    log_time, shape = np.log1p(rows.days / alpha), r * rows.per_T + rows.x_per_T
    rising, rising_r, rising_a, rising_b = _rising(r, a, b, rows.more, survivors)
    repeats = float(rows.x_per_T.sum())
    total = mixture + rising - shape @ log_time - repeats * np.log(alpha)
    gradient = np.array(
        [
            by_r + rising_r - rows.per_T @ log_time,
            by_alpha + shape @ (rows.days / (alpha * (alpha + rows.days))) - repeats / alpha,
            rising_a + dropped.sum() / a,
            rising_b - dropped @ (1.0 / below),
        ]
    )
    return float(total), gradient


def initial_points(rows: Rows) -> list[Floats]:
    """Points to begin a search at: r/α matches the purchase rate, r the spread of frequencies."""
    shape, mean, time = moment_start(rows)
    alpha = shape * time / mean
    points = (
        (shape, 0.7 * alpha, 0.8, 2.5),
        (0.5, 0.3 * time, 0.3, 3.0),
        (2.0, time, 1.0, 10.0),
    )
    return [np.array(point) for point in points]


def identified(params: Floats, rows: Rows, first_dropout: bool) -> list[Note]:
    """Notes on what the data cannot determine, and on what the model assumes."""
    notes = repeat_notes(rows)
    _, _, a, b = (float(value) for value in params)
    dropout = a / (a + b)
    if dropout < DROPOUT_IDENTIFIED:
        text = (
            f"Dropout is not identified (mean dropout probability {dropout:.2%} after a purchase):"
            " P(alive) is near 1 for everyone by construction, so judge customers by their"
            " probability of buying, not by P(alive)."
        )
        notes.append(Note("dropout_not_identified", text, {"dropout": dropout}))
    if not first_dropout:
        text = "BG/NBD sets P(alive) = 1 for one-time buyers by assumption; MBG/NBD does not."
        notes.append(Note("alive_by_assumption", text))
    return notes
