"""Metrics compared with an earlier run, and LTV by formula beside the model's, as plain dicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lifestage.core.plain import records
from lifestage.lifecycle.metrics.base_metrics import METRICS, metric_changes
from lifestage.lifecycle.metrics.formulas import YEAR_DAYS, ltv_base, ltv_simple, ltv_with_margin

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["change_facts", "formula_facts"]


def change_facts(metrics: Any, previous: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Every metric's change since the run before; empty where it has none to compare with."""
    import pandas as pd

    before = pd.DataFrame((previous or {}).get("metrics") or [])
    if any(name not in before for name in ("scope", "group", *METRICS)):
        return []
    return records(metric_changes(metrics, before.astype(dict.fromkeys(METRICS, float))))


def formula_facts(
    metrics: Mapping[str, Any], terms: Mapping[str, float], cac: float | None
) -> dict[str, Any] | None:
    """LTV per customer by formula beside the model's; ``gaps`` are formula ÷ model − 1."""
    value, rate = metrics["average_order_value"], metrics["purchases_per_year"]
    if value is None or value < 0 or rate is None:
        return None
    years, model = metrics["lifespan_years"], metrics["ltv"]
    horizon_years, margin = terms["horizon_days"] / YEAR_DAYS, terms["margin"]
    formulas = {"same_horizon": ltv_with_margin(value, rate, horizon_years, margin)}
    if years is not None:
        formulas["simple"] = ltv_simple(value, rate, years)
        formulas["with_margin"] = ltv_with_margin(value, rate, years, margin)
        formulas["base"] = ltv_base(
            value * rate, metrics["customers"], years, cac or 0.0, scope="customer"
        )
    gaps = {name: ltv / model - 1 if model else None for name, ltv in formulas.items()}
    return {
        "model": model,
        **formulas,
        "horizon_years": horizon_years,
        "lifespan_years": years,
        "cac": cac,
        "gaps": gaps,
    }
