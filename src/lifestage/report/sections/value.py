"""The section on value: how LTV is distributed over the customers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifestage.report.page import blocks, charts_base
from lifestage.report.page.blocks import Column, axis_unit, chart_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lifestage.report.page.blocks import Block, Row, Run
    from lifestage.report.words.translator import Translator

__all__ = ["value_section"]


def value_section(run: Run, t: Translator) -> Block:
    """Quantiles, histogram and concentration of LTV; one sentence for a model without spend."""
    distribution, nav, title = run["ltv_distribution"], t("value.nav"), t("value.title")
    if distribution is None:
        return blocks.section("value", nav, title, [t("value.none")], [])
    shares, quantiles = distribution["concentration"], distribution["quantiles"]
    lead = t(
        "value.lead",
        top10=t.percent(shares["0.1"]),
        top20=t.percent(shares["0.2"]),
        median=t.money(quantiles["0.5"]),
        mean=t.money(distribution["mean"]),
    )
    pictures = [_histogram(distribution, t)]
    if shares["0.1"] is not None:
        pictures.append(_concentration(distribution, t))
    parts = [blocks.charts(*pictures), _quantiles(quantiles, t)]
    return blocks.section("value", nav, title, [lead], parts)


def _histogram(distribution: Row, t: Translator) -> Block:
    bars, p90 = distribution["histogram"], t.money(distribution["quantiles"]["0.9"])
    if bars[-1]["high"] is None:
        about = t("value.histogram_lead", p90=p90, end=t.money(bars[-1]["low"]))
    else:
        about = t("value.histogram_lead_closed", p90=p90)
    if distribution["bands"] == "widening":
        about += t("common.sentence_gap") + t("value.widening")
    heading = t("value.histogram")
    x, y = t("value.histogram_x") + axis_unit(t), t("value.histogram_y")
    words = chart_words(t, heading, about, x=x, y=y)
    return blocks.chart(
        heading,
        about,
        charts_base.histogram("value-histogram", bars, words),
    )


def _concentration(distribution: Row, t: Translator) -> Block:
    shares, heading = distribution["concentration"], t("value.concentration")
    top1, top5 = t.percent(shares["0.01"]), t.percent(shares["0.05"])
    about = t("value.concentration_lead", top1=top1, top5=top5)
    x, y = t("value.concentration_x"), t("value.concentration_y")
    words = chart_words(t, heading, about, x=x, y=y)
    svg = charts_base.concentration(
        "value-concentration",
        distribution["curve"],
        words,
    )
    return blocks.chart(heading, about, svg)


def _quantiles(quantiles: Mapping[str, float], t: Translator) -> Block:
    def amount(quantile: str) -> Column:
        return Column(
            t.percent(float(quantile), 0),
            "num",
            lambda row: t.money(row[quantile]),
        )

    label = t("common.ltv_each")
    columns = [Column(t("value.quantile"), "name", lambda _: label), *map(amount, quantiles)]
    return blocks.table(columns, [quantiles])
