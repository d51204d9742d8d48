"""The section on the stage forecast: customers and revenue of each stage over the horizon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lifestage.lifecycle.stages.taxonomies import TAXONOMIES
from lifestage.report.page import blocks, charts_forecast
from lifestage.report.page.blocks import Column, axis_unit, chart_words, horizon_text, where
from lifestage.report.words.format import day

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lifestage.report.page.blocks import Block, Row, Rows, Run
    from lifestage.report.words.translator import Translator

__all__ = ["forecast_section"]

AWAKE = {"line": "active", "phase": "grow"}
"""The stage of each taxonomy that the first sentence follows."""


@dataclass(frozen=True)
class StageTimes:
    """The stages of one taxonomy today and at each point in time of the forecast."""

    taxonomy: str
    labels: Mapping[str, str]
    """Names of the stages in the language of the report."""
    today: Mapping[str, float]
    """Customers by stage, in the order of the taxonomy."""
    forecast: Mapping[tuple[str, float], Row]
    """Rows of the forecast by stage and point in time."""
    times: Sequence[float]
    """Points in time, in periods."""

    @property
    def stages(self) -> list[str]:
        """The stages that hold customers today or later."""
        holding = {stage for stage, count in self.today.items() if count}
        for (stage, _), row in self.forecast.items():
            if row["customers"]:
                holding.add(stage)
        return [stage for stage in self.today if stage in holding]


def forecast_section(run: Run, rows: Rows, t: Translator) -> Block | None:
    """Stages over time, cumulative totals, and moves between stages; None without a forecast."""
    own = _own_taxonomies(run)
    forecast_rows = run["outlook"]["forecast"]["stages"]
    # The activity stages; the lifecycle phases where those are not forecast.
    taxonomy = "line" if where(forecast_rows, taxonomy="line") else "phase"
    stages = _stage_times(run, rows, taxonomy)
    if not stages.times:
        return None
    forecast = run["outlook"]["forecast"]
    parts = [
        blocks.charts(_flow(stages, run, t)),
        blocks.charts(*_totals(run, t)),
        _counts(stages, t("forecast.counts_heading"), t),
        *[_own_counts(_stage_times(run, rows, name), t) for name in own],
        _moves(forecast["transitions"], stages, t),
    ]
    if forecast["sample"] < run["data"]["customers"]:
        parts.append(blocks.text(t("forecast.sample", sample=t.integer(forecast["sample"]))))
    lead = [_lead(stages, run, t), t("forecast.scope")]
    return blocks.section(
        "forecast",
        t("forecast.nav"),
        t("forecast.title"),
        lead,
        parts,
    )


def _own_taxonomies(run: Run) -> list[str]:
    """The taxonomies of a playbook that are forecast beside those of the package."""
    names = dict.fromkeys(row["taxonomy"] for row in run["outlook"]["forecast"]["stages"])
    return [name for name in names if name not in TAXONOMIES]


def _stage_times(run: Run, rows: Rows, taxonomy: str) -> StageTimes:
    labels = {}
    for row in where(rows, taxonomy=taxonomy):
        labels[row["stage"]] = row["label"]
    today = dict(run["stages"][taxonomy])
    if taxonomy in TAXONOMIES:
        today.pop("prospect", None)
    forecast, times = {}, set()
    for row in where(run["outlook"]["forecast"]["stages"], taxonomy=taxonomy):
        forecast[row["stage"], row["periods"]] = row
        times.add(row["periods"])
    return StageTimes(taxonomy, labels, today, forecast, sorted(times))


def _date(row: Row, t: Translator) -> str:
    """The month of a point in time; its number of periods where dates are not known."""
    return day(row["date"])[:7] if row["date"] else t.number(row["periods"], 0)


def _time_axis(run: Run, t: Translator) -> str:
    """The name of the time axis: months, or the period of the model where dates are not known."""
    if run["data"]["until"]:
        return t("forecast.time_x")
    return t.name("units", run["data"]["period"])


def _time_label(stages: StageTimes, time: float, t: Translator) -> str:
    return _date(stages.forecast[stages.stages[0], time], t)


def _lead(stages: StageTimes, run: Run, t: Translator) -> str:
    stage = AWAKE[stages.taxonomy]
    last = stages.forecast[stage, stages.times[-1]]
    return t(
        "forecast.lead",
        stage=stages.labels[stage],
        customers=t.customers(stages.today[stage]),
        later=t.integer(last["customers"]),
        low=t.integer(last["customers_low"]),
        high=t.integer(last["customers_high"]),
        horizon=horizon_text(run, t),
    )


def _flow(stages: StageTimes, run: Run, t: Translator) -> Block:
    """Shares of the stages over time as stacked bars."""
    people = sum(stages.today.values())
    bars = [(t("common.now"), [stages.today[stage] / people for stage in stages.stages])]
    for time in stages.times:
        counts = [stages.forecast[stage, time]["customers"] for stage in stages.stages]
        bars.append((_time_label(stages, time, t), [count / people for count in counts]))
    colours, key = [], []
    for colour, stage in zip(charts_forecast.COLOURS, stages.today, strict=False):
        if stage in stages.stages:
            colours.append(colour)
            key.append({"colour": colour, "text": stages.labels[stage]})
    heading = t("forecast.flow_heading")
    scenarios = t.integer(run["outlook"]["forecast"]["scenarios"])
    about = t("forecast.flow_lead", scenarios=scenarios)
    words = chart_words(
        t,
        heading,
        about,
        x=_time_axis(run, t),
        y=t("forecast.flow_y"),
    )
    svg = charts_forecast.stage_flow("stage-flow", bars, colours, words)
    return blocks.chart(heading, about, svg, key)


def _totals(run: Run, t: Translator) -> list[Block]:
    """Cumulative purchases and, where money is known, revenue, inside their intervals."""
    charts = [_total("purchases", t.integer, "", run, t)]
    if run["totals"]["ltv"] is not None:
        charts.append(_total("revenue", t.money, axis_unit(t), run, t))
    return charts


def _total(name: str, write: Any, unit: str, run: Run, t: Translator) -> Block:
    points = []
    for row in run["outlook"]["forecast"]["totals"]:
        ends = {"low": row[f"{name}_low"], "high": row[f"{name}_high"]}
        points.append({"label": _date(row, t), "middle": row[name], **ends})
    end = points[-1]
    heading = t(f"forecast.{name}_heading")
    about = t(
        "forecast.total_lead",
        middle=write(end["middle"]),
        low=write(end["low"]),
        high=write(end["high"]),
        level=t.percent(run["terms"]["level"]),
    )
    x, y = _time_axis(run, t), t(f"forecast.{name}_y") + unit
    words = chart_words(t, heading, about, x=x, y=y)
    return blocks.chart(
        heading,
        about,
        charts_forecast.fan(f"fan-{name}", points, words),
    )


def _own_counts(stages: StageTimes, t: Translator) -> Block:
    """The counts of a taxonomy of a playbook, under its name."""
    name = t.name("taxonomies", stages.taxonomy)
    return _counts(stages, f"{t('forecast.counts_heading')}: {name}", t)


def _counts(stages: StageTimes, heading: str, t: Translator) -> Block:
    """Customers of each stage, a column per point in time."""

    def at(time: float) -> Column:
        def write(stage: str) -> str:
            row = stages.forecast[stage, time]
            ends = f"{t.integer(row['customers_low'])}–{t.integer(row['customers_high'])}"
            return f"{t.integer(row['customers'])} ({ends})"

        return Column(_time_label(stages, time, t), "num", write)

    columns = [
        Column(
            t("common.stage"),
            "name",
            lambda stage: stages.labels[stage],
        ),
        Column(
            t("common.now"),
            "num",
            lambda stage: t.integer(stages.today[stage]),
        ),
        *map(at, stages.times),
    ]
    return blocks.table(
        columns,
        stages.stages,
        heading=heading,
    )


def _moves(transitions: Rows, stages: StageTimes, t: Translator) -> Block:
    """Shares of today's customers of a stage by the stage at the end."""
    moved: dict[tuple[str, str], float] = {}
    for row in where(transitions, taxonomy=stages.taxonomy):
        moved[row["stage"], row["next_stage"]] = row["customers"]

    def to(last: str) -> Column:
        def write(first: str) -> str:
            return t.percent(moved.get((first, last), 0.0) / stages.today[first])

        return Column(stages.labels[last], "num", write)

    first = Column(t("forecast.moves_from"), "name", lambda stage: stages.labels[stage])
    rows = [stage for stage in stages.stages if stages.today[stage]]
    heading, sentence = t("forecast.moves_heading"), t("forecast.moves_lead")
    return blocks.table(
        [first, *map(to, stages.stages)],
        rows,
        heading=heading,
        sentence=sentence,
    )
