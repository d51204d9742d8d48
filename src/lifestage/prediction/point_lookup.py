"""Scores under one draw: tables by (frequency, T), then one pass over the rows.

A row costs its P(alive) and a few look-ups: where S is the survival function of a living customer,
a count or a total is exceeded with probability P(alive)·S, so its quantile at the tail u is that of
S at u / P(alive).

This serves every model of one draw, on every engine, for any times. A row's scores are a function
of the row: expected purchases are within 1e-9 of direct evaluation, quantiles of counts exact,
those of total spend within 1e-4 of a root of the exact mixture.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.core.names import FREQUENCY, KEYS, MONETARY, NEXT_PURCHASE, RECENCY, T
from lifestage.families import family
from lifestage.numerics import special
from lifestage.prediction.distributions import predictive_quantiles
from lifestage.prediction.margins import MARGIN_OF_ROW
from lifestage.prediction.point_pairs import Pairs, find_pairs
from lifestage.prediction.point_rows import Lookup, fill_rows
from lifestage.prediction.point_tables import PointTables, SpendTables, TooManyPairs, tabulate
from lifestage.prediction.score_columns import SCORES, score_columns, wait_columns
from lifestage.prediction.spend import spend_coefficients, spend_draws
from lifestage.prediction.spend_grids import SpendGrids

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

ROWS_PER_BLOCK = 30_000
"""Rows that a thread works on at a time.

No power of two, for columns that lie as far apart share one line of cache.
"""

COLUMNS = (
    "p_alive",
    "p_purchase",
    "expected_purchases",
    "purchases_low",
    "purchases_high",
    "p_window",
    "p_window_fresh",
    "activity_ratio",
    *NEXT_PURCHASE,
    "_discounted",
    "_fresh",
    "_factor_low",
    "_factor_high",
)
WITHOUT_MONEY = 11
"""Columns that do not need a spend model."""


@dataclass(frozen=True, eq=False)
class Scorer:
    """Tables of a model, and the customers whose rows are looked up in them."""

    model: FittedModel
    horizon: float
    customers: tuple[Floats, Floats, Floats]
    pairs: Pairs
    tables: PointTables
    lookup: Lookup
    spend: tuple[Floats, Floats] | None


def point_scores(
    model: FittedModel, x: Floats, t_x: Floats, T: Floats, terms: Terms, window: float
) -> dict[str, Floats]:
    """Everything that depends on the history alone, under a model of one draw, one value per row.

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
    """Score customers held in pandas, row by row without a join."""
    import pandas as pd

    x, t_x, t_obs = (table[name].to_numpy(float) for name in KEYS)
    look_up = _scorer(model, x, t_x, t_obs, terms, model.data.stage_window / model.period.days)
    money = table[MONETARY].to_numpy(float) if model.spend is not None else x
    margins = table[MARGIN_OF_ROW].to_numpy(float) if MARGIN_OF_ROW in table else None

    def score(rows: slice) -> dict[str, Any]:
        columns: dict[str, Any] = dict(look_up(rows))
        columns |= wait_columns(columns, customers)
        columns |= {FREQUENCY: x[rows], RECENCY: t_x[rows], T: t_obs[rows], MONETARY: money[rows]}
        share = terms.margin if margins is None else margins[rows]
        with np.errstate(divide="ignore", invalid="ignore"):
            scores = score_columns(columns, model, share, customers, _either)
        return scores | constants | {"margin": share}

    new = pd.DataFrame(_in_blocks(x.size, score), index=table.index, copy=False)
    return pd.concat([table.loc[:, ~table.columns.isin(REPLACED)], new], axis=1)


def _either(condition: NDArray[np.bool_], value: Floats, other: float | None) -> Floats:
    return np.where(condition, value, np.nan if other is None else other)


def _in_blocks(size: int, work: Callable[[slice], dict[str, Any]]) -> dict[str, Any]:
    """Compute the columns of all rows, block by block on all cores."""
    out = {}
    for name, values in work(slice(0, min(size, 1))).items():
        out[name] = np.empty(size, np.asarray(values).dtype)

    def fill(begin: int) -> None:
        rows = slice(begin, min(begin + ROWS_PER_BLOCK, size))
        for name, values in work(rows).items():
            out[name][rows] = values

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(fill, range(0, size, ROWS_PER_BLOCK)))
    return out


