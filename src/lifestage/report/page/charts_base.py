"""Charts of the customer base: points, lines, bars, histograms and the concentration curve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lifestage.report.page.canvas import ACCENT, MUTED, SIZE, Canvas, Rows, Words, styled

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["concentration", "histogram", "pairs", "stage_bars", "track"]


def pairs(name: str, rows: Rows, words: Words) -> str:
    """Actual and expected side by side, a pair of bars a row of ``frequency``, ``actual``, ``expected``.

    *words*: ``title`` (read aloud in place of the picture), ``x``, ``y``.
    """
    with styled(name):
        canvas = Canvas(name, words, 270)
        ax = canvas.axes()
        at = range(len(rows))
        for column, shift, colour in (("actual", -0.2, MUTED), ("expected", 0.2, ACCENT)):
            ax.bar(
                [i + shift for i in at], [r[column] or 0 for r in rows], width=0.38, color=colour
            )
        ax.set_xticks(list(at), canvas.slots([str(r["frequency"]) for r in rows]))
        canvas.scale_y(
            ax, max((r[c] or 0 for r in rows for c in ("actual", "expected")), default=1)
        )
        canvas.label(ax, words["x"], words["y"])
        return canvas.svg(ax)


def track(name: str, rows: Rows, words: Words, *, suffix: str = "") -> str:
    """Actual and expected purchases over time from a tracking table; the part after the fit is shaded.

    *suffix* ``"_cumulative"`` draws the running totals. *words*: ``title``, ``x``, ``y``,
    ``holdout``.
    """
    with styled(name):
        canvas = Canvas(name, words, 270)
        ax = canvas.axes(right=16)
        at = range(len(rows))
        actual, expected = (
            [r[column + suffix] or 0 for r in rows] for column in ("actual", "expected")
        )
        top = max([*actual, *expected], default=1)
        canvas.scale_y(ax, top * (1.0 if suffix else 1.08))
        first = next((i for i, r in enumerate(rows) if r["holdout"]), None)
        if first is not None:
            ax.axvspan(first - 0.5, len(rows) - 0.5, color=ACCENT, alpha=0.07, linewidth=0)
            ax.axvline(first - 0.5, color=ACCENT, linewidth=1, dashes=(3, 3))
            ax.annotate(
                canvas.slot(words["holdout"]),
                (first - 0.5, 0),
                (6, 8),
                textcoords="offset points",
                color=ACCENT,
            )
        ax.plot(at, actual, color="#7d8a94", linewidth=1.6)
        ax.plot(at, expected, color=ACCENT, linewidth=2.2)
        ax.set_xlim(-0.5, len(rows) - 0.5)
        step = max(1, -(-len(rows) // 5))
        ticks = list(range(0, len(rows), step))
        ax.set_xticks(ticks, canvas.slots([str(rows[i]["end"])[:7] for i in ticks]))
        canvas.label(ax, words["x"], words["y"])
        return canvas.svg(ax)


def stage_bars(name: str, rows: Rows, words: Words) -> str:
    """Share of customers and, when known, of value: two bars a row of ``label``, ``customers``, ``value`` (shares).

    *words*: ``title``, ``x``.
    """
    with styled(name):
        money = any(r.get("value") is not None for r in rows)
        canvas = Canvas(name, words, 62 + (38 if money else 28) * len(rows))
        ax = canvas.axes(left=122, right=48, top=6, bottom=46)
        at = range(len(rows))
        bars = (
            (("customers", -0.2, MUTED), ("value", 0.2, ACCENT))
            if money
            else (("customers", 0.0, ACCENT),)
        )
        for column, shift, colour in bars:
            values = [r[column] or 0.0 for r in rows]
            ax.barh([i + shift for i in at], values, height=0.36 if money else 0.6, color=colour)
            for i, value in zip(at, values, strict=True):
                place: dict[str, Any] = {
                    "textcoords": "offset points",
                    "va": "center_baseline",
                    "size": SIZE - 1.5,
                }
                ax.annotate(
                    canvas.slot(canvas.numbers.percent(value, 0)),
                    (value, i + shift),
                    (4, 0),
                    **place,
                )
        top = max((r[c] or 0.0 for r in rows for c, _, _ in bars), default=1.0) or 1.0
        ax.set_xlim(0, top * 1.02)
        ax.set_ylim(len(rows) - 0.45, -0.55)
        ax.set_yticks(list(at), canvas.slots([str(r["label"]) for r in rows]))
        ticks = [t for t in (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0) if t <= top * 1.02]
        ticks = ticks if len(ticks) <= 6 else [t for t in ticks if round(t * 10) % 2 == 0]
        ax.set_xticks(ticks, canvas.slots(canvas.numbers.axis(ticks, share=True)))
        ax.grid(visible=False, axis="y")
        ax.grid(visible=True, axis="x")
        ax.set_xlabel(canvas.slot(words["x"]), labelpad=6)
        return canvas.svg(ax)


def histogram(name: str, rows: Rows, words: Words) -> str:
    """Customers by band of value, from rows of ``low``, ``high`` (None: no end), ``customers``.

    *words*: ``title``, ``x``, ``y``.
    """
    with styled(name):
        canvas = Canvas(name, words, 270)
        ax = canvas.axes(right=22)
        open_end = bool(rows) and rows[-1]["high"] is None
        colours = [ACCENT] * (len(rows) - open_end) + [MUTED] * open_end
        ax.bar(
            [i + 0.5 for i in range(len(rows))],
            [r["customers"] for r in rows],
            width=0.92,
            color=colours,
        )
        edges = [float(r["low"]) for r in rows] + ([] if open_end else [float(rows[-1]["high"])])
        step = max(1, -(-len(edges) // 6))
        ticks = list(range(0, len(edges), step))
        ax.set_xticks(ticks, canvas.slots(canvas.numbers.axis([edges[i] for i in ticks])))
        canvas.scale_y(ax, max((r["customers"] for r in rows), default=1))
        canvas.label(ax, words["x"], words["y"])
        return canvas.svg(ax)


def concentration(name: str, points: Sequence[tuple[float, float]], words: Words) -> str:
    """Share of value (up) held by the most valuable share of customers (across); the diagonal is equality.

    *words*: ``title``, ``x``, ``y``.
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
        ticks = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
        ax.set_xticks(ticks, canvas.slots(canvas.numbers.axis(ticks, share=True)))
        ax.set_yticks(ticks[1:], canvas.slots(canvas.numbers.axis(ticks[1:], share=True)))
        canvas.label(ax, words["x"], words["y"])
        return canvas.svg(ax)
