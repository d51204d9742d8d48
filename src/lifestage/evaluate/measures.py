"""Measures of one forecast over a customer base, and the losses of each customer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from lifestage.evaluate import scoring_rules
from lifestage.numerics import statistics

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from lifestage.core.typing import Floats

__all__ = ["calibration_error", "customer_losses", "forecast_measures", "tracking_error"]


MEASURES = (
    *("mae", "rmse", "bias", "revenue_mae", "revenue_bias"),
    *("buyers", "log_loss", "brier", "auc", "crps", "spend_crps"),
    *("coverage", "spend_coverage", "lift", "gini", "top_share"),
)
"""In the order of the columns of a backtest."""


def forecast_measures(forecast: Mapping[str, Floats], table: pd.DataFrame) -> dict[str, float]:
    """Measures of a forecast against the outcomes of a table; NaN where it forecasts no such thing.

    Parameters
    ----------
    forecast : mapping of arrays
        As from :func:`lifestage.evaluate.forecasts.model_forecast` or a baseline.
    table : pandas.DataFrame
        Outcomes of the customers, ``purchases`` and ``spent``, in the order of the forecast.
    """
    actual, spent = table["purchases"].to_numpy(float), table["spent"].to_numpy(float)
    bought = (actual > 0).astype(float)
    measures: dict[str, float] = {"customers": len(table)}
    measures |= dict.fromkeys(MEASURES, math.nan)
    measures["buyers"] = float(bought.mean())
    if "purchases" in forecast:
        expected = forecast["purchases"]
        measures["mae"] = scoring_rules.mean_absolute_error(expected, actual)
        measures["rmse"] = scoring_rules.root_mean_square_error(expected, actual)
        measures["bias"] = scoring_rules.bias(expected, actual)
    if "probability" in forecast:
        measures["log_loss"] = statistics.log_loss(forecast["probability"], bought)
        measures["brier"] = scoring_rules.brier(forecast["probability"], bought)
    if "score" in forecast:
        measures["auc"] = scoring_rules.area_under_curve(forecast["score"], bought)
    for name in ("crps", "spend_crps"):
        if name in forecast:
            measures[name] = float(forecast[name].mean())
    if "low" in forecast:
        measures["coverage"] = scoring_rules.coverage(forecast["low"], forecast["high"], actual)
    if "spend_low" in forecast:
        ends = forecast["spend_low"], forecast["spend_high"]
        measures["spend_coverage"] = scoring_rules.coverage(*ends, spent)
    if "revenue" in forecast:
        revenue = forecast["revenue"]
        measures["revenue_mae"] = scoring_rules.mean_absolute_error(revenue, spent)
        measures["revenue_bias"] = scoring_rules.bias(revenue, spent)
        measures["lift"] = scoring_rules.lift(revenue, spent)
        measures["gini"] = scoring_rules.gini(revenue, spent)
        measures["top_share"] = scoring_rules.top_share(revenue, spent)
    return measures


def customer_losses(forecast: Mapping[str, Floats], table: pd.DataFrame) -> dict[str, Floats]:
    """Losses per customer: absolute error of purchases, and log-loss of any purchase."""
    actual = table["purchases"].to_numpy(float)
    losses = {}
    if "purchases" in forecast:
        losses["purchases"] = np.abs(forecast["purchases"] - actual)
    if "probability" in forecast:
        losses["log_loss"] = statistics.log_losses(forecast["probability"], actual > 0)
    return losses


def calibration_error(bins: pd.DataFrame) -> float:
    """Mean distance of predicted probability and observed share over the bins of a table."""
    distance = (bins["predicted"] - bins["observed"]).abs()
    return float(np.average(distance, weights=bins["customers"]))


def tracking_error(curve: pd.DataFrame) -> float:
    """Mean of |expected − actual| ÷ actual over the points of a curve with any purchase."""
    started = curve[curve["actual"] > 0]
    return float(((started["expected"] - started["actual"]).abs() / started["actual"]).mean())
