"""The fast posterior: draws from an approximation at the mode, reweighted to the exact one.

The proposal is a multivariate t at the mode, scaled by the inverse curvature. Importance weights
over the exact log posterior are Pareto-smoothed (Vehtari et al. 2024, Journal of Machine Learning
Research 25(72)); where the shape k̂ of their tail exceeds 0.7 the proposal is moved to the weighted
moments of the round before and drawn anew. The result is resampled to equally weighted draws.
Memory does not depend on the number of customers.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaln, logsumexp

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lifestage.core.typing import Floats
    from lifestage.fitting.mle import Objective

__all__ = ["Sample", "proper", "sample"]


DEGREES = 8.0
"""Degrees of freedom of the proposal: heavier tails than any log-concave posterior, at a loss of
few draws."""

PROPOSALS, FEWEST = 2, 200
"""Proposals for each draw that is wanted, and in all at least: fewer do not show the tail of their
weights."""

RELIABLE = 0.7
"""Pareto k̂ beyond which importance weights are not to be trusted."""

ROUNDS = 3
"""Proposals tried at most; each is moved to the weighted moments of the one before."""

WIDEST = 4.0
"""Standard deviation of a log parameter in directions that the data do not determine."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Draws of theta, the Pareto k̂ of their weights, and the effective share of the proposals."""

    theta: Floats
    pareto_k: float
    efficiency: float
    rounds: int


def sample(density: Objective, mode: Floats, covariance: Floats, draws: int, seed: int) -> Sample:
    """Draw *draws* values of theta from the posterior whose log density is *density*.

    Parameters
    ----------
    density : callable
        theta → (log posterior, gradient).
    mode : array, shape (k,)
    covariance : array, shape (k, k)
        Inverse curvature at the mode.
    """
    rng = np.random.default_rng(seed)
    center, spread = mode, proper(covariance)
    rounds = 0
    while True:
        rounds += 1
        theta, log_proposal = _propose(rng, center, spread, max(PROPOSALS * draws, FEWEST))
        with ThreadPoolExecutor() as pool:  # the kernels release the lock
            log_posterior = np.array(list(pool.map(lambda at: density(at)[0], theta)))
        log_ratio = np.where(np.isfinite(log_posterior), log_posterior - log_proposal, -np.inf)
        log_weights, pareto_k = _smooth(log_ratio)
        weights = np.exp(log_weights)
        if pareto_k <= RELIABLE or rounds == ROUNDS:
            break
        center = weights @ theta
        spread = proper((theta - center).T @ (weights[:, None] * (theta - center)))
    efficiency = 1.0 / float(np.sum(weights**2)) / weights.size
    return Sample(theta[_resample(rng, weights, draws)], pareto_k, efficiency, rounds)


def proper(covariance: Floats) -> Floats:
    """A positive definite version: directions without information get a wide spread."""
    values, vectors = np.linalg.eigh(covariance)
    wide = np.where(values > 1e-12, np.minimum(values, WIDEST**2), WIDEST**2)
    return np.asarray((vectors * wide) @ vectors.T)


def _propose(
    rng: np.random.Generator, center: Floats, spread: Floats, size: int
) -> tuple[Floats, Floats]:
    """Draws of the multivariate t and their log density."""
    k = center.size
    root = np.linalg.cholesky(spread)
    normal = rng.standard_normal((size, k))
    scale = np.sqrt(DEGREES / rng.chisquare(DEGREES, size))
    distance = np.sum(normal**2, axis=1) * scale**2
    constant = gammaln((DEGREES + k) / 2) - gammaln(DEGREES / 2) - 0.5 * k * np.log(DEGREES * np.pi)
    log_density = (
        constant - np.log(np.diag(root)).sum() - 0.5 * (DEGREES + k) * np.log1p(distance / DEGREES)
    )
    return center + (normal * scale[:, None]) @ root.T, log_density


def _smooth(log_ratio: Floats) -> tuple[Floats, float]:
    """Pareto-smooth importance ratios; return normalised log weights and k̂.

    The library takes the ratios with a minus sign.
    """
    from arviz_stats.base import array_stats  # type: ignore[attr-defined]

    smoothed, pareto_k = array_stats.psislw(log_ratio.max() - log_ratio)
    smoothed = np.asarray(smoothed, float)
    return smoothed - logsumexp(smoothed), float(pareto_k)


def _resample(rng: np.random.Generator, weights: Floats, draws: int) -> NDArray[np.intp]:
    """Systematic resampling: as few repetitions of a proposal as its weight allows."""
    positions = (np.arange(draws) + rng.random()) / draws
    index = np.searchsorted(np.cumsum(weights), positions)
    return rng.permutation(np.minimum(index, weights.size - 1))
