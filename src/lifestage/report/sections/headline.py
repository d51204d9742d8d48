"""The headline: the totals with intervals, and what changed since the last run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lifestage.report.page import blocks
from lifestage.report.page.blocks import Block, horizon_text, share_text
from lifestage.report.sections.fit import holdout_means
from lifestage.report.words.format import day

if TYPE_CHECKING:
    from lifestage.report.sections import Run
    from lifestage.report.words.translator import Translator

__all__ = ["WORTH_SAYING"]

WORTH_SAYING = 0.1
"""A forecast that missed the holdout by this share is told beside the headline."""


def headline_section(run: Run, say: Translator) -> Block:
    data, totals, terms = run["data"], run["totals"], run["terms"]
    horizon, level, money = horizon_text(run, say), say.percent(terms["level"]), say.money
    rich = totals["ltv"] is not None

    def ends(name: str, write: Any) -> dict[str, str]:
        low, high = run["intervals"].get(name, (None, None))
        return {"low": (money.start if write is money else write)(low), "high": write(high)}

    purchases = ends("expected_purchases", say.integer)
    values = {
        "horizon": horizon,
        "level": level,
        "customers": say.integer(data["customers"]),
        "purchases": say.integer(totals["expected_purchases"]),
        "purchases_low": purchases["low"],
        "purchases_high": purchases["high"],
    }
    shown = [
        ("purchases", "expected_purchases", say.integer(totals["expected_purchases"]), purchases)
    ]
    if rich:
        for short, name in (("revenue", "expected_revenue"), ("ltv", "ltv")):
            found = ends(name, money)
            values |= {
                short: money(totals[name]),
                f"{short}_low": found["low"],
                f"{short}_high": found["high"],
            }
            shown.append((short, name, money(totals[name]), found))
        values |= {
            "margin": say.percent(terms["margin"]),
            "rate": say.percent(terms["discount_rate"]),
        }
    lead = [say.say("headline_lead" if rich else "headline_lead_no_money", **values)]
    main = [
        (
            say.say(f"card_{short}"),
            figure,
            say.say("interval", level=level, **found),
            say.say(f"card_{short}_note", horizon=horizon),
            True,
        )
        for short, _, figure, found in shown
    ]
    risk, about = run["at_risk"], "card_at_risk_note"
    others = [
        (
            say.say("card_customers"),
            say.integer(data["customers"]),
            "",
            say.say(
                "card_customers_note",
                repeaters=say.integer(data["repeaters"]),
                share=share_text(data["repeaters"], data["customers"], say),
                orders=say.integer(data["orders"]),
            ),
            False,
        ),
        (
            say.say("card_at_risk"),
            say.integer(risk["customers"]),
            "",
            (
                say.say(about, lost=money(risk["value_lost"]))
                if rich
                else say.say(f"{about}_no_money")
            ),
            False,
        ),
        (
            say.say("card_cannot_lose"),
            say.integer(run["cannot_lose"]["customers"]),
            "",
            say.say("card_cannot_lose_note"),
            False,
        ),
    ]
    warned = [
        ("bad", say.say("not_converged", part=say.name("part", name))) for name in _failed(run)
    ]
    warned += [("warn", say.say("interval_unreliable"))] if run["interval_note"] else []
    expected, actual = holdout_means(run) or (0.0, 0.0)
    if actual and abs(expected / actual - 1) >= WORTH_SAYING:
        warned.append(
            (
                "warn",
                say.say(
                    "headline_holdout", gap=say.gap(expected, actual), until=day(data["until"])
                ),
            )
        )
    parts = [blocks.cards(*main), blocks.cards(*others)]
    parts += [blocks.notes("", warned)] if warned else []
    parts += [_since(run, say)] if run["previous"] else []
    parts.append(blocks.text(say.say("band_narrow")))
    return blocks.section("forecast", say.say("nav_headline"), say.say("headline"), lead, parts)


def _failed(run: Run) -> list[str]:
    return [name for name, part in run["fit"].items() if not part["converged"]]


def _since(run: Run, say: Translator) -> Block:
    """The headline numbers beside those of the run before."""
    before, rows = run["previous"], []
    pairs = (
        ("card_customers", "data", "customers", say.integer),
        ("card_purchases", "totals", "expected_purchases", say.integer),
        ("card_revenue", "totals", "expected_revenue", say.money),
        ("card_ltv", "totals", "ltv", say.money),
        ("card_at_risk", "at_risk", "customers", say.integer),
    )
    for label, part, name, write in pairs:
        old, new = (before.get(part) or {}).get(name), run[part][name]
        if old is not None and new is not None:
            rows.append(
                [
                    say.say(label),
                    write(old),
                    write(new),
                    say.signed_percent(new / old - 1 if old else None),
                ]
            )
    until = (before.get("data") or {}).get("until")
    head = [
        (say.say("metric"), "name"),
        (day(until) if until else day(before.get("created")), "num"),
    ]
    head += [
        (day(run["data"]["until"]) if until else day(run["created"]), "num"),
        (say.say("change"), "num"),
    ]
    return blocks.table(head, rows, heading=say.say("change"), narrow=True)
