"""A random sample of the buyers of a large table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw

from lifestage.core.names import FREQUENCY
from lifestage.data.engines.frames import lazy, to_pandas
from lifestage.data.engines.operations import sample_customers

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["sample_buyers"]


def sample_buyers(frame: Any, size: int) -> tuple[pd.DataFrame, int]:
    """The buyers in a table, or about *size* of them at random, in pandas; and their number."""
    buyers = lazy(frame)[0].filter(~nw.col(FREQUENCY).is_null())
    count = int(to_pandas(buyers.select(nw.len().alias("n")))["n"].iloc[0])
    return sample_customers(buyers, count, size), count
