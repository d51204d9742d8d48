"""Distinct rows of columns: sorted, counted, and summed over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lifestage.core.typing import Floats

__all__ = ["Coded", "Distinct", "coded", "distinct"]

Places = NDArray[np.int64]

BITS = 63
STEPS, SAMPLE = 1 << 20, 1000
"""Multiples of a step up to which they are looked up in a table no longer than the column, and the values that tell
the step."""
BLOCK = 1 << 16
"""Rows at a time: what is computed of them stays in the cache."""


@dataclass(frozen=True, eq=False)
class Coded:
    """A column as codes in order of its values; ``table[codes]`` is the column, bit by bit.

    Whole multiples of one *step*, such as times in days or weeks, are coded by division, which
    costs a fraction of sorting or hashing: *held* are the values then, else the codes, and the
    table has multiples that do not occur, too.
    """

    table: NDArray[Any]
    held: NDArray[Any]
    step: float | None = None

    def codes(self, rows: slice = slice(None)) -> Places:
        """Codes of some rows."""
        if self.step is None:
            return self.held[rows]
        scaled = self.held[rows] / self.step
        return np.rint(scaled, out=scaled).astype(np.int64)


def coded(values: NDArray[Any]) -> Coded:
    """Code a column of finite numbers."""
    import pandas as pd

    sample = np.unique(values[:SAMPLE])
    if sample.size > 1 and values.min() >= 0:
        step, top = np.diff(sample).min(), values.max()
        if top < min(STEPS, max(values.size, SAMPLE)) * step:
            found = Coded(step * np.arange(round(top / step) + 1), values, step)
            if all(_fits(found, rows) for rows in _blocks(values.size)):
                return found
    codes, table = pd.factorize(values, sort=True)
    return Coded(np.asarray(table), codes.astype(np.int64, copy=False))


def _fits(column: Coded, rows: slice) -> bool:
    """Whether the codes of the rows tell their values apart; the table learns the values."""
    codes, values = column.codes(rows), column.held[rows]
    column.table[codes] = values
    return bool((column.table[codes] == values).all())


def _blocks(size: int) -> list[slice]:
    return [slice(start, start + BLOCK) for start in range(0, size, BLOCK)]


@dataclass(frozen=True, eq=False)
class Distinct:
    """Distinct rows in order of their columns.

    Attributes
    ----------
    columns : arrays of shape (k,), one a column
    weight : array of shape (k,), how many rows there are of each
    sums : arrays of shape (k,), the sums over them
    """

    columns: tuple[Floats, ...]
    weight: Floats
    sums: tuple[Floats, ...] = ()


def distinct(*columns: NDArray[Any], sums: Sequence[Floats] = ()) -> Distinct:
    """Find the distinct rows of finite columns of length n, and sum *sums* over the rows of each.

    Examples
    --------
    >>> found = distinct(np.array([0, 2, 0]), np.array([9.0, 9.0, 9.0]), sums=[np.array([1.0, 2.0, 3.0])])
    >>> found.columns, found.weight, found.sums
    ((array([0., 2.]), array([9., 9.])), array([2., 1.]), (array([4., 2.]),))
    """
    size = columns[0].size
    known = [coded(column) for column in columns]
    bits = [int(column.table.size).bit_length() for column in known]
    last = size.bit_length() if sums else 0
    if sum(bits) + last > BITS:
        return _looked_up(known, sums)
    packed = np.empty(
        size, np.int64
    )  # a row is one number, its place the last bits if needed: no look-up to sort
    for rows in _blocks(size):
        part = np.zeros_like(packed[rows])
        for column, width in zip(known, bits, strict=True):
            part <<= width
            part |= column.codes(rows)
        if sums:
            part <<= last
            part |= np.arange(rows.start, rows.start + part.size)
        packed[rows] = part
    packed.sort()
    order = packed & ((1 << last) - 1) if sums else None
    packed >>= last
    start = _starts(packed[1:] != packed[:-1], size)
    rest, found = packed[start], []
    for column, width in zip(known[::-1], bits[::-1], strict=True):
        found.append(np.asarray(column.table[rest & ((1 << width) - 1)], np.float64))
        rest >>= width
    return Distinct(tuple(found[::-1]), _lengths(start, size), _sums(sums, order, start))


def _looked_up(known: list[Coded], sums: Sequence[Floats]) -> Distinct:
    """The same where the columns together have too many values for one number."""
    order = np.lexsort([column.codes() for column in known[::-1]])
    ordered = [column.table[column.codes()[order]] for column in known]
    start = _starts(np.any([column[1:] != column[:-1] for column in ordered], axis=0), order.size)
    columns = tuple(np.asarray(column[start], np.float64) for column in ordered)
    return Distinct(columns, _lengths(start, order.size), _sums(sums, order, start))


def _starts(new: NDArray[np.bool_], size: int) -> NDArray[np.intp]:
    """Places at which rows differ from the one before."""
    return np.flatnonzero(np.concatenate([[True], new])) if size else np.zeros(0, np.intp)


def _lengths(start: NDArray[np.intp], size: int) -> Floats:
    return np.diff(start, append=size).astype(np.float64)


def _sums(
    sums: Sequence[Floats], order: NDArray[np.intp] | None, start: NDArray[np.intp]
) -> tuple[Floats, ...]:
    return tuple(
        np.asarray(np.add.reduceat(values[order], start)) if start.size else np.zeros(0)
        for values in sums
    )
