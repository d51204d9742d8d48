"""One fit, whatever the family: from rows, units and settings to a posterior with its status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.core.notes import Note
from lifestage.fitting.mle import Objective, Optimum, curved_density, log_density, maximise
from lifestage.fitting.posterior import Posterior, Status
from lifestage.fitting.priors import choose_priors, log_prior

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from lifestage.core.typing import Floats
    from lifestage.fitting.mle import Curved
    from lifestage.fitting.priors import LogPrior
    from lifestage.fitting.settings import Settings

__all__ = ["Observations", "fit"]


ROWS_SEARCHED = 20_000
"""Distinct rows that the search for the mode looks at, at least; the last steps look at all."""

UNRELIABLE_PARETO_K = 0.7
"""Pareto k̂ of importance weights from which the fast posterior is called into question."""

UNMIXED_R_HAT = 1.01
"""R̂ from which the chains of the sampler are not taken to have found the same posterior."""


@dataclass(frozen=True, eq=False)
class Observations:
    """Distinct rows of a customer base, as a family takes them.

    Attributes
    ----------
    columns : tuple of arrays, shape (n,)
        The weight is the last.
    count : float
        Customers behind the rows.
    units : array, shape (k,)
        Unit of each parameter (mean time, mean spend, or 1), on which priors are set.
    row_units : array, shape (k,)
        Unit of each parameter on these rows: *units* where the rows are in the units of the data, 1
        where they are in those of the fit, so that no number is of an extreme size.
    constant : float
        What the log-likelihood of rows in other units lacks.
    notes : tuple of Note
    """

    columns: tuple[Floats, ...]
    count: float
    units: Floats
    row_units: Floats
    constant: float = 0.0
    notes: tuple[Note, ...] = ()


def fit(name: str, module: ModuleType, observations: Observations, settings: Settings) -> Posterior:
    """Maximise, draw if the method draws, and return the result with its diagnostics and status."""
    priors, prior = {}, None
    if settings.method != "mle":
        priors = choose_priors(module, settings.priors)
        prior = log_prior(module, priors, observations.units)
    rows, row_units = module.rows(*observations.columns), observations.row_units
    best = _find_mode(name, module, rows, observations, settings, prior)
    density = log_density(
        lambda params: module.total_log_likelihood(params, rows), row_units, prior
    )
    theta, method_diagnostics = _draws(density, best, settings)
    params = observations.units * np.exp(theta)
    likelihood = best.density + observations.constant
    likelihood -= 0.0 if prior is None else prior(best.theta)[0]
    k, n = len(module.PARAMS), observations.count
    undetermined = sorted({*best.at_bound, *best.flat})
    diagnostics = {
        "log_likelihood": likelihood,
        "observations": n,
        "aic": 2 * k - 2 * likelihood,
        "bic": k * float(np.log(n)) - 2 * likelihood,
        "gradient": best.gradient,
        "undetermined": [module.PARAMS[i] for i in undetermined],
        "units": observations.units.tolist(),
        **method_diagnostics,
    }
    notes = [*observations.notes, *module.identified(params.mean(axis=0), rows)]
    notes += _mode_notes(name, module, best) + _draw_notes(name, diagnostics)
    columns = np.ascontiguousarray(params.T)
    return Posterior(
        family=name,
        method=settings.method,
        draws=dict(zip(module.PARAMS, columns, strict=True)),
        status=Status(best.converged, tuple(notes)),
        covariance=best.covariance,
        diagnostics=diagnostics,
        priors=priors,
    )


def _find_mode(
    name: str,
    module: ModuleType,
    rows: Any,
    observations: Observations,
    settings: Settings,
    prior: LogPrior | None,
) -> Optimum:
    """Search the mode from the known start, or without one or if that fails from all points."""

    def density_of(some: Any) -> Curved:
        return curved_density(
            lambda params: module.log_likelihood_with_hessian(params, some),
            observations.row_units,
            prior,
        )

    *columns, weight = observations.columns
    coarse, every = None, weight.size // ROWS_SEARCHED
    if every > 1:  # search a sample of the rows, each standing for the ones left out
        thinned = [column[::every] for column in columns]
        coarse = density_of(module.rows(*thinned, weight[::every] * float(every)))
    curved = density_of(rows)
    start = (settings.start or {}).get(name)
    if start is not None:
        point = np.array([start[param] for param in module.PARAMS])
        at = np.log(point / observations.units)
        best = maximise(curved, [at], observations.count, coarse=coarse)
        if best.converged:
            return best
    points = [np.log(point / observations.row_units) for point in module.initial_points(rows)]
    return maximise(curved, points, observations.count, coarse=coarse)


def _draws(density: Objective, best: Optimum, settings: Settings) -> tuple[Floats, dict[str, Any]]:
    """Draws of theta, shape (draws, k), and the diagnostics of the method."""
    if settings.method in ("mle", "map"):
        return best.theta[None, :], {}
    arguments = density, best.theta, best.covariance, settings.draws, settings.seed
    if settings.method == "laplace":
        from lifestage.fitting import laplace

        result = laplace.sample(*arguments)
        return result.theta, {
            "pareto_k": result.pareto_k,
            "ess_share": result.efficiency,
            "rounds": result.rounds,
        }
    from lifestage.fitting import nuts

    options = nuts.ChainOptions(settings.chains, settings.tune, settings.progress)
    run = nuts.sample(*arguments, options)
    diagnostics = {
        "chains": settings.chains,
        "tune": settings.tune,
        "divergences": int(run.diverging.sum()),
        "divergent": np.flatnonzero(run.diverging).tolist(),
        "r_hat": run.r_hat,
        "ess_bulk": run.ess_bulk,
        "ess_tail": run.ess_tail,
    }
    return run.theta.reshape(-1, best.theta.size), diagnostics


def _mode_notes(name: str, module: ModuleType, best: Optimum) -> list[Note]:
    """Notes on bounds and flat directions."""
    notes = []
    for i in best.at_bound:
        param = module.PARAMS[i]
        text = f"Parameter {param} of {name} ran to its bound: the data do not determine it."
        notes.append(Note("at_bound", text, {"parameter": param, "family": name}))
    if best.flat:
        flat = ", ".join(module.PARAMS[i] for i in best.flat)
        text = (
            f"The data do not determine {flat} of {name} separately: they have no standard errors."
        )
        notes.append(Note("flat", text, {"parameters": flat, "family": name}))
    return notes


def _draw_notes(name: str, diagnostics: Mapping[str, Any]) -> list[Note]:
    """Notes on importance weights and chains."""
    notes = []
    pareto_k = diagnostics.get("pareto_k", 0.0)
    if pareto_k > UNRELIABLE_PARETO_K:
        text = (
            f"The fast posterior of {name} is not reliable (Pareto k {pareto_k:.2f} > 0.7): use"
            ' method="nuts".'
        )
        notes.append(Note("unreliable_draws", text, {"pareto_k": pareto_k, "family": name}))
    r_hat, divergences = diagnostics.get("r_hat", 1.0), diagnostics.get("divergences", 0)
    if r_hat > UNMIXED_R_HAT or divergences > 0:
        text = (
            f"The chains of {name} may not have found the whole posterior (R-hat {r_hat:.3f},"
            f" {divergences} divergent transitions): raise tune and draws."
        )
        values = {"r_hat": r_hat, "divergences": divergences, "family": name}
        notes.append(Note("chains_unmixed", text, values))
    return notes
