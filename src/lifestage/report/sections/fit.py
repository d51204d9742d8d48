"""How well the model fits: frequencies, the tracking curves, the holdout, the parameters and their status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lifestage.report.page import blocks, charts_base
from lifestage.report.words.format import DASH, day

if TYPE_CHECKING:
    from lifestage.report.page.blocks import Block
    from lifestage.report.words.translator import Translator

__all__ = ["fit_section", "holdout_means"]

Run = Mapping[str, Any]
Rows = Sequence[Mapping[str, Any]]


def fit_section(run: Run, say: Translator) -> Block:
    """The section; without a calendar it shows frequencies and parameters only."""
    key = blocks.legend(say.say("actual"), say.say("expected"))
    pictures = [_frequency(run, say, key)]
    pictures += _tracks(run["tracking"], run, say, key) if len(run["tracking"]) > 1 else []
    pictures += [_holdout(run["holdout_fit"], run, say, key)] if run["holdout_fit"] else []
    parts = [
        blocks.notes(say.say("status"), _status(run, say)),
        blocks.charts(*pictures),
        _parameters(run, say),
    ]
    for name, part in run["fit"].items():
        values = {"family": _family(part["family"]), "method": part["method"].upper()}
        scores = {
            k: say.number(part[v], 2)
            for k, v in (("value", "log_likelihood"), ("aic", "aic"), ("bic", "bic"))
        }
        parts.append(
            blocks.text(
                say.say("log_likelihood_line", part=say.name("part", name), **values, **scores)
            )
        )
        if part["independence"]:
            every, trimmed = (
                say.number(found["spearman"], 2) for found in part["independence"].values()
            )
            parts.append(blocks.text(say.say("independence_line", all=every, trimmed=trimmed)))
    return blocks.section("fit", say.say("nav_fit"), say.say("fit"), [_conclusion(run, say)], parts)


def _family(name: str) -> str:
    return "Gamma-Gamma" if name == "gamma-gamma" else name.upper()


def _conclusion(run: Run, say: Translator) -> str:
    """The strictest test at hand, in one sentence."""
    tested = holdout_means(run)
    if tested is not None:
        expected, actual = tested
        return say.say(
            "fit_lead_holdout", gap=say.gap(expected, actual), until=day(run["data"]["until"])
        )
    return say.say("fit_lead", wrong=say.percent(_misplaced(run["frequency_fit"])))


def holdout_means(run: Run) -> tuple[float, float] | None:
    """Purchases a customer after the data of the fit, expected and actual; None without a holdout."""
    rows = run["holdout_fit"]
    return (_mean(rows, "expected"), _mean(rows, "actual")) if rows else None


def _mean(rows: Rows, name: str) -> float:
    customers = sum(row["customers"] for row in rows)
    return sum(row["customers"] * row[name] for row in rows) / customers if customers else 0.0


def _misplaced(rows: Rows) -> float:
    """Half the absolute differences over the total: the share of customers in the wrong place."""
    total = sum(row["actual"] for row in rows)
    return sum(abs(row["actual"] - row["expected"]) for row in rows) / 2 / total if total else 0.0


def _status(run: Run, say: Translator) -> list[tuple[str, str]]:
    lines = []
    for name, part in run["fit"].items():
        done = part["converged"]
        kind, key = ("good", "converged") if done else ("bad", "not_converged")
        lines.append((kind, say.say(key, part=say.name("part", name))))
        lines += [("warn", say.note(note)) for note in part["notes"]]
    return lines


def _frequency(run: Run, say: Translator, key: list[dict[str, str]]) -> dict[str, Any]:
    rows, until, heading = run["frequency_fit"], run["data"]["until"], say.say("frequency_heading")
    actual, expected = say.integer(rows[0]["actual"]), say.integer(rows[0]["expected"])
    about = say.say(
        "frequency_lead", actual=actual, expected=expected, wrong=say.percent(_misplaced(rows))
    )
    x = say.say("frequency_x", until=until) if until else say.say("frequency_x_undated")
    words = {"lang": say.lang, "title": f"{heading}. {about}", "x": x, "y": say.say("frequency_y")}
    return blocks.chart(heading, about, charts_base.pairs("fit-frequency", rows, words), key)


def _tracks(
    rows: Rows, run: Run, say: Translator, key: list[dict[str, str]]
) -> list[dict[str, Any]]:
    until = day(run["data"]["until"])
    seen, later = [r for r in rows if not r["holdout"]], [r for r in rows if r["holdout"]]
    made, awaited = (seen[-1][f"{name}_cumulative"] for name in ("actual", "expected"))
    values = {
        "expected": say.integer(awaited),
        "actual": say.integer(made),
        "gap": say.gap(awaited, made),
    }
    about = say.say("track_lead", until=until, **values) + say.say("gap")
    if later:
        made, awaited = (sum(row[name] for row in later) for name in ("actual", "expected"))
        values = {
            "expected": say.integer(awaited),
            "actual": say.integer(made),
            "gap": say.gap(awaited, made),
        }
        about += say.say("track_holdout", end=day(later[-1]["end"]), **values)
    else:
        about += say.say("track_no_holdout")
    words = {
        "lang": say.lang,
        "x": say.say("track_x"),
        "y": say.say("track_y"),
        "holdout": say.say("holdout"),
    }
    heading = say.say("track_cumulative_heading")
    title = {"title": f"{heading}. {about}"}
    total = charts_base.track("fit-track-total", rows, {**words, **title}, suffix="_cumulative")
    off = sorted(abs(row["actual"] - row["expected"]) for row in rows)[len(rows) // 2]
    mean = sum(row["actual"] for row in rows) / len(rows)
    heading_weekly = say.say("track_weekly_heading")
    error, usual = (say.number(value, 0 if value >= 10 else 1) for value in (off, mean))
    weekly = say.say("track_weekly_lead", error=error, mean=usual)
    steps = charts_base.track(
        "fit-track-weekly", rows, {**words, "title": f"{heading_weekly}. {weekly}"}
    )
    return [
        blocks.chart(heading, about, total, key),
        blocks.chart(heading_weekly, weekly, steps, key),
    ]


def _holdout(rows: Rows, run: Run, say: Translator, key: list[dict[str, str]]) -> dict[str, Any]:
    heading, until = say.say("holdout_heading"), run["data"]["until"]
    expected, actual = (_mean(rows, name) for name in ("expected", "actual"))
    values = {
        "expected": say.number(expected, 2),
        "actual": say.number(actual, 2),
        "gap": say.gap(expected, actual),
    }
    about = say.say("holdout_lead", until=day(until), **values)
    words = {
        "lang": say.lang,
        "title": f"{heading}. {about}",
        "x": say.say("frequency_x", until=until),
        "y": say.say("holdout_y"),
    }
    return blocks.chart(heading, about, charts_base.pairs("fit-holdout", rows, words), key)


def _parameters(run: Run, say: Translator) -> Block:
    head = [(say.say("family"), "name"), (say.say("parameter"), "")]
    head += [(say.say("estimate"), "num"), (say.say("low_high"), "num")]
    rows = [
        [
            _family(row["family"]),
            row["parameter"],
            _figure(row["estimate"], say),
            _ends(row["low"], row["high"], say),
        ]
        for part in run["fit"].values()
        for row in part["table"]
    ]
    return blocks.table(head, rows, heading=say.say("parameters"), narrow=True)


def _ends(low: float | None, high: float | None, say: Translator) -> str:
    return DASH if low is None or high is None else f"{_figure(low, say)} – {_figure(high, say)}"


def _figure(value: float, say: Translator) -> str:
    """About four figures, whatever the size."""
    if 0 < abs(value) < 1e-3:
        return f"{value:.3g}"
    return say.number(value, 0 if abs(value) >= 1e4 else 2 if abs(value) >= 100 else 4)
