"""Plots of how well a model fits: its frequencies, the holdout, and purchases over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lifestage.core.errors import DataError
from lifestage.plots.axes import ACTUAL, MODEL, labelled_axes, set_date_ticks

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_frequency_fit", "plot_holdout_fit", "plot_tracking"]


def _pairs(table: pd.DataFrame, ax: Axes) -> Axes:
    at = np.arange(len(table))
    ax.bar(at - 0.2, table["actual"], 0.4, color=ACTUAL, label="actual")
    ax.bar(at + 0.2, table["expected"], 0.4, color=MODEL, label="expected")
    ax.set_xticks(at, table["frequency"].tolist())
    ax.legend(frameon=False)
    return ax


def plot_frequency_fit(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Bars of customers by number of repeat purchases, actual and expected.

    Parameters
    ----------
    table : pandas.DataFrame
        From :func:`lifestage.evaluate.frequency_fit`: ``frequency``, ``actual``, ``expected``
        (customers).
    ax : matplotlib.axes.Axes, optional
        Where to draw; new Axes if left out.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import lifestage as ls
    >>> from matplotlib.figure import Figure
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> table = ls.evaluate.frequency_fit(ls.fit(customers), customers)
    >>> ax = ls.plots.plot_frequency_fit(table, ax=Figure().subplots())
    >>> [label.get_text() for label in ax.get_xticklabels()]
    ['0', '1', '2', '3', '4', '5', '6', '7+']
    """
    title = "Customers by repeat purchases, in the data of the fit"
    return _pairs(
        table,
        labelled_axes(
            ax,
            title,
            "repeat purchases",
            "customers",
        ),
    )


def plot_holdout_fit(table: pd.DataFrame | None, *, ax: Axes | None = None) -> Axes:
    """Bars of mean purchases in the holdout by earlier frequency, actual and expected.

    Parameters
    ----------
    table : pandas.DataFrame
        From :func:`lifestage.evaluate.holdout_fit`: ``frequency``, ``actual``, ``expected``
        (purchases per customer).
    ax : matplotlib.axes.Axes, optional
        Where to draw; new Axes if left out.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    DataError
        If there is no table, because the log ends with the data of the fit.

    Examples
    --------
    >>> import lifestage as ls
    >>> from matplotlib.figure import Figure
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> table = ls.evaluate.holdout_fit(ls.fit(customers), customers)
    >>> ax = ls.plots.plot_holdout_fit(table, ax=Figure().subplots())
    >>> ax.get_ylabel()
    'mean purchases per customer'
    """
    if table is None:
        raise DataError(
            "expected the table of holdout_fit; got None: the log has nothing after the data of"
            " the fit"
        )
    title = "Purchases after the fit, by earlier repeat purchases"
    ax = labelled_axes(
        ax,
        title,
        "repeat purchases before",
        "mean purchases per customer",
    )
    return _pairs(table, ax)


def plot_tracking(
    table: pd.DataFrame,
    *,
    cumulative: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Repeat purchases of the customer base over time, actual and expected; the holdout is shaded.

    Parameters
    ----------
    table : pandas.DataFrame
        From :func:`lifestage.evaluate.tracking`: ``end``, ``actual``, ``expected``,
        ``actual_cumulative``, ``expected_cumulative``, ``holdout``.
    cumulative : bool
        Whether to show cumulative purchases, or those of each week or day.
    ax : matplotlib.axes.Axes, optional
        Where to draw; new Axes if left out.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import lifestage as ls
    >>> from matplotlib.figure import Figure
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> table = ls.evaluate.tracking(ls.fit(customers))
    >>> ax = ls.plots.plot_tracking(table, cumulative=False, ax=Figure().subplots())
    >>> ax.get_title(loc="left")
    'Repeat purchases per week'
    """
    step = int(table["end"].diff().dt.days.max()) if len(table) > 1 else 1
    span = {1: "day", 7: "week"}.get(step, f"{step} days")
    suffix, detail = ("_cumulative", ", cumulative") if cumulative else ("", f" per {span}")
    ax = labelled_axes(ax, f"Repeat purchases{detail}", "", "repeat purchases")
    ax.plot(table["end"], table[f"actual{suffix}"], color=ACTUAL, label="actual")
    ax.plot(
        table["end"],
        table[f"expected{suffix}"],
        color=MODEL,
        label="expected",
    )
    if table["holdout"].any():
        start, end = table["end"][~table["holdout"]].max(), table["end"].iloc[-1]
        ax.axvspan(start, end, color=MODEL, alpha=0.08, lw=0, label="holdout")
    ax.set_ylim(bottom=0)
    set_date_ticks(ax)
    ax.legend(frameon=False)
    return ax
