"""Where customers stand: the three taxonomies as pictures, with money and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from lifestage.lifecycle.stages.taxonomies import label
from lifestage.report.page import blocks, charts_base
from lifestage.report.words.format import day

if TYPE_CHECKING:
    from lifestage.report.page.blocks import Block
    from lifestage.report.sections.outlook import Run
    from lifestage.report.words.translator import Translator

__all__ = ["realised_block", "stage_section"]


Rows = Sequence[Mapping[str, Any]]
Ranges = Mapping[str, Sequence[float]]


def stage_section(run: Mapping[str, Any], rows: Rows, say: Translator) -> Block:
    """The section, from the rows of ``stage_table`` in the language of the report."""
    parts: list[Block] = []
    ranges = run.get("stage_intervals") or {}
    for taxonomy in dict.fromkeys(row["taxonomy"] for row in rows):
        of_taxonomy = [row for row in rows if row["taxonomy"] == taxonomy]
        parts += _taxonomy(taxonomy, of_taxonomy, ranges.get(taxonomy, {}), say)
    lead = [say.say("stages_lead", window=say.days(run["terms"]["stage_window_days"]))]
    if ranges:
        lead.append(say.say("stages_ranges", level=say.percent(run["terms"]["level"])))
    return blocks.section("stages", say.say("nav_stages"), say.say("stages"), lead, parts)


def _taxonomy(taxonomy: str, rows: Rows, ranges: Ranges, say: Translator) -> list[Block]:
    rich = any(row["ltv"] is not None for row in rows)
    most = max(rows, key=lambda row: row["customers"])
    values = {
        "most": most["label"],
        "count": say.integer(most["customers"]),
        "share": say.percent(most["share"]),
    }
    if rich:
        best = max(rows, key=lambda row: row["ltv_share"] or 0.0)
        about = say.say(
            "stage_lead", rich=best["label"], value_share=say.percent(best["ltv_share"]), **values
        )
    else:
        about = say.say("stage_lead_no_money", **values)
    heading = say.name("taxonomy", taxonomy)
    bars = [
        {"label": r["label"], "customers": r["share"], "value": r["ltv_share"] if rich else None}
        for r in rows
    ]
    words = {"lang": say.lang, "title": f"{heading}. {about}", "x": say.say("share_axis")}
    svg = charts_base.stage_bars(f"stages-{taxonomy}", bars, words)
    key = blocks.legend(say.say("share_customers"), say.say("share_value")) if rich else []
    head = [(say.say("stage"), "name"), (say.say("customers"), "num"), (say.say("share"), "num")]
    head += (
        [(say.say(name), "num") for name in ("ltv", "ltv_each", "value_at_risk")] if rich else []
    )
    head.append((say.say("action"), "long"))
    cells = [
        [
            row["label"],
            _count(row, ranges, say),
            say.percent(row["share"]),
            *(_money(row, say) if rich else []),
            row["actions"],
        ]
        for row in rows
    ]
    return [blocks.charts(blocks.chart(heading, about, svg, key)), blocks.table(head, cells)]


def _count(row: Mapping[str, Any], ranges: Ranges, say: Translator) -> str:
    """Customers, with their interval where there is one."""
    low, high = ranges.get(row["stage"], (None, None))
    count = say.integer(row["customers"])
    return count if low == high else f"{count} ({say.integer(low)}–{say.integer(high)})"


def _money(row: Mapping[str, Any], say: Translator) -> list[str]:
    each = row["ltv"] / row["customers"] if row["customers"] and row["ltv"] is not None else None
    return [say.money(row["ltv"]), say.money(each), say.money(row["at_risk_value"])]


def realised_block(run: Run, say: Translator) -> list[Block]:
    """What the stages went on to do, where the log goes on."""
    rows = run["outlook"]["realised"]
    if not rows:
        return []
    head = [
        (say.say("stage"), "name"),
        (say.say("customers"), "num"),
        (say.say("bought_again"), "num"),
    ]
    head += [(say.say("range"), "num"), (say.say("expected"), "num")]
    cells = [
        [
            label(row["taxonomy"], row["stage"], say.lang),
            say.integer(row["customers"]),
            say.percent(row["repurchased"]),
            f"{say.percent(row['low'])} – {say.percent(row['high'])}",
            say.percent(row["expected"]),
        ]
        for row in rows
        if row["taxonomy"] != "phase"
    ]
    line = [row for row in rows if row["taxonomy"] == "line"]
    falls = all(one["repurchased"] >= other["repurchased"] for one, other in pairwise(line))
    sentence = say.say(
        "realised_lead" if falls else "realised_mixed",
        window=say.days(rows[0]["window_days"]),
        until=day(run["data"]["until"]),
        level=say.percent(run["terms"]["level"]),
    )
    if not falls and run["fit"]["purchases"]["family"] == "bg/nbd":
        sentence += say.say("gap") + say.say("realised_family")
    return [blocks.table(head, cells, heading=say.say("realised_heading"), sentence=sentence)]
