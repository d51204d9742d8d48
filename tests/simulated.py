"""Bases with a known truth, made by plain numpy and not by the package."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

BGNBD = {"r": 0.2426, "alpha": 4.4136, "a": 0.7929, "b": 2.4259}
SPEND = {"p": 6.25, "q": 3.74, "v": 15.44}


@dataclass(frozen=True)
class Base:
    """Customers observed for T, what they did before and after, and what they are."""

    table: pd.DataFrame
    future_purchases: NDArray[np.float64]
    future_spend: NDArray[np.float64]
    alive: NDArray[np.bool_]


def simulate_base(
    n: int,
    *,
    seed: int,
    horizon: float = 39.0,
    params: dict[str, float] | None = None,
    spend: dict[str, float] | None = None,
    longest: float = 39.0,
    first_dropout: bool = False,
) -> Base:
    """Simulate *n* customers one by one: Poisson purchases, a dropout coin after each, gamma spends."""
    rng = np.random.default_rng(seed)
    params, spend = params or BGNBD, spend or SPEND
    rate = rng.gamma(params["r"], 1 / params["alpha"], n)
    chance = rng.beta(params["a"], params["b"], n)
    nu = rng.gamma(spend["q"], 1 / spend["v"], n)
    observed = rng.uniform(longest - 12, longest, n)
    rows, purchases, money, living = [], np.zeros(n), np.zeros(n), np.zeros(n, bool)
    for i in range(n):
        x, last, clock = 0, 0.0, 0.0
        spent = 0.0
        alive_at_T = True
        gone = first_dropout and rng.random() < chance[i]
        if gone:
            alive_at_T = False
        while not gone:
            clock += rng.exponential(1 / max(rate[i], 1e-300))
            if clock > observed[i] + horizon:
                break
            amount = rng.gamma(spend["p"], 1 / nu[i])
            if clock <= observed[i]:
                x, last, spent = x + 1, clock, spent + amount
            else:
                purchases[i] += 1
                money[i] += amount
            gone = rng.random() < chance[i]
            if gone and clock <= observed[i]:
                alive_at_T = False
        living[i] = alive_at_T
        rows.append((i, x, last, observed[i], spent / x if x else 0.0))
    table = pd.DataFrame(rows, columns=["customer_id", "frequency", "recency", "T", "monetary_value"])
    return Base(table, purchases, money, living)
