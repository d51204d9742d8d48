"""What the priors believe about a base before seeing its purchases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lifestage.families import family
from lifestage.fitting.priors import sample_prior

if TYPE_CHECKING:
    import pandas as pd

    from lifestage.model import LTVModel

__all__ = ["prior_predictive"]


def prior_predictive(model: LTVModel, draws: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Draw parameters from the priors, and say what each draw would mean for a base like this one.

    Returns
    -------
    pandas.DataFrame
        A row a draw: the parameters; ``repeat_rate``, the share of customers who buy again within the mean time that
        the base was observed; ``repeat_purchases``, their mean number in that time; ``dropout``, the mean chance
        a/(a + b) of leaving after a purchase; and, with a spend model, ``mean_spend`` = p·v/(q − 1) (money, missing
        where q ≤ 1).

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
    columns: dict[str, np.ndarray] = {}
    for name, part in model.parts.items():
        units = np.asarray(part.diagnostics["units"])
        theta = sample_prior(name, draws, rng, part.priors or None, units)
        columns |= dict(zip(family(part.family).PARAMS, (units * np.exp(theta)).T, strict=True))
    module = family(model.purchases.family)
    time = model.purchases.diagnostics["units"][module.PARAMS.index(module.TIME_PARAM)]
    purchases = {name: columns[name] for name in module.PARAMS}
    columns["repeat_rate"] = module.p_purchase(time, 0, 0, 0, **purchases)
    columns["repeat_purchases"] = module.expected_purchases(time, 0, 0, 0, **purchases)
    columns["dropout"] = columns["a"] / (columns["a"] + columns["b"])
    if model.spend is not None:
        q = columns["q"]
        columns["mean_spend"] = np.where(q > 1, columns["p"] * columns["v"] / np.where(q > 1, q - 1, 1.0), np.nan)
    return pd.DataFrame(columns)
