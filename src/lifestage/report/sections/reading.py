"""How to read the report: what each number means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifestage.core.output_columns import OUTPUT_COLUMNS, OutputColumn
from lifestage.report.page import blocks
from lifestage.report.page.blocks import Column, horizon_text
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
        _columns(run, t),
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


def _columns(run: Run, t: Translator) -> Block:
    """The columns of the customer table; those of money only where the model has a spend part."""
    rows = [column for column in OUTPUT_COLUMNS if not column.optional]
    if run["totals"]["ltv"] is None:
        rows = [column for column in rows if column.unit != "money"]

    def unit(column: OutputColumn) -> str:
        return t.name("column_units", column.unit.replace(" ", "_"))

    def meaning(column: OutputColumn) -> str:
        english = column.meaning.replace("`", "")
        return t.name("columns", column.name, english)

    columns = [
        Column(t("reading.column"), "name", lambda column: column.name),
        Column(t("reading.unit"), "", unit),
        Column(t("reading.meaning"), "long", meaning),
    ]
    return blocks.table(columns, rows, heading=t("reading.columns"), tall=True)


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
