"""Where the base is going: stages, purchases and revenue of the coming periods, and who moves from where to where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from lifestage import special
from lifestage.data.days import as_date, as_number, parse_day
from lifestage.data.engine import ENGINES, lazy, sampled, to_pandas, upload
from lifestage.errors import ConfigError
from lifestage.families import family
from lifestage.lifecycle.assign import base_facts
from lifestage.lifecycle.scenarios import STATES, Base, Scenarios, places_of_states, simulate_base, state_of
from lifestage.lifecycle.stage_counts import explains, rules_by_taxonomy, with_facts
from lifestage.lifecycle.taxonomies import TAXONOMIES
from lifestage.lifecycle.thresholds import Thresholds
from lifestage.predict import PREDICTION_DRAWS
from lifestage.tables import CUSTOMER, FREQUENCY, KEYS, MONETARY
from lifestage.value import spend_line

if TYPE_CHECKING:
    import pandas as pd

    from lifestage.model import LTVModel

__all__ = ["StageForecast", "stage_forecast", "stage_probabilities"]

Floats = NDArray[np.float64]

SAMPLE = 50_000
"""Customers that a forecast of a base is made of where there are more."""

MOST = 40_000_000
"""Customers times points that chances are asked for."""


@dataclass(frozen=True)
class StageForecast:
    """The coming periods of today's customers; customers who are still to come are not in it.

    Attributes
    ----------
    stages : pandas.DataFrame
        ``taxonomy``, ``stage``, ``periods`` from now, ``date`` (null where no last day is known), ``customers``,
        ``customers_low``, ``customers_high``; and ``revenue``, ``revenue_low``, ``revenue_high``: what those who stand
        in the stage at that time have spent since the point before (money, undiscounted).
    transitions : pandas.DataFrame
        ``taxonomy``, ``periods``, ``date``, ``stage`` (today), ``next_stage`` (then), ``customers``,
        ``customers_low``, ``customers_high``, and ``revenue`` since today.
    totals : pandas.DataFrame
        ``periods``, ``date``; ``purchases`` and ``revenue`` of all since today, each with ``_low`` and ``_high``.
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

    Each scenario takes one draw of the parameters; each customer's rate, dropout chance, state and spend level are
    drawn from what is known given the history, the customer lives on, and the rules are applied again at every point.
    High value is judged by today's threshold.

    Parameters
    ----------
    model : LTVModel
    staged : frame
        What :func:`lifestage.assign_stages` made of the scores of *model*. Contacts without a purchase are left out.
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
        Last day of observation; that of the model's data if left out.
    sample : int
        Of a larger base so many customers, drawn by lot, stand for all; the intervals hold the error of that.
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
            "expected 2 or more scenarios, a level in (0, 1) and a sample of 1 or more customers; got "
            f"scenarios={scenarios!r}, level={level!r}, sample={sample!r}"
        )
    limits = thresholds or Thresholds()
    frame = with_facts(staged, limits)
    names = [name for name, rule in rules_by_taxonomy(limits).items() if explains(frame, name, rule)]
    customers, all_of_them = _customers(staged, sample, seed)
    today, group = _today(customers)
    base = _base(customers, group, base_facts(frame, limits)["high_value"])
    found = simulate_base(model, base, times, limits=limits, scenarios=scenarios, seed=seed)
    factor = all_of_them / max(len(customers), 1)
    ends = ((1 - level) / 2, (1 + level) / 2)
    calendar = _calendar(model, times, until)
    return StageForecast(
        _dated(_stages(found, names, limits, factor, ends), calendar),
        _dated(_transitions(found, names, today, limits, factor, ends), calendar),
        _dated(_totals(found, factor, ends), calendar),
        level,
        scenarios,
        len(customers),
    )


