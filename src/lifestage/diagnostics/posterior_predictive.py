"""Replicated customers: the purchases and mean spends that a fitted model would have seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.families import family

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lifestage.core.typing import Floats
    from lifestage.data.customers.counts import Counts
    from lifestage.fitting.fitted import FittedModel

__all__ = ["Replicates", "replicate"]


MAX_CUSTOMERS = 1000
"""Customers that are replicated: a random sample of the base where there are more."""

MAX_VALUES = 4_000_000
"""Draws times customers that are replicated; fewer customers where there are more draws."""


@dataclass(frozen=True, eq=False)
class Replicates:
    """Observed values of shape (n,) and replicated ones of shape (draws, n), by name.

    Attributes
    ----------
    observed, replicated : dict
        ``repeat_purchases`` of customers, replicated as new customers observed for as long;
        with a spend model ``mean_spend`` (money) of repeat buyers, replicated with as many
        purchases.
    """

    observed: dict[str, NDArray[Any]]
    replicated: dict[str, NDArray[Any]]


def replicate(model: FittedModel, counts: Counts, *, seed: int = 0) -> Replicates:
    """Replicate a random sample of customers under every draw of the parameters.

    A row is chosen with a probability in proportion to its weight, each customer at most once.
    """
    rng = np.random.default_rng(seed)
    observed: dict[str, NDArray[Any]] = {}
    replicated: dict[str, NDArray[Any]] = {}
    part = model.purchases
    rows = _sample(rng, counts.weight, part.size)
    columns = {name: np.repeat(values, rows.size) for name, values in part.draws.items()}
    born = family(part.family).simulate_customers(
        rng, np.tile(counts.T[rows], part.size), **columns
    )
    observed["repeat_purchases"] = counts.x[rows].astype(np.int64)
    replicated["repeat_purchases"] = born["x"].reshape(part.size, -1).astype(np.int64)
    if model.spend is not None:
        rows = _sample(rng, counts.spend_weight, model.spend.size)
        columns = {name: values[:, None] for name, values in model.spend.draws.items()}
        x = np.broadcast_to(counts.spend_x[rows], (model.spend.size, rows.size))
        observed["mean_spend"] = counts.spend_m[rows]
        replicated["mean_spend"] = family(model.spend.family).simulate(x, **columns, seed=rng)["m"]
    return Replicates(observed, replicated)


def _sample(rng: np.random.Generator, weight: Floats, draws: int) -> NDArray[np.intp]:
    """Rows of customers chosen at random: each customer at most once."""
    ends = np.cumsum(weight.astype(int))
    size = min(MAX_CUSTOMERS, max(MAX_VALUES // draws, 1), int(ends[-1]))
    chosen = np.sort(rng.choice(int(ends[-1]), size, replace=False))
    return np.searchsorted(ends, chosen, side="right")
