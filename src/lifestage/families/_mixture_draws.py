"""The draws of a mixture: split by family, evaluated by their family, merged again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lifestage.families.catalog import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from lifestage.core.typing import Ints

__all__ = [
    "Component",
    "by_family",
    "column_name",
    "components",
    "family_of_column",
    "merge",
    "merge_dicts",
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


def components(params: dict[str, Any]) -> tuple[list[Component], int, int]:
    """The families that draws belong to; the axis, from the last, and the number of the draws."""
    columns: dict[str, dict[str, Any]] = {}
    for name, values in params.items():
        family, parameter = family_of_column(name)
        columns.setdefault(family, {})[parameter] = np.asarray(values, float)
    shape = np.shape(next(iter(params.values())))
    long = [axis for axis in range(-len(shape), 0) if shape[axis] > 1]
    axis, size = (long[0], shape[long[0]]) if long else (-1, 1)
    families = []
    for family, own in columns.items():
        member = np.isfinite(next(iter(own.values()))).ravel()
        draws = np.flatnonzero(member)
        if draws.size:
            families.append(Component(FAMILIES[family], own, draws))
    return families, axis, size


def _take(values: Any, axis: int, size: int, draws: Ints) -> Any:
    """Those of the draws, of data or parameters that have a value per draw; others as they are."""
    values = np.asarray(values, float)
    if size > 1 and values.ndim >= -axis and values.shape[axis] == size:
        return np.take(values, draws, axis=axis)
    return values


def by_family(
    function: Callable[..., Any], data: tuple[Data, ...], params: dict[str, Any]
) -> tuple[list[tuple[Any, Ints]], int, int]:
    """Results of *function* (module, *data*, parameters) for the draws of each family."""
    families, axis, size = components(params)
    results = []
    for module, own, draws in families:
        some = [_take(values, axis, size, draws) for values in data]
        columns = {name: _take(values, axis, size, draws) for name, values in own.items()}
        results.append((function(module, *some, columns), draws))
    return results, axis, size


def merge(results: list[tuple[Any, Ints]], axis: int, size: int) -> Any:
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


def merge_dicts(results: list[tuple[Any, Ints]], axis: int, size: int) -> dict[str, Any]:
    """Arrays that every family has, by name."""
    names = list(results[0][0])
    for values, _ in results:
        names = [name for name in names if name in values]
    out = {}
    for name in names:
        out[name] = merge([(values[name], draws) for values, draws in results], axis, size)
    return out
