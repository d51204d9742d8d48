"""Plots of what a model says of a purchase history, and of what its priors say before the data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lifestage.core.errors import ConfigError
from lifestage.plots.axes import ACTUAL, MARK, MODEL, labelled_axes, set_date_ticks
from lifestage.prediction.histories import alive_matrix, history_alive, purchases_matrix

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import pandas as pd
    from matplotlib.axes import Axes

    from lifestage.model import LTVModel

__all__ = [
    "plot_expected_purchases_matrix",
    "plot_history_alive",
    "plot_prior_predictive",
    "plot_probability_alive_matrix",
]


def plot_probability_alive_matrix(
    model: LTVModel, *, T: float | None = None, max_frequency: int = 20, ax: Axes | None = None
) -> Axes:
    """Heat map of P(alive) by frequency and recency.

    Parameters
    ----------
    model : LTVModel
    T : float, optional
        Periods since the first purchase; by default the longest history of the data.
    max_frequency : int
        Largest number of repeat purchases.
    ax : matplotlib.axes.Axes, optional
        Where to draw; new Axes if left out.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ConfigError
        If *T* is left out and the model was not made from orders.

    Examples
    --------
    >>> import lifestage as ls
    >>> from matplotlib.figure import Figure
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> model = ls.fit(customers)
    >>> ax = ls.plots.plot_probability_alive_matrix(model, ax=Figure().subplots())
    >>> ax.get_title(loc="left")
    'P(alive) of customers first seen 39 weeks ago'
    """
    T = _longest_history(model) if T is None else T
    table = alive_matrix(model, T=T, max_frequency=max_frequency)
    title = f"P(alive) of customers first seen {T:.0f} {model.period.name}s ago"
    ax = _matrix_axes(ax, title, model.period.name)
    return _heat(table, ax, "P(alive)", 1.0)


def plot_expected_purchases_matrix(
    model: LTVModel,
    *,
    horizon: float = 52,
    T: float | None = None,
    max_frequency: int = 20,
    ax: Axes | None = None,
) -> Axes:
    """Heat map of expected purchases within the horizon by frequency and recency.

    Parameters
    ----------
    model : LTVModel
    horizon : float
        Periods to forecast.
    T : float, optional
        Periods since the first purchase; by default the longest history of the data.
    max_frequency : int
        Largest number of repeat purchases.
    ax : matplotlib.axes.Axes, optional
        Where to draw; new Axes if left out.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ConfigError
        If *T* is left out and the model was not made from orders.

    Examples
    --------
    >>> import lifestage as ls
    >>> from matplotlib.figure import Figure
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> model = ls.fit(customers)
    >>> ax = ls.plots.plot_expected_purchases_matrix(model, horizon=26, ax=Figure().subplots())
    >>> ax.get_title(loc="left")
    'Expected purchases in the next 26 weeks'
    """
    T = _longest_history(model) if T is None else T
    table = purchases_matrix(
        model,
        T=T,
        horizon=horizon,
        max_frequency=max_frequency,
    )
    title = f"Expected purchases in the next {horizon:g} {model.period.name}s"
    ax = _matrix_axes(ax, title, model.period.name)
    return _heat(
        table,
        ax,
        "expected purchases",
        float(np.nanmax(table.to_numpy())),
    )


def _longest_history(model: LTVModel) -> float:
    calendar, until = model.data.calendar, model.data.until
    if calendar is None or until is None:
        raise ConfigError("expected T, the periods observed: this model was not made from orders")
    return float((until - min(calendar["day"])).days / model.period.days)


def _matrix_axes(ax: Axes | None, title: str, period: str) -> Axes:
    xlabel = f"recency: {period}s from the first to the last purchase"
    return labelled_axes(ax, title, xlabel, "frequency: repeat purchases")


def _heat(table: pd.DataFrame, ax: Axes, label: str, top: float) -> Axes:
    """The cells of a matrix as colours from 0 to *top*."""
    recency, frequency = table.columns.to_numpy(float), table.index.to_numpy(float)
    values = table.to_numpy(float)
    mesh = ax.pcolormesh(
        recency,
        frequency,
        values,
        cmap="viridis",
        vmin=0.0,
        vmax=top,
    )
    ax.figure.colorbar(mesh, ax=ax, label=label)
    ax.locator_params(axis="y", integer=True)
    return ax


def plot_history_alive(
    model: LTVModel,
    purchases: Sequence[date | str],
    *,
    until: date | str | None = None,
    window: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """One customer's P(alive) and purchase probability over time, with the purchases marked.

    Parameters
    ----------
    model : LTVModel
    purchases : sequence of date or str
        Purchase days, in any order.
    until : date or str, optional
        Last day shown; by default that of the model's data.
    window : float, optional
        Days of the purchase probability; by default the stage window of the model.
    ax : matplotlib.axes.Axes, optional
        Where to draw; new Axes if left out.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    DataError
        If there is no purchase up to *until*.

    Examples
    --------
    >>> import lifestage as ls
    >>> from matplotlib.figure import Figure
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> model, days = ls.fit(customers), ["1997-01-01", "1997-03-01", "1997-05-10"]
    >>> ax = ls.plots.plot_history_alive(model, days, window=30, ax=Figure().subplots())
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['P(alive)', 'P(purchase within 30 days)', 'purchase']
    """
    table = history_alive(model, purchases, until=until, window=window)
    days = model.data.stage_window if window is None else window
    ax = labelled_axes(ax, "One customer over time", "", "probability")
    label = f"P(purchase within {days:.0f} days)"
    ax.plot(table["day"], table["p_alive"], color=ACTUAL, label="P(alive)")
    ax.plot(table["day"], table["p_purchase"], color=MODEL, label=label)
    marks = table["day"][table["purchase"]]
    ax.plot(
        marks,
        np.full(len(marks), -0.03),
        "|",
        color=MARK,
        ms=10,
        mew=2,
        label="purchase",
    )
    ax.set_ylim(-0.06, 1.2)
    ax.set_yticks(np.linspace(0.0, 1.0, 6))
    set_date_ticks(ax)
    ax.legend(frameon=False, loc="upper left", ncols=3, fontsize="small")
    return ax


def plot_prior_predictive(
    table: pd.DataFrame, *, observed: float | None = None, ax: Axes | None = None
) -> Axes:
    """Histograms of repeat rate and dropout that the priors expect, as shares of the prior draws.

    Parameters
    ----------
    table : pandas.DataFrame
        From ``LTVModel.prior_predictive``: ``repeat_rate`` and ``dropout`` of each draw.
    observed : float, optional
        Repeat rate of the customer base, which a sensible prior does not rule out; marked by a
        line.
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
    >>> prior = ls.fit(customers, method="map").prior_predictive(draws=200, seed=1)
    >>> ax = ls.plots.plot_prior_predictive(prior, observed=0.4, ax=Figure().subplots())
    >>> ax.get_legend().get_texts()[-1].get_text()
    'observed repeat rate, 40 %'
    """
    title = "What the priors expect before the data"
    ax = labelled_axes(ax, title, "probability", "share of prior draws, %")
    labels = {
        "repeat_rate": "repeat rate within the mean time observed",
        "dropout": "mean dropout probability a/(a + b)",
    }
    weights, edges = np.full(len(table), 100.0 / len(table)), np.linspace(0.0, 1.0, 26)
    for (column, label), colour in zip(labels.items(), (MODEL, MARK), strict=True):
        ax.hist(
            table[column],
            bins=edges.tolist(),
            weights=weights,
            histtype="step",
            lw=1.6,
            color=colour,
            label=label,
        )
    if observed is not None:
        label = f"observed repeat rate, {100 * observed:.0f} %"
        ax.axvline(observed, color=MODEL, ls="--", label=label)
    ax.set_xlim(0, 1)
    ax.margins(y=0.25)
    ax.legend(frameon=False, loc="upper right", fontsize="small")
    return ax
