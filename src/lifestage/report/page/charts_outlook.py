"""Charts of what is ahead: stages over time, fans, curves of return, and ranges by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lifestage.report.page.canvas import ACCENT, INK, MUTED, Canvas, styled

__all__ = ["COLOURS", "fan", "ranges", "returns", "stage_flow"]

COLOURS = ("#5d9b84", "#1f5f8b", "#7fb3d5", "#d8c58a", "#b9c1c7", "#c98a5e", "#8e7aa8", "#6b7680")
"""Of stages, in the order of a taxonomy."""

DARK = ("#5d9b84", "#1f5f8b", "#8e7aa8", "#6b7680")

Words = Mapping[str, str]
Rows = Sequence[Mapping[str, Any]]


def stage_flow(
    name: str, columns: Sequence[tuple[str, Sequence[float]]], colours: Sequence[str], words: Words
) -> str:
    """Shares of the stages as stacked bars, one a point in time: (label, shares in order from the top).

    *words*: ``title``, ``x``, ``y``.
    """
    with styled(name):
        canvas = Canvas(name, words, 290)
        ax = canvas.axes(right=16)
        for i, (_, shares) in enumerate(columns):
            top = 1.0
            for share, colour in zip(shares, colours, strict=True):
                ax.bar([i], [share], bottom=[top - share], width=0.72, color=colour, linewidth=0)
                if share >= 0.055:
                    place: dict[str, Any] = {"ha": "center", "va": "center_baseline", "size": 12}
                    dark = colour in DARK
                    ax.annotate(
                        canvas.slot(canvas.numbers.percent(share, 0)),
                        (i, top - share / 2),
                        color="#ffffff" if dark else INK,
                        **place,
                    )
                top -= share
        ax.set_xlim(-0.5, len(columns) - 0.5)
        ax.set_xticks(list(range(len(columns))), canvas.slots([label for label, _ in columns]))
        ticks = [0.0, 0.25, 0.5, 0.75, 1.0]
        ax.set_ylim(0, 1.02)
        ax.set_yticks(ticks, canvas.slots(canvas.numbers.axis(ticks, share=True)))
        ax.grid(visible=False)
        canvas.label(ax, words["x"], words["y"])
        return canvas.svg(ax)


def fan(name: str, rows: Rows, words: Words) -> str:
    """An expectation growing over time inside its interval: rows of ``label``, ``middle``, ``low``, ``high``.

    *words*: ``title``, ``x``, ``y``.
    """
    with styled(name):
        canvas = Canvas(name, words, 270)
        ax = canvas.axes(left=70, right=36)
        at = list(range(len(rows) + 1))
        low, middle, high = (
            [0.0, *(float(row[key]) for row in rows)] for key in ("low", "middle", "high")
        )
        ax.fill_between(at, low, high, color=ACCENT, alpha=0.16, linewidth=0)
        ax.plot(at, middle, color=ACCENT, linewidth=2.2)
        canvas.scale_y(ax, max(high))
        ax.set_xlim(0, at[-1])
        step = max(1, len(rows) // 4)
        ticks = list(range(step, len(rows) + 1, step))
        ax.set_xticks(ticks, canvas.slots([str(rows[i - 1]["label"]) for i in ticks]))
        canvas.label(ax, words["x"], words["y"])
        return canvas.svg(ax)


def returns(name: str, rows: Rows, words: Words) -> str:
    """The share that has bought again by each day: observed with its interval, and expected.

    Rows of ``day``, ``bought_again``, ``low``, ``high``, ``expected``. *words*: ``title``, ``x``,
    ``y``.
    """
    with styled(name):
        canvas = Canvas(name, words, 270)
        ax = canvas.axes(right=22)
        day = [0.0, *(float(row["day"]) for row in rows)]
        found = {
            k: [0.0, *(float(r[k] or 0.0) for r in rows)]
            for k in ("bought_again", "low", "high", "expected")
        }
        ax.fill_between(day, found["low"], found["high"], color=MUTED, alpha=0.35, linewidth=0)
        ax.plot(day, found["bought_again"], color="#7d8a94", linewidth=1.8)
        ax.plot(day, found["expected"], color=ACCENT, linewidth=2.2)
        top = max(*found["high"], *found["expected"])
        canvas.scale_y(ax, top, share=True)
        ax.set_xlim(0, day[-1])
        ticks = [t for t in (0, 7, 15, 30, 60, 90, 120, 180, 270, 365) if t <= day[-1]]
        ticks = [t for t in ticks if t == 0 or t >= day[-1] / 8]
        ax.set_xticks(ticks, canvas.slots([canvas.numbers.integer(t) for t in ticks]))
        canvas.label(ax, words["x"], words["y"])
        return canvas.svg(ax)


def ranges(name: str, rows: Rows, words: Words) -> str:
    """An estimate and its interval a group, one below the other: rows of ``label``, ``middle``, ``low``, ``high``.

    *words*: ``title``, ``x``.
    """
    with styled(name):
        canvas = Canvas(name, words, 66 + 26 * len(rows))
        ax = canvas.axes(left=122, right=24, top=6, bottom=46)
        at = range(len(rows))
        for i, row in zip(at, rows, strict=True):
            ax.plot(
                [row["low"], row["high"]],
                [i, i],
                color=ACCENT,
                alpha=0.35,
                linewidth=7,
                solid_capstyle="butt",
            )
            ax.plot([row["middle"]], [i], marker="o", markersize=5.5, color=ACCENT, linewidth=0)
        ax.set_ylim(len(rows) - 0.4, -0.6)
        ax.set_yticks(list(at), canvas.slots([str(row["label"]) for row in rows]))
        canvas.scale_x(ax, max(float(row["high"]) for row in rows))
        ax.grid(visible=False, axis="y")
        ax.grid(visible=True, axis="x")
        ax.set_xlabel(canvas.slot(words["x"]), labelpad=6)
        return canvas.svg(ax)
