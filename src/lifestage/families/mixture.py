r"""Several families side by side: each draw of the parameters belongs to one of them.

A stack of models predicts by a mixture, :math:`p(y) = \sum_k w_k\, p_k(y)`. Draws are averaged
over wherever a posterior has many, so a stack is a posterior in which a share :math:`w_k` of the
draws is of family k, and its probabilities, expectations and intervals are those of the mixture. A
parameter is named by its family, such as ``"bg/nbd: r"``; a draw has values for the parameters of
its own family, and NaN for all others.

Every function has the arguments of the same function of a family. It asks the family of each draw.

Source: Yao, Vehtari, Simpson & Gelman (2018), Bayesian Analysis 13(3), 917–1007.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from lifestage.families import tables
from lifestage.families._mixture_draws import (
    by_family,
    column_name,
    family_of_column,
    merge,
    merge_dicts,
)
from lifestage.families.catalog import FAMILIES

if TYPE_CHECKING:
    from types import ModuleType

    from lifestage.core.typing import Floats

__all__ = [
    "alive_purchases",
    "column_name",
    "count_survival",
    "discounted_purchases",
    "expected_purchases",
    "family_of_column",
    "log_likelihood",
    "mean_dropout",
    "next_purchase_quantile",
    "p_alive",
    "p_alive_at",
    "p_purchase",
    "purchase_pmf",
    "purchase_sf",
    "purchase_table",
    "rate_shape",
    "residual_purchases",
    "sample_latent",
    "simulate_customers",
    "simulate_future",
]

Data = ArrayLike


def __getattr__(name: str) -> Any:
    """``PARAMS``, ``UNITS`` and ``STATE`` of all the families that there are at the moment."""
    if name == "STATE":
        states: dict[str, None] = {}
        for module in FAMILIES.values():
            states |= dict.fromkeys(module.STATE)
        return tuple(states)
    if name not in ("PARAMS", "UNITS"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    units = {}
    for family, module in FAMILIES.items():
        for parameter in module.PARAMS:
            units[column_name(family, parameter)] = module.UNITS[parameter]
    return units if name == "UNITS" else tuple(units)


def _evaluate(name: str, data: tuple[Data, ...], params: dict[str, Any], **options: Any) -> Floats:
    """The function *name* of each draw's family."""

    def call(module: ModuleType, *some: Any) -> Any:
        *arguments, own = some
        return getattr(module, name)(*arguments, **own, **options)

    return np.asarray(merge(*by_family(call, data, params)))[()]


def log_likelihood(x: Data, t_x: Data, T: Data, **params: Any) -> Floats:
    """Log-likelihood of each customer's (x, t_x, T), with every constant."""
    return _evaluate("log_likelihood", (x, t_x, T), params)


def p_alive(x: Data, t_x: Data, T: Data, **params: Any) -> Floats:
    """P(the customer has not dropped out by T)."""
    return _evaluate("p_alive", (x, t_x, T), params)


def p_alive_at(t: Data, x: Data, t_x: Data, T: Data, **params: Any) -> Floats:
    """P(the customer has not dropped out by T + t)."""
    return _evaluate("p_alive_at", (t, x, t_x, T), params)


def mean_dropout(t: Data, **params: Any) -> Floats:
    """Mean probability of dropping out, as each family defines it."""
    return _evaluate("mean_dropout", (t,), params)


def p_purchase(t: Data, x: Data, t_x: Data, T: Data, **params: Any) -> Floats:
    """P(at least one purchase in (T, T + t])."""
    return _evaluate("p_purchase", (t, x, t_x, T), params)


def expected_purchases(t: Data, x: Data, t_x: Data, T: Data, **params: Any) -> Floats:
    """Expected purchases in (T, T + t]."""
    return _evaluate("expected_purchases", (t, x, t_x, T), params)


def discounted_purchases(
    t: Data, x: Data, t_x: Data, T: Data, *, rate: float, **params: Any
) -> Floats:
    """Expected purchases in (T, T + t], each discounted at the continuous *rate*."""
    return _evaluate("discounted_purchases", (t, x, t_x, T), params, rate=rate)


def residual_purchases(x: Data, t_x: Data, T: Data, *, rate: float, **params: Any) -> Floats:
    """Expected discounted purchases without a horizon."""
    return _evaluate("residual_purchases", (x, t_x, T), params, rate=rate)


