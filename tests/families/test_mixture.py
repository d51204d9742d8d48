"""The stack against its two families: each draw is one of them, and averages are their mixture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from lifestage.families import bgnbd, mbgnbd
from lifestage.families import mixture as stack

BG = {"r": 0.243, "alpha": 4.41, "a": 0.79, "b": 2.43}
MBG = {"r": 0.525, "alpha": 6.18, "a": 0.89, "b": 1.61}
BOTH = {name: np.array([[BG[name]], [MBG[name]]]) for name in BG} | {
    "first_dropout": np.array([[0.0], [1.0]])
}
X, T_X, T = (
    np.array([0.0, 0, 1, 3, 20]),
    np.array([0.0, 0, 4, 20, 30]),
    np.array([10.0, 38, 38, 39, 31]),
)


@pytest.mark.parametrize(
    ("name", "before"),
    [
        ("p_alive", ()),
        ("log_likelihood", ()),
        ("p_purchase", (13.0,)),
        ("expected_purchases", (52.0,)),
        ("purchase_pmf", (2, 13.0)),
        ("purchase_pmf", (0, 13.0)),
        ("purchase_sf", (1, 13.0)),
    ],
)
def test_each_draw_is_one_of_the_families(name: str, before: tuple[Any, ...]) -> None:
    found = getattr(stack, name)(*before, X, T_X, T, **BOTH)
    for row, module, params in zip(found, (bgnbd, mbgnbd), (BG, MBG), strict=True):
        np.testing.assert_allclose(
            row, getattr(module, name)(*before, X, T_X, T, **params), rtol=1e-12
        )


def test_discounts_and_laws_of_the_living() -> None:
    found = stack.discounted_purchases(52.0, X, T_X, T, rate=0.002, **BOTH)
    for row, module, params in zip(found, (bgnbd, mbgnbd), (BG, MBG), strict=True):
        np.testing.assert_allclose(
            row, module.discounted_purchases(52.0, X, T_X, T, rate=0.002, **params), rtol=1e-12
        )
    sf = stack.count_survival(3, 20.0, X, T, **BOTH)
    np.testing.assert_allclose(sf[1], mbgnbd.count_survival(3, 20.0, X, T, **MBG), rtol=1e-12)


def test_it_simulates_either_model() -> None:
    weeks = np.full(20_000, 39.0)
    for first, module, params in ((0.0, bgnbd, BG), (1.0, mbgnbd, MBG)):
        mine = stack.simulate_customers(
            np.random.default_rng(3), weeks, first_dropout=first, **params
        )
        theirs = module.simulate_customers(np.random.default_rng(3), weeks, **params)
        np.testing.assert_array_equal(mine["x"], theirs["x"])
    mixed = stack.simulate_customers(
        np.random.default_rng(4), weeks, first_dropout=np.arange(20_000) % 2, **MBG
    )
    gone = 1 - mixed["alive"].mean()
    halves = [1 - mixed["alive"][at::2].mean() for at in (0, 1)]
    assert halves[1] > halves[0] + 0.1
    assert gone == pytest.approx(np.mean(halves))


def test_latent_draws_agree_with_the_chance_to_live() -> None:
    drawn = stack.sample_latent(4000, X, T_X, T, seed=5, first_dropout=1.0, **MBG)
    alive = mbgnbd.p_alive(X, T_X, T, **MBG)
    seen = drawn["alive"].mean(axis=0)
    assert np.all(np.abs(seen - alive) < 4 * np.sqrt(alive * (1 - alive) / 4000) + 1e-3)
    law = stats.gamma(MBG["r"] + X[3], scale=1 / (MBG["alpha"] + T[3]))
    assert stats.kstest(drawn["rate"][drawn["alive"][:, 3], 3], law.cdf).pvalue > 1e-3
