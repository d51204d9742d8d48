"""The draws of a saved model: read with every value checked, and brought to the form of today."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lifestage.core.errors import RegistryError
from lifestage.families import FAMILIES, STACK, family
from lifestage.families.mixture import column_name, family_of_column

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pyarrow as pa

    from lifestage.core.typing import Bools, Floats

__all__ = ["read_draws", "read_units"]

OLD_STACK = {"bg/nbd": 0.0, "mbg/nbd": 1.0}
"""Up to schema 2 a stack was of these two. Both had the same columns, and ``first_dropout`` was the
family of a draw."""


def read_draws(file: Path, name: str, schema: int) -> dict[str, Floats]:
    """The draws of the parameters of a family.

    Raises
    ------
    RegistryError
        If the file cannot be read or has no draws, or a value cannot be: its name, its draw, and
        what it is.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(file)
        names = _columns(table, name, schema)
        draws = {}
        for column in names:
            draws[column] = table.column(column).cast("double").to_numpy()
    except (OSError, KeyError, TypeError, ValueError, pa.ArrowException) as error:
        raise RegistryError(
            f"expected draws of a saved model in {file}; could not read them: {error!s:.200}"
        ) from error
    if not table.num_rows:
        raise RegistryError(f"expected draws of {name} in {file}; it has none")
    if name == STACK and schema <= 2:
        draws = _old_stack(draws, file)
    members = _members(draws, file) if name == STACK else {}
    for column, values in draws.items():
        positive = np.isfinite(values) & (values > 0)
        if name == STACK:  # NaN where a draw is of another family
            positive |= ~members[family_of_column(column)[0]] & np.isnan(values)
        _ensure(positive, values, f"{column} of {name} as a finite number above 0", file)
    return draws


def _columns(table: pa.Table, name: str, schema: int) -> Sequence[str]:
    """Names of the columns that hold the draws."""
    if name != STACK:
        parameters: tuple[str, ...] = family(name).PARAMS
        return parameters
    if schema <= 2:
        return (*FAMILIES["bg/nbd"].PARAMS, "first_dropout")
    names = []
    for each in dict.fromkeys(family_of_column(column)[0] for column in table.column_names):
        names += [column_name(each, parameter) for parameter in FAMILIES[each].PARAMS]
    return names


def _old_stack(draws: dict[str, Floats], file: Path) -> dict[str, Floats]:
    """Columns by family, from those that two families shared."""
    first_dropout = draws.pop("first_dropout")
    known = np.isin(first_dropout, (0, 1))
    _ensure(known, first_dropout, f"first_dropout of {STACK} as 0 or 1", file)
    columns = {}
    for name, mark in OLD_STACK.items():
        for parameter, values in draws.items():
            columns[column_name(name, parameter)] = np.where(first_dropout == mark, values, np.nan)
    return columns


def _members(draws: dict[str, Floats], file: Path) -> dict[str, Bools]:
    """Which draws belong to each family: those in which its first parameter is a number."""
    members: dict[str, Bools] = {}
    for column, values in draws.items():
        members.setdefault(family_of_column(column)[0], ~np.isnan(values))
    families = np.sum(list(members.values()), axis=0)
    _ensure(families == 1, families, f"one family per draw of {STACK}", file)
    return members


def _ensure(good: Bools, values: Floats, expected: str, file: Path) -> None:
    if not good.all():
        draw = int(np.argmin(good))
        raise RegistryError(f"expected {expected}; draw {draw} of {file} has {values[draw]:g}")


def read_units(units: list[float], name: str, schema: int) -> list[float]:
    """Unit of each column of the draws; of an old stack both families have the same."""
    return units * len(OLD_STACK) if name == STACK and schema <= 2 else units
