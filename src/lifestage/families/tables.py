"""The future of living customers, tabulated for many states at once.

A family may have its own fast way: ``count_table``, ``purchase_table`` and ``rate_shape``, with the
arguments of the functions here. For any other family they are built from ``count_survival`` and
``alive_purchases``, which every family has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lifestage.numerics import special
from lifestage.numerics.distinct import distinct_pairs

if TYPE_CHECKING:
    from types import ModuleType

    from lifestage.core.typing import Floats, Ints

__all__ = [
    "CountTable",
    "TableLimits",
    "count_table",
    "purchase_probability",
    "purchase_table",
    "rate_shape",
]

Params = dict[str, Any]

FIRST_COUNTS = 8
"""Counts that are evaluated first; then as many again, until the tails are reached."""

BLOCK_VALUES = 1_000_000
"""States times counts times draws that are evaluated at once."""


class TableLimits(NamedTuple):
    """Where the rows of a state end, and a table as a whole."""

    tail: float
    """A state ends where its mean survival over the draws is at most this."""
    longest: int
    """No state has more counts than this."""
    max_values: int = 2**62
    """No further state is begun once the table has more values than this."""


class CountTable(NamedTuple):
    """P(at least n purchases within a time | alive) for n = 1, 2, … of several states.

    Attributes
    ----------
    start : array of int, shape (states + 1,)
        First row of each state.
    survival : array, shape (rows, draws)
    """

    start: Ints
    survival: Floats


def count_table(
    module: ModuleType, params: Params, t: float, x: Floats, T: Floats, limits: TableLimits
) -> CountTable:
    """Tabulate how often living customers will buy within *t*.

    Parameters
    ----------
    params : dict of arrays of shape (draws, 1)
    x, T : arrays, shape (states,)
    """
    own = getattr(module, "count_table", None)
    if own is not None:
        return CountTable(*own(t, x, T, limits, **params))
    draws = next(iter(params.values())).shape[0]
    size = max(1, BLOCK_VALUES // (FIRST_COUNTS * draws))
    starts, rows, held = [np.zeros(1, np.int64)], [np.empty((0, draws))], 0
    for begin in range(0, x.size, size):
        some = slice(begin, begin + size)
        lengths, survival = _rows_of_states(module, params, t, x[some], T[some], limits)
        starts.append(held + np.cumsum(lengths))
        rows.append(survival)
        held += len(survival)
        if held * draws > limits.max_values:
            starts.append(np.full(max(x.size - begin - size, 0), held))
            break
    return CountTable(np.concatenate(starts), np.concatenate(rows))


def _rows_of_states(
    module: ModuleType, params: Params, t: float, x: Floats, T: Floats, limits: TableLimits
) -> tuple[Ints, Floats]:
    """Counts that each state has, and the rows of all, one state after another."""
    draws = next(iter(params.values())).shape[0]
    lengths = np.zeros(x.size, np.int64)
    states, values = [np.empty(0, np.int64)], [np.empty((0, draws))]
    going, reached, size = np.arange(x.size), 0, FIRST_COUNTS
    while going.size and reached < limits.longest:
        n = np.arange(reached + 1.0, min(reached + size, limits.longest) + 1.0)
        survival = module.count_survival(n[:, None, None], t, x[going], T[going], **params)
        survival = np.broadcast_to(survival, (n.size, draws, going.size))
        over = limits.tail < special.mean_over_draws(np.moveaxis(survival, 1, 0)).T
        used = np.minimum(over.argmin(axis=1) + 1, n.size)
        used[over.all(axis=1)] = n.size
        lengths[going] += used
        some = np.arange(n.size) < used[:, None]
        states.append(np.repeat(going, used))
        values.append(np.moveaxis(survival, 2, 0)[some])
        going = going[over.all(axis=1)]
        reached += n.size
        size = min(reached, max(1, BLOCK_VALUES // (draws * max(going.size, 1))))
    order = np.argsort(np.concatenate(states), kind="stable")
    return lengths, np.concatenate(values)[order]


def purchase_table(
    module: ModuleType, params: Params, t: float, x: Floats, T: Floats, rate: float
) -> tuple[Floats, Floats]:
    """Tabulate expected purchases of living customers within *t*, undiscounted and discounted.

    Within 1e-9 of the family's ``alive_purchases``; a state's values are the same bytes whatever
    the other states are.

    Parameters
    ----------
    params : dict of arrays of shape (draws, 1)
    x, T : arrays, shape (states,)
        Equal states are computed once.

    Returns
    -------
    expected, discounted : arrays, shape (draws, states)
    """
    own = getattr(module, "purchase_table", None)
    if own is not None:
        expected, discounted = own(t, x, T, rate, **params)
        return expected, discounted
    draws = next(iter(params.values())).shape[0]
    first, place = distinct_pairs(x, T)
    x, T = x[first], T[first]
    expected = module.alive_purchases(t, x, T, rate=0.0, **params)
    expected = np.broadcast_to(expected, (draws, x.size))[:, place]
    if rate == 0.0:
        return expected, expected
    discounted = module.alive_purchases(t, x, T, rate=rate, **params)
    return expected, np.broadcast_to(discounted, (draws, x.size))[:, place]


def purchase_probability(
    module: ModuleType, params: Params, t: float, x: Floats, T: Floats
) -> Floats:
    """P(at least one purchase within *t*) of living customers; equal states are computed once.

    Returns
    -------
    array, shape (draws, states)
    """
    first, place = distinct_pairs(x, T)
    of_state = np.atleast_2d(module.count_survival(1, t, x[first], T[first], **params))
    return np.asarray(of_state[:, place])


def rate_shape(module: ModuleType, params: Params, x: Floats) -> Floats:
    """Squared mean over variance of a living customer's purchase rate, the largest of the draws.

    Counts of purchases vary by n + n²/shape at least: what is tabulated over them can be that
    coarse. A family without ``rate_shape`` counts as having one rate, and its tables are the
    finest.
    """
    own = getattr(module, "rate_shape", None)
    if own is None:
        return np.full(x.size, np.inf)
    shape = np.atleast_2d(own(x, **params))
    return np.asarray(np.broadcast_to(shape, (len(shape), x.size)).max(axis=0))
