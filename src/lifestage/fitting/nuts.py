"""Draws by the No-U-Turn sampler: slower than the fast posterior, right for any shape of it.

nutpie calls the same compiled log posterior and exact gradient as every other method, over distinct
rows and weights; no graph is built or compiled. The chains run on z, theta = mode + L·z with L·Lᵀ
the inverse curvature at the mode: a linear change of variables, so exact, in which a posterior near
normal is near standard normal. They start at random points about the mode.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lifestage.fitting.laplace import proper

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from lifestage.core.typing import Floats
    from lifestage.fitting.mle import Objective

__all__ = ["ChainOptions", "Chains", "sample"]


@dataclass(frozen=True, eq=False)
class Chains:
    """Draws of theta of shape (chains, draws, k) and their diagnostics.

    Attributes
    ----------
    theta : array, shape (chains, draws, k)
    diverging : array of bool, shape (chains, draws)
        Transitions that left the surface of constant energy: the sampler may have missed a corner
        of the posterior.
    r_hat, ess_bulk, ess_tail : float
        The largest split-R̂ and the smallest effective sample sizes over the parameters (Vehtari et
        al. 2021, Bayesian Analysis 16(2)).
    """

    theta: Floats
    diverging: NDArray[np.bool_]
    r_hat: float
    ess_bulk: float
    ess_tail: float


class ChainOptions(NamedTuple):
    """Number of chains, tuning draws of each, and whether to show progress."""

    chains: int = 4
    tune: int = 1000
    progress: bool = False


def sample(
    density: Objective,
    mode: Floats,
    covariance: Floats,
    draws: int,
    seed: int,
    options: ChainOptions,
) -> Chains:
    """Draw theta from the posterior whose log density is *density*.

    Parameters
    ----------
    density : callable
        theta → (log posterior, gradient).
    mode : array, shape (k,)
    covariance : array, shape (k, k)
        Inverse curvature at the mode.
    draws : int
        Kept of each chain.
    options : ChainOptions
    """
    import nutpie
    from nutpie.compiled_pyfunc import from_pyfunc

    k = mode.size
    root = np.linalg.cholesky(proper(covariance))

    def start(chain_seed: int) -> Floats:
        return np.random.default_rng(chain_seed).uniform(-1.0, 1.0, k)

    compiled = from_pyfunc(
        ndim=k,
        make_logp_fn=lambda: _whitened(density, mode, root),
        make_expand_fn=lambda *_: lambda z: {"theta": mode + root @ z},
        expanded_dtypes=[np.dtype(np.float64)],
        expanded_shapes=[(k,)],
        expanded_names=["theta"],
        make_initial_point_fn=start,
    )
    trace = nutpie.sample(
        compiled,
        draws=draws,
        tune=options.tune,
        chains=options.chains,
        seed=seed,
        save_warmup=False,
        progress_bar=options.progress,
    )
    theta = np.asarray(trace["posterior"]["theta"], float)
    return Chains(theta, np.asarray(trace["sample_stats"]["diverging"], bool), *_diagnose(theta))


def _whitened(
    density: Objective, mode: Floats, root: Floats
) -> Callable[[Floats], tuple[float, Floats]]:
    """The log density of z and its gradient; minus infinity where they are not finite."""

    def logp(z: Floats) -> tuple[float, Floats]:
        with np.errstate(all="ignore"):
            try:
                value, gradient = density(mode + root @ z)
            except ArithmeticError:
                value, gradient = -np.inf, np.zeros(z.size)
        slope = root.T @ gradient
        if np.isfinite(value) and np.isfinite(slope).all():
            return float(value), slope
        return -np.inf, np.zeros(z.size)

    return logp


def _diagnose(theta: Floats) -> tuple[float, float, float]:
    """The largest R̂ and the smallest bulk and tail sample sizes over the parameters."""
    from arviz_stats.base import array_stats  # type: ignore[attr-defined]

    columns = np.moveaxis(theta, -1, 0)
    r_hat = max(float(array_stats.rhat(column)) for column in columns)
    bulk = min(float(array_stats.ess(column, method="bulk")) for column in columns)
    tail = min(
        float(array_stats.ess(column, method="tail", prob=(0.05, 0.95))) for column in columns
    )
    return r_hat, bulk, tail
