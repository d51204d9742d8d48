"""Bases with a known truth, made by plain numpy and not by the package."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
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
    table = pd.DataFrame(
        rows, columns=["customer_id", "frequency", "recency", "T", "monetary_value"]
    )
    return Base(table, purchases, money, living)


def simulate_table(n: int, *, seed: int, longest: float = 39.0) -> pd.DataFrame:
    """Histories of *n* customers as those of :func:`simulate_base`, purchase by purchase for all customers at once."""
    rng = np.random.default_rng(seed)
    rate, dropout = (
        rng.gamma(BGNBD["r"], 1 / BGNBD["alpha"], n),
        rng.beta(BGNBD["a"], BGNBD["b"], n),
    )
    T = rng.uniform(longest - 12, longest, n)
    x, t_x, clock = np.zeros(n), np.zeros(n), np.zeros(n)
    active = np.arange(n)
    while active.size:
        clock[active] += rng.exponential(1, active.size) / np.maximum(rate[active], 1e-300)
        active = active[clock[active] <= T[active]]
        x[active] += 1
        t_x[active] = clock[active]
        active = active[rng.random(active.size) >= dropout[active]]
    return pd.DataFrame({"frequency": x, "recency": t_x, "T": T, "monetary_value": 0.0})


def simulate_futures(
    table: pd.DataFrame, times: int, *, seed: int, horizon: float
) -> NDArray[np.float64]:
    """Total purchases and spend of the customers of *table* within the horizon, in *times* futures: (times, 2).

    Given a history, the rate is Gamma(r + x, alpha + T) and the dropout Beta(a, b + x) for who is alive, which has the
    odds of equation 8 of Fader, Hardie and Lee (2005); the rate of spend is Gamma(q + p x, v + x m).
    """
    rng = np.random.default_rng(seed)
    r, alpha, a, b = BGNBD.values()
    p, q, v = SPEND.values()
    x, t_x, T, m = (
        table[name].to_numpy(float) for name in ("frequency", "recency", "T", "monetary_value")
    )
    dead_odds = np.where(
        x > 0, a / (b + np.maximum(x, 1) - 1) * ((alpha + T) / (alpha + t_x)) ** (r + x), 0.0
    )
    totals = np.zeros((times, 2))
    for future in totals:
        alive = np.flatnonzero(rng.random(x.size) < 1 / (1 + dead_odds))
        rate = rng.gamma(r + x[alive], 1 / (alpha + T[alive]))
        dropout = rng.beta(a, b + x[alive])
        nu = rng.gamma(q + p * x[alive], 1 / (v + x[alive] * m[alive]))
        clock = np.zeros(alive.size)
        while clock.size:
            clock = clock + rng.exponential(1, clock.size) / np.maximum(rate, 1e-300)
            bought = clock <= horizon
            future += bought.sum(), rng.gamma(p, 1 / nu[bought]).sum()
            stays = bought & (rng.random(clock.size) >= dropout)
            clock, rate, dropout, nu = (values[stays] for values in (clock, rate, dropout, nu))
    return totals
