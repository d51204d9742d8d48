"""Plots of the customer base: how LTV is distributed, and where customers stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.core.errors import ConfigError, DataError
from lifestage.lifecycle import stage_table
from lifestage.lifecycle.frames import collect, open_frame
from lifestage.plots.axes import ACTUAL, MARK, MODEL, labelled_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from lifestage.core.typing import Floats

__all__ = ["plot_ltv_concentration", "plot_ltv_distribution", "plot_stages"]

LOWEST_SHARE = 0.005
"""Of the customers, whose LTV is drawn in the first bar, so that a few tiny values do not
stretch the logarithmic axis."""

STAGE_COLUMNS = {"taxonomy", "label", "customers", "share", "ltv", "ltv_share"}


def plot_ltv_distribution(
    scores: Any,
    *,
    bins: int = 40,
    ax: Axes | None = None,
) -> Axes:
    """Histogram of customers by LTV, on a logarithmic money axis, with mean and median.

    The lowest 0.5 % of customers are counted in the first bar. Customers whose LTV is 0 have no
    place on that axis: they are counted in its label, the mean and the median.

    Parameters
    ----------
    scores : frame
        From ``LTVModel.predict``, of a model with a spend part; one row per customer.
    bins : int
        Number of bars.
    ax : matplotlib.axes.Axes, optional
        Where to draw; new Axes if left out.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ConfigError
        If *bins* is below 1.
    DataError
        If there is no LTV, or none above 0.

    Examples
    --------
    >>> import lifestage as ls
    >>> from matplotlib.figure import Figure
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> scores = ls.fit(customers).predict(customers, horizon=52)
    >>> ax = ls.plots.plot_ltv_distribution(scores, ax=Figure().subplots())
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['mean 30.8', 'median 10.3']
    """
    if bins < 1:
        raise ConfigError(f"expected bins ≥ 1; got {bins}")
    ltv = _ltv(scores)
    positive = ltv[ltv > 0]
    drawn = np.maximum(positive, np.quantile(positive, LOWEST_SHARE))
    xlabel = "LTV, money (logarithmic)"
    if positive.size < ltv.size:
        xlabel += f"; {ltv.size - positive.size:,} customers with LTV 0 are not shown"
    ax = labelled_axes(ax, "Customers by LTV", xlabel, "customers")
    # a little wider than the values, so that rounding loses none at the ends
    edges = np.geomspace(drawn.min() * 0.9999, drawn.max() * 1.0001, bins + 1)
    ax.hist(drawn, bins=edges.tolist(), color=MODEL)
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter("{x:,g}")
    mean, median = float(ltv.mean()), float(np.median(ltv))
    ax.axvline(mean, color=MARK, ls="-", label=f"mean {mean:,.1f}")
    if median > 0:
        ax.axvline(median, color=MARK, ls="--", label=f"median {median:,.1f}")
    ax.legend(frameon=False)
    return ax


def plot_ltv_concentration(scores: Any, *, ax: Axes | None = None) -> Axes:
    """Share of all LTV that the most valuable customers hold (a Lorenz curve from the top).

    Parameters
    ----------
    scores : frame
        From ``LTVModel.predict``, of a model with a spend part; one row per customer.
    ax : matplotlib.axes.Axes, optional
        Where to draw; new Axes if left out.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    DataError
        If there is no LTV, or none above 0.

    Examples
    --------
    >>> import lifestage as ls
    >>> from matplotlib.figure import Figure
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> scores = ls.fit(customers).predict(customers, horizon=52)
    >>> ls.plots.plot_ltv_concentration(scores, ax=Figure().subplots()).get_title(loc="left")
    'The top 20 % of customers hold 71 % of LTV'
    """
    ltv = np.sort(_ltv(scores))[::-1]
    share = 100 * np.concatenate([[0.0], np.cumsum(ltv) / ltv.sum()])
    top = np.linspace(0.0, 100.0, share.size)
    fifth = float(np.interp(20.0, top, share))
    title = f"The top 20 % of customers hold {fifth:.0f} % of LTV"
    xlabel = "share of customers, most valuable first, %"
    ax = labelled_axes(ax, title, xlabel, "share of LTV, %")
    ax.plot(top, share, color=MODEL)
    ax.plot([0, 100], [0, 100], color=ACTUAL, ls=":")
    ax.plot([20, 20, 0], [0, fifth, fifth], color=MARK, lw=0.8)
    ax.set(xlim=(0, 100), ylim=(0, 102))
    return ax


def _ltv(scores: Any) -> Floats:
    """Every customer's LTV that is known, zeros included."""
    frame = open_frame(scores, ())
    if "ltv" not in frame.collect_schema().names():
        raise DataError("expected a scores table with a column ltv (a model with a spend part)")
    values: Floats = collect(frame.select("ltv"))["ltv"].to_numpy(float, na_value=np.nan)
    values = values[np.isfinite(values)]
    if not (values > 0).any():
        raise DataError("expected customers with a positive ltv; got none")
    return values


