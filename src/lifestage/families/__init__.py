"""Probability models of buying and spending: a model is a module, and its sisters have the same function names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifestage.core.errors import ConfigError
from lifestage.families import bgnbd, gammagamma, mbgnbd, pareto_nbd
from lifestage.families import mixture as stack

if TYPE_CHECKING:
    from types import ModuleType

__all__ = [
    "PURCHASES",
    "SPEND",
    "STACK",
    "bgnbd",
    "family",
    "gammagamma",
    "mbgnbd",
    "pareto_nbd",
    "stack",
]

PURCHASES: dict[str, ModuleType] = {"bg/nbd": bgnbd, "mbg/nbd": mbgnbd}
SPEND: dict[str, ModuleType] = {"gamma-gamma": gammagamma}
STACK = "stack"
"""Name of a posterior whose draws belong to several of the purchase families."""


def family(name: str) -> ModuleType:
    """Return the module of the family called *name*.

    Raises
    ------
    ConfigError
        If there is no such family.

    Examples
    --------
    >>> family("bg/nbd").PARAMS
    ('r', 'alpha', 'a', 'b')
    """
    known = PURCHASES | SPEND | {STACK: stack}
    if name not in known:
        raise ConfigError(f"family must be one of {', '.join(known)}; got {name!r}")
    return known[name]
