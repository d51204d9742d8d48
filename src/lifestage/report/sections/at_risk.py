"""The section on customers at risk: who, why, and the value that is at stake."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from lifestage.data.sources.plain_csv import plain_text
from lifestage.report.page import blocks
from lifestage.report.page.blocks import Block, horizon_text, share_text
from lifestage.report.words.translator import Translator, tight

if TYPE_CHECKING:
    from lifestage.report.sections import Rows, Run


def at_risk_section(run: Run, rows: Rows, stages: Rows, say: Translator, top: int) -> Block:
    risk, customers = run["at_risk"], run["data"]["customers"]
    rich, count = risk["value_lost"] is not None, risk["customers"]
    share = share_text(count, customers, say)
    lead = [say.say("risk_none")]
    if count:
        values = {"count": say.integer(count), "share": share}
        money = (
            {"lost": say.money(risk["value_lost"]), "ltv": say.money(risk["ltv"])} if rich else {}
        )
        lead = [say.say("risk_lead" if rich else "risk_lead_no_money", count, **values, **money)]
    ahead = run["outlook"]["at_risk"]
    if ahead is not None and rich:
        ends = {
            "low": say.money.start(ahead["revenue_low"]),
            "high": say.money(ahead["revenue_high"]),
        }
        about = {"horizon": horizon_text(run, say), "level": say.percent(run["terms"]["level"])}
        lead.append(say.say("risk_revenue", revenue=say.money(ahead["revenue"]), **ends, **about))
    kept = run["cannot_lose"]["customers"]
    lead.append(say.say("risk_cannot_lose", kept, count=say.integer(kept)))
    parts: list[Block] = []
    if rows:
        labels = {row["stage"]: row["label"] for row in stages if row["taxonomy"] == "segment"}
        head = [(say.say("customer"), "id")]
        head += [(say.say("value_lost"), "num")] if rich else []
        head += [(say.say("why"), "long")]
        head += [(say.say("ltv"), "num")] if rich else []
        head += [(say.say("p_purchase"), "num"), (say.say("taxonomy_segment_column"), "name")]
        cells = [
            [
                str(row["customer_id"]),
                *([say.money(row["value_lost"])] if rich else []),
                tight(str(row["at_risk_reason"] or "")),
                *([say.money(row["ltv"])] if rich else []),
                say.percent(row["p_purchase"]),
                str(labels.get(row["value_segment"], row["value_segment"])),
            ]
            for row in rows[:top]
        ]
        shown = min(top, len(rows))
        sentence = (
            say.say("risk_list", shown, shown=say.integer(shown))
            + say.say("gap")
            + say.say("risk_caution")
        )
        parts.append(blocks.table(head, cells, sentence=sentence, tall=True))
        label = say.say("contact_list", len(rows), count=say.integer(len(rows)))
        parts.append(blocks.download("customers-at-risk.csv", label, _csv(rows, stages)))
    return blocks.section("at-risk", say.say("nav_risk"), say.say("risk"), lead, parts)


def _csv(rows: Rows, stages: Rows) -> str:
    """The list of customers at risk with the advice of their segment, as a spreadsheet reads it."""
    out = io.StringIO()
    actions = {row["stage"]: row["actions"] for row in stages if row["taxonomy"] == "segment"}
    writer = csv.writer(out)
    writer.writerow([*map(plain_text, rows[0]), "action"])
    for row in rows:
        texts = ["" if value is None else value for value in row.values()]
        writer.writerow(map(plain_text, [*texts, actions.get(row["value_segment"], "")]))
    return out.getvalue()
