"""The posterior for ArviZ: a DataTree of draws, prior, data and log-likelihood.

The tree holds the log-likelihood of every customer under every draw, as ArviZ reads it: ``az.loo``,
``az.compare`` and ``az.psense_summary`` count customers. A large base does not fit in memory like
that:
:func:`lifestage.fitting.loo.loo` gives the same result from the distinct rows.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.core.errors import ConfigError
from lifestage.core.names import CUSTOMER, KEYS, MONETARY
from lifestage.data.customers.counts import Counts
from lifestage.data.engines.frames import lazy, to_pandas
from lifestage.diagnostics.posterior_predictive import replicate
from lifestage.diagnostics.prior_predictive import log_prior_draws, prior_draws
from lifestage.fitting.as_summary import as_summary, counts_of
from lifestage.fitting.loo import by_chain, chains, is_drawn, log_likelihoods

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from lifestage.data.customers.summary import Summary
    from lifestage.fitting.fitted import FittedModel

__all__ = ["to_arviz"]


MAX_VALUES = 50_000_000
"""Draws times customers that a tree may hold (0.4 GB)."""

PRIOR_DRAWS = 1000

DIM = {"purchases": "customer", "spend": "buyer"}
LIKELIHOOD_COLUMNS = {"purchases": KEYS, "spend": ("spend_frequency", MONETARY)}
REPLICATED = {"repeat_purchases": "sampled_customer", "mean_spend": "sampled_buyer"}


def to_arviz(
    model: FittedModel, customers: Summary | Counts | Any = None, *, seed: int = 0
) -> xr.DataTree:
    """Put a model's draws, and the data behind them, into a DataTree as ArviZ 1 reads it.

    Parameters
    ----------
    model : FittedModel
    customers : Summary, Counts or frame, optional
        The customers whose log-likelihood is wanted; the model holds none.
    seed : int
        Of the draws from the prior.

    Returns
    -------
    xarray.DataTree
        ``posterior``: the parameters of purchases and spend in the units of the data, dims (chain,
        draw); its attributes say how each part was fitted (``purchases_method``,
        ``purchases_pareto_k`` …). ``sample_stats`` (only by the No-U-Turn sampler): ``diverging``,
        in either part. ``prior`` (not by maximum likelihood): draws of the same parameters, one
        chain; and ``log_prior``: the log density of the draws under the prior, ``purchases`` and
        ``spend``, on the scale of the logarithms, where the priors of
        :mod:`lifestage.fitting.priors` are normal. With customers, of a model fitted by laplace or
        nuts, ``log_likelihood``: the natural logarithm of each customer's likelihood, ``purchases``
        of dims (chain, draw, customer) and ``spend`` of dims (chain, draw, buyer), repeat buyers
        with a positive spend. Both dims have the ids as coordinates (numbers where the customers
        are Counts). ``constant_data`` has what they see, ``frequency``, ``recency``, ``T`` by
        customer and ``spend_frequency``, ``monetary_value`` by buyer. ``posterior_predictive`` has
        ``repeat_purchases`` of a random sample of at most 1,000 customers (dims chain, draw,
        sampled_customer) and ``mean_spend`` of such a sample of repeat buyers (dims chain, draw,
        sampled_buyer), replicated under each draw; ``observed_data`` has theirs under the same
        names. A part with fewer draws than the other has them repeated.

    Raises
    ------
    ConfigError
        If draws times customers are too many to hold.

    Examples
    --------
    >>> import lifestage as ls
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> tree = ls.fit(customers, method="laplace", draws=100).to_arviz(customers)
    >>> sorted(tree.children)
    ['constant_data', 'log_likelihood', 'log_prior', 'observed_data', 'posterior',
    'posterior_predictive', 'prior']
    >>> dict(tree["log_likelihood"]["purchases"].sizes)
    {'chain': 1, 'draw': 100, 'customer': 2357}
    """
    import xarray as xr

    model = _evenly_drawn(model)
    parts = model.parts
    posterior = {}
    for part in parts.values():
        for name, values in part.draws.items():
            posterior[_variable(name)] = (("chain", "draw"), by_chain(values, chains(model)))
    groups = {"posterior": xr.Dataset(posterior, _draw_coords(model), _attributes(model))}
    stats = _diverging(model)
    if stats is not None:
        groups["sample_stats"] = xr.Dataset(
            {"diverging": (("chain", "draw"), stats)}, _draw_coords(model)
        )
    if all(part.priors for part in parts.values()):
        groups |= _prior_groups(model, seed)
    if customers is not None:
        groups |= _customer_groups(model, customers, seed)
    return xr.DataTree.from_dict({f"/{name}": group for name, group in groups.items()})


def _variable(name: str) -> str:
    """Name of a parameter in a tree, where a slash would be a path: ``bg-nbd: r`` in a stack."""
    return name.replace("/", "-")


def _evenly_drawn(model: FittedModel) -> FittedModel:
    """Give every part as many draws as the largest has, those of a smaller one repeated."""
    size = model.size
    parts = {}
    for name, part in model.parts.items():
        if part.size < size:
            pick = np.arange(size) * part.size // size
            draws = {param: values[pick] for param, values in part.draws.items()}
            part = replace(part, draws=draws)
        parts[name] = part
    return replace(model, purchases=parts["purchases"], spend=parts.get("spend"))


def _prior_groups(model: FittedModel, seed: int) -> dict[str, xr.Dataset]:
    """Draws from the prior, and the log density of the posterior's draws under it."""
    import xarray as xr

    prior, density = {}, {}
    for kind, part in model.parts.items():
        for name, values in prior_draws(part, PRIOR_DRAWS, seed).items():
            prior[_variable(name)] = (("chain", "draw"), values[None, :])
        density[kind] = (("chain", "draw"), by_chain(log_prior_draws(part), chains(model)))
    coords = {"chain": [0], "draw": np.arange(PRIOR_DRAWS)}
    return {
        "prior": xr.Dataset(prior, coords),
        "log_prior": xr.Dataset(density, _draw_coords(model)),
    }


