"""Predictive intervals cover what they promise, and equal an independent computation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats

import lifestage as ls
from lifestage.families import bgnbd
from lifestage.fitting.posterior import Posterior, Status
from lifestage.model import LTVModel
from lifestage.prediction.distributions import SpendDraws, predictive_quantiles
from tests.simulated import BGNBD, SPEND, Base, simulate_base

N, HORIZON = 20_000, 39.0


@pytest.fixture(scope="module")
def base() -> Base:
    return simulate_base(N, seed=2024, horizon=HORIZON)


def known_model(summary: ls.Summary) -> LTVModel:
    def part(family: str, params: dict[str, float]) -> Posterior:
        return Posterior(
            family, "known", {k: np.array([v]) for k, v in params.items()}, Status(True)
        )

    return LTVModel(part("bg/nbd", BGNBD), part("gamma-gamma", SPEND), summary, 35.0)


@pytest.mark.parametrize("level", [0.5, 0.8, 0.95])
def test_coverage_with_known_parameters(base: Base, level: float) -> None:
    """Randomised coverage: at an atom (zero purchases, a count) the part of it inside the interval counts."""
    summary = ls.Summary.from_frame(base.table, period="week")
    scores = known_model(summary).predict(summary, horizon=HORIZON, level=level, discount_rate=0.0)
    scores = scores.sort_values("customer_id")
    rng = np.random.default_rng(7)
    low_level, high_level = (1 - level) / 2, (1 + level) / 2
    for actual, low, high in (
        (base.future_purchases, scores["purchases_low"], scores["purchases_high"]),
        (base.future_spend, scores["ltv_low"], scores["ltv_high"]),
    ):
        assert np.mean((actual >= low) & (actual <= high)) >= level - 0.015  # at least
        x, t_x, T = (base.table[c].to_numpy(float) for c in ("frequency", "recency", "T"))
        if actual is base.future_purchases:
            below = 1 - bgnbd.purchase_sf(actual, HORIZON, x, t_x, T, **BGNBD)
            upto = 1 - bgnbd.purchase_sf(actual + 1, HORIZON, x, t_x, T, **BGNBD)
            u = below + rng.random(N) * (upto - below)
            inside = (u >= low_level) & (u <= high_level)
        else:
            zero = 1 - bgnbd.purchase_sf(1, HORIZON, x, t_x, T, **BGNBD)
            u = zero * rng.random(N)
            inside = np.where(
                actual == 0,
                (u >= low_level) & (u <= high_level),
                (actual >= low) & (actual <= high),
            )
        assert np.mean(inside) == pytest.approx(level, abs=0.015)


def test_purchase_quantiles_are_those_of_the_tabulated_law() -> None:
    params = {k: np.array([[v]]) for k, v in BGNBD.items()}
    x, t_x, T = (
        np.array([0.0, 3, 12, 40]),
        np.array([0.0, 30, 36, 38]),
        np.array([38.0, 38, 38, 38.5]),
    )
    alive = bgnbd.p_alive(x, t_x, T, **params)
    for tail in (0.975, 0.5, 0.1, 0.025):
        got = predictive_quantiles(bgnbd, params, alive, 52.0, x, T, [tail])[0][0]
        pmf = bgnbd.purchase_pmf(np.arange(2000)[:, None], 52.0, x, t_x, T, **BGNBD)
        expected = (np.cumsum(pmf, axis=0) < 1 - tail).sum(axis=0)
        np.testing.assert_array_equal(got, expected)


def test_spend_quantiles_equal_a_root_of_the_exact_mixture() -> None:
    params = {k: np.array([[v]]) for k, v in BGNBD.items()}
    p, q = SPEND["p"], SPEND["q"]
    spend = SpendDraws(*(np.array([v]) for v in (p, q, SPEND["v"])), mean=35.0)
    for x, t_x, T, tail in (
        (0, 0, 38, 0.05),
        (1, 20, 30, 0.1),
        (7, 35, 36, 0.5),
        (25, 37, 38, 0.025),
        (90, 38, 38.2, 0.05),
    ):
        alive = bgnbd.p_alive(np.array([x]), np.array([t_x]), np.array([T]), **params)
        got = predictive_quantiles(
            bgnbd, params, alive, 52.0, np.array([float(x)]), np.array([float(T)]), [tail], spend
        )[1][0, 0]
        n = np.arange(1, 3000)
        pmf = bgnbd.purchase_pmf(n, 52.0, x, t_x, T, **BGNBD)

        def above(log_s: float) -> float:
            return float(pmf @ stats.betaprime.sf(np.exp(log_s), p * n, q + p * x)) - tail  # noqa: B023

        expected = np.exp(optimize.brentq(above, -12, 12)) if above(-12) > 0 else 0.0
        assert got == pytest.approx(expected, rel=5e-4)


def test_a_huge_buyer_has_finite_ordered_intervals() -> None:
    params = {
        "r": np.array([[5.0]]),
        "alpha": np.array([[0.01]]),
        "a": np.array([[0.001]]),
        "b": np.array([[50.0]]),
    }
    x, T = np.array([10_000.0]), np.array([50.0])
    alive = bgnbd.p_alive(x, T, T, **params)
    spend = SpendDraws(np.array([2.0]), np.array([3.0]), np.array([10.0]), mean=10.0)
    (low, high), (spend_low, spend_high) = predictive_quantiles(
        bgnbd, params, alive, 1000.0, x, T, [0.95, 0.05], spend
    )
    assert 0 < low[0] < high[0] < 1e7
    assert 0 < spend_low[0] < spend_high[0] < np.inf
