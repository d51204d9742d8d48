"""Fit one family to a compressed base: the purchase rows or the spend rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifestage.errors import ConfigError, DataError
from lifestage.families import PURCHASES, SPEND
from lifestage.fitting.mle import Objective, Optimum, log_density, maximise
from lifestage.fitting.priors import choose, log_prior
from lifestage.posterior import Posterior, Status
from lifestage.tables import Counts, Note

__all__ = ["METHODS", "fit_purchases", "fit_spend"]

Floats = NDArray[np.float64]

METHODS = ("mle", "map", "laplace", "nuts")
MIN_CUSTOMERS, MIN_REPEATERS, MIN_SPENDERS = 100, 30, 30
CORRELATED = 0.3
"""Spearman correlation of spend and frequency from which the spend model's assumption is called into question."""
DROPOUT_IDENTIFIED = 0.005
"""Below this mean dropout chance a/(a + b) the data do not tell leaving customers from patient ones."""


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

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ConfigError(f"method must be one of {', '.join(METHODS)}; got {self.method!r}")
        if self.priors and self.method == "mle":
            raise ConfigError('expected method="map", "laplace" or "nuts" with priors; maximum likelihood has none')
        for name, least in {"draws": 4 if self.method == "nuts" else 2, "chains": 1, "tune": 50}.items():
            if getattr(self, name) < least:
                raise ConfigError(f"{name} must be {least} or more; got {getattr(self, name)}")


def _posterior(
    kind: str,
    name: str,
    module: ModuleType,
    columns: tuple[Floats, ...],
    units: Floats,
    n: float,
    settings: Settings,
    notes: Callable[[Mapping[str, float]], list[Note]],
) -> Posterior:
    """Maximise, draw if the method draws, and put the result together with its diagnostics and status."""
    laws = {} if settings.method == "mle" else choose(settings.priors)[kind]
    prior = log_prior(kind, laws, units) if laws else None
    rows = module.Rows(*columns)
    density = log_density(lambda params: module.weighted_log_likelihood(params, rows), units, prior)
    coarse, every = None, columns[0].size // SAMPLE
    if every > 1:  # search a sample of the rows, each standing for the ones left out
        sample = module.Rows(*(column[::every] for column in columns[:-1]), columns[-1][::every] * float(every))
        coarse = log_density(lambda params: module.weighted_log_likelihood(params, sample), units, prior)
    best = maximise(density, [np.log(start / units) for start in module.starts(rows)], n, coarse=coarse)
    theta, extra = _draws(density, best, settings)
    params = units * np.exp(theta)
    likelihood = module.weighted_log_likelihood(units * np.exp(best.theta), rows)[0]
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
        draws={p: np.ascontiguousarray(values) for p, values in zip(module.PARAMS, params.T, strict=True)},
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
        return result.theta, {"pareto_k": result.pareto_k, "ess_share": result.efficiency, "rounds": result.rounds}
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


def _fit_notes(name: str, module: ModuleType, best: Optimum, diagnostics: Mapping[str, Any]) -> list[Note]:
    """Notes on the fit itself: bounds, flat directions, importance weights, chains."""
    notes = []
    for i in best.at_bound:
        text = f"Parameter {module.PARAMS[i]} of {name} ran to its bound: the data do not determine it."
        notes.append(Note("at_bound", text, {"parameter": module.PARAMS[i], "family": name}))
    if best.flat:
        flat = ", ".join(module.PARAMS[i] for i in best.flat)
        text = f"The data do not determine {flat} of {name} separately: they have no standard errors."
        notes.append(Note("flat", text, {"parameters": flat, "family": name}))
    pareto_k = diagnostics.get("pareto_k", 0.0)
    if pareto_k > UNRELIABLE:
        text = f'The fast posterior of {name} is not reliable (Pareto k {pareto_k:.2f} > 0.7): use method="nuts".'
        notes.append(Note("unreliable_draws", text, {"pareto_k": pareto_k, "family": name}))
    r_hat, divergences = diagnostics.get("r_hat", 1.0), diagnostics.get("divergences", 0)
    if r_hat > UNMIXED or divergences > 0:
        text = (
            f"The chains of {name} may not have found the whole posterior (R-hat {r_hat:.3f}, {divergences} divergent "
            "transitions): raise tune and draws."
        )
        notes.append(Note("chains_unmixed", text, {"r_hat": r_hat, "divergences": divergences, "family": name}))
    return notes


