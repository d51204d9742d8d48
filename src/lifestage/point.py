"""Scores under one draw: tables by (frequency, T), then one pass over the rows.

A row costs its P(alive) and a few look-ups: where S is the survival function of a living customer, a count or a total
is exceeded with chance P(alive)·S, so its quantile at the tail u is that of S at u / P(alive).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
from numpy.typing import NDArray

from lifestage import special
from lifestage.columns import NEXT_PURCHASE, SCORES, score_columns, wait_columns
from lifestage.families import family
from lifestage.futures import Futures, Pairs, find_pairs, tabulate
from lifestage.margins import MARGIN_OF_ROW
from lifestage.spend_laws import spend_at
from lifestage.tables import FREQUENCY, KEYS, MONETARY, RECENCY, Summary, T
from lifestage.value import Terms, spend_line

if TYPE_CHECKING:
    import pandas as pd

    from lifestage.model import LTVModel

__all__ = ["point_scores", "score_rows"]

Floats = NDArray[np.float64]

REPLACED = SCORES | {MARGIN_OF_ROW}
"""Columns of the customers that their scores do not keep."""

BLOCK = 30_000
"""Rows that a thread works on at a time; no power of two, for columns that lie as far apart share one line of cache."""

COLUMNS = (
    *("p_alive", "p_purchase", "expected_purchases", "purchases_low", "purchases_high", "p_window", "p_window_fresh"),
    *("retained", *NEXT_PURCHASE, "_discounted", "_fresh", "_factor_low", "_factor_high"),
)
WITHOUT_MONEY = 11
"""Columns that do not need a spend model."""


@dataclass(frozen=True, eq=False)
class Tables:
    """All that rows are looked up in; arrays by frequency, by time, or as in Pairs and Futures."""

    pairs: Pairs
    futures: Futures
    dead: Floats
    r: float
    log_time: Floats
    tails: Floats
    spend: tuple[Floats, Floats] | None


def point_scores(
    model: LTVModel, x: Floats, t_x: Floats, T: Floats, terms: Terms, window: float
) -> dict[str, Floats] | None:
    """Everything that depends on the history alone, under a model of one draw, a value a row.

    Parameters
    ----------
    x, t_x, T : arrays, shape (n,)
        Periods; equal rows may stand in them many times.
    window : float
        The stage window in periods.

    Returns
    -------
    dict or None
        The columns of ``lifestage.prediction.purchase_scores``; None where times are not whole days, or the tables
        would be too large.
    """
    tables = _prepare(model, x, t_x, T, terms, window)
    return None if tables is None else _in_blocks(x.size, lambda rows: _look_up(tables, x, rows))


def score_rows(
    model: LTVModel, table: pd.DataFrame, terms: Terms, customers: Summary, constants: dict[str, Any]
) -> pd.DataFrame | None:
    """The scores table of customers held in pandas, row by row without a join; None as above."""
    import pandas as pd

    x, t_x, t_obs = (table[name].to_numpy(float) for name in KEYS)
    tables = _prepare(model, x, t_x, t_obs, terms, model.data.stage_window / model.period.days)
    if tables is None:
        return None
    money = table[MONETARY].to_numpy(float) if model.spend is not None else x
    margins = table[MARGIN_OF_ROW].to_numpy(float) if MARGIN_OF_ROW in table else None

    def score(rows: slice) -> dict[str, Any]:
        known = {FREQUENCY: x[rows], RECENCY: t_x[rows], T: t_obs[rows], MONETARY: money[rows]}
        found: dict[str, Any] = dict(_look_up(tables, x, rows))
        found |= wait_columns(found, customers)
        own = terms.margin if margins is None else margins[rows]
        with np.errstate(divide="ignore", invalid="ignore"):
            return score_columns(known | found, model, own, customers, _either) | constants | {"margin": own}

    new = pd.DataFrame(_in_blocks(x.size, score), index=table.index, copy=False)
    return pd.concat([table[[name for name in table.columns if name not in REPLACED]], new], axis=1)


def _either(condition: NDArray[np.bool_], value: Floats, other: float | None) -> Floats:
    return np.where(condition, value, np.nan if other is None else other)


def _in_blocks(size: int, work: Callable[[slice], dict[str, Any]]) -> dict[str, Any]:
    """The columns of all rows, worked out block by block on all cores."""
    out = {name: np.empty(size, np.asarray(values).dtype) for name, values in work(slice(0, min(size, 1))).items()}

    def fill(begin: int) -> None:
        rows = slice(begin, min(begin + BLOCK, size))
        for name, values in work(rows).items():
            out[name][rows] = values

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(fill, range(0, size, BLOCK)))
    return out


def _prepare(model: LTVModel, x: Floats, t_x: Floats, T: Floats, terms: Terms, window: float) -> Tables | None:
    pairs = find_pairs(x, t_x, T, model.period.days)
    futures = None if pairs is None else tabulate(model, pairs, terms, window)
    if pairs is None or futures is None:
        return None
    point = model.purchases.estimate
    every = np.arange(pairs.place.shape[0], dtype=float)
    spend = None
    if model.spend is not None:
        intercept, slope = spend_line(model, every)
        spend = intercept[0], slope[0]
    return Tables(
        pairs,
        futures,
        dead=family(model.purchases.family).dead_log_odds(every, 0.0, 0.0, **point),
        r=point["r"],
        log_time=np.log(point["alpha"] + pairs.times),
        tails=1.0 - np.array([1.0 - terms.level, 1.0 + terms.level]) / 2,
        spend=spend,
    )


def _look_up(tables: Tables, x: Floats, rows: slice) -> dict[str, Floats]:
    """The columns of a block of rows."""
    pairs, futures, spend, x = tables.pairs, tables.futures, tables.futures.spend, x[rows]
    out = np.empty((WITHOUT_MONEY if tables.spend is None else len(COLUMNS), x.size))
    _rows(
        x, pairs.t_x[rows], pairs.T[rows], tables.dead, tables.r, tables.log_time, pairs.place, futures.values,
        futures.start, futures.top, futures.survival,
        spend.odds, spend.start, spend.points, spend.low, spend.step, tables.tails, out,
    )  # fmt: skip
    found = dict(zip(COLUMNS, out, strict=False))
    if tables.spend is None:
        return found
    n = x.astype(np.intp)
    intercept, slope = (line[n] for line in tables.spend)
    discounted = found.pop("_discounted")
    lost = found.pop("_fresh") - discounted
    found |= {"_spend_0": intercept, "_spend_1": slope}
    found |= {"_ltv_0": discounted * intercept, "_ltv_1": discounted * slope}
    found |= {"_lost_0": lost * intercept, "_lost_1": lost * slope}
    return found | {"_discount": discounted / np.maximum(found["expected_purchases"], special.TINY)}


# fmt: off
@numba.njit(cache=True, nogil=True)
def _rows(x, t_x, T, dead, r, log_time, place, values, start, top, survival, odds, begin, points, low, step, tails, out):  # type: ignore[no-untyped-def]  # noqa: E501
# fmt: on
    """Fill the columns of rows that are given by frequency and the places of recency and T among the times."""
    money = out.shape[0] > 11
    known = np.full(log_time.size, -1)  # a row that has the columns of all customers without a repeat, by T
    at_once = 1.0 / (1.0 + np.exp(dead))
    for i in range(x.size):
        n = int(x[i])
        if n == 0:
            like = known[T[i]]
            if like >= 0:
                for k in range(out.shape[0]):
                    out[k, i] = out[k, like]
                continue
            known[T[i]] = i
        j, fresh = place[n, T[i]], place[n, t_x[i]]
        alive = 1.0 / (1.0 + np.exp(dead[n] + (r + n) * (log_time[T[i]] - log_time[t_x[i]])))
        out[0, i] = alive
        out[1, i] = alive * values[j, 2]
        out[2, i] = alive * values[j, 0]
        now, then = alive * values[j, 3], at_once[n] * values[fresh, 3]
        out[5, i] = now
        out[6, i] = then
        out[7, i] = min(max(now / max(then, 1e-300), 1e-300), 1.0)
        for k in range(3):
            out[8 + k, i] = values[j, 4 + k]
        if money:
            out[11, i] = alive * values[j, 1]
            out[12, i] = at_once[n] * values[fresh, 1]
        for q in range(2):
            level, spent = tails[q] / alive, 0.0
            count = _exceeded(survival, start[j], top[j], level)
            if money and count >= 0 and survival[start[j]] > level:
                spent = np.exp(spend_at(odds, begin[j], points[n], low[n], step[n], np.log(level / (1.0 - level))))
            out[3 + q, i] = count
            if money:
                out[13 + q, i] = spent


@numba.njit(cache=True, nogil=True)
def _exceeded(survival, start, top, level):  # type: ignore[no-untyped-def]
    """Smallest n with P(more than n) ≤ level; P(at least n) stands at start + n − 1, up to n = top."""
    low, high = 0, 8
    while high < top and survival[start + high - 1] > level:
        low, high = high, 2 * high
    high = min(high, top)
    while low < high:
        middle = (low + high) // 2
        if survival[start + middle] > level:
            low = middle + 1
        else:
            high = middle
    return low
