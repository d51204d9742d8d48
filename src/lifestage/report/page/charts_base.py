"""Charts of the customer base: pairs of bars, tracks, stages, histograms, concentration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.report.page.canvas import (
    ACCENT,
    FONT_SIZE,
    GREY,
    MUTED,
    Canvas,
    series,
    styled,
    texts,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from lifestage.report.page.canvas import Rows, Words

__all__ = ["concentration", "histogram", "pairs", "stage_bars", "track"]

SHARE_TICKS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
WIDE_TICKS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
"""Of an axis of shares, and of a long one that has no room for all."""


def pairs(name: str, rows: Rows, words: Words) -> str:
    """Actual and expected side by side, a pair of bars per ``frequency``.

    Rows of ``frequency``, ``actual``, ``expected``. *words*: ``title`` (read aloud in place of the
    picture), ``x``, ``y``.
    """
    with styled(name):
        canvas = Canvas(name, words, 270)
        ax = canvas.axes()
        actual, expected = series(rows, "actual"), series(rows, "expected")
        at = np.arange(len(rows))
        ax.bar(at - 0.2, actual, width=0.38, color=MUTED)
        ax.bar(at + 0.2, expected, width=0.38, color=ACCENT)
        canvas.ticks_x(ax, at.tolist(), texts(rows, "frequency"))
        canvas.scale_y(ax, max([*actual, *expected], default=1.0))
        canvas.label(ax, words["x"], words["y"])
        return canvas.svg(ax)


def track(name: str, rows: Rows, words: Words, *, suffix: str = "") -> str:
    """Actual and expected purchases over time; the part after the fit is shaded.

    *suffix* ``"_cumulative"`` draws the cumulative columns. *words*: ``title``, ``x``, ``y``,
    ``holdout``.
    """
    with styled(name):
        canvas = Canvas(name, words, 270)
        ax = canvas.axes(right=16)
        actual, expected = series(rows, f"actual{suffix}"), series(rows, f"expected{suffix}")
        top = max([*actual, *expected], default=1.0)
        canvas.scale_y(ax, top * (1.0 if suffix else 1.08))
        fitted = sum(not row["holdout"] for row in rows)
        if fitted < len(rows):
            _shade(canvas, ax, fitted - 0.5, len(rows) - 0.5, words["holdout"])
        ax.plot(actual, color=GREY, linewidth=1.6)
        ax.plot(expected, color=ACCENT, linewidth=2.2)
        ax.set_xlim(-0.5, len(rows) - 0.5)
        step = max(1, -(-len(rows) // 5))
        months = [end[:7] for end in texts(rows[::step], "end")]
        canvas.ticks_x(ax, range(0, len(rows), step), months)
        canvas.label(ax, words["x"], words["y"])
        return canvas.svg(ax)


def _shade(canvas: Canvas, ax: Axes, start: float, end: float, text: str) -> None:
    """A shaded part of the chart with its name."""
    ax.axvspan(start, end, color=ACCENT, alpha=0.07, linewidth=0)
    ax.axvline(start, color=ACCENT, linewidth=1, dashes=(3, 3))
    name = canvas.slot(text)
    ax.annotate(
        name,
        (start, 0),
        (6, 8),
        textcoords="offset points",
        color=ACCENT,
    )


def stage_bars(name: str, rows: Rows, words: Words) -> str:
    """Share of customers and, when known, of value: ``label``, ``customers``, ``value``.

    *words*: ``title``, ``x``.
    """
    with styled(name):
        has_money = any(row.get("value") is not None for row in rows)
        canvas = Canvas(name, words, 62 + (38 if has_money else 28) * len(rows))
        ax = canvas.axes(left=122, right=48, top=6, bottom=46)
        customers = series(rows, "customers")
        if has_money:
            value = series(rows, "value")
            _shares(canvas, ax, customers, -0.2, 0.36, MUTED)
            _shares(canvas, ax, value, 0.2, 0.36, ACCENT)
        else:
            value = []
            _shares(canvas, ax, customers, 0.0, 0.6, ACCENT)
        end = (max([*customers, *value], default=1.0) or 1.0) * 1.02
        ax.set_xlim(0, end)
        ax.set_ylim(len(rows) - 0.45, -0.55)
        canvas.ticks_y(ax, range(len(rows)), texts(rows, "label"))
        ticks = [tick for tick in SHARE_TICKS if tick <= end]
        if len(ticks) > len(WIDE_TICKS):
            ticks = [tick for tick in WIDE_TICKS if tick <= end]
        canvas.ticks_x(ax, ticks, canvas.numbers.axis(ticks, share=True))
        ax.grid(visible=False, axis="y")
        ax.grid(visible=True, axis="x")
        ax.set_xlabel(canvas.slot(words["x"]), labelpad=6)
        return canvas.svg(ax)


def _shares(
    canvas: Canvas, ax: Axes, shares: Sequence[float], shift: float, height: float, colour: str
) -> None:
    """Lying bars with their shares beside them."""
    at = np.arange(len(shares)) + shift
    ax.barh(at, shares, height=height, color=colour)
    place: dict[str, Any] = {"va": "center_baseline", "size": FONT_SIZE - 1.5}
    for y, share in zip(at, shares, strict=True):
        label = canvas.slot(canvas.numbers.percent(share, 0))
        ax.annotate(
            label,
            (share, y),
            (4, 0),
            textcoords="offset points",
            **place,
        )


def histogram(name: str, rows: Rows, words: Words) -> str:
    """Customers by class of value: ``low``, ``high`` (None: no end), ``customers``.

    *words*: ``title``, ``x``, ``y``.
    """
    with styled(name):
        canvas = Canvas(name, words, 270)
        ax = canvas.axes(right=22)
        is_open = bool(rows) and rows[-1]["high"] is None
        colours = [ACCENT] * (len(rows) - is_open) + [MUTED] * is_open
        customers = series(rows, "customers")
        ax.bar(np.arange(len(rows)) + 0.5, customers, width=0.92, color=colours)
        edges = series(rows, "low")
        if not is_open:
            edges.append(float(rows[-1]["high"]))
        step = max(1, -(-len(edges) // 6))
        canvas.ticks_x(
            ax,
            range(0, len(edges), step),
            canvas.numbers.axis(edges[::step]),
        )
        canvas.scale_y(ax, max(customers, default=1.0))
        canvas.label(ax, words["x"], words["y"])
        return canvas.svg(ax)


def concentration(
    name: str,
    points: Sequence[tuple[float, float]],
    words: Words,
) -> str:
    """Share of value (up) held by the most valuable share of customers (across).

    The dashed diagonal is equality. *words*: ``title``, ``x``, ``y``.
    """
    with styled(name):
        canvas = Canvas(name, words, 270)
        ax = canvas.axes(right=22)
        ax.plot([0, 1], [0, 1], color=MUTED, linewidth=1, dashes=(4, 3))
        across, up = zip((0.0, 0.0), *points, strict=True)
        ax.fill_between(across, up, across, color=ACCENT, alpha=0.08, linewidth=0)
        ax.plot(across, up, color=ACCENT, linewidth=2.2)
        ax.set_xlim(0, 1)
        ax.set_ylim(0, 1.02)
        labels = canvas.numbers.axis(WIDE_TICKS, share=True)
        canvas.ticks_x(ax, WIDE_TICKS, labels)
        canvas.ticks_y(ax, WIDE_TICKS[1:], labels[1:])
        canvas.label(ax, words["x"], words["y"])
        return canvas.svg(ax)
