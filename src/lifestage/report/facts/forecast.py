"""The forecast of the stages and totals over the horizon, as plain rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lifestage.core.plain import records
from lifestage.lifecycle.forecast.stage_forecast import stage_forecast

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from lifestage.lifecycle.stages.playbook import Playbook
    from lifestage.lifecycle.stages.thresholds import Thresholds
    from lifestage.model import LTVModel

__all__ = ["forecast_facts"]

POINTS = 12
"""Points in time over the horizon; the stages are kept at every third of them."""

SCENARIOS = 200

SUMS = ("customers", "past_revenue", "purchases", "revenue", "ltv")
"""Beginnings of the columns that add up over customers."""


def forecast_facts(
    model: LTVModel,
    staged: Any,
    terms: Mapping[str, float],
    scale: float,
    thresholds: Thresholds | None,
    playbook: Playbook | None = None,
) -> dict[str, Any]:
    """The stage forecast of *staged*, its sums times *scale* (customers per sampled one)."""
    forecast = stage_forecast(
        model,
        staged,
        horizon=terms["horizon"],
        level=terms["level"],
        points=POINTS,
        scenarios=SCENARIOS,
        thresholds=thresholds,
        playbook=playbook,
    )
    stages = _scaled(forecast.stages, scale)
    moves = _scaled(forecast.transitions, scale)
    totals = _scaled(forecast.totals, scale)
    times = sorted(totals["periods"])[POINTS // 4 - 1 :: POINTS // 4]
    moves = moves[(moves["periods"] == times[-1]) & (moves["customers"] > 0)]
    return {
        "stages": records(stages[stages["periods"].isin(times)]),
        "transitions": records(moves),
        "totals": records(totals),
        "scenarios": forecast.scenarios,
        "sample": forecast.sample,
    }


def _scaled(table: pd.DataFrame, scale: float) -> pd.DataFrame:
    """Sums over a sample as sums over the customer base."""
    table = table.copy()
    for name in table.columns:
        if str(name).startswith(SUMS):
            table[name] = table[name] * scale
    return table
