"""Fit a family of spend models to the distinct (frequency, mean spend) rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.core.errors import ConfigError, DataError
from lifestage.core.notes import Note
from lifestage.families import FAMILIES, SPEND
from lifestage.fitting.posterior import Posterior, Status
from lifestage.fitting.priors import check_prior_names
from lifestage.fitting.run import Observations, fit
from lifestage.fitting.settings import Settings
from lifestage.fitting.spend_independence import spend_independence

if TYPE_CHECKING:
    from lifestage.core.typing import Floats
    from lifestage.data.customers.counts import Counts

__all__ = ["fit_spend"]


MIN_SPENDERS = 30

NEGLIGIBLE_SLOPE = 0.05
"""Slope of the log-likelihood, by the logarithm of a parameter, that a search at the limit may end
with."""

CORRELATED = 0.3
"""Spearman correlation of spend and frequency from which the spend model's assumption is called
into question."""


def fit_spend(counts: Counts, family: str = "gamma-gamma", **options: Any) -> Posterior:
    """Fit a family of spend models to the distinct (frequency, mean spend) rows of repeat buyers.

    With fewer than 30 repeat buyers of positive spend the priors are used whatever the method, and
    the status says so.

    Parameters
    ----------
    counts : Counts
    family : str
        A row of ``lifestage.families.SPEND``.
    **options
        Those of :class:`lifestage.fitting.settings.Settings`: method, draws, seed, ….

    Raises
    ------
    DataError
        If no customer has a positive repeat spend.
    ConfigError
        If the family or the method is unknown.
    """
    settings = Settings(**options)
    if family not in SPEND:
        raise ConfigError(f"spend must be one of {', '.join(SPEND)} or None; got {family!r}")
    module = SPEND[family]
    check_prior_names(settings.priors, [*FAMILIES.values(), module])
    x, m, weight = counts.spend_x, counts.spend_m, counts.spend_weight
    n = float(weight.sum())
    notes: tuple[Note, ...] = ()
    if n < MIN_SPENDERS:
        settings = replace(settings, method="map" if settings.method == "mle" else settings.method)
        text = (
            f"Only {n:.0f} repeat buyers with a positive spend: the spend model leans on its prior."
        )
        notes = (Note("few_spenders", text, {"repeaters": int(n)}),)
    if n == 0:
        raise DataError(
            "expected repeat buyers with a positive spend to fit spend; got none (use spend=None)"
        )
    # the mean, without a sum that could overflow; rows are fitted in units of it
    largest = float(m.max())
    unit = largest * (float(weight @ (m / largest)) / n)
    money = m / unit
    units = np.array([unit ** module.UNITS[name] for name in module.PARAMS])
    observations = Observations(
        (x, money, weight),
        n,
        units,
        row_units=np.ones(units.size),
        constant=-n * float(np.log(unit)),
        notes=notes,
    )
    posterior = fit(family, module, observations, settings)
    at_limit = module.at_limit(posterior.estimate)
    if at_limit:
        posterior = _converged_at_limit(posterior, at_limit)
    return _with_independence(posterior, x, money, weight)


def _converged_at_limit(posterior: Posterior, notes: list[Note]) -> Posterior:
    """Add the notes on a likelihood that rises towards a limit without an end.

    The search then stops on a ridge, along which nothing is left to gain: that is no failure.
    """
    diagnostics, status = posterior.diagnostics, posterior.status
    slope = diagnostics["gradient"] * diagnostics["observations"]
    converged = status.converged or slope < NEGLIGIBLE_SLOPE
    return replace(posterior, status=Status(converged, (*status.notes, *notes)))


def _with_independence(posterior: Posterior, x: Floats, m: Floats, weight: Floats) -> Posterior:
    """Add the test that spend does not depend on frequency, which the spend model assumes."""
    independence = spend_independence(x, m, weight)
    strongest = max(abs(values["spearman"]) for values in independence.values())
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
