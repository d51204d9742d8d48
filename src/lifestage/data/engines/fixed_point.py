"""Sums of money that are the same in every run: amounts as whole multiples of one unit.

Engines add doubles in the order in which their threads deliver them, and the last digit of a sum
depends on that order. Whole numbers add up exactly in any order, so amounts are summed as integers
of 128 bits (DuckDB) or 38 digits (Spark), in units of a power of two that suits the log.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import narwhals as nw

from lifestage.data.engines.frames import dialect_of, to_pandas, wrap

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["common_unit", "in_money", "in_units", "units_of"]

SUM_BITS = 126
"""Bits of the largest sum: 2**126 fits a signed integer of 128 bits, and 38 decimal digits."""

AMOUNT_BITS = 40
"""Bits that the smallest amount must keep, a relative error of 1e-12; larger ones keep more."""

LARGEST_EXPONENT = 1000
"""Of a power of two: amounts are divided by the unit as doubles, which end at 2**1024."""


def common_unit(largest: float, smallest: float, rows: int) -> float | None:
    """Return the unit, a power of two, in which so many amounts can be added up exactly.

    None if the amounts span too wide a range for one unit, or if all are zero: they are then added
    up as doubles.

    Parameters
    ----------
    largest, smallest : float
        Largest and smallest absolute value of the amounts that are not zero; NaN without any.
    rows : int
        Number of amounts.

    Examples
    --------
    >>> common_unit(2.0, 0.01, 1024) == 2.0**-113
    True
    >>> common_unit(1e40, 0.01, 1024) is None
    True
    """
    if not largest > 0:
        return None
    bits = math.frexp(largest)[1] + max(rows, 1).bit_length()
    exponent = max(bits - SUM_BITS, -LARGEST_EXPONENT)
    if math.frexp(smallest)[1] - 1 - exponent < AMOUNT_BITS:
        return None
    return math.ldexp(1.0, exponent)


def units_of(frame: nw.LazyFrame[Any], *names: str) -> dict[str, float | None]:
    """Column → the unit in which its amounts can be added up exactly; the frame is read once."""
    terms = [nw.len().alias("rows")]
    for name in names:
        size = nw.col(name).abs()
        terms.append(size.max().alias(f"largest {name}"))
        terms.append(nw.when(size > 0).then(size).min().alias(f"smallest {name}"))
    extremes = to_pandas(frame.select(*terms)).iloc[0].astype(float)
    units = {}
    for name in names:
        largest, smallest = extremes[f"largest {name}"], extremes[f"smallest {name}"]
        units[name] = common_unit(largest, smallest, int(extremes["rows"]))
    return units


def in_units(frame: nw.LazyFrame[Any], units: Mapping[str, float | None]) -> nw.LazyFrame[Any]:
    """Turn columns of amounts into whole multiples of their units; a column without one stays."""
    rel = frame.to_native()
    dialect = dialect_of(rel)
    terms = []
    # Dividing by a power of two is exact, so an amount is rounded once, to a whole unit.
    for name in rel.columns:
        column = dialect.quoted(name)
        unit = units.get(name)
        term = column if unit is None else dialect.whole(column, unit)
        terms.append(f"{term} as {column}")
    return wrap(dialect.project(rel, terms))


def in_money(name: str, unit: float | None) -> nw.Expr:
    """The amounts of a column of whole multiples of a unit, or of sums of them, as doubles."""
    column = nw.col(name).cast(nw.Float64)
    return column if unit is None else column * unit
