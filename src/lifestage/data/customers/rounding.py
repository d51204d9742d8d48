"""Round times to a resolution, so that more customers share a history."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import narwhals as nw

from lifestage.core.errors import ConfigError
from lifestage.core.names import FREQUENCY, RECENCY, T

if TYPE_CHECKING:
    from lifestage.core.period import Period

__all__ = ["round_times"]


def round_times(table: nw.LazyFrame[Any], resolution: float, period: Period) -> nw.LazyFrame[Any]:
    """Round recency and T to whole multiples of *resolution* days.

    Recency and T of a repeat buyer are at least one multiple.

    Raises
    ------
    ConfigError
        If the resolution is not a number above 0.
    """
    if not (math.isfinite(resolution) and resolution > 0):
        raise ConfigError(f"resolution must be a number of days above 0; got {resolution}")
    step = resolution / period.days
    least = nw.when(nw.col(FREQUENCY) > 0).then(nw.lit(step)).otherwise(nw.lit(0.0))
    rounded = {}
    for name in (RECENCY, T):
        multiple = (nw.col(name) / step).round(0) * step
        rounded[name] = nw.max_horizontal(multiple, least)
    return table.with_columns(**rounded)
