"""Which column of a log has which role."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lifestage.core.errors import ConfigError, DataError
from lifestage.data.engines.frames import engine_of
from lifestage.data.engines.local import names, place_of, types_of
from lifestage.data.sources.csv import MALFORMED

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["check_roles"]

SHOWN = 30
"""Columns that an error lists."""


def check_roles(orders: Any, roles: Mapping[str, Any]) -> dict[str, int]:
    """Return the place of the column of each role that is given.

    Raises
    ------
    DataError
        If a column is missing, or its name is that of several, or ids are of several types.
    ConfigError
        If there is a quantity without an amount.
    """
    named = {role: name for role, name in roles.items() if name is not None}
    found = {role: place_of(orders, name, role) for role, name in named.items()}
    absent = [f"{named[role]!r} ({role}=)" for role, place in found.items() if place is None]
    came = [name for name in names(orders) if name != MALFORMED]
    if absent:
        more = f" and {len(came) - SHOWN:,} more" if len(came) > SHOWN else ""
        listed = ", ".join(map(repr, came[:SHOWN]))
        raise DataError(
            f"expected the column {' and '.join(absent)}; the orders have {listed}{more}"
        )
    places = {role: place for role, place in found.items() if place is not None}
    _check_case(list(map(str, came)), [str(names(orders)[place]) for place in places.values()])
    if "quantity" in named and "amount" not in named:
        raise ConfigError(
            "expected amount= beside quantity=: quantity multiplies it; got amount=None"
        )
    types = {} if engine_of(orders) is not None else types_of(orders, places["customer"])
    if types:
        listed = ", ".join(f"{count} {name}" for name, count in types.items())
        raise DataError(
            f"expected ids of one type in column {named['customer']!r}; got {listed}; make them all"
            " text"
        )
    return places


def _check_case(came: list[str], used: list[str]) -> None:
    """Engines do not tell names apart by their case; which of two columns is meant, only their owner can."""
    for name in used:
        alike = [each for each in came if each.lower() == name.lower()]
        if len(alike) > 1:
            raise DataError(
                f"expected one column {name!r}, whatever the case; the orders have"
                f" {', '.join(alike)}"
            )
