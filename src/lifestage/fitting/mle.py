"""Maximum likelihood and maximum a posteriori: exact gradient, several starts, a Newton finish, an honest result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from lifestage.fitting.priors import LogPrior

__all__ = ["Objective", "Optimum", "log_density", "maximise"]

Floats = NDArray[np.float64]
Objective = Callable[[Floats], tuple[float, Floats]]

BOUND = np.log(1e6)
"""Scaled parameters stay within [1e-6, 1e6]; one that ends there is reported as being at its bound."""

FLAT = 0.01
"""Curvature (inverse variance of a log parameter) below which a direction counts as not determined by the data."""

NEWTON_STEPS, FORWARD = 30, 1e-5
DECREMENT = 1e-12
"""The finish stops when a Newton step would raise the log-likelihood by less than this."""


@dataclass(frozen=True)
class Optimum:
    """The best point found, on the log scale of scaled parameters."""

    theta: Floats
    density: float
    covariance: Floats
    gradient: float
    converged: bool
    at_bound: tuple[int, ...]
    flat: tuple[int, ...]


def _hessian(gradient: Callable[[Floats], Floats], theta: Floats, step: float = 1e-4) -> Floats:
    """Central differences of the exact gradient, made symmetric."""
    columns = [(gradient(theta + step * e) - gradient(theta - step * e)) / (2 * step) for e in np.eye(theta.size)]
    hessian = np.array(columns)
    return np.asarray(0.5 * (hessian + hessian.T))


def log_density(log_likelihood: Objective, units: Floats, prior: LogPrior | None) -> Objective:
    """Log-likelihood (+ log prior) and its gradient, as a function of theta.

    Parameters
    ----------
    log_likelihood : callable
        Natural parameters → (value, gradient).
    units : array
        The unit of each parameter (mean time, mean spend, or 1); theta = ln(parameter / unit) is free of units, so
        nothing that works on theta depends on them.
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


def maximise(
    density: Objective, starts: list[Floats], observations: float, *, coarse: Objective | None = None
) -> Optimum:
    """Maximise a log density of theta: a truncated Newton search from each start, and Newton steps from the best.

    Parameters
    ----------
    density : callable
        theta → (value, gradient); see :func:`log_density`.
    starts : list of arrays
        Values of theta.
    observations : float
        Customers behind the likelihood.
    coarse : callable, optional
        A cheaper density of nearly the same mode, such as that of a sample, to search instead.
    """
    search = density if coarse is None else coarse

    def objective(theta: Floats) -> tuple[float, Floats]:
        value, gradient = density(theta)
        return -value, -gradient

    def scaled(theta: Floats) -> tuple[float, Floats]:
        value, gradient = search(theta)
        return -value / observations, -gradient / observations

    def slope(theta: Floats) -> Floats:
        return objective(theta)[1]

    bounds = [(-BOUND, BOUND)] * starts[0].size
    runs = [
        minimize(
            scaled,
            np.clip(start, -BOUND, BOUND),
            jac=True,
            method="TNC",
            bounds=bounds,
            options={"maxfun": 500, "ftol": 1e-13, "gtol": 1e-8},
        )
        for start in starts
    ]
    theta = np.asarray(min(runs, key=lambda run: float(run.fun)).x, float)
    theta, decrement = _newton(objective, theta)
    free = np.abs(theta) < BOUND - 1e-6
    value, gradient = objective(theta)
    covariance, flat = _covariance(_hessian(slope, theta), free)
    worst = float(np.abs(gradient[free]).max(initial=0.0)) / observations
    return Optimum(
        theta=theta,
        density=-value,
        covariance=covariance,
        gradient=worst,
        converged=bool(np.isfinite(value)) and (decrement < 1e-6 or worst < 1e-7),
        at_bound=tuple(int(i) for i in np.flatnonzero(~free)),
        flat=flat,
    )


def _covariance(curvature: Floats, free: NDArray[np.bool_]) -> tuple[Floats, tuple[int, ...]]:
    """Invert the curvature where the data determine it; also return the parameters that flat directions run through.

    A flat direction carries less curvature than a hundredth of one observation: its standard error would exceed a
    factor of e^10. What the data do determine keeps its covariance, so predictions keep their intervals.
    """
    rows = np.flatnonzero(free)
    covariance = np.zeros(curvature.shape)
    values, vectors = np.linalg.eigh(curvature[np.ix_(rows, rows)])
    determined = values > FLAT
    part = vectors[:, determined]
    covariance[np.ix_(rows, rows)] = (part / values[determined]) @ part.T
    loaded = np.abs(vectors[:, ~determined]).max(axis=1, initial=0.0) > 0.05
    return covariance, tuple(int(i) for i in rows[loaded])


def _newton(objective: Objective, theta: Floats) -> tuple[Floats, float]:
    """Damped Newton steps inside the bounds; returns the point and the last Newton decrement."""
    decrement = np.inf
    value, gradient = objective(theta)
    for _ in range(NEWTON_STEPS):
        free = (np.abs(theta) < BOUND - 1e-6) | (theta * gradient > 0)  # at a bound, free only if it pulls inwards
        if not free.any():
            return theta, 0.0
        ahead = [(objective(theta + FORWARD * e)[1] - gradient) / FORWARD for e in np.eye(theta.size)[free]]
        curvature = np.array(ahead)[:, free]
        values, vectors = np.linalg.eigh(0.5 * (curvature + curvature.T))
        values = np.maximum(np.abs(values), 1e-9 * max(1.0, float(np.abs(values).max())))
        step = np.zeros(theta.size)
        step[free] = -vectors @ ((vectors.T @ gradient[free]) / values)
        decrement = float(-gradient @ step)
        if decrement < DECREMENT:
            return theta, decrement
        step *= min(1.0, 2.0 / float(np.abs(step).max()))
        while True:
            trial = np.clip(theta + step, -BOUND, BOUND)
            lower, slope = objective(trial)
            if lower < value:
                break
            step *= 0.5
            if np.abs(step).max() < 1e-12:
                return theta, decrement
        theta, value, gradient = trial, lower, slope
    return theta, decrement
