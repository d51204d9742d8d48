"""How well a model describes the past and foretold what came after."""

from __future__ import annotations

from lifestage.evaluate.backtesting import Backtest, backtest
from lifestage.evaluate.calibration import calibrate
from lifestage.evaluate.choice import Comparison, compare
from lifestage.evaluate.monitoring import Drift, drift
from lifestage.evaluate.tracking import frequency_fit, holdout_fit, tracking
from lifestage.evaluate.trust import Trust, put_to_test
from lifestage.leave_one_out import loo

__all__ = [
    "Backtest",
    "Comparison",
    "Drift",
    "Trust",
    "backtest",
    "calibrate",
    "compare",
    "drift",
    "frequency_fit",
    "holdout_fit",
    "loo",
    "put_to_test",
    "tracking",
]
