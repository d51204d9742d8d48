"""The customers of a base as arrays: histories, groups by stage, and the cut of high value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

from lifestage.core.names import CUSTOMER, FREQUENCY, HIGH_VALUE_CUT, KEYS, MONETARY
from lifestage.data.engines.frames import ENGINES, lazy, to_pandas
from lifestage.data.engines.operations import hash_sample
from lifestage.lifecycle.frames import constant, open_frame
from lifestage.lifecycle.stages.rules import TIE_TOLERANCE, with_buyer_facts

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from lifestage.core.typing import Floats
    from lifestage.lifecycle.stages.taxonomies import Taxonomy
    from lifestage.lifecycle.stages.thresholds import Thresholds

__all__ = ["Base", "read_base"]


@dataclass(frozen=True, eq=False)
class Base:
    """Customers as arrays of shape (n,).

    Attributes
    ----------
    x, t_x, T : repeat purchases, recency and time observed (periods)
    money : total spend of the repeat purchases
    group : the combination of today's stages that they stand in, 0, 1, …
    high_value : the value from which a customer is of high value
    window : stage window, days
    """

    x: Floats
    t_x: Floats
    T: Floats
    money: Floats
    group: NDArray[np.int64]
    high_value: float
    window: float


def read_base(
    staged: Any,
    taxonomies: Sequence[Taxonomy],
    limits: Thresholds,
    sample: int | None = None,
    seed: int = 0,
) -> tuple[pd.DataFrame, Base, int]:
    """Read the buyers of a staged table, or a random sample of them, in pandas and as arrays.

    The third result is the number of buyers before sampling. Groups follow the sorted combinations
    of the stage columns.
    """
    high_value = constant(with_buyer_facts(staged, taxonomies, limits), HIGH_VALUE_CUT)
    window = constant(open_frame(staged, ("stage_window_days",)), "stage_window_days")
    table, kind = lazy(staged)
    stages = [taxonomy.column for taxonomy in taxonomies]
    money = [MONETARY] if MONETARY in table.collect_schema().names() else []
    buyers = table.filter(~nw.col(FREQUENCY).is_null()).select(CUSTOMER, *KEYS, *money, *stages)
    total = int(to_pandas(buyers.select(nw.len().alias("n")))["n"].iloc[0])
    if sample is not None and kind in ENGINES:
        buyers = hash_sample(buyers, CUSTOMER, max(1, total // (2 * sample)))
    customers = to_pandas(buyers)
    if sample is not None and len(customers) > sample:
        rows = np.random.default_rng(seed).choice(len(customers), sample, replace=False)
        customers = customers.iloc[np.sort(rows)]
    x, t_x, T = (customers[name].to_numpy(float) for name in KEYS)
    mean = customers[MONETARY].to_numpy(float) if money else np.zeros(x.size)
    group = np.asarray(customers.groupby(stages, sort=True, observed=True).ngroup(), np.int64)
    base = Base(x, t_x, T, x * mean, group, high_value * (1.0 - TIE_TOLERANCE), window)
    return customers, base, total
