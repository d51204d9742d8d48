"""Probability models of buying and spending: a model is a module, and its sisters have the same function names."""

from __future__ import annotations

from types import ModuleType

from lifestage.errors import ConfigError
from lifestage.families import bgnbd, gammagamma, mbgnbd

__all__ = ["PURCHASES", "SPEND", "bgnbd", "family", "gammagamma", "mbgnbd"]

PURCHASES: dict[str, ModuleType] = {"bg/nbd": bgnbd, "mbg/nbd": mbgnbd}
SPEND: dict[str, ModuleType] = {"gamma-gamma": gammagamma}


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
    known = PURCHASES | SPEND
    if name not in known:
        raise ConfigError(f"family must be one of {', '.join(known)}; got {name!r}")
    return known[name]
