"""The lifetimes package: its fitters as the documentation uses them, one row a customer."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
from clock import Call, main
from lifetimes import BetaGeoFitter, ParetoNBDFitter

warnings.simplefilter("ignore")
FITTERS = {
    "bg/nbd": (BetaGeoFitter, ("r", "alpha", "a", "b")),
    "pareto/nbd": (ParetoNBDFitter, ("r", "alpha", "s", "beta")),
}


def read(data: str) -> tuple[Any, ...]:
    table = pd.read_parquet(data)
    return tuple(table[name].to_numpy() for name in ("frequency", "recency", "T"))


def fit(data: str, family: str = "bg/nbd") -> Call:
    """Maximum likelihood."""
    x, t_x, T = read(data)
    fitter_of, names = FITTERS[family]

    def call() -> dict[str, Any]:
        fitter = fitter_of()
        fitter.fit(x, t_x, T)
        return {"params": {name: float(fitter.params_[name]) for name in names}}

    return call


def log_likelihood(data: str, params: dict[str, float], family: str = "bg/nbd") -> Call:
    """The log-likelihood of the package at given estimates."""
    x, t_x, T = read(data)
    fitter, names = FITTERS[family]

    def call() -> dict[str, Any]:
        at = np.array([params[name] for name in names])
        rest = (x, t_x, T, np.ones(x.size), 0.0)
        if fitter is BetaGeoFitter:  # takes logarithms and returns a mean, the other one a sum
            return {"value": -float(fitter._negative_log_likelihood(np.log(at), *rest)) * x.size}
        return {"value": -float(fitter._negative_log_likelihood(at, *rest))}

    return call


def predict(data: str, params: dict[str, float], out: str) -> Call:
    """P(alive) and expected purchases of every customer within 52 periods."""
    x, t_x, T = read(data)
    fitter = BetaGeoFitter()
    fitter.params_ = pd.Series(params)

    def scores(rows: slice) -> pd.DataFrame:
        alive = fitter.conditional_probability_alive(x[rows], t_x[rows], T[rows])
        expected = fitter.conditional_expected_number_of_purchases_up_to_time(
            52, x[rows], t_x[rows], T[rows]
        )
        return pd.DataFrame(
            {"p_alive": np.asarray(alive), "expected_purchases": np.asarray(expected)}
        )

    scores(slice(100))  # what a first call loads is outside the clock

    def call() -> dict[str, Any]:
        table = scores(slice(None))

        def write() -> dict[str, Any]:
            table.to_parquet(out)
            return {}

        return {"then": write}

    return call


if __name__ == "__main__":
    main({"fit": fit, "log_likelihood": log_likelihood, "predict": predict})
