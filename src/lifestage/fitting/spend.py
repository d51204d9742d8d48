"""Fit a family of spend models to the distinct (frequency, mean spend) rows, and test what it assumes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.core.errors import ConfigError, DataError
from lifestage.core.notes import Note
from lifestage.families import SPEND
from lifestage.fitting.posterior import Posterior, Status
from lifestage.fitting.run import Settings, fit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifestage.core.typing import Floats
    from lifestage.data.customers.counts import Counts

__all__ = ["fit_spend", "spend_independence"]


MIN_SPENDERS = 30
NO_SPREAD = 1e4
"""Value of p (of q) from which spends of one customer (mean spends of customers) differ by less than 1 %."""
ALIKE = {
    "p": "the purchases of a customer hardly differ in price",
    "q": "customers hardly differ in what they spend",
}
NEGLIGIBLE = 0.05
"""Slope of the log-likelihood, by the logarithm of a parameter, that a search at the limit may end with."""
CORRELATED = 0.3
"""Spearman correlation of spend and frequency from which the spend model's assumption is called into question."""


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
    start: Mapping[str, Mapping[str, float]] | None = None,
) -> Posterior:
    """Fit a family of spend models to the distinct (frequency, mean spend) rows of repeat buyers.

    With fewer than 30 repeat buyers of positive spend the priors are used whatever the method, and
    the status says so.

    Raises
    ------
    DataError
        If no customer has a positive repeat spend and no scale of money can be had.
    ConfigError
        If the family or the method is unknown.
    """
    settings = Settings(method, draws, seed, chains, tune, progress, priors, start)
    if family not in SPEND:
        raise ConfigError(f"spend must be one of {', '.join(SPEND)} or None; got {family!r}")
    module = SPEND[family]
    x, m, weight = counts.spend_x, counts.spend_m, counts.spend_weight
    n = float(weight.sum())
    notes: list[Note] = []
    if n < MIN_SPENDERS:
        settings = replace(settings, method="map" if method == "mle" else method)
        text = (
            f"Only {n:.0f} repeat buyers with a positive spend: the spend model leans on its prior."
        )
        notes.append(Note("few_spenders", text, {"repeaters": int(n)}))
    if n == 0:
        raise DataError(
            "expected repeat buyers with a positive spend to fit spend; got none (use spend=None)"
        )
    unit = float(m.max()) * (
        float(weight @ (m / m.max())) / n
    )  # the mean, without a sum that could overflow
    money = m / unit
    units = np.array([unit ** module.UNITS[name] for name in module.PARAMS])
    posterior = fit(
        "spend",
        family,
        module,
        (x, money, weight),
        units,
        n,
        settings,
        lambda p: [*notes, *_spend_notes(p)],
        rows_in=np.ones(units.size),
        constant=-n * float(np.log(unit)),
    )
    return _with_independence(_at_its_limit(posterior), x, money, weight)


def _spend_notes(params: Mapping[str, float]) -> list[Note]:
    q = params["q"]
    if q > 1.0:
        return []
    text = (
        f"The spend model has no finite mean (q = {q:.3g} ≤ 1): observed mean spends are used in"
        " place of its expectation."
    )
    return [Note("spend_mean_infinite", text, {"q": q})]


def _at_its_limit(posterior: Posterior) -> Posterior:
    """Say so where spends differ so little that the likelihood rises towards a limit without an end.

    The search then stops on a ridge, along which nothing is left to gain: that is no failure.
    """
    estimate = posterior.estimate
    alike = [text for name, text in ALIKE.items() if estimate[name] > NO_SPREAD]
    if not alike:
        return posterior
    diagnostics = posterior.diagnostics
    slope = diagnostics["gradient"] * diagnostics["observations"]
    text = (
        f"The spend model is at its limit: {' and '.join(alike)}. Its mean is right, its parameters"
        " are not determined."
    )
    note = Note("spend_at_limit", text, {name: estimate[name] for name in ALIKE})
    status = Status(
        posterior.status.converged or slope < NEGLIGIBLE, (*posterior.status.notes, note)
    )
    return replace(posterior, status=status)


def _with_independence(posterior: Posterior, x: Floats, m: Floats, weight: Floats) -> Posterior:
    """Add the test that spend does not go with frequency, which the spend model assumes."""
    independence = spend_independence(x, m, weight)
    strongest = max((abs(v["spearman"]) for v in independence.values()), default=0.0)
    notes = posterior.status.notes
    if strongest > CORRELATED:
        text = (
            f"Spend and frequency are correlated (Spearman {independence['all']['spearman']:+.2f};"
            f" {independence['without_top_1_percent']['spearman']:+.2f} without the top 1 % of"
            " spenders), though the spend model assumes that they are not: LTV of frequent buyers"
            " is biased."
        )
        notes = (*notes, Note("spend_frequency_correlated", text, independence))
    return replace(
        posterior,
        status=Status(posterior.status.converged, notes),
        diagnostics={**posterior.diagnostics, "independence": independence},
    )


def spend_independence(x: Floats, m: Floats, weight: Floats) -> dict[str, dict[str, float]]:
    """Pearson and Spearman correlation of frequency and mean spend over repeat buyers, with and without the top 1 %.

    The top 1 % are the repeat buyers of the highest mean spend. Correlations that are not defined
    (no spread) are 0.
    """
    out: dict[str, dict[str, float]] = {}
    order = np.argsort(m, kind="stable")
    reach = np.cumsum(weight[order])
    kept = np.empty(m.size, bool)
    kept[order] = m[order] <= m[order][np.searchsorted(reach, 0.99 * (reach[-1] - 1), side="right")]
    for name, rows in {"all": np.ones(m.size, bool), "without_top_1_percent": kept}.items():
        xs, ms, ws = x[rows], m[rows], weight[rows]
        out[name] = {
            "pearson": _correlation(xs, ms, ws),
            "spearman": _correlation(_ranks(xs, ws), _ranks(ms, ws), ws),
        }
    return out


def _correlation(a: Floats, b: Floats, weight: Floats) -> float:
    """Pearson's, of values that stand *weight* times each; 0 without spread."""
    if not (np.ptp(a) > 0 and np.ptp(b) > 0):
        return 0.0
    covariance = np.cov(a, b, aweights=weight, ddof=0)
    return float(covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1]))


def _ranks(values: Floats, weight: Floats) -> Floats:
    """Mean ranks of values that stand *weight* times each."""
    _, place = np.unique(values, return_inverse=True)
    held = np.bincount(place, weight)
    return np.asarray((np.cumsum(held) - 0.5 * (held - 1.0))[place])
