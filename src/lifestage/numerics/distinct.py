"""Distinct rows of columns: sorted, counted, and summed over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lifestage.core.typing import Floats

__all__ = ["Coded", "Distinct", "coded", "distinct", "distinct_pairs"]

Places = NDArray[np.int64]

MAX_BITS = 63
"""Bits of the number that stands for a row."""
MAX_MULTIPLES = 1 << 20
"""Multiples of a step up to which a table of them is used; it is also no longer than the column."""
STEP_SAMPLE = 1000
"""Values from which the step is guessed."""
ROWS_PER_BLOCK = 1 << 16
"""Rows at a time, so that intermediate arrays stay in the cache."""


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

    sample = np.unique(values[:STEP_SAMPLE])
    if sample.size > 1 and values.min() >= 0:
        step, top = np.diff(sample).min(), values.max()
        if top < min(MAX_MULTIPLES, max(values.size, STEP_SAMPLE)) * step:
            column = Coded(step * np.arange(round(top / step) + 1), values, step)
            if all(_fits(column, rows) for rows in _blocks(values.size)):
                return column
    codes, table = pd.factorize(values, sort=True)
    return Coded(np.asarray(table), codes.astype(np.int64, copy=False))


def _fits(column: Coded, rows: slice) -> bool:
    """Whether the codes of the rows tell their values apart; writes the values into the table."""
    codes, values = column.codes(rows), column.held[rows]
    column.table[codes] = values
    return bool((column.table[codes] == values).all())


def _blocks(size: int) -> list[slice]:
    return [slice(start, start + ROWS_PER_BLOCK) for start in range(0, size, ROWS_PER_BLOCK)]


@dataclass(frozen=True, eq=False)
class Distinct:
    """Distinct rows in order of their columns.

    Attributes
    ----------
    columns : tuple of arrays, shape (k,)
        One per column.
    weight : array, shape (k,)
        Number of equal rows.
    sums : tuple of arrays, shape (k,)
        Sums over the equal rows.
    """

    columns: tuple[Floats, ...]
    weight: Floats
    sums: tuple[Floats, ...] = ()


def distinct(*columns: NDArray[Any], sums: Sequence[Floats] = ()) -> Distinct:
    """Find the distinct rows of finite columns of length n, and sum *sums* over the rows of each.

    Examples
    --------
    >>> money = np.array([1.0, 2.0, 3.0])
    >>> rows = distinct(np.array([0, 2, 0]), np.array([9.0, 9.0, 9.0]), sums=[money])
    >>> rows.columns, rows.weight, rows.sums
    ((array([0., 2.]), array([9., 9.])), array([2., 1.]), (array([4., 2.]),))
    """
    size = columns[0].size
    codings = list(map(coded, columns))
    bits = [int(coding.table.size).bit_length() for coding in codings]
    last = size.bit_length() if sums else 0
    if sum(bits) + last > MAX_BITS:
        return _distinct_by_lexsort(codings, sums)
    # A row is one number, with its position in the last bits if needed: sorting needs no look-up.
    packed = np.empty(size, np.int64)
    for rows in _blocks(size):
        part = np.zeros_like(packed[rows])
        for coding, width in zip(codings, bits, strict=True):
            part <<= width
            part |= coding.codes(rows)
        if sums:
            part <<= last
            part |= np.arange(rows.start, rows.start + part.size)
        packed[rows] = part
    packed.sort()
    order = packed & ((1 << last) - 1) if sums else None
    packed >>= last
    start = _starts(packed[1:] != packed[:-1], size)
    rest, values = packed[start], []
    for coding, width in zip(codings[::-1], bits[::-1], strict=True):
        values.append(np.asarray(coding.table[rest & ((1 << width) - 1)], np.float64))
        rest >>= width
    return Distinct(tuple(values[::-1]), _lengths(start, size), _sums(sums, order, start))


def distinct_pairs(x: Floats, y: Floats) -> tuple[Places, Places]:
    """Find the distinct pairs of two columns.

    Returns
    -------
    first : array of int
        A row of each pair, in order of the pairs.
    place : array of int, shape (n,)
        Pair of each row.

    Examples
    --------
    >>> distinct_pairs(np.array([2.0, 0.0, 2.0]), np.array([9.0, 9.0, 9.0]))
    (array([1, 0]), array([1, 0, 1]))
    """
    order = np.lexsort((y, x))
    changes = (np.diff(x[order]) != 0.0) | (np.diff(y[order]) != 0.0)
    start = _starts(changes, order.size)
    place = np.empty(order.size, np.int64)
    place[order] = np.repeat(np.arange(start.size), np.diff(start, append=order.size))
    return order[start], place


def _distinct_by_lexsort(codings: list[Coded], sums: Sequence[Floats]) -> Distinct:
    """Find distinct rows where the columns together have too many values for one number."""
    codes = [coding.codes() for coding in codings]
    order = np.lexsort(codes[::-1])
    ordered = []
    new = np.zeros(max(order.size - 1, 0), bool)
    for coding, code in zip(codings, codes, strict=True):
        column = coding.table[code[order]]
        new |= column[1:] != column[:-1]
        ordered.append(column)
    start = _starts(new, order.size)
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
    if not start.size:
        return (np.zeros(0),) * len(sums)
    return tuple(np.asarray(np.add.reduceat(values[order], start)) for values in sums)
