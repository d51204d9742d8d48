"""The 1/10 CDNOW sample as customers, worked out in plain pandas from the copy that lifetimes ships."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

UNTIL = pd.Timestamp("1997-09-30")
HOLDOUT_END = pd.Timestamp("1998-06-30")


@cache
def orders() -> pd.DataFrame:
    """One row a customer and purchase day: ``customer``, ``day`` and the ``spend`` of that day."""
    spec = find_spec("lifetimes")
    assert spec is not None
    assert spec.origin is not None
    source = Path(spec.origin).parent / "datasets" / "CDNOW_sample.txt"
    names = ["master", "customer", "day", "quantity", "spend"]
    log = pd.read_csv(
        source, sep=r"\s+", names=names, dtype={"master": str, "customer": str, "day": str}
    )
    log["day"] = pd.to_datetime(log["day"], format="%Y%m%d")
    return log.groupby(["customer", "day"], as_index=False)["spend"].sum()


@cache
def customers() -> pd.DataFrame:
    """``x``, ``t_x``, ``T`` in weeks, mean spend ``m`` of repeat days, and purchase days ``holdout``; by customer."""
    days = orders()
    seen = days[days["day"] <= UNTIL].copy()
    first = seen.groupby("customer")["day"].transform("min")
    repeats = seen[seen["day"] > first]
    table = seen.groupby("customer")["day"].agg(first="min", last="max", bought="size")
    out = pd.DataFrame(
        {
            "x": table["bought"] - 1.0,
            "t_x": (table["last"] - table["first"]).dt.days / 7.0,
            "T": (UNTIL - table["first"]).dt.days / 7.0,
            "m": repeats.groupby("customer")["spend"].mean(),
            "holdout": days[(days["day"] > UNTIL) & (days["day"] <= HOLDOUT_END)]
            .groupby("customer")
            .size(),
        }
    )
    return out.assign(m=out["m"].fillna(0.0), holdout=out["holdout"].fillna(0.0).astype(np.int64))
