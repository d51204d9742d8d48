"""LTV by formula beside the model's, and metrics of the customer base in total and by channel."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from lifestage.report.page import blocks
from lifestage.report.page.blocks import Column, horizon_text, is_known, where
from lifestage.report.words.format import DASH

if TYPE_CHECKING:
    from lifestage.report.page.blocks import Block, Row, Rows, Run
    from lifestage.report.words.translator import Translator

__all__ = ["metrics_section"]

SHARES = (
    "repurchase_rate",
    "retention",
    "churn",
    "repeat_revenue_share",
    "revenue_share",
    "order_share",
)
AMOUNTS = ("average_order_value", "arppu", "cac", "ltv", "revenue")
OF_THE_BASE = (
    "customers",
    "repurchase_rate",
    "retention",
    "churn",
    "average_order_value",
    "purchases_per_year",
    "lifespan_years",
    "arppu",
    "ltv",
    "cac",
    "ltv_to_cac",
    "revenue",
    "repeat_revenue_share",
)
OF_A_CHANNEL = (
    "customers",
    "revenue_share",
    "order_share",
    "repurchase_rate",
    "retention",
    "average_order_value",
    "purchases_per_year",
    "arppu",
    "ltv",
    "cac",
    "ltv_to_cac",
    "repeat_revenue_share",
)
FORMULAS = ("model", "same_horizon", "simple", "with_margin", "base")
MAX_CHANNELS = 30
"""Channels that the table shows, the largest ones."""


def metrics_section(run: Run, t: Translator) -> Block:
    """The section; metrics that are not known are left out."""
    parts = [] if run["formula_ltv"] is None else [_formulas(run, t)]
    total, *channels = run["metrics"]
    parts.append(_base(total, run["metric_changes"], t))
    if channels:
        parts.append(_channels(channels, t))
    return blocks.section(
        "metrics",
        t("metrics.nav"),
        t("metrics.title"),
        [_lead(run, t)],
        parts,
    )


def _written(name: str, value: Any, t: Translator) -> str:
    """A metric as people read it."""
    if name in SHARES:
        return t.percent(value)
    if name in AMOUNTS:
        return t.money(value)
    return t.integer(value) if name == "customers" else t.number(value, 2)


def _lead(run: Run, t: Translator) -> str:
    formulas = run["formula_ltv"]
    if formulas is None:
        return t("metrics.formula_none")
    return t(
        "metrics.formula_lead",
        horizon=horizon_text(run, t),
        gap=t.signed_percent(formulas["gaps"]["same_horizon"]),
        formula=t.money(formulas["same_horizon"]),
        model=t.money(formulas["model"]),
    )


def _formulas(run: Run, t: Translator) -> Block:
    """LTV per customer by the model and by each formula that applies."""
    formulas, margin = run["formula_ltv"], run["terms"]["margin"]
    left_out = set()
    if margin == 1:  # then it equals the simple formula
        left_out.add("with_margin")
    if formulas["cac"] is None:
        left_out.add("base")
    names = [name for name in FORMULAS if name in formulas and name not in left_out]
    values = {
        "horizon": horizon_text(run, t),
        "years": t.number(formulas["lifespan_years"], 2),
        "margin": t.percent(margin),
        "cac": t.money(formulas["cac"] or 0.0),
    }

    def gap(name: str) -> str:
        return "" if name == "model" else t.signed_percent(formulas["gaps"][name])

    columns = [
        Column(
            t("metrics.formula"),
            "name",
            lambda name: t(f"metrics.formula_{name}", **values),
        ),
        Column(
            t("metrics.formula_value"),
            "num",
            lambda name: t.money(formulas[name]),
        ),
        Column(t("metrics.formula_gap"), "num", gap),
    ]
    return blocks.table(columns, names, narrow=True)


def _base(total: Row, changes: Rows, t: Translator) -> Block:
    """The metrics of all customers, with their changes since the last run where there was one."""
    columns = [
        Column(
            t("metrics.metric"),
            "name",
            lambda name: t(f"metric_names.{name}"),
        ),
        Column(
            t("metrics.value"),
            "num",
            lambda name: _written(name, total[name], t),
        ),
    ]
    relative = {}
    for row in where(changes, scope="total"):
        relative[row["metric"]] = row["relative_change"]
    if relative:
        change = t("headline.change")
        columns.append(
            Column(
                change,
                "num",
                lambda name: t.signed_percent(relative.get(name)),
            )
        )
    names = [name for name in OF_THE_BASE if total[name] is not None]
    heading = t("metrics.heading")
    sentence = t("metrics.lead", window=t.days(total["churn_window_days"]))
    return blocks.table(
        columns,
        names,
        heading=heading,
        sentence=sentence,
        narrow=True,
    )


def _channels(rows: Rows, t: Translator) -> Block:
    def metric(name: str, row: Row) -> str:
        return _written(name, row[name], t)

    def channel(row: Row) -> str:
        return DASH if row["group"] is None else str(row["group"])

    columns = [Column(t("groups.channel"), "name", channel)]
    for name in OF_A_CHANNEL:
        if is_known(rows, name):
            column = Column(
                t(f"metric_names.{name}"),
                "num",
                partial(metric, name),
            )
            columns.append(column)
    sentence = ""
    if len(rows) > MAX_CHANNELS:
        shown, total = t.integer(MAX_CHANNELS), t.integer(len(rows))
        sentence = t("metrics.channels_more", shown=shown, all=total)
    heading = t("metrics.by_channel")
    return blocks.table(
        columns,
        rows[:MAX_CHANNELS],
        heading=heading,
        sentence=sentence,
        tall=True,
    )
