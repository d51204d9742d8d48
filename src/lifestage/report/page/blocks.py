"""The building blocks of a page as the template takes them: cards, charts, tables and notes."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from markupsafe import Markup

from lifestage.report.page.canvas import ACCENT, MUTED

if TYPE_CHECKING:
    from lifestage.report.words.translator import Translator

__all__ = [
    "Block",
    "Column",
    "Row",
    "Rows",
    "Run",
    "axis_unit",
    "card",
    "cards",
    "chart",
    "chart_words",
    "charts",
    "download",
    "facts",
    "horizon_text",
    "is_known",
    "legend",
    "notes",
    "section",
    "share_text",
    "table",
    "text",
    "where",
]

Block = dict[str, Any]
Run = Mapping[str, Any]
"""The facts of a run, as :func:`lifestage.report.summarize_run` returns them."""
Row = Mapping[str, Any]
Rows = Sequence[Row]


class Column(NamedTuple):
    """A column of a table.

    *kind* is ``num``, ``name``, ``id``, ``long`` or empty; *write* turns a row into its text.
    """

    label: str
    kind: str
    write: Callable[[Any], str]


def section(
    key: str,
    nav: str,
    title: str,
    lead: Sequence[str],
    blocks: Sequence[Block],
) -> Block:
    """A topic of the report; its first sentence stands out."""
    return {"id": key, "nav": nav, "title": title, "lead": list(lead), "blocks": list(blocks)}


def card(
    name: str,
    figure: str,
    about: str,
    *,
    interval: str = "",
    main: bool = False,
) -> Block:
    """A headline number with what it means; a *main* one stands out."""
    return {"name": name, "figure": figure, "about": about, "range": interval, "main": main}


def cards(*cards: Block) -> Block:
    """Headline numbers side by side."""
    return {"type": "cards", "cards": list(cards)}


def text(sentence: str) -> Block:
    """A remark in small print."""
    return {"type": "text", "text": sentence}


def download(name: str, label: str, content: str) -> Block:
    """A CSV file inside the page: its name, the text of the link, and its content."""
    data = base64.b64encode(content.encode("utf-8-sig")).decode()
    address = f"data:text/csv;charset=utf-8;base64,{data}"
    return {"type": "download", "name": name, "text": label, "href": address}


def legend(muted: str, accent: str) -> list[dict[str, str]]:
    """What the two colours of a chart mean."""
    return [{"colour": MUTED, "text": muted}, {"colour": ACCENT, "text": accent}]


def chart_words(t: Translator, heading: str, sentence: str, **labels: str) -> dict[str, str]:
    """The words inside a chart: its language, what is read aloud in its place, and its *labels*."""
    return {"lang": t.lang, "title": f"{heading}. {sentence}", **labels}


def chart(
    heading: str,
    sentence: str,
    svg: str,
    key: Sequence[dict[str, str]] = (),
) -> Block:
    """A picture under its conclusion in words, with the *key* to its colours."""
    return {"heading": heading, "text": sentence, "svg": Markup(svg), "legend": list(key)}


def charts(*charts: Block) -> Block:
    """Pictures side by side where the screen is wide enough."""
    return {"type": "charts", "charts": list(charts)}


def table(
    columns: Sequence[Column],
    rows: Sequence[Any],
    *,
    heading: str = "",
    sentence: str = "",
    narrow: bool = False,
    tall: bool = False,
) -> Block:
    """A table. A *narrow* one is as wide as it must be; a *tall* one scrolls inside its own box."""
    head: list[dict[str, str]] = []
    cells: list[list[str]] = [[] for _ in rows]
    for column in columns:
        head.append({"text": column.label, "kind": column.kind})
        for texts, row in zip(cells, rows, strict=True):
            texts.append(column.write(row))
    return {
        "type": "table",
        "heading": heading,
        "text": sentence,
        "label": heading or columns[0].label,
        "head": head,
        "rows": cells,
        "narrow": narrow,
        "tall": tall,
    }


def notes(heading: str, notes: Sequence[tuple[str, str]]) -> Block:
    """Sentences that a reader must not miss, each with its kind: ``good``, ``warn`` or ``bad``."""
    lines = [{"kind": kind, "text": sentence} for kind, sentence in notes]
    return {"type": "notes", "heading": heading, "notes": lines}


def facts(heading: str, facts: Sequence[tuple[str, str]]) -> Block:
    """Names and values."""
    pairs = [{"name": name, "value": value} for name, value in facts]
    return {"type": "facts", "heading": heading, "facts": pairs}


def horizon_text(run: Run, t: Translator) -> str:
    """The horizon of the forecast, such as 52 weeks."""
    return t.periods(run["terms"]["horizon"], run["data"]["period"])


def share_text(part: float | None, whole: float | None, t: Translator) -> str:
    """A part as a share of a whole."""
    return t.percent(part / whole if part is not None and whole else None)


def is_known(rows: Rows, name: str) -> bool:
    """Whether a column holds anything."""
    return any(row[name] is not None for row in rows)


def where(rows: Rows, **values: Any) -> list[Row]:
    """The rows that have these values."""
    wanted = values.items()
    return [row for row in rows if wanted <= row.items()]


def axis_unit(t: Translator) -> str:
    """The currency in brackets, for the label of an axis."""
    return f" ({t.money.currency})" if t.money.currency else ""
