"""Bases whose future is known: what had happened by one day, and by a later one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

import lifestage as ls
from tests.benchmarks.simulate import DAYS, purchase_days
from tests.simulated import SPEND

WINDOW = 77.0


@dataclass(frozen=True)
class World:
    """One base seen on two days, *weeks* apart, and what was bought and spent between them."""

    now: ls.Summary
    then: ls.Summary
    purchases: int
    revenue: float


def world(n: int, seed: int, weeks: int = 13) -> World:
    """Customers of known parameters (those of CDNOW), who arrived over a year and a half."""
    rng = np.random.default_rng(seed)
    log = purchase_days(n, rng)
    until = DAYS - 7 * weeks
    spend = rng.gamma(SPEND["p"], log.mean_spend[log.owner] / SPEND["p"])
    known = log.first < until
    orders = pd.DataFrame({"customer_id": log.owner, "day": log.day, "spend": spend})
    orders = orders[known[log.owner]]
    between = orders[orders["day"] >= until]
    return World(
        _seen(orders, until), _seen(orders, DAYS), len(between), float(between["spend"].sum())
    )


def _seen(orders: pd.DataFrame, end: int) -> ls.Summary:
    """The base at the end of the day before *end*."""
    seen = orders[orders["day"] < end].sort_values(["customer_id", "day"])
    grouped = seen.groupby("customer_id")
    first, last, count, total = (
        grouped["day"].min(),
        grouped["day"].max(),
        grouped["day"].size(),
        grouped["spend"].sum() - grouped["spend"].first(),
    )
    table = pd.DataFrame(
        {
            "frequency": count - 1,
            "recency": (last - first) / 7.0,
            "T": (end - 1 - first) / 7.0,
            "monetary_value": (total / (count - 1).clip(lower=1))
            .where(count > 1, 0.0)
            .clip(lower=0.0),
        }
    ).reset_index()
    return ls.Summary.from_frame(table, period="week", stage_window=WINDOW)
