"""Simulation-based calibration: draws of the parameters from their prior, a base simulated from each, and the rank of the
truth among the posterior draws, which is uniform if the posterior is right.

Source: Talts, Betancourt, Simpson, Vehtari & Gelman (2018), Validating Bayesian inference algorithms with SBC.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import chisquare

from lifestage.families import family, gammagamma
from lifestage.fitting import fit_purchases
from lifestage.fitting.laplace import sample
from lifestage.fitting.mle import log_density, maximise
from lifestage.fitting.priors import log_prior, sample_prior
from lifestage.tables import Counts

REPLICATIONS, CUSTOMERS, DRAWS, BINS = 200, 300, 300, 10
MEAN_SPEND = 40.0


def assert_uniform(ranks: NDArray[np.float64]) -> None:
    """χ² at 1 % for every parameter; ranks of shape (replications, k) in [0, 1]."""
    for column in ranks.T:
        counts = np.histogram(column, np.linspace(0, 1, BINS + 1))[0]
        assert counts.sum() == REPLICATIONS
        assert chisquare(counts).pvalue > 0.01, counts


def rank(draws: NDArray[np.float64], truth: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Where the truth stands among draws of shape (draws, k), spread evenly within its place."""
    below = (draws < truth).sum(axis=0)
    return (below + rng.random(truth.size)) / (draws.shape[0] + 1)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bg/nbd", "mbg/nbd"])
def test_purchase_posteriors_are_calibrated(name: str) -> None:
    module, rng = family(name), np.random.default_rng(2024)
    T = rng.integers(140, 420, CUSTOMERS) / 7.0
    units = np.array([1.0, T.mean(), 1.0, 1.0])
    ranks = []
    for i, theta in enumerate(sample_prior("purchases", REPLICATIONS, 7)):
        truth = units * np.exp(theta)
        base = module.simulate(T, **dict(zip(module.PARAMS, truth, strict=True)), seed=1000 + i)
        counts = Counts.from_arrays(base["x"], base["t_x"], T)
        posterior = fit_purchases(counts, name, method="laplace", draws=DRAWS, seed=i)
        draws = np.stack([posterior.draws[p] for p in module.PARAMS], axis=1)
        ranks.append(rank(draws, truth, rng))
    assert_uniform(np.array(ranks))


@pytest.mark.slow
def test_the_spend_posterior_is_calibrated() -> None:
    """With the prior's unit of money fixed beforehand; a fit takes it from the mean of the base."""
    rng = np.random.default_rng(2025)
    x = 1.0 + rng.poisson(2.0, CUSTOMERS)
    units, prior = np.array([1.0, 1.0, MEAN_SPEND]), log_prior("spend")
    ranks = []
    for i, theta in enumerate(sample_prior("spend", REPLICATIONS, 8)):
        p, q, v = units * np.exp(theta)
        rows = gammagamma.Rows(x, gammagamma.simulate(x, p=p, q=q, v=v, seed=2000 + i)["m"], np.ones(CUSTOMERS))
        density = log_density(lambda at, rows=rows: gammagamma.weighted_log_likelihood(at, rows), units, prior)
        best = maximise(density, [np.log(start / units) for start in gammagamma.starts(rows)], CUSTOMERS)
        ranks.append(rank(sample(density, best.theta, best.covariance, DRAWS, i).theta, theta, rng))
    assert_uniform(np.array(ranks))
