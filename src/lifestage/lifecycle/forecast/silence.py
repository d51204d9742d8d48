"""If a customer stays silent: the dates on which each next stage is entered."""

from __future__ import annotations

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
    from lifestage.model import LTVModel

__all__ = ["FARTHEST", "SILENT_COLUMNS", "days_to_threshold", "stage_entry_dates"]


FARTHEST = 8191
"""Days of silence that are looked at, 22 years; a stage that is farther off has no date."""

SILENT_COLUMNS = ("drowsy_on", "half_asleep_on", "asleep_on", "review_on")

MOST = 4_000_000
"""Rows times draws worked on at once."""


def stage_entry_dates(
    model: LTVModel,
    staged: Any,
    *,
    thresholds: Thresholds | None = None,
    until: date | str | None = None,
) -> Any:
    r"""Add the dates on which each customer becomes drowsy, half asleep and asleep if nothing more is bought.

    With s days of silence after the last purchase, :math:`R(s) = p_H(t_x + s) / p_H(t_x)`,
    :math:`p_H(T) = P(\text{alive at } T)\,(1 - ((\alpha+T)/(\alpha+T+H))^{r+x})`, falls from 1; the
    date is that of the first whole day on which it is below the threshold. Nothing is simulated.
    Scored on that day with the same model and no new purchase, the customer stands in that stage (R
    is the rule; ``line_rule="nes"`` has other dates).

    Parameters
    ----------
    model : LTVModel
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
        for 22 years), and ``review_on``, the first of them that is still to come: until then the
        stage stands unless the customer buys. In the kind that went in.

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
    >>> dated = stage_entry_dates(model, ls.assign_stages(model.predict(customers)))
    >>> dated.loc[dated["customer_id"] == 1516, ["activity_stage", "drowsy_on", "half_asleep_on"]].values.tolist()[0][0]
    'active'
    """
    frame = open_frame(staged, (FREQUENCY, RECENCY, "days_silent", "stage_window_days"))
    limits, day = thresholds or Thresholds(), np.datetime64(required_day(frame, until), "D")
    table, kind = lazy(frame.to_native())
    table = table.select(
        *[name for name in table.collect_schema().names() if name not in SILENT_COLUMNS]
    )
    known = [FREQUENCY, RECENCY, "days_silent", "stage_window_days"]
    keys = to_pandas(
        table.filter(~nw.col(FREQUENCY).is_null())
        .group_by(*known)
        .agg(nw.len().alias("_n"))
        .select(*known)
    )
    window = keys["stage_window_days"].to_numpy(float)
    x, t_x = (keys[name].to_numpy(float) for name in (FREQUENCY, RECENCY))
    found = days_to_threshold(model, x, t_x, window, (limits.awake, limits.drowsy, limits.asleep))
    silent = np.round(keys["days_silent"].to_numpy(float)).astype(np.int64)
    never = np.datetime64("NaT", "D")
    dates = day + (found - silent).astype("timedelta64[D]")
    dates[found > FARTHEST] = never
    review = np.fmin.reduce(np.where(dates > day, dates, never))
    for name, column in zip(SILENT_COLUMNS, [*dates, review], strict=True):
        keys[name] = date_column(column, kind)
    return native(
        table.join(lazy(upload(keys, like=table.to_native()))[0], on=known, how="left"), kind
    )


def days_to_threshold(
    model: LTVModel,
    x: Floats,
    t_x: Floats,
    window: float | Floats,
    retained: tuple[float, ...],
    alive: tuple[float, ...] = (),
) -> NDArray[np.int64]:
    """The first whole day of silence on which ``activity_ratio``, or P(alive), is below each of these levels.

    Parameters
    ----------
    x, t_x : arrays, shape (n,)
        Repeat purchases and recency (periods).
    window : float or array, shape (n,)
        The stage window in days.
    retained, alive : tuples of float
        Levels of R and of P(alive).

    Returns
    -------
    array of int, shape (levels, n)
        Days; ``FARTHEST`` + 1 where the level is never passed within ``FARTHEST`` days.
    """
    part = model.purchases.thin(
        PREDICTION_DRAWS
    )  # so many for any number of rows: a date is of its row alone
    out = np.empty((len(retained) + len(alive), x.size), np.int64)
    size = max(1, MOST // part.size)
    module, params = family(part.family), part.columns()
    windows = np.broadcast_to(np.asarray(window, float) / model.period.days, x.shape)
    for begin in range(0, x.size, size):
        rows = slice(begin, begin + size)
        bought, last, h = x[rows], t_x[rows], windows[rows]

        def buys(days: Any, bought: Floats = bought, last: Floats = last, h: Floats = h) -> Floats:
            now = last + days / model.period.days
            return np.asarray(module.p_purchase(h, bought, last, now, **params).mean(axis=0))

        def lives(days: Any, bought: Floats = bought, last: Floats = last) -> Floats:
            chance = module.p_alive(bought, last, last + days / model.period.days, **params)
            return np.asarray(np.broadcast_to(chance, (part.size, bought.size)).mean(axis=0))

        fresh = np.maximum(buys(0), special.TINY)
        for k, level in enumerate(retained):
            out[k, rows] = _first_below(buys, level * fresh)
        for k, level in enumerate(alive, len(retained)):
            out[k, rows] = _first_below(lives, np.full(bought.size, level))
    return out


def _first_below(
    falling: Callable[[NDArray[np.int64]], Floats], level: Floats
) -> NDArray[np.int64]:
    """Smallest whole number of days from 0 on at which a falling function is below *level*, by bisection."""
    low, high = np.full(level.size, -1), np.full(level.size, FARTHEST + 1)
    while np.any(high - low > 1):
        middle = (low + high) // 2
        below = falling(np.maximum(middle, 0)) < level
        low, high = np.where(below, low, middle), np.where(below, middle, high)
    return high
