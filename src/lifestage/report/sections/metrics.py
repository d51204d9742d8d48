"""LTV by formula beside the model's, and the metrics of the base in total and by channel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lifestage.report.page import blocks
from lifestage.report.words.format import DASH

if TYPE_CHECKING:
    from lifestage.report.page.blocks import Block
    from lifestage.report.words.translator import Translator

__all__ = ["metrics_section"]

Run = Mapping[str, Any]

SHARES = (
    "repurchase_rate",
    "retention",
    "churn",
    "repeat_revenue_share",
    "revenue_share",
    "order_share",
)
AMOUNTS = ("average_order_value", "arppu", "cac", "ltv", "ltv_simple", "revenue")
SHOWN = (
    *(
        "customers",
        "repurchase_rate",
        "retention",
        "churn",
        "average_order_value",
        "purchases_per_year",
    ),
    *("lifespan_years", "arppu", "ltv", "cac", "ltv_to_cac", "revenue", "repeat_revenue_share"),
)
BY_CHANNEL = (
    *(
        "customers",
        "revenue_share",
        "order_share",
        "repurchase_rate",
        "retention",
        "average_order_value",
    ),
    *("purchases_per_year", "arppu", "ltv", "cac", "ltv_to_cac", "repeat_revenue_share"),
)
MOST_CHANNELS = 30


def metrics_section(run: Run, say: Translator) -> Block:
    """The section; columns that nothing is known of are left out."""
    total = next((row for row in run["metrics"] if row["scope"] == "total"), None)
    parts = _formulas(run, say)
    lead = [_lead(run, say)]
    if total is not None:
        changes = {
            c["metric"]: c["relative_change"]
            for c in run["metric_changes"]
            if c["scope"] == "total"
        }
        window = say.days(total["churn_window_days"])
        rows = [
            [say.say(f"metric_{name}"), write(name, total[name], say)]
            + ([say.signed_percent(changes.get(name))] if changes else [])
            for name in SHOWN
            if total[name] is not None
        ]
        head = [(say.say("metric"), "name"), (say.say("metric_value"), "num")]
        head += [(say.say("change"), "num")] if changes else []
        sentence = say.say("metrics_lead", window=window)
        parts.append(
            blocks.table(
                head, rows, heading=say.say("base_metrics"), sentence=sentence, narrow=True
            )
        )
        parts += _channels([row for row in run["metrics"] if row["scope"] != "total"], say)
    return blocks.section("metrics", say.say("nav_metrics"), say.say("metrics"), lead, parts)


def write(name: str, value: Any, say: Translator) -> str:
    """A metric as people read it."""
    if name in SHARES:
        return say.percent(value)
    if name in AMOUNTS:
        return say.money(value)
    return say.integer(value) if name == "customers" else say.number(value, 2)


def _lead(run: Run, say: Translator) -> str:
    found = run["formula_ltv"]
    if found is None:
        return say.say("formula_none")
    horizon = say.periods(run["terms"]["horizon"], run["data"]["period"])
    amounts = {"formula": say.money(found["same_horizon"]), "model": say.money(found["model"])}
    return say.say(
        "formula_lead",
        horizon=horizon,
        gap=say.signed_percent(found["gaps"]["same_horizon"]),
        **amounts,
    )


def _formulas(run: Run, say: Translator) -> list[Block]:
    found = run["formula_ltv"]
    if found is None:
        return []
    horizon = say.periods(run["terms"]["horizon"], run["data"]["period"])
    margin = say.percent(run["terms"]["margin"])
    values = {"horizon": horizon, "years": say.number(found["lifespan_years"], 2), "margin": margin}
    values["cac"] = say.money(found["cac"] or 0.0)
    rows = [[say.say("formula_model", **values), say.money(found["model"]), ""]]
    for way in ("same_horizon", "simple", "with_margin", "base"):
        if way in found and not _idle(way, run):
            gap = say.signed_percent(found["gaps"][way])
            rows.append([say.say(f"formula_{way}", **values), say.money(found[way]), gap])
    head = [
        (say.say("formula"), "name"),
        (say.say("formula_value"), "num"),
        (say.say("formula_gap"), "num"),
    ]
    return [blocks.table(head, rows, narrow=True)]


def _idle(way: str, run: Run) -> bool:
    """Whether a formula adds nothing: no acquisition cost is given, or the margin is all of the spend."""
    return (
        run["formula_ltv"]["cac"] is None
        if way == "base"
        else way == "with_margin" and run["terms"]["margin"] == 1
    )


def _channels(rows: list[Mapping[str, Any]], say: Translator) -> list[Block]:
    if not rows:
        return []
    names = [name for name in BY_CHANNEL if any(row[name] is not None for row in rows)]
    head = [(say.say("channel"), "name"), *((say.say(f"metric_{name}"), "num") for name in names)]
    cells = [
        [_group(row["group"]), *(write(name, row[name], say) for name in names)]
        for row in rows[:MOST_CHANNELS]
    ]
    more = say.say("channels_more", shown=say.integer(MOST_CHANNELS), all=say.integer(len(rows)))
    sentence = more if len(rows) > MOST_CHANNELS else ""
    return [blocks.table(head, cells, heading=say.say("by_channel"), sentence=sentence, tall=True)]


def _group(group: Any) -> str:
    return DASH if group is None else str(group)
