"""The fast posterior against grid integration, its own invariances, and bases that say little."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.special import betaln, gammaln

import lifestage as ls
from lifestage.data.customers.compress import compress
from lifestage.data.customers.counts import Counts
from lifestage.families import bgnbd
from lifestage.fitting import fit_purchases
from lifestage.fitting.laplace import sample
from lifestage.fitting.mle import maximise
from tests.simulated import simulate_base

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from lifestage.fitting.posterior import Posterior


@pytest.fixture(scope="module")
def counts(customers: ls.Summary) -> Counts:
    return compress(customers)


def test_draws_reproduce_a_normal_density_exactly_known() -> None:
    mean, covariance = np.array([0.5, -1.0]), np.array([[1.0, 0.6], [0.6, 2.0]])
    precision = np.linalg.inv(covariance)

    def density(theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        step = theta - mean
        return float(-0.5 * step @ precision @ step), -precision @ step

    result = sample(density, mean, covariance, 20_000, seed=3)
    np.testing.assert_allclose(result.theta.mean(axis=0), mean, atol=0.05)
    np.testing.assert_allclose(np.cov(result.theta.T), covariance, rtol=0.05)
    assert result.pareto_k < 0.5
    assert result.efficiency > 0.8


def test_a_skewed_density_is_corrected_by_its_weights() -> None:
    """ln of a Gamma(2, 1): the normal approximation at the mode has mean 0.693, the density has digamma(2) = 0.4228."""
    result = sample(
        lambda theta: (float(2 * theta[0] - np.exp(theta[0])), 2 - np.exp(theta)),
        np.array([np.log(2.0)]),
        np.array([[0.5]]),
        20_000,
        seed=1,
    )
    assert result.theta.mean() == pytest.approx(0.42278, abs=0.02)
    assert result.theta.var() == pytest.approx(0.64493, rel=0.05)


def test_a_proposal_in_the_wrong_place_is_moved() -> None:
    def density(theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        return float(-0.5 * np.sum((theta - 5.0) ** 2)), 5.0 - theta

    result = sample(density, np.zeros(2), np.eye(2), 4000, seed=1)
    assert result.rounds > 1
    assert result.pareto_k < 0.7
    np.testing.assert_allclose(result.theta.mean(axis=0), 5.0, atol=0.15)


def test_a_slice_of_the_posterior_is_that_of_a_grid(counts: Counts) -> None:
    """(r, alpha) of the BG/NBD at fixed a and b: the likelihood as in the paper, priors by hand, summed over a grid."""
    a, b, tau = 0.79, 2.43, float(counts.weight @ counts.T) / counts.customers
    grid_r, grid_alpha = np.meshgrid(
        np.linspace(np.log(0.19), np.log(0.32), 50), np.linspace(1.08, 1.88, 50)
    )
    x, t_x, T = counts.x, counts.t_x, counts.T

    def log_likelihood(r: float, alpha: float) -> float:
        rate = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
        dead = np.where(x > 0, a / (b + np.maximum(x, 1) - 1) * (alpha + t_x) ** -(r + x), 0.0)
        survived = betaln(a, b + x) - betaln(a, b)
        return float(counts.weight @ (survived + rate + np.log((alpha + T) ** -(r + x) + dead)))

    log_posterior = np.array(
        [
            log_likelihood(np.exp(r), np.exp(s))
            for r, s in zip(grid_r.ravel(), grid_alpha.ravel(), strict=True)
        ]
    ).reshape(grid_r.shape)
    log_posterior += (
        -0.5 * ((grid_r - np.log(0.5)) / 1.5) ** 2
        - 0.5 * ((grid_r + np.log(tau) - grid_alpha) / 2) ** 2
    )
    weight = np.exp(log_posterior - log_posterior.max())
    assert max(weight[0].max(), weight[-1].max(), weight[:, 0].max(), weight[:, -1].max()) < 1e-3
    weight /= weight.sum()

    packed = bgnbd.rows(counts.x, counts.t_x, counts.T, counts.weight)

    def density(theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        params = np.array([*np.exp(theta), a, b])
        value, gradient = bgnbd.total_log_likelihood(params, packed)
        z = np.array([(theta[0] - np.log(0.5)) / 1.5, (theta[0] + np.log(tau) - theta[1]) / 2])
        slope = np.array([-z[0] / 1.5 - z[1] / 2, z[1] / 2])
        return value - 0.5 * float(z @ z), gradient[:2] * params[:2] + slope

    def curved(
        theta: NDArray[np.float64],
    ) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
        params = np.array([*np.exp(theta), a, b])
        gradient, hessian = (
            each[:2] for each in bgnbd.log_likelihood_with_hessian(params, packed)[1:]
        )
        prior = np.array([[-1 / 1.5**2 - 1 / 4, 1 / 4], [1 / 4, -1 / 4]])
        hessian = (
            hessian[:, :2] * np.outer(params[:2], params[:2])
            + np.diag(gradient * params[:2])
            + prior
        )
        return *density(theta), hessian

    best = maximise(curved, [np.log([0.25, 4.0])], counts.customers)
    draws = sample(density, best.theta, best.covariance, 4000, seed=2).theta
    for column, grid in zip(draws.T, (grid_r, grid_alpha), strict=True):
        mean = float(np.sum(weight * grid))
        sd = float(np.sqrt(np.sum(weight * (grid - mean) ** 2)))
        assert abs(column.mean() - mean) < 0.06 * sd
        assert column.std() == pytest.approx(sd, rel=0.06)
    correlation = float(
        np.sum(
            weight * (grid_r - (weight * grid_r).sum()) * (grid_alpha - (weight * grid_alpha).sum())
        )
    )
    assert np.cov(draws.T)[0, 1] == pytest.approx(correlation, rel=0.1)


def test_the_same_seed_gives_the_same_draws(counts: Counts) -> None:
    one, same, other = (
        fit_purchases(counts, method="laplace", draws=100, seed=seed) for seed in (3, 3, 4)
    )
    for name, values in one.draws.items():
        np.testing.assert_array_equal(values, same.draws[name])
        assert not np.array_equal(values, other.draws[name])


def test_weeks_and_days_give_the_same_posterior(cdnow: pd.DataFrame) -> None:
    alive = {}
    for period in ("week", "day"):
        counts = compress(ls.summarize(cdnow, until="1997-09-30", period=period))
        part = fit_purchases(counts, method="laplace", draws=500, seed=5)
        alive[period] = bgnbd.p_alive(counts.x, counts.t_x, counts.T, **part.columns()).mean(axis=0)
    assert alive["week"].min() < 0.1
    np.testing.assert_allclose(alive["week"], alive["day"], atol=1e-3)


def bought_once() -> Counts:
    return Counts.from_arrays(np.zeros(400), np.zeros(400), np.linspace(5, 50, 400))


def never_leaves() -> Counts:
    rng = np.random.default_rng(2)
    rate, rows = rng.gamma(2.0, 0.1, 1500), []
    for each in rate:
        times = np.cumsum(rng.exponential(1 / each, 150))
        times = times[times <= 52]
        rows.append((times.size, times[-1] if times.size else 0.0))
    x, t_x = np.array(rows).T
    return Counts.from_arrays(x, t_x, np.full(1500, 52.0))


def thirty_repeaters() -> Counts:
    table = simulate_base(4000, seed=9).table
    few = table[table["frequency"] > 0].head(30)
    return Counts.from_arrays(few["frequency"], few["recency"], few["T"])


def one_cohort() -> Counts:
    """All of them met on one day, so that rate and its spread are told by frequencies alone."""
    table = simulate_base(3000, seed=11).table
    kept = table[table["recency"] < 27]
    return Counts.from_arrays(kept["frequency"], kept["recency"], np.full(len(kept), 27.0))


def one_history() -> Counts:
    """Everybody did the same: 3 repeat purchases, the last in week 30 of 39."""
    return Counts.from_arrays(np.full(500, 3.0), np.full(500, 30.0), np.full(500, 39.0))


def spread(posterior: Posterior, name: str) -> float:
    return float(np.log(posterior.draws[name]).std())


@pytest.mark.parametrize("family", ["bg/nbd", "mbg/nbd"])
def test_everyone_bought_once(family: str) -> None:
    part = fit_purchases(bought_once(), family, method="laplace", draws=1000, seed=1)
    assert part.status.has("no_repeaters")
    assert all(np.isfinite(values).all() and (values > 0).all() for values in part.draws.values())
    assert spread(part, "r") > 0.8
    assert spread(part, "a") > 0.8  # the prior: nobody had occasion to leave, or everybody left


@pytest.mark.parametrize("family", ["bg/nbd", "mbg/nbd"])
def test_a_base_that_nobody_leaves(family: str) -> None:
    part = fit_purchases(never_leaves(), family, method="laplace", draws=1000, seed=1)
    share = part.draws["a"] / (part.draws["a"] + part.draws["b"])
    assert np.median(share) < 0.01
    assert part.status.has("dropout_not_identified")
    assert spread(part, "b") > 0.5
    assert spread(part, "r") < 0.2


@pytest.mark.parametrize("family", ["bg/nbd", "mbg/nbd"])
def test_thirty_repeaters(family: str) -> None:
    part = fit_purchases(thirty_repeaters(), family, method="laplace", draws=1000, seed=1)
    assert not part.status.has("unreliable_draws")
    assert spread(part, "r") > 0.2
    assert spread(part, "b") > 0.4


@pytest.mark.parametrize("family", ["bg/nbd", "mbg/nbd"])
def test_one_cohort_and_one_history(family: str) -> None:
    cohort = fit_purchases(one_cohort(), family, method="laplace", draws=1000, seed=1)
    assert not cohort.status.has("unreliable_draws")
    assert 0.02 < spread(cohort, "r") < 1
    alike = fit_purchases(one_history(), family, method="laplace", draws=1000, seed=1)
    assert all(np.isfinite(values).all() and (values > 0).all() for values in alike.draws.values())
    rate = alike.draws["r"] / alike.draws["alpha"]
    assert np.median(rate) == pytest.approx(
        3 / 39, rel=0.01
    )  # a tenth of a standard error of 1,500 purchases
    assert np.log(rate).std() == pytest.approx(1 / np.sqrt(500 * 3), rel=0.1)  # what the data tell
    assert spread(alike, "r") > 0.4  # and what they do not: how customers differ
