"""Fit one family to a compressed base: the purchase rows or the spend rows."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lifestage.errors import ConfigError, DataError
from lifestage.families import PURCHASES, SPEND
from lifestage.fitting.mle import Optimum, maximise
from lifestage.fitting.priors import DESCRIPTIONS, log_prior
from lifestage.posterior import Posterior, Status
from lifestage.tables import Counts, Note

__all__ = ["METHODS", "fit_purchases", "fit_spend"]

Floats = NDArray[np.float64]

METHODS = ("mle", "map")
MIN_CUSTOMERS, MIN_REPEATERS, MIN_SPENDERS = 100, 30, 30
CORRELATED = 0.3
"""Spearman correlation of spend and frequency from which the spend model's assumption is called into question."""
DROPOUT_IDENTIFIED = 0.005
"""Below this mean dropout chance a/(a + b) the data do not tell leaving customers from patient ones."""


def _check_method(method: str) -> None:
    if method not in METHODS:
        raise ConfigError(f"method must be one of {', '.join(METHODS)}; got {method!r}")


def _posterior(
    name: str, family: ModuleType, method: str, kind: str, best: Optimum, units: Floats, n: float, notes: list[Note]
) -> Posterior:
    k = len(family.PARAMS)
    params = units * np.exp(best.theta)
    for i in best.at_bound:
        text = f"Parameter {family.PARAMS[i]} of {name} ran to its bound: the data do not determine it."
        notes.append(Note("at_bound", text, {"parameter": family.PARAMS[i], "family": name}))
    if best.flat:
        flat = ", ".join(family.PARAMS[i] for i in best.flat)
        text = f"The data do not determine {flat} of {name} separately: they have no standard errors."
        notes.append(Note("flat", text, {"parameters": flat, "family": name}))
    diagnostics = {
        "log_likelihood": best.log_likelihood,
        "observations": n,
        "aic": 2 * k - 2 * best.log_likelihood,
        "bic": k * float(np.log(n)) - 2 * best.log_likelihood if n else float("nan"),
        "gradient": best.gradient,
        "undetermined": [family.PARAMS[i] for i in sorted({*best.at_bound, *best.flat})],
    }
    return Posterior(
        family=name,
        method=method,
        draws={p: np.array([value]) for p, value in zip(family.PARAMS, params, strict=True)},
        status=Status(best.converged, tuple(notes)),
        covariance=best.covariance,
        diagnostics=diagnostics,
        priors=DESCRIPTIONS[kind] if method == "map" else {},
    )


def fit_purchases(counts: Counts, family: str = "bg/nbd", *, method: str = "mle") -> Posterior:
    """Fit a family of purchase models to the distinct rows of a base.

    Parameters
    ----------
    counts : Counts
    family : ``"bg/nbd"`` or ``"mbg/nbd"``
    method : ``"mle"`` (maximum likelihood) or ``"map"`` (with the priors of :mod:`lifestage.fitting.priors`)

    Raises
    ------
    DataError
        With fewer than 100 customers and fewer than 30 repeaters.
    ConfigError
        If the family or the method is unknown.
    """
    _check_method(method)
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
    rows = module.Rows(counts.x, counts.t_x, counts.T, counts.weight)
    units = np.array([mean_time if name == module.TIME_PARAM else 1.0 for name in module.PARAMS])
    prior = log_prior("purchases") if method == "map" else None
    best = maximise(
        lambda params: module.weighted_log_likelihood(params, rows), module.starts(rows), units, customers, prior
    )
    notes = _purchase_notes(family, dict(zip(module.PARAMS, units * np.exp(best.theta), strict=True)), repeaters)
    return _posterior(family, module, method, "purchases", best, units, customers, notes)


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


def fit_spend(counts: Counts, family: str = "gamma-gamma", *, method: str = "mle") -> Posterior:
    """Fit a family of spend models to the distinct (frequency, mean spend) rows of repeat buyers.

    With fewer than 30 repeat buyers of positive spend the priors are used whatever the method, and the status says so.

    Raises
    ------
    DataError
        If no customer has a positive repeat spend and no scale of money can be had.
    ConfigError
        If the family or the method is unknown.
    """
    _check_method(method)
    if family not in SPEND:
        raise ConfigError(f"spend must be one of {', '.join(SPEND)} or None; got {family!r}")
    module = SPEND[family]
    x, m, weight = counts.spend_x, counts.spend_m, counts.spend_weight
    n = float(weight.sum())
    notes: list[Note] = []
    if n < MIN_SPENDERS:
        method = "map"
        text = f"Only {n:.0f} repeat buyers with a positive spend: the spend model leans on its prior."
        notes.append(Note("few_spenders", text, {"repeaters": int(n)}))
    if n == 0:
        raise DataError("expected repeat buyers with a positive spend to fit spend; got none (use spend=None)")
    rows = module.Rows(x, m, weight)
    units = np.array([float(weight @ m) / n if name == module.MONEY_PARAM else 1.0 for name in module.PARAMS])
    prior = log_prior("spend") if method == "map" else None
    best = maximise(lambda params: module.weighted_log_likelihood(params, rows), module.starts(rows), units, n, prior)
    q = float(np.exp(best.theta[1]))
    if q <= 1.0:
        text = (
            f"The spend model has no finite mean (q = {q:.3g} ≤ 1): observed mean spends are used in place of its "
            "expectation."
        )
        notes.append(Note("spend_mean_infinite", text, {"q": q}))
    posterior = _posterior(family, module, method, "spend", best, units, n, notes)
    return _with_independence(posterior, x, m, weight)


def _with_independence(posterior: Posterior, x: Floats, m: Floats, weight: Floats) -> Posterior:
    """Add the test that spend does not go with frequency, which the spend model assumes."""
    from dataclasses import replace

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
        return pd.Series(values).rank().to_numpy(float)

    count = weight.astype(int)
    full_x, full_m = np.repeat(x, count), np.repeat(m, count)
    keep = full_m <= np.quantile(full_m, 0.99)
    out: dict[str, dict[str, Any]] = {}
    for name, (xs, ms) in {"all": (full_x, full_m), "without_top_1_percent": (full_x[keep], full_m[keep])}.items():
        out[name] = {"pearson": correlation(xs, ms), "spearman": correlation(rank(xs), rank(ms))}
    return out
