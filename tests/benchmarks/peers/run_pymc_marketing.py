"""PyMC-Marketing's BetaGeoModel: NUTS under its default priors or under given ones, and the mode."""

from __future__ import annotations

import importlib.util
import sys
import time
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
from clock import Call, main
from pymc_extras.prior import Prior
from pymc_marketing.clv import BetaGeoModel

NAMES = ("r", "alpha", "a", "b")
COLUMNS = ["customer_id", "frequency", "recency", "T"]


def nuts(data: str, priors: dict[str, list[float]] | None = None, **sampler: Any) -> Call:
    """Sample with the defaults of the package, or with what *sampler* says.

    PyMC takes nutpie by itself where that is installed, but not beside a callback.
    """
    watch = {} if importlib.util.find_spec("nutpie") else {"callback": Progress()}
    table = pd.read_parquet(data, columns=COLUMNS)

    def call() -> dict[str, Any]:
        start = time.perf_counter()
        model = BetaGeoModel() if priors is None else scale_free(table, priors)
        trace = model.fit(table, progressbar=False, random_seed=1, **watch, **sampler)
        seconds = time.perf_counter() - start
        posterior = trace["posterior"]
        sampling = float(posterior.attrs.get("sampling_time", "nan"))
        draws = {name: np.asarray(posterior[name], float) for name in NAMES}
        return {
            "parts": {"build_and_compile": seconds - sampling, "sampling": sampling},
            "chains": int(posterior.sizes["chain"]),
            "mean": {name: float(values.mean()) for name, values in draws.items()},
            "sd": {name: float(values.std(ddof=1)) for name, values in draws.items()},
            "mean_error": {name: error(values, "mean") for name, values in draws.items()},
            "sd_error": {name: error(values, "sd") for name, values in draws.items()},
            "divergences": int(np.asarray(trace["sample_stats"]["diverging"]).sum()),
        }

    return call


def log_posterior(
    data: str, priors: dict[str, list[float]], points: list[dict[str, float]]
) -> Call:
    """The log posterior density at *points*, of (ln r, ln α, logit(a/(a + b)), ln(a + b)): Jacobian 1 to the logs."""
    model = scale_free(pd.read_parquet(data, columns=COLUMNS), priors).model

    def call() -> dict[str, Any]:
        density = model.compile_logp()
        logs = [
            {
                "r_log__": np.log(at["r"]),
                "alpha_log__": np.log(at["alpha"]),
                "phi_dropout_raw": np.log(at["a"] / at["b"]),
                "kappa_dropout_log__": np.log(at["a"] + at["b"]),
            }
            for at in points
        ]
        return {"values": [float(density(at)) for at in logs]}

    return call


def mode(data: str) -> Call:
    """The mode under the default priors of the package."""
    table = pd.read_parquet(data, columns=COLUMNS)

    def call() -> dict[str, Any]:
        model = BetaGeoModel()
        trace = model.fit(table, method="map", progressbar=False)
        return {
            "params": {
                name: float(np.asarray(trace["posterior"][name]).ravel()[0]) for name in NAMES
            }
        }

    return call


def scale_free(table: pd.DataFrame, priors: dict[str, list[float]]) -> BetaGeoModel:
    """BetaGeoModel under log-normal priors of r, rate = r·τ/α, odds = a/b and size = a + b, each (median, sigma).

    r and size have theirs through the settings of the package (its kappa is a + b), and so have the odds: its phi is
    odds/(1 + odds), the sigmoid of a normal. α depends on r, which the settings cannot say: it is flat there, and the density
    p(α | r), log-normal about r·τ/rate, is added to the model as a potential.
    """

    def log(name: str) -> tuple[float, float]:
        median, sigma = priors[name]
        return float(np.log(median)), sigma

    laws = {
        name: dict(zip(("mu", "sigma"), log(name), strict=True)) for name in ("r", "odds", "size")
    }
    model = BetaGeoModel(
        model_config={
            "r": Prior("LogNormal", **laws["r"]),
            "alpha": Prior("HalfFlat"),
            "phi_dropout": Prior("Normal", **laws["odds"], transform="sigmoid"),
            "kappa_dropout": Prior("LogNormal", **laws["size"]),
        }
    )
    model.build_model(table)
    level, sigma = log("rate")
    with model.model as built:
        center = pm.math.log(built["r"]) + np.log(table["T"].mean()) - level
        pm.Potential("rate", pm.logp(pm.LogNormal.dist(mu=center, sigma=sigma), built["alpha"]))
    return model


def error(values: np.ndarray, of: str) -> float:
    """Monte Carlo error of the mean or sd of draws of shape (chains, draws), in standard deviations."""
    from arviz_stats.base import array_stats

    return float(array_stats.mcse(values, method=of)) / float(values.std(ddof=1))


class Progress:
    """Tells on stderr how far the sampler is, so that a run that is stopped leaves word of it."""

    def __init__(self) -> None:
        self.done: dict[int, int] = {}

    def __call__(self, trace: Any, draw: Any) -> None:
        del trace
        self.done[draw.chain] = self.done.get(draw.chain, 0) + 1
        if sum(self.done.values()) % 100 == 0:
            print(
                f"{sum(self.done.values())} iterations over {len(self.done)} chains",
                file=sys.stderr,
                flush=True,
            )


if __name__ == "__main__":
    main({"nuts": nuts, "log_posterior": log_posterior, "mode": mode})