def fit_purchases(
    counts: Counts,
    family: str = "bg/nbd",
    *,
    method: str = "mle",
    draws: int = 1000,
    seed: int = 0,
    chains: int = 4,
    tune: int = 1000,
    progress: bool = False,
    priors: Mapping[str, Any] | None = None,
) -> Posterior:
    """Fit a family of purchase models to the distinct rows of a base.

    Parameters
    ----------
    counts : Counts
    family : ``"bg/nbd"`` or ``"mbg/nbd"``
    method : ``"mle"``, ``"map"``, ``"laplace"`` or ``"nuts"``
        Maximum likelihood; the mode under the priors of :mod:`lifestage.fitting.priors`; draws from that posterior,
        by importance sampling or by the No-U-Turn sampler.
    draws, seed : int
        For the two methods that draw; ``"nuts"`` keeps so many draws of each chain, stored one chain after another.
    chains, tune, progress : int, int, bool
        For ``"nuts"``; see :func:`lifestage.fitting.nuts.sample`.
    priors : mapping, optional
        Laws in place of the defaults; see :mod:`lifestage.fitting.priors`.

    Raises
    ------
    DataError
        With fewer than 100 customers and fewer than 30 repeaters.
    ConfigError
        If the family or the method is unknown.
    """
    settings = Settings(method, draws, seed, chains, tune, progress, priors)
    if family not in PURCHASES:
        raise ConfigError(f"purchases must be one of {', '.join(PURCHASES)}; got {family!r}")
    customers = float(counts.weight.sum())
    repeaters = float(counts.weight[counts.x > 0].sum())
    if customers < MIN_CUSTOMERS and repeaters < MIN_REPEATERS:
        raise DataError(
            f"expected at least {MIN_CUSTOMERS} customers or {MIN_REPEATERS} repeat buyers to fit a model; "
            f"got {customers:.0f} customers, {repeaters:.0f} of them repeat buyers"
        )
    mean_time = float(counts.weight @ counts.T) / customers
    if mean_time <= 0:
        raise DataError("expected customers observed for some time after their first purchase; got T = 0 for everyone")
    module = PURCHASES[family]
    columns = counts.x, counts.t_x, counts.T, counts.weight
    units = np.array([mean_time if name == module.TIME_PARAM else 1.0 for name in module.PARAMS])
    return _posterior(
        "purchases",
        family,
        module,
        columns,
        units,
        customers,
        settings,
        lambda p: _purchase_notes(family, p, repeaters),
    )


def _purchase_notes(family: str, params: Mapping[str, float], repeaters: float) -> list[Note]:
    notes = []
    dropout = params["a"] / (params["a"] + params["b"])
    if repeaters == 0:
        text = "Nobody bought twice: the rate and the dropout are not identified, and predictions are near zero."
        notes.append(Note("no_repeaters", text))
    elif repeaters < MIN_REPEATERS:
        text = f"Only {repeaters:.0f} repeat buyers: the parameters are poorly determined."
        notes.append(Note("few_repeaters", text, {"repeaters": int(repeaters)}))
    if dropout < DROPOUT_IDENTIFIED:
        text = (
            f"Dropout is not identified (mean dropout chance {dropout:.2%} after a purchase): P(alive) is near 1 for "
            "everyone by construction, so judge customers by their chance of buying, not by P(alive)."
        )
        notes.append(Note("dropout_not_identified", text, {"dropout": dropout}))
    if family == "bg/nbd":
        text = "BG/NBD sets P(alive) = 1 for one-time buyers by assumption; MBG/NBD does not."
        notes.append(Note("alive_by_assumption", text))
    return notes