def _scorer(
    model: FittedModel, x: Floats, t_x: Floats, T: Floats, terms: Terms, window: float
) -> Callable[[slice], dict[str, Floats]]:
    """Return a function that gives the columns of some rows."""
    try:
        scorer = _prepare(model, x, t_x, T, terms, window)
    except TooManyPairs:
        return _by_halves(model, x, t_x, T, terms, window)
    return lambda rows: _look_up(scorer, rows)


def _by_halves(
    model: FittedModel, x: Floats, t_x: Floats, T: Floats, terms: Terms, window: float
) -> Callable[[slice], dict[str, Floats]]:
    """Do the same for customers with too many pairs to hold: half of them at a time."""
    order = np.lexsort((T, x))
    columns: dict[str, Floats] = {}
    for half in (order[: x.size // 2], order[x.size // 2 :]):
        for name, values in point_scores(model, x[half], t_x[half], T[half], terms, window).items():
            columns.setdefault(name, np.empty(x.size))[half] = values
    return lambda rows: {name: values[rows] for name, values in columns.items()}


def _prepare(
    model: FittedModel, x: Floats, t_x: Floats, T: Floats, terms: Terms, window: float
) -> Scorer:
    pairs = find_pairs(x, t_x, T, model.period.days)
    tables = tabulate(model, pairs, terms, window)
    module, point = family(model.purchases.family), model.purchases.estimate
    at_once = np.array(module.p_alive(pairs.x, pairs.time, pairs.time, **point))
    tails = 1.0 - np.array([1.0 - terms.level, 1.0 + terms.level]) / 2
    spend = tables.spend
    if spend is None:
        nothing = SpendGrids(*np.zeros((1, 1)), *np.zeros((2, 1, 1)), *np.zeros((2, 1)))
        spend = SpendTables(nothing, np.zeros(1, np.int64), np.zeros(0))
    lookup = Lookup(pairs.x, at_once, tables.values, tables.start, tables.survival, spend, tails)
    coefficients = None
    if model.spend is not None:
        intercept, slope = spend_coefficients(model, pairs.x)
        coefficients = intercept[0], slope[0]
    horizon = float(terms.horizon)
    return Scorer(model, horizon, (x, t_x, T), pairs, tables, lookup, coefficients)


def _look_up(scorer: Scorer, rows: slice) -> dict[str, Floats]:
    """Look the columns of a block of rows up."""
    now, fresh = scorer.pairs.now[rows], scorer.pairs.fresh[rows]
    x, t_x, t_obs = (column[rows] for column in scorer.customers)
    part = scorer.model.purchases
    out = np.empty((WITHOUT_MONEY if scorer.spend is None else len(COLUMNS), now.size))
    out[0] = family(part.family).p_alive(x, t_x, t_obs, **part.estimate)
    fill_rows(now, fresh, scorer.lookup, out)
    columns = dict(zip(COLUMNS, out, strict=False))
    if scorer.tables.open.any():
        _solve_open(scorer, now, columns)
    if scorer.spend is None:
        return columns
    intercept, slope = scorer.spend[0][now], scorer.spend[1][now]
    discounted = columns.pop("_discounted")
    lost = columns.pop("_fresh") - discounted
    per_purchase = np.maximum(columns["expected_purchases"], special.TINY)
    return columns | {
        "_spend_0": intercept,
        "_spend_1": slope,
        "_ltv_0": discounted * intercept,
        "_ltv_1": discounted * slope,
        "_lost_0": lost * intercept,
        "_lost_1": lost * slope,
        "_discount": discounted / per_purchase,
    }


def _solve_open(scorer: Scorer, now: NDArray[np.int64], columns: dict[str, Floats]) -> None:
    """Replace the quantiles of rows whose counts no table holds."""
    rows = np.flatnonzero(scorer.tables.open[now])
    if not rows.size:
        return
    model, pair = scorer.model, now[rows]
    purchases, factors = predictive_quantiles(
        family(model.purchases.family),
        model.purchases.columns(),
        columns["p_alive"][None, rows],
        scorer.horizon,
        scorer.pairs.x[pair],
        scorer.pairs.time[pair],
        scorer.lookup.tails.tolist(),
        None if model.spend is None else spend_draws(model),
    )
    for k, end in enumerate(("low", "high")):
        columns[f"purchases_{end}"][rows] = purchases[k]
        if model.spend is not None:
            columns[f"_factor_{end}"][rows] = factors[k]
