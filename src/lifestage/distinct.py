"""Distinct rows of columns: sorted, counted, and ready to sum over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Distinct", "distinct", "places"]

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

BITS = 63
STEPS, SAMPLE = 1 << 20, 1000
"""Multiples of a step up to which they are looked up in a table, and the values that tell the step."""


@dataclass(frozen=True)
class Distinct:
    """Distinct rows in order of their columns.

    Attributes
    ----------
    columns : arrays of shape (k,), one a column
    weight : array of shape (k,), how many rows there are of each
    order : array of shape (n,), the rows sorted;  start : array of shape (k,), where in it each distinct one begins
    """

    columns: tuple[Floats, ...]
    weight: Floats
    order: NDArray[np.intp]
    start: NDArray[np.intp]

    def sums(self, values: Floats) -> Floats:
        """Sum of *values*, one a row, over the rows of each distinct one."""
        return np.asarray(np.add.reduceat(values[self.order], self.start)) if values.size else np.zeros(0)


def distinct(*columns: NDArray[Any]) -> Distinct:
    """Find the distinct rows of finite columns of length n.

    Examples
    --------
    >>> found = distinct(np.array([0, 2, 0]), np.array([9.0, 9.0, 9.0]))
    >>> found.columns, found.weight
    ((array([0., 2.]), array([9., 9.])), array([2., 1.]))
    """
    size = columns[0].size
    known = [places(column) for column in columns]
    bits = [int(table.size).bit_length() for _, table in known]
    last = size.bit_length()
    if sum(bits) + last > BITS:
        return _sorted(known)
    row = np.zeros(size, np.int64)  # a row is one number whose last bits are its place: sorted without looking up
    for (codes, _), width in zip(known, bits, strict=True):
        row <<= width
        row |= codes
    row <<= last
    row |= np.arange(size)
    row.sort()
    order = row & ((1 << last) - 1)
    row >>= last
    start = _starts(row[1:] != row[:-1], size)
    row = row[start]
    found = []
    for (_, table), width in zip(known[::-1], bits[::-1], strict=True):
        found.append(np.asarray(table[row & ((1 << width) - 1)], np.float64))
        row >>= width
    return Distinct(tuple(found[::-1]), np.diff(start, append=size).astype(np.float64), order, start)


def _sorted(known: list[tuple[Places, NDArray[Any]]]) -> Distinct:
    """The same where the columns together have too many values for one number."""
    order = np.lexsort([codes for codes, _ in known[::-1]])
    ordered = [table[codes[order]] for codes, table in known]
    start = _starts(np.any([column[1:] != column[:-1] for column in ordered], axis=0), order.size)
    columns = tuple(np.asarray(column[start], np.float64) for column in ordered)
    return Distinct(columns, np.diff(start, append=order.size).astype(np.float64), order, start)


def _starts(new: NDArray[np.bool_], size: int) -> NDArray[np.intp]:
    """Places at which rows differ from the one before."""
    return np.flatnonzero(np.concatenate([[True], new])) if size else np.zeros(0, np.intp)


def places(values: NDArray[Any]) -> tuple[Places, NDArray[Any]]:
    """Codes in order of the values, and what each code stands for: ``table[codes]`` is *values*, bit by bit.

    Whole multiples of one step, such as times in days or weeks, are coded by division, which costs a fraction of
    sorting or hashing; their table holds multiples that do not occur, too.
    """
    import pandas as pd

    sample = np.unique(values[:SAMPLE])
    if sample.size > 1 and values.min() >= 0:
        step = np.diff(sample).min()
        if values.max() < STEPS * step:
            scaled = values / step
            codes = np.rint(scaled, out=scaled).astype(np.int64)
            table = step * np.arange(int(codes.max()) + 1)
            table[codes] = values
            if bool((table[codes] == values).all()):
                return codes, table
    codes, table = pd.factorize(values, sort=True)
    return codes.astype(np.int64, copy=False), np.asarray(table)
