"""Stages of the customer life cycle, flags, value tiers, and the metrics and formulas of a base."""

from __future__ import annotations

from lifestage.lifecycle.assign import STAGE_COLUMNS, assign_stages
from lifestage.lifecycle.formulas import lifespan_years, ltv_base, ltv_simple, ltv_with_margin
from lifestage.lifecycle.metrics import METRICS, base_metrics, metric_changes
from lifestage.lifecycle.risk import at_risk_list
from lifestage.lifecycle.stage_counts import stage_counts
from lifestage.lifecycle.stage_table import stage_table
from lifestage.lifecycle.taxonomies import LANGUAGES, TAXONOMIES, Stage, label, stage
from lifestage.lifecycle.thresholds import Thresholds
from lifestage.lifecycle.tiers import TIERS, assign_tiers

__all__ = [
    "LANGUAGES",
    "METRICS",
    "STAGE_COLUMNS",
    "TAXONOMIES",
    "TIERS",
    "Stage",
    "Thresholds",
    "assign_stages",
    "assign_tiers",
    "at_risk_list",
    "base_metrics",
    "label",
    "lifespan_years",
    "ltv_base",
    "ltv_simple",
    "ltv_with_margin",
    "metric_changes",
    "stage",
    "stage_counts",
    "stage_table",
]
