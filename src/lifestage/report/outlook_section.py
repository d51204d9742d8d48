"""Where the base is going, whether stages came true, when buyers are back, and what each group is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from lifestage.lifecycle.taxonomies import label
from lifestage.report import blocks
from lifestage.report import outlook_figures as figures
from lifestage.report.blocks import Block
from lifestage.report.format import day
from lifestage.report.texts import Voice

__all__ = ["forecast_section", "group_section", "realised_block", "schedule_section"]

Run = Mapping[str, Any]
Rows = Sequence[Mapping[str, Any]]

MOST_GROUPS = 24
"""Groups that a chart shows."""


def forecast_section(run: Run, say: Voice) -> Block | None:
    """Stages over time, fans of purchases and revenue, and who moves where; None without a forecast."""
    found = run["outlook"]["forecast"]
    taxonomy = "line" if any(row["taxonomy"] == "line" for row in found["stages"]) else "phase"
    rows = [row for row in found["stages"] if row["taxonomy"] == taxonomy]
    if not rows:
        return None
    today = {key: float(count) for key, count in run["stages"][taxonomy].items() if key != "prospect"}
    people = sum(today.values())
    keys = [key for key in today if today[key] or any(row["stage"] == key and row["customers"] for row in rows)]
    periods = sorted({row["periods"] for row in rows})
    at = {(row["stage"], row["periods"]): row for row in rows}
    columns = [(say.say("now"), [today[key] / people for key in keys])]
    columns += [(_when(at[keys[0], t], say), [at[key, t]["customers"] / people for key in keys]) for t in periods]
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
    words = {"lang": say.lang, "title": f"{heading}. {about}", "x": say.say("flow_x"), "y": say.say("share_axis")}
    colours = [figures.COLOURS[list(today).index(key)] for key in keys]
    named = [{"colour": c, "text": label(taxonomy, k, say.lang)} for c, k in zip(colours, keys, strict=True)]
    flow = blocks.chart(heading, about, figures.stage_flow("stage-flow", columns, colours, words), named)
    parts = [blocks.charts(flow), blocks.charts(*_fans(run, say)), _counts(keys, today, at, periods, taxonomy, say)]
    parts.append(_moves(found["transitions"], taxonomy, keys, today, say))
    if found["sample"] < run["data"]["customers"]:
        parts.append(blocks.text(say.say("ahead_sample", sample=say.integer(found["sample"]))))
    return blocks.section("ahead", say.say("nav_ahead"), say.say("ahead"), [lead, say.say("ahead_scope")], parts)


def _with_interval(value: float, low: float, high: float, say: Voice) -> str:
    return f"{say.integer(value)} ({say.integer(low)}–{say.integer(high)})"


def _when(row: Mapping[str, Any], say: Voice) -> str:
    return day(row["date"])[:7] if row["date"] else say.number(row["periods"], 0)


def _fans(run: Run, say: Voice) -> list[dict[str, Any]]:
    rows, out = run["outlook"]["forecast"]["totals"], []
    rich = run["totals"]["ltv"] is not None
    level = say.percent(run["terms"]["level"])
    for name, write in (("purchases", say.integer), *((("revenue", say.money),) if rich else ())):
        points = [
            {"label": _when(r, say), "middle": r[name], "low": r[f"{name}_low"], "high": r[f"{name}_high"]}
            for r in rows
        ]
        heading = say.say(f"fan_{name}")
        end = points[-1]
        about = say.say(
            "fan_lead", middle=write(end["middle"]), low=write(end["low"]), high=write(end["high"]), level=level
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
    say: Voice,
) -> Block:  # fmt: skip
    head = [(say.say("stage"), "name"), (say.say("now"), "num")]
    head += [(_when(at[keys[0], t], say), "num") for t in periods]
    rows = [
        [
            label(taxonomy, key, say.lang),
            say.integer(today[key]),
            *(
                _with_interval(row["customers"], row["customers_low"], row["customers_high"], say)
                for row in (at[key, t] for t in periods)
            ),
        ]
        for key in keys
    ]
    return blocks.table(head, rows, heading=say.say("counts_heading"))


def _moves(rows: Rows, taxonomy: str, keys: Sequence[str], today: Mapping[str, float], say: Voice) -> Block:
    """Shares of today's customers of a stage by the stage at the end."""
    moved = {(r["stage"], r["next_stage"]): r["customers"] for r in rows if r["taxonomy"] == taxonomy}
    head = [(say.say("moves_from"), "name"), *((label(taxonomy, key, say.lang), "num") for key in keys)]
    cells = [
        [label(taxonomy, key, say.lang), *(say.percent(moved.get((key, other), 0.0) / today[key]) for other in keys)]
        for key in keys
        if today[key]
    ]
    return blocks.table(head, cells, heading=say.say("moves_heading"), sentence=say.say("moves_lead"))


