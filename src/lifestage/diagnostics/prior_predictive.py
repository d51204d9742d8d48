"""What the priors imply for a base, before its purchases are seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lifestage.core.errors import ConfigError
from lifestage.families import STACK, family
from lifestage.families.mixture import column_name
from lifestage.fitting.priors import log_prior, sample_prior

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    import pandas as pd

    from lifestage.core.typing import Floats
    from lifestage.fitting.fitted import FittedModel
    from lifestage.fitting.posterior import Posterior

__all__ = ["log_prior_draws", "prior_draws", "prior_predictive"]


def prior_predictive(model: FittedModel, draws: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Draw parameters from the priors, and compute what a draw implies for a base like this one.

    Returns
    -------
    pandas.DataFrame
        One row per draw: the parameters; ``repeat_rate``, the share of customers who buy again
        within the mean time that the base was observed; ``repeat_purchases``, their mean number in
        that time; ``dropout``, the mean probability of dropping out (a/(a + b) after a purchase, or
        within that time, as the family has it); and, with a spend model, ``mean_spend`` = p·v/(q −
        1) (money, missing where q ≤ 1).

    Examples
    --------
    >>> import lifestage as ls
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> prior = ls.fit(customers, method="map").prior_predictive(draws=2000)
    >>> bool(prior["repeat_rate"].between(0, 1).all())
    True
    """
    import pandas as pd

    rng = np.random.default_rng(seed)
    columns: dict[str, Floats] = {}
    for part in model.parts.values():
        columns |= prior_draws(part, draws, rng)
    module, time = family(model.purchases.family), _mean_time(model.purchases)
    purchases = {name: columns[name] for name in model.purchases.draws}
    columns["repeat_rate"] = module.p_purchase(time, 0, 0, 0, **purchases)
    columns["repeat_purchases"] = module.expected_purchases(time, 0, 0, 0, **purchases)
    columns["dropout"] = module.mean_dropout(time, **purchases)
    if model.spend is not None:
        q = columns["q"]
        columns["mean_spend"] = np.where(
            q > 1, columns["p"] * columns["v"] / np.where(q > 1, q - 1, 1.0), np.nan
        )
    return pd.DataFrame(columns)


def prior_draws(part: Posterior, size: int, seed: int | np.random.Generator) -> dict[str, Floats]:
    """Draw a part's parameters from its priors, in the units of the data.

    After maximum likelihood from the default priors. In a stack each draw is of one family, with
    its weight as the probability, and has NaN for the parameters of the others.
    """
    rng = np.random.default_rng(seed)
    families = _families(part)
    weights = np.array([own.weight for own in families])
    choice = rng.choice(weights.size, size, p=weights) if weights.size > 1 else np.zeros(size)
    out: dict[str, Floats] = {}
    for i, own in enumerate(families):
        theta = sample_prior(own.module, size, rng, own.priors, own.units)
        params = np.where(choice == i, (own.units * np.exp(theta)).T, np.nan)
        out |= dict(zip(own.columns, params, strict=True))
    return out


def log_prior_draws(part: Posterior) -> Floats:
    """Log prior density of the logarithms of the parameters at each draw, by the draw's family."""
    out = np.empty(part.size)
    for own in _families(part):
        params = np.column_stack([part.draws[name] for name in own.columns])
        members = np.flatnonzero(~np.isnan(params[:, 0]))
        density = log_prior(own.module, own.priors, own.units)
        for i in members:
            out[i] = density(np.log(params[i] / own.units))[0]
    return out


class _Family(NamedTuple):
    """What a posterior has of one family: its priors by quantity, and the units of its columns."""

    module: ModuleType
    columns: list[str]
    units: Floats
    priors: Mapping[str, str] | None
    weight: float


def _families(part: Posterior) -> list[_Family]:
    """The families of a posterior: one, or those of a stack."""
    units = dict(zip(part.draws, _units(part), strict=True))
    names = list(part.diagnostics["weights"]) if part.family == STACK else [part.family]
    found = []
    for name in names:
        module, prefix = family(name), column_name(name, "") if part.family == STACK else ""
        columns = [prefix + parameter for parameter in module.PARAMS]
        priors = {}
        for quantity, text in part.priors.items():
            if quantity.startswith(prefix):
                priors[quantity.removeprefix(prefix)] = text
        own = np.array([units[column] for column in columns])
        weight = float(np.mean(~np.isnan(part.draws[columns[0]])))
        found.append(_Family(module, columns, own, priors or None, weight))
    return found


def _mean_time(part: Posterior) -> float:
    """The mean time observed of the base: the unit of a parameter of time."""
    own = _families(part)[0]
    powers = [own.module.UNITS[parameter] for parameter in own.module.PARAMS]
    timed = np.flatnonzero(powers)[0]
    return float(own.units[timed] ** (1.0 / powers[timed]))


def _units(part: Posterior) -> Floats:
    """Unit of each parameter that has a prior."""
    if "units" not in part.diagnostics:
        raise ConfigError(
            f"expected the units of the priors with the model; this {part.family} has none: fit it"
            " again"
        )
    return np.asarray(part.diagnostics["units"], float)
