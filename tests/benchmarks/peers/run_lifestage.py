"""Our side: fits, posteriors, predictions and the whole corridor."""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from clock import Call, main

import lifestage as ls
from lifestage.data.customers.compress import compress
from lifestage.families import FAMILIES, bgnbd
from lifestage.fitting.mle import log_density
from lifestage.fitting.priors import log_prior
from lifestage.jobs.config import RunConfig
from lifestage.jobs.run import run

NAMES = bgnbd.PARAMS


def customers(data: str) -> ls.Summary:
    """A customer table in weeks, observed until the last day that the simulation knows."""
    return ls.Summary.from_frame(pd.read_parquet(data), period="week", until="2025-12-31")


def fit(data: str, **how: Any) -> Call:
    """Fit a family of purchases to a customer table, compression included."""
    base = customers(data)

    def call() -> dict[str, Any]:
        posterior = ls.fit(base, spend=None, **how).purchases
        draws = posterior.draws
        known = {
            name: posterior.diagnostics.get(name)
            for name in ("pareto_k", "ess_share", "ess_bulk", "r_hat")
        }
        return {
            "params": {name: float(values.mean()) for name, values in draws.items()},
            "mean": {name: float(values.mean()) for name, values in draws.items()},
            "sd": {
                name: float(values.std(ddof=1)) if values.size > 1 else 0.0
                for name, values in draws.items()
            },
            "log_likelihood": float(posterior.diagnostics["log_likelihood"]),
            "draws": posterior.size,
            **{name: value for name, value in known.items() if value is not None},
        }

    return call


def log_likelihood(data: str, params: dict[str, dict[str, float]], family: str = "bg/nbd") -> Call:
    """Our log-likelihood at the estimates of others, by name."""
    counts, module = compress(customers(data)), FAMILIES[family]
    rows = module.rows(counts.x, counts.t_x, counts.T, counts.weight)

    def call() -> dict[str, Any]:
        values = {}
        for who, estimate in params.items():
            at = np.array([estimate[name] for name in module.PARAMS])
            values[who] = float(module.total_log_likelihood(at, rows)[0])
        return {"values": values}

    return call


def log_posterior(data: str, points: list[dict[str, float]]) -> Call:
    """Our log posterior density of the log parameters at *points*, under the default priors."""
    counts = compress(customers(data))
    rows = bgnbd.rows(counts.x, counts.t_x, counts.T, counts.weight)
    units = np.array([1.0, float(counts.weight @ counts.T) / counts.customers, 1.0, 1.0])
    density = log_density(
        lambda params: bgnbd.total_log_likelihood(params, rows), units, log_prior(bgnbd)
    )

    def call() -> dict[str, Any]:
        return {
            "values": [density(np.log([at[name] for name in NAMES] / units))[0] for at in points]
        }

    return call


def predict(data: str, out: str | None = None, loaded: bool = True, **how: Any) -> Call:
    """Score every customer, all columns; the fit is outside the clock, and so is loading compiled code."""
    base = customers(data)
    model = ls.fit(base, **how)
    if loaded:
        model.predict(replace(base, table=base.table.head(100)), horizon=52)

    def call() -> dict[str, Any]:
        scores = model.predict(base, horizon=52)

        def write() -> dict[str, Any]:
            if out is not None:
                scores[["customer_id", "p_alive", "expected_purchases"]].to_parquet(out)
            return {"columns": len(scores.columns), "params": model.purchases.estimate}

        return {"then": write}

    return call


def corridor(data: str, out: str) -> Call:
    """What ``lifestage run`` does with an order log, and the seconds of its steps."""

    def call() -> dict[str, Any]:
        shutil.rmtree(out, ignore_errors=True)  # a run beside an earlier one compares with it
        begun: list[tuple[str, float]] = []
        run(
            Path(data),
            out,
            RunConfig(),
            step=lambda name: begun.append((name, time.perf_counter())),
        )
        ends = [moment for _, moment in begun[1:]] + [time.perf_counter()]
        return {
            "parts": {name: end - start for (name, start), end in zip(begun, ends, strict=True)}
        }

    return call


if __name__ == "__main__":
    tasks = (fit, log_likelihood, log_posterior, predict, corridor)
    main({task.__name__: task for task in tasks})
