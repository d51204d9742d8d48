"""Fit a family of purchase models to the distinct rows of a base."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.core.errors import ConfigError, DataError
from lifestage.families import FAMILIES, SPEND
from lifestage.fitting.priors import check_prior_names
from lifestage.fitting.run import Observations, fit
from lifestage.fitting.settings import Settings

if TYPE_CHECKING:
    from lifestage.data.customers.counts import Counts
    from lifestage.fitting.posterior import Posterior

__all__ = ["fit_purchases"]

MIN_CUSTOMERS, MIN_REPEATERS = 100, 30


def fit_purchases(counts: Counts, family: str = "bg/nbd", **options: Any) -> Posterior:
    """Fit a family of purchase models to the distinct rows of a base.

    Parameters
    ----------
    counts : Counts
    family : str
        A row of ``lifestage.families.FAMILIES``, such as ``"bg/nbd"``.
    **options
        Those of :class:`lifestage.fitting.settings.Settings`: method, draws, seed, ….

    Raises
    ------
    DataError
        With fewer than 100 customers and fewer than 30 repeaters.
    ConfigError
        If the family or the method is unknown.
    """
    settings = Settings(**options)
    if family not in FAMILIES:
        raise ConfigError(f"purchases must be one of {', '.join(FAMILIES)}; got {family!r}")
    module = FAMILIES[family]
    check_prior_names(settings.priors, [module, *SPEND.values()])
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
    columns = counts.x, counts.t_x, counts.T, counts.weight
    units = np.array([mean_time ** module.UNITS[name] for name in module.PARAMS])
    return fit(family, module, Observations(columns, customers, units, row_units=units), settings)
