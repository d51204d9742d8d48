"""Simulated customers behave as the formulas say, within four standard errors and for fixed seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lifestage.families import bgnbd, gammagamma, mbgnbd

if TYPE_CHECKING:
    from types import ModuleType

FAMILIES = {"bg/nbd": bgnbd, "mbg/nbd": mbgnbd}
PARAMS = {
    "few": {"r": 0.2426, "alpha": 4.4136, "a": 0.7929, "b": 2.4259},
    "a is one": {"r": 0.6, "alpha": 5.0, "a": 1.0, "b": 1.5},
    "many": {"r": 2.5, "alpha": 4.0, "a": 0.5, "b": 6.0},
}
both = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES.keys())
each = pytest.mark.parametrize("params", PARAMS.values(), ids=PARAMS.keys())

SIZE = 120_000
SPLIT, END = 30.0, 56.0
"""Customers are looked at SPLIT after their first purchase, and their future runs to END."""


def agree(observed: np.ndarray, expected: np.ndarray) -> None:
    """The mean of *observed* is the mean of *expected*, given as each customer's own expectation, within 4 s.e.

    Of an event too rare for a standard error, five in the whole group make no difference.
    """
    difference = np.asarray(observed, float) - expected
    slack = 4 * difference.std() / np.sqrt(difference.size) + 5 / difference.size
    assert abs(difference.mean()) <= slack, (difference.mean(), slack)


def observe(family: ModuleType, params: dict[str, float], seed: int) -> dict[str, np.ndarray]:
    """Histories at SPLIT and what came after, from one simulation to END."""
    world = family.simulate_customers(np.random.default_rng(seed), np.full(SIZE, END), **params)
    early = world["time"] <= SPLIT
    x = np.bincount(world["customer"][early], minlength=SIZE).astype(float)
    t_x = np.zeros(SIZE)
    np.maximum.at(t_x, world["customer"][early], world["time"][early])
    future = np.bincount(world["customer"][~early], minlength=SIZE)
    return {"x": x, "t_x": t_x, "T": np.full(SIZE, SPLIT), "future": future}


def groups(values: np.ndarray) -> list[np.ndarray]:
    """Indices of customers in five groups of rising *values*, those that are not too small."""
    cuts = np.unique(np.quantile(values, [0.2, 0.4, 0.6, 0.8]))
    index = np.searchsorted(cuts, values, side="right")
    return [np.flatnonzero(index == i) for i in range(len(cuts) + 1) if (index == i).sum() >= 500]


@both
@each
def test_purchases_of_new_customers(family: ModuleType, params: dict[str, float]) -> None:
    world = family.simulate_customers(np.random.default_rng(11), np.full(SIZE, END), **params)
    for t in (1.0, 10.0, END):
        count = np.bincount(world["customer"][world["time"] <= t], minlength=SIZE)
        agree(count, family.expected_purchases(t, 0, 0, 0, **params))
        pmf = family.purchase_pmf(np.arange(6), t, 0, 0, 0, **params)
        for n in range(6):
            agree(count == n, np.full(SIZE, pmf[n]))
        agree(count >= 6, np.full(SIZE, family.purchase_sf(6, t, 0, 0, 0, **params)))


@both
@each
def test_probability_alive_is_calibrated(family: ModuleType, params: dict[str, float]) -> None:
    T = np.random.default_rng(5).uniform(5.0, 60.0, SIZE)
    world = family.simulate_customers(np.random.default_rng(12), T, **params)
    alive = family.p_alive(world["x"], world["t_x"], T, **params)
    agree(world["alive"], alive)
    for rows in groups(alive):
        agree(world["alive"][rows], alive[rows])
    for x in range(4):
        rows = np.flatnonzero(world["x"] == x)
        agree(world["alive"][rows], alive[rows])


@both
@each
def test_the_future_given_the_past(family: ModuleType, params: dict[str, float]) -> None:
    seen = observe(family, params, seed=13)
    data = seen["x"], seen["t_x"], seen["T"]
    horizon = END - SPLIT
    expected = family.expected_purchases(horizon, *data, **params)
    some = family.p_purchase(horizon, *data, **params)
    for rows in [np.arange(SIZE), *groups(expected)]:
        agree(seen["future"][rows], expected[rows])
        agree(seen["future"][rows] > 0, some[rows])
        sf = family.purchase_sf(3, horizon, *(v[rows] for v in data), **params)
        agree(seen["future"][rows] >= 3, sf)


@both
def test_latent_draws_are_the_posterior(family: ModuleType) -> None:
    """Latents drawn from the posterior and run forward give the expected purchases back."""
    params = PARAMS["a is one"]
    x, t_x, T = np.array([0.0, 1.0, 4.0, 9.0]), np.array([0.0, 3.0, 20.0, 29.0]), np.full(4, 30.0)
    size, t = 100_000, 20.0
    latent = family.sample_latent(size, x, t_x, T, **params, seed=3)
    assert latent["alive"].shape == (size, 4)
    alive = family.p_alive(x, t_x, T, **params)
    rng = np.random.default_rng(4)
    # a Poisson count, cut at the first dropout: the number made is min(count, dropout number)
    count = rng.poisson(latent["rate"] * t)
    made = np.where(
        latent["alive"], np.minimum(count, rng.geometric(np.maximum(latent["dropout"], 1e-12))), 0
    )
    expected = family.expected_purchases(t, x, t_x, T, **params)
    mean_rate = np.where(
        latent["alive"],
        (params["r"] + x) / (params["alpha"] + T),
        (params["r"] + x) / (params["alpha"] + t_x),
    )
    for i in range(4):
        if alive[i] < 1:
            agree(latent["alive"][:, i], np.full(size, alive[i]))
        agree(made[:, i], np.full(size, expected[i]))
        agree(latent["rate"][:, i], mean_rate[:, i])


@both
def test_latent_rate_and_dropout_of_simulated_customers(family: ModuleType) -> None:
    """Posterior draws given each simulated history agree on average with the true latents behind it."""
    params = PARAMS["many"]
    world = family.simulate_customers(np.random.default_rng(14), np.full(SIZE, 20.0), **params)
    latent = family.sample_latent(1, world["x"], world["t_x"], world["T"], **params, seed=15)
    for rows in [np.flatnonzero(world["x"] == x) for x in (0, 1, 3, 6)] + [np.arange(SIZE)]:
        for name in ("alive", "rate", "dropout"):
            agree(world[name][rows], latent[name][0][rows])


@both
def test_simulated_records_are_consistent(family: ModuleType) -> None:
    T = np.array([0.0, 5.0, 40.0] * 300)
    world = family.simulate_customers(np.random.default_rng(16), T, **PARAMS["many"])
    again = family.simulate_customers(np.random.default_rng(16), T, **PARAMS["many"])
    assert (np.bincount(world["customer"], minlength=T.size) == world["x"]).all()
    assert (world["time"] <= T[world["customer"]]).all()
    assert (world["time"] > 0).all()
    assert (world["t_x"] <= T).all()
    assert (world["x"][T == 0] == 0).all()
    assert ((world["t_x"] > 0) == (world["x"] > 0)).all()
    for name, values in world.items():
        assert (values == again[name]).all()


def test_simulated_spend() -> None:
    params: dict[str, Any] = {"p": 6.25, "q": 3.74, "v": 15.44}
    x = np.random.default_rng(6).integers(1, 9, SIZE).astype(float)
    world = gammagamma.simulate(x, **params, seed=17)
    assert (world["m"] > 0).all()
    # the mean spend of all, and each customer's future spend p/ν given what was seen
    base = params["p"] * params["v"] / (params["q"] - 1)
    agree(world["m"], np.full(SIZE, base))
    future = params["p"] / world["nu"]
    expected = gammagamma.expected_spend(x, world["m"], **params)
    for rows in [np.arange(SIZE), *groups(expected), np.flatnonzero(x == 1)]:
        agree(future[rows], expected[rows])
    # the total of three more purchases, against its tail
    rng = np.random.default_rng(18)
    total = rng.gamma(3 * params["p"], 1 / world["nu"])
    scale = params["v"] + x * world["m"]
    for s in (0.2, 0.6, 1.5):
        agree(total > s * scale, gammagamma.spend_sf(s, 3, x, p=params["p"], q=params["q"]))
