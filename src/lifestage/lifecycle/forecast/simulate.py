"""Simulated futures of a customer base, customer by customer.

A scenario takes one draw of the parameters, lets the family continue each customer's history, and
samples each customer's spend level given the history, and the spends. At each time customers are
counted by the states that the rules of the stages tell apart
(:mod:`lifestage.lifecycle.stages.states`).
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numba
import numpy as np

from lifestage.families import family
from lifestage.lifecycle.forecast.silence import days_to_threshold
from lifestage.prediction.spend import spend_coefficients

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lifestage.core.typing import Floats, Ints
    from lifestage.lifecycle.forecast.base import Base
    from lifestage.lifecycle.stages.states import StateSpace
    from lifestage.model import LTVModel

__all__ = ["Scenarios", "simulate_base"]


NODES, EXACT = 64, 48
"""Recencies at which the limits of silence are tabulated; and the frequency up to which all are."""

RULE_DRAWS = 40
"""Draws that the limits are averaged over: within a day of those from the 200 of the scores."""

MAX_PURCHASES = 5000
"""Repeat purchases up to which the limits of silence depend on their number."""

VALUES_PER_BLOCK = 1_000_000
"""Customers times points whose futures are simulated at once."""


@dataclass(frozen=True, eq=False)
class Scenarios:
    """Simulated customers, revenue and purchases by scenario.

    Attributes
    ----------
    customers, revenue : arrays, shape (scenarios, points, groups, states)
        Customers in a state at a time, and what they spent since the previous time, by the group
        that they started from.
    purchases : array, shape (scenarios, points)
        Since the previous time.
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
    bands = _bands(model, base, float(points[-1]), states)
    groups = int(base.group.max()) + 1 if base.group.size else 1
    customers = np.zeros((scenarios, points.size, groups, states.size))
    revenue, purchases = np.zeros_like(customers), np.zeros((scenarios, points.size, groups))
    workers = os.cpu_count() or 1
    size = (base.x.size, points.size, states.size) if by_customer else (0, 0, 0)
    seen = [np.zeros(size, np.uint16) for _ in range(workers)]
    module = family(model.purchases.family)
    blocks = range(0, base.x.size, max(1, VALUES_PER_BLOCK // points.size))

    def run(worker: int) -> None:
        for s in range(worker, scenarios, workers):
            one = {name: float(values[s]) for name, values in draws["purchases"].items()}
            spend = {name: float(values[s]) for name, values in draws.get("spend", {}).items()}
            level = spend.get("p", 0.0), spend.get("q", 0.0), spend.get("v", 0.0)
            buying = np.random.default_rng(seeds[s])
            (spending,) = buying.spawn(1)
            counts = Counts(customers[s], revenue[s], purchases[s], seen[worker])
            for begin in blocks:
                rows = slice(begin, begin + blocks.step)
                x, t_x, T = base.x[rows], base.t_x[rows], base.T[rows]
                future = module.simulate_future(buying, points, x, t_x, T, **one)
                histories = Histories(
                    x,
                    T + points[:, None],
                    base.money[rows],
                    base.group[rows],
                    future["x"],
                    future["t_x"],
                )
                _count(spending, level, begin, histories, bands, counts)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(run, range(workers)))
    probabilities = None
    if by_customer:
        probabilities = np.sum(seen, axis=0, dtype=np.float32) / np.float32(scenarios)
    return Scenarios(customers, revenue, purchases, probabilities)


class Histories(NamedTuple):
    """Customers of one scenario.

    Attributes
    ----------
    x, money, group : arrays, shape (n,)
        As in Base.
    ends : array, shape (points, n)
        Time observed at each point.
    bought, last : arrays, shape (n, points)
        Frequency and recency at each point.
    """

    x: Floats
    ends: Floats
    money: Floats
    group: Ints
    bought: Floats
    last: Floats


class Bands(NamedTuple):
    """The cuts between the states.

    Attributes
    ----------
    times : array, shape (NODES,)
        Recencies, periods.
    silence : array, shape (levels, frequencies, NODES)
        Days of silence at which each level is passed, first those of the activity ratio.
    intercept, slope : arrays, shape (frequencies,)
        Of the expected spend in the mean spend so far.
    high_value : float
    purchase_days : array
    ratio_levels, alive_levels : int
    days : float
        Days of a period.
    """

    times: Floats
    silence: Floats
    intercept: Floats
    slope: Floats
    high_value: float
    purchase_days: Floats
    ratio_levels: int
    alive_levels: int
    days: float


class Counts(NamedTuple):
    """Arrays of Scenarios, for one of them, that are added to; *seen* may be empty."""

    customers: Floats
    revenue: Floats
    purchases: Floats
    seen: NDArray[np.uint16]


def _bands(model: LTVModel, base: Base, horizon: float, states: StateSpace) -> Bands:
    """Tabulate the days of silence at which each level is passed."""
    longest = float(base.T.max(initial=0.0)) + horizon
    times = longest * np.linspace(0.0, 1.0, NODES) ** 2
    most = int(min(MAX_PURCHASES, 2 * base.x.max(initial=0.0) + 50))
    frequencies = np.arange(most + 1.0)
    far = np.zeros(0)
    if most > EXACT:
        far = np.geomspace(EXACT, most, max(2, int(8 * np.log2(most / EXACT))))
    some = np.unique(np.concatenate([frequencies[: EXACT + 1], np.round(far)]))
    x, t_x = np.repeat(some, NODES), np.tile(times, some.size)
    days = days_to_threshold(
        model.thin(RULE_DRAWS), x, t_x, base.window, states.activity_ratio, states.p_alive
    ).reshape(-1, some.size, NODES)
    silence = np.empty((len(days), frequencies.size, NODES))
    for level in range(len(days)):
        for node in range(NODES):
            silence[level, :, node] = np.interp(frequencies, some, days[level, :, node])
    silence -= 0.5  # a level is passed half a day before, on average
    intercept, slope = spend_coefficients(model, frequencies)
    return Bands(
        times,
        silence,
        intercept.mean(axis=0),
        slope.mean(axis=0),
        float(base.high_value),
        np.asarray(states.purchase_days, float),
        len(states.activity_ratio),
        len(states.p_alive),
        float(model.period.days),
    )


@numba.njit(cache=True, nogil=True)
def _passed(days, row, node, part):  # type: ignore[no-untyped-def]
    """Days of silence at which a level is passed, between two recencies."""
    return (1.0 - part) * days[row, node] + part * days[row, node + 1]


@numba.njit(cache=True, nogil=True)
def _count(rng, spend, begin, histories, bands, counts):  # type: ignore[no-untyped-def]
    """Add the customers of one scenario, and random spends of their purchases, to *counts*."""
    x, ends, money, group, bought, last = histories
    (p, q, v), most = spend, bands.silence.shape[1] - 1
    ratio_levels, alive_levels = bands.ratio_levels, bands.alive_levels
    levels = ratio_levels + alive_levels
    for i in range(x.size):
        before, spent, level = x[i], money[i], 1.0
        row, node, part, days_band, high = 0, 0, 0.0, 0, 0
        if p > 0.0:
            level = rng.gamma(q + p * x[i], 1.0 / (v + money[i]))
        for k in range(ends.shape[0]):
            n, recency, income = bought[i, k], last[i, k], 0.0
            if n > before and p > 0.0:
                income = rng.gamma(p * (n - before), 1.0) / max(level, 1e-300)
                spent += income
            if k == 0 or n > before:  # the rest stays as it is until the next purchase
                row = int(min(n, most))
                if levels > 0:
                    node = np.searchsorted(bands.times, recency, side="right") - 1
                    node = min(max(node, 0), bands.times.size - 2)
                    width = bands.times[node + 1] - bands.times[node]
                    part = (recency - bands.times[node]) / width
                value = n + 1.0
                if p > 0.0:
                    value *= bands.intercept[row] + bands.slope[row] * (spent / n if n > 0 else 0.0)
                high = int(value >= bands.high_value)
                days_band = np.searchsorted(bands.purchase_days, n + 1.0, side="right")
            if n > before:
                counts.purchases[k, group[i]] += n - before
                before = n
            silent = np.floor((ends[k, i] - recency) * bands.days + 1e-6)
            ratio_band, alive_band = 0, 0
            for cut in range(ratio_levels):
                ratio_band += silent >= _passed(bands.silence[cut], row, node, part)
            for cut in range(ratio_levels, levels):
                alive_band += silent < _passed(bands.silence[cut], row, node, part)
            state = days_band * (ratio_levels + 1) + ratio_band
            state = (state * 2 + high) * (alive_levels + 1) + alive_band
            counts.customers[k, group[i], state] += 1.0
            counts.revenue[k, group[i], state] += income
            if counts.seen.size:
                counts.seen[begin + i, k, state] += 1
