"""Fit a family of purchase models to the distinct rows of a base."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.core.errors import ConfigError, DataError
from lifestage.core.notes import Note
from lifestage.families import PURCHASES
from lifestage.fitting.run import Settings, fit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifestage.data.customers.counts import Counts
    from lifestage.fitting.posterior import Posterior

__all__ = ["fit_purchases"]

MIN_CUSTOMERS, MIN_REPEATERS = 100, 30
DROPOUT_IDENTIFIED = 0.005
"""Below this mean dropout chance a/(a + b) the data do not tell leaving customers from patient ones."""


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
    start: Mapping[str, Mapping[str, float]] | None = None,
) -> Posterior:
    """Fit a family of purchase models to the distinct rows of a base.

    Parameters
    ----------
    counts : Counts
    family : ``"bg/nbd"`` or ``"mbg/nbd"``
    method : ``"mle"``, ``"map"``, ``"laplace"`` or ``"nuts"``
        Maximum likelihood; the mode under the priors of :mod:`lifestage.fitting.priors`; draws from
        that posterior, by importance sampling or by the No-U-Turn sampler.
    draws, seed : int
        For the two methods that draw; ``"nuts"`` keeps so many draws of each chain, stored one
        chain after another.
    chains, tune, progress : int, int, bool
        For ``"nuts"``; see :func:`lifestage.fitting.nuts.sample`.
    priors : mapping, optional
        Laws in place of the defaults; see :mod:`lifestage.fitting.priors`.
    start : mapping, optional
        By family, parameters (periods) at which the search begins.

    Raises
    ------
    DataError
        With fewer than 100 customers and fewer than 30 repeaters.
    ConfigError
        If the family or the method is unknown.
    """
    settings = Settings(method, draws, seed, chains, tune, progress, priors, start)
    if family not in PURCHASES:
        raise ConfigError(f"purchases must be one of {', '.join(PURCHASES)}; got {family!r}")
    customers = float(counts.weight.sum())
    repeaters = float(counts.weight[counts.x > 0].sum())
    if customers < MIN_CUSTOMERS and repeaters < MIN_REPEATERS:
        raise DataError(
            f"expected at least {MIN_CUSTOMERS} customers or {MIN_REPEATERS} repeat buyers to fit a"
            f" model; got {customers:.0f} customers, {repeaters:.0f} of them repeat buyers"
        )
    mean_time = float(counts.weight @ counts.T) / customers
    if mean_time <= 0:
        raise DataError(
            "expected customers observed for some time after their first purchase; got T = 0 for"
            " everyone"
        )
    module = PURCHASES[family]
    columns = counts.x, counts.t_x, counts.T, counts.weight
    units = np.array([mean_time ** module.UNITS[name] for name in module.PARAMS])
    return fit(
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
        text = (
            "Nobody bought twice: the rate and the dropout are not identified, and predictions are"
            " near zero."
        )
        notes.append(Note("no_repeaters", text))
    elif repeaters < MIN_REPEATERS:
        text = f"Only {repeaters:.0f} repeat buyers: the parameters are poorly determined."
        notes.append(Note("few_repeaters", text, {"repeaters": int(repeaters)}))
    if dropout < DROPOUT_IDENTIFIED:
        text = (
            f"Dropout is not identified (mean dropout chance {dropout:.2%} after a purchase):"
            " P(alive) is near 1 for everyone by construction, so judge customers by their chance"
            " of buying, not by P(alive)."
        )
        notes.append(Note("dropout_not_identified", text, {"dropout": dropout}))
    if family == "bg/nbd":
        text = "BG/NBD sets P(alive) = 1 for one-time buyers by assumption; MBG/NBD does not."
        notes.append(Note("alive_by_assumption", text))
    return notes
