"""Maximum likelihood and maximum a posteriori: exact derivatives, several starts, Newton steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lifestage.core.typing import Floats

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lifestage.fitting.priors import LogPrior

__all__ = ["Curved", "Objective", "Optimum", "curved_density", "log_density", "maximise"]

Objective = Callable[[Floats], tuple[float, Floats]]
Curved = Callable[[Floats], tuple[float, Floats, Floats]]

BOUND = np.log(1e6)
"""Scaled parameters stay within [1e-6, 1e6]; one that ends there is reported as at its bound."""

BESIDE = 0.01
"""A scaled parameter this near to a bound (on the log scale) that is pulled to it is put there."""

FLAT = 0.01
"""Curvature (inverse variance of a log parameter) below which the data do not determine a
direction."""

NEWTON_STEPS = 50

NEAR, DECREMENT, ROUNDING = 1e-2, 1e-8, 1e-14
"""A Newton step that would raise the log-likelihood by less is the last of a search, and of the
finish: what is then left is its square. The last is the rounding error of a log-likelihood, as a
share of it."""


@dataclass(frozen=True, eq=False)
class Optimum:
    """The best point found, on the log scale of scaled parameters."""

    theta: Floats
    density: float
    covariance: Floats
    gradient: float
    converged: bool
    at_bound: tuple[int, ...]
    flat: tuple[int, ...]


def log_density(log_likelihood: Objective, units: Floats, prior: LogPrior | None) -> Objective:
    """Log-likelihood (+ log prior) and its gradient, as a function of theta.

    Parameters
    ----------
    log_likelihood : callable
        Natural parameters → (value, gradient).
    units : array
        The unit of each parameter (mean time, mean spend, or 1); theta = ln(parameter / unit) is
        free of units, so nothing that works on theta depends on them.
    prior : callable or None
        theta → (log density, gradient).
    """

    def density(theta: Floats) -> tuple[float, Floats]:
        params = units * np.exp(theta)
        value, gradient = log_likelihood(params)
        gradient = gradient * params
        if prior is not None:
            extra, slope = prior(theta)
            value, gradient = value + extra, gradient + slope
        return value, gradient

    return density


def curved_density(
    log_likelihood_with_hessian: Curved, units: Floats, prior: LogPrior | None
) -> Curved:
    """Return the same as :func:`log_density`, with the Hessian as the third."""

    def density(theta: Floats) -> tuple[float, Floats, Floats]:
        params = units * np.exp(theta)
        value, gradient, hessian = log_likelihood_with_hessian(params)
        gradient = gradient * params
        hessian = hessian * np.outer(params, params) + np.diag(gradient)
        if prior is not None:
            extra, slope = prior(theta)
            value, gradient = value + extra, gradient + slope
            hessian = hessian + _differences(lambda at: prior(at)[1], theta)
        return value, gradient, hessian

    return density


def _differences(gradient: Callable[[Floats], Floats], theta: Floats, step: float = 1e-4) -> Floats:
    """A Hessian by central differences of the exact gradient, made symmetric."""
    moves = step * np.eye(theta.size)
    columns = [gradient(theta + move) - gradient(theta - move) for move in moves]
    hessian = np.array(columns) / (2 * step)
    return np.asarray(0.5 * (hessian + hessian.T))


def maximise(
    density: Curved, starts: list[Floats], observations: float, *, coarse: Curved | None = None
) -> Optimum:
    """Maximise a log density of theta: Newton steps from each start, and on from the best.

    Parameters
    ----------
    density : callable
        theta → (value, gradient, Hessian); see :func:`curved_density`.
    starts : list of arrays
        Values of theta.
    observations : float
        Customers behind the likelihood.
    coarse : callable, optional
        A cheaper density of nearly the same mode, such as that of a sample, to search instead.
    """
    search = density if coarse is None else coarse
    modes = [_newton(search, np.clip(start, -BOUND, BOUND), NEAR)[0] for start in starts]
    best = modes[0] if len(modes) == 1 else max(modes, key=lambda at: search(at)[0])
    theta, decrement = _newton(density, best, DECREMENT)
    free = np.abs(theta) < BOUND - 1e-6
    value, gradient, hessian = density(theta)
    covariance, flat = _covariance(-hessian, free)
    worst = float(np.abs(gradient[free]).max(initial=0.0)) / observations
    return Optimum(
        theta=theta,
        density=value,
        covariance=covariance,
        gradient=worst,
        converged=bool(np.isfinite(value)) and (decrement < 1e-6 or worst < 1e-7),
        at_bound=tuple(int(i) for i in np.flatnonzero(~free)),
        flat=flat,
    )


def _covariance(curvature: Floats, free: NDArray[np.bool_]) -> tuple[Floats, tuple[int, ...]]:
    """Invert the curvature where the data determine it; also return what is in flat directions.

    A flat direction carries less curvature than a hundredth of one observation: its standard error
    would exceed a factor of e^10. What the data do determine keeps its covariance, so predictions
    keep their intervals.
    """
    rows = np.flatnonzero(free)
    covariance = np.zeros(curvature.shape)
    values, vectors = np.linalg.eigh(curvature[np.ix_(rows, rows)])
    determined = values > FLAT
    part = vectors[:, determined]
    covariance[np.ix_(rows, rows)] = (part / values[determined]) @ part.T
    loaded = np.abs(vectors[:, ~determined]).max(axis=1, initial=0.0) > 0.05
    return covariance, tuple(int(i) for i in rows[loaded])


def _newton(density: Curved, theta: Floats, enough: float) -> tuple[Floats, float]:
    """Damped Newton steps inside the bounds until one would gain less than *enough*.

    Returns the point and that gain.
    """
    decrement = np.inf
    value, gradient, hessian = density(theta)
    for _ in range(NEWTON_STEPS):
        distance = BOUND - np.abs(theta)
        close = (distance > 0) & (distance < BESIDE) & (theta * gradient > 0)
        # else steps along a ridge shorten without an end where one parameter meets its bound
        if close.any():
            theta = np.where(close, np.copysign(BOUND, theta), theta)
            value, gradient, hessian = density(theta)
        # at a bound, free only if it pulls inwards
        free = (np.abs(theta) < BOUND - 1e-6) | (theta * gradient < 0)
        if not free.any():
            return theta, 0.0
        values, vectors = np.linalg.eigh(-hessian[np.ix_(free, free)])
        values = np.maximum(np.abs(values), 1e-9 * max(1.0, float(np.abs(values).max())))
        step = np.zeros(theta.size)
        step[free] = vectors @ ((vectors.T @ gradient[free]) / values)
        decrement = float(gradient @ step)
        # a rise below the rounding error cannot be seen in a long sum
        if decrement < max(enough, ROUNDING * abs(value)):
            return np.clip(theta + step, -BOUND, BOUND), decrement
        step *= min(1.0, 2.0 / float(np.abs(step).max()))
        while True:
            trial = np.clip(theta + step, -BOUND, BOUND)
            higher, *slopes = density(trial)
            if higher > value:
                break
            step *= 0.5
            if np.abs(step).max() < 1e-12:
                return theta, decrement
        theta, value, (gradient, hessian) = trial, higher, slopes
    return theta, decrement
