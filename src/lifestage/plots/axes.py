"""What all plots share: colours, Axes with labels, and ticks of dates."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ACTUAL", "MARK", "MODEL", "labelled_axes", "set_date_ticks"]

ACTUAL, MODEL, MARK = "#9aa5ad", "#1f5f8b", "#b5651d"
"""Colours of what was observed, of what the model says, and of what stands out."""


def labelled_axes(ax: Axes | None, title: str, xlabel: str, ylabel: str) -> Axes:
    """The given Axes or new ones, with labels and without the frame that carries no data."""
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots(figsize=(7.0, 4.2), layout="constrained")
    ax.set_title(title, loc="left")
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def set_date_ticks(ax: Axes) -> None:
    """Few date ticks with short labels."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=3, maxticks=7)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))
