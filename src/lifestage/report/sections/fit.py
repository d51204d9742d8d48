"""How well the model fits: frequencies, the tracking curves, the holdout, parameters and status."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lifestage.report.page import blocks, charts_base
from lifestage.report.page.blocks import Column, chart_words, where
from lifestage.report.page.canvas import series
from lifestage.report.words.format import DASH, day

if TYPE_CHECKING:
    from lifestage.report.page.blocks import Block, Row, Rows, Run
    from lifestage.report.words.translator import Translator

__all__ = ["fit_section", "holdout_means"]


def fit_section(run: Run, t: Translator) -> Block:
    """The section; without a calendar it shows frequencies and parameters only."""
    pictures = [_frequencies(run, t)]
    if len(run["tracking"]) > 1:
        pictures += [_cumulative(run, t), _weekly(run["tracking"], t)]
    if run["holdout_fit"]:
        pictures.append(_holdout(run, t))
    parts = [
        blocks.notes(t("fit.status"), _status(run, t)),
        blocks.charts(*pictures),
        _parameters(run, t),
    ]
    for name, part in run["fit"].items():
        parts += _scores(t.name("parts", name), part, t)
    return blocks.section(
        "fit",
        t("fit.nav"),
        t("fit.title"),
        [_lead(run, t)],
        parts,
    )


def holdout_means(run: Run) -> tuple[float, float] | None:
    """Purchases per customer in the holdout, expected and actual; None without one."""
    rows = run["holdout_fit"]
    return (_mean(rows, "expected"), _mean(rows, "actual")) if rows else None


def _mean(rows: Rows, name: str) -> float:
    """The mean over customers of a column of means by frequency."""
    customers = series(rows, "customers")
    if not any(customers):
        return 0.0
    return float(np.average(series(rows, name), weights=customers))


def _distance(rows: Rows) -> float:
    """Total variation distance of the expected and actual distribution of repeat purchases."""
    total = sum(series(rows, "actual"))
    return sum(_errors(rows)) / 2 / total if total else 0.0


def _errors(rows: Rows) -> list[float]:
    """Absolute differences of actual and expected."""
    return [abs(row["actual"] - row["expected"]) for row in rows]


def _family(name: str) -> str:
    return "Gamma-Gamma" if name == "gamma-gamma" else name.upper()


def _key(t: Translator) -> list[dict[str, str]]:
    return blocks.legend(t("common.observed"), t("common.expected"))


def _lead(run: Run, t: Translator) -> str:
    """The strictest test at hand, in one sentence."""
    means = holdout_means(run)
    if means is None:
        return t("fit.lead", distance=t.percent(_distance(run["frequency_fit"])))
    return t(
        "fit.lead_holdout",
        gap=t.gap(*means),
        until=day(run["data"]["until"]),
    )


def _status(run: Run, t: Translator) -> list[tuple[str, str]]:
    lines = []
    for name, part in run["fit"].items():
        converged = part["converged"]
        key = "fit.converged" if converged else "fit.not_converged"
        lines.append(("good" if converged else "bad", t(key, part=t.name("parts", name))))
        lines += [("warn", t.note(note)) for note in part["notes"]]
    return lines


def _frequencies(run: Run, t: Translator) -> Block:
    """Customers by number of repeat purchases, expected and actual."""
    rows, until = run["frequency_fit"], run["data"]["until"]
    heading = t("fit.frequency_heading")
    about = t(
        "fit.frequency_lead",
        customers=t.customers(rows[0]["actual"]),
        expected=t.integer(rows[0]["expected"]),
        distance=t.percent(_distance(rows)),
    )
    x = t("fit.frequency_x", until=until) if until else t("fit.frequency_x_undated")
    words = chart_words(t, heading, about, x=x, y=t("fit.frequency_y"))
    svg = charts_base.pairs("fit-frequency", rows, words)
    return blocks.chart(heading, about, svg, _key(t))


def _track_words(heading: str, about: str, t: Translator) -> dict[str, str]:
    labels = {"x": t("fit.track_x"), "y": t("fit.track_y"), "holdout": t("fit.holdout")}
    return chart_words(t, heading, about, **labels)


def _compared(expected: float, actual: float, t: Translator) -> dict[str, str]:
    """Expected and actual purchases, and how far apart they are."""
    gap = t.gap(expected, actual)
    return {"expected": t.integer(expected), "actual": t.integer(actual), "gap": gap}


def _cumulative(run: Run, t: Translator) -> Block:
    """Cumulative repeat purchases over the data of the fit and the holdout."""
    rows = run["tracking"]
    end, held_out = where(rows, holdout=False)[-1], where(rows, holdout=True)
    values = _compared(end["expected_cumulative"], end["actual_cumulative"], t)
    about = t("fit.track_lead", until=day(run["data"]["until"]), **values)
    about += t("common.sentence_gap")
    if held_out:
        expected = sum(series(held_out, "expected"))
        actual = sum(series(held_out, "actual"))
        values = _compared(expected, actual, t)
        about += t("fit.track_holdout", end=day(held_out[-1]["end"]), **values)
    else:
        about += t("fit.track_no_holdout")
    heading = t("fit.cumulative_heading")
    words = _track_words(heading, about, t)
    svg = charts_base.track("fit-track-total", rows, words, suffix="_cumulative")
    return blocks.chart(heading, about, svg, _key(t))


def _weekly(rows: Rows, t: Translator) -> Block:
    """Repeat purchases per week, with the median error of the model."""
    error = sorted(_errors(rows))[len(rows) // 2]
    mean = sum(series(rows, "actual")) / len(rows)
    heading = t("fit.weekly_heading")
    about = t("fit.weekly_lead", error=_about(error, t), mean=_about(mean, t))
    svg = charts_base.track(
        "fit-track-weekly",
        rows,
        _track_words(heading, about, t),
    )
    return blocks.chart(heading, about, svg, _key(t))


def _about(value: float, t: Translator) -> str:
    return t.number(value, 0 if value >= 10 else 1)


def _holdout(run: Run, t: Translator) -> Block:
    """Mean purchases in the holdout by earlier repeat purchases, expected and actual."""
    rows, until = run["holdout_fit"], run["data"]["until"]
    expected, actual = _mean(rows, "expected"), _mean(rows, "actual")
    heading = t("fit.holdout_heading")
    about = t(
        "fit.holdout_lead",
        until=day(until),
        expected=t.number(expected, 2),
        actual=t.number(actual, 2),
        gap=t.gap(expected, actual),
    )
    x, y = t("fit.frequency_x", until=until), t("fit.holdout_y")
    words = chart_words(t, heading, about, x=x, y=y)
    svg = charts_base.pairs("fit-holdout", rows, words)
    return blocks.chart(heading, about, svg, _key(t))


def _parameters(run: Run, t: Translator) -> Block:
    rows: list[Row] = []
    for part in run["fit"].values():
        rows += part["table"]
    columns = [
        Column(t("fit.family"), "name", lambda row: _family(row["family"])),
        Column(t("fit.parameter"), "", lambda row: row["parameter"]),
        Column(t("fit.estimate"), "num", lambda row: _figure(row["estimate"], t)),
        Column(
            t("fit.parameter_interval"),
            "num",
            lambda row: _ends(row["low"], row["high"], t),
        ),
    ]
    return blocks.table(columns, rows, heading=t("fit.parameters"), narrow=True)


def _ends(low: float | None, high: float | None, t: Translator) -> str:
    return DASH if low is None or high is None else f"{_figure(low, t)} – {_figure(high, t)}"


def _figure(value: float, t: Translator) -> str:
    """About four figures, whatever the size."""
    if 0 < abs(value) < 1e-3:
        return f"{value:.3g}"
    return t.number(value, 0 if abs(value) >= 1e4 else 2 if abs(value) >= 100 else 4)


def _scores(name: str, part: Row, t: Translator) -> list[Block]:
    """The log-likelihood of a part, and for spend its correlation with frequency."""
    sentence = t(
        "fit.log_likelihood",
        part=name,
        family=_family(part["family"]),
        method=part["method"].upper(),
        value=t.number(part["log_likelihood"], 2),
        aic=t.number(part["aic"], 2),
        bic=t.number(part["bic"], 2),
    )
    texts = [blocks.text(sentence)]
    if part["independence"]:
        every, trimmed = part["independence"].values()
        correlations = {
            "all": t.number(every["spearman"], 2),
            "trimmed": t.number(trimmed["spearman"], 2),
        }
        texts.append(blocks.text(t("fit.independence", **correlations)))
    return texts
