"""The backtest and the drift of a validation, as plain rows."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lifestage.core.plain import records

if TYPE_CHECKING:
    from lifestage.evaluate import Backtest, Drift, ValidationResult

__all__ = ["validation_facts"]


def validation_facts(result: ValidationResult | None) -> dict[str, Any] | None:
    """Its ``backtest`` and ``drift``, or None, and the ``reason`` why there is no backtest."""
    if result is None:
        return None
    return {
        "reason": result.reason,
        "backtest": None if result.backtest is None else _backtest(result.backtest),
        "drift": None if result.drift is None else _drift(result.drift),
    }


def _backtest(test: Backtest) -> dict[str, Any]:
    """Its tables; ``forecasts`` are means over the dates of the backtest."""
    scores = test.table.drop(columns=["origin", "is_model"])
    means = scores.groupby("forecast", sort=False).mean().reset_index()
    return {
        "horizon": test.horizon,
        "level": test.level,
        "grades": test.grades,
        "period": test.period.name,
        "origins": sorted(set(test.table["origin"])),
        "forecasts": records(means),
        "table": records(test.table),
        "differences": records(test.differences),
        "reliability": records(test.reliability),
        "tracking": records(test.tracking),
    }


def _drift(drift: Drift) -> dict[str, Any]:
    return {
        "level": drift.level,
        "signals": list(map(asdict, drift.signals)),
        "table": records(drift.table),
        "cohorts": records(drift.cohorts),
    }
