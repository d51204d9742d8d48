"""The section on repurchase: when customers buy again after each purchase."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifestage.lifecycle.stages.taxonomies import label
from lifestage.report.page import blocks, charts_forecast
from lifestage.report.page.blocks import Column, chart_words, where

if TYPE_CHECKING:
    from lifestage.report.page.blocks import Block, Row, Rows, Run
    from lifestage.report.words.translator import Translator

__all__ = ["repurchase_section"]


def repurchase_section(run: Run, t: Translator) -> Block | None:
    """The repurchase rate by day, in all and by stage; None where purchases are not known."""
    repurchase = run["outlook"]["schedule"]
    if repurchase is None:
        return None
    lead = [_lead(repurchase["days"], t)]
    if repurchase["regularity"] is not None:
        lead.append(_regularity(repurchase["regularity"], t))
    stages = list(run["stages"]["line"])
    level = t.percent(run["terms"]["level"])
    parts = [
        blocks.charts(_curve(repurchase["curve"], level, t)),
        _table(repurchase["days"], stages, t),
    ]
    return blocks.section(
        "repurchase",
        t("repurchase.nav"),
        t("repurchase.title"),
        lead,
        parts,
    )


def _lead(rows: Rows, t: Translator) -> str:
    shares = []
    for row in where(rows, group="all"):
        share = t.percent(row["bought_again"])
        shares.append(
            t(
                "repurchase.share_within",
                share=share,
                days=t.days(row["day"]),
            )
        )
    return t("repurchase.lead", shares=t("common.separator").join(shares))


def _regularity(regularity: Row, t: Translator) -> str:
    values = {name: t.number(regularity[name], 2) for name in ("k", "low", "high")}
    return t("repurchase.regular" if regularity["regular"] else "repurchase.random", **values)


def _curve(rows: Rows, level: str, t: Translator) -> Block:
    heading, about = t("repurchase.curve_heading"), t("repurchase.curve_lead", level=level)
    x, y = t("repurchase.curve_x"), t("repurchase.curve_y")
    words = chart_words(t, heading, about, x=x, y=y)
    key = blocks.legend(t("common.observed"), t("common.expected"))
    svg = charts_forecast.returns("repurchase-curve", rows, words)
    return blocks.chart(heading, about, svg, key)


def _table(days: Rows, stages: list[str], t: Translator) -> Block:
    """The repurchase rate of all purchases and by stage, a column per day."""
    by_group: dict[str, dict[float, Row]] = {}
    for row in days:
        by_group.setdefault(row["group"], {})[row["day"]] = row

    def name(group: str) -> str:
        return t("common.all") if group == "all" else label("line", group, t.lang)

    def purchases(group: str) -> str:
        first = next(iter(by_group[group].values()))
        return t.integer(first["purchases"])

    def within(day: float) -> Column:
        def write(group: str) -> str:
            return t.percent(by_group[group][day]["bought_again"])

        return Column(t.days(day), "num", write)

    columns = [
        Column(t("common.stage"), "name", name),
        Column(t("repurchase.purchases"), "num", purchases),
        *map(within, by_group["all"]),
    ]
    groups = [group for group in ("all", *stages) if group in by_group]
    heading, sentence = t("repurchase.table_heading"), t("repurchase.caution")
    return blocks.table(columns, groups, heading=heading, sentence=sentence)