def fit_spend(
    counts: Counts,
    family: str = "gamma-gamma",
    *,
    method: str = "mle",
    draws: int = 1000,
    seed: int = 0,
    chains: int = 4,
    tune: int = 1000,
    progress: bool = False,
    priors: Mapping[str, Any] | None = None,
) -> Posterior:
    """Fit a family of spend models to the distinct (frequency, mean spend) rows of repeat buyers.

    With fewer than 30 repeat buyers of positive spend the priors are used whatever the method, and the status says so.

    Raises
    ------
    DataError
        If no customer has a positive repeat spend and no scale of money can be had.
    ConfigError
        If the family or the method is unknown.
    """
    settings = Settings(method, draws, seed, chains, tune, progress, priors)
    if family not in SPEND:
        raise ConfigError(f"spend must be one of {', '.join(SPEND)} or None; got {family!r}")
    module = SPEND[family]
    x, m, weight = counts.spend_x, counts.spend_m, counts.spend_weight
    n = float(weight.sum())
    notes: list[Note] = []
    if n < MIN_SPENDERS:
        settings = replace(settings, method="map" if method == "mle" else method)
        text = f"Only {n:.0f} repeat buyers with a positive spend: the spend model leans on its prior."
        notes.append(Note("few_spenders", text, {"repeaters": int(n)}))
    if n == 0:
        raise DataError("expected repeat buyers with a positive spend to fit spend; got none (use spend=None)")
    units = np.array([float(weight @ m) / n if name == module.MONEY_PARAM else 1.0 for name in module.PARAMS])
    posterior = _posterior(
        "spend", family, module, (x, m, weight), units, n, settings, lambda p: [*notes, *_spend_notes(p)]
    )
    return _with_independence(posterior, x, m, weight)


def _spend_notes(params: Mapping[str, float]) -> list[Note]:
    q = params["q"]
    if q > 1.0:
        return []
    text = (
        f"The spend model has no finite mean (q = {q:.3g} ≤ 1): observed mean spends are used in place of its "
        "expectation."
    )
    return [Note("spend_mean_infinite", text, {"q": q})]


def _with_independence(posterior: Posterior, x: Floats, m: Floats, weight: Floats) -> Posterior:
    """Add the test that spend does not go with frequency, which the spend model assumes."""
    independence = spend_independence(x, m, weight)
    strongest = max((abs(v["spearman"]) for v in independence.values()), default=0.0)
    notes = posterior.status.notes
    if strongest > CORRELATED:
        text = (
            f"Spend and frequency are correlated (Spearman {independence['all']['spearman']:+.2f}; "
            f"{independence['without_top_1_percent']['spearman']:+.2f} without the top 1 % of spenders), "
            "though the spend model assumes that they are not: LTV of frequent buyers is biased."
        )
        notes = (*notes, Note("spend_frequency_correlated", text, independence))
    return replace(
        posterior,
        status=Status(posterior.status.converged, notes),
        diagnostics={**posterior.diagnostics, "independence": independence},
    )


def spend_independence(x: Floats, m: Floats, weight: Floats) -> dict[str, dict[str, float]]:
    """Pearson and Spearman correlation of frequency and mean spend over repeat buyers, with and without the top 1 %.

    The top 1 % are the repeat buyers of the highest mean spend. Correlations that are not defined (no spread) are 0.
    """
    import pandas as pd

    def correlation(a: Floats, b: Floats) -> float:
        return float(np.corrcoef(a, b)[0, 1]) if np.ptp(a) > 0 and np.ptp(b) > 0 else 0.0

    def rank(values: Floats) -> Floats:
        return np.asarray(pd.Series(values).rank(), float)

    count = weight.astype(int)
    full_x, full_m = np.repeat(x, count), np.repeat(m, count)
    keep = full_m <= np.quantile(full_m, 0.99)
    out: dict[str, dict[str, Any]] = {}
    for name, (xs, ms) in {"all": (full_x, full_m), "without_top_1_percent": (full_x[keep], full_m[keep])}.items():
        out[name] = {"pearson": correlation(xs, ms), "spearman": correlation(rank(xs), rank(ms))}
    return out
