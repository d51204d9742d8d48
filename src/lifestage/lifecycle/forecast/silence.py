"""Dates on which a customer who stays silent enters each next stage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

from lifestage.core.names import FREQUENCY, RECENCY
from lifestage.data.engines.frames import date_column, lazy, native, to_pandas, upload
from lifestage.families import family
from lifestage.lifecycle.frames import open_frame, required_day
from lifestage.lifecycle.stages.thresholds import Thresholds
from lifestage.numerics import special
from lifestage.prediction.limits import PREDICTION_DRAWS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from numpy.typing import NDArray

    from lifestage.core.typing import Floats
    from lifestage.fitting.posterior import Posterior
    from lifestage.model import LTVModel

__all__ = ["ENTRY_COLUMNS", "MAX_DAYS", "days_to_threshold", "stage_entry_dates"]

MAX_DAYS = 8191
"""Days of silence that are looked at, 22 years; a stage that is farther off has no date."""

ENTRY_COLUMNS = ("drowsy_on", "half_asleep_on", "asleep_on", "review_on")

CELLS_PER_BLOCK = 4_000_000
"""Rows times draws worked on at once."""


def stage_entry_dates(
    model: LTVModel,
    staged: Any,
    *,
    thresholds: Thresholds | None = None,
    until: date | str | None = None,
) -> Any:
    r"""Add the dates on which each customer enters the next stages if nothing more is bought.

    With s periods of silence after the last purchase the activity ratio

    .. math:: R(s) = \frac{p_H(t_x + s)}{p_H(t_x)},

    where :math:`p_H(T)` is the probability of buying within the stage window H after T, falls from
    1. The date is that of the first whole day on which it is below the threshold; nothing is
    simulated. Scored on that day with the same model and no new purchase, the customer is in that
    stage. This holds for the rule by R; ``line_rule="nes"`` has other dates.

    Parameters
    ----------
    model : LTVModel
        The model that made the scores.
    staged : frame
        What ``LTVModel.predict`` or :func:`lifestage.assign_stages` returned.
    thresholds : Thresholds, optional
        Those of the stages.
    until : date or str, optional
        Last day of observation of *staged*; the one that the scores name if left out.

    Returns
    -------
    frame
        *staged* with ``drowsy_on``, ``half_asleep_on`` and ``asleep_on`` (dates; past ones for
        stages that were entered already; null for contacts, and where R stays above the threshold
        for 22 years), and ``review_on``, the first of them after the last day of observation:
        until then the stage does not change unless the customer buys. In the kind that went in.

    Raises
    ------
    ConfigError
        If no last day of observation is known.
    DataError
        If columns are missing.

    Examples
    --------
    >>> import lifestage as ls
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> model = ls.fit(customers)
    >>> staged = ls.assign_stages(model.predict(customers)).query("customer_id == 1516")
    >>> dated = stage_entry_dates(model, staged)
    >>> dated["activity_stage"].item(), str(dated["drowsy_on"].item())[:10]
    ('active', '1997-10-27')
    """
    frame = open_frame(staged, (FREQUENCY, RECENCY, "days_silent", "stage_window_days"))
    limits = thresholds or Thresholds()
    day = np.datetime64(required_day(frame, until), "D")
    table, kind = lazy(frame.to_native())
    kept = [name for name in table.collect_schema().names() if name not in ENTRY_COLUMNS]
    table = table.select(*kept)
    names = [FREQUENCY, RECENCY, "days_silent", "stage_window_days"]
    keys = to_pandas(table.filter(~nw.col(FREQUENCY).is_null()).select(*names).unique())
    keys = keys.sort_values(names, ignore_index=True)
    window = keys["stage_window_days"].to_numpy(float)
    x, t_x = (keys[name].to_numpy(float) for name in (FREQUENCY, RECENCY))
    cuts = (limits.awake, limits.drowsy, limits.asleep)
    entered = days_to_threshold(model, x, t_x, window, cuts)
    silent = np.round(keys["days_silent"].to_numpy(float)).astype(np.int64)
    never = np.datetime64("NaT", "D")
    dates = day + (entered - silent).astype("timedelta64[D]")
    dates[entered > MAX_DAYS] = never
    review = np.fmin.reduce(np.where(dates > day, dates, never))
    for name, column in zip(ENTRY_COLUMNS, [*dates, review], strict=True):
        keys[name] = date_column(column, kind)
    dated = lazy(upload(keys, like=table.to_native()))[0]
    return native(table.join(dated, on=names, how="left"), kind)


def days_to_threshold(
    model: LTVModel,
    x: Floats,
    t_x: Floats,
    window: float | Floats,
    ratios: tuple[float, ...],
    alive: tuple[float, ...] = (),
) -> NDArray[np.int64]:
    """Find the first whole day of silence on which R, or P(alive), is below each level.

    Parameters
    ----------
    x, t_x : arrays, shape (n,)
        Repeat purchases and recency (periods).
    window : float or array, shape (n,)
        The stage window in days.
    ratios, alive : tuples of float
        Levels of R and of P(alive).

    Returns
    -------
    array of int, shape (levels, n)
        Days; ``MAX_DAYS`` + 1 where the level is not passed within ``MAX_DAYS`` days.
    """
    # The number of draws does not depend on the number of rows: a date follows from its row alone.
    posterior = model.purchases.thin(PREDICTION_DRAWS)
    days = np.empty((len(ratios) + len(alive), x.size), np.int64)
    windows = np.broadcast_to(np.asarray(window, float), x.shape)
    size = max(1, CELLS_PER_BLOCK // posterior.size)
    for begin in range(0, x.size, size):
        rows = slice(begin, begin + size)
        silence = _Silence(posterior, model.period.days, x[rows], t_x[rows], windows[rows])
        fresh = np.maximum(silence.p_purchase(0), special.TINY)
        for level, ratio in enumerate(ratios):
            days[level, rows] = _first_below(silence.p_purchase, ratio * fresh)
        for level, share in enumerate(alive, len(ratios)):
            days[level, rows] = _first_below(silence.p_alive, np.full(fresh.size, share))
    return days


@dataclass(frozen=True, eq=False)
class _Silence:
    """Customers after some days of silence; probabilities are means over the draws, shape (n,)."""

    posterior: Posterior
    days_per_period: float
    x: Floats
    t_x: Floats
    window: Floats

    def p_purchase(self, days: Any) -> Floats:
        """Return the probability of buying within the stage window."""
        module, params = family(self.posterior.family), self.posterior.columns()
        T, h = self.t_x + days / self.days_per_period, self.window / self.days_per_period
        return np.asarray(module.p_purchase(h, self.x, self.t_x, T, **params).mean(axis=0))

    def p_alive(self, days: Any) -> Floats:
        module, params = family(self.posterior.family), self.posterior.columns()
        T = self.t_x + days / self.days_per_period
        p_alive = module.p_alive(self.x, self.t_x, T, **params)
        shape = (self.posterior.size, self.x.size)
        return np.asarray(np.broadcast_to(p_alive, shape).mean(axis=0))


def _first_below(
    falling: Callable[[NDArray[np.int64]], Floats], level: Floats
) -> NDArray[np.int64]:
    """Bisect for the first whole day, from 0 on, on which a falling function is below *level*."""
    low, high = np.full(level.size, -1), np.full(level.size, MAX_DAYS + 1)
    while np.any(high - low > 1):
        middle = (low + high) // 2
        below = falling(np.maximum(middle, 0)) < level
        low, high = np.where(below, low, middle), np.where(below, middle, high)
    return high
