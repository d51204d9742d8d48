"""How to read the report: what each number means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifestage.report.page import blocks
from lifestage.report.page.blocks import Block, horizon_text
from lifestage.report.words.format import day

if TYPE_CHECKING:
    from lifestage.report.sections import Run
    from lifestage.report.words.translator import Translator


def reading_section(run: Run, say: Translator) -> Block:
    terms, horizon = run["terms"], horizon_text(run, say)
    window, level = say.days(terms["stage_window_days"]), say.percent(terms["level"])
    rich = run["totals"]["ltv"] is not None
    margin, rate = say.percent(terms["margin"]), say.percent(terms["discount_rate"])
    value = say.say("reading_value", margin=margin, horizon=horizon, rate=rate)
    texts = [
        say.say("reading_alive"),
        say.say("reading_purchase", horizon=horizon, window=window),
        say.say("reading_interval", level=level),
        *([value, say.say("reading_lost")] if rich else []),
        say.say("reading_value_no_money"),
        say.say("reading_model"),
    ]
    conditions = [
        (say.say("term_until"), day(run["data"]["until"])),
        (say.say("term_horizon"), horizon),
        (say.say("term_window"), window),
        (say.say("term_level"), level),
        *([(say.say("term_discount"), rate), (say.say("term_margin"), margin)] if rich else []),
    ]
    versions = [(name, str(version)) for name, version in run["versions"].items() if version]
    parts = [{"type": "list", "texts": texts}, blocks.facts(say.say("terms"), conditions)]
    parts.append(blocks.facts(say.say("versions"), versions))
    return blocks.section("reading", say.say("nav_reading"), say.say("reading"), [], parts)
