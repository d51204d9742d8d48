"""The rules of the stages: which facts of a customer put it into which stage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw

from lifestage.core.names import FREQUENCY, HIGH_VALUE_CUT, KEYS, MEDIAN_GAP
from lifestage.lifecycle.frames import (
    Frame,
    collect,
    open_frame,
    orders_made,
    require_term,
)
from lifestage.lifecycle.stages.taxonomies import TAXONOMIES, column_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lifestage.lifecycle.stages.thresholds import Thresholds

__all__ = [
    "LINE_RULES",
    "NEEDED",
    "ROUNDING",
    "Rules",
    "explains",
    "first_match",
    "is_valuable",
    "line_rules",
    "phase_rules",
    "rules_by_taxonomy",
    "segment_rules",
    "value_expr",
    "with_cut",
    "with_facts",
]

LINE_RULES = ("activity_ratio", "nes")

ROUNDING = 1e-12
"""Customers who tie with the threshold of high value belong to it, whatever the engine's last digit."""

Rules = list[tuple[nw.Expr, str]]

NEEDED = (
    *KEYS,
    "p_alive",
    "activity_ratio",
    "stage_window_days",
    "activity_stage",
    "lifecycle_phase",
    "value_segment",
)


def first_match(rules: Sequence[tuple[nw.Expr, Any]], rest: Any) -> nw.Expr:
    """The key of the first rule that holds, or *rest*."""
    key: nw.Expr = nw.lit(rest)
    for holds, name in reversed(rules):
        key = nw.when(holds).then(nw.lit(name)).otherwise(key)
    return key


def line_rules(limits: Thresholds) -> Rules:
    n, r = nw.col("__n"), nw.col("__r")
    return [
        (n < 1, "prospect"),
        ((n < 2) & (r >= limits.awake), "new"),
        (r >= limits.awake, "active"),
        (r >= limits.drowsy, "drowsy"),
        (r >= limits.asleep, "half_asleep"),
    ]


def line_by_gaps(limits: Thresholds) -> Rules:
    n, silent = nw.col("__n"), nw.col("days_silent").fill_null(0.0)
    gap = nw.when(n >= 2).then(nw.col("mean_gap_days")).otherwise(nw.col(MEDIAN_GAP))
    ends = [silent <= gap * multiple for multiple in limits.gaps]
    return [
        (n < 1, "prospect"),
        ((n < 2) & ends[0], "new"),
        (ends[0], "active"),
        (ends[1], "drowsy"),
        (ends[2], "half_asleep"),
    ]


def phase_rules(limits: Thresholds, high: nw.Expr) -> Rules:
    n, r = nw.col("__n"), nw.col("__r")
    return [
        ((n < 1) | ((n < 2) & (r >= limits.awake)), "acquire"),
        ((n < 2) | (r < limits.asleep), "engage"),
        ((r >= limits.drowsy) & high, "grow"),
    ]


def segment_rules(limits: Thresholds, high: nw.Expr) -> Rules:
    n, r, alive = nw.col("__n"), nw.col("__r"), nw.col("p_alive").fill_null(0.0)
    return [
        (n < 1, "prospect"),
        ((r >= limits.awake) & (n >= 2) & high, "champion"),
        ((r >= limits.awake) & (n >= 2), "loyal"),
        (r >= limits.awake, "recent"),
        ((r >= limits.drowsy) & (high | (n >= limits.frequent)), "high_potential"),
        (r >= limits.drowsy, "need_nurturing"),
        (high & (n >= 2) & (alive >= limits.alive), "cannot_lose"),
        (r >= limits.asleep, "at_risk"),
    ]


def value_expr(frame: Frame) -> nw.Expr:
    """What high value is judged by: N · expected_spend, null for contacts; N without a spend model."""
    n = orders_made()
    value = (
        n * nw.col("expected_spend") if "expected_spend" in frame.collect_schema().names() else n
    )
    return nw.when(n >= 1).then(value)


def is_valuable(frame: Frame) -> nw.Expr:
    """Whether a customer is of high value, by the cut in the own row; false for contacts."""
    return (value_expr(frame) >= nw.col(HIGH_VALUE_CUT) * (1.0 - ROUNDING)).fill_null(False)


def with_cut(frame: Frame, limits: Thresholds) -> Frame:
    """The frame with the cut of high value that holds: that of the thresholds, or else the one its scores carry.

    Raises
    ------
    DataError
        If the scores of a buyer carry none.
    """
    if limits.high_value_cut is not None:
        return frame.with_columns(nw.lit(float(limits.high_value_cut)).alias(HIGH_VALUE_CUT))
    require_term(
        frame, HIGH_VALUE_CUT, "refit the model, or give the cut as Thresholds(high_value_cut=…)"
    )
    return frame


def with_facts(staged: Any, limits: Thresholds) -> Any:
    """The buyers of *staged* with what the rules read."""
    frame = open_frame(staged, NEEDED)
    frame = frame.filter(~nw.col(FREQUENCY).is_null())
    frame = with_cut(frame, limits)
    return frame.with_columns(
        __n=nw.col(FREQUENCY) + 1.0, __r=nw.col("activity_ratio"), __high=is_valuable(frame)
    )


def rules_by_taxonomy(limits: Thresholds) -> dict[str, nw.Expr]:
    """The place of a customer's stage in each taxonomy."""
    high = nw.col("__high")
    tests = {
        "line": (line_rules(limits), "asleep"),
        "phase": (phase_rules(limits, high), "retain"),
        "segment": (segment_rules(limits, high), "about_to_lose"),
    }
    out = {}
    for name, (rules, rest) in tests.items():
        place = {stage.key: i for i, stage in enumerate(TAXONOMIES[name])}
        out[name] = first_match([(holds, place[key]) for holds, key in rules], place[rest])
    return out


def explains(frame: Any, name: str, rule: nw.Expr) -> bool:
    """Whether the stages in the frame are those of the rule."""
    column = nw.col(column_of(name))
    place = first_match([(column == stage.key, i) for i, stage in enumerate(TAXONOMIES[name])], -1)
    other = nw.when(place != rule).then(nw.lit(1)).otherwise(nw.lit(0))
    return not collect(frame.select(other=other).select(nw.col("other").sum()))["other"].iloc[0]
