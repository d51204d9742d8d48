"""Charts of the validation: reliability, cumulative purchases, and the forecast band."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.report.page.canvas import ACCENT, GREY, INK, MUTED, Canvas, series, styled, texts

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from lifestage.report.page.canvas import Rows, Words

__all__ = ["band", "cumulative", "reliability"]

SIGNAL = "#b5482f"


def reliability(name: str, rows: Rows, words: Words) -> str:
    """Observed against predicted probability: ``predicted``, ``observed``, ``low``, ``high``.

    *words*: ``title``, ``x``, ``y``.
    """
    with styled(name):
        canvas = Canvas(name, words, 290)
        ax = canvas.axes(right=30)
        predicted = series(rows, "predicted")
        top = min(1.0, 1.08 * max(*predicted, *series(rows, "high")))
        ax.plot([0, top], [0, top], color=MUTED, linewidth=1.2, dashes=(4, 3))
        for row in rows:
            across, up = [row["predicted"]] * 2, [row["low"], row["high"]]
            ax.plot(across, up, color=ACCENT, alpha=0.35, linewidth=5)
        observed = series(rows, "observed")
        ax.plot(
            predicted,
            observed,
            color=ACCENT,
            marker="o",
            markersize=5,
            linewidth=0,
        )
        step = 0.2 if top > 0.5 else 0.1 if top > 0.2 else 0.02
        # the small number keeps the tick at the very top where the division rounds down
        ticks = (step * np.arange(int(top / step + 1e-9) + 1)).tolist()
        labels = canvas.numbers.axis(ticks, share=True)
        ax.set_xlim(0, top)
        ax.set_ylim(0, top)
        canvas.ticks_x(ax, ticks, labels)
        canvas.ticks_y(ax, ticks[1:], labels[1:])
        canvas.label(ax, words["x"], words["y"])
        return canvas.svg(ax)


def cumulative(name: str, rows: Rows, words: Words) -> str:
    """Expected and observed totals growing over time: ``label``, ``actual``, ``expected``.

    *words*: ``title``, ``x``, ``y``.
    """
    with styled(name):
        canvas = Canvas(name, words, 290)
        ax = canvas.axes(left=66, right=30)
        at = list(range(len(rows) + 1))
        actual, expected = series(rows, "actual"), series(rows, "expected")
        ax.plot(at, [0.0, *actual], color=GREY, linewidth=1.8)
        ax.plot(at, [0.0, *expected], color=ACCENT, linewidth=2.2)
        canvas.scale_y(ax, max(*actual, *expected))
        ax.set_xlim(0, at[-1])
        _label_times(canvas, ax, rows, shift=1)
        canvas.label(ax, words["x"], words["y"])
        return canvas.svg(ax)


def band(name: str, rows: Rows, words: Words, signal: int | None = None) -> str:
    """Observations in the forecast band: ``label``, ``actual``, ``expected``, ``low``, ``high``.

    *words*: ``title``, ``x``, ``y`` and, for the row number *signal*, ``signal``.
    """
    with styled(name):
        canvas = Canvas(name, words, 290)
        ax = canvas.axes(left=66, right=30)
        at = list(range(len(rows)))
        actual, low, high = series(rows, "actual"), series(rows, "low"), series(rows, "high")
        ax.fill_between(at, low, high, color=ACCENT, alpha=0.16, linewidth=0)
        ax.plot(at, series(rows, "expected"), color=ACCENT, linewidth=2.2)
        ax.plot(at, actual, color=GREY, linewidth=1.6, marker="o", markersize=3)
        if signal is not None:
            _mark(
                canvas,
                ax,
                signal,
                words["signal"],
                left=signal > len(rows) / 2,
            )
        canvas.scale_y(ax, max(*actual, *high))
        ax.set_xlim(-0.5, len(rows) - 0.5)
        _label_times(canvas, ax, rows, shift=0)
        canvas.label(ax, words["x"], words["y"])
        ax.tick_params(axis="x", colors=INK)
        return canvas.svg(ax)


def _mark(canvas: Canvas, ax: Axes, at: float, text: str, *, left: bool) -> None:
    """A line across the chart with its text beside it."""
    ax.axvline(at, color=SIGNAL, linewidth=1.2)
    place: dict[str, Any] = {"textcoords": "offset points", "ha": "right" if left else "left"}
    ax.annotate(
        canvas.slot(text),
        (at, 0),
        (-6 if left else 6, 8),
        color=SIGNAL,
        **place,
    )


def _label_times(canvas: Canvas, ax: Axes, rows: Rows, shift: int) -> None:
    """As many labels along the axis as have room, the last one among them."""
    labels = texts(rows, "label")
    step = max(1, len(labels) // 4) if len(labels[-1]) < 8 else -(-len(labels) // 3)
    first = (len(labels) - 1) % step
    at = range(first + shift, len(labels) + shift, step)
    canvas.ticks_x(ax, at, labels[first::step])