def realised_block(run: Run, say: Voice) -> list[Block]:
    """What the stages went on to do, where the log goes on."""
    rows = run["outlook"]["realised"]
    if not rows:
        return []
    head = [(say.say("stage"), "name"), (say.say("customers"), "num"), (say.say("bought_again"), "num")]
    head += [(say.say("range"), "num"), (say.say("expected"), "num")]
    cells = [
        [
            label(row["taxonomy"], row["stage"], say.lang),
            say.integer(row["customers"]),
            say.percent(row["repurchased"]),
            f"{say.percent(row['low'])} – {say.percent(row['high'])}",
            say.percent(row["expected"]),
        ]
        for row in rows
        if row["taxonomy"] != "phase"
    ]
    line = [row for row in rows if row["taxonomy"] == "line"]
    falls = all(one["repurchased"] >= other["repurchased"] for one, other in pairwise(line))
    sentence = say.say(
        "realised_lead" if falls else "realised_mixed",
        window=say.days(rows[0]["window_days"]),
        until=day(run["data"]["until"]),
        level=say.percent(run["terms"]["level"]),
    )
    if not falls and run["fit"]["purchases"]["family"] == "bg/nbd":
        sentence += say.say("gap") + say.say("realised_family")
    return [blocks.table(head, cells, heading=say.say("realised_heading"), sentence=sentence)]


def schedule_section(run: Run, say: Voice) -> Block | None:
    """When buyers are back."""
    found = run["outlook"]["schedule"]
    if found is None:
        return None
    everyone = [row for row in found["days"] if row["group"] == "all"]
    lead = [say.say("schedule_lead", shares=say.say("separator").join(
        say.say("schedule_share", day=say.integer(row["day"]), share=say.percent(row["bought_again"]))
        for row in everyone
    ))]  # fmt: skip
    rhythm = found["regularity"]
    if rhythm is not None:
        values = {name: say.number(rhythm[name], 2) for name in ("k", "low", "high")}
        lead.append(say.say("rhythm_regular" if rhythm["regular"] else "rhythm_random", **values))
    heading = say.say("returns_heading")
    about = say.say("returns_lead", level=say.percent(run["terms"]["level"]))
    words = {"lang": say.lang, "title": f"{heading}. {about}", "x": say.say("returns_x"), "y": say.say("returns_y")}
    key = blocks.legend(say.say("observed"), say.say("expected"))
    pictures = [blocks.chart(heading, about, figures.returns("returns", found["curve"], words), key)]
    head = [(say.say("stage"), "name"), (say.say("purchases"), "num")]
    head += [(say.say("by_day", day=say.number(row["day"], 0)), "num") for row in everyone]
    names = list(dict.fromkeys(row["group"] for row in found["days"]))
    order = ["all", *(key for key in run["stages"]["line"] if key in names)]
    cells = []
    for name in order:
        rows = [row for row in found["days"] if row["group"] == name]
        title = say.say("all") if name == "all" else label("line", name, say.lang)
        cells.append([title, say.integer(rows[0]["purchases"]), *(say.percent(row["bought_again"]) for row in rows)])
    table = blocks.table(head, cells, heading=say.say("schedule_heading"), sentence=say.say("schedule_caution"))
    return blocks.section(
        "schedule", say.say("nav_schedule"), say.say("schedule"), lead, [blocks.charts(*pictures), table]
    )


def group_section(run: Run, say: Voice) -> Block | None:
    """What each channel and cohort is worth, and what a customer of it could cost."""
    parts: list[Block] = []
    for found in run["outlook"]["groups"]:
        by, rows = found["by"], found["rows"]
        shown = (
            rows[:-1][-MOST_GROUPS:]
            if by == "cohort"
            else sorted(rows[:-1], key=lambda r: -r["customers"])[:MOST_GROUPS]
        )
        heading = say.say(f"groups_{by}")
        about = say.say("groups_about", level=say.percent(run["terms"]["level"]))
        points = [
            {"label": r["group"], "middle": r["worth"], "low": r["worth_low"], "high": r["worth_high"]}
            for r in shown
            if r["worth_low"] is not None
        ]
        unit = f" ({say.money.currency})" if say.money.currency else ""
        words = {"lang": say.lang, "title": f"{heading}. {about}", "x": say.say("groups_x") + unit}
        parts.append(blocks.charts(blocks.chart(heading, about, figures.ranges(f"worth-{by}", points, words))))
        costs = "cac" in rows[0]
        head = [(say.say(by), "name"), (say.say("customers"), "num"), (say.say("past_margin"), "num")]
        head += [(say.say("ltv_each"), "num"), (say.say("worth"), "num"), (say.say("max_cac"), "num")]
        head += [(say.say("metric_cac"), "num"), (say.say("metric_ltv_to_cac"), "num")] if costs else []
        cells = [
            [
                say.say("all") if row["group"] == "total" else row["group"],
                say.integer(row["customers"]),
                *(say.money(row[name]) for name in ("past_margin", "ltv", "worth", "max_cac")),
                *([say.money(row["cac"]), say.number(row["ltv_to_cac"], 1)] if costs else []),
            ]
            for row in [*shown, rows[-1]]
        ]
        sure = say.percent(1 - found["quantile"])
        parts.append(blocks.table(head, cells, sentence=say.say("groups_table", sure=sure)))
    if not parts:
        return None
    return blocks.section("groups", say.say("nav_groups"), say.say("groups"), [say.say("groups_lead")], parts)
