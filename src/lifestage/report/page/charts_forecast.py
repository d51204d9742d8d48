"""Charts of the forecast: stages over time, totals, repurchase curves, values by group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lifestage.report.page.canvas import ACCENT, GREY, INK, MUTED, Canvas, series, styled, texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lifestage.report.page.canvas import Rows, Words

__all__ = ["COLOURS", "fan", "ranges", "returns", "stage_flow"]

COLOURS = ("#5d9b84", "#1f5f8b", "#7fb3d5", "#d8c58a", "#b9c1c7", "#c98a5e", "#8e7aa8", "#6b7680")
"""Of stages, in the order of a taxonomy."""

DARK = ("#5d9b84", "#1f5f8b", "#8e7aa8", "#6b7680")
"""Those on which text is white."""

MIN_LABELLED_SHARE = 0.055
"""Parts of a bar smaller than this have no room for their label."""

DAY_TICKS = (0, 7, 15, 30, 60, 90, 120, 180, 270, 365)


def stage_flow(
    name: str, bars: Sequence[tuple[str, Sequence[float]]], colours: Sequence[str], words: Words
) -> str:
    """Shares of the stages as stacked bars, one per point in time: (label, shares from the top).

    *words*: ``title``, ``x``, ``y``.
    """
    with styled(name):
        canvas = Canvas(name, words, 290)
        ax = canvas.axes(right=16)
        place: dict[str, Any] = {"ha": "center", "va": "center_baseline", "size": 12}
        for i, (_, shares) in enumerate(bars):
            top = 1.0
            for share, colour in zip(shares, colours, strict=True):
                ax.bar(
                    [i],
                    [share],
                    bottom=[top - share],
                    width=0.72,
                    color=colour,
                    linewidth=0,
                )
                if share >= MIN_LABELLED_SHARE:
                    label = canvas.slot(canvas.numbers.percent(share, 0))
                    ink = "#ffffff" if colour in DARK else INK
                    ax.annotate(label, (i, top - share / 2), color=ink, **place)
                top -= share
        ax.set_xlim(-0.5, len(bars) - 0.5)
        canvas.ticks_x(ax, range(len(bars)), [label for label, _ in bars])
        ticks = [0.0, 0.25, 0.5, 0.75, 1.0]
        ax.set_ylim(0, 1.02)
        canvas.ticks_y(ax, ticks, canvas.numbers.axis(ticks, share=True))
        ax.grid(visible=False)
        canvas.label(ax, words["x"], words["y"])
        return canvas.svg(ax)


def fan(name: str, rows: Rows, words: Words) -> str:
    """A total growing over time inside its interval: ``label``, ``middle``, ``low``, ``high``.

    *words*: ``title``, ``x``, ``y``.
    """
    with styled(name):
        canvas = Canvas(name, words, 270)
        ax = canvas.axes(left=70, right=36)
        at = list(range(len(rows) + 1))
        low, high = [0.0, *series(rows, "low")], [0.0, *series(rows, "high")]
        ax.fill_between(at, low, high, color=ACCENT, alpha=0.16, linewidth=0)
        ax.plot(at, [0.0, *series(rows, "middle")], color=ACCENT, linewidth=2.2)
        canvas.scale_y(ax, max(high))
        ax.set_xlim(0, at[-1])
        step = max(1, len(rows) // 4)
        ticks = range(step, len(rows) + 1, step)
        canvas.ticks_x(ax, ticks, texts(rows, "label")[step - 1 :: step])
        canvas.label(ax, words["x"], words["y"])
        return canvas.svg(ax)


def returns(name: str, rows: Rows, words: Words) -> str:
    """The share that has bought again by each day, observed with its interval, and expected.

    Rows of ``day``, ``bought_again``, ``low``, ``high``, ``expected``. *words*: ``title``, ``x``,
    ``y``.
    """
    with styled(name):
        canvas = Canvas(name, words, 270)
        ax = canvas.axes(right=22)
        days = [0.0, *series(rows, "day")]
        low, high = [0.0, *series(rows, "low")], [0.0, *series(rows, "high")]
        expected = [0.0, *series(rows, "expected")]
        ax.fill_between(days, low, high, color=MUTED, alpha=0.35, linewidth=0)
        ax.plot(
            days,
            [0.0, *series(rows, "bought_again")],
            color=GREY,
            linewidth=1.8,
        )
        ax.plot(days, expected, color=ACCENT, linewidth=2.2)
        canvas.scale_y(ax, max(*high, *expected), share=True)
        end = days[-1]
        ax.set_xlim(0, end)
        # ticks closer than an eighth of the axis would run into the one at zero
        ticks = [day for day in DAY_TICKS if day == 0 or end / 8 <= day <= end]
        canvas.ticks_x(ax, ticks, list(map(canvas.numbers.integer, ticks)))
        canvas.label(ax, words["x"], words["y"])
        return canvas.svg(ax)


def ranges(name: str, rows: Rows, words: Words) -> str:
    """An estimate and its interval per group: ``label``, ``middle``, ``low``, ``high``.

    *words*: ``title``, ``x``.
    """
    with styled(name):
        canvas = Canvas(name, words, 66 + 26 * len(rows))
        ax = canvas.axes(left=122, right=24, top=6, bottom=46)
        bar: dict[str, Any] = {"alpha": 0.35, "linewidth": 7, "solid_capstyle": "butt"}
        for i, row in enumerate(rows):
            ax.plot([row["low"], row["high"]], [i, i], color=ACCENT, **bar)
            ax.plot(
                [row["middle"]],
                [i],
                marker="o",
                markersize=5.5,
                color=ACCENT,
                linewidth=0,
            )
        ax.set_ylim(len(rows) - 0.4, -0.6)
        canvas.ticks_y(ax, range(len(rows)), texts(rows, "label"))
        canvas.scale_x(ax, max(series(rows, "high")))
        ax.grid(visible=False, axis="y")
        ax.grid(visible=True, axis="x")
        ax.set_xlabel(canvas.slot(words["x"]), labelpad=6)
        return canvas.svg(ax)
