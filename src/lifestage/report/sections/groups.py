"""The section on groups: value and maximum acquisition cost per customer by group."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lifestage.report.page import blocks, charts_forecast
from lifestage.report.page.blocks import Column, axis_unit, chart_words

if TYPE_CHECKING:
    from lifestage.report.page.blocks import Block, Row, Rows, Run
    from lifestage.report.words.translator import Translator

__all__ = ["group_section"]

MAX_GROUPS = 24
"""Groups that a chart and its table show: the latest cohorts, or the largest channels."""


def group_section(run: Run, t: Translator) -> Block | None:
    """What a customer of each channel and cohort is worth and may cost; None without groups."""
    level = t.percent(run["terms"]["level"])
    parts: list[Block] = []
    for groups in run["outlook"]["groups"]:
        *rows, total = groups["rows"]
        shown = _shown(rows, groups["by"])
        probability = t.percent(1 - groups["quantile"])
        parts.append(blocks.charts(_chart(groups["by"], shown, level, t)))
        parts.append(_table(groups["by"], [*shown, total], probability, t))
    if not parts:
        return None
    nav, title, lead = t("groups.nav"), t("groups.title"), t("groups.lead")
    return blocks.section("groups", nav, title, [lead], parts)


def _shown(rows: Rows, by: str) -> Rows:
    if by == "cohort":
        return rows[-MAX_GROUPS:]
    return sorted(rows, key=lambda row: -row["customers"])[:MAX_GROUPS]


def _chart(by: str, rows: Rows, level: str, t: Translator) -> Block:
    heading, about = t(f"groups.{by}_heading"), t("groups.chart", level=level)
    points = []
    for row in rows:
        if row["worth_low"] is not None:
            ends = {"low": row["worth_low"], "high": row["worth_high"]}
            points.append({"label": row["group"], "middle": row["worth"], **ends})
    words = chart_words(t, heading, about, x=t("groups.chart_x") + axis_unit(t))
    return blocks.chart(
        heading,
        about,
        charts_forecast.ranges(f"worth-{by}", points, words),
    )


def _table(by: str, rows: Rows, probability: str, t: Translator) -> Block:
    def group(row: Row) -> str:
        return t("common.all") if row["group"] == "total" else str(row["group"])

    def amount(name: str, row: Row) -> str:
        return t.money(row[name])

    columns = [
        Column(t(f"groups.{by}"), "name", group),
        Column(
            t("common.customers"),
            "num",
            lambda row: t.integer(row["customers"]),
        ),
        Column(t("groups.past_margin"), "num", partial(amount, "past_margin")),
        Column(t("common.ltv_each"), "num", partial(amount, "ltv")),
        Column(t("groups.worth"), "num", partial(amount, "worth")),
        Column(t("groups.max_cac"), "num", partial(amount, "max_cac")),
    ]
    if "cac" in rows[0]:
        ratio = t("metric_names.ltv_to_cac")
        columns += [
            Column(t("metric_names.cac"), "num", partial(amount, "cac")),
            Column(ratio, "num", lambda row: t.number(row["ltv_to_cac"], 1)),
        ]
    return blocks.table(
        columns,
        rows,
        sentence=t("groups.table", probability=probability),
    )
