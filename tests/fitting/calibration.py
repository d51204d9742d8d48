"""Simulation-based calibration: parameters drawn from their prior, a base simulated from each, and the rank of the truth
among the posterior draws, which is uniform if the posterior is right.

``uv run python -m tests.fitting.calibration --method nuts`` prints the χ² tests and draws the rank plots.

Source: Talts, Betancourt, Simpson, Vehtari & Gelman (2018), Validating Bayesian inference algorithms with SBC.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, chisquare

from lifestage.data.customers.counts import Counts
from lifestage.families import family, gammagamma
from lifestage.fitting import fit_purchases, laplace, nuts
from lifestage.fitting.mle import curved_density, log_density, maximise
from lifestage.fitting.priors import log_prior, sample_prior

Floats = NDArray[np.float64]

FAMILIES = ("bg/nbd", "mbg/nbd", "gamma-gamma")
CUSTOMERS, DRAWS, BINS = 300, 300, 10
CHAINS = {"draws": 250, "chains": 2, "tune": 400}
MEAN_SPEND = 40.0


def ranks(name: str, method: str, replications: int, workers: int = 1) -> Floats:
    """Ranks of the true parameters in [0, 1], shape (replications, k)."""
    one = partial(_spend if name == "gamma-gamma" else _purchases, name, method)
    truths = sample_prior(family(name), replications, 7)
    with ThreadPoolExecutor(workers) as pool:
        return np.array(list(pool.map(one, range(replications), truths)))


def p_values(found: Floats) -> Floats:
    """χ² tests of uniformity, a parameter each."""
    edges = np.linspace(0, 1, BINS + 1)
    return np.array([chisquare(np.histogram(column, edges)[0]).pvalue for column in found.T])


def _purchases(name: str, method: str, i: int, theta: Floats) -> Floats:
    module, T = family(name), np.random.default_rng(2024).integers(140, 420, CUSTOMERS) / 7.0
    truth = np.array([1.0, T.mean(), 1.0, 1.0]) * np.exp(theta)
    base = module.simulate_customers(
        np.random.default_rng(1000 + i), T, **dict(zip(module.PARAMS, truth, strict=True))
    )
    counts = Counts.from_arrays(base["x"], base["t_x"], T)
    how: dict[str, Any] = CHAINS if method == "nuts" else {"draws": DRAWS}
    posterior = fit_purchases(counts, name, method=method, seed=i, **how)
    return _rank(np.stack([posterior.draws[p] for p in module.PARAMS], axis=1), truth, i)


def _spend(name: str, method: str, i: int, theta: Floats) -> Floats:  # noqa: ARG001 - the signature of _purchases
    """With the prior's unit of money fixed beforehand; a fit takes it from the mean of the base."""
    x = 1.0 + np.random.default_rng(2025).poisson(2.0, CUSTOMERS)
    units = np.array([1.0, 1.0, MEAN_SPEND])
    p, q, v = units * np.exp(theta)
    rows = gammagamma.rows(
        x, gammagamma.simulate(x, p=p, q=q, v=v, seed=2000 + i)["m"], np.ones(CUSTOMERS)
    )
    density = log_density(
        lambda at: gammagamma.total_log_likelihood(at, rows), units, log_prior(gammagamma)
    )
    curved = curved_density(
        lambda at: gammagamma.log_likelihood_with_hessian(at, rows), units, log_prior(gammagamma)
    )
    best = maximise(
        curved, [np.log(start / units) for start in gammagamma.initial_points(rows)], CUSTOMERS
    )
    if method == "nuts":
        how = {name: CHAINS[name] for name in ("chains", "tune")}
        found = nuts.sample(
            density, best.theta, best.covariance, CHAINS["draws"], i, nuts.ChainOptions(**how)
        ).theta.reshape(-1, 3)
    else:
        found = laplace.sample(density, best.theta, best.covariance, DRAWS, i).theta
    return _rank(found, theta, i)


def _rank(draws: Floats, truth: Floats, seed: int) -> Floats:
    """Where the truth stands among draws of shape (draws, k), spread evenly within its place."""
    below = (draws < truth).sum(axis=0)
    return np.asarray(
        (below + np.random.default_rng(seed).random(truth.size)) / (draws.shape[0] + 1)
    )


def draw(found: dict[str, Floats], path: Path) -> None:
    """Rank histograms, a row a family and a column a parameter, with the band that holds 99 % of the bins."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 2.6 * len(found)), layout="constrained")
    axes = figure.subplots(len(found), 4, squeeze=False, sharex=True)
    for row, (name, values) in zip(axes, found.items(), strict=True):
        band = binom.ppf([0.005, 0.995], len(values), 1 / BINS)
        for axis, parameter, column, p in zip(
            row, family(name).PARAMS, values.T, p_values(values), strict=False
        ):
            axis.axhspan(*band, color="0.9")
            axis.hist(column, np.linspace(0, 1, BINS + 1), color="C0", edgecolor="white")
            axis.set_title(f"{name}  {parameter}   p = {p:.2f}", fontsize=9)
        for axis in row[values.shape[1] :]:
            axis.set_axis_off()
    figure.savefig(path)


def main() -> None:
    """Print the tests and draw the plot."""
    parser = argparse.ArgumentParser("python -m tests.fitting.calibration", description=__doc__)
    parser.add_argument("--method", choices=["laplace", "nuts"], default="nuts")
    parser.add_argument("--replications", type=int, default=200)
    parser.add_argument("--families", nargs="+", choices=FAMILIES, default=FAMILIES)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--plot", type=Path, default=Path("ranks.png"))
    asked = parser.parse_args()
    found = {}
    for name in asked.families:
        found[name] = ranks(name, asked.method, asked.replications, asked.workers)
        for parameter, p in zip(family(name).PARAMS, p_values(found[name]), strict=True):
            print(f"{asked.method:8} {name:12} {parameter:6} p = {p:.3f}", flush=True)
    draw(found, asked.plot)
    print(asked.plot)


if __name__ == "__main__":
    main()
