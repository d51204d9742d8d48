"""Plots for a notebook: tables or a model in, matplotlib Axes out; every function takes ``ax=``.

What computes is apart from what draws: ``alive_matrix``, ``purchases_matrix`` and ``history_alive`` return tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lifestage.errors import ConfigError, DataError
from lifestage.families import family
from lifestage.lifecycle import stage_table

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from lifestage.model import LTVModel

__all__ = [
    "alive_matrix",
    "history_alive",
    "plot_expected_purchases_matrix",
    "plot_frequency_fit",
    "plot_history_alive",
    "plot_holdout_fit",
    "plot_ltv_concentration",
    "plot_ltv_distribution",
    "plot_probability_alive_matrix",
    "plot_stages",
    "plot_tracking",
    "purchases_matrix",
]

Floats = NDArray[np.float64]

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


def alive_matrix(model: LTVModel, *, T: float, max_frequency: int = 20) -> pd.DataFrame:
    """P(alive) by frequency (rows) and recency (columns, periods) of customers observed for *T* periods.

    Cells that cannot be, a repeat buyer with recency 0 or a one-time buyer with another, are missing.
    """
    module = family(model.purchases.family)
    return _matrix(T, max_frequency, lambda x, t_x: module.p_alive(x, t_x, T, **model.purchases.columns()))


def purchases_matrix(model: LTVModel, *, T: float, horizon: float = 52, max_frequency: int = 20) -> pd.DataFrame:
    """Expected purchases within *horizon* periods by frequency (rows) and recency (columns, periods)."""
    module = family(model.purchases.family)
    return _matrix(
        T, max_frequency, lambda x, t_x: module.expected_purchases(horizon, x, t_x, T, **model.purchases.columns())
    )


def _matrix(T: float, max_frequency: int, values: Any) -> pd.DataFrame:
    import pandas as pd

    if not T > 0 or max_frequency < 1:
        raise ConfigError(f"expected T > 0 and max_frequency ≥ 1; got {T} and {max_frequency}")
    x = np.arange(max_frequency + 1.0)
    t_x = np.linspace(0.0, T, 41)
    cells = np.meshgrid(x, t_x, indexing="ij")
    table = values(cells[0].ravel(), cells[1].ravel()).mean(axis=0).reshape(cells[0].shape)
    table[(cells[0] > 0) != (cells[1] > 0)] = np.nan
    return pd.DataFrame(table, index=pd.Index(x.astype(int), name="frequency"), columns=pd.Index(t_x, name="recency"))


def history_alive(
    model: LTVModel, purchases: Sequence[date | str], *, until: date | str | None = None, window: float | None = None
) -> pd.DataFrame:
    """One customer's P(alive) and P(a purchase within *window* days), day by day since the first purchase.

    Parameters
    ----------
    purchases : dates of purchases, in any order; several on one day count once
    until : last day; default the last purchase or the model's last day, whichever is later
    window : days; default the model's stage window

    Returns
    -------
    pandas.DataFrame
        ``day``, ``p_alive``, ``p_purchase``.
    """
    import pandas as pd

    if not len(purchases):
        raise DataError("expected the dates of at least one purchase; got none")
    bought = np.unique(pd.Series(list(purchases)).astype("datetime64[s]").to_numpy().astype("datetime64[D]"))
    last = np.datetime64(until or max(bought[-1], np.datetime64(model.data.until or "1970-01-01", "D")), "D")
    days = np.arange(bought[0], last + np.timedelta64(1, "D"))
    unit = model.period.days
    x = np.searchsorted(bought, days, side="right") - 1.0
    t_x = (bought[x.astype(int)] - bought[0]).astype(float) / unit
    T = (days - bought[0]).astype(float) / unit
    module, params = family(model.purchases.family), model.purchases.columns()
    h = (window or model.data.stage_window) / unit
    return pd.DataFrame(
        {
            "day": days,
            "p_alive": module.p_alive(x, t_x, T, **params).mean(axis=0),
            "p_purchase": module.p_purchase(h, x, t_x, T, **params).mean(axis=0),
        }
    )


def _heat(table: pd.DataFrame, title: str, label: str, unit: str, ax: Axes | None, limits: tuple[float, float]) -> Axes:
    ax = _axes(ax, title, f"recency: {unit}s from the first to the last purchase", "frequency: repeat purchases")
    columns = table.columns.to_numpy(float)
    mesh = ax.pcolormesh(
        columns, table.index.to_numpy(float), table.to_numpy(float), cmap="viridis", vmin=limits[0], vmax=limits[1]
    )
    ax.figure.colorbar(mesh, ax=ax, label=label)
    ax.locator_params(axis="y", integer=True)
    return ax


def plot_probability_alive_matrix(
    model: LTVModel, *, T: float | None = None, max_frequency: int = 20, ax: Axes | None = None
) -> Axes:
    """Heat map of P(alive) by frequency and recency; *T* is in periods, by default the longest history of the data."""
    T = T or _longest(model)
    table = alive_matrix(model, T=T, max_frequency=max_frequency)
    title = f"P(alive) after {T:.0f} {model.period.name}s"
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
    T = T or _longest(model)
    table = purchases_matrix(model, T=T, horizon=horizon, max_frequency=max_frequency)
    title = f"Expected purchases in the next {horizon:g} {model.period.name}s"
    return _heat(table, title, "purchases", model.period.name, ax, (0.0, float(np.nanmax(table.to_numpy()))))


def _longest(model: LTVModel) -> float:
    calendar, until = model.data.calendar, model.data.until
    if calendar is None or until is None:
        raise ConfigError("expected T, the periods observed: this model was not made from orders")
    return float((until - min(calendar["day"])).days / model.period.days)


def _pairs(labels: Sequence[str], actual: Any, expected: Any, ax: Axes) -> Axes:
    at = np.arange(len(labels))
    ax.bar(at - 0.2, actual, 0.4, color=ACTUAL, label="actual")
    ax.bar(at + 0.2, expected, 0.4, color=MODEL, label="expected")
    ax.set_xticks(at, list(labels))
    ax.legend(frameon=False)
    return ax


def plot_frequency_fit(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Bars of customers by number of repeat purchases, from :func:`lifestage.evaluate.frequency_fit`."""
    ax = _axes(ax, "Customers by repeat purchases, in the data of the fit", "repeat purchases", "customers")
    return _pairs(table["frequency"].tolist(), table["actual"], table["expected"], ax)


