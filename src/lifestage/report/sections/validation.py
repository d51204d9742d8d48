"""The section on validation: the backtest with its grade, and what was observed since the fit."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.report.page import blocks, charts_validation
from lifestage.report.page.blocks import Column, chart_words, is_known, where
from lifestage.report.page.canvas import series
from lifestage.report.sections.drift import drift_blocks
from lifestage.report.words.format import DASH, day

if TYPE_CHECKING:
    from collections.abc import Callable

    from lifestage.report.page.blocks import Block, Row, Run
    from lifestage.report.words.translator import Translator

__all__ = ["validation_section"]

KINDS = {"better": "good", "no better": "warn", "worse": "bad"}
"""How a grade of the backtest is marked."""

COVERAGE_TOLERANCE = 0.05
"""Shortfall of the coverage below the interval level from which on it is marked as a warning."""


def validation_section(run: Run, t: Translator) -> Block | None:
    """The section; None where no validation was wanted."""
    validation = run["trust"]
    if validation is None:
        return None
    names = ("validation", t("validation.nav"), t("validation.title"))
    test = validation["backtest"]
    if test is None:
        reason = validation["reason"] or DASH
        return blocks.section(*names, [t("validation.none", reason=reason)], [])
    model = list(test["grades"])[-1]
    results = _grades(test, t) + _coverage(test, model, t)
    parts = [
        blocks.notes(t("validation.grade"), results),
        blocks.charts(_reliability(test, model, t), _tracking(test, model, run, t)),
        _table(test, t),
    ]
    if validation["drift"] is not None:
        parts += drift_blocks(validation["drift"], day(run["data"]["until"]), t)
    return blocks.section(
        *names,
        [_lead(test, model, t), t("validation.scope")],
        parts,
    )


def _name(forecast: str, t: Translator) -> str:
    """A family as it is written, a simple rule in words."""
    family, _, recalibrated = forecast.partition(", ")
    simple_rule = "/" not in family
    name = t.name("forecast_names", family.replace(" ", "_")) if simple_rule else family.upper()
    return t("forecast_names.recalibrated", family=name) if recalibrated else name


def _lead(test: Row, model: str, t: Translator) -> str:
    origins = t("common.separator").join(map(day, test["origins"]))
    horizon = t.periods(round(test["horizon"]), test["period"])
    values = {"family": _name(model, t), "origins": origins, "horizon": horizon}
    return t("validation.lead", len(test["origins"]), **values)


def _grades(test: Row, t: Translator) -> list[tuple[str, str]]:
    """Each model's grade in a sentence; a bad one with what it is worse in."""
    lines = []
    for name, grade in test["grades"].items():
        worse = {}
        for row in test["differences"]:
            if row["model"] == name and row["low"] > 0:
                worse[row["loss"]] = t(f"validation.worse_in_{row['loss']}")
        where = t("common.separator").join(worse.values())
        key = f"validation.{grade.replace(' ', '_')}"
        lines.append((KINDS[grade], t(key, family=_name(name, t), where=where)))
    return lines


def _coverage(test: Row, model: str, t: Translator) -> list[tuple[str, str]]:
    """How many customers the intervals covered."""
    row = where(test["forecasts"], forecast=model)[0]
    level, purchases, spend = test["level"], row["coverage"], row["spend_coverage"]
    if purchases is None:
        return []
    least = purchases if spend is None else min(purchases, spend)
    kind = "good" if least >= level - COVERAGE_TOLERANCE else "warn"
    key = "validation.coverage" if spend is None else "validation.coverage_spend"
    values = {"share": t.percent(purchases), "spend": t.percent(spend)}
    return [(kind, t(key, level=t.percent(level), **values))]


def _of_last_origin(test: Row, table: str, model: str) -> list[Row]:
    """The rows of a model at the latest date of the backtest."""
    return where(test[table], forecast=model, origin=test["origins"][-1])


def _reliability(test: Row, model: str, t: Translator) -> Block:
    """Predicted and observed purchase probability by tenths of customers."""
    rows = _of_last_origin(test, "reliability", model)
    customers = series(rows, "customers")
    predicted, observed = np.array(series(rows, "predicted")), np.array(series(rows, "observed"))
    error = np.average(np.abs(predicted - observed), weights=customers)
    heading = t("validation.reliability_heading")
    about = t(
        "validation.reliability_lead",
        predicted=t.percent(np.average(predicted, weights=customers)),
        observed=t.percent(np.average(observed, weights=customers)),
        error=t.number(100 * error, 1),
    )
    x, y = t("validation.reliability_x"), t("validation.reliability_y")
    words = chart_words(t, heading, about, x=x, y=y)
    svg = charts_validation.reliability("validation-reliability", rows, words)
    return blocks.chart(heading, about, svg)


def _tracking(test: Row, model: str, run: Run, t: Translator) -> Block:
    """Cumulative purchases after the latest date, predicted and observed."""
    rows = _of_last_origin(test, "tracking", model)
    end = rows[-1]
    heading = t("validation.tracking_heading", origin=day(test["origins"][-1]))
    about = t(
        "validation.tracking_lead",
        expected=t.integer(end["expected"]),
        actual=t.integer(end["actual"]),
        gap=t.gap(end["expected"], end["actual"]),
    )
    x = t("validation.tracking_x", period=t.name("units", run["data"]["period"]))
    words = chart_words(t, heading, about, x=x, y=t("forecast.purchases_y"))
    points = [{**row, "label": t.number(row["periods"], 0)} for row in rows]
    key = blocks.legend(t("common.observed"), t("common.expected"))
    svg = charts_validation.cumulative("validation-tracking", points, words)
    return blocks.chart(heading, about, svg, key)


def _table(test: Row, t: Translator) -> Block:
    """The errors of the models beside those of the simple rules."""

    def score(name: str, write: Callable[[Any], str], row: Row) -> str:
        return DASH if row[name] is None else write(row[name])

    columns = [
        Column(
            t("validation.forecast"),
            "name",
            lambda row: _name(row["forecast"], t),
        )
    ]
    writers: dict[str, Callable[[Any], str]] = {
        "mae": lambda value: t.number(value, 3),
        "revenue_mae": t.money,
        "log_loss": lambda value: t.number(value, 3),
        "auc": t.percent,
        "top_share": t.percent,
    }
    for name, write in writers.items():
        if is_known(test["forecasts"], name):
            columns.append(
                Column(
                    t(f"validation.{name}"),
                    "num",
                    partial(score, name, write),
                )
            )
    heading, sentence = t("validation.table_heading"), t("validation.table_lead")
    return blocks.table(
        columns,
        test["forecasts"],
        heading=heading,
        sentence=sentence,
    )
