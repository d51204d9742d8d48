"""Plots for a notebook: tables or a model in, matplotlib Axes out; every function takes ``ax=``."""

from __future__ import annotations

from lifestage.plots.customers import plot_ltv_concentration, plot_ltv_distribution, plot_stages
from lifestage.plots.fit import plot_frequency_fit, plot_holdout_fit, plot_tracking
from lifestage.plots.forecasts import plot_drift, plot_reliability
from lifestage.plots.model import (
    plot_expected_purchases_matrix,
    plot_history_alive,
    plot_prior_predictive,
    plot_probability_alive_matrix,
)

__all__ = [
    "plot_drift",
    "plot_expected_purchases_matrix",
    "plot_frequency_fit",
    "plot_history_alive",
    "plot_holdout_fit",
    "plot_ltv_concentration",
    "plot_ltv_distribution",
    "plot_prior_predictive",
    "plot_probability_alive_matrix",
    "plot_reliability",
    "plot_stages",
    "plot_tracking",
]
