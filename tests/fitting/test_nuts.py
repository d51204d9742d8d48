"""The sampler: it agrees with the fast posterior, keeps its chains apart, and says so when they have not mixed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

import lifestage as ls
from lifestage.core.errors import ConfigError
from lifestage.data.customers.compress import compress
from lifestage.fitting import fit_purchases, fit_spend
from lifestage.fitting.nuts import ChainOptions, sample
from tests.fitting.test_laplace import (
    bought_once,
    never_leaves,
    one_cohort,
    one_history,
    spread,
    thirty_repeaters,
)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from lifestage.data.customers.counts import Counts
    from lifestage.fitting.posterior import Posterior


@pytest.fixture(scope="module")
def counts(customers: ls.Summary) -> Counts:
    return compress(customers)


@pytest.fixture(scope="module")
def pairs(counts: Counts) -> dict[str, tuple[Posterior, Posterior]]:
    """The fast posterior and that of the sampler, by family, on CDNOW."""
    out = {}
    for name in ("bg/nbd", "mbg/nbd", "gamma-gamma"):
        fit = fit_spend if name == "gamma-gamma" else fit_purchases
        sampled = fit(counts, name, method="nuts", draws=1000, chains=2, tune=250, seed=1)
        out[name] = fit(counts, name, method="laplace", draws=3000, seed=1), sampled
    return out


@pytest.mark.parametrize("name", ["bg/nbd", "mbg/nbd", "gamma-gamma"])
def test_both_engines_draw_from_one_posterior(
    pairs: dict[str, tuple[Posterior, Posterior]], name: str
) -> None:
    fast, sampled = pairs[name]
    for parameter, values in sampled.draws.items():
        sd = values.std(ddof=1)
        assert abs(fast.draws[parameter].mean() - values.mean()) < 0.1 * sd, parameter
        assert fast.draws[parameter].std(ddof=1) == pytest.approx(sd, rel=0.1), parameter
    assert fast.diagnostics["pareto_k"] < 0.5
    assert fast.diagnostics["ess_share"] * 2 * fast.size > 0.8 * fast.size  # two proposals a draw
    assert sampled.diagnostics["ess_bulk"] > 1000
    assert sampled.diagnostics["divergences"] == 0
    assert not sampled.status.has("chains_unmixed")


def test_a_normal_density_is_reproduced_however_it_is_whitened() -> None:
    mean, covariance = np.array([0.5, -1.0]), np.array([[1.0, 0.6], [0.6, 2.0]])
    precision = np.linalg.inv(covariance)

    def density(theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        step = theta - mean
        return float(-0.5 * step @ precision @ step), -precision @ step

    for guess in (covariance, np.zeros((2, 2))):
        run = sample(density, np.zeros(2), guess, 1500, 2, ChainOptions(chains=2, tune=300))
        assert run.theta.shape == (2, 1500, 2)
        flat = run.theta.reshape(-1, 2)
        np.testing.assert_allclose(flat.mean(axis=0), mean, atol=0.15)
        np.testing.assert_allclose(np.cov(flat.T), covariance, rtol=0.2, atol=0.1)
        assert run.r_hat < 1.02


def test_the_same_seed_gives_the_same_draws(counts: Counts) -> None:
    how = {"method": "nuts", "draws": 20, "chains": 2, "tune": 60}
    one, same, other = (fit_purchases(counts, **how, seed=seed) for seed in (3, 3, 4))
    assert one.size == 40
    for name, values in one.draws.items():
        np.testing.assert_array_equal(values, same.draws[name])
        assert not np.array_equal(values, other.draws[name])
        assert not np.array_equal(values[:20], values[20:])  # chains differ


def test_chains_that_disagree_are_reported(counts: Counts) -> None:
    part = fit_purchases(counts, method="nuts", draws=4, chains=2, tune=50, seed=1)
    assert part.diagnostics["r_hat"] > 1.01
    assert part.status.has("chains_unmixed")
    assert "raise tune and draws" in str(part.status)


def test_saving_keeps_the_chains(customers: ls.Summary, tmp_path: Path) -> None:
    fitted = ls.fit(customers, method="nuts", draws=10, chains=3, tune=60, seed=1)
    loaded = ls.load(fitted.save(tmp_path / "model"))
    json.loads((tmp_path / "model" / "model.json").read_text("utf-8"))
    assert loaded.purchases.diagnostics["chains"] == 3
    assert loaded.purchases.size == 30
    for name, part in fitted.parts.items():
        assert loaded.parts[name].status == part.status
        for parameter, values in part.draws.items():
            np.testing.assert_array_equal(loaded.parts[name].draws[parameter], values)


@pytest.mark.parametrize(
    ("base", "code", "wide"),
    [
        (bought_once, "no_repeaters", "a"),
        (never_leaves, "dropout_not_identified", "b"),
        (thirty_repeaters, None, "b"),
        (one_cohort, None, None),
        (one_history, None, "r"),
    ],
)
def test_bases_that_say_little(base: object, code: str | None, wide: str | None) -> None:
    part = fit_purchases(base(), method="nuts", draws=150, chains=2, tune=150, seed=1)  # type: ignore[operator]
    assert all(np.isfinite(values).all() and (values > 0).all() for values in part.draws.values())
    assert wide is None or spread(part, wide) > 0.4
    if code is not None:
        assert part.status.has(code)


@pytest.mark.parametrize("wrong", [{"draws": 3}, {"chains": 0}, {"tune": 10}])
def test_too_few_draws_are_refused(counts: Counts, wrong: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="or more"):
        fit_purchases(counts, method="nuts", **wrong)
