"""Plots for a notebook: tables or a model in, matplotlib Axes out; every function takes ``ax=``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.core.errors import ConfigError, DataError
from lifestage.lifecycle import stage_table
from lifestage.lifecycle.frames import collect, open_frame
from lifestage.prediction.histories import alive_matrix, history_alive, purchases_matrix

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import pandas as pd
    from matplotlib.axes import Axes

    from lifestage.core.typing import Floats
    from lifestage.evaluate import Drift
    from lifestage.model import LTVModel

__all__ = [
    "plot_drift",
    "plot_expected_purchases_matrix",
    "plot_frequency_fit",
    "plot_history_alive",
    "plot_holdout_fit",
    "plot_ltv_concentration",
    "plot_ltv_distribution",
    "plot_prior_predictive",
    "plot_probability_alive_matrix",
    "plot_reliability",
    "plot_stages",
    "plot_tracking",
]


ACTUAL, MODEL, MARK = "#9aa5ad", "#1f5f8b", "#b5651d"


def _axes(ax: Axes | None, title: str, xlabel: str, ylabel: str) -> Axes:
    """The given Axes or new ones, with labels and without the frame that carries no data."""
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots(figsize=(7.0, 4.2), layout="constrained")
    ax.set_title(title, loc="left")
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _dates(ax: Axes) -> None:
    """Few date ticks with short labels."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=3, maxticks=7)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def _heat(
    table: pd.DataFrame,
    title: str,
    label: str,
    unit: str,
    ax: Axes | None,
    limits: tuple[float, float],
) -> Axes:
    ax = _axes(
        ax,
        title,
        f"recency: {unit}s from the first to the last purchase",
        "frequency: repeat purchases",
    )
    columns = table.columns.to_numpy(float)
    mesh = ax.pcolormesh(
        columns,
        table.index.to_numpy(float),
        table.to_numpy(float),
        cmap="viridis",
        vmin=limits[0],
        vmax=limits[1],
    )
    ax.figure.colorbar(mesh, ax=ax, label=label)
    ax.locator_params(axis="y", integer=True)
    return ax


def plot_probability_alive_matrix(
    model: LTVModel, *, T: float | None = None, max_frequency: int = 20, ax: Axes | None = None
) -> Axes:
    """Heat map of P(alive) by frequency and recency; *T* is in periods, by default the longest history of the data."""
    T = _longest(model) if T is None else T
    table = alive_matrix(model, T=T, max_frequency=max_frequency)
    title = f"P(alive) of customers first seen {T:.0f} {model.period.name}s ago"
    return _heat(table, title, "P(alive)", model.period.name, ax, (0.0, 1.0))


def plot_expected_purchases_matrix(
    model: LTVModel,
    *,
    horizon: float = 52,
    T: float | None = None,
    max_frequency: int = 20,
    ax: Axes | None = None,
) -> Axes:
    """Heat map of expected purchases within *horizon* periods by frequency and recency."""
    T = _longest(model) if T is None else T
    table = purchases_matrix(model, T=T, horizon=horizon, max_frequency=max_frequency)
    title = f"Expected purchases in the next {horizon:g} {model.period.name}s"
    return _heat(
        table,
        title,
        "expected purchases",
        model.period.name,
        ax,
        (0.0, float(np.nanmax(table.to_numpy()))),
    )


def _longest(model: LTVModel) -> float:
    calendar, until = model.data.calendar, model.data.until
    if calendar is None or until is None:
        raise ConfigError("expected T, the periods observed: this model was not made from orders")
    return float((until - min(calendar["day"])).days / model.period.days)


def _pairs(table: pd.DataFrame, ax: Axes) -> Axes:
    at = np.arange(len(table))
    ax.bar(at - 0.2, table["actual"], 0.4, color=ACTUAL, label="actual")
    ax.bar(at + 0.2, table["expected"], 0.4, color=MODEL, label="expected")
    ax.set_xticks(at, table["frequency"].tolist())
    ax.legend(frameon=False)
    return ax


