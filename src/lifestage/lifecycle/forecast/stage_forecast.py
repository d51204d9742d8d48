"""Forecast of today's customers: counts and revenue by stage, moves between stages, and totals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.core.dates import as_date, as_number
from lifestage.core.errors import ConfigError
from lifestage.core.steps import step
from lifestage.core.terms import check_horizon
from lifestage.lifecycle.forecast.base import read_base
from lifestage.lifecycle.forecast.forecast_tables import (
    Scale,
    View,
    dated,
    stage_rows,
    total_rows,
    transition_rows,
)
from lifestage.lifecycle.forecast.simulate import simulate_base
from lifestage.lifecycle.frames import last_day
from lifestage.lifecycle.stages.playbook import as_playbook
from lifestage.lifecycle.stages.rules import explained, taxonomies_of, with_buyer_facts
from lifestage.lifecycle.stages.states import state_space
from lifestage.lifecycle.stages.thresholds import Thresholds

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from datetime import date

    import pandas as pd

    from lifestage.core.typing import Floats
    from lifestage.lifecycle.stages.playbook import Playbook
    from lifestage.model import LTVModel

__all__ = ["StageForecast", "stage_forecast"]

MAX_SIMULATED_CUSTOMERS = 50_000
"""A larger base is forecast from a random sample of so many customers."""


@dataclass(frozen=True, eq=False)
class StageForecast:
    """Forecast of the stages of today's customers; customers acquired later are not in it.

    Attributes
    ----------
    stages : pandas.DataFrame
        One row per taxonomy, time and stage: ``taxonomy``, ``stage``, ``periods`` (from now),
        ``date`` (null where no last day is known), ``customers``, ``customers_low``,
        ``customers_high``; and ``revenue``, ``revenue_low``, ``revenue_high``: what the customers
        who are in the stage at that time have spent since the previous time (money,
        undiscounted).
    transitions : pandas.DataFrame
        One row per taxonomy, time and pair of stages: ``taxonomy``, ``periods``, ``date``,
        ``stage`` (today), ``next_stage`` (then), ``customers``, ``customers_low``,
        ``customers_high``, and ``revenue`` since today.
    totals : pandas.DataFrame
        One row per time: ``periods``, ``date``; ``purchases`` and ``revenue`` of all customers
        since today, each with ``_low`` and ``_high``.
    level : float
        Interval level. The intervals hold the uncertainty of behaviour and of the parameters.
    scenarios, sample : int
        Simulated futures, and simulated customers.

    Examples
    --------
    >>> import lifestage as ls
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> model = ls.fit(customers)
    >>> staged = ls.assign_stages(model.predict(customers))
    >>> forecast = stage_forecast(model, staged, points=[13], scenarios=10, sample=500)
    >>> list(forecast.totals.columns)[:3], forecast.sample
    (['periods', 'date', 'purchases'], 500)
    """

    stages: pd.DataFrame
    transitions: pd.DataFrame
    totals: pd.DataFrame
    level: float
    scenarios: int
    sample: int


def stage_forecast(  # noqa: PLR0913
    model: LTVModel,
    staged: Any,
    *,
    horizon: float = 52,
    points: int | Sequence[float] = 4,
    scenarios: int = 200,
    level: float = 0.9,
    thresholds: Thresholds | None = None,
    until: date | str | None = None,
    sample: int = MAX_SIMULATED_CUSTOMERS,
    seed: int = 0,
    playbook: str | os.PathLike[str] | Playbook | None = None,
) -> StageForecast:
    """Forecast the stages of today's customers by simulation, under the rules of today.

    Each scenario takes one draw of the parameters and samples each customer's state, rate, dropout
    probability and spend level given the history. The customer then buys at random, and the rules
    are applied again at every time. High value is judged by today's cut.

    Parameters
    ----------
    model : LTVModel
    staged : frame
        What :func:`lifestage.assign_stages` made of the scores of *model*. Contacts without a
        purchase are left out.
    horizon : float
        Length of the forecast in periods of the model.
    points : int or sequence of floats
        So many times evenly over the horizon, or these (periods from now, rising).
    scenarios : int
        Futures to simulate, 2 or more.
    level : float
        Interval level, in (0, 1).
    thresholds : Thresholds, optional
        Those of the stages. A taxonomy whose stages in *staged* follow another rule is left out.
    until : date or str, optional
        Last day of observation; the one that the scores name if left out.
    sample : int
        A larger base is represented by so many customers, taken at random; the intervals hold the
        sampling error.
    seed : int
        Random seed: the same seed gives the same forecast.
    playbook : path or Playbook, optional
        That of :func:`lifestage.assign_stages`: its own taxonomies are forecast too. Their
        conditions may compare ``N``, ``frequency``, ``R``, ``activity_ratio`` and ``p_alive`` with
        numbers or thresholds, and ask for ``high_value``.

    Returns
    -------
    StageForecast
        Tables ``stages``, ``transitions`` and ``totals``.

    Raises
    ------
    ConfigError
        If an option is out of range, or a condition of the playbook reads what a forecast cannot
        know.
    DataError
        If columns are missing.

    Examples
    --------
    >>> import lifestage as ls
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> model = ls.fit(customers)
    >>> staged = ls.assign_stages(model.predict(customers))
    >>> forecast = stage_forecast(model, staged, horizon=52, points=2, scenarios=10)
    >>> line = forecast.stages[forecast.stages["taxonomy"] == "line"]
    >>> line.groupby("periods")["customers"].sum().round().tolist()
    [2357.0, 2357.0]
    """
    times = _times(points, horizon)
    if scenarios < 2 or not 0 < level < 1 or sample < 1:
        raise ConfigError(
            "expected 2 or more scenarios, a level in (0, 1) and a sample of 1 or more customers;"
            f" got scenarios={scenarios!r}, level={level!r}, sample={sample!r}"
        )
    limits = thresholds or Thresholds()
    taxonomies = taxonomies_of(None if playbook is None else as_playbook(playbook))
    states = state_space(taxonomies, limits)
    frame = with_buyer_facts(staged, taxonomies, limits)
    customers, base, total = read_base(staged, taxonomies, limits, sample, seed)
    # The groups of the base are the combinations of today's stages, in this order.
    columns = [taxonomy.column for taxonomy in taxonomies]
    today = customers[columns].drop_duplicates().sort_values(columns, ignore_index=True)
    with step(__name__, f"Simulating {scenarios:,} futures of {len(customers):,} customers"):
        simulated = simulate_base(model, base, times, states=states, scenarios=scenarios, seed=seed)
    index = states.stage_of_states(taxonomies, limits)
    views = [
        View(taxonomy, index[taxonomy.name], today[taxonomy.column])
        for taxonomy in explained(frame, taxonomies, limits)
    ]
    ends = ((1 - level) / 2, (1 + level) / 2)
    scale = Scale(total / max(len(customers), 1), ends)
    calendar = _calendar(model, times, last_day(frame, until))
    return StageForecast(
        dated(stage_rows(simulated, views, scale), calendar),
        dated(transition_rows(simulated, views, scale), calendar),
        dated(total_rows(simulated, scale), calendar),
        level,
        scenarios,
        len(customers),
    )


def _times(points: int | Sequence[float], horizon: float) -> Floats:
    if isinstance(points, int):
        check_horizon(horizon)
        if points < 1:
            raise ConfigError(f"expected 1 or more points; got {points!r}")
        return np.asarray(horizon * np.arange(1, points + 1) / points)
    times = np.asarray(points, float)
    if (
        times.ndim != 1
        or not times.size
        or not np.all(np.isfinite(times))
        or np.any(np.diff(times, prepend=0.0) <= 0)
    ):
        raise ConfigError(f"points must be rising numbers of periods above 0; got {points!r}")
    return times


def _calendar(model: LTVModel, times: Floats, last: date | None) -> pd.DataFrame:
    """Periods from now and the dates they end on."""
    import pandas as pd

    dates: list[date | None] = [None] * times.size
    if last is not None:
        days = as_number(last) + np.round(times * model.period.days)
        dates = [as_date(day) for day in days.astype(int).tolist()]
    return pd.DataFrame({"periods": times, "date": dates})
