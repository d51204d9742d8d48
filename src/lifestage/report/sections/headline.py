"""The headline: the totals with intervals, and what changed since the last run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lifestage.report.page import blocks
from lifestage.report.page.blocks import Column, horizon_text, share_text
from lifestage.report.sections.fit import holdout_means
from lifestage.report.words.format import day

if TYPE_CHECKING:
    from lifestage.report.page.blocks import Block, Run
    from lifestage.report.words.translator import Translator

__all__ = ["headline_section"]

MIN_REPORTED_ERROR = 0.1
"""Relative error of the forecast on the holdout from which on it is shown beside the headline."""

TOTALS = {"purchases": "expected_purchases", "revenue": "expected_revenue", "ltv": "ltv"}
"""Name of each total in the texts, and in the facts."""

COMPARED = (
    ("common.customers", "data", "customers"),
    ("headline.purchases", "totals", "expected_purchases"),
    ("headline.revenue", "totals", "expected_revenue"),
    ("headline.ltv", "totals", "ltv"),
    ("headline.at_risk", "at_risk", "customers"),
)
"""Label, part and name of the facts that are compared with those of the run before."""


def headline_section(run: Run, t: Translator) -> Block:
    """The totals as a sentence and as cards, warnings, and the changes since the last run."""
    parts = [blocks.cards(*_total_cards(run, t)), blocks.cards(*_customer_cards(run, t))]
    warnings = _warnings(run, t)
    if warnings:
        parts.append(blocks.notes("", warnings))
    if run["previous"]:
        parts.append(_changes(run, t))
    parts.append(blocks.text(t("headline.narrow_intervals")))
    title = t("headline.title")
    return blocks.section(
        "headline",
        t("headline.nav"),
        title,
        [_lead(run, t)],
        parts,
    )


def _totals(run: Run) -> list[str]:
    """The totals that the model knows: all of them, or purchases alone."""
    return list(TOTALS) if run["totals"]["ltv"] is not None else ["purchases"]


def _written(total: str, value: float | None, t: Translator) -> str:
    return t.integer(value) if total == "purchases" else t.money(value)


def _ends(total: str, run: Run, t: Translator) -> dict[str, str]:
    """The ends of a total's interval; a letter code of the currency stands at the upper end."""
    low, high = run["intervals"].get(TOTALS[total], (None, None))
    start = t.integer(low) if total == "purchases" else t.money.start(low)
    return {"low": start, "high": _written(total, high, t)}


def _lead(run: Run, t: Translator) -> str:
    terms = run["terms"]
    values = {
        "horizon": horizon_text(run, t),
        "level": t.percent(terms["level"]),
        "customers": t.customers(run["data"]["customers"]),
        "margin": t.percent(terms["margin"]),
        "rate": t.percent(terms["discount_rate"]),
    }
    totals = _totals(run)
    for total in totals:
        ends = _ends(total, run, t)
        values[total] = _written(total, run["totals"][TOTALS[total]], t)
        values |= {f"{total}_low": ends["low"], f"{total}_high": ends["high"]}
    return t("headline.lead" if "ltv" in totals else "headline.lead_no_money", **values)


def _total_cards(run: Run, t: Translator) -> list[Block]:
    level, horizon = t.percent(run["terms"]["level"]), horizon_text(run, t)
    cards = []
    for total in _totals(run):
        figure = _written(total, run["totals"][TOTALS[total]], t)
        interval = t("common.interval", level=level, **_ends(total, run, t))
        about = t(f"headline.{total}_note", horizon=horizon)
        name = t(f"headline.{total}")
        cards.append(
            blocks.card(
                name,
                figure,
                about,
                interval=interval,
                main=True,
            )
        )
    return cards


def _customer_cards(run: Run, t: Translator) -> list[Block]:
    data, risk = run["data"], run["at_risk"]
    customers_note = t(
        "headline.customers_note",
        repeaters=t.integer(data["repeaters"]),
        share=share_text(data["repeaters"], data["customers"], t),
        orders=t.integer(data["orders"]),
    )
    if risk["value_lost"] is None:
        risk_note = t("headline.at_risk_note_no_money")
    else:
        risk_note = t("headline.at_risk_note", lost=t.money(risk["value_lost"]))
    kept = t.integer(run["cannot_lose"]["customers"])
    return [
        blocks.card(
            t("common.customers"),
            t.integer(data["customers"]),
            customers_note,
        ),
        blocks.card(
            t("headline.at_risk"),
            t.integer(risk["customers"]),
            risk_note,
        ),
        blocks.card(
            t("headline.cannot_lose"),
            kept,
            t("headline.cannot_lose_note"),
        ),
    ]


def _warnings(run: Run, t: Translator) -> list[tuple[str, str]]:
    """What must stand beside the totals: failed fits, unreliable intervals, a large test error."""
    warnings = []
    for name, part in run["fit"].items():
        if not part["converged"]:
            warnings.append(("bad", t("fit.not_converged", part=t.name("parts", name))))
    if run["interval_note"]:
        warnings.append(("warn", t("headline.unreliable_interval")))
    expected, actual = holdout_means(run) or (0.0, 0.0)
    if actual and abs(expected / actual - 1) >= MIN_REPORTED_ERROR:
        gap, until = t.gap(expected, actual), day(run["data"]["until"])
        warnings.append(("warn", t("headline.holdout", gap=gap, until=until)))
    return warnings


def _changes(run: Run, t: Translator) -> Block:
    """The headline numbers beside those of the run before."""
    before = run["previous"]
    rows: list[tuple[str, str, str, str]] = []
    for label, part, name in COMPARED:
        old, new = (before.get(part) or {}).get(name), run[part][name]
        if old is None or new is None:
            continue
        money = name in ("expected_revenue", "ltv")
        write: Any = t.money if money else t.integer
        change = t.signed_percent(new / old - 1 if old else None)
        rows.append((t(label), write(old), write(new), change))
    until = (before.get("data") or {}).get("until")
    old_day = day(until or before.get("created"))
    new_day = day(run["data"]["until"] if until else run["created"])
    change = t("headline.change")
    columns = [
        Column(t("headline.metric"), "name", lambda row: row[0]),
        Column(old_day, "num", lambda row: row[1]),
        Column(new_day, "num", lambda row: row[2]),
        Column(change, "num", lambda row: row[3]),
    ]
    return blocks.table(columns, rows, heading=change, narrow=True)
