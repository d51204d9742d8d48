"""Which column of a log has which role."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lifestage.core.errors import ConfigError, DataError
from lifestage.data.engines.frames import engine_of
from lifestage.data.engines.local import names, position_of, types_of
from lifestage.data.sources.csv import MALFORMED

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["check_roles"]

MAX_LISTED_COLUMNS = 30
"""Columns that an error lists."""


def check_roles(orders: Any, roles: Mapping[str, Any]) -> dict[str, int]:
    """Return the position of the column of each role that is used.

    Raises
    ------
    DataError
        If a column is missing, or its name is that of several, or ids are of several types.
    ConfigError
        If there is a quantity without an amount.
    """
    named = {role: name for role, name in roles.items() if name is not None}
    all_names = names(orders)
    positions, absent = {}, []
    for role, name in named.items():
        position = position_of(orders, name, role)
        if position is None:
            absent.append(f"{name!r} ({role}=)")
        else:
            positions[role] = position
    columns = [name for name in all_names if name != MALFORMED]
    if absent:
        others = len(columns) - MAX_LISTED_COLUMNS
        more = f" and {others:,} more" if others > 0 else ""
        listed = ", ".join(map(repr, columns[:MAX_LISTED_COLUMNS]))
        raise DataError(
            f"expected the column {' and '.join(absent)}; the orders have {listed}{more}"
        )
    _check_case(columns, [all_names[position] for position in positions.values()])
    if "quantity" in named and "amount" not in named:
        raise ConfigError(
            "expected amount= beside quantity=: quantity multiplies it; got amount=None"
        )
    types = {} if engine_of(orders) is not None else types_of(orders, positions["customer"])
    if types:
        listed = ", ".join(f"{count} {name}" for name, count in types.items())
        raise DataError(
            f"expected ids of one type in column {named['customer']!r}; got {listed}; make them all"
            " text"
        )
    return positions


def _check_case(columns: list[Any], used: list[Any]) -> None:
    """Refuse used names that differ from another only in case: engines take them as equal."""
    by_case: dict[str, list[str]] = {}
    for name in map(str, columns):
        by_case.setdefault(name.lower(), []).append(name)
    for name in map(str, used):
        alike = by_case[name.lower()]
        if len(alike) > 1:
            raise DataError(
                f"expected one column {name!r}, whatever the case; the orders have"
                f" {', '.join(alike)}"
            )
