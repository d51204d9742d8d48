"""Drift: a model's forecasts against what its customers did since, and a signal when they part."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.core.dates import parse_day
from lifestage.core.errors import ConfigError, DataError
from lifestage.core.steps import step
from lifestage.data.customers.order_log import LogOptions, OrderLog, order_log
from lifestage.evaluate.drift_bands import (
    WEEK,
    actual_by_week,
    bands,
    cohort_table,
    sample_base,
    simulate,
)
from lifestage.evaluate.drift_signal import first_signal

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

    from lifestage.core.typing import Floats
    from lifestage.data.customers.summary import Summary
    from lifestage.model import LTVModel

__all__ = ["Drift", "Signal", "drift", "drift_since"]


@dataclass(frozen=True)
class Signal:
    """The observed values left the forecast band.

    Attributes
    ----------
    quantity : ``"purchases"`` or ``"revenue"``
    direction : ``"fewer"`` or ``"more"`` (``"less"`` for revenue)
    seen : date
        The last day of the week in which it was first seen.
    since : date
        The day after which the window begins in which it is clearest: about when the change began.
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
    """Predicted and observed purchases and revenue of the customers that a model was fitted on.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per week since the model's last day: ``end`` (last day), and for ``purchases``
        (purchase days) and, with a spend model, ``revenue`` (money): the observed value,
        ``_expected``, ``_low``, ``_high``; and the same of all weeks so far with ``cumulative_``
        before it. Bands are predictive, of *level* at each week by itself.
    cohorts : pandas.DataFrame
        Over all weeks, by the month of the first purchase: ``cohort``, ``customers``, ``purchases``
        with its band.
    signals : tuple of Signal
        At most one per quantity.
    level : float
        Level of the bands; and 1 − the probability of any false alarm over the weeks watched.
    """

    table: pd.DataFrame
    cohorts: pd.DataFrame
    signals: tuple[Signal, ...]
    level: float

    def __str__(self) -> str:
        result = "; ".join(map(str, self.signals))
        if not self.signals:
            result = "purchases and revenue are within the forecast band"
            if "revenue" not in self.table:
                result = "purchases are within the forecast band"
        return f"{len(self.table)} weeks until {self.table['end'].iloc[-1]}: {result}."


def drift(
    model: LTVModel,
    orders: Any,
    *,
    until: date | str | None = None,
    level: float = 0.95,
    scenarios: int = 500,
    seed: int = 0,
    **summarize_options: Any,
) -> Drift:
    r"""Compare a model's forecasts with what its customers did since its last day.

    The future of the customer base is simulated: a scenario takes one draw of the parameters (of a
    point estimate, by its covariance), and each customer's state, rate, dropout probability and
    spend level given the history. For windows of 4, 13 and all weeks so far,

    .. math:: Z = \frac{N - \operatorname{mean} N_s}{\operatorname{sd} N_s},

    and a signal is given where its size passes the limit that its maximum over all windows and
    weeks stays below in a share *level* of the scenarios (the upper end of the interval of that
    quantile). So the probability of any false alarm over all weeks is at most 1 − *level*, split
    evenly between purchases and revenue.

    Parameters
    ----------
    model : LTVModel
        Fitted on orders.
    orders : frame or path
        The log that the model was fitted on, and later orders.
    until : date or str, optional
        Last day to look at; the last of the log if left out.
    level : float
        Level of the bands, and 1 − the probability of a false alarm, in (0, 1).
    scenarios : int
        Number of simulations, 100 or more.
    seed : int
        Random seed.
    **summarize_options
        Other arguments of :func:`lifestage.summarize`: ``customer``, ``time``, ``amount`` …

    Returns
    -------
    Drift
        Observed values beside their bands, and signals.

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
    >>> result = ls.drift(model, orders, until="1997-12-31", scenarios=100)
    >>> len(result.table), int(result.table["cumulative_purchases"].iloc[-1])
    (13, 726)
    """
    if not 0 < level < 1 or scenarios < 100:
        raise ConfigError(
            f"expected a level in (0, 1) and 100 or more scenarios; got {level!r} and {scenarios!r}"
        )
    if model.data.until is None:
        raise DataError("expected a model made from orders; of this one the last day is not known")
    log_options = {"period": model.period} | summarize_options
    log_options["stage_window"] = model.data.stage_window
    with order_log(orders, LogOptions(**log_options)) as log:
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
    """Drift of a model since its last day, when *customers* were summarised; see :func:`drift`."""
    import pandas as pd

    start = model.data.until
    assert start is not None
    weeks = _full_weeks(customers, start, until)
    sample = sample_base(customers, model)
    times = WEEK * np.arange(1, weeks + 1) / model.period.days
    with step(__name__, f"Simulating {weeks} weeks of the base"):
        simulated = simulate(model, sample, times, scenarios, seed)
    actual = actual_by_week(customers, start, weeks)
    columns: dict[str, Any] = {"end": [_end_of(week, start) for week in range(1, weeks + 1)]}
    signals = []
    for name, by_group in simulated.items():
        values = by_group.sum(axis=2)
        columns |= bands(name, actual[name], values, level)
        # the probability of a false alarm is split between the quantities
        signal = _signal(name, actual[name], values, 1 - (1 - level) / len(simulated), start)
        if signal is not None:
            signals.append(signal)
    later = log.at(_end_of(weeks, start))
    by_cohort = simulated["purchases"].sum(axis=1)
    cohorts = cohort_table(customers, later, sample, by_cohort, level)
    return Drift(pd.DataFrame(columns), cohorts, tuple(signals), level)


def _full_weeks(customers: Summary, start: date, until: date | str | None) -> int:
    """Number of full weeks of the log from *start* to *until*."""
    last = customers.holdout_end
    end = parse_day(until) if until is not None else last or start
    weeks = (min(end, last or end) - start).days // WEEK
    if weeks < 1:
        raise DataError(
            f"expected at least a week of orders after {start}, the model's last day; got none"
        )
    return weeks


def _end_of(week: int, start: date) -> date:
    return start + timedelta(days=WEEK * week)


def _signal(
    name: str, actual: Floats, simulated: Floats, level: float, start: date
) -> Signal | None:
    departure = first_signal(actual, simulated, level)
    if departure is None:
        return None
    smaller = "fewer" if name == "purchases" else "less"
    direction = "more" if departure.sign > 0 else smaller
    seen, since = _end_of(departure.week + 1, start), _end_of(departure.begin, start)
    return Signal(name, direction, seen, since)