def _customer_groups(
    model: FittedModel, customers: Summary | Counts | Any, seed: int
) -> dict[str, xr.Dataset]:
    """What the tree holds of customers."""
    import xarray as xr

    replicates = replicate(model, counts_of(model, customers), seed=seed)
    observed, replicated = {}, {}
    for name, dim in REPLICATED.items():
        if name in replicates.observed:
            values = by_chain(replicates.replicated[name], chains(model))
            observed[name] = (dim, replicates.observed[name])
            replicated[name] = (("chain", "draw", dim), values)
    groups = {
        "posterior_predictive": xr.Dataset(replicated, _draw_coords(model)),
        "observed_data": xr.Dataset(observed),
    }
    if not is_drawn(model.purchases):
        return groups  # leaving customers out of a point estimate would say nothing
    data = xr.Dataset(_one_by_one(model, customers))
    likelihood = {}
    for part in model.parts:
        names = list(LIKELIHOOD_COLUMNS[part])
        columns = np.column_stack([data[name].to_numpy().astype(float) for name in names])
        rows, place = np.unique(columns, axis=0, return_inverse=True)
        blocks = log_likelihoods(model.parts[part], tuple(rows.T), chains(model))
        values = np.concatenate(list(blocks), axis=-1)
        likelihood[part] = (("chain", "draw", DIM[part]), values[..., place.ravel()])
    groups["constant_data"] = data
    groups["log_likelihood"] = xr.Dataset(likelihood, _draw_coords(model) | dict(data.coords))
    return groups


def _draw_coords(model: FittedModel) -> dict[str, Any]:
    n = chains(model)
    return {"chain": np.arange(n), "draw": np.arange(model.purchases.size // n)}


def _attributes(model: FittedModel) -> dict[str, Any]:
    """How each part was fitted: family, method, status, and its scalar diagnostics."""
    out: dict[str, Any] = {"creation_library": "lifestage", "sample_dims": ["chain", "draw"]}
    for name, part in model.parts.items():
        out[f"{name}_family"] = part.family
        out[f"{name}_method"] = part.method
        out[f"{name}_status"] = str(part.status)
        for key, value in part.diagnostics.items():
            if isinstance(value, int | float):
                out[f"{name}_{key}"] = value
    return out


def _diverging(model: FittedModel) -> NDArray[np.bool_] | None:
    """Whether a transition diverged, in either part; None without chains, or after thinning."""
    if "divergent" not in model.purchases.diagnostics:
        return None
    flat = np.zeros(model.purchases.size, bool)
    for part in model.parts.values():
        flat[part.diagnostics["divergent"]] = True
    return by_chain(flat, chains(model))


def _one_by_one(
    model: FittedModel, customers: Summary | Counts | Any
) -> dict[str, tuple[str, NDArray[Any]]]:
    """Data of each customer and of each repeat buyer, with their ids, as (dim, values)."""
    if not isinstance(customers, Counts):
        customers = as_summary(model, customers)
    n = int(customers.customers)
    if n * model.size > MAX_VALUES:
        raise ConfigError(
            f"expected at most {MAX_VALUES:,} customers × draws; got {n:,} × {model.size:,}: thin"
            " the model with model.thin(draws), pass a sample of the customers, or leave"
            " customers out with lifestage.evaluate.loo(model, customers), which needs distinct"
            " histories only"
        )
    if isinstance(customers, Counts):
        table, buyers = _tables_of_counts(customers)
    else:
        money = [MONETARY] if model.spend is not None else []
        table = to_pandas(lazy(customers.table)[0].select(CUSTOMER, *KEYS, *money))
        buyers = table[(table["frequency"] > 0) & (table[MONETARY] > 0)] if money else table
    data = {"customer": ("customer", np.asarray(table[CUSTOMER]))}
    for name in KEYS:
        data[name] = ("customer", np.asarray(table[name]))
    if model.spend is not None:
        data["buyer"] = ("buyer", np.asarray(buyers[CUSTOMER]))
        data["spend_frequency"] = ("buyer", np.asarray(buyers["frequency"]))
        data[MONETARY] = ("buyer", np.asarray(buyers[MONETARY]))
    return data


def _tables_of_counts(counts: Counts) -> tuple[Any, Any]:
    """Columns of the customers and of the repeat buyers behind counts, numbered."""
    row = np.repeat(np.arange(counts.x.size), counts.weight.astype(int))
    buyer = np.repeat(np.arange(counts.spend_x.size), counts.spend_weight.astype(int))
    table = {
        CUSTOMER: np.arange(row.size),
        "frequency": counts.x[row],
        "recency": counts.t_x[row],
        "T": counts.T[row],
    }
    buyers = {
        CUSTOMER: np.arange(buyer.size),
        "frequency": counts.spend_x[buyer],
        MONETARY: counts.spend_m[buyer],
    }
    return table, buyers
