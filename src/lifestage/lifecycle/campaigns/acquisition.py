"""What a customer may cost to acquire, by cohort or channel, and when the cost is earned back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.core.errors import ConfigError, DataError
from lifestage.lifecycle.metrics.groups import COHORT, group_totals
from lifestage.numerics.statistics import z_score
from lifestage.prediction.new_customers import new_customers

if TYPE_CHECKING:
    import pandas as pd

    from lifestage.core.typing import Floats
    from lifestage.model import LTVModel

__all__ = ["acquisition_limits", "payback"]

DAYS_PER_MONTH = 30.4375

MAX_MONTHS = 120
"""Longest payback that is looked for."""

FIRST_MONTH = 0.02
"""Stands for the day of the first purchase: a horizon has to be above 0."""


def acquisition_limits(  # noqa: PLR0913
    model: LTVModel,
    staged: Any,
    by: str = COHORT,
    *,
    quantile: float = 0.1,
    cac: float | Mapping[str, float] | None = None,
    horizon: float = 52,
    discount_rate: float = 0.10,
    margin: float = 1.0,
    level: float = 0.9,
    weight: str | None = None,
) -> pd.DataFrame:
    r"""Compute the highest cost of acquisition that pays, by cohort or channel.

    The worth of a customer is the margin on past purchases plus the LTV. The total of a group is
    uncertain by the LTV alone: with the lognormal quantile :math:`Q_q` of the LTV of the group at
    q = *quantile* and n customers,

    .. math:: \text{max\_cac} = \frac{\text{past margin} + Q_q}{n}

    is the highest cost per customer that is earned back with probability 1 − q.

    Parameters
    ----------
    model : LTVModel
        With a spend model.
    staged : frame
        One row per customer, as ``LTVModel.predict`` or :func:`lifestage.assign_stages` returned
        it, with ``revenue`` (money).
    by : str
        Column to group by, or ``"cohort"``, the month of ``first_purchase``.
    quantile : float
        Of the worth of a group, in (0, 1): .1 is careful, .5 an even bet.
    cac : float or mapping of group to float, optional
        What a customer has cost, money.
    horizon : float
        Periods of the model.
    discount_rate : float
        Per year.
    margin : float
        Share of revenue that is earned.
    level : float
        Interval level, in (0, 1).
    weight : str, optional
        Column with the number of customers each row stands for, where *staged* is a sample.

    Returns
    -------
    pandas.DataFrame
        One row per group, ``"total"`` last: ``group``, ``customers``, ``past_margin`` and ``ltv``
        (money per customer), ``worth`` (their sum), ``worth_low``, ``worth_high`` (at *level*),
        ``max_cac``; with *cac* also ``cac``, ``ltv_to_cac`` = worth ÷ cac, ``_low``, ``_high``, and
        ``pays`` (cac ≤ max_cac).

    Raises
    ------
    DataError
        If the revenue of the customers is not known.
    ConfigError
        If an option is out of range.

    Examples
    --------
    >>> import lifestage as ls
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> model = ls.fit(customers)
    >>> table = acquisition_limits(model, model.predict(customers, margin=0.3), margin=0.3, cac=20)
    >>> bool((table["max_cac"] < table["worth"]).all()), table["pays"].tolist()
    (True, [True, True, True, True])
    """
    from scipy.special import ndtri

    if not 0 < quantile < 1:
        raise ConfigError(f"quantile must be a probability in (0, 1); got {quantile!r}")
    costs = _costs_by_group(cac)
    if model.spend is None:
        raise ConfigError("expected a model with a spend model: without one there is no LTV")
    terms = {
        "horizon": horizon,
        "discount_rate": discount_rate,
        "margin": margin,
        "level": level,
    }
    table = group_totals(model, staged, by, **terms, weight=weight)
    if table["past_revenue"].isna().any():
        raise DataError(
            "expected the column revenue in the customers: past purchases are part of their worth"
        )
    n, past = table["customers"], margin * table["past_revenue"] / table["customers"]
    # The interval of a group's LTV is lognormal: its ends give the mean and spread of the log.
    spread = np.log(table["ltv_high"] / table["ltv_low"]) / (2 * z_score(level))
    middle = np.sqrt(table["ltv_low"] * table["ltv_high"])
    limits = table[["group", "customers"]].assign(past_margin=past, ltv=table["ltv"] / n)
    limits["worth"] = limits["past_margin"] + limits["ltv"]
    for end in ("low", "high"):
        limits[f"worth_{end}"] = past + table[f"ltv_{end}"] / n
    limits["max_cac"] = past + middle * np.exp(float(ndtri(quantile)) * spread) / n
    if costs is None:
        return limits
    limits["cac"] = [costs.get(group, costs.get(EVERY_GROUP, np.nan)) for group in limits["group"]]
    if EVERY_GROUP not in costs:
        groups = limits.iloc[:-1]  # the last row is the total
        mean = float(np.average(groups["cac"], weights=groups["customers"]))
        limits.loc[limits.index[-1], "cac"] = mean
    for end in ("", "_low", "_high"):
        limits[f"ltv_to_cac{end}"] = limits[f"worth{end}"] / limits["cac"].where(limits["cac"] > 0)
    return limits.assign(pays=limits["cac"] <= limits["max_cac"])


def payback(
    model: LTVModel,
    cac: float,
    *,
    customers: int = 1000,
    discount_rate: float = 0.10,
    margin: float = 1.0,
    level: float = 0.9,
    months: int = 36,
) -> dict[str, float]:
    r"""Compute the month in which a cohort of new customers has earned back its cost.

    It is the first month m with

    .. math:: \text{margin} \cdot E[\text{spend}]\,
              \Big(1 + \int_0^m e^{-\delta s}\, dE[X(s)]\Big) \ge \text{cac},

    with straight lines between months. The interval is that of the earnings of so many customers:
    they are late when the low end of their earnings reaches the cost.

    Parameters
    ----------
    model : LTVModel
        With a spend model.
    cac : float
        Cost of acquiring one customer, money.
    customers : int
        Size of the cohort; larger cohorts have narrower intervals.
    discount_rate : float
        Per year.
    margin : float
        Share of revenue that is earned.
    level : float
        Interval level, in (0, 1).
    months : int
        Months to look ahead, 1 to 120.

    Returns
    -------
    dict
        ``month``, ``low``, ``high``: months of 30.4375 days, 0 for the day of the first purchase,
        infinite where it takes longer than *months*; and ``earned``, the share of the cost that is
        earned back by then.

    Raises
    ------
    ConfigError
        If the cost is not positive, *months* is not between 1 and 120, or there is no spend model.

    Examples
    --------
    >>> import lifestage as ls
    >>> model = ls.fit(ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week"))
    >>> result = payback(model, 15.0, margin=0.3, months=6)
    >>> result["low"] <= result["month"] <= result["high"]
    True
    """
    if not (math.isfinite(cac) and cac > 0):
        raise ConfigError(f"cac must be an amount above 0; got {cac!r}")
    if not 1 <= months <= MAX_MONTHS:
        raise ConfigError(f"months must be between 1 and {MAX_MONTHS}; got {months!r}")
    terms: dict[str, float] = {
        "discount_rate": discount_rate,
        "margin": margin,
        "level": level,
    }
    if model.spend is None:
        raise ConfigError("expected a model with a spend model: without one nothing is earned")
    grid = np.concatenate([[FIRST_MONTH], np.arange(1.0, months + 1)])
    earned = np.empty((grid.size, 3))
    for i, month in enumerate(grid):
        horizon = month * DAYS_PER_MONTH / model.period.days
        ltv = new_customers(model, customers, horizon=horizon, **terms).iloc[-1]
        earned[i] = ltv[["estimate", "low", "high"]].to_numpy(float) / customers
    estimate, low, high = earned.T
    return {
        "month": _month_reached(grid, estimate, cac),
        "low": _month_reached(grid, high, cac),
        "high": _month_reached(grid, low, cac),
        "earned": float(estimate[-1]) / cac,
    }


def _month_reached(grid: Floats, earned: Floats, cac: float) -> float:
    """Find the month in which the earnings reach the cost; infinite if they do not."""
    rising = np.maximum.accumulate(earned)
    if rising[0] >= cac:
        return 0.0
    return float(np.interp(cac, rising, grid)) if rising[-1] >= cac else math.inf


EVERY_GROUP = ""
"""Key of a cost that holds for every group."""


def _costs_by_group(cac: float | Mapping[str, float] | None) -> dict[str, float] | None:
    if cac is None:
        return None
    costs = dict(cac) if isinstance(cac, Mapping) else {EVERY_GROUP: float(cac)}
    for name, cost in costs.items():
        if not (math.isfinite(cost) and cost >= 0):
            raise ConfigError(
                f"cac must be a finite amount, 0 or more; got {cost!r} for {name or 'all'}"
            )
    return costs
