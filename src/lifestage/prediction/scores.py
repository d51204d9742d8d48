"""Score every customer: purchases once per distinct history, money as arithmetic in the engine.

A customer's purchases depend on (frequency, recency, T) alone, so they are computed once per
distinct history and joined back on those keys. Spend is linear in monetary_value for a given
frequency, and the quantiles of total future spend are a factor of the history times (v +
frequency·monetary_value): money never enters the numerics.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from contextlib import nullcontext
from numbers import Number
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

from lifestage.core.errors import ConfigError, DataError
from lifestage.core.names import KEYS, NEXT_PURCHASE
from lifestage.core.steps import step
from lifestage.core.terms import Terms, check_horizon, short
from lifestage.data.engines import duckdb as duck
from lifestage.data.engines.frames import date_column, lazy, native, to_pandas, upload
from lifestage.data.engines.operations import join_to
from lifestage.fitting.as_summary import as_summary
from lifestage.fitting.stage_facts import HIGH_VALUE
from lifestage.prediction.margins import MARGIN_OF_ROW, with_margins
from lifestage.prediction.point_lookup import score_rows
from lifestage.prediction.purchase_scores import purchase_scores
from lifestage.prediction.score_columns import (
    SCORES,
    check_columns,
    constant_columns,
    score_columns,
    wait_columns,
)

if TYPE_CHECKING:
    from lifestage.data.customers.summary import Summary
    from lifestage.fitting.fitted import FittedModel
    from lifestage.fitting.recalibration import Calibration

__all__ = ["predict"]


MAX_HORIZONS = 100
"""Horizons that one call may be asked for."""


def predict(
    model: FittedModel,
    customers: Summary | Any,
    *,
    horizon: Any = 52,
    discount_rate: float = 0.10,
    margin: Any = 1.0,
    level: float = 0.9,
    calibrated: bool = False,
    high_value: float = HIGH_VALUE,
) -> Any:
    """Predict purchases, spend and value: see :meth:`lifestage.LTVModel.predict`."""
    single = isinstance(margin, Number) or margin is None
    share = margin if single else 1.0
    by_horizon = [Terms(one, discount_rate, share, level) for one in _horizons(horizon)]
    customers = as_summary(model, customers)
    # what another thread does to the connection of a relation shows at any step
    with duck.readable("the customers") if duck.is_native(customers.table) else nullcontext():
        names = lazy(customers.table)[0].collect_schema().names()
        if isinstance(margin, str) and margin in names:
            names.remove(margin)
        check_columns(model, names)
        if not single:
            customers = with_margins(customers, margin)
        if calibrated and model.calibration is None:
            raise ConfigError(
                "expected a model with a map of probabilities for calibrated=True: make one by"
                " ls.calibrate"
            )
        calibration = model.calibration if calibrated else None
        with step(__name__, f"Predicting {customers.customers:,} customers"):
            tables = [
                _predict(model, customers, terms, calibration, high_value) for terms in by_horizon
            ]
        if len(tables) == 1:
            return tables[0]
        stacked = nw.concat([lazy(table)[0] for table in tables])
        return native(stacked, lazy(customers.table)[1])


def _horizons(horizon: Any) -> list[Any]:
    """One horizon, or several different ones; Terms checks a single one."""
    if isinstance(horizon, str | bytes | Mapping | Set) or not hasattr(horizon, "__len__"):
        return [horizon]
    if getattr(horizon, "ndim", 1) != 1 or not 0 < len(horizon) <= MAX_HORIZONS:
        raise ConfigError(
            f"horizon: expected a number, or 1 to {MAX_HORIZONS} of them; got {short(horizon)}"
        )
    horizons = list(horizon)
    for one in horizons:
        check_horizon(one)
    if len(set(map(float, horizons))) < len(horizons):
        raise ConfigError(f"horizon: expected different numbers; got {short(horizon)}")
    return horizons


def _predict(
    model: FittedModel,
    customers: Summary,
    terms: Terms,
    calibration: Calibration | None,
    high_value: float,
) -> Any:
    """Scores under one horizon."""
    constants = constant_columns(model, terms, high_value)
    table, kind = lazy(customers.table)
    if kind == "pandas" and model.size == 1:
        scores = score_rows(model, customers.table, terms, customers, constants)
        if calibration is not None:
            scores = scores.assign(p_purchase=calibration(scores["p_purchase"]))
        return scores
    keys = to_pandas(table.group_by(*KEYS).agg(nw.len().alias("_weight")).select(*KEYS))
    by_history = purchase_scores(model, keys, terms, model.data.stage_window)
    if calibration is not None:
        by_history["p_purchase"] = calibration(by_history["p_purchase"])
    waits = wait_columns({name: by_history[name].to_numpy() for name in NEXT_PURCHASE}, customers)
    for name, values in waits.items():
        by_history[name] = values if customers.until is None else date_column(values, kind)
    table = table.drop(*SCORES, strict=False)
    names = table.collect_schema().names()
    if taken := set(names) & (set(by_history.columns) - set(KEYS)):
        raise DataError(
            f"expected customers without the columns {', '.join(sorted(taken))}: rename them"
        )
    joined = join_to(table, lazy(upload(by_history, like=customers.table))[0], list(KEYS), kind)
    margin = nw.col(MARGIN_OF_ROW) if MARGIN_OF_ROW in names else nw.lit(terms.margin)
    kept = [name for name in names if name != MARGIN_OF_ROW]
    columns = {name: nw.col(name) for name in (*kept, *by_history.columns)}
    new = score_columns(columns, model, margin, customers, _either)
    for name, value in constants.items():
        new[name] = nw.lit(None if np.isnan(value) else value, nw.Float64)
    new["margin"] = margin
    return native(joined.with_columns(**new).select(*kept, *new), kind)


def _either(condition: nw.Expr, value: nw.Expr, other: nw.Expr | float | None) -> nw.Expr:
    otherwise = nw.lit(None, nw.Float64) if other is None else other
    return nw.when(condition).then(value).otherwise(otherwise)
