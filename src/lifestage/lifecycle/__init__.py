"""Stages of the customer life cycle, their forecast, flags, value tiers, metrics and campaigns."""

from __future__ import annotations

from lifestage.lifecycle.campaigns.acquisition import acquisition_limits, payback
from lifestage.lifecycle.campaigns.experiments import randomize, sample_size
from lifestage.lifecycle.campaigns.readout import analyze_experiment
from lifestage.lifecycle.campaigns.targeting import allocate_budget, break_even
from lifestage.lifecycle.forecast.probabilities import stage_probabilities
from lifestage.lifecycle.forecast.silence import stage_entry_dates
from lifestage.lifecycle.forecast.stage_forecast import StageForecast, stage_forecast
from lifestage.lifecycle.metrics.base_metrics import METRICS, base_metrics, metric_changes
from lifestage.lifecycle.metrics.formulas import (
    lifespan_years,
    ltv_base,
    ltv_simple,
    ltv_with_margin,
)
from lifestage.lifecycle.metrics.groups import by_group, group_totals
from lifestage.lifecycle.metrics.ltv_change import ltv_change
from lifestage.lifecycle.metrics.migration import moved_customers, stage_migration
from lifestage.lifecycle.metrics.realised import realised_repurchase
from lifestage.lifecycle.metrics.regularity import (
    Regularity,
    purchase_windows,
    regularity,
)
from lifestage.lifecycle.metrics.repurchase_curve import repurchase_curve
from lifestage.lifecycle.stages.assign import STAGE_COLUMNS, assign_stages
from lifestage.lifecycle.stages.counts import stage_counts
from lifestage.lifecycle.stages.flags import at_risk_list
from lifestage.lifecycle.stages.playbook import Playbook, read_playbook
from lifestage.lifecycle.stages.smoothing import smooth_stages
from lifestage.lifecycle.stages.suggest import SuggestedThresholds, suggest_thresholds
from lifestage.lifecycle.stages.table import check_taxonomy, stage_table
from lifestage.lifecycle.stages.taxonomies import (
    LANGUAGES,
    TAXONOMIES,
    Stage,
    label,
    stage,
)
from lifestage.lifecycle.stages.thresholds import Thresholds
from lifestage.lifecycle.stages.tiers import TIERS, assign_tiers

__all__ = [
    "LANGUAGES",
    "METRICS",
    "STAGE_COLUMNS",
    "TAXONOMIES",
    "TIERS",
    "Playbook",
    "Regularity",
    "Stage",
    "StageForecast",
    "SuggestedThresholds",
    "Thresholds",
    "acquisition_limits",
    "allocate_budget",
    "analyze_experiment",
    "assign_stages",
    "assign_tiers",
    "at_risk_list",
    "base_metrics",
    "break_even",
    "by_group",
    "check_taxonomy",
    "group_totals",
    "label",
    "lifespan_years",
    "ltv_base",
    "ltv_change",
    "ltv_simple",
    "ltv_with_margin",
    "metric_changes",
    "moved_customers",
    "payback",
    "purchase_windows",
    "randomize",
    "read_playbook",
    "realised_repurchase",
    "regularity",
    "repurchase_curve",
    "sample_size",
    "smooth_stages",
    "stage",
    "stage_counts",
    "stage_entry_dates",
    "stage_forecast",
    "stage_migration",
    "stage_probabilities",
    "stage_table",
    "suggest_thresholds",
]
