"""Validation of a run's model: a backtest, and drift where the log goes on after the fit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.core.errors import DataError, FitError
from lifestage.data.customers.order_log import LogOptions, order_log
from lifestage.data.customers.splits import HORIZON_SHARE
from lifestage.evaluate.backtest import Backtest, BacktestOptions, backtest_log
from lifestage.evaluate.drift import Drift, drift_since

if TYPE_CHECKING:
    from lifestage.data.customers.summary import Summary
    from lifestage.model import LTVModel

__all__ = ["ValidationResult", "validate"]

DEFAULT_ORIGINS = 2

MAX_TESTED_CUSTOMERS = 100_000
"""Larger bases are tested on request only: a test holds one row per customer in memory."""

MIN_WHOLE_PERIODS = 4
"""Longer horizons are whole numbers of periods."""

MIN_LATER = timedelta(days=28)
"""Length of the log after the last day of the fit from which it is the test."""


@dataclass(frozen=True, eq=False)
class ValidationResult:
    """Results of a validation.

    Attributes
    ----------
    backtest : Backtest or None
    drift : Drift or None
        Of the model since its last day, where the log goes on.
    reason : str or None
        Why there is no backtest.
    """

    backtest: Backtest | None = None
    drift: Drift | None = None
    reason: str | None = None


def validate(
    orders: Any,
    customers: Summary,
    model: LTVModel,
    summarize_options: dict[str, Any],
    *,
    origins: int | None = None,
    seed: int = 0,
) -> ValidationResult | None:
    """Test a model on the log that it was fitted on.

    Where the log goes on for four weeks or more after the last day of *customers*, that day is the
    origin of the backtest, and the model itself is compared with what customers did since.
    Otherwise the family is fitted again at past dates, with a horizon of a quarter of the log.

    Parameters
    ----------
    orders : frame
        The log; it is read again.
    customers : Summary
        The customers that the model was fitted on.
    model : LTVModel
        The model.
    summarize_options : dict
        Arguments of :func:`lifestage.summarize` other than ``until``.
    origins : int, optional
        Number of origins; 0 for no test. If left out, 2 up to 100,000 customers and 0 beyond.
    seed : int
        Random seed.

    Returns
    -------
    ValidationResult or None
        None where no test is wanted. A log that is too short, or a family that cannot be fitted at
        the origins, is a ``reason`` and no error.

    Examples
    --------
    >>> import lifestage as ls
    >>> orders = ls.datasets.cdnow()
    >>> customers = ls.summarize(orders, period="week")
    >>> model = ls.fit(customers, spend=None)
    >>> ls.evaluate.validate(orders, customers, model, {"period": "week"}, origins=1).reason is None
    True
    """
    if origins is None:
        origins = DEFAULT_ORIGINS if customers.customers <= MAX_TESTED_CUSTOMERS else 0
    if not origins or customers.until is None or customers.calendar is None:
        return None
    observed = customers.until - min(customers.calendar["day"])
    later = timedelta(0)
    if customers.holdout_end is not None:
        later = min(customers.holdout_end - customers.until, 2 * observed)
    goes_on = later >= MIN_LATER
    horizon = later if goes_on else HORIZON_SHARE * observed
    try:
        if horizon < MIN_LATER / 2:
            raise DataError(f"expected 8 weeks of orders or more; got {observed.days} days")
        options = BacktestOptions(
            horizon=_periods(horizon, model),
            origins=[customers.until] if goes_on else origins,
            families=[model.purchases.family],
            spend=None if model.spend is None else model.spend.family,
            # an approximation of the same posterior, in seconds
            method="laplace" if model.purchases.method == "nuts" else model.purchases.method,
            recalibrate=model.calibration is not None,
            seed=seed,
        )
        with order_log(orders, LogOptions(**summarize_options)) as log:
            backtest = backtest_log(log, options)
            drift = drift_since(model, customers, log, seed=seed) if goes_on else None
        return ValidationResult(backtest, drift)
    except (DataError, FitError) as error:
        return ValidationResult(reason=str(error))


def _periods(horizon: timedelta, model: LTVModel) -> float:
    periods = horizon / timedelta(days=model.period.days)
    return float(np.floor(periods)) if periods >= MIN_WHOLE_PERIODS else periods