def plot_holdout_fit(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Bars of mean purchases after the fit by earlier frequency, from :func:`lifestage.evaluate.holdout_fit`."""
    ax = _axes(ax, "Purchases after the fit, by earlier repeat purchases", "repeat purchases before", "purchases each")
    return _pairs(table["frequency"].tolist(), table["actual"], table["expected"], ax)


def plot_tracking(table: pd.DataFrame, *, cumulative: bool = True, ax: Axes | None = None) -> Axes:
    """Repeat purchases of the base through time, from :func:`lifestage.evaluate.tracking`; the holdout is shaded."""
    suffix, title = (
        ("_cumulative", "Repeat purchases, running total") if cumulative else ("", "Repeat purchases a step")
    )
    ax = _axes(ax, title, "", "purchases")
    ax.plot(table["end"], table[f"actual{suffix}"], color=ACTUAL, label="actual")
    ax.plot(table["end"], table[f"expected{suffix}"], color=MODEL, label="expected")
    held = table[table["holdout"]]
    if len(held):
        ax.axvspan(held["end"].iloc[0], held["end"].iloc[-1], color=MODEL, alpha=0.08, lw=0, label="after the fit")
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
    import pandas as pd

    table = history_alive(model, purchases, until=until, window=window)
    days = window or model.data.stage_window
    ax = _axes(ax, "One customer through time", "", "probability")
    ax.plot(table["day"], table["p_alive"], color=ACTUAL, label="P(alive)")
    ax.plot(table["day"], table["p_purchase"], color=MODEL, label=f"P(a purchase within {days:.0f} days)")
    bought = pd.Series(list(purchases)).astype("datetime64[s]")
    ax.plot(bought, np.full(len(bought), -0.03), "|", color=MARK, ms=10, mew=2, clip_on=False, label="purchase")
    ax.set_ylim(-0.06, 1.03)
    _dates(ax)
    ax.legend(frameon=False, loc="upper right")
    return ax


def plot_ltv_distribution(scores: Any, *, bins: int = 40, ax: Axes | None = None) -> Axes:
    """Histogram of customers by LTV, on a logarithmic money axis; the lowest 0.5 % are counted in the first bar."""
    ltv = _ltv(scores)
    shown = np.maximum(ltv, np.quantile(ltv, 0.005))
    ax = _axes(ax, "Customers by LTV", "LTV, money (logarithmic)", "customers")
    ax.hist(shown, bins=np.geomspace(shown.min() * 0.9999, shown.max() * 1.0001, bins + 1).tolist(), color=MODEL)
    ax.set_xscale("log")
    ax.axvline(float(ltv.mean()), color=MARK, label=f"mean {ltv.mean():,.1f}")
    ax.axvline(float(np.median(ltv)), color=ACTUAL, label=f"median {np.median(ltv):,.1f}")
    ax.legend(frameon=False)
    return ax


def plot_ltv_concentration(scores: Any, *, ax: Axes | None = None) -> Axes:
    """Share of all LTV that the most valuable customers hold (a Lorenz curve from the top)."""
    ltv = np.sort(_ltv(scores))[::-1]
    share = np.concatenate([[0.0], np.cumsum(ltv) / ltv.sum()])
    top = np.linspace(0.0, 1.0, share.size)
    fifth = float(np.interp(0.2, top, share))
    ax = _axes(
        ax,
        f"The top 20 % of customers hold {100 * fifth:.0f} % of LTV",
        "share of customers, best first",
        "share of LTV",
    )
    ax.plot(top, share, color=MODEL)
    ax.plot([0, 1], [0, 1], color=ACTUAL, ls=":")
    ax.plot([0.2, 0.2, 0.0], [0.0, fifth, fifth], color=MARK, lw=0.8)
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1.02)
    return ax


def _ltv(scores: Any) -> Floats:
    import narwhals as nw

    frame = nw.from_native(scores)
    if "ltv" not in frame.collect_schema().names():
        raise DataError("expected a scores table with a column ltv (a model with a spend part)")
    values: Floats = frame.lazy().select("ltv").collect().get_column("ltv").drop_nulls().to_numpy()
    values = values[values > 0]
    if not values.size:
        raise DataError("expected customers with a positive ltv; got none")
    return values


def plot_stages(staged: Any, *, taxonomy: str = "line", lang: str = "en", ax: Axes | None = None) -> Axes:
    """Bars of customers and of LTV by stage, as shares of the base."""
    table = stage_table(staged, lang=lang)
    if taxonomy not in set(table["taxonomy"]):
        raise ConfigError(f"taxonomy must be one of {', '.join(table['taxonomy'].unique())}; got {taxonomy!r}")
    part = table[table["taxonomy"] == taxonomy].iloc[::-1]
    ax = _axes(ax, "Where customers stand", "share of the base, %", "")
    at = np.arange(len(part))
    ax.barh(at + 0.2, 100 * part["share"], 0.4, color=ACTUAL, label="customers")
    if part["ltv_share"].notna().any():
        ax.barh(at - 0.2, 100 * part["ltv_share"], 0.4, color=MODEL, label="LTV")
    for y, count, share in zip(at, part["customers"], part["share"], strict=True):
        ax.annotate(f"{count:,}", (100 * share, y + 0.2), (3, 0), textcoords="offset points", va="center", fontsize=8)
    ax.set_yticks(at, part["label"].tolist())
    ax.legend(frameon=False)
    return ax
