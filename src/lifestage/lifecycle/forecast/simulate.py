"""Simulated futures of a customer base, customer by customer.

A scenario takes one draw of the parameters, samples each customer's state, rate, dropout probability
and spend level given the history, and simulates purchases. At each time customers are counted by
the states that the rules of the stages tell apart (:mod:`lifestage.lifecycle.stages.states`).
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numba
import numpy as np

from lifestage.families import family
from lifestage.lifecycle.forecast.silence import days_to_threshold
from lifestage.prediction.spend import spend_coefficients

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lifestage.core.typing import Floats
    from lifestage.lifecycle.forecast.base import Base
    from lifestage.lifecycle.stages.states import StateSpace
    from lifestage.model import LTVModel

__all__ = ["Scenarios", "simulate_base"]


NODES, EXACT = 64, 48
"""Recencies at which limits of silence are tabulated; and frequencies up to which every one is."""

RULE_DRAWS = 40
"""Draws that the limits are averaged over: they move by a day where the 200 of the scores would put them."""

MOST_PURCHASES = 5000
"""Repeat purchases up to which limits of silence are told apart."""


@dataclass(frozen=True, eq=False)
class Scenarios:
    """What happened, by scenario.

    Attributes
    ----------
    customers, revenue : arrays, shape (scenarios, points, groups, states)
        Customers in a state at a point, and what they spent since the point before, by the group
        they came from.
    purchases : array, shape (scenarios, points)
        Since the point before.
    probabilities : array, shape (n, points, states), or None
        Share of the scenarios in which a customer is in a state.
    """

    customers: Floats
    revenue: Floats
    purchases: Floats
    probabilities: NDArray[np.float32] | None


def simulate_base(
    model: LTVModel,
    base: Base,
    points: Floats,
    *,
    states: StateSpace,
    scenarios: int,
    seed: int,
    by_customer: bool = False,
) -> Scenarios:
    """Simulate *scenarios* futures of a base up to each of *points* (periods from now, rising)."""
    rng = np.random.default_rng(seed)
    draws = {name: part.resampled(scenarios, rng) for name, part in model.parts.items()}
    seeds = rng.integers(0, 2**32, scenarios)
    times, silence, intercept, slope = _tables(model, base, float(points[-1]), states)
    groups = int(base.group.max()) + 1 if base.group.size else 1
    customers = np.zeros((scenarios, points.size, groups, states.size))
    revenue, purchases = np.zeros_like(customers), np.zeros((scenarios, points.size))
    workers = os.cpu_count() or 1
    size = (base.x.size, points.size, states.size) if by_customer else (0, 0, 0)
    seen = [np.zeros(size, np.uint16) for _ in range(workers)]
    module = family(model.purchases.family)
    levels = np.array(states.purchase_days), len(states.activity_ratio), len(states.p_alive)

    def run(worker: int) -> None:
        for s in range(worker, scenarios, workers):
            one = {name: float(values[s]) for name, values in draws["purchases"].items()}
            spend = {name: float(values[s]) for name, values in draws.get("spend", {}).items()}
            alive = np.broadcast_to(module.p_alive(base.x, base.t_x, base.T, **one), base.x.shape)
            shape, scale, a, b = (
                np.array(np.broadcast_to(v, base.x.shape))
                for v in module.alive_law(base.x, base.T, **one)
            )
            _run(
                np.random.default_rng(seeds[s]), base.x, base.t_x, base.T, base.money, base.group, np.array(alive),
                shape, scale, a, b, spend.get("p", 0.0), spend.get("q", 0.0), spend.get("v", 0.0), points,
                model.period.days, times, silence, intercept, slope, base.high_value, *levels, customers[s],
                revenue[s], purchases[s], seen[worker],
            )  # fmt: skip

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(run, range(workers)))
    probabilities = None
    if by_customer:
        probabilities = np.sum(seen, axis=0, dtype=np.float32) / np.float32(scenarios)
    return Scenarios(customers, revenue, purchases, probabilities)


def _tables(model: LTVModel, base: Base, horizon: float, states: StateSpace) -> tuple[Floats, ...]:
    """Recencies; days of silence at which each level is passed, by level, frequency and recency; and the spend line."""
    longest = float(base.T.max(initial=0.0)) + horizon
    times = longest * np.linspace(0.0, 1.0, NODES) ** 2
    most = int(min(MOST_PURCHASES, 2 * base.x.max(initial=0.0) + 50))
    every = np.arange(most + 1.0)
    far = (
        np.geomspace(EXACT, most, max(2, int(8 * np.log2(most / EXACT))))
        if most > EXACT
        else np.zeros(0)
    )
    some = np.unique(np.concatenate([every[: EXACT + 1], np.round(far)]))
    x, t_x = (each.ravel() for each in np.meshgrid(some, times, indexing="ij"))
    days = days_to_threshold(
        model.thin(RULE_DRAWS), x, t_x, base.window, states.activity_ratio, states.p_alive
    ).reshape(-1, some.size, NODES)
    table = np.empty((len(days), every.size, NODES))
    for level in range(len(days)):
        for node in range(NODES):
            table[level, :, node] = np.interp(every, some, days[level, :, node])
    intercept, slope = (line.mean(axis=0) for line in spend_coefficients(model, every))
    return (
        times,
        table - 0.5,
        np.array(intercept),
        np.array(slope),
    )  # a level is passed half a day before, on average


# fmt: off
@numba.njit(cache=True, nogil=True)
def _run(rng, x, t_x, T, money, group, alive, shape, scale, a, b, p, q, v, points, days,  # type: ignore[no-untyped-def]
         times, silence, intercept, slope, high_value, day_cuts, ratio_levels, alive_levels, customers, revenue, purchases, seen):
# fmt: on
    """One scenario: add to *customers*, *revenue*, *purchases* and, if it is not empty, *seen*."""
    most = silence.shape[1] - 1
    for i in range(x.size):
        n, last, spent, now = x[i], t_x[i], money[i], T[i]
        following, rate, drop, level = np.inf, 1.0, 0.0, 1.0
        if rng.random() < alive[i]:
            rate = rng.gamma(shape[i], 1.0 / scale[i])
            drop = rng.beta(a[i], b[i])
            if rate > 1e-300:
                following = now + rng.exponential(1.0 / rate)
        if p > 0.0:
            level = rng.gamma(q + p * x[i], 1.0 / (v + money[i]))
        for k in range(points.size):
            end, new, income = now + points[k], 0, 0.0
            while following <= end:
                new += 1
                last = following
                following = np.inf if rng.random() < drop else last + rng.exponential(1.0 / rate)
            if new > 0:
                n += new
                if p > 0.0:
                    income = rng.gamma(p * new, 1.0) / max(level, 1e-300)
                    spent += income
                purchases[k] += new
            row, quiet = int(min(n, most)), np.floor((end - last) * days + 1e-6)
            node = np.searchsorted(times, last, side="right") - 1
            node = min(max(node, 0), times.size - 2)
            part = (last - times[node]) / (times[node + 1] - times[node])
            ratio_band = 0
            for cut in range(ratio_levels):
                ratio_band += quiet >= (1.0 - part) * silence[cut, row, node] + part * silence[cut, row, node + 1]
            alive_band = 0
            for cut in range(ratio_levels, ratio_levels + alive_levels):
                alive_band += quiet < (1.0 - part) * silence[cut, row, node] + part * silence[cut, row, node + 1]
            value = n + 1.0
            if p > 0.0:
                value *= intercept[row] + slope[row] * (spent / n if n > 0 else 0.0)
            state = np.searchsorted(day_cuts, n + 1.0, side="right") * (ratio_levels + 1) + ratio_band
            state = (state * 2 + int(value >= high_value)) * (alive_levels + 1) + alive_band
            customers[k, group[i], state] += 1.0
            revenue[k, group[i], state] += income
            if seen.size:
                seen[i, k, state] += 1