def alive_purchases(t: Data, x: Data, T: Data, *, rate: float = 0.0, **params: Any) -> Floats:
    """Expected (discounted) purchases in (T, T + t] given that the customer is alive at T."""
    return _evaluate("alive_purchases", (t, x, T), params, rate=rate)


def count_survival(n: Data, t: Data, x: Data, T: Data, **params: Any) -> Floats:
    """P(at least n purchases in (T, T + t] | alive at T), 1 for n ≤ 0."""
    return _evaluate("count_survival", (n, t, x, T), params)


def purchase_sf(n: Data, t: Data, x: Data, t_x: Data, T: Data, **params: Any) -> Floats:
    """P(at least n purchases in (T, T + t]), 1 for n ≤ 0."""
    return _evaluate("purchase_sf", (n, t, x, t_x, T), params)


def purchase_pmf(n: Data, t: Data, x: Data, t_x: Data, T: Data, **params: Any) -> Floats:
    """P(exactly n purchases in (T, T + t])."""
    return _evaluate("purchase_pmf", (n, t, x, t_x, T), params)


def next_purchase_quantile(share: Data, t: Data, x: Data, T: Data, **params: Any) -> Floats:
    """Quantile of the wait to the next purchase, given alive at T and a purchase within t."""
    return _evaluate("next_purchase_quantile", (share, t, x, T), params)


def purchase_table(
    t: float, x: Floats, T: Floats, rate: float, **params: Any
) -> tuple[Floats, Floats]:
    """Tabulate :func:`alive_purchases`; see :func:`lifestage.families.tables.purchase_table`."""

    def call(module: ModuleType, own: dict[str, Any]) -> tuple[Floats, Floats]:
        return tables.purchase_table(module, own, t, x, T, rate)

    results, axis, size = by_family(call, (), params)
    expected = merge([(both[0], draws) for both, draws in results], axis, size)
    return expected, merge([(both[1], draws) for both, draws in results], axis, size)


def rate_shape(x: Data, **params: Any) -> Floats:
    """Squared mean over variance of a living customer's purchase rate."""

    def call(module: ModuleType, own: dict[str, Any]) -> Floats:
        draws = len(next(iter(own.values())))
        shape = tables.rate_shape(module, own, np.asarray(x, float))
        return np.broadcast_to(shape, (draws, *np.shape(shape)))

    return np.asarray(merge(*by_family(call, (), params)))


def sample_latent(
    size: int, x: Data, t_x: Data, T: Data, *, seed: int | np.random.Generator, **params: Any
) -> dict[str, Any]:
    """Draw ``alive``, and what else all families have, from each customer's posterior."""
    rng = np.random.default_rng(seed)

    def call(module: ModuleType, *some: Any) -> dict[str, Any]:
        *data, own = some
        latent: dict[str, Any] = module.sample_latent(size, *data, **own, seed=rng)
        return latent

    return merge_dicts(*by_family(call, (x, t_x, T), params))


def simulate_customers(rng: np.random.Generator, T: Data, **params: Any) -> dict[str, Any]:
    """Simulate customers observed for T, with parameters of one draw or a value per customer.

    Returns
    -------
    dict
        ``x``, ``t_x``, ``T``, ``alive``; every repeat purchase as ``customer`` and ``time``.
    """
    T = np.atleast_1d(np.asarray(T, float))

    def call(module: ModuleType, some: Any, own: dict[str, Any]) -> dict[str, Any]:
        world: dict[str, Any] = module.simulate_customers(rng, some, **own)
        return world

    results, axis, size = by_family(call, (T,), params)
    customers, times = [], []
    for world, draws in results:
        customer = world.pop("customer")
        customers.append(customer if size == 1 else draws[customer])
        times.append(world.pop("time"))
    purchases = {"customer": np.concatenate(customers), "time": np.concatenate(times)}
    return merge_dicts(results, axis, size) | purchases


def simulate_future(
    rng: np.random.Generator, times: Data, x: Data, t_x: Data, T: Data, **params: Any
) -> dict[str, Any]:
    """Carry each customer's history on to T + each of *times*, which rise."""

    def call(module: ModuleType, *some: Any) -> dict[str, Any]:
        *data, own = some
        future: dict[str, Any] = module.simulate_future(rng, times, *data, **own)
        return future

    results, axis, size = by_family(call, (x, t_x, T), params)
    return merge_dicts(results, axis - 1, size)  # the times are the last axis
