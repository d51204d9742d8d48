r"""Several families side by side: each draw of the parameters belongs to one of them.

A stack of models predicts by a mixture, :math:`p(y) = \sum_k w_k\, p_k(y)`. Draws are averaged over
wherever a posterior has many, so a stack is a posterior in which a share :math:`w_k` of the draws is
of family k, and its probabilities, expectations and intervals are those of the mixture. A parameter
is named by its family, such as ``"bg/nbd: r"``; a draw has values for the parameters of its own
family, and NaN for all others.

Every function has the arguments of the same function of a family. It asks the family of each draw.

Source: Yao, Vehtari, Simpson & Gelman (2018), Bayesian Analysis 13(3), 917–1007.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lifestage.families import tables
from lifestage.families.catalog import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from lifestage.core.typing import Floats, Ints

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


class Component(NamedTuple):
    """A family, its parameters, and the draws that belong to it."""

    module: ModuleType
    params: dict[str, Any]
    draws: Ints


def column_name(family: str, parameter: str) -> str:
    """Name of a family's parameter in a mixture.

    Examples
    --------
    >>> column_name("bg/nbd", "r")
    'bg/nbd: r'
    """
    return f"{family}: {parameter}"


def family_of_column(name: str) -> tuple[str, str]:
    """The family and the parameter that :func:`column_name` named.

    Examples
    --------
    >>> family_of_column("bg/nbd: r")
    ('bg/nbd', 'r')
    """
    family, _, parameter = name.rpartition(": ")
    return family, parameter


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


def _components(params: dict[str, Any]) -> tuple[list[Component], int, int]:
    """The families that draws belong to; the axis, from the last, and the number of the draws."""
    columns: dict[str, dict[str, Any]] = {}
    for name, values in params.items():
        family, parameter = family_of_column(name)
        columns.setdefault(family, {})[parameter] = np.asarray(values, float)
    shape = np.shape(next(iter(params.values())))
    long = [axis for axis in range(-len(shape), 0) if shape[axis] > 1]
    axis, size = (long[0], shape[long[0]]) if long else (-1, 1)
    found = []
    for family, own in columns.items():
        member = np.isfinite(next(iter(own.values()))).ravel()
        draws = np.flatnonzero(member)
        if draws.size:
            found.append(Component(FAMILIES[family], own, draws))
    return found, axis, size


def _take(values: Any, axis: int, size: int, draws: Ints) -> Any:
    """Those of the draws, of data or parameters that have a value per draw; others as they are."""
    values = np.asarray(values, float)
    if size > 1 and values.ndim >= -axis and values.shape[axis] == size:
        return np.take(values, draws, axis=axis)
    return values


def _by_family(
    function: Callable[..., Any], data: tuple[Data, ...], params: dict[str, Any]
) -> tuple[list[tuple[Any, Ints]], int, int]:
    """Results of *function* (module, *data*, parameters) for the draws of each family."""
    found, axis, size = _components(params)
    results = []
    for module, own, draws in found:
        some = [_take(values, axis, size, draws) for values in data]
        columns = {name: _take(values, axis, size, draws) for name, values in own.items()}
        results.append((function(module, *some, columns), draws))
    return results, axis, size


def _merge(results: list[tuple[Any, Ints]], axis: int, size: int) -> Any:
    """One array of the arrays of all families, each draw in its place."""
    if size == 1:
        return results[0][0]
    first = np.asarray(results[0][0])
    shape = list(first.shape)
    shape[axis] = size
    out = np.empty(shape, first.dtype)
    places = np.moveaxis(out, axis, 0)
    for values, draws in results:
        places[draws] = np.moveaxis(np.asarray(values), axis, 0)
    return out


def _merge_dicts(results: list[tuple[Any, Ints]], axis: int, size: int) -> dict[str, Any]:
    """Arrays that every family has, by name."""
    names = list(results[0][0])
    for values, _ in results:
        names = [name for name in names if name in values]
    out = {}
    for name in names:
        out[name] = _merge([(values[name], draws) for values, draws in results], axis, size)
    return out


def _evaluate(name: str, data: tuple[Data, ...], params: dict[str, Any], **options: Any) -> Floats:
    """The function *name* of each draw's family."""

    def call(module: ModuleType, *some: Any) -> Any:
        *arguments, own = some
        return getattr(module, name)(*arguments, **own, **options)

    return np.asarray(_merge(*_by_family(call, data, params)))[()]


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

    results, axis, size = _by_family(call, (), params)
    expected = _merge([(both[0], draws) for both, draws in results], axis, size)
    return expected, _merge([(both[1], draws) for both, draws in results], axis, size)


def rate_shape(x: Data, **params: Any) -> Floats:
    """Squared mean over variance of a living customer's purchase rate."""

    def call(module: ModuleType, own: dict[str, Any]) -> Floats:
        draws = len(next(iter(own.values())))
        shape = tables.rate_shape(module, own, np.asarray(x, float))
        return np.broadcast_to(shape, (draws, *np.shape(shape)))

    return np.asarray(_merge(*_by_family(call, (), params)))


def sample_latent(
    size: int, x: Data, t_x: Data, T: Data, *, seed: int | np.random.Generator, **params: Any
) -> dict[str, Any]:
    """Draw ``alive``, and what else all families have, from each customer's posterior."""
    rng = np.random.default_rng(seed)

    def call(module: ModuleType, *some: Any) -> dict[str, Any]:
        *data, own = some
        latent: dict[str, Any] = module.sample_latent(size, *data, **own, seed=rng)
        return latent

    return _merge_dicts(*_by_family(call, (x, t_x, T), params))


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

    results, axis, size = _by_family(call, (T,), params)
    customers, times = [], []
    for world, draws in results:
        customer = world.pop("customer")
        customers.append(customer if size == 1 else draws[customer])
        times.append(world.pop("time"))
    purchases = {"customer": np.concatenate(customers), "time": np.concatenate(times)}
    return _merge_dicts(results, axis, size) | purchases


def simulate_future(
    rng: np.random.Generator, times: Data, x: Data, t_x: Data, T: Data, **params: Any
) -> dict[str, Any]:
    """Carry each customer's history on to T + each of *times*, which rise."""

    def call(module: ModuleType, *some: Any) -> dict[str, Any]:
        *data, own = some
        future: dict[str, Any] = module.simulate_future(rng, times, *data, **own)
        return future

    results, axis, size = _by_family(call, (x, t_x, T), params)
    return _merge_dicts(results, axis - 1, size)  # the times are the last axis
