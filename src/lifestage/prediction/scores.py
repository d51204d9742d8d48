"""Score every customer: purchases once a distinct history, money as arithmetic joined back in the engine.

A customer's purchases depend on (frequency, recency, T) alone, so they are computed once a distinct
row and joined back on those keys. Given that a customer is alive they depend on (frequency, T)
alone, so the heavy functions run once a distinct pair. Spend is linear in monetary_value for a
given frequency, and the quantiles of total future spend are a factor of the distinct row times (v +
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
from lifestage.core.terms import Terms, check_horizon, rate_per_period, short
from lifestage.data.engines.duckdb import is_mine, readable
from lifestage.data.engines.frames import date_column, lazy, native, to_pandas, upload
from lifestage.data.engines.operations import join_to
from lifestage.families import family
from lifestage.families.tables import purchase_table
from lifestage.fitting.as_summary import as_summary
from lifestage.fitting.stage_facts import HIGH_VALUE
from lifestage.numerics import special
from lifestage.prediction.distributions import predictive_quantiles
from lifestage.prediction.limits import PREDICTION_DRAWS
from lifestage.prediction.margins import MARGIN_OF_ROW, with_margins
from lifestage.prediction.next_purchase import SHARES, WAIT_DRAWS, next_purchase_waits
from lifestage.prediction.point_lookup import point_scores, score_rows
from lifestage.prediction.score_columns import (
    SCORES,
    check_columns,
    constant_columns,
    score_columns,
    wait_columns,
)
from lifestage.prediction.spend import spend_coefficients, spend_draws

if TYPE_CHECKING:
    import pandas as pd

    from lifestage.core.typing import Floats
    from lifestage.data.customers.summary import Summary
    from lifestage.fitting.fitted import FittedModel
    from lifestage.fitting.recalibration import Calibration

__all__ = ["predict", "purchase_scores"]


MOST_HORIZONS = 100
"""Horizons that one call may be asked for."""

CHUNK = 4_000_000
"""Rows times draws worked on at once: 32 MB an array."""


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
    r"""Predict purchases, spend and value of every customer within a horizon.

    .. math:: \mathrm{LTV} = \text{margin} \cdot E[\text{spend}] \cdot \int_0^h e^{-\delta s}\, dE[X(s)], \qquad
              \delta = \ln(1 + \text{discount\_rate})

    Parameters
    ----------
    model : FittedModel
    customers : Summary, or a frame that :meth:`lifestage.Summary.from_frame` accepts
    horizon : float, or a sequence of floats
        Periods of the model. Of several horizons the tables stand one below the other, in this
        order: a row a customer and horizon, which ``horizon_days`` tells apart.
    discount_rate : float
        Per YEAR, whatever the period; 0.10 is 10 % a year.
    margin : float, column name, or one number a customer
        Share of spend that is profit before marketing, in (0, 1]: of all customers, in a column of
        theirs, or, for a table in this process, a sequence, array or Series. A pandas Series is
        aligned by the index of a pandas table, everything else goes by position.
    level : float
        Coverage of the predictive intervals, in (0, 1). They hold the number of purchases and the
        spend themselves, not their expectations: a customer with a small chance of buying has the
        interval [0, 0] and a positive mean.
    calibrated : bool
        Whether to correct ``p_purchase`` by the map of :func:`lifestage.calibrate`, where it helps;
        nothing else changes.
    high_value : float
        Share of the buyers of the fitted base who lie below the cut of high value that the stages
        read, in whole percents.

    Returns
    -------
    frame
        A row per customer, in the kind and order of ``customers`` (tables of DuckDB and Spark have
        no order): their columns, the index of a pandas table, and these. ``p_alive`` is P(not
        dropped out); ``p_purchase`` is P(at least one purchase within the horizon);
        ``expected_purchases`` with ``purchases_low/high``; ``expected_spend`` (money a purchase);
        ``ltv`` with ``ltv_low/high`` (discounted margin within the horizon, money; the interval
        discounts total spend at the customer's expected timing); ``p_window`` = P(a purchase within
        the stage window), ``p_window_fresh`` the same just after the last purchase, ``activity_ratio``
        their ratio; ``value_lost`` (money); ``next_purchase_p25/p50/p75`` (dates, given a purchase
        within the horizon) and ``observed_until`` (the day they count from), or
        ``next_purchase_p25_days`` … (days) where no last day of observation is known: a frame has
        that of its own dates, ``first_purchase`` + T; ``days_silent``, ``mean_gap_days``; and the
        terms ``horizon_days, stage_window_days, high_value_cut, median_gap_days, level,
        discount_rate, margin``. Window, cut and median gap are those of the base that the model was
        fitted on: a row depends on its customer and the model alone.

    Raises
    ------
    ConfigError
        If a term is no number or out of range, the customers are in another period than the model,
        or the model has no map.
    DataError
        If a frame is no table of customers, its dates do not agree on the last day of observation,
        it has no ``monetary_value`` but the model a spend part, or it has columns of its own that
        are named like those above.

    Examples
    --------
    >>> import lifestage as ls
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> scores = ls.fit(customers).predict(customers, horizon=52)
    >>> int(scores["expected_purchases"].sum().round())
    2089
    """
    horizons = _horizons(horizon)
    single = isinstance(margin, Number) or margin is None
    every = [Terms(each, discount_rate, margin if single else 1.0, level) for each in horizons]
    customers = as_summary(model, customers)
    # what another thread does to the connection of a relation shows at any step
    with readable("the customers") if is_mine(customers.table) else nullcontext():
        names = lazy(customers.table)[0].collect_schema().names()
        check_columns(
            model, [name for name in names if not (isinstance(margin, str) and name == margin)]
        )
        if not single:
            customers = with_margins(customers, margin)
        if calibrated and model.calibration is None:
            raise ConfigError(
                "expected a model with a map of chances for calibrated=True: make one by"
                " ls.calibrate"
            )
        correct = model.calibration if calibrated else None
        with step(__name__, f"Predicting {customers.customers:,} customers"):
            parts = [_predict(model, customers, terms, correct, high_value) for terms in every]
        if len(parts) == 1:
            return parts[0]
        tables = [lazy(part)[0] for part in parts]
        return native(nw.concat(tables), lazy(customers.table)[1])


def _horizons(horizon: Any) -> list[Any]:
    """One horizon, or several that are all another; what each is worth, Terms says."""
    if isinstance(horizon, str | bytes | Mapping | Set) or not hasattr(horizon, "__len__"):
        return [horizon]
    if getattr(horizon, "ndim", 1) != 1 or not 0 < len(horizon) <= MOST_HORIZONS:
        raise ConfigError(
            f"horizon: expected a number, or 1 to {MOST_HORIZONS} of them; got {short(horizon)}"
        )
    found = list(horizon)
    for each in found:
        check_horizon(each)
    if len({float(each) for each in found}) < len(found):
        raise ConfigError(f"horizon: expected numbers that are all another; got {short(horizon)}")
    return found


def _predict(
    model: FittedModel,
    customers: Summary,
    terms: Terms,
    correct: Calibration | None,
    high_value: float,
) -> Any:
    """The scores under one horizon."""
    constants = constant_columns(model, terms, high_value)
    table, kind = lazy(customers.table)
    if kind == "pandas" and model.size == 1:
        scored = score_rows(model, customers.table, terms, customers, constants)
        return (
            scored if correct is None else scored.assign(p_purchase=correct(scored["p_purchase"]))
        )
    keys = to_pandas(table.group_by(*KEYS).agg(nw.len().alias("_weight")).select(*KEYS))
    factors = purchase_scores(model, keys, terms, model.data.stage_window)
    if correct is not None:
        factors["p_purchase"] = correct(factors["p_purchase"])
    waits = wait_columns({name: factors[name].to_numpy() for name in NEXT_PURCHASE}, customers)
    for name, values in waits.items():
        factors[name] = values if customers.until is None else date_column(values, kind)
    table = table.select(name for name in table.collect_schema().names() if name not in SCORES)
    if taken := set(table.collect_schema().names()) & (set(factors.columns) - set(KEYS)):
        raise DataError(
            f"expected customers without the columns {', '.join(sorted(taken))}: rename them"
        )
    joined = join_to(table, lazy(upload(factors, like=customers.table))[0], list(KEYS), kind)
    kept = [name for name in table.collect_schema().names() if name != MARGIN_OF_ROW]
    columns = {name: nw.col(name) for name in (*kept, *factors.columns)}
    new = {
        name: nw.lit(None if np.isnan(value) else value, nw.Float64)
        for name, value in constants.items()
    }
    margin = (
        nw.lit(terms.margin)
        if MARGIN_OF_ROW not in table.collect_schema()
        else nw.col(MARGIN_OF_ROW)
    )
    new = score_columns(columns, model, margin, customers, _either) | new | {"margin": margin}
    return native(joined.with_columns(**new).select(*kept, *new), kind)


def _either(condition: nw.Expr, value: nw.Expr, other: nw.Expr | float | None) -> nw.Expr:
    return (
        nw.when(condition)
        .then(value)
        .otherwise(nw.lit(None, nw.Float64) if other is None else other)
    )


def purchase_scores(
    model: FittedModel, keys: pd.DataFrame, terms: Terms, window: float
) -> pd.DataFrame:
    """Everything that depends on the distinct history alone, a row a distinct (frequency, recency, T).

    A posterior of many draws is thin to ``PREDICTION_DRAWS`` and rows are taken in chunks, so
    memory is bounded; every column is the mean of its values under the draws. A row's values are a
    function of the row, the model and the terms: they have the same bytes whatever other rows are
    there, and in whatever order.

    Parameters
    ----------
    keys : pandas.DataFrame with frequency, recency, T (periods)
    window : float
        The stage window in days.

    Returns
    -------
    pandas.DataFrame
        The keys, the purchase columns of a scores table, waits to the next purchase (periods), and
        columns with a leading underscore that money is made of.
    """
    import pandas as pd

    model = model.thin(PREDICTION_DRAWS)
    x, t_x, t_obs = (keys[name].to_numpy(float) for name in KEYS)
    if model.size == 1:
        return keys.assign(**point_scores(model, x, t_x, t_obs, terms, window / model.period.days))
    order = np.lexsort((t_obs, x))
    size = max(1, CHUNK // model.purchases.size)
    parts = [
        _scores(model, x[rows], t_x[rows], t_obs[rows], terms, window / model.period.days)
        for rows in np.split(order, np.arange(size, x.size, size))
    ]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return pd.DataFrame({**{name: keys[name].to_numpy()[order] for name in KEYS}, **columns})


def _scores(
    model: FittedModel, x: Floats, t_x: Floats, t_obs: Floats, terms: Terms, window: float
) -> dict[str, Floats]:
    """The columns of rows under many draws; *window* in periods."""
    part, t = model.purchases, float(terms.horizon)
    module, params = family(part.family), part.columns()
    rate = rate_per_period(terms.discount_rate, model.period)
    mean = special.mean_over_draws
    alive = np.broadcast_to(module.p_alive(x, t_x, t_obs, **params), (part.size, x.size))
    # of living customers now, and of those of the same frequency right after the last purchase
    both = np.tile(x, 2), np.concatenate([t_obs, t_x])
    living, discounted_living = purchase_table(module, params, t, *both, rate)
    expected, discounted = alive * living[:, : x.size], alive * discounted_living[:, : x.size]
    fresh = module.p_alive(x, t_x, t_x, **params) * discounted_living[:, x.size :]
    p_window = mean(module.p_purchase(window, x, t_x, t_obs, **params))
    p_fresh = mean(module.p_purchase(window, x, t_x, t_x, **params))
    ratio = p_window / np.maximum(p_fresh, special.TINY)
    tails = (1.0 - np.array([1 - terms.level, 1 + terms.level]) / 2).tolist()
    spend = None if model.spend is None else spend_draws(model)
    purchases, factors = predictive_quantiles(module, params, alive, t, x, t_obs, tails, spend)
    columns = {
        "p_alive": mean(alive),
        "p_purchase": mean(module.p_purchase(t, x, t_x, t_obs, **params)),
        "expected_purchases": mean(expected),
        "purchases_low": purchases[0],
        "purchases_high": purchases[1],
        "p_window": p_window,
        "p_window_fresh": p_fresh,
        "activity_ratio": np.clip(ratio, special.TINY, 1.0),
    }
    if spend is not None:
        intercept, slope = spend_coefficients(model, x)
        columns |= {
            "_spend_0": mean(intercept),
            "_spend_1": mean(slope),
            "_ltv_0": mean(discounted * intercept),
            "_ltv_1": mean(discounted * slope),
            "_lost_0": mean((fresh - discounted) * intercept),
            "_lost_1": mean((fresh - discounted) * slope),
            "_discount": mean(discounted) / np.maximum(mean(expected), special.TINY),
            "_factor_low": factors[0],
            "_factor_high": factors[1],
        }
    waits = next_purchase_waits(SHARES, t, x, t_x, t_obs, part.thin(WAIT_DRAWS))
    return columns | dict(zip(NEXT_PURCHASE, waits, strict=True))
