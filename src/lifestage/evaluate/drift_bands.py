"""Bands of simulated purchases and revenue by week and by cohort, beside the observed values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import narwhals as nw
import numpy as np

from lifestage.core.names import CUSTOMER, FREQUENCY, KEYS, MONETARY
from lifestage.data.engines.frames import lazy, to_pandas
from lifestage.data.engines.operations import sample_customers
from lifestage.lifecycle.forecast.base import Base
from lifestage.lifecycle.forecast.simulate import simulate_base
from lifestage.lifecycle.stages.states import StateSpace

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

    from lifestage.core.typing import Floats
    from lifestage.data.customers.summary import Summary
    from lifestage.model import LTVModel

__all__ = [
    "WEEK",
    "BaseSample",
    "actual_by_week",
    "bands",
    "cohort_table",
    "sample_base",
    "simulate",
]

WEEK = 7
"""Days."""

MAX_SIMULATED_CUSTOMERS = 50_000
"""A random sample of this size stands for a larger base."""


@dataclass(frozen=True, eq=False)
class BaseSample:
    """Customers as arrays, grouped by the month of the first purchase; each stands for *factor*."""

    base: Base
    cohorts: tuple[str, ...]
    factor: float


def sample_base(customers: Summary, model: LTVModel) -> BaseSample:
    """The customers of a summary, or a random sample of them."""
    import pandas as pd

    columns = [CUSTOMER, "first_purchase", *KEYS]
    if model.spend is not None:
        columns.append(MONETARY)
    table = lazy(customers.table)[0].select(*columns)
    sample = sample_customers(table, customers.customers, MAX_SIMULATED_CUSTOMERS)
    x, t_x, T = (sample[name].to_numpy(float) for name in KEYS)
    money = np.zeros(x.size)
    if MONETARY in sample:
        money = x * sample[MONETARY].to_numpy(float)
    month = pd.to_datetime(sample["first_purchase"]).dt.strftime("%Y-%m")
    cohort, names = pd.factorize(month, sort=True)
    base = Base(x, t_x, T, money, cohort, np.inf, customers.stage_window)
    return BaseSample(base, tuple(names), customers.customers / max(x.size, 1))


def simulate(
    model: LTVModel, sample: BaseSample, times: Floats, scenarios: int, seed: int
) -> dict[str, Floats]:
    """Purchases and revenue of the base between *times* (periods), shape (scenarios, times)."""
    no_stages = StateSpace((), (), ())
    simulated = simulate_base(
        model, sample.base, times, states=no_stages, scenarios=scenarios, seed=seed
    )
    values = {"purchases": sample.factor * simulated.purchases}
    if model.spend is not None:
        values["revenue"] = sample.factor * simulated.revenue.sum(axis=3)
    return values


def actual_by_week(customers: Summary, start: date, weeks: int) -> dict[str, Floats]:
    """Observed purchases and revenue in each week after *start*."""
    calendar = customers.calendar
    days = np.array([(day - start).days for day in calendar["day"]])
    week = (days - 1) // WEEK
    inside = (days > 0) & (week < weeks)
    actual = {}
    for name, column in (("purchases", "repeat_purchases"), ("revenue", "revenue")):
        values = calendar[column].to_numpy(float)
        actual[name] = np.bincount(week[inside], values[inside], weeks)
    return actual


def bands(name: str, actual: Floats, simulated: Floats, level: float) -> dict[str, Floats]:
    """Columns of a quantity: observed, expected, low and high, by week and cumulative."""
    columns: dict[str, Floats] = {}
    cumulative = actual.cumsum(), simulated.cumsum(axis=1)
    for prefix, observed, values in (("", actual, simulated), ("cumulative_", *cumulative)):
        low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2], axis=0)
        columns[f"{prefix}{name}"] = observed
        columns[f"{prefix}{name}_expected"] = values.mean(axis=0)
        columns[f"{prefix}{name}_low"] = low
        columns[f"{prefix}{name}_high"] = high
    return columns


def cohort_table(
    customers: Summary,
    later: Summary,
    sample: BaseSample,
    purchases: Floats,
    level: float,
) -> pd.DataFrame:
    """Purchases of each cohort between two summaries, and in each scenario (scenarios, cohorts)."""
    import pandas as pd

    low, high = np.quantile(purchases, [(1 - level) / 2, (1 + level) / 2], axis=0)
    sizes = np.bincount(sample.base.group, minlength=len(sample.cohorts))
    table = pd.DataFrame(
        {
            "cohort": sample.cohorts,
            "customers": np.round(sample.factor * sizes).astype(np.int64),
            "purchases_expected": purchases.mean(axis=0),
            "purchases_low": low,
            "purchases_high": high,
        }
    )
    observed = _purchases_by_cohort(customers, later).reindex(table["cohort"])
    table.insert(2, "purchases", observed.to_numpy(float))
    return table


def _purchases_by_cohort(customers: Summary, later: Summary) -> pd.Series[float]:
    """Purchases of the customers between two summaries, by the month of their first purchase.

    Each summary is added up on its own: the tables of two connections do not join.
    """
    import pandas as pd

    before, after = _frequency_by_first_day(customers), _frequency_by_first_day(later)
    gained = after.reindex(before.index) - before
    return gained.groupby(pd.DatetimeIndex(before.index).strftime("%Y-%m")).sum()


def _frequency_by_first_day(customers: Summary) -> pd.Series[float]:
    import pandas as pd

    by_day = lazy(customers.table)[0].group_by("first_purchase")
    per_day = to_pandas(by_day.agg(nw.col(FREQUENCY).sum()))
    return pd.Series(per_day[FREQUENCY].to_numpy(), pd.to_datetime(per_day["first_purchase"]))
