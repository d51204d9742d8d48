"""The section on repurchase: when customers buy again after each purchase."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifestage.lifecycle.stages.taxonomies import label
from lifestage.report.page import blocks
from lifestage.report.page import charts_outlook as figures

if TYPE_CHECKING:
    from lifestage.report.page.blocks import Block
    from lifestage.report.sections.outlook import Run
    from lifestage.report.words.translator import Translator

__all__ = ["schedule_section"]


def schedule_section(run: Run, say: Translator) -> Block | None:
    """When buyers are back."""
    found = run["outlook"]["schedule"]
    if found is None:
        return None
    everyone = [row for row in found["days"] if row["group"] == "all"]
    lead = [say.say("schedule_lead", shares=say.say("separator").join(
        say.say("schedule_share", day=say.integer(row["day"]), share=say.percent(row["bought_again"]))
        for row in everyone
    ))]  # fmt: skip
    rhythm = found["regularity"]
    if rhythm is not None:
        values = {name: say.number(rhythm[name], 2) for name in ("k", "low", "high")}
        lead.append(say.say("rhythm_regular" if rhythm["regular"] else "rhythm_random", **values))
    heading = say.say("returns_heading")
    about = say.say("returns_lead", level=say.percent(run["terms"]["level"]))
    words = {
        "lang": say.lang,
        "title": f"{heading}. {about}",
        "x": say.say("returns_x"),
        "y": say.say("returns_y"),
    }
    key = blocks.legend(say.say("observed"), say.say("expected"))
    pictures = [
        blocks.chart(heading, about, figures.returns("returns", found["curve"], words), key)
    ]
    head = [(say.say("stage"), "name"), (say.say("purchases"), "num")]
    head += [(say.say("by_day", day=say.number(row["day"], 0)), "num") for row in everyone]
    names = list(dict.fromkeys(row["group"] for row in found["days"]))
    order = ["all", *(key for key in run["stages"]["line"] if key in names)]
    cells = []
    for name in order:
        rows = [row for row in found["days"] if row["group"] == name]
        title = say.say("all") if name == "all" else label("line", name, say.lang)
        cells.append(
            [
                title,
                say.integer(rows[0]["purchases"]),
                *(say.percent(row["bought_again"]) for row in rows),
            ]
        )
    table = blocks.table(
        head, cells, heading=say.say("schedule_heading"), sentence=say.say("schedule_caution")
    )
    return blocks.section(
        "schedule",
        say.say("nav_schedule"),
        say.say("schedule"),
        lead,
        [blocks.charts(*pictures), table],
    )