def stage_probabilities(
    model: LTVModel,
    staged: Any,
    *,
    horizon: float = 13,
    taxonomy: str = "line",
    scenarios: int = 1000,
    thresholds: Thresholds | None = None,
    seed: int = 0,
) -> Any:
    """The chance of every customer to stand in each stage of a taxonomy after *horizon* periods, by simulation.

    With ``horizon=0`` the chance of each stage today, over the draws of the parameters: what the history does not say
    about where a customer stands. Parameters as in :func:`stage_forecast`.

    Returns
    -------
    frame
        ``customer_id``, ``stage_<taxonomy>`` (today), and ``p_<stage>`` for every stage but prospects, which add up to
        1, in the kind that went in.

    Raises
    ------
    ConfigError
        If an option is out of range, or there are too many customers for that many scenarios.

    Examples
    --------
    >>> import lifestage as ls
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> model = ls.fit(customers)
    >>> chances = stage_probabilities(model, ls.assign_stages(model.predict(customers)), horizon=13, scenarios=100)
    >>> chances.filter(like="p_").columns.tolist()
    ['p_new', 'p_active', 'p_drowsy', 'p_half_asleep', 'p_asleep']
    """
    if taxonomy not in TAXONOMIES:
        raise ConfigError(f"taxonomy must be one of {', '.join(TAXONOMIES)}; got {taxonomy!r}")
    if scenarios < 2 or not 0 <= horizon < np.inf:
        raise ConfigError(
            f"expected 2 or more scenarios and a horizon of 0 or more periods; got {scenarios!r} and {horizon!r}"
        )
    limits = thresholds or Thresholds()
    customers, _ = _customers(staged, None, seed)
    if len(customers) * scenarios > 50 * MOST:
        raise ConfigError(
            f"expected at most {50 * MOST:,} customers × scenarios; got {len(customers):,} × {scenarios:,}: choose "
            "fewer customers or scenarios"
        )
    _, group = _today(customers)
    high = base_facts(with_facts(staged, limits), limits)["high_value"]
    chances = _chances(model, _base(customers, group, high), horizon, limits, scenarios, seed)
    places, stages = places_of_states(limits)[taxonomy], TAXONOMIES[taxonomy]
    table = customers[[CUSTOMER, f"stage_{taxonomy}"]].reset_index(drop=True)
    for i, stage in enumerate(stages):
        if stage.key != "prospect":
            table[f"p_{stage.key}"] = chances[:, places == i].sum(axis=1).astype(float)
    return upload(table, like=staged)


def _chances(
    model: LTVModel, base: Base, horizon: float, limits: Thresholds, scenarios: int, seed: int
) -> NDArray[np.float32]:
    """Share of scenarios, or today of draws, by customer and state."""
    if horizon > 0:
        found = simulate_base(
            model, base, np.array([float(horizon)]), limits=limits, scenarios=scenarios, seed=seed, by_customer=True
        )
        assert found.chances is not None
        return np.asarray(found.chances[:, 0])
    out = np.zeros((base.x.size, STATES), np.float32)
    part = model.purchases.thinned(PREDICTION_DRAWS)
    module, h = family(part.family), base.window / model.period.days
    intercept, slope = (line.mean(axis=0) for line in spend_line(model, base.x))
    value = (base.x + 1) * (intercept + slope * base.money / np.maximum(base.x, 1)) if model.spend else base.x + 1
    often = np.where(base.x < 1, 0, np.where(base.x + 1 < limits.frequent, 1, 2))
    for draw in range(part.size):
        one = {name: float(values[draw]) for name, values in part.draws.items()}
        fresh = np.maximum(module.p_purchase(h, base.x, base.t_x, base.t_x, **one), special.TINY)
        kept = module.p_purchase(h, base.x, base.t_x, base.T, **one) / fresh
        band = sum((kept < cut).astype(int) for cut in (limits.awake, limits.drowsy, limits.asleep))
        worth = module.p_alive(base.x, base.t_x, base.T, **one) >= limits.alive
        out[np.arange(base.x.size), state_of(often, band, value >= base.high_value, worth)] += 1
    return out / np.float32(part.size)


def _points(points: int | Sequence[float], horizon: float) -> Floats:
    if isinstance(points, int):
        if points < 1 or not 0 < horizon < np.inf:
            raise ConfigError(f"expected 1 or more points and a horizon above 0; got {points!r} and {horizon!r}")
        return np.asarray(horizon * np.arange(1, points + 1) / points)
    times = np.asarray(points, float)
    if times.ndim != 1 or not times.size or not np.all(np.isfinite(times)) or np.any(np.diff(times, prepend=0.0) <= 0):
        raise ConfigError(f"points must be rising numbers of periods above 0; got {points!r}")
    return times


