"""What a customer may cost to acquire, by cohort or channel, and when the cost is earned back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.core.errors import ConfigError, DataError
from lifestage.lifecycle.metrics.groups import COHORT, group_totals
from lifestage.prediction.new_customers import new_customers

if TYPE_CHECKING:
    import pandas as pd

    from lifestage.model import LTVModel

__all__ = ["acquisition_limits", "payback"]

MONTH = 30.4375
"""Days."""

LONGEST = 120
"""Months that a payback is looked for."""


def acquisition_limits(
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
    r"""The most that a customer of each cohort or channel was worth paying for.

    A customer is worth the margin on what was bought and the LTV still to come. The total of a
    group is uncertain by the LTV alone; its lognormal quantile ÷ customers is the highest cost of
    acquisition that pays with the chance 1 − *quantile*.

    Parameters
    ----------
    model, staged, by, horizon, discount_rate, margin, level, weight
        As in :func:`lifestage.lifecycle.group_totals`; *staged* needs ``revenue``.
    quantile : float
        Of the worth of a group, in (0, 1): .1 is careful, .5 an even bet.
    cac : float or mapping of group to float, optional
        What a customer has cost, money.

    Returns
    -------
    pandas.DataFrame
        By group, ``"total"`` last: ``group``, ``customers``, ``past_margin`` and ``ltv`` (money a
        customer), ``worth`` (their sum), ``worth_low``, ``worth_high`` (at *level*), ``max_cac``;
        with *cac* also ``cac``, ``ltv_to_cac`` = worth ÷ cac, ``_low``, ``_high``, and ``pays``
        (cac ≤ max_cac).

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
    costs = _costs(cac)
    if model.spend is None:
        raise ConfigError("expected a model with a spend model: without one there is no LTV")
    terms = {"horizon": horizon, "discount_rate": discount_rate, "margin": margin, "level": level}
    table = group_totals(model, staged, by, **terms, weight=weight)
    if table["past_revenue"].isna().any():
        raise DataError(
            "expected the column revenue in the customers: what they have bought is part of their"
            " worth"
        )
    n, past = table["customers"], margin * table["past_revenue"] / table["customers"]
    spread = np.log(table["ltv_high"] / table["ltv_low"]) / (2 * float(ndtri((1 + level) / 2)))
    middle = np.sqrt(table["ltv_low"] * table["ltv_high"])
    out = table[["group", "customers"]].assign(past_margin=past, ltv=table["ltv"] / n)
    out["worth"] = out["past_margin"] + out["ltv"]
    for end in ("low", "high"):
        out[f"worth_{end}"] = past + table[f"ltv_{end}"] / n
    out["max_cac"] = past + middle * np.exp(float(ndtri(quantile)) * spread) / n
    if costs is None:
        return out
    out["cac"] = [costs.get(group, costs.get("", np.nan)) for group in out["group"]]
    if "" not in costs:
        known = out.iloc[:-1]
        out.loc[out.index[-1], "cac"] = float(np.average(known["cac"], weights=known["customers"]))
    for end in ("", "_low", "_high"):
        out[f"ltv_to_cac{end}"] = out[f"worth{end}"] / out["cac"].where(out["cac"] > 0)
    return out.assign(pays=out["cac"] <= out["max_cac"])


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
    r"""The month in which a cohort of new customers has earned back what it cost.

    The first month m with :math:`\text{margin} \cdot E[\text{spend}]\,(1 + \int_0^m e^{-\delta s}
    dE[X(s)]) \ge \text{cac}`, between months by straight lines. The interval comes from that of the
    earnings of so many customers: they are late when the low end pays back.

    Returns
    -------
    dict
        ``month``, ``low``, ``high``: months of 30.4375 days, 0 for the day of the first purchase,
        infinite where it takes longer than *months*; and ``earned``, the share of the cost that is
        back by then.

    Raises
    ------
    ConfigError
        If the cost is not positive, or *months* is not between 1 and 120.

    Examples
    --------
    >>> import lifestage as ls
    >>> model = ls.fit(ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week"))
    >>> found = payback(model, 15.0, margin=0.3)
    >>> found["low"] <= found["month"] <= found["high"]
    True
    """
    if not (math.isfinite(cac) and cac > 0):
        raise ConfigError(f"cac must be an amount above 0; got {cac!r}")
    if not 1 <= months <= LONGEST:
        raise ConfigError(f"months must be between 1 and {LONGEST}; got {months!r}")
    terms: dict[str, float] = {"discount_rate": discount_rate, "margin": margin, "level": level}
    if model.spend is None:
        raise ConfigError("expected a model with a spend model: without one nothing is earned")
    at = np.concatenate([[0.02], np.arange(1.0, months + 1)])
    earned = {"estimate": [], "low": [], "high": []}  # type: dict[str, list[float]]
    for month in at:
        worth = new_customers(
            model, customers, horizon=month * MONTH / model.period.days, **terms
        ).iloc[-1]
        for name, values in earned.items():
            values.append(float(worth[name]) / customers)

    def reached(values: list[float]) -> float:
        rising = np.maximum.accumulate(values)
        if rising[0] >= cac:
            return 0.0
        return float(np.interp(cac, rising, at)) if rising[-1] >= cac else math.inf

    return {
        "month": reached(earned["estimate"]),
        "low": reached(earned["high"]),
        "high": reached(earned["low"]),
        "earned": earned["estimate"][-1] / cac,
    }


def _costs(cac: float | Mapping[str, float] | None) -> dict[str, float] | None:
    """Costs by group; one for all stands under the empty name."""
    costs = None if cac is None else dict(cac) if isinstance(cac, Mapping) else {"": float(cac)}
    for name, cost in (costs or {}).items():
        if not (math.isfinite(cost) and cost >= 0):
            raise ConfigError(
                f"cac must be a finite amount, 0 or more; got {cost!r} for {name or 'all'}"
            )
    return costs
