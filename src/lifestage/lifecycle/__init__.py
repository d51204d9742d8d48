"""Stages of the customer life cycle, flags, value tiers, and the metrics and formulas of a base."""

from __future__ import annotations

from lifestage.lifecycle.acquire import acquisition_limits, payback
from lifestage.lifecycle.assign import STAGE_COLUMNS, assign_stages
from lifestage.lifecycle.chances import stage_probabilities
from lifestage.lifecycle.contact import allocate_budget, break_even
from lifestage.lifecycle.experiments import assign_experiment, sample_size
from lifestage.lifecycle.forecast import StageForecast, stage_forecast
from lifestage.lifecycle.formulas import lifespan_years, ltv_base, ltv_simple, ltv_with_margin
from lifestage.lifecycle.groups import by_group, group_totals
from lifestage.lifecycle.hysteresis import steady_stages
from lifestage.lifecycle.metrics import METRICS, base_metrics, metric_changes
from lifestage.lifecycle.migration import ltv_change, moved_customers, stage_migration
from lifestage.lifecycle.playbook import Playbook, read_playbook
from lifestage.lifecycle.readout import read_experiment
from lifestage.lifecycle.realised import realised_repurchase
from lifestage.lifecycle.regularity import Regularity, purchase_windows, regularity
from lifestage.lifecycle.risk import at_risk_list
from lifestage.lifecycle.silence import silent_dates
from lifestage.lifecycle.stage_counts import stage_counts
from lifestage.lifecycle.stage_table import check_taxonomy, stage_table
from lifestage.lifecycle.suggest import SuggestedThresholds, suggest_thresholds
from lifestage.lifecycle.taxonomies import LANGUAGES, TAXONOMIES, Stage, label, stage
from lifestage.lifecycle.thresholds import Thresholds
from lifestage.lifecycle.tiers import TIERS, assign_tiers
from lifestage.lifecycle.touch import touch_schedule

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
    "assign_experiment",
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
    "read_experiment",
    "read_playbook",
    "realised_repurchase",
    "regularity",
    "sample_size",
    "silent_dates",
    "stage",
    "stage_counts",
    "stage_forecast",
    "stage_migration",
    "stage_probabilities",
    "stage_table",
    "steady_stages",
    "suggest_thresholds",
    "touch_schedule",
]
