"""A model at work, watched without a refit: what was predicted beside what came, and a signal when they part."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

from lifestage.core.dates import parse_day
from lifestage.core.errors import ConfigError, DataError
from lifestage.core.names import CUSTOMER, FREQUENCY, KEYS, MONETARY
from lifestage.core.steps import step
from lifestage.data.customers.order_log import LogOptions, OrderLog, order_log
from lifestage.data.customers.splits import NO_STAGES
from lifestage.data.engines.frames import lazy, to_pandas
from lifestage.data.engines.operations import sample_customers

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from lifestage.core.typing import Floats
    from lifestage.data.customers.summary import Summary
    from lifestage.lifecycle.forecast.base import Base
    from lifestage.model import LTVModel

__all__ = ["Drift", "Signal", "drift", "drift_since"]


STEP = 7
"""Days of a step."""

SAMPLE = 50_000
"""Customers that stand for more of them."""

WINDOWS = (4, 13)
"""Lengths in steps of the windows that are looked at, beside all steps so far."""


@dataclass(frozen=True)
class Signal:
    """What came left the band of what was predicted: ``quantity``, its ``direction``, and days.

    Attributes
    ----------
    quantity : ``"purchases"`` or ``"revenue"``
    direction : ``"fewer"`` or ``"more"`` (``"less"`` for revenue)
    seen : date
        The last day of the step at which it was first seen.
    since : date
        The day after which the window began in which it is clearest: about when the change began.
    """

    quantity: str
    direction: str
    seen: date
    since: date

    def __str__(self) -> str:
        return (
            f"{self.direction} {self.quantity} than predicted, seen on {self.seen}, from about"
            f" {self.since} on"
        )


@dataclass(frozen=True, eq=False)
class Drift:
    """Predicted and realised purchases and revenue of the customers that a model was made of.

    Attributes
    ----------
    table : pandas.DataFrame
        A row a week since the model's last day: ``end`` (last day), and for ``purchases`` (purchase
        days) and, with a spend model, ``revenue`` (money): the realised value, ``_expected``,
        ``_low``, ``_high``; and the same of all weeks so far with ``cumulative_`` before it. Bands
        are predictive, of *level* at each week by itself.
    cohorts : pandas.DataFrame
        Over all weeks, by the month of the first purchase: ``cohort``, ``customers``, ``purchases``
        with its band.
    signals : tuple of Signal
        At most one a quantity.
    level : float
        Coverage of the bands; and one minus the chance of any false alarm over the weeks that were
        watched.
    """

    table: pd.DataFrame
    cohorts: pd.DataFrame
    signals: tuple[Signal, ...]
    level: float

    def __str__(self) -> str:
        said = (
            "; ".join(map(str, self.signals))
            if self.signals
            else "what came is what was predicted, up to chance"
        )
        return f"{len(self.table)} weeks until {self.table['end'].iloc[-1]}: {said}."


def drift(
    model: LTVModel,
    orders: Any,
    *,
    until: date | str | None = None,
    level: float = 0.95,
    scenarios: int = 500,
    seed: int = 0,
    **columns: Any,
) -> Drift:
    r"""Hold a model against what its customers did since its last day.

    The futures of the base are simulated: a scenario takes one draw of the parameters (of a point
    estimate, by its covariance), and each customer's state, rate, dropout chance and spend level
    from what is known given the history. For windows of 4, 13 and all weeks so far,

    .. math:: Z = \frac{N - \operatorname{mean} N_s}{\operatorname{sd} N_s},

    and a signal is given where its size passes the limit that its maximum over all windows and
    weeks stays below in a share *level* of the scenarios (the upper end of the interval of that
    quantile). So the chance of any false alarm over all that was watched is at most 1 − *level*,
    split evenly between purchases and revenue.

    Parameters
    ----------
    model : LTVModel
    orders : frame or path
        The log that the model was made of and what came after. Arguments of
        :func:`lifestage.summarize` (``customer``, ``time``, ``amount`` …) are given as *columns*.
    until : date or str, optional
        Last day to look at; the last of the log if left out.
    level : float
    scenarios, seed : int

    Returns
    -------
    Drift

    Raises
    ------
    DataError
        If there is no full week after the model's last day, or the model was not made from orders.
    ConfigError
        If an option is out of range.

    Examples
    --------
    >>> import lifestage as ls
    >>> orders = ls.datasets.cdnow()
    >>> model = ls.fit(ls.summarize(orders, until="1997-09-30", period="week"))
    >>> found = ls.drift(model, orders, until="1997-12-31")
    >>> len(found.table), int(found.table["cumulative_purchases"].iloc[-1])
    (13, 726)
    """
    if not 0 < level < 1 or scenarios < 100:
        raise ConfigError(
            f"expected a level in (0, 1) and 100 or more scenarios; got {level!r} and {scenarios!r}"
        )
    if model.data.until is None:
        raise DataError("expected a model made from orders; of this one the last day is not known")
    options = LogOptions(
        **{"period": model.period, **columns, "stage_window": model.data.stage_window}
    )
    with order_log(orders, options) as log:
        customers = log.summary(model.data.until)
        return drift_since(
            model, customers, log, until=until, level=level, scenarios=scenarios, seed=seed
        )


def drift_since(
    model: LTVModel,
    customers: Summary,
    log: OrderLog,
    *,
    until: date | str | None = None,
    level: float = 0.95,
    scenarios: int = 500,
    seed: int = 0,
) -> Drift:
    """Drift of a model since its last day, up to which *customers* are summarised; see :func:`drift`."""
    import pandas as pd

    assert model.data.until is not None
    assert customers.calendar is not None
    end = parse_day(until) if until is not None else customers.holdout_end or model.data.until
    steps = ((min(end, customers.holdout_end or end)) - model.data.until).days // STEP
    if steps < 1:
        raise DataError(
            f"expected at least a week of orders after {model.data.until}, the model's last day;"
            " got none"
        )
    base, cohort, factor = _base(customers, model)
    points = STEP * np.arange(1, steps + 1) / model.period.days
    with step(__name__, f"Simulating {steps} weeks of the base"):
        simulated = {
            name: factor * values
            for name, values in _simulate(model, base, points, scenarios, seed).items()
        }
    actual = _actual(customers, model.data.until, steps)
    known: dict[str, Any] = {
        "end": [model.data.until + timedelta(days=STEP * k) for k in range(1, steps + 1)]
    }
    signals = []
    for name, futures in simulated.items():
        known |= _bands(name, actual[name], futures, level)
        found = _signal(actual[name], futures, 1 - (1 - level) / len(simulated))
        if found is not None:
            at, begin, sign = found
            word = "more" if sign > 0 else "fewer" if name == "purchases" else "less"
            days = (model.data.until + timedelta(days=STEP * k) for k in (at + 1, begin))
            signals.append(Signal(name, word, *days))
    span = model.data.until + timedelta(days=STEP * steps)
    then = log.summary(span, **NO_STAGES)
    cohorts = _cohorts(
        model,
        customers,
        base,
        cohort,
        points[-1:],
        then,
        factor,
        max(100, scenarios // 3),
        level,
        seed,
    )
    return Drift(pd.DataFrame(known), cohorts, tuple(signals), level)


def _base(customers: Summary, model: LTVModel) -> tuple[Base, NDArray[np.str_], float]:
    """The customers as arrays, the month of the first purchase of each, and how many each stands for."""
    import pandas as pd

    from lifestage.lifecycle.forecast.base import Base

    names = [CUSTOMER, "first_purchase", *KEYS, *((MONETARY,) if model.spend is not None else ())]
    found = sample_customers(lazy(customers.table)[0].select(*names), customers.customers, SAMPLE)
    x, t_x, T = (found[name].to_numpy(float) for name in KEYS)
    money = x * found[MONETARY].to_numpy(float) if MONETARY in found else np.zeros(x.size)
    month = pd.to_datetime(found["first_purchase"]).dt.strftime("%Y-%m").to_numpy(str)
    base = Base(x, t_x, T, money, np.zeros(x.size, np.int64), np.inf, customers.stage_window)
    return base, month, customers.customers / max(x.size, 1)


def _simulate(
    model: LTVModel, base: Base, points: Floats, scenarios: int, seed: int
) -> dict[str, Floats]:
    """Purchases and revenue by scenario and step, shape (scenarios, steps)."""
    from lifestage.lifecycle.forecast.simulate import simulate_base
    from lifestage.lifecycle.stages.states import StateSpace

    nothing = StateSpace((), (), ())  # no stage is asked for
    found = simulate_base(model, base, points, states=nothing, scenarios=scenarios, seed=seed)
    out = {"purchases": found.purchases}
    return out | ({} if model.spend is None else {"revenue": found.revenue.sum(axis=(2, 3))})


def _actual(customers: Summary, begin: date, steps: int) -> dict[str, Floats]:
    days = np.array([(day - begin).days for day in customers.calendar["day"]])
    step = (days - 1) // STEP
    inside = (days > 0) & (step < steps)
    names = {"purchases": "repeat_purchases", "revenue": "revenue"}
    return {
        name: np.bincount(step[inside], customers.calendar[column].to_numpy(float)[inside], steps)
        for name, column in names.items()
    }


def _bands(name: str, actual: Floats, futures: Floats, level: float) -> dict[str, Floats]:
    out: dict[str, Floats] = {}
    for start, came, said in (
        ("", actual, futures),
        ("cumulative_", actual.cumsum(), futures.cumsum(axis=1)),
    ):
        low, high = np.quantile(said, [(1 - level) / 2, (1 + level) / 2], axis=0)
        columns = {"": came, "_expected": said.mean(axis=0), "_low": low, "_high": high}
        out |= {f"{start}{name}{end}": values for end, values in columns.items()}
    return out


def _sums(values: Floats, length: int) -> Floats:
    """Sums over the *length* steps that end at each step, or over all so far where there are fewer."""
    total = np.cumsum(values, axis=-1)
    before = np.concatenate([np.zeros((*values.shape[:-1], length)), total], axis=-1)[
        ..., : values.shape[-1]
    ]
    return np.asarray(total - before)


def _signal(actual: Floats, futures: Floats, level: float) -> tuple[int, int, float] | None:
    """The first step past the limit, where the clearest window to it begins, and the sign; None without one."""
    steps, scenarios = actual.size, futures.shape[0]
    lengths = [*(length for length in WINDOWS if length < steps), steps]
    scores, highest = [], np.zeros(scenarios)
    for length in lengths:
        said = _sums(futures, length)
        mean, sd = said.mean(axis=0), np.maximum(said.std(axis=0, ddof=1), np.finfo(float).tiny)
        highest = np.maximum(highest, np.abs((said - mean) / sd).max(axis=1))
        scores.append((_sums(actual, length) - mean) / sd)
    rank = scenarios * level + 1.645 * np.sqrt(scenarios * level * (1 - level))
    limit = np.sort(highest)[min(int(np.ceil(rank)), scenarios) - 1]
    past = np.abs(scores) > limit
    if not past.any():
        return None
    at = int(np.argmax(past.any(axis=0)))
    which = int(np.argmax(np.abs([each[at] for each in scores])))
    return at, max(at + 1 - lengths[which], 0), float(np.sign(scores[which][at]))


def _cohorts(
    model: LTVModel,
    customers: Summary,
    base: Base,
    cohort: NDArray[np.str_],
    points: Floats,
    then: Summary,
    factor: float,
    scenarios: int,
    level: float,
    seed: int,
) -> pd.DataFrame:
    """Purchases of each cohort over all weeks."""
    import pandas as pd

    rows = []
    for name in np.unique(cohort):
        inside = cohort == name
        arrays = {each: getattr(base, each)[inside] for each in ("x", "t_x", "T", "money", "group")}
        part = replace(base, **arrays)
        futures = factor * _simulate(model, part, points, scenarios, seed)["purchases"][:, 0]
        low, high = np.quantile(futures, [(1 - level) / 2, (1 + level) / 2])
        rows.append(
            (name, round(factor * inside.sum()), float(futures.mean()), float(low), float(high))
        )
    names = ["cohort", "customers", "purchases_expected", "purchases_low", "purchases_high"]
    table = pd.DataFrame(rows, columns=names)
    before, after = (
        lazy(each.table)[0].select(CUSTOMER, FREQUENCY, "first_purchase")
        for each in (customers, then)
    )
    bought = before.join(after, on=CUSTOMER, how="inner", suffix="_then").with_columns(
        gained=nw.col(f"{FREQUENCY}_then") - nw.col(FREQUENCY)
    )
    came = to_pandas(bought.group_by("first_purchase").agg(nw.col("gained").sum()))
    month = pd.to_datetime(came["first_purchase"]).dt.strftime("%Y-%m")
    sums = came.groupby(month)["gained"].sum().reindex(table["cohort"]).to_numpy(float)
    table.insert(2, "purchases", sums)
    return table
