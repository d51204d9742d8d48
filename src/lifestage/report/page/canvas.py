"""Charts of the report as SVG text: plain rows and words in, markup out.

matplotlib places shapes and numbered slots; the words go into the slots afterwards, escaped. So no
font is needed to draw, the browser's own fonts serve every script, and no text of the data is ever
read as mathematics or markup.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lifestage.report.words.format import Numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ACCENT", "GREY", "INK", "MUTED", "Canvas", "series", "styled", "texts"]

ACCENT, MUTED, INK, GRID = "#1f5f8b", "#a9b4bd", "#33404a", "#e3e8ec"
GREY = "#7d8a94"
"""Lines of what was observed, beside the accent of what is expected."""
WIDTH = 460.0
"""Of the view box; heights and margins are in the same units."""
FONT_SIZE = 13.5

Words = Mapping[str, str]
Rows = Sequence[Mapping[str, Any]]

STYLE: dict[Any, Any] = {
    "savefig.bbox": None,
    "svg.fonttype": "none",
    "text.usetex": False,
    "path.sketch": None,
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": FONT_SIZE,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": FONT_SIZE,
    "ytick.labelsize": FONT_SIZE,
    "xtick.major.size": 3.0,
    "xtick.major.pad": 6.0,
    "ytick.major.size": 0.0,
}


@dataclass(frozen=True)
class Canvas:
    """A figure that is being drawn, and the words that go into its slots."""

    name: str
    labels: Words
    height: float
    words: list[str] = field(default_factory=list)

    @property
    def numbers(self) -> Numbers:
        """Writes numbers in the language of the words, their ``lang``."""
        return Numbers(self.labels["lang"])

    def slot(self, text: str) -> str:
        """A placeholder for *text*."""
        self.words.append(text)
        return f"[[{len(self.words) - 1}]]"

    def slots(self, texts: Sequence[str]) -> list[str]:
        """A placeholder for each text."""
        return list(map(self.slot, texts))

    def axes(
        self, left: float = 58, right: float = 12, top: float = 30, bottom: float = 46
    ) -> Axes:
        """Axes inside margins given in units of the view box."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(WIDTH / 72, self.height / 72))
        across, up = (WIDTH - left - right) / WIDTH, (self.height - top - bottom) / self.height
        return figure.add_axes((left / WIDTH, bottom / self.height, across, up))

    def label(self, ax: Axes, x: str, y: str) -> None:
        """Name the axes: x below, y above the left end."""
        ax.set_xlabel(self.slot(x), labelpad=6)
        ax.annotate(
            self.slot(y), (0, 1), (-50, 12), xycoords="axes fraction", textcoords="offset points"
        )

    def ticks_x(
        self,
        ax: Axes,
        at: Sequence[float],
        labels: Sequence[str],
    ) -> None:
        """Labels below the axis."""
        ax.set_xticks(list(at), self.slots(labels))

    def ticks_y(
        self,
        ax: Axes,
        at: Sequence[float],
        labels: Sequence[str],
    ) -> None:
        """Labels left of the axis."""
        ax.set_yticks(list(at), self.slots(labels))

    def scale_y(self, ax: Axes, top: float, share: bool = False) -> None:
        """From zero to a little above *top*, with ticks in plain words."""
        top, ticks = _ticks(top)
        ax.set_ylim(0, top)
        self.ticks_y(ax, ticks, self.numbers.axis(ticks, share))

    def scale_x(self, ax: Axes, top: float) -> None:
        """The same across."""
        top, ticks = _ticks(top)
        ax.set_xlim(0, top)
        self.ticks_x(ax, ticks, self.numbers.axis(ticks))

    def svg(self, ax: Axes) -> str:
        """Markup of the figure: a view box for its size, ids of its own, a name, words in slots."""
        buffer = io.StringIO()
        ax.get_figure(root=True).savefig(  # type: ignore[union-attr]
            buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None}
        )
        text = buffer.getvalue()
        text = text[text.index("<svg") :]
        text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
        text = re.sub(r'\bid="([^"]+)"', rf'id="{self.name}-\1"', text)
        text = re.sub(r"url\(#([^)]+)\)", rf"url(#{self.name}-\1)", text)
        text = re.sub(
            r'xlink:href="#([^"]+)"',
            rf'xlink:href="#{self.name}-\1"',
            text,
        )
        text = text.replace("*{stroke-", f"#{self.name} *{{stroke-")
        title = html.escape(self.labels["title"])
        head = (
            f'<svg id="{self.name}" class="chart" xmlns="http://www.w3.org/2000/svg"'
            f' xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 {WIDTH:g} {self.height:g}"'
            f' role="img" aria-labelledby="{self.name}-title"><title'
            f' id="{self.name}-title">{title}</title>'
        )
        body = text[text.index(">") + 1 :]
        return head + re.sub(
            r"\[\[(\d+)\]\]", lambda m: html.escape(self.words[int(m.group(1))]), body
        )


def _ticks(top: float) -> tuple[float, list[float]]:
    """The end of an axis from zero to a little above *top*, and where its ticks are."""
    from matplotlib.ticker import MaxNLocator

    top = top if top > 0 else 1.0
    ticks = MaxNLocator(5, integer=top > 5).tick_values(0, top)
    return top * 1.06, [float(t) for t in ticks if 0 <= t <= top * 1.06]


def series(rows: Rows, name: str) -> list[float]:
    """A column of the rows as numbers; what is not known counts as zero."""
    return [float(row[name] or 0.0) for row in rows]


def texts(rows: Rows, name: str) -> list[str]:
    """A column of the rows as text."""
    return [str(row[name]) for row in rows]


def styled(name: str) -> Any:
    """The style of the report's charts; the markup of one *name* is the same every time."""
    from matplotlib import rc_context

    return rc_context({**STYLE, "svg.hashsalt": f"lifestage-{name}"})
