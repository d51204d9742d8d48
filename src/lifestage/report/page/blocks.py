"""The building blocks of a page, as the template takes them: cards, charts, tables, notes, lists, facts."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from lifestage.report.page.canvas import ACCENT, MUTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lifestage.report.sections import Run
    from lifestage.report.words.translator import Translator

__all__ = [
    "cards",
    "chart",
    "charts",
    "download",
    "facts",
    "legend",
    "notes",
    "section",
    "table",
    "text",
]


Block = dict[str, Any]


def section(key: str, nav: str, title: str, lead: Sequence[str], blocks: Sequence[Block]) -> Block:
    """A topic of the report; its first sentence stands out."""
    return {
        "id": key,
        "nav": nav,
        "title": title,
        "lead": [each for each in lead if each],
        "blocks": list(blocks),
    }


def cards(*each: tuple[str, str, str, str, bool]) -> Block:
    """Headline numbers: name, figure, range, about, and whether the card stands out."""
    names = ("name", "figure", "range", "about", "main")
    return {"type": "cards", "cards": [dict(zip(names, card, strict=True)) for card in each]}


def text(sentence: str) -> Block:
    """A remark in small print."""
    return {"type": "text", "text": sentence}


def download(name: str, label: str, content: str) -> Block:
    """A file inside the page: its name, what the link says, and its text."""
    data = base64.b64encode(content.encode("utf-8-sig")).decode()
    return {
        "type": "download",
        "name": name,
        "text": label,
        "href": f"data:text/csv;charset=utf-8;base64,{data}",
    }


def legend(muted: str, accent: str) -> list[dict[str, str]]:
    """What the two colours of a chart mean."""
    return [{"colour": MUTED, "text": muted}, {"colour": ACCENT, "text": accent}]


def chart(
    heading: str, sentence: str, svg: str, key: Sequence[dict[str, str]] = ()
) -> dict[str, Any]:
    """A picture under its conclusion in words."""
    return {"heading": heading, "text": sentence, "svg": Markup(svg), "legend": list(key)}


def charts(*each: dict[str, Any]) -> Block:
    """Pictures side by side where the screen is wide enough."""
    return {"type": "charts", "charts": list(each)}


def table(
    head: Sequence[tuple[str, str]],
    rows: Sequence[Sequence[str]],
    *,
    heading: str = "",
    sentence: str = "",
    narrow: bool = False,
    tall: bool = False,
) -> Block:
    """A table; *head* pairs each column's label with its kind: ``num``, ``name``, ``id``, ``long`` or nothing.

    A *narrow* one is as wide as it must be; a *tall* one scrolls inside its own box.
    """
    return {
        "type": "table",
        "heading": heading,
        "text": sentence,
        "label": heading or head[0][0],
        "head": [{"text": label, "kind": kind} for label, kind in head],
        "rows": [list(row) for row in rows],
        "narrow": narrow,
        "tall": tall,
    }


def notes(heading: str, each: Sequence[tuple[str, str]]) -> Block:
    """Sentences that a reader must not miss: (kind, sentence) with the kinds ``good``, ``warn`` and ``bad``."""
    return {
        "type": "notes",
        "heading": heading,
        "notes": [{"kind": kind, "text": line} for kind, line in each],
    }


def facts(heading: str, each: Sequence[tuple[str, str]]) -> Block:
    """Names and values."""
    return {
        "type": "facts",
        "heading": heading,
        "facts": [{"name": name, "value": value} for name, value in each],
    }


def horizon_text(run: Run, say: Translator) -> str:
    return say.periods(run["terms"]["horizon"], run["data"]["period"])


def share_text(part: float | None, whole: float | None, say: Translator) -> str:
    return say.percent(part / whole if part is not None and whole else None)
