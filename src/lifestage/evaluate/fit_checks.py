"""Fit checks: purchases over time, by frequency, and in a holdout, actual and expected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.core.errors import ConfigError, DataError
from lifestage.families import family
from lifestage.families.tables import purchase_table
from lifestage.fitting.as_summary import counts_of

if TYPE_CHECKING:
    import pandas as pd

    from lifestage.data.customers.counts import Counts
    from lifestage.data.customers.summary import Summary
    from lifestage.model import LTVModel

__all__ = ["frequency_fit", "holdout_fit", "tracking"]


PREDICTIVE_DRAWS = 50
"""Draws of the parameters that a comparison with the data averages over."""

TOP_BIN = 7
"""Frequencies from here on are one bin, as in the literature."""


def tracking(model: LTVModel, *, every: int = 7) -> pd.DataFrame:
    r"""Compare actual and expected repeat purchases of the base over time.

    Each customer contributes the expectation of a NEW customer since their first purchase, so the
    curve tests the model and not what it knows of each history: with n_d customers acquired on day
    d,

    .. math:: E(t) = \sum_{d \le t} n_d\, E[X(t - d)]

    Parameters
    ----------
    model : LTVModel
        Fitted on orders.
    every : int
        Days per step.

    Returns
    -------
    pandas.DataFrame
        One row per step through the end of the log: ``end`` (date, last day of the step),
        ``actual``, ``expected`` (purchase days in the step), ``actual_cumulative``,
        ``expected_cumulative``, and ``holdout`` (True for steps after the data of the fit).

    Raises
    ------
    DataError
        If the model was not made from orders, so that no calendar is known.
    ConfigError
        If *every* is not a whole number of days above 0.

    Source: Fader, Hardie & Lee (2005), Marketing Science 24, 275–284.

    Examples
    --------
    >>> import lifestage as ls
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> table = ls.evaluate.tracking(ls.fit(customers))
    >>> len(table), table["actual_cumulative"].iloc[-1].item()
    (78, 4339.0)
    """
    import pandas as pd

    if not isinstance(every, int | np.integer) or every < 1:
        raise ConfigError(f"every must be a whole number of days above 0; got {every!r}")
    calendar = model.data.calendar
    if calendar is None or model.data.until is None:
        raise DataError(
            "expected a model made from orders; this one was made from a ready-made customer table"
        )
    day = pd.to_datetime(calendar["day"]).to_numpy().astype("datetime64[D]")
    start = day.min()
    last = np.datetime64(model.data.holdout_end or model.data.until, "D")
    until = int((np.datetime64(model.data.until, "D") - start).astype(int))
    size = int((last - start).astype(int)) + 1
    at = (day - start).astype(int)
    acquired = np.bincount(at, calendar["new_customers"].to_numpy(float), size)
    repeats = np.bincount(at, calendar["repeat_purchases"].to_numpy(float), size)
    model = model.thin(PREDICTIVE_DRAWS)
    module, params = family(model.purchases.family), model.purchases.columns()
    lags = np.arange(1, size) / model.period.days
    curve = np.concatenate([[0.0], module.expected_purchases(lags, 0, 0, 0, **params).mean(axis=0)])
    expected = np.convolve(acquired, curve)[:size]
    steps = np.unique(
        np.concatenate([np.arange(until, -1, -every)[::-1], np.arange(until, size, every)])
    )
    actual = np.cumsum(repeats)[steps]
    expected = expected[steps]
    return pd.DataFrame(
        {
            "end": start + steps.astype("timedelta64[D]"),
            "actual": np.diff(actual, prepend=0.0),
            "expected": np.diff(expected, prepend=0.0),
            "actual_cumulative": actual,
            "expected_cumulative": expected,
            "holdout": steps > until,
        }
    )


def frequency_fit(model: LTVModel, customers: Counts | Summary | Any) -> pd.DataFrame:
    """Compare actual and expected numbers of customers by repeat purchases: 0, 1 … 6, 7 or more.

    Parameters
    ----------
    model : LTVModel
    customers : Summary, Counts or frame
        The customers that it was fitted on.

    Returns
    -------
    pandas.DataFrame
        ``frequency`` (text), ``actual``, ``expected`` (customers).

    Examples
    --------
    >>> import lifestage as ls
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> frequency_fit(ls.fit(customers), customers)["actual"].tolist()
    [1411.0, 439.0, 214.0, 100.0, 62.0, 38.0, 29.0, 64.0]
    """
    import pandas as pd

    counts = counts_of(model, customers)
    model = model.thin(PREDICTIVE_DRAWS)
    module, params = family(model.purchases.family), model.purchases.columns()
    times, index = np.unique(counts.T, return_inverse=True)
    weight = np.bincount(index, counts.weight)
    n = np.arange(TOP_BIN + 1.0)
    at_least = np.array(
        [weight @ module.purchase_sf(k, times, 0, 0, 0, **params).mean(axis=0) for k in n]
    )
    expected = np.append(at_least[:-1] - at_least[1:], at_least[-1])
    actual = np.bincount(np.minimum(counts.x, TOP_BIN).astype(int), counts.weight, TOP_BIN + 1)
    return pd.DataFrame({"frequency": _labels(), "actual": actual, "expected": expected})


def holdout_fit(model: LTVModel, customers: Counts | Summary | Any) -> pd.DataFrame | None:
    """Compare actual and expected mean purchases in the holdout by frequency.

    Parameters
    ----------
    model : LTVModel
        Made from orders that go on after its last day.
    customers : Summary, Counts or frame
        The customers that it was fitted on.

    Returns
    -------
    pandas.DataFrame or None
        ``frequency`` (text), ``customers``, ``actual``, ``expected`` (purchase days per customer);
        None without a holdout.

    Examples
    --------
    >>> import lifestage as ls
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> table = ls.evaluate.holdout_fit(ls.fit(customers), customers)
    >>> table[["actual", "expected"]].round(2).head(2)
       actual  expected
    0    0.24      0.23
    1    0.70      0.52
    """
    import pandas as pd

    data = model.data
    if (
        data.holdout is None
        or data.holdout_end is None
        or data.until is None
        or not len(data.holdout)
    ):
        return None
    counts = counts_of(model, customers)
    model = model.thin(PREDICTIVE_DRAWS)
    module, params = family(model.purchases.family), model.purchases.columns()
    t = (data.holdout_end - data.until).days / model.period.days
    alive = module.p_alive(counts.x, counts.t_x, counts.T, **params)
    living, _ = purchase_table(module, params, t, counts.x, counts.T, rate=0.0)
    expected = (alive * living).mean(axis=0)
    group = np.minimum(counts.x, TOP_BIN).astype(int)
    customers = np.bincount(group, counts.weight, TOP_BIN + 1)
    total = np.bincount(group, counts.weight * expected, TOP_BIN + 1)
    bins = np.minimum(data.holdout["frequency"].to_numpy(float), TOP_BIN).astype(int)
    actual = np.bincount(bins, data.holdout["purchases"].to_numpy(float), TOP_BIN + 1)
    some = np.maximum(customers, 1.0)
    frame = {
        "frequency": _labels(),
        "customers": customers,
        "actual": actual / some,
        "expected": total / some,
    }
    return pd.DataFrame(frame)[customers > 0]


def _labels() -> list[str]:
    return [*(str(i) for i in range(TOP_BIN)), f"{TOP_BIN}+"]