def plot_stages(
    staged: Any, *, taxonomy: str = "line", lang: str = "en", ax: Axes | None = None
) -> Axes:
    """Bars of customers and of LTV by stage, as shares of the customer base, with counts and sums.

    Parameters
    ----------
    staged : frame
        From :func:`lifestage.assign_stages`; or a table of :func:`lifestage.lifecycle.stage_table`,
        whose labels are then shown as they are.
    taxonomy : str
        ``"line"``, ``"phase"``, ``"segment"``, or one of your own playbook.
    lang : {"en", "zh-Hans", "zh-Hant"}
        Language of the stages.
    ax : matplotlib.axes.Axes, optional
        Where to draw; new Axes if left out.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ConfigError
        If there is no such taxonomy or language.

    Examples
    --------
    >>> import lifestage as ls
    >>> from matplotlib.figure import Figure
    >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    >>> staged = ls.assign_stages(ls.fit(customers).predict(customers, horizon=52))
    >>> ax = ls.plots.plot_stages(staged, taxonomy="phase", ax=Figure().subplots())
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['Retain', 'Grow', 'Engage', 'Acquire']
    """
    frame = open_frame(staged, ())
    is_stage_table = set(frame.collect_schema().names()) >= STAGE_COLUMNS
    table = collect(frame) if is_stage_table else stage_table(staged, lang=lang)
    if taxonomy not in set(table["taxonomy"]):
        raise ConfigError(
            f"taxonomy must be one of {', '.join(table['taxonomy'].unique())}; got {taxonomy!r}"
        )
    stages = table[table["taxonomy"] == taxonomy].iloc[::-1]
    title = f"Customers and LTV by stage ({taxonomy})"
    ax = labelled_axes(ax, title, "share of the customer base, %", "")
    at = np.arange(len(stages))
    _bars(ax, at + 0.2, stages["customers"], stages["share"], ACTUAL, "customers")
    if stages["ltv_share"].notna().any():
        _bars(ax, at - 0.2, stages["ltv"], stages["ltv_share"], MODEL, "LTV")
    ax.margins(x=0.2)
    ax.set_xlim(left=0)
    ax.set_yticks(at, stages["label"].tolist())
    ax.legend(frameon=False)
    return ax


def _bars(
    ax: Axes,
    at: NDArray[np.floating[Any]],
    sums: pd.Series,
    shares: pd.Series,
    colour: str,
    label: str,
) -> None:
    """Lying bars of shares in per cent, with the sums beside them."""
    bars = ax.barh(at, 100 * shares, 0.4, color=colour, label=label)
    pairs = zip(sums, 100 * shares, strict=True)
    texts = [f"{total:,.0f} ({percent:.0f} %)" for total, percent in pairs]
    ax.bar_label(bars, texts, padding=3, fontsize=8)
