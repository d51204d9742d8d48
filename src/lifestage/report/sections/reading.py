"""How to read the report: what each number means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifestage.report.page import blocks
from lifestage.report.page.blocks import horizon_text
from lifestage.report.words.format import day

if TYPE_CHECKING:
    from lifestage.report.page.blocks import Block, Run
    from lifestage.report.words.translator import Translator

__all__ = ["reading_section"]


def reading_section(run: Run, t: Translator) -> Block:
    """What the numbers mean, under which settings they hold, and the versions of the software."""
    versions = [(name, str(version)) for name, version in run["versions"].items() if version]
    parts = [
        {"type": "list", "texts": _explanations(run, t)},
        blocks.facts(t("reading.terms"), _settings(run, t)),
        blocks.facts(t("reading.versions"), versions),
    ]
    return blocks.section(
        "reading",
        t("reading.nav"),
        t("reading.title"),
        [],
        parts,
    )


def _explanations(run: Run, t: Translator) -> list[str]:
    terms, horizon = run["terms"], horizon_text(run, t)
    window = t.days(terms["stage_window_days"])
    texts = [
        t("reading.alive"),
        t("reading.purchase", horizon=horizon, window=window),
        t("reading.interval", level=t.percent(terms["level"])),
    ]
    if run["totals"]["ltv"] is not None:
        margin, rate = t.percent(terms["margin"]), t.percent(terms["discount_rate"])
        texts.append(
            t(
                "reading.value",
                margin=margin,
                horizon=horizon,
                rate=rate,
            )
        )
        texts.append(t("reading.lost"))
    return [*texts, t("reading.purchase_days"), t("reading.model")]


def _settings(run: Run, t: Translator) -> list[tuple[str, str]]:
    terms = run["terms"]
    settings = [
        (t("reading.until"), day(run["data"]["until"])),
        (t("reading.horizon"), horizon_text(run, t)),
        (t("reading.window"), t.days(terms["stage_window_days"])),
        (t("reading.level"), t.percent(terms["level"])),
    ]
    if run["totals"]["ltv"] is not None:
        settings.append((t("reading.discount"), t.percent(terms["discount_rate"])))
        settings.append((t("reading.margin"), t.percent(terms["margin"])))
    return settings
