"""CDNOW: our posterior by both engines, beside PyMC-Marketing's BetaGeoModel sampled under the same priors."""

from __future__ import annotations

from math import exp, inf
from typing import TYPE_CHECKING

import numpy as np

import lifestage as ls
from lifestage.families import bgnbd
from lifestage.families.bgnbd import PARAMS
from lifestage.fitting.prior_distributions import normal
from tests.benchmarks.environments import PYMC_MARKETING
from tests.benchmarks.results import Check, Row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.benchmarks.harness import Bench, Run

SIZES = (2357,)
FAR, WIDE = 0.1, 0.1
"""Largest difference of means in posterior standard deviations, and of standard deviations in relative terms."""


def run(bench: Bench) -> Iterator[Row]:
    data = bench.data / "cdnow.parquet"
    data.parent.mkdir(parents=True, exist_ok=True)
    base = ls.summarize(ls.datasets.cdnow(), until="1997-09-30", period="week")
    base.table.to_parquet(data)
    laws = {name: normal(text) for name, text in bgnbd.PRIORS.defaults.items()}
    priors = {name: [exp(law[0]), law[1]] for name, law in laws.items() if law is not None}
    laplace = bench.ours("fit", data=data, method="laplace", draws=10_000)()
    nuts = bench.ours("fit", data=data, method="nuts", draws=5_000, chains=4)()
    sampler = {"draws": 10_000, "tune": 2_000, "chains": 4, "target_accept": 0.9}
    asked = bench.asked(PYMC_MARKETING)
    peer = (
        bench.peer(PYMC_MARKETING, "nuts", data=data, priors=priors, **sampler)() if asked else None
    )
    tail = [
        Check("k̂", laplace.result.get("pareto_k", inf), 0.5),
        Check("ESS share", laplace.result.get("ess_share", 0.0), 0.8, least=True),
        *(same_density(bench, data, priors) if peer is not None and there(peer) else ()),
    ]
    what = "same priors"
    yield Row(
        "posterior",
        f"laplace, 10,000 draws, {what}",
        SIZES[0],
        laplace,
        peer,
        (*agree(laplace, peer), *tail),
    )
    yield Row(
        "posterior", f"nuts, 4 × 5,000 draws, {what}", SIZES[0], nuts, peer, agree(nuts, peer)
    )
    table = details({"laplace": laplace, "nuts": nuts, "PyMC-Marketing": peer})
    yield Row(
        "posterior",
        "laplace against nuts",
        SIZES[0],
        laplace,
        None,
        agree(laplace, nuts),
        details=table,
    )


def same_density(bench: Bench, data: Path, priors: dict[str, list[float]]) -> Iterator[Check]:
    """The largest difference of the two log posterior densities: that the priors are the same, and the likelihoods."""
    rng = np.random.default_rng(1)
    points = [
        dict(zip(PARAMS, np.exp(rng.normal([-1.4, 1.5, -0.2, 1.0], 0.5)).tolist(), strict=True))
        for _ in range(5)
    ]
    ours = bench.ours("log_posterior", data=data, points=points)().result["values"]
    theirs = bench.peer(
        PYMC_MARKETING, "log_posterior", data=data, priors=priors, points=points
    )().result["values"]
    yield Check(
        "log posterior densities differ by", float(np.abs(np.subtract(ours, theirs)).max()), 1e-6
    )


def agree(one: Run, other: Run | None, limit: bool = True) -> tuple[Check, ...]:
    """The largest differences over the parameters, and how far the draws of the other can tell."""
    if other is None or not (there(one) and there(other)):
        return ()
    (mean, sd), (their_mean, their_sd) = (
        (run.result["mean"], run.result["sd"]) for run in (one, other)
    )
    far = max(abs(mean[name] - their_mean[name]) / their_sd[name] for name in PARAMS)
    wide = max(abs(sd[name] / their_sd[name] - 1) for name in PARAMS)
    found = [
        Check("means differ by sd", far, FAR if limit else None),
        Check("sds differ by", wide, WIDE if limit else None),
    ]
    if "mean_error" in other.result:
        mean_error, sd_error = (max(other.result[f"{of}_error"].values()) for of in ("mean", "sd"))
        found.append(Check("Monte Carlo error of the peer's means", mean_error))
        found.append(Check("of its sds", sd_error))
    return tuple(found)


def details(runs: dict[str, Run | None]) -> tuple[dict[str, str | float], ...]:
    """A row a parameter: mean and standard deviation of every run."""
    found = {name: run.result for name, run in runs.items() if run is not None and there(run)}
    return tuple(
        {"parameter": parameter}
        | {
            f"{name} {what}": result[what][parameter]
            for what in ("mean", "sd")
            for name, result in found.items()
        }
        for parameter in PARAMS
    )


def there(run: Run) -> bool:
    """Whether a run came to its end."""
    return not (run.missing or run.stopped)
