"""The section on the stage forecast: customers and revenue of each stage over the horizon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lifestage.lifecycle.stages.taxonomies import label
from lifestage.report.page import blocks
from lifestage.report.page import charts_outlook as figures
from lifestage.report.sections.outlook import Rows, Run, with_interval
from lifestage.report.words.format import day

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lifestage.report.page.blocks import Block
    from lifestage.report.words.translator import Translator

__all__ = ["forecast_section"]


def forecast_section(run: Run, say: Translator) -> Block | None:
    """Stages over time, fans of purchases and revenue, and who moves where; None without a forecast."""
    found = run["outlook"]["forecast"]
    taxonomy = "line" if any(row["taxonomy"] == "line" for row in found["stages"]) else "phase"
    rows = [row for row in found["stages"] if row["taxonomy"] == taxonomy]
    if not rows:
        return None
    today = {
        key: float(count) for key, count in run["stages"][taxonomy].items() if key != "prospect"
    }
    people = sum(today.values())
    keys = [
        key
        for key in today
        if today[key] or any(row["stage"] == key and row["customers"] for row in rows)
    ]
    periods = sorted({row["periods"] for row in rows})
    at = {(row["stage"], row["periods"]): row for row in rows}
    columns = [(say.say("now"), [today[key] / people for key in keys])]
    columns += [
        (_when(at[keys[0], t], say), [at[key, t]["customers"] / people for key in keys])
        for t in periods
    ]
    awake = "active" if taxonomy == "line" else "grow"
    last = at[awake, periods[-1]]
    lead = say.say(
        "ahead_lead",
        stage=label(taxonomy, awake, say.lang),
        now=say.integer(today[awake]),
        then=say.integer(last["customers"]),
        low=say.integer(last["customers_low"]),
        high=say.integer(last["customers_high"]),
        horizon=say.periods(run["terms"]["horizon"], run["data"]["period"]),
    )
    heading = say.say("flow_heading")
    about = say.say("flow_lead", scenarios=say.integer(found["scenarios"]))
    words = {
        "lang": say.lang,
        "title": f"{heading}. {about}",
        "x": say.say("flow_x"),
        "y": say.say("share_axis"),
    }
    colours = [figures.COLOURS[list(today).index(key)] for key in keys]
    named = [
        {"colour": c, "text": label(taxonomy, k, say.lang)}
        for c, k in zip(colours, keys, strict=True)
    ]
    flow = blocks.chart(
        heading, about, figures.stage_flow("stage-flow", columns, colours, words), named
    )
    parts = [
        blocks.charts(flow),
        blocks.charts(*_fans(run, say)),
        _counts(keys, today, at, periods, taxonomy, say),
    ]
    parts.append(_moves(found["transitions"], taxonomy, keys, today, say))
    if found["sample"] < run["data"]["customers"]:
        parts.append(blocks.text(say.say("ahead_sample", sample=say.integer(found["sample"]))))
    return blocks.section(
        "ahead", say.say("nav_ahead"), say.say("ahead"), [lead, say.say("ahead_scope")], parts
    )


def _when(row: Mapping[str, Any], say: Translator) -> str:
    return day(row["date"])[:7] if row["date"] else say.number(row["periods"], 0)


def _fans(run: Run, say: Translator) -> list[dict[str, Any]]:
    rows, out = run["outlook"]["forecast"]["totals"], []
    rich = run["totals"]["ltv"] is not None
    level = say.percent(run["terms"]["level"])
    for name, write in (("purchases", say.integer), *((("revenue", say.money),) if rich else ())):
        points = [
            {
                "label": _when(r, say),
                "middle": r[name],
                "low": r[f"{name}_low"],
                "high": r[f"{name}_high"],
            }
            for r in rows
        ]
        heading = say.say(f"fan_{name}")
        end = points[-1]
        about = say.say(
            "fan_lead",
            middle=write(end["middle"]),
            low=write(end["low"]),
            high=write(end["high"]),
            level=level,
        )
        unit = f" ({say.money.currency})" if name == "revenue" and say.money.currency else ""
        words = {
            "lang": say.lang,
            "title": f"{heading}. {about}",
            "x": say.say("flow_x"),
            "y": say.say(f"fan_{name}_y") + unit,
        }
        out.append(blocks.chart(heading, about, figures.fan(f"fan-{name}", points, words)))
    return out


def _counts(
    keys: Sequence[str], today: Mapping[str, float], at: Mapping[Any, Any], periods: Sequence[float], taxonomy: str,
    say: Translator,
) -> Block:  # fmt: skip
    head = [(say.say("stage"), "name"), (say.say("now"), "num")]
    head += [(_when(at[keys[0], t], say), "num") for t in periods]
    rows = [
        [
            label(taxonomy, key, say.lang),
            say.integer(today[key]),
            *(
                with_interval(row["customers"], row["customers_low"], row["customers_high"], say)
                for row in (at[key, t] for t in periods)
            ),
        ]
        for key in keys
    ]
    return blocks.table(head, rows, heading=say.say("counts_heading"))


def _moves(
    rows: Rows, taxonomy: str, keys: Sequence[str], today: Mapping[str, float], say: Translator
) -> Block:
    """Shares of today's customers of a stage by the stage at the end."""
    moved = {
        (r["stage"], r["next_stage"]): r["customers"] for r in rows if r["taxonomy"] == taxonomy
    }
    head = [
        (say.say("moves_from"), "name"),
        *((label(taxonomy, key, say.lang), "num") for key in keys),
    ]
    cells = [
        [
            label(taxonomy, key, say.lang),
            *(say.percent(moved.get((key, other), 0.0) / today[key]) for other in keys),
        ]
        for key in keys
        if today[key]
    ]
    return blocks.table(
        head, cells, heading=say.say("moves_heading"), sentence=say.say("moves_lead")
    )
