"""What the stages compare a customer with, measured on the base that a model is fitted on.

Were it measured on the customers at hand, a customer's stage would depend on who else is scored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lifestage.core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["HIGH_VALUE", "StageFacts", "check_share", "read_stage_facts"]


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
        The 1st to 99th percentile, over the buyers, of purchase days × expected spend (money;
        purchase days alone without a spend model), linear between the two nearest customers.
    median_gap_days : float or None
        Median over the repeat buyers of their mean gap between purchase days; None without any.
    """

    value_percentiles: tuple[float, ...]
    median_gap_days: float | None

    def high_value_cut(self, share: float = HIGH_VALUE) -> float:
        """Purchase days × expected spend below which this share of the fitted buyers lies.

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
    return (
        None if raw is None else StageFacts(tuple(raw["value_percentiles"]), raw["median_gap_days"])
    )


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
        raise ConfigError(
            f"high_value must be a share from 0.01 to 0.99 in whole percents; got {share!r}"
        )
    return percent
