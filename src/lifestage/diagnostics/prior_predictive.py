"""What the priors believe about a base before seeing its purchases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lifestage.core.errors import ConfigError
from lifestage.families import STACK, bgnbd, family
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
    """Draw parameters from the priors, and say what each draw would mean for a base like this one.

    Returns
    -------
    pandas.DataFrame
        A row a draw: the parameters; ``repeat_rate``, the share of customers who buy again within
        the mean time that the base was observed; ``repeat_purchases``, their mean number in that
        time; ``dropout``, the mean chance a/(a + b) of leaving after a purchase; and, with a spend
        model, ``mean_spend`` = p·v/(q − 1) (money, missing where q ≤ 1).

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
    module = family(model.purchases.family)
    time = _units(model.purchases)[module.PARAMS.index("alpha")]
    purchases = {name: columns[name] for name in module.PARAMS}
    columns["repeat_rate"] = module.p_purchase(time, 0, 0, 0, **purchases)
    columns["repeat_purchases"] = module.expected_purchases(time, 0, 0, 0, **purchases)
    columns["dropout"] = columns["a"] / (columns["a"] + columns["b"])
    if model.spend is not None:
        q = columns["q"]
        columns["mean_spend"] = np.where(
            q > 1, columns["p"] * columns["v"] / np.where(q > 1, q - 1, 1.0), np.nan
        )
    return pd.DataFrame(columns)


def prior_draws(part: Posterior, size: int, seed: int | np.random.Generator) -> dict[str, Floats]:
    """Draw a part's parameters from its priors, in the units of the data; after maximum likelihood from the defaults.

    The families of a stack have the same priors; each draw is of one of them, with its weight as
    the probability.
    """
    rng = np.random.default_rng(seed)
    units = _units(part)
    theta = sample_prior(_module(part), size, rng, _laws(part), units)
    out = dict(zip(family(part.family).PARAMS, (units * np.exp(theta)).T, strict=False))
    if part.family == STACK:
        out["first_dropout"] = (rng.uniform(size=size) < part.estimate["first_dropout"]).astype(
            float
        )
    return out


def log_prior_draws(part: Posterior) -> Floats:
    """Log prior density of the logarithms of the parameters at each draw; of a stack, that of the draw's family."""
    units = _units(part)
    names = family(part.family).PARAMS[: units.size]
    theta = np.log(np.column_stack([part.draws[name] for name in names]) / units)
    density = log_prior(_module(part), _laws(part), units)
    return np.array([density(row)[0] for row in theta])


def _module(part: Posterior) -> ModuleType:
    """The family whose priors a part has; those of a stack have the same."""
    return bgnbd if part.family == STACK else family(part.family)


def _laws(part: Posterior) -> Mapping[str, str] | None:
    """The priors by quantity; those of a stack stand once per family."""
    return {name.rpartition(": ")[2]: law for name, law in part.priors.items()} or None


def _units(part: Posterior) -> Floats:
    """Unit of each parameter that has a prior."""
    if "units" not in part.diagnostics:
        raise ConfigError(
            f"expected the units of the priors with the model; this {part.family} has none: fit it"
            " again"
        )
    return np.asarray(part.diagnostics["units"], float)
