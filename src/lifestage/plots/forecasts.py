"""Plots of how good the forecasts are: the reliability of a backtest, and drift since the fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lifestage.core.errors import ConfigError
from lifestage.plots.axes import ACTUAL, MARK, MODEL, labelled_axes, set_date_ticks

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from lifestage.evaluate import Drift

__all__ = ["plot_drift", "plot_reliability"]


def plot_reliability(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Observed against predicted purchase probability, one line per forecast.

    Customers are grouped by predicted probability; a bar is the interval of the observed share.

    Parameters
    ----------
    table : pandas.DataFrame
        ``reliability`` of a :func:`lifestage.backtest`: ``forecast``, ``predicted``, ``observed``,
        ``low``, ``high``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; new Axes if left out.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    The table is that of a backtest, here a small one by hand:

    >>> import lifestage as ls
    >>> import pandas as pd
    >>> from matplotlib.figure import Figure
    >>> table = pd.DataFrame({"predicted": [0.1, 0.5], "observed": [0.12, 0.45]})
    >>> table = table.assign(forecast="bg/nbd", low=[0.1, 0.4], high=[0.14, 0.5])
    >>> ax = ls.plots.plot_reliability(table, ax=Figure().subplots())
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['perfect reliability', 'bg/nbd']
    """
    title = "Predicted and observed purchase probability"
    ax = labelled_axes(
        ax,
        title,
        "mean predicted probability",
        "share who bought",
    )
    ax.plot(
        [0, 1],
        [0, 1],
        color=ACTUAL,
        lw=1,
        ls="--",
        label="perfect reliability",
    )
    for name, part in table.groupby("forecast", sort=False):
        # matplotlib takes the lengths of the bars below and above, not their ends
        lengths = np.abs(part[["low", "high"]].to_numpy().T - part["observed"].to_numpy())
        ax.errorbar(
            part["predicted"],
            part["observed"],
            lengths,
            marker="o",
            ms=4,
            lw=1.5,
            elinewidth=1,
            label=str(name),
        )
    top = min(1.0, 1.1 * float(table[["predicted", "high"]].to_numpy().max()))
    ax.set_xlim(0, top)
    ax.set_ylim(0, top)
    ax.legend(frameon=False)
    return ax


def plot_drift(
    drift: Drift,
    *,
    quantity: str = "purchases",
    ax: Axes | None = None,
) -> Axes:
    """Weekly purchases or revenue since a model's last day, in the forecast band, with a signal.

    Parameters
    ----------
    drift : Drift
        From :func:`lifestage.drift`.
    quantity : {"purchases", "revenue"}
    ax : matplotlib.axes.Axes, optional
        Where to draw; new Axes if left out.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ConfigError
        If the quantity was not monitored.

    Examples
    --------
    The record is that of ``ls.drift(model, orders)``, here a small one by hand:

    >>> import lifestage as ls
    >>> import pandas as pd
    >>> from matplotlib.figure import Figure
    >>> table = pd.DataFrame({"end": pd.to_datetime(["1997-10-07", "1997-10-14"])})
    >>> table = table.assign(purchases=[50, 61], purchases_expected=[52.0, 51.0])
    >>> table = table.assign(purchases_low=[40.0, 39.0], purchases_high=[64.0, 63.0])
    >>> drift = ls.evaluate.Drift(table, pd.DataFrame(), signals=(), level=0.95)
    >>> ax = ls.plots.plot_drift(drift, ax=Figure().subplots())
    >>> ax.get_title(loc="left")
    "Purchases per week since the model's last day"
    """
    from matplotlib.dates import date2num

    table = drift.table
    if quantity not in table:
        raise ConfigError(f"expected a quantity that was monitored; got {quantity!r}")
    title = f"{quantity.capitalize()} per week since the model's last day"
    ax = labelled_axes(ax, title, "", quantity)
    low, high = table[f"{quantity}_low"], table[f"{quantity}_high"]
    band = f"predicted, {drift.level:.0%}"
    ax.fill_between(
        table["end"],
        low,
        high,
        color=MODEL,
        alpha=0.15,
        lw=0,
        label=band,
    )
    ax.plot(
        table["end"],
        table[f"{quantity}_expected"],
        color=MODEL,
        label="expected",
    )
    ax.plot(
        table["end"],
        table[quantity],
        color=ACTUAL,
        marker="o",
        ms=3,
        label="actual",
    )
    for signal in drift.signals:
        if signal.quantity == quantity:
            label = f"signal: {signal.direction} since about {signal.since}"
            ax.axvline(
                float(date2num(signal.seen)),
                color=MARK,
                lw=1.2,
                label=label,
            )
    ax.set_ylim(bottom=0)
    set_date_ticks(ax)
    ax.legend(frameon=False)
    return ax
