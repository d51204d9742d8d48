"""How far the forecasts can be trusted: the backtest with its grade, chances that came true, and what came since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lifestage.report.page import blocks
from lifestage.report.page import charts_backtest as trust_figures
from lifestage.report.words.format import DASH, day

if TYPE_CHECKING:
    from lifestage.report.page.blocks import Block
    from lifestage.report.words.translator import Translator

__all__ = ["trust_section"]

Run = Mapping[str, Any]
Rows = Sequence[Mapping[str, Any]]

COLUMNS = ("mae", "revenue_mae", "log_loss", "auc", "top_share")
KINDS = {"better": "good", "no better": "warn", "worse": "bad"}


def trust_section(run: Run, say: Translator) -> Block | None:
    """The section; None where no test was wanted."""
    found = run["trust"]
    if found is None:
        return None
    names = ("trust", say.say("nav_trust"), say.say("trust"))
    if found["backtest"] is None:
        return blocks.section(*names, [say.say("trust_none", reason=found["reason"] or DASH)], [])
    test = found["backtest"]
    model = list(test["grades"])[-1]
    origins = say.say("separator").join(day(origin) for origin in test["origins"])
    values = {"origins": origins, "horizon": _length(test, say), "family": _name(model, say)}
    lead = [say.say("trust_lead", **values), say.say("trust_scope")]
    graded = [
        (KINDS[grade], _grade(name, grade, test, say)) for name, grade in test["grades"].items()
    ]
    parts = [
        blocks.notes(say.say("grade_heading"), [*graded, *_held(test, model, say)]),
        blocks.charts(_chances(test, model, say), _running(test, model, run, say)),
        _table(test, say),
    ]
    if found["drift"] is not None:
        parts += _since(found["drift"], run, say)
    return blocks.section(*names, lead, parts)


def _grade(name: str, grade: str, test: Mapping[str, Any], say: Translator) -> str:
    """The grade in a sentence; a bad one with what it is bad in."""
    rows = [row for row in test["differences"] if row["model"] == name and row["low"] > 0]
    losses = dict.fromkeys(row["loss"] for row in rows)
    where = say.say("separator").join(say.say(f"worse_in_{loss}") for loss in losses)
    return say.say(
        f"grade_{grade.replace(' ', '_')}",
        family=_name(name, say),
        **({"where": where} if losses else {}),
    )


def _length(test: Mapping[str, Any], say: Translator) -> str:
    return say.periods(round(test["horizon"]), test["period"])


def _name(forecast: str, say: Translator) -> str:
    """A family as it is written, a baseline in words."""
    family, _, corrected = forecast.partition(", ")
    family = family.upper() if "/" in family else say.name("forecast", family.replace(" ", "_"))
    return say.say("forecast_recalibrated", family=family) if corrected else family


def _held(test: Mapping[str, Any], model: str, say: Translator) -> list[tuple[str, str]]:
    """How much the intervals held, of the model that serves."""
    row = next(row for row in test["forecasts"] if row["forecast"] == model)
    level, held, spend = test["level"], row["coverage"], row["spend_coverage"]
    if held is None:
        return []
    enough = min(held, held if spend is None else spend) >= level - 0.05
    key = "trust_held" if spend is None else "trust_held_spend"
    values = {"level": say.percent(level), "share": say.percent(held), "spend": say.percent(spend)}
    return [("good" if enough else "warn", say.say(key, **values))]


def _chances(test: Mapping[str, Any], model: str, say: Translator) -> dict[str, Any]:
    last = test["origins"][-1]
    rows = [
        row for row in test["reliability"] if row["forecast"] == model and row["origin"] == last
    ]
    people = sum(row["customers"] for row in rows)
    given, came = (
        sum(row["customers"] * row[key] for row in rows) / people
        for key in ("predicted", "observed")
    )
    off = sum(row["customers"] * abs(row["predicted"] - row["observed"]) for row in rows) / people
    heading = say.say("chances_heading")
    about = say.say(
        "chances_lead",
        given=say.percent(given),
        came=say.percent(came),
        off=say.number(100 * off, 1),
    )
    words = {
        "lang": say.lang,
        "title": f"{heading}. {about}",
        "x": say.say("chances_x"),
        "y": say.say("chances_y"),
    }
    return blocks.chart(heading, about, trust_figures.chances("trust-chances", rows, words))


def _running(test: Mapping[str, Any], model: str, run: Run, say: Translator) -> dict[str, Any]:
    last = test["origins"][-1]
    rows = [row for row in test["tracking"] if row["forecast"] == model and row["origin"] == last]
    heading, end = say.say("running_heading", origin=day(last)), rows[-1]
    values = {"expected": say.integer(end["expected"]), "actual": say.integer(end["actual"])}
    about = say.say("running_lead", **values, gap=say.gap(end["expected"], end["actual"]))
    x = say.say("running_x", period=say.name("unit", run["data"]["period"]))
    words = {
        "lang": say.lang,
        "title": f"{heading}. {about}",
        "x": x,
        "y": say.say("fan_purchases_y"),
    }
    points = [{**row, "label": say.number(row["periods"], 0)} for row in rows]
    key = blocks.legend(say.say("actual"), say.say("expected"))
    return blocks.chart(heading, about, trust_figures.running("trust-running", points, words), key)


def _table(test: Mapping[str, Any], say: Translator) -> Block:
    def error(value: float) -> str:
        return say.number(value, 3)

    write: dict[str, Any] = {
        "mae": error,
        "revenue_mae": say.money,
        "log_loss": error,
        "auc": say.percent,
        "top_share": say.percent,
    }
    shown = [name for name in COLUMNS if any(row[name] is not None for row in test["forecasts"])]
    head = [
        (say.say("forecast_name"), "name"),
        *((say.say(f"test_{name}"), "num") for name in shown),
    ]
    rows = [
        [
            _name(row["forecast"], say),
            *(DASH if row[name] is None else write[name](row[name]) for name in shown),
        ]
        for row in test["forecasts"]
    ]
    return blocks.table(head, rows, heading=say.say("test_heading"), sentence=say.say("test_lead"))


def _since(watched: Mapping[str, Any], run: Run, say: Translator) -> list[Block]:
    """What came since the last day of the data, beside what was foretold then."""
    signals = {signal["quantity"]: signal for signal in watched["signals"]}
    until, level = day(run["data"]["until"]), say.percent(watched["level"])
    lines = [("warn", say.say(f"drift_{s['quantity']}_{s['direction']}", seen=day(s["seen"]), since=day(s["since"])))
             for s in watched["signals"]]  # fmt: skip
    told = lines or [("good", say.say("drift_none", level=level))]
    pictures, months = [], len(watched["table"]) > 26
    for name in ("purchases", "revenue"):
        if name not in watched["table"][0]:
            continue
        rows = [
            {"label": row["end"][: 7 if months else 10], "actual": row[name]}
            | {k: row[f"{name}_{k}"] for k in ("expected", "low", "high")}
            for row in watched["table"]
        ]
        signal = signals.get(name)
        at = (
            None
            if signal is None
            else next(i for i, r in enumerate(watched["table"]) if r["end"] == signal["seen"])
        )
        heading, last = say.say(f"drift_{name}"), watched["table"][-1]
        write = say.integer if name == "purchases" else say.money
        values = {key: write(last[f"cumulative_{name}{ending}"]) for key, ending in
                  (("actual", ""), ("expected", "_expected"), ("low", "_low"), ("high", "_high"))}  # fmt: skip
        about = say.say("drift_lead", until=until, level=level, **values)
        unit = f" ({say.money.currency})" if name == "revenue" and say.money.currency else ""
        words = {
            "lang": say.lang,
            "title": f"{heading}. {about}",
            "x": say.say("drift_x"),
            "y": say.say(f"fan_{name}_y") + unit,
        }
        words["signal"] = say.say("drift_signal")
        key = blocks.legend(say.say("actual"), say.say("expected"))
        pictures.append(
            blocks.chart(heading, about, trust_figures.band(f"trust-{name}", rows, words, at), key)
        )
    return [blocks.notes(say.say("drift_heading"), told), blocks.charts(*pictures)]
