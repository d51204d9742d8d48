"""Probability models of buying and spending: modules with the same function names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifestage.core.errors import ConfigError
from lifestage.families import bgnbd, gammagamma, mbgnbd, mixture, pareto_nbd
from lifestage.families.catalog import AUTO, FAMILIES, SPEND, STACK

if TYPE_CHECKING:
    from types import ModuleType

__all__ = [
    "AUTO",
    "FAMILIES",
    "SPEND",
    "STACK",
    "bgnbd",
    "family",
    "gammagamma",
    "mbgnbd",
    "pareto_nbd",
]


def family(name: str) -> ModuleType:
    """Return the module of the family called *name*.

    Parameters
    ----------
    name : str
        A row of ``FAMILIES`` or ``SPEND``, or ``"stack"``.

    Returns
    -------
    module

    Raises
    ------
    ConfigError
        If there is no such family.

    Examples
    --------
    >>> family("bg/nbd").PARAMS
    ('r', 'alpha', 'a', 'b')
    """
    modules = FAMILIES | SPEND | {STACK: mixture}
    if name not in modules:
        raise ConfigError(f"family must be one of {', '.join(modules)}; got {name!r}")
    return modules[name]
