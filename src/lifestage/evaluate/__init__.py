"""How good a model's forecasts are: backtest, drift, fit checks, comparison, recalibration."""

from __future__ import annotations

from lifestage.evaluate.backtest import Backtest, backtest
from lifestage.evaluate.drift import Drift, drift
from lifestage.evaluate.fit_checks import frequency_fit, holdout_fit, tracking
from lifestage.evaluate.recalibrate import calibrate
from lifestage.evaluate.validation import ValidationResult, validate
from lifestage.fitting.loo import loo
from lifestage.fitting.selection import Comparison, compare

__all__ = [
    "Backtest",
    "Comparison",
    "Drift",
    "ValidationResult",
    "backtest",
    "calibrate",
    "compare",
    "drift",
    "frequency_fit",
    "holdout_fit",
    "loo",
    "tracking",
    "validate",
]
