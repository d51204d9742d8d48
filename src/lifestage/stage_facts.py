"""What the stages compare a customer with, measured on the base that a model is fitted on and carried by the model.

Were it measured on the customers at hand, a customer's stage would depend on who else is scored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lifestage.distinct import weighted_quantile
from lifestage.errors import ConfigError

if TYPE_CHECKING:
    from lifestage.model import LTVModel
    from lifestage.tables import Counts

__all__ = [
    "HIGH_VALUE",
    "StageFacts",
    "check_share",
    "measure_stage_facts",
    "read_stage_facts",
]

Floats = NDArray[np.float64]

HIGH_VALUE = 0.80
"""Share of the buyers of a base that lie below the cut of high value."""

PERCENTS = np.arange(1, 100)
"""Quantiles that are kept: the ends are left out, for they are single customers."""


@dataclass(frozen=True)
class StageFacts:
    """What the stages compare a customer with.

    Attributes
    ----------
    value_percentiles : tuple of 99 floats
        The 1st to 99th percentile, over the buyers, of purchase days × expected spend (money; purchase days alone
        without a spend model), linear between the two nearest customers.
    median_gap_days : float or None
        Median over the repeat buyers of their mean gap between purchase days; None without any.
    """

    value_percentiles: tuple[float, ...]
    median_gap_days: float | None

    def high_value_cut(self, share: float = HIGH_VALUE) -> float:
        """Purchase days × expected spend that this share of the buyers of the fitted base lies below.

        From here on a customer is of high value. Money, or purchase days without a spend model.

        Raises
        ------
        ConfigError
            If the share is not a whole number of percent from 0.01 to 0.99.

        Examples
        --------
        >>> import lifestage as ls
        >>> customers = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
        >>> round(ls.fit(customers).high_value_cut(0.8), 2)
        82.95
        """
        percent = check_share(share)
        return float(self.value_percentiles[percent - 1])


def read_stage_facts(raw: Mapping[str, Any] | None) -> StageFacts | None:
    """The record that ``dataclasses.asdict`` made, after JSON."""
    return None if raw is None else StageFacts(tuple(raw["value_percentiles"]), raw["median_gap_days"])


def check_share(share: float) -> int:
    """The percent that a share of high value stands for.

    Raises
    ------
    ConfigError
        If it is not a whole number of percent from 0.01 to 0.99.
    """
    known = isinstance(share, int | float | np.number) and 0.005 < share < 0.995
    percent = round(100 * share) if known else 0
    if not known or abs(100 * share - percent) > 1e-9:
        raise ConfigError(f"high_value must be a share from 0.01 to 0.99 in whole percents; got {share!r}")
    return percent


def measure_stage_facts(model: LTVModel, counts: Counts, draws: int) -> StageFacts:
    """Measure the base that a model was fitted on, under at most so many draws of its parameters."""
    buyers = counts.x > 0
    gap = None
    if buyers.any():
        gaps = counts.t_x[buyers] / counts.x[buyers] * model.period.days
        gap = float(weighted_quantile(gaps, counts.weight[buyers], 0.5))
    values, weights = _values(model.thinned(draws), counts)
    return StageFacts(tuple(weighted_quantile(values, weights, PERCENTS / 100).tolist()), gap)


def _values(model: LTVModel, counts: Counts) -> tuple[Floats, Floats]:
    """Distinct values, purchase days × expected spend, and how many buyers have each."""
    from lifestage.value import spend_line

    x, place = np.unique(counts.x, return_inverse=True)
    people = np.bincount(place, counts.weight)
    if model.spend is None:
        return x + 1.0, people
    # the spends that are counted leave out a mean of 0: those of one-time buyers, and of repeat buyers who paid nothing
    unpaid = people - np.bincount(np.searchsorted(x, counts.spend_x), counts.spend_weight, minlength=x.size)
    x = np.concatenate([x, counts.spend_x])
    money = np.concatenate([np.zeros(unpaid.size), counts.spend_m])
    weights = np.concatenate([unpaid, counts.spend_weight])
    intercept, slope = (line.mean(axis=0) for line in spend_line(model, x))
    some = weights > 0
    return ((x + 1.0) * (intercept + slope * money))[some], weights[some]
