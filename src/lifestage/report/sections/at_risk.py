"""The section on customers at risk: who, why, and the value that is at stake."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from lifestage.data.sources.plain_csv import plain_text
from lifestage.report.page import blocks
from lifestage.report.page.blocks import Column, horizon_text, share_text, where
from lifestage.report.words.translator import close_percent

if TYPE_CHECKING:
    from lifestage.report.page.blocks import Block, Rows, Run
    from lifestage.report.words.translator import Translator

__all__ = ["at_risk_section"]


def at_risk_section(
    run: Run,
    rows: Rows,
    stages: Rows,
    t: Translator,
    top: int,
) -> Block:
    """The section, from the rows of ``at_risk_list`` and ``stage_table``."""
    parts: list[Block] = []
    if rows:
        parts.append(_table(run, rows[:top], stages, t))
        label = t("at_risk.download", customers=t.customers(len(rows)))
        parts.append(
            blocks.download(
                "customers-at-risk.csv",
                label,
                _csv(rows, stages),
            )
        )
    title = t("at_risk.title")
    return blocks.section(
        "at-risk",
        t("at_risk.nav"),
        title,
        _lead(run, t),
        parts,
    )


def _lead(run: Run, t: Translator) -> list[str]:
    risk, level = run["at_risk"], t.percent(run["terms"]["level"])
    count, share = risk["customers"], share_text(risk["customers"], run["data"]["customers"], t)
    if not count:
        lead = [t("at_risk.none")]
    elif risk["value_lost"] is None:
        lead = [t("at_risk.lead_no_money", count, share=share)]
    else:
        lost, ltv = t.money(risk["value_lost"]), t.money(risk["ltv"])
        lead = [t("at_risk.lead", count, share=share, lost=lost, ltv=ltv)]
    expected = run["outlook"]["at_risk"]
    if expected is not None and risk["value_lost"] is not None:
        revenue = t.money(expected["revenue"])
        low, high = t.money.start(expected["revenue_low"]), t.money(expected["revenue_high"])
        values = {"horizon": horizon_text(run, t), "level": level}
        lead.append(
            t(
                "at_risk.revenue",
                revenue=revenue,
                low=low,
                high=high,
                **values,
            )
        )
    kept = t.customers(run["cannot_lose"]["customers"])
    return [*lead, t("at_risk.cannot_lose", customers=kept)]


def _table(run: Run, rows: Rows, stages: Rows, t: Translator) -> Block:
    labels = _of_segments(stages, "label")
    has_money = run["at_risk"]["value_lost"] is not None
    columns = [
        Column(
            t("common.customer"),
            "id",
            lambda row: str(row["customer_id"]),
        )
    ]
    if has_money:
        lost = t("common.value_lost")
        columns.append(
            Column(
                lost,
                "num",
                lambda row: t.money(row["value_lost"]),
            )
        )
    columns.append(
        Column(
            t("at_risk.reason"),
            "long",
            lambda row: close_percent(row["at_risk_reason"] or ""),
        )
    )
    if has_money:
        columns.append(
            Column(
                t("common.ltv"),
                "num",
                lambda row: t.money(row["ltv"]),
            )
        )
    probability = t("at_risk.p_purchase")
    columns += [
        Column(probability, "num", lambda row: t.percent(row["p_purchase"])),
        Column(
            t("common.segment"),
            "name",
            lambda row: labels.get(row["value_segment"], row["value_segment"]),
        ),
    ]
    listed = t("at_risk.list", customers=t.customers(len(rows)))
    sentence = listed + t("common.sentence_gap") + t("at_risk.caution")
    return blocks.table(columns, rows, sentence=sentence, tall=True)


def _of_segments(stages: Rows, text: str) -> dict[str, str]:
    """A text of each value segment, such as its label."""
    return {row["stage"]: str(row[text]) for row in where(stages, taxonomy="segment")}


def _csv(rows: Rows, stages: Rows) -> str:
    """The customers at risk with the actions for their segment, as a spreadsheet reads it."""
    out = io.StringIO()
    actions = _of_segments(stages, "actions")
    writer = csv.writer(out)
    writer.writerow([*map(plain_text, rows[0]), "action"])
    for row in rows:
        values = ["" if value is None else value for value in row.values()]
        writer.writerow(map(plain_text, [*values, actions.get(row["value_segment"], "")]))
    return out.getvalue()
