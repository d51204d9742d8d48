"""The posterior for ArviZ: a DataTree of draws, prior, data and log-likelihood, and leave-one-out by customers.

The likelihood sees distinct rows, each standing for ``weight`` customers, so ``log_likelihood`` and ``observed_data``
have one entry a distinct row. ``az.summary`` and the plots of parameters need no weights. ``az.loo`` on the tree leaves
out one *row* and counts each row once; :func:`loo` leaves out one *customer*: customers of one row have the same
log-likelihood, so the Pareto-smoothed sampling runs once a row and its result counts ``weight`` times. That equals
``az.loo`` on the rows repeated by their weights, without repeating the draws.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lifestage.as_summary import as_summary
from lifestage.data.compress import compress
from lifestage.errors import ConfigError
from lifestage.families import family
from lifestage.fitting.priors import sample_prior
from lifestage.posterior import Posterior
from lifestage.posterior_check import replicate
from lifestage.tables import Counts, Summary

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from arviz_stats.utils import ELPDData

    from lifestage.model import LTVModel

__all__ = ["compare", "loo", "to_arviz"]

Floats = NDArray[np.float64]

MOST_VALUES = 50_000_000
"""Draws times distinct rows that a tree may hold (0.4 GB)."""
BLOCK = 4_000_000
"""Draws times distinct rows that leave-one-out holds at a time."""
PRIOR_DRAWS = 1000
ROW = {"purchases": "row", "spend": "spend_row"}
DIM = {"repeat_purchases": "customer", "mean_spend": "buyer"}


def to_arviz(model: LTVModel, customers: Summary | Counts | Any = None, *, seed: int = 0) -> xr.DataTree:
    """Put a model's draws, and the data behind them, into a DataTree as ArviZ 1 reads it.

    Parameters
    ----------
    model : LTVModel
    customers : Summary, Counts or frame, optional
        The customers whose log-likelihood is wanted; the model holds none.
    seed : int
        Of the draws from the prior.

    Returns
    -------
    xarray.DataTree
        ``posterior``: the parameters of purchases and spend in the units of the data, dims (chain, draw); its
        attributes say how each part was fitted (``purchases_method``, ``purchases_pareto_k`` …).
        ``sample_stats`` (only by the No-U-Turn sampler): ``diverging``, in either part.
        ``prior`` (not by maximum likelihood): draws of the same parameters, one chain.
        With customers, ``log_likelihood``: ``purchases`` of dims (chain, draw, row), natural logarithm, of *one*
        customer of the distinct row, and ``spend`` of dims (chain, draw, spend_row); and ``observed_data``:
        ``frequency``, ``recency``, ``T``, ``weight`` by row, ``spend_frequency``, ``monetary_value``,
        ``spend_weight`` by spend_row. Also ``posterior_predictive`` with ``repeat_purchases`` of a random sample of
        at most 1,000 customers (dims chain, draw, customer) and ``mean_spend`` of such a sample of repeat buyers (dims
        chain, draw, buyer), replicated under each draw; ``observed_data`` has theirs under the same names.

    Raises
    ------
    ConfigError
        If draws times distinct rows are too many to hold; thin the model with ``model.thinned(draws)``.

    Examples
    --------
    >>> import lifestage as ls
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> tree = ls.fit(customers, method="laplace", draws=100).to_arviz(customers)
    >>> sorted(tree.children)
    ['log_likelihood', 'observed_data', 'posterior', 'posterior_predictive', 'prior']
    >>> dict(tree["log_likelihood"]["purchases"].sizes)
    {'chain': 1, 'draw': 100, 'row': 1016}
    """
    import xarray as xr

    parts = model.parts
    columns = {name: values for part in parts.values() for name, values in part.draws.items()}
    posterior = {name: (("chain", "draw"), _by_chain(model, values)) for name, values in columns.items()}
    groups = {"posterior": xr.Dataset(posterior, _draw_coords(model), _attributes(model))}
    stats = _diverging(model)
    if stats is not None:
        groups["sample_stats"] = xr.Dataset({"diverging": (("chain", "draw"), stats)}, _draw_coords(model))
    prior = {name: values for kind, part in parts.items() for name, values in _prior(kind, part, seed).items()}
    if prior:
        coords = {"chain": [0], "draw": np.arange(PRIOR_DRAWS)}
        groups["prior"] = xr.Dataset({k: (("chain", "draw"), v[None, :]) for k, v in prior.items()}, coords)
    if customers is not None:
        counts = _counts(model, customers)
        groups["log_likelihood"] = xr.Dataset(
            {part: (("chain", "draw", ROW[part]), _log_likelihood(model, counts, part)) for part in parts},
            _draw_coords(model),
        )
        again = replicate(model, counts, seed=seed)
        shared = {name: (DIM[name], values) for name, values in again.observed.items()}
        groups["observed_data"] = xr.Dataset(_observed(model, counts) | shared)
        groups["posterior_predictive"] = xr.Dataset(
            {k: (("chain", "draw", DIM[k]), _by_chain(model, v)) for k, v in again.replicated.items()},
            _draw_coords(model),
        )
    return xr.DataTree.from_dict({f"/{name}": group for name, group in groups.items()})


def loo(model: LTVModel, customers: Summary | Counts | Any, part: str = "purchases") -> ELPDData:
    """Expected log predictive density of a customer left out, summed over customers (PSIS-LOO), from the distinct rows.

    elpd = Σ w·elpd_row, and its standard error is √n times the standard deviation over the n = Σ w customers.

    Parameters
    ----------
    model : LTVModel
        Fitted with ``method="laplace"`` or ``"nuts"``.
    customers : Summary, Counts or frame
        The customers that it was fitted on.
    part : ``"purchases"`` or ``"spend"``
        Customers for purchases; repeat buyers with a positive spend for spend.

    Returns
    -------
    ELPDData
        As ``az.loo`` returns it, pointwise over customers (in the order of the rows), for ``az.compare`` and
        ``az.plot_khat``.

    Raises
    ------
    ConfigError
        If the model has no such part, or is a point estimate.

    Source: Vehtari, Gelman & Gabry (2017), Practical Bayesian model evaluation, Statistics and Computing 27.

    Examples
    --------
    >>> import lifestage as ls
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> result = loo(ls.fit(customers, spend=None, method="laplace", draws=200), customers)
    >>> result.n_data_points, round(result.elpd / 100)
    (2357, -96)
    """
    import xarray as xr
    from arviz_stats.base import array_stats  # type: ignore[attr-defined]
    from arviz_stats.utils import ELPDDataLOO

    if part not in model.parts:
        raise ConfigError(f"part must be one of {', '.join(model.parts)}; got {part!r}")
    posterior = model.parts[part]
    if posterior.size < 2:
        raise ConfigError('expected draws to leave customers out by; fit with method="laplace" or "nuts"')
    counts = _counts(model, customers)
    r_eff = _relative_ess(model, part)
    blocks = [
        array_stats.loo(np.moveaxis(values, -1, 0), r_eff=r_eff) for values in _log_likelihoods(model, counts, part)
    ]
    row_elpd, row_k, row_p = (np.concatenate(column) for column in zip(*blocks, strict=True))
    weight = (counts.weight if part == "purchases" else counts.spend_weight).astype(int)
    elpd, pareto_k, p = (np.repeat(values, weight) for values in (row_elpd, row_k, row_p))
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
    models: Mapping[str, LTVModel], customers: Summary | Counts | Any, part: str = "purchases", **options: Any
) -> pd.DataFrame:
    """Compare models of the same customers by leave-one-out; *options* are those of ``az.compare``."""
    import arviz as az

    table: pd.DataFrame = az.compare({name: loo(each, customers, part) for name, each in models.items()}, **options)
    return table


def _counts(model: LTVModel, customers: Summary | Counts | Any) -> Counts:
    if isinstance(customers, Counts):
        return customers
    return compress(as_summary(model, customers))


def _chains(model: LTVModel) -> int:
    return int(model.purchases.diagnostics.get("chains", 1))


def _by_chain(model: LTVModel, values: Any) -> NDArray[Any]:
    """Draws, stored one chain after another, as (chain, draw, …)."""
    return np.asarray(values).reshape(_chains(model), -1, *np.shape(values)[1:])


def _draw_coords(model: LTVModel) -> dict[str, Any]:
    chains = _chains(model)
    return {"chain": np.arange(chains), "draw": np.arange(model.purchases.size // chains)}


def _attributes(model: LTVModel) -> dict[str, Any]:
    """How each part was fitted: family, method, status, and its scalar diagnostics."""
    out: dict[str, Any] = {"creation_library": "lifestage", "sample_dims": ["chain", "draw"]}
    for name, part in model.parts.items():
        scalars = {k: v for k, v in part.diagnostics.items() if isinstance(v, (int, float))}
        facts = {"family": part.family, "method": part.method, "status": str(part.status), **scalars}
        out |= {f"{name}_{key}": value for key, value in facts.items()}
    return out


def _diverging(model: LTVModel) -> NDArray[np.bool_] | None:
    """Whether a transition diverged, in either part; None where no chain was run or it was thinned since."""
    if "divergent" not in model.purchases.diagnostics:
        return None
    flat = np.zeros(model.purchases.size, bool)
    for part in model.parts.values():
        flat[part.diagnostics["divergent"]] = True
    return _by_chain(model, flat)


def _prior(kind: str, part: Posterior, seed: int) -> dict[str, Floats]:
    """Draws from the prior in the units of the data; none under maximum likelihood."""
    if not part.priors:
        return {}
    units = np.asarray(part.diagnostics["units"])
    values = units * np.exp(sample_prior(kind, PRIOR_DRAWS, seed, part.priors, units))
    return dict(zip(family(part.family).PARAMS, values.T, strict=True))


def _log_likelihoods(model: LTVModel, counts: Counts, part: str) -> Iterator[Floats]:
    """Log-likelihood of one customer a distinct row, shape (chain, draw, row), a block of rows at a time."""
    posterior = model.parts[part]
    data = (counts.x, counts.t_x, counts.T) if part == "purchases" else (counts.spend_x, counts.spend_m)
    module, params = family(posterior.family), posterior.columns()
    rows = max(BLOCK // posterior.size, 1)
    for begin in range(0, data[0].size, rows):
        values = module.log_likelihood(*(column[begin : begin + rows] for column in data), **params)
        yield _by_chain(model, values)


def _log_likelihood(model: LTVModel, counts: Counts, part: str) -> Floats:
    rows, draws = (counts.x if part == "purchases" else counts.spend_x).size, model.parts[part].size
    if rows * draws > MOST_VALUES:
        raise ConfigError(
            f"expected at most {MOST_VALUES:,} distinct rows × draws; got {rows:,} × {draws:,}: thin the model with "
            "model.thinned(draws), or pass a sample of the customers"
        )
    return np.concatenate(list(_log_likelihoods(model, counts, part)), axis=-1)


def _observed(model: LTVModel, counts: Counts) -> dict[str, tuple[str, Floats]]:
    data = {"frequency": counts.x, "recency": counts.t_x, "T": counts.T, "weight": counts.weight}
    out = {name: ("row", values) for name, values in data.items()}
    if model.spend is not None:
        spend = {
            "spend_frequency": counts.spend_x,
            "monetary_value": counts.spend_m,
            "spend_weight": counts.spend_weight,
        }
        out |= {name: ("spend_row", values) for name, values in spend.items()}
    return out


def _relative_ess(model: LTVModel, part: str) -> float:
    """Effective sample size of the draws as a share of their number; 1 where they do not come from chains."""
    from arviz_stats.base import array_stats  # type: ignore[attr-defined]

    if _chains(model) == 1:
        return 1.0
    draws = model.parts[part].draws.values()
    return float(np.mean([array_stats.ess(_by_chain(model, values), relative=True) for values in draws]))
