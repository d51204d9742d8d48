"""Put the model of a run to the test: on days of the past, and where the log goes on, on what came after."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.core.errors import DataError, FitError
from lifestage.data.customers.order_log import LogOptions, order_log
from lifestage.data.customers.splits import SHARE
from lifestage.evaluate.backtest import Backtest, backtest_log
from lifestage.evaluate.drift import Drift, drift_since

if TYPE_CHECKING:
    from lifestage.data.customers.summary import Summary
    from lifestage.model import LTVModel

__all__ = ["ValidationResult", "validate"]

ORIGINS = 2
"""Days to stand at where none is asked for."""

MOST = 100_000
"""Customers up to which a test is made unasked: it holds a row a customer in memory."""

WHOLE = 4
"""Periods from which on a horizon is made of whole ones."""

SHORTEST = timedelta(days=28)
"""What must have come after the last day to be tested on."""


@dataclass(frozen=True, eq=False)
class ValidationResult:
    """What became of the tests: a backtest, what came since the fit, and why there is no backtest."""

    backtest: Backtest | None = None
    drift: Drift | None = None
    reason: str | None = None


def validate(
    orders: Any,
    customers: Summary,
    model: LTVModel,
    log: dict[str, Any],
    *,
    origins: int | None = None,
    seed: int = 0,
) -> ValidationResult | None:
    """Test a model on the log it was made of; None where no test is wanted.

    Where the log goes on for four weeks or more after the last day of *customers*, that day is the
    one to stand at, and the model itself is held against what came. Else the family is fitted again
    at days of the past, a quarter of what was observed apart.

    Parameters
    ----------
    orders : frame
        The log, which is read anew.
    customers : Summary
        What the model was fitted on.
    model : LTVModel
    log : dict
        Arguments of :func:`lifestage.summarize` other than ``until``.
    origins : int, optional
        Days of the past to stand at; 0 for no test. If left out, 2 up to 100,000 customers and 0
        beyond.
    seed : int

    Returns
    -------
    ValidationResult or None
        A log that is too short, or days at which nothing can be fitted, are a ``reason`` and no
        error.
    """
    wanted = (ORIGINS if customers.customers <= MOST else 0) if origins is None else origins
    if not wanted or customers.until is None or customers.calendar is None:
        return None
    first, end = min(customers.calendar["day"]), customers.holdout_end
    observed = customers.until - first
    later = min(end - customers.until, 2 * observed) if end is not None else timedelta(0)
    known = later >= SHORTEST
    ahead = later if known else SHARE * observed
    periods = ahead / timedelta(days=model.period.days)
    part = model.purchases
    how: dict[str, Any] = {
        "horizon": np.floor(periods) if periods >= WHOLE else periods,
        "origins": [customers.until] if known else wanted,
        "families": [part.family],
        "spend": None if model.spend is None else model.spend.family,
        "method": "laplace" if part.method == "nuts" else part.method,
        "recalibrate": model.calibration is not None,
        "seed": seed,
    }
    try:
        if ahead < SHORTEST / 2:
            raise DataError(f"expected 8 weeks of orders or more; got {observed.days} days")
        with order_log(orders, LogOptions(**log)) as read:
            tested = backtest_log(read, **how)
            since = drift_since(model, customers, read, seed=seed) if known else None
        return ValidationResult(tested, since)
    except (DataError, FitError) as error:
        return ValidationResult(reason=str(error))
