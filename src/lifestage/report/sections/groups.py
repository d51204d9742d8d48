"""The section on groups: customers, revenue and LTV by channel, cohort or any column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifestage.report.page import blocks
from lifestage.report.page import charts_outlook as figures

if TYPE_CHECKING:
    from lifestage.report.page.blocks import Block
    from lifestage.report.sections.outlook import Run
    from lifestage.report.words.translator import Translator

__all__ = ["MOST_GROUPS", "group_section"]

MOST_GROUPS = 24
"""Groups that a chart shows."""


def group_section(run: Run, say: Translator) -> Block | None:
    """What each channel and cohort is worth, and what a customer of it could cost."""
    parts: list[Block] = []
    for found in run["outlook"]["groups"]:
        by, rows = found["by"], found["rows"]
        shown = (
            rows[:-1][-MOST_GROUPS:]
            if by == "cohort"
            else sorted(rows[:-1], key=lambda r: -r["customers"])[:MOST_GROUPS]
        )
        heading = say.say(f"groups_{by}")
        about = say.say("groups_about", level=say.percent(run["terms"]["level"]))
        points = [
            {
                "label": r["group"],
                "middle": r["worth"],
                "low": r["worth_low"],
                "high": r["worth_high"],
            }
            for r in shown
            if r["worth_low"] is not None
        ]
        unit = f" ({say.money.currency})" if say.money.currency else ""
        words = {"lang": say.lang, "title": f"{heading}. {about}", "x": say.say("groups_x") + unit}
        parts.append(
            blocks.charts(
                blocks.chart(heading, about, figures.ranges(f"worth-{by}", points, words))
            )
        )
        costs = "cac" in rows[0]
        head = [
            (say.say(by), "name"),
            (say.say("customers"), "num"),
            (say.say("past_margin"), "num"),
        ]
        head += [
            (say.say("ltv_each"), "num"),
            (say.say("worth"), "num"),
            (say.say("max_cac"), "num"),
        ]
        head += (
            [(say.say("metric_cac"), "num"), (say.say("metric_ltv_to_cac"), "num")] if costs else []
        )
        cells = [
            [
                say.say("all") if row["group"] == "total" else row["group"],
                say.integer(row["customers"]),
                *(say.money(row[name]) for name in ("past_margin", "ltv", "worth", "max_cac")),
                *([say.money(row["cac"]), say.number(row["ltv_to_cac"], 1)] if costs else []),
            ]
            for row in [*shown, rows[-1]]
        ]
        sure = say.percent(1 - found["quantile"])
        parts.append(blocks.table(head, cells, sentence=say.say("groups_table", sure=sure)))
    if not parts:
        return None
    return blocks.section(
        "groups", say.say("nav_groups"), say.say("groups"), [say.say("groups_lead")], parts
    )