def _customers(staged: Any, sample: int | None, seed: int) -> tuple[pd.DataFrame, int]:
    """Buyers, or as many of them drawn by lot, in pandas; and how many there are."""
    table, kind = lazy(staged)
    names = table.collect_schema().names()
    wanted = [CUSTOMER, *KEYS, *[name for name in (MONETARY,) if name in names], "stage_window_days"]
    wanted += [f"stage_{name}" for name in TAXONOMIES]
    buyers = table.filter(~nw.col(FREQUENCY).is_null()).select(*wanted)
    total = int(to_pandas(buyers.select(nw.len().alias("n")))["n"].iloc[0])
    if sample is not None and kind in ENGINES:
        buyers = sampled(buyers, CUSTOMER, max(1, total // (2 * sample)))
    found = to_pandas(buyers)
    if sample is not None and len(found) > sample:
        found = found.iloc[np.sort(np.random.default_rng(seed).choice(len(found), sample, replace=False))]
    return found, total


def _today(customers: pd.DataFrame) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """Combinations of today's stages, and which one each customer stands in."""
    columns = [f"stage_{name}" for name in TAXONOMIES]
    code = customers.groupby(columns, sort=True, observed=True).ngroup().to_numpy(np.int64)
    return customers[columns].drop_duplicates().sort_values(columns, ignore_index=True), code


def _base(customers: pd.DataFrame, group: NDArray[np.int64], high_value: float) -> Base:
    x, t_x, T = (customers[name].to_numpy(float) for name in KEYS)
    mean = customers[MONETARY].to_numpy(float) if MONETARY in customers else np.zeros(x.size)
    window = float(customers["stage_window_days"].max()) if x.size else 1.0
    return Base(x, t_x, T, x * mean, group, high_value * (1.0 - 1e-12), window)


def _calendar(model: LTVModel, times: Floats, until: date | str | None) -> pd.DataFrame:
    """Periods from now and the dates they end on."""
    import pandas as pd

    last = until if until is not None else model.data.until
    dates = [None] * times.size
    if last is not None:
        dates = [as_date(as_number(parse_day(last)) + round(t * model.period.days)) for t in times.tolist()]
    return pd.DataFrame({"periods": times, "date": dates})


def _dated(table: pd.DataFrame, calendar: pd.DataFrame) -> pd.DataFrame:
    """Put what a point is in the place of its number."""
    place, at = table.columns.get_loc("point"), calendar.iloc[table["point"].to_numpy(int)]
    out = table.drop(columns="point")
    out.insert(place, "periods", at["periods"].to_numpy())
    out.insert(place + 1, "date", at["date"].to_numpy())
    return out


def _interval(name: str, values: Floats, factor: float, ends: tuple[float, float]) -> dict[str, Floats]:
    """The mean over scenarios, the first axis, and quantiles, of a base that is *factor* times what was simulated."""
    low, high = np.quantile(values, ends, axis=0)
    return {name: values.mean(axis=0) * factor, f"{name}_low": low * factor, f"{name}_high": high * factor}


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
        people, money = (_by_stage(each.sum(axis=2), places, len(keys)) for each in (found.customers, found.revenue))
        columns = _interval("customers", people, factor, ends) | _interval("revenue", money, factor, ends)
        points = people.shape[1]
        index = {"taxonomy": name, "stage": keys * points, "point": np.repeat(np.arange(points), len(keys))}
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
        here = today[f"stage_{name}"].map({key: i for i, key in enumerate(keys)}).to_numpy(int)
        moved = []
        for values in (found.customers, since_today):
            then = _by_stage(values, places, len(keys))
            both = np.zeros((*then.shape[:2], len(keys), len(keys)))
            for group, place in enumerate(here):
                both[:, :, place] += then[:, :, group]
            moved.append(both)
        columns = _interval("customers", moved[0], factor, ends) | {"revenue": moved[1].mean(axis=0) * factor}
        index = pd.MultiIndex.from_product([range(then.shape[1]), keys, keys], names=["point", "stage", "next_stage"])
        table = pd.DataFrame({column: values.ravel() for column, values in columns.items()}, index=index).reset_index()
        table.insert(0, "taxonomy", name)
        table = table[(table["stage"] != "prospect") & (table["next_stage"] != "prospect")]
        parts.append(table)
    return pd.concat(parts[1:] or parts, ignore_index=True)


def _totals(found: Scenarios, factor: float, ends: tuple[float, float]) -> pd.DataFrame:
    import pandas as pd

    purchases, revenue = found.purchases.cumsum(axis=1), found.revenue.sum(axis=(2, 3)).cumsum(axis=1)
    columns = _interval("purchases", purchases, factor, ends) | _interval("revenue", revenue, factor, ends)
    return pd.DataFrame({"point": np.arange(purchases.shape[1])} | columns)
