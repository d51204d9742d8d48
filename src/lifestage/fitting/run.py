"""One fit, whatever the family: from rows, units and settings to a posterior with its status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.core.errors import ConfigError
from lifestage.core.notes import Note
from lifestage.fitting.mle import Objective, Optimum, curved_density, log_density, maximise
from lifestage.fitting.posterior import Posterior, Status
from lifestage.fitting.priors import choose, log_prior

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType

    from lifestage.core.typing import Floats

__all__ = ["METHODS", "Settings", "fit"]


METHODS = ("mle", "map", "laplace", "nuts")
SAMPLE = 20_000
"""Distinct rows that the search for the mode looks at, at least; the last steps look at all."""
UNRELIABLE = 0.7
"""Pareto k̂ of importance weights from which the fast posterior is called into question."""
UNMIXED = 1.01
"""R̂ from which the chains of the sampler are not taken to have found the same posterior."""


@dataclass(frozen=True)
class Settings:
    """How to fit: the method, and for methods that draw how many draws and from what seed; checked when made."""

    method: str = "mle"
    draws: int = 1000
    seed: int = 0
    chains: int = 4
    tune: int = 1000
    progress: bool = False
    priors: Mapping[str, Any] | None = None
    start: Mapping[str, Mapping[str, float]] | None = None
    """By family, the parameters at which to begin in place of its own starts."""

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ConfigError(f"method must be one of {', '.join(METHODS)}; got {self.method!r}")
        if self.priors and self.method == "mle":
            raise ConfigError(
                'expected method="map", "laplace" or "nuts" with priors; maximum likelihood has'
                " none"
            )
        for name, least in {
            "draws": 4 if self.method == "nuts" else 2,
            "chains": 1,
            "tune": 50,
        }.items():
            if getattr(self, name) < least:
                raise ConfigError(f"{name} must be {least} or more; got {getattr(self, name)}")


def fit(
    kind: str,
    name: str,
    module: ModuleType,
    columns: tuple[Floats, ...],
    units: Floats,
    n: float,
    settings: Settings,
    notes: Callable[[Mapping[str, float]], list[Note]],
    *,
    rows_in: Floats | None = None,
    constant: float = 0.0,
) -> Posterior:
    """Maximise, draw if the method draws, and put the result together with its diagnostics and status.

    Rows may be given in other units than the data, so that no number is of an extreme size:
    *rows_in* are the units of the parameters on these rows (*units* if left out), and *constant* is
    added to their log-likelihood.
    """
    inner = units if rows_in is None else rows_in
    laws = {} if settings.method == "mle" else choose(settings.priors)[kind]
    prior = log_prior(kind, laws, units) if laws else None
    rows = module.rows(*columns)
    curved = curved_density(
        lambda params: module.log_likelihood_with_hessian(params, rows), inner, prior
    )
    coarse, every = None, columns[0].size // SAMPLE
    if every > 1:  # search a sample of the rows, each standing for the ones left out
        sample = module.rows(
            *(column[::every] for column in columns[:-1]), columns[-1][::every] * float(every)
        )
        coarse = curved_density(
            lambda params: module.log_likelihood_with_hessian(params, sample), inner, prior
        )
    known = (settings.start or {}).get(name)
    best = None
    if known is not None:
        best = maximise(
            curved, [np.log(np.array([known[p] for p in module.PARAMS]) / units)], n, coarse=coarse
        )
    if best is None or not best.converged:
        best = maximise(
            curved,
            [np.log(start / inner) for start in module.initial_points(rows)],
            n,
            coarse=coarse,
        )
    density = log_density(lambda params: module.total_log_likelihood(params, rows), inner, prior)
    theta, extra = _draws(density, best, settings)
    params = units * np.exp(theta)
    likelihood = best.density + constant - (0.0 if prior is None else prior(best.theta)[0])
    k = len(module.PARAMS)
    diagnostics = {
        "log_likelihood": likelihood,
        "observations": n,
        "aic": 2 * k - 2 * likelihood,
        "bic": k * float(np.log(n)) - 2 * likelihood,
        "gradient": best.gradient,
        "undetermined": [module.PARAMS[i] for i in sorted({*best.at_bound, *best.flat})],
        "units": units.tolist(),
        **extra,
    }
    point = dict(zip(module.PARAMS, params.mean(axis=0).tolist(), strict=True))
    found = [*notes(point), *_fit_notes(name, module, best, diagnostics)]
    return Posterior(
        family=name,
        method=settings.method,
        draws={
            p: np.ascontiguousarray(values)
            for p, values in zip(module.PARAMS, params.T, strict=True)
        },
        status=Status(best.converged, tuple(found)),
        covariance=best.covariance,
        diagnostics=diagnostics,
        priors=laws,
    )


def _draws(density: Objective, best: Optimum, settings: Settings) -> tuple[Floats, dict[str, Any]]:
    """Draws of theta, shape (draws, k), and what the method says of them."""
    if settings.method in ("mle", "map"):
        return best.theta[None, :], {}
    how = density, best.theta, best.covariance, settings.draws, settings.seed
    if settings.method == "laplace":
        from lifestage.fitting import laplace

        result = laplace.sample(*how)
        return result.theta, {
            "pareto_k": result.pareto_k,
            "ess_share": result.efficiency,
            "rounds": result.rounds,
        }
    from lifestage.fitting import nuts

    run = nuts.sample(*how, chains=settings.chains, tune=settings.tune, progress=settings.progress)
    extra = {
        "chains": settings.chains,
        "tune": settings.tune,
        "divergences": int(run.diverging.sum()),
        "divergent": np.flatnonzero(run.diverging).tolist(),
        "r_hat": run.r_hat,
        "ess_bulk": run.ess_bulk,
        "ess_tail": run.ess_tail,
    }
    return run.theta.reshape(-1, best.theta.size), extra


def _fit_notes(
    name: str, module: ModuleType, best: Optimum, diagnostics: Mapping[str, Any]
) -> list[Note]:
    """Notes on the fit itself: bounds, flat directions, importance weights, chains."""
    notes = []
    for i in best.at_bound:
        text = (
            f"Parameter {module.PARAMS[i]} of {name} ran to its bound: the data do not"
            " determine it."
        )
        notes.append(Note("at_bound", text, {"parameter": module.PARAMS[i], "family": name}))
    if best.flat:
        flat = ", ".join(module.PARAMS[i] for i in best.flat)
        text = (
            f"The data do not determine {flat} of {name} separately: they have no standard errors."
        )
        notes.append(Note("flat", text, {"parameters": flat, "family": name}))
    pareto_k = diagnostics.get("pareto_k", 0.0)
    if pareto_k > UNRELIABLE:
        text = (
            f"The fast posterior of {name} is not reliable (Pareto k {pareto_k:.2f} > 0.7): use"
            ' method="nuts".'
        )
        notes.append(Note("unreliable_draws", text, {"pareto_k": pareto_k, "family": name}))
    r_hat, divergences = diagnostics.get("r_hat", 1.0), diagnostics.get("divergences", 0)
    if r_hat > UNMIXED or divergences > 0:
        text = (
            f"The chains of {name} may not have found the whole posterior (R-hat {r_hat:.3f},"
            f" {divergences} divergent transitions): raise tune and draws."
        )
        notes.append(
            Note(
                "chains_unmixed", text, {"r_hat": r_hat, "divergences": divergences, "family": name}
            )
        )
    return notes
