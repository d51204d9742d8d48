"""Where the base is going: stages, purchases and revenue of the coming periods, and who moves from where to where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.core.dates import as_date, as_number
from lifestage.core.errors import ConfigError
from lifestage.core.steps import step
from lifestage.core.terms import check_horizon
from lifestage.lifecycle.forecast.base import read_base
from lifestage.lifecycle.forecast.simulate import Scenarios, places_of_states, simulate_base
from lifestage.lifecycle.frames import last_day
from lifestage.lifecycle.stages.rules import explains, rules_by_taxonomy, with_facts
from lifestage.lifecycle.stages.taxonomies import TAXONOMIES, column_of
from lifestage.lifecycle.stages.thresholds import Thresholds

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import pandas as pd
    from numpy.typing import NDArray

    from lifestage.core.typing import Floats
    from lifestage.model import LTVModel

__all__ = ["StageForecast", "stage_forecast"]


SAMPLE = 50_000
"""Customers that a forecast of a base is made of where there are more."""


@dataclass(frozen=True, eq=False)
class StageForecast:
    """The coming periods of today's customers; customers who are still to come are not in it.

    Attributes
    ----------
    stages : pandas.DataFrame
        ``taxonomy``, ``stage``, ``periods`` from now, ``date`` (null where no last day is known),
        ``customers``, ``customers_low``, ``customers_high``; and ``revenue``, ``revenue_low``,
        ``revenue_high``: what those who stand in the stage at that time have spent since the point
        before (money, undiscounted).
    transitions : pandas.DataFrame
        ``taxonomy``, ``periods``, ``date``, ``stage`` (today), ``next_stage`` (then),
        ``customers``, ``customers_low``, ``customers_high``, and ``revenue`` since today.
    totals : pandas.DataFrame
        ``periods``, ``date``; ``purchases`` and ``revenue`` of all since today, each with ``_low``
        and ``_high``.
    level : float
        Coverage of the intervals: they hold what is left to chance and the error of the parameters.
    scenarios, sample : int
        Futures simulated, and customers that stand for the base.
    """

    stages: pd.DataFrame
    transitions: pd.DataFrame
    totals: pd.DataFrame
    level: float
    scenarios: int
    sample: int


def stage_forecast(
    model: LTVModel,
    staged: Any,
    *,
    horizon: float = 52,
    points: int | Sequence[float] = 4,
    scenarios: int = 200,
    level: float = 0.9,
    thresholds: Thresholds | None = None,
    until: date | str | None = None,
    sample: int = SAMPLE,
    seed: int = 0,
) -> StageForecast:
    """Forecast the stages of today's customers by simulation, with the rules of today.

    Each scenario takes one draw of the parameters; each customer's rate, dropout chance, state and
    spend level are drawn from what is known given the history, the customer lives on, and the rules
    are applied again at every point. High value is judged by today's threshold.

    Parameters
    ----------
    model : LTVModel
    staged : frame
        What :func:`lifestage.assign_stages` made of the scores of *model*. Contacts without a
        purchase are left out.
    horizon : float
        Periods of the model.
    points : int or sequence of floats
        So many points evenly over the horizon, or these (periods from now, rising).
    scenarios : int
        Futures to simulate.
    level : float
        Coverage of the intervals, in (0, 1).
    thresholds : Thresholds, optional
        Those of the stages. A taxonomy whose stages in *staged* follow another rule is left out.
    until : date or str, optional
        Last day of observation; the one that the scores name if left out.
    sample : int
        Of a larger base so many customers, drawn by lot, stand for all; the intervals hold the
        error of that.
    seed : int

    Returns
    -------
    StageForecast

    Raises
    ------
    ConfigError
        If an option is out of range.
    DataError
        If columns are missing.

    Examples
    --------
    >>> import lifestage as ls
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> model = ls.fit(customers)
    >>> ahead = stage_forecast(model, ls.assign_stages(model.predict(customers)), horizon=52, scenarios=20)
    >>> line = ahead.stages[ahead.stages["taxonomy"] == "line"]
    >>> line.groupby("periods")["customers"].sum().round().tolist()
    [2357.0, 2357.0, 2357.0, 2357.0]
    """
    times = _points(points, horizon)
    if scenarios < 2 or not 0 < level < 1 or sample < 1:
        raise ConfigError(
            "expected 2 or more scenarios, a level in (0, 1) and a sample of 1 or more customers;"
            f" got scenarios={scenarios!r}, level={level!r}, sample={sample!r}"
        )
    limits = thresholds or Thresholds()
    frame = with_facts(staged, limits)
    names = [
        name for name, rule in rules_by_taxonomy(limits).items() if explains(frame, name, rule)
    ]
    customers, base, all_of_them = read_base(staged, limits, sample, seed)
    stages = [column_of(name) for name in TAXONOMIES]
    today = (
        customers[stages].drop_duplicates().sort_values(stages, ignore_index=True)
    )  # the order of the groups
    with step(__name__, f"Simulating {scenarios:,} futures of {len(customers):,} customers"):
        found = simulate_base(model, base, times, limits=limits, scenarios=scenarios, seed=seed)
    factor = all_of_them / max(len(customers), 1)
    ends = ((1 - level) / 2, (1 + level) / 2)
    calendar = _calendar(model, times, last_day(frame, until))
    return StageForecast(
        _dated(_stages(found, names, limits, factor, ends), calendar),
        _dated(_transitions(found, names, today, limits, factor, ends), calendar),
        _dated(_totals(found, factor, ends), calendar),
        level,
        scenarios,
        len(customers),
    )


def _points(points: int | Sequence[float], horizon: float) -> Floats:
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

    start = None if last is None else as_number(last)
    dates = [
        None if start is None else as_date(start + round(t * model.period.days))
        for t in times.tolist()
    ]
    return pd.DataFrame({"periods": times, "date": dates})


def _dated(table: pd.DataFrame, calendar: pd.DataFrame) -> pd.DataFrame:
    """Put what a point is in the place of its number."""
    at = calendar.iloc[table["point"].to_numpy(int)]
    place = list(table.columns).index("point")
    out = table.drop(columns="point")
    for i, name in enumerate(calendar.columns):
        out.insert(place + i, name, at[name].to_numpy())
    return out


def _interval(
    name: str, values: Floats, factor: float, ends: tuple[float, float]
) -> dict[str, Floats]:
    """The mean over scenarios, the first axis, and quantiles, of a base that is *factor* times what was simulated."""
    low, high = np.quantile(values, ends, axis=0)
    return {
        name: values.mean(axis=0) * factor,
        f"{name}_low": low * factor,
        f"{name}_high": high * factor,
    }


def _by_stage(values: Floats, places: NDArray[np.int64], size: int) -> Floats:
    """Sums over the states that stand for each stage, on the last axis."""
    out = np.zeros((*values.shape[:-1], size))
    for place in range(size):
        out[..., place] = values[..., places == place].sum(axis=-1)
    return out


def _stages(
    found: Scenarios, names: list[str], limits: Thresholds, factor: float, ends: tuple[float, float]
) -> pd.DataFrame:
    import pandas as pd

    parts = [pd.DataFrame(columns=["taxonomy", "stage", "point"])]
    for name in names:
        keys, places = [stage.key for stage in TAXONOMIES[name]], places_of_states(limits)[name]
        people, money = (
            _by_stage(each.sum(axis=2), places, len(keys))
            for each in (found.customers, found.revenue)
        )
        columns = _interval("customers", people, factor, ends) | _interval(
            "revenue", money, factor, ends
        )
        points = people.shape[1]
        index = {
            "taxonomy": name,
            "stage": keys * points,
            "point": np.repeat(np.arange(points), len(keys)),
        }
        table = pd.DataFrame(index | {column: values.ravel() for column, values in columns.items()})
        parts.append(table[table["stage"] != "prospect"])
    return pd.concat(parts[1:] or parts, ignore_index=True)


def _transitions(
    found: Scenarios,
    names: list[str],
    today: pd.DataFrame,
    limits: Thresholds,
    factor: float,
    ends: tuple[float, float],
) -> pd.DataFrame:
    import pandas as pd

    parts = [pd.DataFrame(columns=["taxonomy", "stage", "next_stage", "point"])]
    since_today = found.revenue.cumsum(axis=1)
    for name in names:
        keys, places = [stage.key for stage in TAXONOMIES[name]], places_of_states(limits)[name]
        here = today[column_of(name)].map({key: i for i, key in enumerate(keys)}).to_numpy(int)
        moved = []
        for values in (found.customers, since_today):
            then = _by_stage(values, places, len(keys))
            both = np.zeros((*then.shape[:2], len(keys), len(keys)))
            for group, place in enumerate(here):
                both[:, :, place] += then[:, :, group]
            moved.append(both)
        columns = _interval("customers", moved[0], factor, ends) | {
            "revenue": moved[1].mean(axis=0) * factor
        }
        index = pd.MultiIndex.from_product(
            [range(then.shape[1]), keys, keys], names=["point", "stage", "next_stage"]
        )
        table = pd.DataFrame(
            {column: values.ravel() for column, values in columns.items()}, index=index
        ).reset_index()
        table.insert(0, "taxonomy", name)
        table = table[(table["stage"] != "prospect") & (table["next_stage"] != "prospect")]
        parts.append(table)
    return pd.concat(parts[1:] or parts, ignore_index=True)


def _totals(found: Scenarios, factor: float, ends: tuple[float, float]) -> pd.DataFrame:
    import pandas as pd

    purchases, revenue = (
        found.purchases.cumsum(axis=1),
        found.revenue.sum(axis=(2, 3)).cumsum(axis=1),
    )
    columns = _interval("purchases", purchases, factor, ends) | _interval(
        "revenue", revenue, factor, ends
    )
    return pd.DataFrame({"point": np.arange(purchases.shape[1])} | columns)
