"""Where customers stand: each taxonomy as a picture, with money and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lifestage.lifecycle.stages.taxonomies import label
from lifestage.report.page import blocks, charts_base
from lifestage.report.page.blocks import Column, chart_words, is_known, where
from lifestage.report.words.format import day

if TYPE_CHECKING:
    from lifestage.report.page.blocks import Block, Row, Rows, Run
    from lifestage.report.words.translator import Translator

__all__ = ["stage_section"]

Intervals = Mapping[str, Sequence[float]]


def stage_section(run: Run, rows: Rows, t: Translator) -> Block:
    """The section, from the rows of ``stage_table`` in the language of the report."""
    intervals = run.get("stage_intervals") or {}
    lead = [t("stages.lead", window=t.days(run["terms"]["stage_window_days"]))]
    if intervals:
        lead.append(t("stages.intervals", level=t.percent(run["terms"]["level"])))
    parts: list[Block] = []
    for taxonomy in dict.fromkeys(row["taxonomy"] for row in rows):
        stages = where(rows, taxonomy=taxonomy)
        parts.append(blocks.charts(_chart(taxonomy, stages, t)))
        parts.append(_table(stages, intervals.get(taxonomy, {}), t))
    if run["outlook"]["realised"]:
        parts.append(_realised(run, t))
    return blocks.section(
        "stages",
        t("stages.nav"),
        t("stages.title"),
        lead,
        parts,
    )


def _chart(taxonomy: str, stages: Rows, t: Translator) -> Block:
    has_money, heading = is_known(stages, "ltv"), t.name("taxonomies", taxonomy)
    about = _summary(stages, t)
    bars = []
    for row in stages:
        value = row["ltv_share"] if has_money else None
        bars.append({"label": row["label"], "customers": row["share"], "value": value})
    words = chart_words(t, heading, about, x=t("stages.share_axis"))
    svg = charts_base.stage_bars(f"stages-{taxonomy}", bars, words)
    key = blocks.legend(t("stages.share_customers"), t("stages.share_value")) if has_money else []
    return blocks.chart(heading, about, svg, key)


def _summary(stages: Rows, t: Translator) -> str:
    """The largest stage and the most valuable one."""
    largest = max(stages, key=lambda row: row["customers"])
    values = {
        "largest": largest["label"],
        "customers": t.customers(largest["customers"]),
        "share": t.percent(largest["share"]),
    }
    if not is_known(stages, "ltv"):
        return t("stages.summary_no_money", **values)
    richest = max(stages, key=lambda row: row["ltv_share"] or 0.0)
    value_share = t.percent(richest["ltv_share"])
    return t(
        "stages.summary",
        richest=richest["label"],
        value_share=value_share,
        **values,
    )


def _table(stages: Rows, intervals: Intervals, t: Translator) -> Block:
    columns = [
        Column(t("common.stage"), "name", lambda row: row["label"]),
        Column(
            t("common.customers"),
            "num",
            lambda row: _count(row, intervals, t),
        ),
        Column(t("common.share"), "num", lambda row: t.percent(row["share"])),
    ]
    if is_known(stages, "ltv"):
        at_risk = t("stages.value_at_risk")
        columns += [
            Column(t("common.ltv"), "num", lambda row: t.money(row["ltv"])),
            Column(
                t("common.ltv_each"),
                "num",
                lambda row: t.money(_ltv_each(row)),
            ),
            Column(at_risk, "num", lambda row: t.money(row["at_risk_value"])),
        ]
    columns.append(Column(t("stages.action"), "long", lambda row: row["actions"]))
    return blocks.table(columns, stages)


def _count(row: Row, intervals: Intervals, t: Translator) -> str:
    """Customers, with their interval where there is one."""
    low, high = intervals.get(row["stage"], (None, None))
    count = t.integer(row["customers"])
    return count if low == high else f"{count} ({t.integer(low)}–{t.integer(high)})"


def _ltv_each(row: Row) -> float | None:
    if row["ltv"] is None or not row["customers"]:
        return None
    return float(row["ltv"] / row["customers"])


def _realised(run: Run, t: Translator) -> Block:
    """Who bought after the last day of observation, by stage."""
    rows = run["outlook"]["realised"]
    columns = [
        Column(
            t("common.stage"),
            "name",
            lambda row: label(row["taxonomy"], row["stage"], t.lang),
        ),
        Column(
            t("common.customers"),
            "num",
            lambda row: t.integer(row["customers"]),
        ),
        Column(
            t("stages.bought_again"),
            "num",
            lambda row: t.percent(row["repurchased"]),
        ),
        Column(
            t("common.interval_column"),
            "num",
            lambda row: f"{t.percent(row['low'])} – {t.percent(row['high'])}",
        ),
        Column(
            t("common.expected"),
            "num",
            lambda row: t.percent(row["expected"]),
        ),
    ]
    shown = [row for row in rows if row["taxonomy"] != "phase"]
    heading = t("stages.realised_heading")
    return blocks.table(
        columns,
        shown,
        heading=heading,
        sentence=_realised_lead(run, t),
    )


def _realised_lead(run: Run, t: Translator) -> str:
    """Whether the share who bought falls from one activity stage to the next, as it should."""
    rows = run["outlook"]["realised"]
    shares = [row["repurchased"] for row in where(rows, taxonomy="line")]
    falls = shares == sorted(shares, reverse=True)
    sentence = t(
        "stages.realised_lead" if falls else "stages.realised_mixed",
        window=t.days(rows[0]["window_days"]),
        until=day(run["data"]["until"]),
        level=t.percent(run["terms"]["level"]),
    )
    if not falls and run["fit"]["purchases"]["family"] == "bg/nbd":
        sentence += t("common.sentence_gap") + t("stages.realised_family")
    return sentence
