"""Charts of what a model's forecasts were worth: chances that came true, running totals, and the band of a watch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lifestage.report.page.canvas import ACCENT, INK, MUTED, Canvas, styled

__all__ = ["band", "chances", "running"]

GREY, ALARM = "#7d8a94", "#b5482f"

Words = Mapping[str, str]
Rows = Sequence[Mapping[str, Any]]


def chances(name: str, rows: Rows, words: Words) -> str:
    """Shares who bought against the chance they had: rows of ``predicted``, ``observed``, ``low``, ``high``.

    *words*: ``title``, ``x``, ``y``.
    """
    with styled(name):
        canvas = Canvas(name, words, 290)
        ax = canvas.axes(right=30)
        top = min(1.0, 1.08 * max(max(row["high"], row["predicted"]) for row in rows))
        ax.plot([0, top], [0, top], color=MUTED, linewidth=1.2, dashes=(4, 3))
        for row in rows:
            ax.plot(
                [row["predicted"]] * 2,
                [row["low"], row["high"]],
                color=ACCENT,
                alpha=0.35,
                linewidth=5,
            )
        at, share = ([row[key] for row in rows] for key in ("predicted", "observed"))
        ax.plot(at, share, color=ACCENT, marker="o", markersize=5, linewidth=0)
        step = 0.2 if top > 0.5 else 0.1 if top > 0.2 else 0.02
        ticks = [step * i for i in range(int(top / step + 1e-9) + 1)]
        for limit, place in ((ax.set_xlim, ax.set_xticks), (ax.set_ylim, ax.set_yticks)):
            limit(0, top)
            place(ticks, canvas.slots(canvas.numbers.axis(ticks, share=True)))
        canvas.label(ax, words["x"], words["y"])
        return canvas.svg(ax)


def running(name: str, rows: Rows, words: Words) -> str:
    """What came and what was expected, added up: rows of ``label``, ``actual``, ``expected``.

    *words*: ``title``, ``x``, ``y``.
    """
    with styled(name):
        canvas = Canvas(name, words, 290)
        ax = canvas.axes(left=66, right=30)
        at = list(range(len(rows) + 1))
        for key, colour, width in (("actual", GREY, 1.8), ("expected", ACCENT, 2.2)):
            ax.plot(at, [0.0, *(float(row[key]) for row in rows)], color=colour, linewidth=width)
        canvas.scale_y(ax, max(float(row[key]) for row in rows for key in ("actual", "expected")))
        ax.set_xlim(0, at[-1])
        _ticks(canvas, ax, [str(row["label"]) for row in rows], 1)
        canvas.label(ax, words["x"], words["y"])
        return canvas.svg(ax)


def band(name: str, rows: Rows, words: Words, signal: int | None = None) -> str:
    """What came week by week inside the band that was foretold: ``label``, ``actual``, ``expected``, ``low``, ``high``.

    *words*: ``title``, ``x``, ``y`` and, for the row number *signal*, ``signal``.
    """
    with styled(name):
        canvas = Canvas(name, words, 290)
        ax = canvas.axes(left=66, right=30)
        at = list(range(len(rows)))
        found = {
            key: [float(row[key]) for row in rows] for key in ("actual", "expected", "low", "high")
        }
        ax.fill_between(at, found["low"], found["high"], color=ACCENT, alpha=0.16, linewidth=0)
        ax.plot(at, found["expected"], color=ACCENT, linewidth=2.2)
        ax.plot(at, found["actual"], color=GREY, linewidth=1.6, marker="o", markersize=3)
        if signal is not None:
            ax.axvline(signal, color=ALARM, linewidth=1.2)
            left = signal > len(rows) / 2
            place: dict[str, Any] = {
                "textcoords": "offset points",
                "ha": "right" if left else "left",
            }
            ax.annotate(
                canvas.slot(words["signal"]),
                (signal, 0),
                (-6 if left else 6, 8),
                color=ALARM,
                **place,
            )
        canvas.scale_y(ax, max(*found["actual"], *found["high"]))
        ax.set_xlim(-0.5, len(rows) - 0.5)
        _ticks(canvas, ax, [str(row["label"]) for row in rows], 0)
        canvas.label(ax, words["x"], words["y"])
        ax.tick_params(axis="x", colors=INK)
        return canvas.svg(ax)


def _ticks(canvas: Canvas, ax: Any, labels: Sequence[str], shift: int) -> None:
    """As many labels along the axis as have room, the last one among them."""
    step = max(1, len(labels) // 4) if len(labels[-1]) < 8 else -(-len(labels) // 3)
    at = sorted(range(len(labels) - 1, -1, -step))
    ax.set_xticks([i + shift for i in at], canvas.slots([labels[i] for i in at]))
