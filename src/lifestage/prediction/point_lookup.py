"""Scores under one draw: tables by (frequency, T), then one pass over the rows.

A row costs its P(alive) and a few look-ups: where S is the survival function of a living customer,
a count or a total is exceeded with chance P(alive)·S, so its quantile at the tail u is that of S at
u / P(alive).

This serves every model of one draw, on every engine, for any times. A row's scores are a function
of the row: expected purchases are within 1e-9 of direct evaluation, quantiles of counts exact,
those of total spend within 1e-4 of a root of the exact mixture.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numba
import numpy as np

from lifestage.core.names import FREQUENCY, KEYS, MONETARY, NEXT_PURCHASE, RECENCY, T
from lifestage.families import family
from lifestage.numerics import special
from lifestage.prediction.distributions import SpendDraws, predictive_quantiles
from lifestage.prediction.margins import MARGIN_OF_ROW
from lifestage.prediction.point_spend import SpendGrids, direct_quantile, spend_at
from lifestage.prediction.point_tables import Futures, Pairs, find_pairs, tabulate
from lifestage.prediction.score_columns import SCORES, score_columns, wait_columns
from lifestage.prediction.spend import spend_coefficients

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import NDArray

    from lifestage.core.terms import Terms
    from lifestage.core.typing import Floats
    from lifestage.data.customers.summary import Summary
    from lifestage.fitting.fitted import FittedModel

__all__ = ["point_scores", "score_rows"]


REPLACED = SCORES | {MARGIN_OF_ROW}
"""Columns of the customers that their scores do not keep."""

BLOCK = 30_000
"""Rows that a thread works on at a time; no power of two, for columns that lie as far apart share one line of cache."""

COLUMNS = (
    *(
        "p_alive",
        "p_purchase",
        "expected_purchases",
        "purchases_low",
        "purchases_high",
        "p_window",
        "p_window_fresh",
    ),
    *("activity_ratio", *NEXT_PURCHASE, "_discounted", "_fresh", "_factor_low", "_factor_high"),
)
WITHOUT_MONEY = 11
"""Columns that do not need a spend model."""


@dataclass(frozen=True, eq=False)
class Tables:
    """All that rows are looked up in; arrays by pair, as in Pairs and Futures."""

    model: FittedModel
    horizon: float
    pairs: Pairs
    futures: Futures
    dead: Floats
    shape: Floats
    log_time: Floats
    tails: Floats
    spend: tuple[Floats, Floats] | None


def point_scores(
    model: FittedModel, x: Floats, t_x: Floats, T: Floats, terms: Terms, window: float
) -> dict[str, Floats]:
    """Everything that depends on the history alone, under a model of one draw, a value a row.

    Parameters
    ----------
    x, t_x, T : arrays, shape (n,)
        Periods; equal rows may stand in them many times.
    window : float
        The stage window in periods.

    Returns
    -------
    dict
        The columns of ``lifestage.prediction.scores.purchase_scores``.
    """
    return _in_blocks(x.size, _scorer(model, x, t_x, T, terms, window))


def score_rows(
    model: FittedModel,
    table: pd.DataFrame,
    terms: Terms,
    customers: Summary,
    constants: dict[str, Any],
) -> pd.DataFrame:
    """The scores table of customers held in pandas, row by row without a join."""
    import pandas as pd

    x, t_x, t_obs = (table[name].to_numpy(float) for name in KEYS)
    look_up = _scorer(model, x, t_x, t_obs, terms, model.data.stage_window / model.period.days)
    money = table[MONETARY].to_numpy(float) if model.spend is not None else x
    margins = table[MARGIN_OF_ROW].to_numpy(float) if MARGIN_OF_ROW in table else None

    def score(rows: slice) -> dict[str, Any]:
        known = {FREQUENCY: x[rows], RECENCY: t_x[rows], T: t_obs[rows], MONETARY: money[rows]}
        found: dict[str, Any] = dict(look_up(rows))
        found |= wait_columns(found, customers)
        own = terms.margin if margins is None else margins[rows]
        with np.errstate(divide="ignore", invalid="ignore"):
            return (
                score_columns(known | found, model, own, customers, _either)
                | constants
                | {"margin": own}
            )

    new = pd.DataFrame(_in_blocks(x.size, score), index=table.index, copy=False)
    return pd.concat([table[[name for name in table.columns if name not in REPLACED]], new], axis=1)


def _either(condition: NDArray[np.bool_], value: Floats, other: float | None) -> Floats:
    return np.where(condition, value, np.nan if other is None else other)


def _in_blocks(size: int, work: Callable[[slice], dict[str, Any]]) -> dict[str, Any]:
    """The columns of all rows, worked out block by block on all cores."""
    out = {
        name: np.empty(size, np.asarray(values).dtype)
        for name, values in work(slice(0, min(size, 1))).items()
    }

    def fill(begin: int) -> None:
        rows = slice(begin, min(begin + BLOCK, size))
        for name, values in work(rows).items():
            out[name][rows] = values

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(fill, range(0, size, BLOCK)))
    return out


def _scorer(
    model: FittedModel, x: Floats, t_x: Floats, T: Floats, terms: Terms, window: float
) -> Callable[[slice], dict[str, Floats]]:
    """What gives the columns of some rows."""
    tables = _prepare(model, x, t_x, T, terms, window)
    if tables is not None:
        return lambda rows: _look_up(tables, rows)
    order = np.lexsort((T, x))  # too many pairs to hold: half of them at a time
    halves = order[: x.size // 2], order[x.size // 2 :]
    parts = [point_scores(model, x[half], t_x[half], T[half], terms, window) for half in halves]
    found = {name: np.empty(x.size) for name in parts[0]}
    for half, part in zip(halves, parts, strict=True):
        for name, values in part.items():
            found[name][half] = values
    return lambda rows: {name: values[rows] for name, values in found.items()}


def _prepare(
    model: FittedModel, x: Floats, t_x: Floats, T: Floats, terms: Terms, window: float
) -> Tables | None:
    pairs = find_pairs(x, t_x, T, model.period.days)
    futures = tabulate(model, pairs, terms, window)
    if futures is None:
        return None
    point = model.purchases.estimate
    return Tables(
        model,
        float(terms.horizon),
        pairs,
        futures,
        dead=family(model.purchases.family).dropout_log_odds(pairs.x, 0.0, 0.0, **point),
        shape=point["r"] + pairs.x,
        log_time=np.log(point["alpha"] + pairs.time),
        tails=1.0 - np.array([1.0 - terms.level, 1.0 + terms.level]) / 2,
        spend=(
            None
            if model.spend is None
            else tuple(line[0] for line in spend_coefficients(model, pairs.x))
        ),
    )


def _look_up(tables: Tables, rows: slice) -> dict[str, Floats]:
    """The columns of a block of rows."""
    pairs, futures = tables.pairs, tables.futures
    now, fresh = pairs.now[rows], pairs.fresh[rows]
    out = np.empty((WITHOUT_MONEY if tables.spend is None else len(COLUMNS), now.size))
    grids = futures.grids or SpendGrids(*np.zeros((1, 1)), *np.zeros((2, 1, 1)), *np.zeros((2, 1)))
    _rows(
        now, fresh, pairs.x, tables.dead, tables.shape, tables.log_time, futures.values, futures.start,
        futures.survival, futures.begin, futures.odds, grids.p, grids.spends, grids.unit, grids.low, grids.step,
        tables.tails, out,
    )  # fmt: skip
    found = dict(zip(COLUMNS, out, strict=False))
    if futures.open.any():
        _close(tables, now, found)
    if tables.spend is None:
        return found
    intercept, slope = (line[now] for line in tables.spend)
    discounted = found.pop("_discounted")
    lost = found.pop("_fresh") - discounted
    found |= {"_spend_0": intercept, "_spend_1": slope}
    found |= {"_ltv_0": discounted * intercept, "_ltv_1": discounted * slope}
    found |= {"_lost_0": lost * intercept, "_lost_1": lost * slope}
    return found | {"_discount": discounted / np.maximum(found["expected_purchases"], special.TINY)}


def _close(tables: Tables, now: NDArray[np.int64], found: dict[str, Floats]) -> None:
    """Quantiles in closed form of rows whose counts no table holds."""
    rows = np.flatnonzero(tables.futures.open[now])
    if not rows.size:
        return
    model, pairs, pick = tables.model, tables.pairs, now[rows]
    spend = None
    if model.spend is not None:
        spend = SpendDraws(
            **{name: model.spend.draws[name] for name in ("p", "q", "v")}, mean=model.mean_spend
        )
    purchases, factors = predictive_quantiles(
        family(model.purchases.family), model.purchases.columns(), found["p_alive"][None, rows], tables.horizon,
        pairs.x[pick], pairs.time[pick], tables.tails.tolist(), spend,
    )  # fmt: skip
    for k, end in enumerate(("low", "high")):
        found[f"purchases_{end}"][rows] = purchases[k]
        if spend is not None:
            found[f"_factor_{end}"][rows] = factors[k]


# fmt: off
@numba.njit(cache=True, nogil=True)
def _rows(now, fresh, x, dead, shape, log_time, values, start, survival, begin, odds, p, spends, unit, low, step, tails, out):  # type: ignore[no-untyped-def]
# fmt: on
    """Fill the columns of rows that are given by the pairs of their T and their recency."""
    money = out.shape[0] > 11
    known = np.full(x.size, -1)  # a row that has the columns of all customers without a repeat, by pair
    for i in range(now.size):
        j, new = now[i], fresh[i]
        if x[j] == 0.0:
            like = known[j]
            if like >= 0 and fresh[like] == new:
                for k in range(out.shape[0]):
                    out[k, i] = out[k, like]
                continue
            known[j] = i
        alive = 1.0 / (1.0 + np.exp(dead[j] + shape[j] * (log_time[j] - log_time[new])))
        at_once = 1.0 / (1.0 + np.exp(dead[j]))
        out[0, i] = alive
        out[1, i] = alive * values[j, 2]
        out[2, i] = alive * values[j, 0]
        current, then = alive * values[j, 3], at_once * values[new, 3]
        out[5, i] = current
        out[6, i] = then
        out[7, i] = min(max(current / max(then, 1e-300), 1e-300), 1.0)
        for k in range(3):
            out[8 + k, i] = values[j, 4 + k]
        if money:
            out[11, i] = alive * values[j, 1]
            out[12, i] = at_once * values[new, 1]
        law = survival[start[j] : start[j + 1]]
        for q in range(2):
            level, spent = tails[q] / max(alive, 1e-300), 0.0
            count = _exceeded(law, level)
            if money and count > 0:
                if step[j] > 0.0:
                    table = odds[begin[j] : begin[j + 1]]
                    spent = np.exp(spend_at(table, low[j], step[j], np.log(level / (1.0 - level))))
                else:
                    counts = np.arange(1.0, law.size + 1.0)
                    spent = np.exp(direct_quantile(counts, law, p, spends[j], unit[j], level))
            out[3 + q, i] = count
            if money:
                out[13 + q, i] = spent


@numba.njit(cache=True, nogil=True)
def _exceeded(law, level):  # type: ignore[no-untyped-def]
    """Smallest n with P(more than n) ≤ level, of a law that has P(at least n) at n − 1."""
    low, high, top = 0, 8, law.size
    while high < top and law[high - 1] > level:
        low, high = high, 2 * high
    high = min(high, top)
    while low < high:
        middle = (low + high) // 2
        if law[middle] > level:
            low = middle + 1
        else:
            high = middle
    return low