def plot_frequency_fit(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Bars of customers by number of repeat purchases, from :func:`lifestage.evaluate.frequency_fit`."""
    ax = _axes(
        ax, "Customers by repeat purchases, in the data of the fit", "repeat purchases", "customers"
    )
    return _pairs(table, ax)


def plot_holdout_fit(table: pd.DataFrame | None, *, ax: Axes | None = None) -> Axes:
    """Bars of mean purchases after the fit by earlier frequency, from :func:`lifestage.evaluate.holdout_fit`."""
    if table is None:
        raise DataError(
            "expected the table of holdout_fit; got None: the log has nothing after the data of"
            " the fit"
        )
    title = "Purchases after the fit, by earlier repeat purchases"
    ax = _axes(ax, title, "repeat purchases before", "mean purchases a customer")
    return _pairs(table, ax)


def plot_tracking(table: pd.DataFrame, *, cumulative: bool = True, ax: Axes | None = None) -> Axes:
    """Repeat purchases of the base through time, from :func:`lifestage.evaluate.fit_checks`; the holdout is shaded."""
    step = int(table["end"].diff().dt.days.max()) if len(table) > 1 else 1
    span = {1: "day", 7: "week"}.get(step, f"{step} days")
    suffix, detail = ("_cumulative", ", running total") if cumulative else ("", f" per {span}")
    ax = _axes(ax, f"Repeat purchases{detail}", "", "repeat purchases")
    ax.plot(table["end"], table[f"actual{suffix}"], color=ACTUAL, label="actual")
    ax.plot(table["end"], table[f"expected{suffix}"], color=MODEL, label="expected")
    if table["holdout"].any():
        start = table["end"][~table["holdout"]].max()
        ax.axvspan(
            start, table["end"].iloc[-1], color=MODEL, alpha=0.08, lw=0, label="after the fit"
        )
    ax.set_ylim(bottom=0)
    _dates(ax)
    ax.legend(frameon=False)
    return ax


def plot_history_alive(
    model: LTVModel,
    purchases: Sequence[date | str],
    *,
    until: date | str | None = None,
    window: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """One customer's P(alive) and chance of buying through time, with the purchases marked."""
    table = history_alive(model, purchases, until=until, window=window)
    days = model.data.stage_window if window is None else window
    ax = _axes(ax, "One customer through time", "", "probability")
    ax.plot(table["day"], table["p_alive"], color=ACTUAL, label="P(alive)")
    ax.plot(
        table["day"], table["p_purchase"], color=MODEL, label=f"P(purchase within {days:.0f} days)"
    )
    bought = table["day"][table["purchase"]]
    ax.plot(bought, np.full(len(bought), -0.03), "|", color=MARK, ms=10, mew=2, label="purchase")
    ax.set_ylim(-0.06, 1.2)
    ax.set_yticks(np.linspace(0.0, 1.0, 6))
    _dates(ax)
    ax.legend(frameon=False, loc="upper left", ncols=3, fontsize="small")
    return ax


def plot_prior_predictive(
    table: pd.DataFrame, *, observed: float | None = None, ax: Axes | None = None
) -> Axes:
    """What the priors believe of repeat rates and dropout, from ``LTVModel.prior_predictive``.

    Histograms of the draws' ``repeat_rate`` and ``dropout``, as shares of the draws; *observed*
    marks the repeat rate of the base, which a sensible prior does not rule out.
    """
    ax = _axes(ax, "What the priors believe before the data", "chance", "share of prior draws, %")
    names = {
        "repeat_rate": "repeat rate within the mean time observed",
        "dropout": "mean dropout chance a/(a + b)",
    }
    for (column, label), colour in zip(names.items(), (MODEL, MARK), strict=True):
        share = np.full(len(table), 100.0 / len(table))
        bins = np.linspace(0.0, 1.0, 26).tolist()
        ax.hist(
            table[column],
            bins=bins,
            weights=share,
            histtype="step",
            lw=1.6,
            color=colour,
            label=label,
        )
    if observed is not None:
        ax.axvline(
            observed, color=MODEL, ls="--", label=f"repeat rate of the base, {100 * observed:.0f} %"
        )
    ax.set_xlim(0, 1)
    ax.margins(y=0.25)
    ax.legend(frameon=False, loc="upper right", fontsize="small")
    return ax


def plot_ltv_distribution(scores: Any, *, bins: int = 40, ax: Axes | None = None) -> Axes:
    """Histogram of customers by LTV, on a logarithmic money axis; the lowest 0.5 % are counted in the first bar.

    Customers whose LTV is 0 have no place on that axis: they are counted in its label, the mean and
    the median.
    """
    if bins < 1:
        raise ConfigError(f"expected bins ≥ 1; got {bins}")
    ltv = _ltv(scores)
    some = ltv[ltv > 0]
    shown = np.maximum(some, np.quantile(some, 0.005))
    left_out = (
        f"; {ltv.size - some.size:,} customers with LTV 0 are not shown"
        if some.size < ltv.size
        else ""
    )
    ax = _axes(ax, "Customers by LTV", f"LTV, money (logarithmic){left_out}", "customers")
    ax.hist(
        shown,
        bins=np.geomspace(shown.min() * 0.9999, shown.max() * 1.0001, bins + 1).tolist(),
        color=MODEL,
    )
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter("{x:,g}")
    for name, value, style in (
        ("mean", float(ltv.mean()), "-"),
        ("median", float(np.median(ltv)), "--"),
    ):
        if value > 0:
            ax.axvline(value, color=MARK, ls=style, label=f"{name} {value:,.1f}")
    ax.legend(frameon=False)
    return ax


def plot_ltv_concentration(scores: Any, *, ax: Axes | None = None) -> Axes:
    """Share of all LTV that the most valuable customers hold (a Lorenz curve from the top)."""
    ltv = np.sort(_ltv(scores))[::-1]
    share = np.concatenate([[0.0], np.cumsum(ltv) / ltv.sum()])
    top = np.linspace(0.0, 1.0, share.size)
    fifth = float(np.interp(0.2, top, share))
    title = f"The top 20 % of customers hold {100 * fifth:.0f} % of LTV"
    ax = _axes(ax, title, "share of customers, best first, %", "share of LTV, %")
    ax.plot(100 * top, 100 * share, color=MODEL)
    ax.plot([0, 100], [0, 100], color=ACTUAL, ls=":")
    ax.plot([20, 20, 0], [0, 100 * fifth, 100 * fifth], color=MARK, lw=0.8)
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
    """Bars of customers and of LTV by stage, as shares of the base, with the counts and sums beside them.

    *staged* is what ``assign_stages`` returned, or a table of
    :func:`lifestage.lifecycle.stages.table`, whose labels are then shown as they are.
    """
    frame = open_frame(staged, ())
    ready = {"taxonomy", "label", "customers", "share", "ltv", "ltv_share"} <= set(
        frame.collect_schema().names()
    )
    table = collect(frame) if ready else stage_table(staged, lang=lang)
    if taxonomy not in set(table["taxonomy"]):
        raise ConfigError(
            f"taxonomy must be one of {', '.join(table['taxonomy'].unique())}; got {taxonomy!r}"
        )
    part = table[table["taxonomy"] == taxonomy].iloc[::-1]
    ax = _axes(ax, f"Where customers stand: stages of the {taxonomy}", "share of the base, %", "")
    at = np.arange(len(part))
    for name, share, move, colour in (
        ("customers", "share", 0.2, ACTUAL),
        ("ltv", "ltv_share", -0.2, MODEL),
    ):
        if part[share].notna().any():
            bars = ax.barh(
                at + move, 100 * part[share], 0.4, color=colour, label=name.replace("ltv", "LTV")
            )
            words = [
                f"{n:,.0f} ({100 * p:.0f} %)" for n, p in zip(part[name], part[share], strict=True)
            ]
            ax.bar_label(bars, words, padding=3, fontsize=8)
    ax.margins(x=0.2)
    ax.set_xlim(left=0)
    ax.set_yticks(at, part["label"].tolist())
    ax.legend(frameon=False)
    return ax


def plot_reliability(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Shares who bought against the chances they were given, from ``Backtest.reliability``; a line a forecast."""
    ax = _axes(
        ax, "Chance of a purchase, given and come true", "mean chance given", "share who bought"
    )
    ax.plot([0, 1], [0, 1], color=ACTUAL, lw=1, ls="--", label="as told")
    for name, part in table.groupby("forecast", sort=False):
        reach = np.abs(part[["low", "high"]].to_numpy().T - part["observed"].to_numpy())
        ax.errorbar(
            part["predicted"],
            part["observed"],
            reach,
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


def plot_drift(found: Drift, *, quantity: str = "purchases", ax: Axes | None = None) -> Axes:
    """What came since a model's last day beside what was predicted, week by week, with the day of a signal."""
    from matplotlib.dates import date2num

    table = found.table
    if quantity not in table:
        raise ConfigError(f"expected a quantity that was watched; got {quantity!r}")
    ax = _axes(ax, f"{quantity.capitalize()} per week since the model's last day", "", quantity)
    low, high = table[f"{quantity}_low"], table[f"{quantity}_high"]
    ax.fill_between(
        table["end"],
        low,
        high,
        color=MODEL,
        alpha=0.15,
        lw=0,
        label=f"predicted, {found.level:.0%}",
    )
    ax.plot(table["end"], table[f"{quantity}_expected"], color=MODEL, label="expected")
    ax.plot(table["end"], table[quantity], color=ACTUAL, marker="o", ms=3, label="actual")
    for signal in found.signals:
        if signal.quantity == quantity:
            ax.axvline(
                float(date2num(signal.seen)),
                color=MARK,
                lw=1.2,
                label=f"signal: {signal.direction} since about {signal.since}",
            )
    ax.set_ylim(bottom=0)
    _dates(ax)
    ax.legend(frameon=False)
    return ax
