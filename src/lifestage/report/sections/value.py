"""The section on value: how LTV is distributed over the customers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifestage.report.page import blocks, charts_base

if TYPE_CHECKING:
    from lifestage.report.page.blocks import Block
    from lifestage.report.sections import Run
    from lifestage.report.words.translator import Translator


def value_section(run: Run, say: Translator) -> Block:

    found, nav, title = run["ltv_distribution"], say.say("nav_value"), say.say("value")
    if found is None:
        return blocks.section("value", nav, title, [say.say("value_none")], [])
    held, at, money = found["concentration"], found["quantiles"], say.money
    lead = say.say(
        "value_lead",
        top10=say.percent(held["0.1"]),
        top20=say.percent(held["0.2"]),
        median=money(at["0.5"]),
        mean=money(found["mean"]),
    )
    bars, parts = found["histogram"], []
    closed = bars[-1]["high"] is not None
    key = "value_histogram_lead_closed" if closed else "value_histogram_lead"
    about = say.say(
        key, p90=money(at["0.9"]), **({} if closed else {"end": money(bars[-1]["low"])})
    )
    about += say.say("gap") + say.say("bands_widen") if found["bands"] == "widening" else ""
    heading = say.say("value_histogram")
    unit = f" ({say.money.currency})" if say.money.currency else ""
    words = {
        "lang": say.lang,
        "title": f"{heading}. {about}",
        "x": say.say("value_x") + unit,
        "y": say.say("value_y"),
    }
    pictures = [blocks.chart(heading, about, charts_base.histogram("value-histogram", bars, words))]
    if held["0.1"] is not None:
        heading = say.say("concentration")
        about = say.say(
            "concentration_lead", top1=say.percent(held["0.01"]), top5=say.percent(held["0.05"])
        )
        words = {
            "lang": say.lang,
            "title": f"{heading}. {about}",
            "x": say.say("concentration_x"),
            "y": say.say("concentration_y"),
        }
        svg = charts_base.concentration("value-concentration", found["curve"], words)
        pictures.append(blocks.chart(heading, about, svg))
    parts.append(blocks.charts(*pictures))
    head = [(say.say("quantile"), "name"), *((say.percent(float(q), 0), "num") for q in at)]
    parts.append(
        blocks.table(head, [[say.say("ltv_each"), *(money(value) for value in at.values())]])
    )
    return blocks.section("value", nav, title, [lead], parts)
