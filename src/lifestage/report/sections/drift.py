"""Drift, in the section on validation: weekly purchases and revenue since the fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lifestage.report.page import blocks, charts_validation
from lifestage.report.page.blocks import axis_unit, chart_words
from lifestage.report.words.format import day

if TYPE_CHECKING:
    from lifestage.report.page.blocks import Block, Row
    from lifestage.report.words.translator import Translator

__all__ = ["drift_blocks"]

MAX_DATED_WEEKS = 26
"""Weeks up to which an axis shows whole dates; beyond, months."""


def drift_blocks(drift: Row, until: str, t: Translator) -> list[Block]:
    """What was observed since the last day of the data, beside the forecast band."""
    quantities = [name for name in ("purchases", "revenue") if name in drift["table"][0]]
    charts = [_chart(name, drift, until, t) for name in quantities]
    notes = _signals(drift, len(quantities) > 1, t)
    return [blocks.notes(t("drift.heading"), notes), blocks.charts(*charts)]


def _signals(drift: Row, has_money: bool, t: Translator) -> list[tuple[str, str]]:
    lines = []
    for signal in drift["signals"]:
        key = f"drift.{signal['quantity']}_{signal['direction']}"
        lines.append(
            (
                "warn",
                t(
                    key,
                    seen=day(signal["seen"]),
                    since=day(signal["since"]),
                ),
            )
        )
    if lines:
        return lines
    key = "drift.none_money" if has_money else "drift.none"
    return [("good", t(key, level=t.percent(drift["level"])))]


def _chart(quantity: str, drift: Row, until: str, t: Translator) -> Block:
    weeks, last = drift["table"], drift["table"][-1]
    seen = None
    for signal in drift["signals"]:
        if signal["quantity"] == quantity:
            seen = signal["seen"]
    digits = 7 if len(weeks) > MAX_DATED_WEEKS else 10
    rows, signal_row = [], None
    for number, week in enumerate(weeks):
        row = {"label": week["end"][:digits], "actual": week[quantity]}
        for name in ("expected", "low", "high"):
            row[name] = week[f"{quantity}_{name}"]
        rows.append(row)
        if week["end"] == seen:
            signal_row = number
    write: Any = t.integer if quantity == "purchases" else t.money
    total = f"cumulative_{quantity}"
    about = t(
        "drift.lead",
        until=until,
        level=t.percent(drift["level"]),
        actual=write(last[total]),
        expected=write(last[f"{total}_expected"]),
        low=write(last[f"{total}_low"]),
        high=write(last[f"{total}_high"]),
    )
    heading = t(f"drift.{quantity}_heading")
    unit = axis_unit(t) if quantity == "revenue" else ""
    labels = {"x": t("drift.x"), "y": t(f"forecast.{quantity}_y") + unit}
    words = chart_words(t, heading, about, signal=t("drift.signal"), **labels)
    key = blocks.legend(t("common.observed"), t("common.expected"))
    svg = charts_validation.band(f"drift-{quantity}", rows, words, signal_row)
    return blocks.chart(heading, about, svg, key)
