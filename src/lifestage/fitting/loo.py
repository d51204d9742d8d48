"""Leave-one-out by customers, from the distinct rows.

Customers of one row have the same log-likelihood, so the Pareto-smoothed importance sampling runs
once per row and its result counts for all customers of the row. That equals ``az.loo`` on a row per
customer, without its memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.core.errors import ConfigError
from lifestage.core.steps import step
from lifestage.families import family
from lifestage.fitting.as_summary import counts_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd
    from arviz_stats.utils import ELPDData
    from numpy.typing import NDArray

    from lifestage.core.typing import Floats
    from lifestage.data.customers.counts import Counts
    from lifestage.data.customers.summary import Summary
    from lifestage.fitting.fitted import FittedModel
    from lifestage.fitting.posterior import Posterior

__all__ = ["by_chain", "chains", "compare", "is_drawn", "log_likelihoods", "loo", "posterior_loo"]


MAX_VALUES = 4_000_000
"""Draws times distinct rows that leave-one-out holds at a time."""


def loo(model: FittedModel, customers: Summary | Counts | Any, part: str = "purchases") -> ELPDData:
    """Expected log predictive density of a customer left out, summed over customers (PSIS-LOO).

    elpd = Σ w·elpd_row, and its standard error is √n times the standard deviation over the n = Σ w
    customers.

    Parameters
    ----------
    model : FittedModel
        Fitted with ``method="laplace"`` or ``"nuts"``.
    customers : Summary, Counts or frame
        The customers that it was fitted on.
    part : ``"purchases"`` or ``"spend"``
        Customers for purchases; repeat buyers with a positive spend for spend.

    Returns
    -------
    ELPDData
        As ``az.loo`` returns it, pointwise over customers (in the order of the rows), for
        ``az.compare`` and ``az.plot_khat``.

    Raises
    ------
    ConfigError
        If the model has no such part, or is a point estimate.

    Source: Vehtari, Gelman & Gabry (2017), Practical Bayesian model evaluation, Statistics and
    Computing 27.

    Examples
    --------
    >>> import lifestage as ls
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> result = loo(ls.fit(customers, spend=None, method="laplace", draws=200), customers)
    >>> result.n_data_points, round(result.elpd / 100)
    (2357, -96)
    """
    if part not in model.parts:
        raise ConfigError(f"part must be one of {', '.join(model.parts)}; got {part!r}")
    if not is_drawn(model.parts[part]):
        raise ConfigError(
            'expected draws to leave customers out by; fit with method="laplace" or "nuts"'
        )
    return posterior_loo(model.parts[part], counts_of(model, customers), part, chains(model))


def posterior_loo(
    posterior: Posterior, counts: Counts, part: str = "purchases", chains: int = 1
) -> ELPDData:
    """Leave-one-out of one part of a model; its draws are stored chain after chain."""
    import xarray as xr
    from arviz_stats.base import array_stats  # type: ignore[attr-defined]
    from arviz_stats.utils import ELPDDataLOO

    rows = (
        (counts.x, counts.t_x, counts.T)
        if part == "purchases"
        else (counts.spend_x, counts.spend_m)
    )
    r_eff = _relative_ess(posterior, chains)
    with step(__name__, f"Leaving out each of {counts.customers:,.0f} customers"):
        logs = log_likelihoods(posterior, rows, chains)
        blocks = [array_stats.loo(np.moveaxis(values, -1, 0), r_eff=r_eff) for values in logs]
    weight = (counts.weight if part == "purchases" else counts.spend_weight).astype(int)
    of_rows = [np.concatenate(column) for column in zip(*blocks, strict=True)]
    elpd, pareto_k, p = (np.repeat(values, weight) for values in of_rows)
    good_k = min(1.0 - 1.0 / float(np.log10(posterior.size)), 0.7)
    return ELPDDataLOO(
        elpd=float(elpd.sum()),
        se=float(np.sqrt(elpd.size) * elpd.std(ddof=1)),
        p=float(p.sum()),
        n_samples=posterior.size,
        n_data_points=elpd.size,
        scale="log",
        warning=bool((pareto_k > good_k).any()),
        good_k=good_k,
        elpd_i=xr.DataArray(elpd, dims="customer"),
        pareto_k=xr.DataArray(pareto_k, dims="customer"),
    )


def compare(
    models: Mapping[str, FittedModel],
    customers: Summary | Counts | Any,
    part: str = "purchases",
    **options: Any,
) -> pd.DataFrame:
    """Compare models of the same customers by leave-one-out, with the options of ``az.compare``."""
    import arviz as az

    results = {name: loo(model, customers, part) for name, model in models.items()}
    table: pd.DataFrame = az.compare(results, **options)
    return table


def is_drawn(part: Posterior) -> bool:
    """Whether the draws are of a posterior; those of a stack of point estimates are not."""
    return part.size > 1 and part.method not in ("mle", "map")


def chains(model: FittedModel) -> int:
    """Chains that the draws of the parameters come from."""
    return int(model.purchases.diagnostics.get("chains", 1))


def by_chain(values: Any, chains: int) -> NDArray[Any]:
    """Draws, stored one chain after another, as (chain, draw, …)."""
    return np.asarray(values).reshape(chains, -1, *np.shape(values)[1:])


def log_likelihoods(
    posterior: Posterior, rows: tuple[Floats, ...], chains: int
) -> Iterator[Floats]:
    """Log-likelihood of rows under each draw, shape (chain, draw, row), a block at a time."""
    module, params = family(posterior.family), posterior.columns()
    size = max(MAX_VALUES // posterior.size, 1)
    for begin in range(0, rows[0].size, size):
        block = [column[begin : begin + size] for column in rows]
        yield by_chain(module.log_likelihood(*block, **params), chains)


def _relative_ess(posterior: Posterior, chains: int) -> float:
    """Effective share of the draws; 1 where they do not come from chains."""
    from arviz_stats.base import array_stats  # type: ignore[attr-defined]

    if chains == 1:
        return 1.0
    draws = posterior.draws.values()
    sizes = [array_stats.ess(by_chain(values, chains), relative=True) for values in draws]
    return float(np.mean(sizes))
